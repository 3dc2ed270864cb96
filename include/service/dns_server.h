#ifndef SERVICE_DNS_SERVER_H
#define SERVICE_DNS_SERVER_H

struct module;

/* Adds to the module's services the DNS server of its soft AP: the names of
 * softap.dns_server.url mean the module. Reference: network notes, 8.4 and 8.5. */
void dns_server_attach(struct module *);

#endif
