#ifndef STREAM_WEBSOCKET_H
#define STREAM_WEBSOCKET_H

#include "stream/stream.h"

struct bufferevent;

/* Streams over WebSocket connections, type WEBS: the server's side of RFC 6455, from
 * the end of the opening handshake on. Each write is one binary message; of messages
 * that come in, text or binary, the payloads are concatenated.
 * Reference: network notes, 1.8. */

#define WEBSOCKET_RECEIVE_MAX                                                          \
	(64u * 1024) /* unread bytes above which the socket is not read */
#define WEBSOCKET_SEND_MAX (128u * 1024) /* bytes that wait here for a slow peer */

/* Chosen: the time for the closing handshake; what the peer has not taken by then is
 * lost. */
#define WEBSOCKET_CLOSE_MS 5000

/* The bufferevent is given back: nothing more will be done with it. Called once, from
 * the loop. */
typedef void websocket_done(void *arg);

/* A stream on a connection, plain or TLS, which it borrows until done() or
 * websocket_lost(); what the input buffer holds already belongs to it. info is what
 * stream_list shows; copied. stream_close() says goodbye to the peer, so done() may
 * come a while after it. */
struct stream *websocket_stream_new(
    struct bufferevent *, const char *info, websocket_done *, void *arg);

/* The bufferevent is about to be freed: the stream is at its end and done() is never
 * called. The stream may have been closed already. */
void websocket_lost(struct stream *);

#endif
