#ifndef CORE_NETWORK_STATE_H
#define CORE_NETWORK_STATE_H

#include <sys/queue.h>

#include "core/module.h"
#include "core/network.h"
#include "link/softap.h"
#include "link/wlan.h"

/* What core/network*.c share. */

struct network_link {
	enum network_state state;
	struct link_address address; /* while it is up */
};

struct network {
	struct network_link links[NETWORK_INTERFACES];
	struct radio *radio; /* owned; NULL: none, and then the next two too */
	struct wlan *wlan; /* owned */
	struct softap *softap; /* owned */
	struct event *lease; /* owned; the answer to a station that wants an address */
	TAILQ_HEAD(, network_wait) waits;
};

/* Made on first use. */
struct network *network_get(struct module *);

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

/* The address of this host that the module's ports appear on. */
void network_host_address(const struct module *, struct link_address *);

#endif
