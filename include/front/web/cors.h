#ifndef FRONT_WEB_CORS_H
#define FRONT_WEB_CORS_H

#include <stdbool.h>

struct evhttp_request;
struct web_connection;

/* What lets pages of other sites use the server. Reference: network notes, 1.11. The
 * setting is the value of http.server.cors_origin: empty, "*", an origin, or, Chosen,
 * several with blanks or commas between them. */

#define WEB_CORS_SECONDS 600 /* for which a browser may remember a preflight */

/* Adds to an answer what the setting asks for; nothing when it is empty. */
void web_cors_add(const char *setting, struct evhttp_request *);

/* Answers OPTIONS when there is a setting; false: there is none. A browser asks it
 * without credentials, so it comes before authorization. */
bool web_cors_preflight(
    const char *setting, struct web_connection *, struct evhttp_request *);

#endif
