#ifndef FRONT_WEB_SERVER_STATE_H
#define FRONT_WEB_SERVER_STATE_H

#include <openssl/types.h>

#include "core/listener.h"
#include "front/web/cache.h"
#include "front/web/linger.h"
#include "front/web/server.h"
#include "front/web/whitelist.h"

/* What the parts of the web server share: front/web/server.c starts and stops it,
 * connections.c makes connections of what evhttp accepts, and crowd.c keeps their
 * number. */

struct web_server {
	struct module *module; /* borrowed */
	struct evhttp *http; /* owned; NULL while stopped */
	SSL_CTX *tls; /* owned; NULL: plain HTTP */
	struct event *adopt; /* owned; learns the connections that evhttp has made */
	struct listener listener;
	struct event *crowd; /* owned; a client waits while there is no room for it */
	struct event *crowd_timer; /* owned; none could be let go to make room */
	bool api_enabled;
	bool is_on_softap; /* else on wlan */
	bool logs_clients; /* of HTTPS, by the names in their certificates */
	char *cors_origin; /* owned */
	unsigned max_clients;
	struct web_whitelist whitelist;
	struct web_cache cache;
	struct web_linger_list lingering;
	unsigned connection_count;
	TAILQ_HEAD(, web_connection) connections;
};

/* Gives evhttp the bufferevent of a connection that it has accepted. */
struct bufferevent *web_accept(struct event_base *, void *server);

/* Learns the connections that evhttp has made since; of an event. */
void web_adopt(evutil_socket_t, short what, void *server);

/* The connection that a request came over, or NULL. */
struct web_connection *web_connection_of(
    struct web_server *, const struct evhttp_request *);

/* Something happened on it, so others are let go before it. */
void web_touch(struct web_connection *);

/* http.server.max_clients, for a connection that has just been made: lets others go, or
 * marks it as one too many. */
void web_admit(struct web_server *, struct web_connection *newcomer);

/* Of an event: a client waits to be accepted, and there are as many connections as
 * there may be. And whether that is still so. */
void web_crowded(evutil_socket_t, short what, void *server);
void web_crowd_look(evutil_socket_t, short what, void *server);

#endif
