#ifndef FRONT_WEB_REPLY_H
#define FRONT_WEB_REPLY_H

#include <stdint.h>

#define WEB_REPLY_AT_ONCE 32768 /* bytes of a body that the kernel takes at once */
#define WEB_REPLY_RECORD 16384 /* bytes of a TLS record */

struct evbuffer;
struct evhttp_request;
struct web_connection;

/* Answers. Headers that one needs beyond those of every answer have been put into the
 * request's output headers. */

/* The usual words for a status. */
const char *web_reason(int status);

/* Answers a request, once: takes over the body, which may be NULL, as may its type. */
void web_reply(struct web_connection *, struct evhttp_request *, int status,
    const char *content_type, struct evbuffer *body);

/* The same with a line of plain text, or the usual words for the status. */
void web_reply_text(
    struct web_connection *, struct evhttp_request *, int status, const char *text);

/* Says how long the body is, unless that was said. */
void web_reply_add_length(struct evhttp_request *, uint64_t length);

/* The headers of every answer, for whoever sends its body in pieces: then nothing but
 * evhttp_send_reply_start() and what goes with it may follow. */
void web_reply_begin(
    struct web_connection *, struct evhttp_request *, const char *content_type);

/* Reads nothing more of the connection while an answer is on its way: evhttp would take
 * a client that has sent its last byte for one that has gone. */
void web_reply_deaf(struct web_connection *);

/* The answer is out, or will never be. */
void web_reply_done(struct web_connection *);

#endif
