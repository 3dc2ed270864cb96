#ifndef FRONT_WEB_AUTH_H
#define FRONT_WEB_AUTH_H

#include <stdbool.h>

struct evhttp_request;
struct module;

/* HTTP Basic authorization (RFC 7617) by http.server.username and http.server.password.
 * Reference: network notes, 1.10. */

/* Whether one of them is set, and so a client has to know both. Reference: both empty
 * mean that authorization is off. */
bool web_auth_is_on(const struct module *);

/* Whether the request may pass. Compares in constant time. */
bool web_auth_allows(const struct module *, struct evhttp_request *);

/* Puts WWW-Authenticate, for an answer with 401, into the request's output headers. */
void web_auth_challenge(const struct module *, struct evhttp_request *);

#endif
