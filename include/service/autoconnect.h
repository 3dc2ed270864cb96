#ifndef SERVICE_AUTOCONNECT_H
#define SERVICE_AUTOCONNECT_H

struct module;

/* Adds to the module's services what opens sockets by itself: the TCP and UDP servers
 * with auto_start, and the TCP and UDP clients with auto_start, which connect again as
 * their retries say. Reference: network notes, section 3. */
void autoconnect_attach(struct module *);

#endif
