#ifndef FRONT_WEB_BODY_H
#define FRONT_WEB_BODY_H

#include <stdint.h>
#include <time.h>

struct evhttp_request;
struct web_connection;

/* Answers whose body is a file. However large it is, no more than pieces of it are in
 * memory. */

#define WEB_BODY_PIECE 65536 /* bytes read, or decoded, at a time */
#define WEB_DECODED_MAX (256u * 1024 * 1024) /* bytes that a .gz file may become */

/* A piece of a file, which is in memory or open for reading. */
struct web_span {
	const char *bytes; /* the file; borrowed while it is being sent; or NULL */
	int fd; /* owned; -1 with bytes */
	uint64_t first, length;
	struct timespec time; /* of the file */
};

void web_span_close(const struct web_span *);

/* Answers with the bytes as they are. Takes the descriptor, as the next one does. */
void web_body_send(struct web_connection *, struct evhttp_request *, int status,
    const char *content_type, const struct web_span *);

/* Answers with what the bytes become when gzip is undone. */
void web_body_send_decoded(struct web_connection *, struct evhttp_request *, int status,
    const char *content_type, const struct web_span *);

/* The connection is gone, and with it what was under way. */
void web_body_abandon(struct web_connection *);

#endif
