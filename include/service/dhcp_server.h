#ifndef SERVICE_DHCP_SERVER_H
#define SERVICE_DHCP_SERVER_H

struct module;

/* Adds to the module's services the DHCP server of its soft AP, which remembers over a
 * restart whom it gave which address. Reference: network notes, 8.2 and 8.3. */
void dhcp_server_attach(struct module *);

#endif
