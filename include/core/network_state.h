#ifndef CORE_NETWORK_STATE_H
#define CORE_NETWORK_STATE_H

#include <sys/queue.h>

#include <event2/util.h>

#include "core/module.h"
#include "core/network.h"
#include "link/dhcp_client.h"
#include "link/interface.h"
#include "link/softap.h"
#include "link/wlan.h"

/* What core/network*.c share. */

struct network_link {
	enum network_state state;
	struct link_address address; /* while it is up */
};

#define NETWORK_SIGNALS_MAX 255 /* measurements that wlan.rssi_average takes */

struct network_signals {
	int8_t *dbm; /* owned; the last one first; NULL before it is used */
	unsigned count;
};

struct network {
	struct network_link links[NETWORK_INTERFACES];
	struct radio *radio; /* owned; NULL: none, and then the next two too */
	struct wlan *wlan; /* owned */
	struct softap *softap; /* owned */
	bool softap_waits; /* for its interface, which is gone, to start again */
	struct event *lease; /* owned; the next thing to do for an address */
	struct dhcp_client *dhcp; /* owned; NULL: the address needs none */
	struct link_address leased; /* by it; ip 0: none so far */
	bool has_recalled; /* the lease of the last time, which nobody confirmed yet */
	struct network_signals signals; /* of the network that is joined */
	struct interface *
	    interfaces[NETWORK_INTERFACES]; /* owned; NULL: not a real one */
	TAILQ_HEAD(, network_wait) waits;
};

/* Made on first use. */
struct network *network_get(struct module *);

/* wlan.static.*. */
void network_static_address(const struct module *, struct link_address *);

/* A state has changed: shows it on the lamps and in status.json. */
void network_changed(struct module *);

/* The interface has come up: starts what runs over it, says so and tells who waits. */
void network_went_up(
    struct module *, enum network_interface, const struct link_address *);

/* Ends what runs over it, and says so; the link itself is down already. */
void network_went_down(struct module *, enum network_interface);

/* Its way up has ended without success; again: the next one has begun. */
void network_failed(struct module *, enum network_interface, bool again);

/* What links.c does of network_bring_up() and network_bring_down(), for a module with a
 * radio. NULL, or why it cannot be tried. */
const char *network_join(struct module *, bool is_auto);
const char *network_start_softap(struct module *);

/* The station wants an address, or does no more. */
void network_obtain(void *module);
void network_forget(void *module);
void network_lease(evutil_socket_t, short what, void *module); /* event */

/* wlan.dhcp.cache_enabled. Keeps the lease of the network that is joined; NULL: there
 * is none to keep any longer. */
void network_lease_keep(struct module *, const struct dhcp_lease *);

/* The lease of the last time in that network, to be asked for. False: none, or it is
 * not to be used. */
bool network_lease_recall(struct module *, struct dhcp_lease *);

/* The network ends, or its address was not to be had: a lease that was recalled, and
 * that nobody has confirmed, is not asked for another time. */
void network_lease_end(struct module *);

/* Whether a lease stays at its server when the network ends, for the next time. */
bool network_lease_stays(const struct module *);

/* Real interfaces: made when the radio is one; an address for the station, which is
 * told later; the soft AP's, at once: NULL, or why not; the end of both. */
void network_interfaces_new(struct module *);
void network_interfaces_free(struct network *);
void network_interface_obtain(struct module *);
const char *network_interface_host(struct module *, const struct link_address *);
void network_interface_drop(const struct module *, enum network_interface);

/* Its address is gone: it leaves the network, and joins again if it may. */
void network_lose_address(struct module *);

/* The average of this measurement and those before it. */
int network_average(const struct module *, int rssi_dbm);

/* The highest rate of the soft AP, in 100 kbit/s. */
unsigned network_softap_rate(const struct module *);

/* The module whose soft AP is joined, or NULL. */
struct module *network_host(const struct module *);

/* The address of this host that the module's ports appear on, and the ip alone, which
 * costs less. */
void network_host_address(const struct module *, struct link_address *);
struct in_addr network_host_ip(const struct module *);

#endif
