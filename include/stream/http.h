#ifndef STREAM_HTTP_H
#define STREAM_HTTP_H

#include "stream/http_exchange.h"
#include "stream/stream.h"

/* Streams on the answer of an HTTP request, and on the body of one that is being made;
 * type HTTP. What the host does not read in time holds the server back. */

#define HTTP_BODY_MAX                                                                  \
	(1024u * 1024) /* bytes of a body that is kept until it is sent                \
			*/
#define HTTP_SEND_MAX (64u * 1024) /* bytes that wait for the server to take them */

/* How the body of a request comes about. */
enum http_body {
	HTTP_BODY_NONE,
	HTTP_BODY_KEPT, /* what is written is kept; http_stream_send() sends it */
	HTTP_BODY_LIVE /* of a length that was said; what is written is sent on */
};

struct http_stream_options {
	enum http_body body;
	bool is_held; /* the request waits for http_stream_send() */
	int64_t length; /* HTTP_BODY_LIVE */
};

/* A stream, in no table yet. Watchers are told: STREAM_EVENT_ROOM once connected,
 * STREAM_EVENT_DATA when the status is there and with the body, STREAM_EVENT_END in
 * the end, whether all is well or not. Takes the URL; of exchange options the method,
 * type and times count, of ops what stands there but told. One whose body was written
 * and that is closed before the answer came, or before all has left, lingers, for
 * limit_ms at most. */
struct stream *http_stream_new(struct event_base *, struct evdns_base *,
    struct http_url *, const struct http_stream_options *,
    const struct http_exchange_options *, const struct http_exchange_ops *);

/* The rest is for streams of this kind. */
bool http_stream_is(const struct stream *);
bool http_stream_is_connected(const struct stream *);
bool http_stream_has_failed(const struct stream *);
int http_stream_status(const struct stream *); /* 0: none yet */

/* 0, or -1 and errno: EINVAL, EMSGSIZE as http_exchange_add_field(); EALREADY when the
 * request was sent. */
int http_stream_add_field(struct stream *, const char *name, const char *value);

/* Completes the request: sends it, if it was held. 0, or -1 and errno ENODATA when some
 * of its body was not written yet. */
int http_stream_send(struct stream *);

#endif
