#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "core/network.h"

/* Something that a module runs beside its commands: the web server, the terminal. It
 * starts when its interface comes up and ends when that goes down. */
struct service_ops {
	const char *name;
	/* The variable that names its interface, or that name itself; NULL: it needs
	 * none and runs from boot on. */
	const char *interface;
	bool takes_any; /* the word default stands for any interface that is up */
	bool serves_setup; /* runs over the soft AP during web setup, whatever its
			    * variable says */
	void (*start)(
	    void *arg); /* reads its variables; says by itself what goes wrong */
	void (*stop)(
	    void *arg); /* closes all that start() opened; also if it never did */
	/* A listener was opened or closed while it runs; it may look which there are
	 * on a later turn of the loop. May be NULL. */
	void (*listeners)(void *arg);
	void (*free)(void *arg); /* the end; stop() has been called */
};

struct service {
	const struct service_ops *ops;
	void *arg; /* owned by the service, freed by ops->free() */
	bool is_started;
	enum network_interface interface; /* that it was started over */
	TAILQ_ENTRY(service) entry;
};

/* For core/: start those whose variable names the interface, in the order in which they
 * were added; stop those that run over it, in the opposite order. NETWORK_DEFAULT means
 * those that need none. */
void service_start_all(struct module *, enum network_interface);
void service_stop_all(struct module *, enum network_interface);

/* For core/: tells those who ask for it that a listener was opened or closed. */
void service_tell_listeners(const struct module *);

/* The interface that the service of that name runs over; NETWORK_DEFAULT: none. */
enum network_interface service_interface(const struct module *, const char *name);

/* For the apply functions of variables: stops the service of that name and starts it
 * anew, over the interface that its variable names by now, if that is up. */
void service_restart(struct module *, const char *name);

#endif
