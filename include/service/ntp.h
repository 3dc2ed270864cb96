#ifndef SERVICE_NTP_H
#define SERVICE_NTP_H

struct module;

/* Adds to the module's services what keeps its clock in step with a time server.
 * Reference: network notes, 7. */
void ntp_attach(struct module *);

#endif
