#ifndef STREAM_HTTP_TRANSFER_H
#define STREAM_HTTP_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/types.h>

struct curl_slist;
struct evbuffer;
struct event_base;
struct http_url;

/* One HTTP request and its answer over a connected socket. The protocol is libcurl's;
 * what reaches it is decided here: no proxy, no cookies, no netrc, no system
 * certificates, no redirects (stream/http_exchange.h follows them), no look-ups. */

#define HTTP_HEADER_MAX (32u * 1024) /* bytes of an answer's header; more fails it */
#define HTTP_RECEIVE_MAX                                                               \
	(64u * 1024) /* bytes of a body that wait; then it is paused                   \
		      */
#define HTTP_ERROR_SIZE 320

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST };

const char *http_method_name(enum http_method);

/* A body to be sent, of a known length. */
struct http_source {
	int64_t length;
	/* Bytes from a position on: their count, 0 when they are not there yet, -1 when
	 * they never will be. */
	ssize_t (*read)(void *arg, int64_t at, void *buf, size_t len);
	void *arg;
};

struct http_transfer_options {
	enum http_method method;
	const struct http_url *url; /* borrowed to the end */
	const struct curl_slist *headers; /* borrowed to the end; "Name: value" */
	/* For https: whom the server is checked against, and who we are. Borrowed to
	 * the end. */
	SSL_CTX *trust;
	struct http_source source; /* of HTTP_POST */
	const char *form_file; /* sends the body as a file of that name in a form; NULL:
				  as it is */
	/* Whether more of the answer's body may come now, besides HTTP_RECEIVE_MAX;
	 * http_transfer_resume() asks again. NULL: always. */
	bool (*has_room)(void *arg);
	void *room_arg;
};

struct http_transfer;

/* Takes the socket. wake is called from inside libcurl's work whenever something
 * changed; it may only schedule a look at what follows. */
struct http_transfer *http_transfer_start(struct event_base *, int fd,
    const struct http_transfer_options *, void (*wake)(void *arg), void *arg);

/* Not from inside wake. NULL is allowed. */
void http_transfer_free(struct http_transfer *);

/* TLS stands, if any, and the request is being sent. */
bool http_transfer_is_ready(const struct http_transfer *);

int64_t http_transfer_sent(const struct http_transfer *); /* bytes of the body */

/* Whether the kernel has all of the body, if there is one. */
bool http_transfer_has_left(const struct http_transfer *);

/* Of the answer: 0 until its header is there. */
int http_transfer_status(const struct http_transfer *);

/* For a status: a header field's value; borrowed; NULL: none. And the body's length, -1
 * when it was not told. */
const char *http_transfer_field(const struct http_transfer *, const char *name);
int64_t http_transfer_length(const struct http_transfer *);

/* What has come of the body; borrowed, to be drained. */
struct evbuffer *http_transfer_received(struct http_transfer *);

/* Goes on after the body to be sent grew or what was received was drained. */
void http_transfer_resume(struct http_transfer *);

/* No more comes. error: "" when all is well, else what failed. */
bool http_transfer_is_over(const struct http_transfer *, char error[HTTP_ERROR_SIZE]);

#endif
