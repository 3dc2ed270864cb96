#ifndef SERVICE_ANNOUNCEMENT_H
#define SERVICE_ANNOUNCEMENT_H

#include "core/network.h"

struct evbuffer;
struct module;

/* Writes what the module tells of itself: one JSON object with what broadcast.data
 * lists, in its order, as it looks over an interface. Reference: network notes, 6.2. */
void announcement_write(struct module *, enum network_interface, struct evbuffer *out);

#endif
