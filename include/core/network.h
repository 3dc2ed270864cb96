#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include <stdbool.h>

#include "device/radio.h"
#include "link/address.h"

struct module;
struct module_step;

/* The two interfaces of a module: up with an address, or not. What runs over one, its
 * services, streams and commands, starts with it and ends with it. */

enum network_interface {
	NETWORK_DEFAULT, /* the one that network.default_interface names */
	NETWORK_WLAN,
	NETWORK_SOFTAP
};
#define NETWORK_INTERFACES 3 /* for arrays; the first element stays unused */

enum network_state { NETWORK_DOWN, NETWORK_JOINING, NETWORK_UP };

/* From the word for an interface: default, wlan or softap; NULL and all others are the
 * default one. Never NETWORK_DEFAULT itself. */
enum network_interface network_interface(const struct module *, const char *word);

/* The interface that a variable names; the default one if the profile lacks it. The
 * name of an interface stands for itself. */
enum network_interface network_interface_of(
    const struct module *, const char *variable);

const char *network_interface_name(enum network_interface);
const char *network_state_name(enum network_state);

/* Of an interface; NETWORK_DEFAULT is taken for the one it stands for. The address is
 * borrowed; NULL unless it is up. */
enum network_state network_state(const struct module *, enum network_interface);
const struct link_address *network_address(
    const struct module *, enum network_interface);

/* What the radio says of it: the network that wlan has joined, or the soft AP. 0, or -1
 * while there is none. */
int network_access_point(
    const struct module *, enum network_interface, struct radio_ap *);

/* wlan.network.status and wlan.join.result. */
unsigned network_wlan_status(const struct module *);
unsigned network_join_result(const struct module *);

/* The clients of the soft AP, first come first; how many were written. */
size_t network_clients(const struct module *, struct radio_station *, size_t max);

/* The module's radio, borrowed; NULL: it has none. */
struct radio *network_radio(const struct module *);

/* Begins to bring it up, unless that is under way or done. NULL, or why it cannot be
 * tried. Services start, and who waits is told, from the loop or from in here. */
const char *network_bring_up(struct module *, enum network_interface);

/* Joins the network of wlan again, if one is set, with as many attempts as at boot. */
void network_rejoin(struct module *);

/* Ends what runs over it, and leaves the network. */
void network_bring_down(struct module *, enum network_interface);

/* For request.after: the interface goes down, or down and up again, once the reply is
 * out. */
const struct module_step *network_step_down(enum network_interface);
const struct module_step *network_step_restart(enum network_interface);

/* Waits until it is up (true) or that has failed (false), which is told once, from the
 * loop. Not for one that is up or down already. */
struct network_wait;
typedef void network_waited(void *arg, bool is_up);
struct network_wait *network_wait_start(
    struct module *, enum network_interface, network_waited *, void *arg);
void network_wait_cancel(struct network_wait *);

/* For the entries of variables that say how the radio works. Returns 0. */
int network_tune(struct module *);

/* For wlan.dhcp.cache_enabled: keeps the lease that there is, or forgets the one that
 * was kept. Returns 0. */
int network_lease_tune(struct module *);

/* The time that bringing it up may take, for a deadline. */
unsigned network_timeout_ms(const struct module *, enum network_interface);

/* Where a module port of an address really is: on a soft AP, the addresses of the
 * modules are not this host's. 0, changed or not; -1 and errno: nobody is there. */
int network_route(const struct module *, const char *scheme, struct sockaddr_in *);

/* The same for TCP. On a soft AP, local becomes an address of this host that stands for
 * the module's own, so that who is reached can tell who comes: network_name_far(). */
int network_route_tcp(
    const struct module *, struct sockaddr_in *, struct in_addr *local);

/* Writes "1.2.3.4:80" of the far end of a socket, with the address that a module on the
 * soft AP has there; "" when it has none. */
void network_name_far(const struct module *, int fd, char *text, size_t size);

/* The same for an address alone: that of this host which stands for it. */
int network_route_address(const struct module *, struct in_addr *);

/* The name servers of the network that the module has joined, if it is a soft AP or one
 * behind a real interface, as they are reached from this host; false: no such. */
bool network_name_server(
    const struct module *, unsigned position, struct sockaddr_in *);

/* The address of this host that what the module opens over an interface is bound to:
 * for others to reach it, and for itself to reach others, 0.0.0.0: any. */
struct in_addr network_bound_address(const struct module *, enum network_interface);
struct in_addr network_source_address(const struct module *, enum network_interface);

/* Gives the module its radio, before the first boot, and takes it. Chosen: without one
 * wlan is like a cable, up from boot on. */
void network_attach(struct module *, struct radio *);

/* For core/: the module falls asleep, and its radio with it, which nobody is told. */
void network_vanish(struct module *);

/* For core/: at boot, what is to be up by itself; the end of all, at reboot and at the
 * end of the module. */
void network_boot(struct module *);
void network_take_down(struct module *);
void network_free(struct module *);

#endif
