#ifndef STREAM_CONNECT_H
#define STREAM_CONNECT_H

#include <netinet/in.h>
#include <stdint.h>

#include "stream/tcp.h"

struct connect;
struct event_base;
struct evdns_base;

/* Opening a TCP connection without blocking: name, address, handshake. */

struct connect_options {
	const char *host; /* copied */
	struct in_addr local; /* 0.0.0.0: any */
	uint16_t port, local_port; /* local_port 0: any */
	unsigned timeout_ms; /* of the handshake */
	struct tcp_keepalive keepalive;
};

struct connect_ops {
	/* The address is known, and may be changed, as may be the local one; the
	 * handshake begins. -1 and errno: nobody can be reached there. */
	int (*connecting)(void *arg, struct sockaddr_in *, struct in_addr *local);
	/* Called once, from the loop. fd is the caller's; -1: error says why. */
	void (*done)(void *arg, int fd, const char *error);
};

/* It is gone after done, or after connect_cancel(), and then done is never called. */
struct connect *connect_start(struct event_base *, struct evdns_base *,
    const struct connect_options *, const struct connect_ops *, void *arg);
void connect_cancel(struct connect *);

/* Short words for an errno in a log line; other errors have the system's. */
const char *connect_error(int error);

#endif
