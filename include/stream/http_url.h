#ifndef STREAM_HTTP_URL_H
#define STREAM_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#define HTTP_URL_MAX 2048 /* bytes; also of one that a server redirects to */

/* An http or https URL in its parts. All texts are owned. */
struct http_url {
	char *text; /* whole; holds the password, if one was given */
	char *shown; /* the same without user and password, for the log */
	char *authority; /* "example.com", "10.0.0.1:8080": with a port if it has one */
	char *host; /* a name or a dotted address */
	char *target; /* path and query: "/hello?a=1" */
	char *file; /* the last part of the path, decoded; "" when there is none */
	uint16_t port;
	bool is_tls;
};

/* Reads a URL as it is typed: "http://" may be left out, and blanks may stand as they
 * are. 0, or -1: *error says what is wrong (static), and there is nothing to clear. */
int http_url_parse(struct http_url *, const char *text, const char **error);

/* Where a server's Location leads from a URL. Chosen: never from https to http, so that
 * nothing is less protected than it was asked for. Results as above. */
int http_url_follow(struct http_url *, const struct http_url *from,
    const char *location, const char **error);

/* Whether both name the same server: scheme, host and port. */
bool http_url_same_server(const struct http_url *, const struct http_url *);

void http_url_clear(struct http_url *);

#endif
