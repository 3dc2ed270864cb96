#ifndef SERVICE_MDNS_H
#define SERVICE_MDNS_H

struct module;

/* Adds to the module's services its responder of multicast DNS, where the profile has
 * one. Reference: network notes, 8.6. */
void mdns_attach(struct module *);

#endif
