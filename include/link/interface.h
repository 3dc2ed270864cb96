#ifndef LINK_INTERFACE_H
#define LINK_INTERFACE_H

#include "link/address.h"

struct dhcp_lease;

/* The address of a real interface of this host: a given one, or one that a DHCP server
 * gives. It is set on the interface, and taken away at the end. */

/* All are called from the loop; the interface may be dropped in them, not freed. */
struct interface_ops {
	/* The address is set and holds; again when something of it has changed. */
	void (*addressed)(void *arg, const struct link_address *);
	/* It holds no longer, or could not be set: the interface is to be dropped. */
	void (*lost)(void *arg, const char *why);
	/* A line for the log of the module. */
	void (*said)(void *arg, const char *line);
	/* The lease that a server has given, borrowed, and again at each renewal; NULL:
	 * the one of before does not hold any longer. */
	void (*leased)(void *arg, const struct dhcp_lease *);
};

struct event_base;
struct interface;

/* name: of the interface, copied. What an earlier process has left on it is taken away.
 */
struct interface *interface_new(
    struct event_base *, const char *name, const struct interface_ops *, void *arg);
void interface_free(struct interface *); /* drops the address; NULL is allowed */

/* Both begin from anew. 0, or -1 and errno. last: a lease of an earlier time that is
 * asked for first; NULL: none. */
int interface_set(struct interface *, const struct link_address *);
int interface_lease(
    struct interface *, const char *host_name, const struct dhcp_lease *last);

/* The lease that holds, borrowed, or NULL. */
const struct dhcp_lease *interface_leased(const struct interface *);

/* Ends the lease without giving the address back, ahead of interface_drop(). */
void interface_keep(struct interface *);

/* Gives the address back and takes it away. No call follows. */
void interface_drop(struct interface *);

#endif
