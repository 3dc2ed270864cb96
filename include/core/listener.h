#ifndef CORE_LISTENER_H
#define CORE_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct module;

/* A socket that is open for others to reach, as status.json shows it. It belongs to the
 * service that opened it. */
struct listener {
	const char *service, *scheme; /* "http", "https" */
	char address[16]; /* IPv4 */
	uint16_t port; /* on this host */
	uint16_t module_port; /* as the module's variables say it */
	TAILQ_ENTRY(listener) entry;
};

/* Says what is to be opened: the module's address, and the host port that the module's
 * port appears as. */
void listener_set(struct listener *, const struct module *, const char *service,
    const char *scheme, uint16_t module_port);

/* Opens a listening TCP socket for it and returns the descriptor, which is the
 * caller's, with the port that it got in the listener. -1 and errno, and the cause is
 * logged. */
int listener_open_tcp(struct listener *, const struct module *);

/* Says that the port cannot be had; errno is why. */
void listener_log_failure(const struct listener *, const struct module *);

/* Warns in the log when the listener can be reached from outside without a password. */
void listener_warn_if_open(const struct listener *, const struct module *,
    bool has_password, const char *advice);

#endif
