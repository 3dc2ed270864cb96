#ifndef FRONT_WEB_SERVER_H
#define FRONT_WEB_SERVER_H

#include <stdbool.h>
#include <sys/queue.h>

#include <event2/http.h>

#include "core/module.h"
#include "front/web/guard.h"

/* The web server of a module: one listener, HTTP or HTTPS, with the REST API on it. */

#define WEB_CONNECTIONS_MAX 32 /* open at once; more wait in the listen queue */
#define WEB_IDLE_SECONDS 30 /* after which a silent connection is closed */
#define WEB_WRITE_MAX (256 * 1024) /* bytes handed to the kernel at a time */

struct rest_session;
struct stream;
struct web_body;
struct web_cache;
struct web_server;
struct web_whitelist;

/* One connection that evhttp serves. */
struct web_connection {
	struct web_server *server; /* borrowed */
	struct bufferevent *bev; /* evhttp's */
	struct evhttp_connection *http; /* evhttp's; NULL until then */
	struct rest_session *rest; /* the command that runs for it, or NULL */
	struct stream *websocket; /* to which bev is lent, or NULL */
	struct web_body *body; /* the file that is being sent, or NULL */
	struct web_guard guard;
	uint32_t address; /* of the client, in network order */
	unsigned handled; /* requests that were handed over by evhttp */
	bool busy; /* with the last of them */
	bool replying; /* an answer is on its way out */
	bool is_bounded; /* it gets no more to wait than WEB_INPUT_MAX */
	bool surplus; /* of a client beyond http.server.max_clients */
	TAILQ_ENTRY(web_connection)
	entry; /* the one that has waited longest is first */
};

/* Adds the web server to the module's services. */
void web_server_attach(struct module *);

/* An answer is out, and the next request may come. */
void web_answered(struct web_connection *);

/* Ends a connection, which is freed by that. */
void web_let_go(struct web_connection *);

struct module *web_server_module(const struct web_server *);

/* The socket it listens on; borrowed. */
const struct listener *web_server_listener(const struct web_server *);

/* http.server.cors_origin and http.server.api_enabled as they were at the start. */
const char *web_server_cors(const struct web_server *);
bool web_server_has_api(const struct web_server *);

/* Whether it runs over the soft AP; else over wlan. */
bool web_server_is_on_softap(const struct web_server *);

struct web_cache *web_server_cache(struct web_server *);

/* The calls that need no login, as the module's file has them now. */
const struct web_whitelist *web_server_whitelist(struct web_server *);

#endif
