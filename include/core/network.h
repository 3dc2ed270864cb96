#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include <stdbool.h>

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

/* The interface that a variable names; the default one if the profile lacks it. */
enum network_interface network_interface_of(
    const struct module *, const char *variable);

const char *network_interface_name(enum network_interface);
const char *network_state_name(enum network_state);

/* Of an interface; NETWORK_DEFAULT is taken for the one it stands for. The address is
 * borrowed; NULL unless it is up. */
enum network_state network_state(const struct module *, enum network_interface);
const struct link_address *network_address(
    const struct module *, enum network_interface);

/* Begins to bring it up, unless that is under way or done. NULL, or why it cannot be
 * tried. Services start, and who waits is told, from the loop or from in here. */
const char *network_bring_up(struct module *, enum network_interface);

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

/* The time that bringing it up may take, for a deadline. */
unsigned network_timeout_ms(const struct module *, enum network_interface);

/* For core/: at boot, what is to be up by itself; the end of all, at reboot and at the
 * end of the module. */
void network_boot(struct module *);
void network_take_down(struct module *);
void network_free(struct module *);

#endif
