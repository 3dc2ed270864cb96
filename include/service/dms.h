#ifndef SERVICE_DMS_H
#define SERVICE_DMS_H

struct module;

/* dms.auto_start_enabled: asks the update server for news when the network comes up. */
void dms_attach(struct module *);

#endif
