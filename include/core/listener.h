#ifndef CORE_LISTENER_H
#define CORE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/listener.h>

#include "core/network.h"

struct event;
struct module;

/* A socket that is open for others to reach, as status.json shows it. It belongs to the
 * service that opened it. */
struct listener {
	const char *service, *scheme; /* "http", "https" */
	char address[16]; /* IPv4 */
	uint16_t port; /* on this host */
	uint16_t module_port; /* as the module's variables say it */
	struct module *module; /* borrowed; from listener_accept() on */
	struct evconnlistener *accepting; /* owned; NULL while closed */
	struct event *knock; /* owned; a client waits to be accepted */
	struct event *pause; /* owned; ends a pause for want of descriptors */
	bool is_held; /* listener_hold() */
	TAILQ_ENTRY(listener) entry;
};

/* Says what is to be opened for the service of that name: the module's address on the
 * interface that it runs over, and the host port that the module's port appears as. */
void listener_set(struct listener *, const struct module *, const char *service,
    const char *scheme, uint16_t module_port);

/* The same for what is no service of that name, over an interface. */
void listener_set_over(struct listener *, const struct module *, enum network_interface,
    const char *service, const char *scheme, uint16_t module_port);

/* Listens on TCP, calls accepted for each connection, and shows in status.json. When
 * this process has no descriptor left, connections wait. 0, or -1 and errno, and the
 * cause is logged. */
int listener_accept(
    struct listener *, struct module *, evconnlistener_cb accepted, void *arg);

/* Shows a UDP socket in status.json until listener_hide(); the descriptor stays the
 * caller's. */
void listener_show(struct listener *, struct module *, int fd);
void listener_hide(struct listener *);

/* Leaves further connections in the listen queue, or takes them again. */
void listener_hold(struct listener *, bool held);

/* Closes the socket; does nothing while it is closed. Of one that evhttp was bound to,
 * the socket is evhttp's to close: listener_forget() instead, before evhttp_free(). */
void listener_close(struct listener *);
void listener_forget(struct listener *);

/* Says that the port cannot be had; errno is why. */
void listener_log_failure(const struct listener *, const struct module *);

/* Warns in the log when the listener can be reached from outside without a password. */
void listener_warn_if_open(const struct listener *, const struct module *,
    bool has_password, const char *advice);

#endif
