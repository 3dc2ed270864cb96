#ifndef FRONT_WEB_GUARD_H
#define FRONT_WEB_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "front/web/head.h"

struct evbuffer;
struct evbuffer_cb_entry;
struct event;
struct event_base;

/* Stands before evhttp and looks at the bytes of a connection as they come in. A head
 * goes to evhttp as a whole once it is checked, a body as it comes, a chunked one with
 * its chunks written anew. What is refused never gets there: a request that is harmless
 * takes its place, so that it is answered in its turn. */

#define WEB_HEADERS_MAX 8192 /* bytes of a request's head */
#define WEB_BODY_MAX (64u * 1024) /* bytes of a request's body */
#define WEB_CHUNK_LINE_MAX 256 /* bytes of the line of a chunk or of a trailer */
/* Bytes of a connection that wait to be parsed: while an answer is on its way, evhttp
 * reads on to notice the end, and takes nothing out. Room for what it wants whole. */
#define WEB_INPUT_MAX (2 * (WEB_HEADERS_MAX + WEB_BODY_MAX))
#define WEB_HEAD_SECONDS 20 /* for a head, from its first byte */
#define WEB_BODY_SECONDS 20 /* for a body, and beyond that */
#define WEB_BODY_RATE 500 /* a second more for so many bytes of it that have come */

enum web_guard_state {
	GUARD_HEAD,
	GUARD_BODY, /* body_left bytes */
	GUARD_CHUNK_LINE,
	GUARD_CHUNK, /* body_left bytes */
	GUARD_CHUNK_END,
	GUARD_TRAILER,
	GUARD_OPEN, /* all goes through: another protocol may follow */
	GUARD_SHUT /* nothing goes through any more */
};

struct web_guard_ops {
	void (*late)(void *arg); /* from the loop: a request did not come in time */
	void (*much)(void *arg); /* more waits than one request can have */
};

struct web_guard {
	struct evbuffer *input; /* of the connection's bufferevent; borrowed */
	struct evbuffer_cb_entry *look;
	struct evbuffer *held; /* owned; what evhttp may not have yet */
	struct event *deadline; /* owned */
	const struct web_guard_ops *ops;
	void *arg;
	enum web_guard_state state;
	struct web_framing framing;
	uint64_t body_left, body_size;
	size_t scanned; /* bytes of held that are known to be good in a head */
	unsigned blank; /* bytes of empty lines before a head */
	unsigned requests; /* that went through */
	unsigned last; /* the number of the last one there will be; 0: not known yet */
	const struct web_refusal *refusal; /* of the last one, or NULL */
	int64_t since_ms; /* start of the head or body under way */
	bool is_timed; /* the deadline runs */
	bool busy; /* moves bytes itself */
};

/* Begins with the bytes that input will have, and which must be empty. */
void web_guard_init(struct web_guard *, struct event_base *, struct evbuffer *input,
    const struct web_guard_ops *, void *arg);
void web_guard_clear(struct web_guard *);

/* Whether no bytes of a next request are there. */
bool web_guard_is_idle(const struct web_guard *);

/* Waits for the rest of the request once more. */
void web_guard_be_patient(struct web_guard *);

#endif
