#ifndef STREAM_TCP_WIRE_H
#define STREAM_TCP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event_base;
struct stream;

/* What a TCP stream moves its bytes through: the socket itself, or TLS on it. */

struct tcp_wire {
	const struct tcp_wire_ops *ops;
	int fd; /* owned by the stream */
	bool wants_write; /* it cannot go on before the socket takes more */
	bool has_news; /* a look has taken in bytes; for the stream, which clears it */
	bool is_over; /* the peer's end, or a fault, was met */
	const char *fault; /* why it ended, when it is known; the wire's, or NULL */
};

struct tcp_wire_ops {
	bool is_secure;
	/* As recv() and send() do it on a non-blocking socket: 0 is the end of what the
	 * peer sends; -1 and EAGAIN: nothing now. */
	ssize_t (*receive)(struct tcp_wire *, void *buf, size_t len);
	ssize_t (*send)(struct tcp_wire *, const void *buf, size_t len);
	/* What receive() would give for one byte, without taking it. */
	ssize_t (*look)(struct tcp_wire *);
	size_t (*waiting)(struct tcp_wire *); /* bytes to receive that are known of */
	void (*say_end)(struct tcp_wire *); /* nothing more will be sent */
	void (*free)(struct tcp_wire *); /* not the descriptor */
};

/* A stream on a connected socket, as tcp_stream_new() makes one: TLSC or TLSS. Takes
 * the wire and its descriptor. */
struct stream *tcp_stream_over(struct event_base *, struct tcp_wire *, bool is_accepted,
    const char *info, unsigned idle_timeout_s);

#endif
