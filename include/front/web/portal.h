#ifndef FRONT_WEB_PORTAL_H
#define FRONT_WEB_PORTAL_H

#include <stdbool.h>

struct evhttp_request;
struct web_connection;
struct web_server;

/* The captive portal: phones and computers that join a network ask for certain paths of
 * certain hosts, to find out whether they have to log in. Reference: network
 * notes, 8.5.
 */

/* Whether the server answers these paths: while it and the DNS server are on the soft
 * AP. Else they are files. */
bool web_portal_is_there(const struct web_server *);

/* Handler of the routes; answers. */
void web_portal_get(
    struct web_connection *, struct evhttp_request *, const char *target);

/* Nobody has a login before he has seen the page. */
bool web_portal_is_open(
    const struct web_connection *, struct evhttp_request *, const char *target);

#endif
