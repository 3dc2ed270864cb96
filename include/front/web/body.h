#ifndef FRONT_WEB_BODY_H
#define FRONT_WEB_BODY_H

#include <stdint.h>

struct evhttp_request;
struct web_connection;

/* Answers whose body is a file. However large it is, no more than pieces of it are in
 * memory. */

#define WEB_BODY_WHOLE_MAX 32768 /* bytes of a file that is read as a whole */
#define WEB_BODY_PIECE 131072 /* bytes read, or decoded, at a time */
#define WEB_DECODED_MAX (256u * 1024 * 1024) /* bytes that a .gz file may become */

/* A piece of a file that is open for reading. */
struct web_span {
	int fd; /* taken */
	uint64_t first, length;
};

/* Answers with the bytes as they are. */
void web_body_send(struct web_connection *, struct evhttp_request *, int status,
    const char *content_type, const struct web_span *);

/* Answers with what the bytes become when gzip is undone. */
void web_body_send_decoded(struct web_connection *, struct evhttp_request *, int status,
    const char *content_type, const struct web_span *);

/* The connection is gone, and with it what was under way. */
void web_body_abandon(struct web_connection *);

#endif
