#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include <sys/queue.h>

/* Something that a module runs beside its commands: the web server, the terminal. It
 * starts after boot and ends before the next one, and network_restart does both. */
struct service_ops {
	const char *name;
	void (*start)(
	    void *arg); /* reads its variables; says by itself what goes wrong */
	void (*stop)(
	    void *arg); /* closes all that start() opened; also if it never did */
	void (*free)(void *arg); /* the end; stop() has been called */
};

struct service {
	const struct service_ops *ops;
	void *arg; /* owned by the service, freed by ops->free() */
	TAILQ_ENTRY(service) entry;
};

#endif
