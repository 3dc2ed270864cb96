#ifndef DEVICE_NETLINK_H
#define DEVICE_NETLINK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mac.h"

/* Network interfaces of this host, by rtnetlink. What is set here carries a mark that
 * the kernel keeps, so that it is known and can be taken away by a later process too.
 * The functions that return int give 0, or -1 and errno; the kernel answers before a
 * request returns, so none of them waits. */

struct netlink_link {
	unsigned index;
	uint8_t mac[MAC_OCTETS];
	bool is_ethernet;
	bool has_carrier; /* up, and frames pass */
};

/* ENODEV: there is no such interface. */
int netlink_link_get(const char *name, struct netlink_link *);

struct netlink_address {
	struct in_addr ip, netmask;
	struct in_addr gateway; /* 0.0.0.0: none */
};

/* Gives the interface an address, and what comes from that address the gateway as its
 * default route, in a table of its own: the routes of this host stay as they are. An
 * address that the interface has already is used, and stays its own. */
int netlink_address_set(unsigned index, const struct netlink_address *);

/* Takes away all that carries the mark: addresses and routes of the interface. */
int netlink_clear(unsigned index);

/* Calls changed, from the loop, when some interface of this host may have. NULL and
 * errno: it cannot be had. */
struct event_base;
struct netlink_watch;
struct netlink_watch *netlink_watch_new(
    struct event_base *, void (*changed)(void *arg), void *arg);
void netlink_watch_free(struct netlink_watch *); /* NULL is allowed */

#endif
