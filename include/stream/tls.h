#ifndef STREAM_TLS_H
#define STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "stream/stream.h"

struct event_base;
struct tls_handshake;

/* TLS on a connected socket: the handshake, and then a stream. */

#define TLS_FAULT_MAX 192 /* bytes of the words for what went wrong, NUL included */

struct tls_options {
	SSL_CTX *context; /* which side it is for goes without saying in it */
	/* As a client: the name or address that the server must prove to be, and by
	 * which a name is asked for (RFC 6066, 3). Copied. NULL: as a server. */
	const char *host;
	unsigned timeout_ms;
};

/* Called once, from the loop. The connection is the caller's: it has the descriptor,
 * too. NULL: error says why, the connection is closed. */
typedef void tls_handshake_done(void *arg, SSL *, const char *error);

/* Takes the descriptor, which is non-blocking. It is gone after done, or after
 * tls_handshake_cancel(), and then done is never called. */
struct tls_handshake *tls_handshake_start(struct event_base *, int fd,
    const struct tls_options *, tls_handshake_done *, void *arg);
void tls_handshake_cancel(struct tls_handshake *);

/* A stream on a connection whose handshake is done, TLSC, or TLSS when it was accepted,
 * which else is like tcp_stream_new(). Takes the connection and its descriptor.
 *
 * Back-pressure is TCP's: at most one record is decrypted before it is asked for. An
 * end without close_notify counts as the end of the stream: many peers, vendors'
 * devices among them, never send one, and a stream of the module has one end only. */
struct stream *tls_stream_new(struct event_base *, SSL *, bool is_accepted,
    const char *info, unsigned idle_timeout_s);

#endif
