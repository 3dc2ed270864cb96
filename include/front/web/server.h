#ifndef FRONT_WEB_SERVER_H
#define FRONT_WEB_SERVER_H

#include <stdbool.h>
#include <sys/queue.h>

#include <event2/http.h>

#include "core/module.h"

/* The web server of a module: one listener, HTTP or HTTPS, with the REST API on it. */

#define WEB_CONNECTIONS_MAX 32 /* open at once; more wait in the listen queue */
#define WEB_IDLE_SECONDS 30 /* after which a silent connection is closed */
#define WEB_HEADERS_MAX 8192 /* bytes of a request's headers */
#define WEB_BODY_MAX (64u * 1024) /* bytes of a request's body */
/* Bytes of a connection that wait to be parsed: while an answer is on its way, evhttp
 * reads on to notice the end, and takes nothing out. Room for what it wants whole. */
#define WEB_INPUT_MAX (2 * (WEB_HEADERS_MAX + WEB_BODY_MAX))

struct rest_session;
struct stream;
struct web_server;

/* One connection that evhttp serves. */
struct web_connection {
	struct web_server *server; /* borrowed */
	struct bufferevent *bev; /* evhttp's */
	struct evhttp_connection *http; /* evhttp's; NULL until then */
	struct rest_session *rest; /* the command that runs for it, or NULL */
	struct stream *websocket; /* to which bev is lent, or NULL */
	bool replying; /* an answer is on its way out */
	TAILQ_ENTRY(web_connection) entry;
};

/* Adds the web server to the module's services. */
void web_server_attach(struct module *);

struct module *web_server_module(const struct web_server *);

/* The socket it listens on; borrowed. */
const struct listener *web_server_listener(const struct web_server *);

/* Answers a request, once: takes over the body, which may be NULL. Headers that the
 * answer needs beyond type and length have been put into the request's output headers.
 */
void web_reply(struct web_connection *, struct evhttp_request *, int status,
    const char *content_type, struct evbuffer *body);

/* The same with a line of plain text, or the usual words for the status. */
void web_reply_text(
    struct web_connection *, struct evhttp_request *, int status, const char *text);

#endif
