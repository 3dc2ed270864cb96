#ifndef LINK_SOFTAP_H
#define LINK_SOFTAP_H

#include <stdbool.h>

#include "device/radio.h"
#include "link/address.h"

/* The access point side of a module. */

struct softap_settings {
	struct radio_ap_settings ap; /* texts borrowed for the call */
	struct link_address address;
	unsigned idle_timeout_s; /* of a client that vanished; 0: it stays */
};

/* Called from the loop. */
struct softap_ops {
	void (*up)(void *arg, const struct link_address *);
	void (*changed)(void *arg); /* the list of clients */
};

struct event_base;
struct softap;

struct softap *softap_new(
    struct event_base *, struct radio *, const struct softap_ops *, void *arg);
void softap_free(struct softap *); /* stops; NULL is allowed */

/* Begins to bring it up. */
void softap_start(struct softap *, const struct softap_settings *);
void softap_stop(struct softap *); /* no call follows */

/* The radio tells that a client has come, or has left; silently: nobody has heard from
 * it any more, and it stays in the list until idle_timeout_s. */
void softap_station_came(struct softap *, const uint8_t mac[MAC_OCTETS]);
void softap_station_left(struct softap *, const uint8_t mac[MAC_OCTETS], bool silently);

/* The clients in the order in which they came; how many were written. */
size_t softap_clients(const struct softap *, struct radio_station *, size_t max);

#endif
