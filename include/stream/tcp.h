#ifndef STREAM_TCP_H
#define STREAM_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "stream/stream.h"

struct event_base;

/* Streams over plain TCP sockets. What a peer sends waits in the kernel until it is
 * read, so a peer that is faster than the module is held back by TCP itself. */

#define TCP_SEND_MAX (128u * 1024) /* bytes that wait here for a slow peer */
#define TCP_LINGER_MS                                                                  \
	30000 /* time that a slow peer has for the rest once the stream is closed */

/* How a dead peer is found, and how much of a live one may wait unread. */
struct tcp_keepalive {
	unsigned idle_s, interval_s, count;
	size_t receive_max; /* bytes; 0: as this host has it */
};

/* Sets what every TCP socket has: non-blocking, TCP_NODELAY, keepalive. 0, or -1 and
 * errno. */
int tcp_prepare(int fd, const struct tcp_keepalive *);

/* Bytes that were written to a socket and that its peer has not acknowledged. */
size_t tcp_unacknowledged(int fd);

/* A listening socket whose accepted ones are prepared like that. -1 and errno. */
int tcp_listen(const char *address, uint16_t port, const struct tcp_keepalive *);

/* The port of the near end; 0 when it has none. */
uint16_t tcp_port_near(int fd);

/* A stream on a connected socket, which it takes: TCPC, or TCPS when it was accepted.
 * info is what stream_list shows; copied. A stream on which nothing moves for
 * idle_timeout_s (0: no limit) ends as if the peer had closed. */
struct stream *tcp_stream_new(struct event_base *, int fd, bool is_accepted,
    const char *info, unsigned idle_timeout_s);

#endif
