#ifndef SERVICE_BROADCAST_H
#define SERVICE_BROADCAST_H

struct module;

/* Adds to the module's services what announces it to others by UDP at each interval.
 * Reference: network notes, 6. */
void broadcast_attach(struct module *);

#endif
