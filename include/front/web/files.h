#ifndef FRONT_WEB_FILES_H
#define FRONT_WEB_FILES_H

#include <stdbool.h>

struct evhttp_request;
struct web_connection;

/* The module's files over HTTP. Reference: network notes, 1.9. A target names a file of
 * the flash, after one percent-decoding; no path on this host is ever made of it. */

/* Whether the file at target may be had without a login: it was made with -u. */
bool web_file_is_open(
    const struct web_connection *, struct evhttp_request *, const char *target);

/* Handler of the route; answers. */
void web_file_get(struct web_connection *, struct evhttp_request *, const char *target);

/* Answers 401 or 404, with the page that the module has for it, or with a line. */
void web_file_reply_status(
    struct web_connection *, struct evhttp_request *, int status);

#endif
