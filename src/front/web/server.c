#include "front/web/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/tls_clients.h"
#include "core/tls_context.h"
#include "core/variable.h"
#include "front/web/auth.h"
#include "front/web/body.h"
#include "front/web/cache.h"
#include "front/web/linger.h"
#include "front/web/reply.h"
#include "front/web/rest.h"
#include "front/web/routes.h"
#include "front/web/websocket.h"
#include "front/web/whitelist.h"

#define WEB_PATIENCE_MS 1000 /* for a head, while other clients wait to be accepted */
#define WEB_CROWD_MS 100 /* until it is looked again whether one can be let go */

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

struct module *
web_server_module(const struct web_server *server)
{
	return server->module;
}

const struct listener *
web_server_listener(const struct web_server *server)
{
	return &server->listener;
}

const char *
web_server_cors(const struct web_server *server)
{
	return server->cors_origin;
}

bool
web_server_has_api(const struct web_server *server)
{
	return server->api_enabled;
}

bool
web_server_is_on_softap(const struct web_server *server)
{
	return server->is_on_softap;
}

struct web_cache *
web_server_cache(struct web_server *server)
{
	return &server->cache;
}

const struct web_whitelist *
web_server_whitelist(struct web_server *server)
{
	web_whitelist_update(
	    &server->whitelist, server->module->flash, server->module->own->name);
	return &server->whitelist;
}

/* The connection that a request came over. */
static struct web_connection *
web_connection_of(struct web_server *server, const struct evhttp_request *request)
{
	struct evhttp_connection *http =
	    evhttp_request_get_connection((struct evhttp_request *)(uintptr_t)request);
	struct web_connection *connection;

	TAILQ_FOREACH (connection, &server->connections, entry) {
		if (connection->http == http)
			break;
	}
	return connection;
}

/* Something happened on it, so others are let go before it. */
static void
web_touch(struct web_connection *connection)
{
	struct web_server *server = connection->server;

	TAILQ_REMOVE(&server->connections, connection, entry);
	TAILQ_INSERT_TAIL(&server->connections, connection, entry);
}

static void
web_handle(struct evhttp_request *request, void *arg)
{
	struct web_server *server = arg;
	struct web_connection *connection = web_connection_of(server, request);
	const struct web_refusal *refusal;

	if (connection == NULL) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	if (server->tls != NULL && server->logs_clients)
		tls_clients_note(
		    server->module, bufferevent_openssl_get_ssl(connection->bev));
	/* The form of a target does not make this server a proxy, whose connections
	 * evhttp keeps in another way. */
	request->flags &= ~EVHTTP_PROXY_REQUEST;
	connection->handled++;
	connection->busy = true;
	web_touch(connection);
	refusal = connection->guard.refusal;
	if (refusal != NULL && connection->handled == connection->guard.last) {
		web_reply_text(connection, request, refusal->status, refusal->text);
	} else if (connection->surplus) {
		connection->guard.last = connection->handled;
		web_reply_text(connection, request, HTTP_SERVUNAVAIL,
		    "as many clients are served as http.server.max_clients allows");
	} else {
		web_route(connection, request);
	}
}

/* Tells the end of a TLS connection; evhttp would drop it without close_notify. */
static void
web_tls_goodbye(const struct web_connection *connection)
{
	SSL *ssl = bufferevent_openssl_get_ssl(connection->bev);

	if (ssl != NULL && SSL_is_init_finished(ssl)) {
		SSL_shutdown(ssl);
		ERR_clear_error();
	}
}

static void
web_connection_closed(struct evhttp_connection *http, void *arg)
{
	struct web_connection *connection = arg;
	struct web_server *server = connection->server;

	(void)http;
	web_websocket_abandon(connection);
	if (server->tls != NULL)
		web_tls_goodbye(connection);
	/* A client that is refused may still be sending. */
	if (connection->guard.refusal != NULL)
		web_linger_start(&server->lingering, server->module->base,
		    bufferevent_getfd(connection->bev));
	rest_abandon(connection);
	web_body_abandon(connection);
	web_reply_done(connection);
	web_guard_clear(&connection->guard);
	TAILQ_REMOVE(&server->connections, connection, entry);
	free(connection);
	server->connection_count--;
	event_del(server->crowd);
	listener_hold(&server->listener, false);
}

/* Whether it can be let go, as HTTP allows between requests. */
static bool
web_is_idle(const struct web_connection *connection)
{
	return connection->http != NULL && !connection->busy &&
	       connection->websocket == NULL;
}

/* Whether it says nothing, and nothing of it waits in the kernel either. */
static bool
web_is_silent(const struct web_connection *connection)
{
	char byte;

	return web_guard_is_idle(&connection->guard) &&
	       recv(bufferevent_getfd(connection->bev), &byte, 1,
		   MSG_PEEK | MSG_DONTWAIT) <= 0;
}

static void
web_let_go(struct web_connection *connection)
{
	evhttp_connection_free(connection->http);
}

/* Which connection gives way to a new one: the one that has been silent longest; else
 * one whose client is slow with its request line or headers. */
static struct web_connection *
web_find_idle(const struct web_server *server)
{
	int64_t now_ms = clock_monotonic_ms();
	struct web_connection *connection;

	TAILQ_FOREACH (connection, &server->connections, entry) {
		if (web_is_idle(connection) && web_is_silent(connection))
			return connection;
	}
	TAILQ_FOREACH (connection, &server->connections, entry) {
		if (web_is_idle(connection) && connection->guard.state == GUARD_HEAD &&
		    !web_guard_is_idle(&connection->guard) &&
		    now_ms - connection->guard.since_ms > WEB_PATIENCE_MS)
			return connection;
	}
	return NULL;
}

/* A client waits to be accepted, and there are as many connections as there may be. */
static void
web_crowded(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pause = { .tv_usec = WEB_CROWD_MS * 1000 };
	struct web_server *server = arg;
	struct web_connection *connection = web_find_idle(server);

	(void)fd;
	(void)what;
	if (connection != NULL)
		web_let_go(connection);
	else
		event_add(server->crowd_timer, &pause);
}

static void
web_crowd_look(evutil_socket_t fd, short what, void *arg)
{
	struct web_server *server = arg;

	(void)fd;
	(void)what;
	if (server->connection_count >= WEB_CONNECTIONS_MAX)
		event_add(server->crowd, NULL);
}

/* Lets go all connections of an address when none of them is in use. */
static bool
web_let_client_go(struct web_server *server, uint32_t address)
{
	struct web_connection *connection, *next;

	TAILQ_FOREACH (connection, &server->connections, entry) {
		if (connection->address == address && !web_is_idle(connection))
			return false;
	}
	for (connection = TAILQ_FIRST(&server->connections); connection != NULL;
	     connection = next) {
		next = TAILQ_NEXT(connection, entry);
		if (connection->address == address)
			web_let_go(connection);
	}
	return true;
}

/* Chosen: a client is an address, as one browser opens several connections. One more
 * than http.server.max_clients takes the place of an idle one, or is told to come
 * again. */
static void
web_admit(struct web_server *server, struct web_connection *newcomer)
{
	uint32_t addresses[WEB_CONNECTIONS_MAX];
	struct web_connection *connection;
	unsigned count = 0;

	TAILQ_FOREACH (connection, &server->connections, entry) {
		unsigned i = 0;

		if (connection == newcomer || connection->http == NULL ||
		    connection->surplus)
			continue;
		if (connection->address == newcomer->address)
			return;
		while (i < count && addresses[i] != connection->address)
			i++;
		if (i == count && count < WEB_CONNECTIONS_MAX)
			addresses[count++] = connection->address;
	}
	if (count < server->max_clients)
		return;
	for (unsigned i = 0; i < count; i++) {
		if (web_let_client_go(server, addresses[i]))
			return;
	}
	newcomer->surplus = true;
}

/* A request did not come as fast as it must. */
static void
web_late(void *arg)
{
	struct web_connection *connection = arg;

	if (connection->busy) {
		web_guard_be_patient(&connection->guard);
		return;
	}
	log_msg(LOG_INFO, connection->server->module->own->name,
	    "http: closed a connection whose request did not come in time");
	web_let_go(connection);
}

static uint32_t
web_address_far(const struct web_connection *connection)
{
	struct sockaddr_in address = { .sin_family = AF_UNSPEC };
	socklen_t len = sizeof address;

	if (getpeername(bufferevent_getfd(connection->bev), (struct sockaddr *)&address,
		&len) == -1)
		return 0;
	return address.sin_addr.s_addr;
}

/* evhttp says nothing of a connection before its first request, nor when one without a
 * request ends. But it makes itself the argument of the callbacks of the bufferevent
 * that it was given, and there the connection is found once the accept callback is
 * over. */
static void
web_adopt(evutil_socket_t fd, short what, void *arg)
{
	struct web_server *server = arg;
	struct web_connection *connection;

	(void)fd;
	(void)what;
	TAILQ_FOREACH (connection, &server->connections, entry) {
		void *http = NULL;

		if (connection->http != NULL)
			continue;
		bufferevent_getcb(connection->bev, NULL, NULL, NULL, &http);
		connection->http = http;
		evhttp_connection_set_closecb(
		    connection->http, web_connection_closed, connection);
		connection->address = web_address_far(connection);
		/* Those it lets go are others, so this one and its place stay. */
		web_admit(server, connection);
	}
}

/* Gives evhttp the bufferevent of a connection that it has accepted. */
static struct bufferevent *
web_accept(struct event_base *base, void *arg)
{
	struct web_connection *connection = xcalloc(1, sizeof *connection);
	struct web_server *server = arg;

	if (server->tls == NULL) {
		connection->bev =
		    xcheck(bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE));
	} else {
		connection->bev = xcheck(bufferevent_openssl_socket_new(base, -1,
		    xcheck(SSL_new(server->tls)), BUFFEREVENT_SSL_ACCEPTING,
		    BEV_OPT_CLOSE_ON_FREE));
		bufferevent_openssl_set_allow_dirty_shutdown(connection->bev, 1);
	}
	bufferevent_setwatermark(connection->bev, EV_READ, 0, WEB_INPUT_MAX);
	bufferevent_set_max_single_write(connection->bev, WEB_WRITE_MAX);
	web_guard_init(&connection->guard, base, bufferevent_get_input(connection->bev),
	    web_late, connection);
	connection->server = server;
	TAILQ_INSERT_TAIL(&server->connections, connection, entry);
	if (++server->connection_count >= WEB_CONNECTIONS_MAX) {
		listener_hold(&server->listener, true);
		event_add(server->crowd, NULL);
	}
	event_active(server->adopt, EV_TIMEOUT, 0);
	return connection->bev;
}

static void
web_server_stop(void *arg)
{
	struct web_server *server = arg;

	if (server->http == NULL)
		return;
	web_adopt(-1, 0, server);
	listener_forget(&server->listener); /* evhttp closes its socket */
	evhttp_free(server->http); /* ends each connection through its close callback */
	server->http = NULL;
	web_linger_stop(&server->lingering);
	web_whitelist_clear(&server->whitelist);
	web_cache_clear(&server->cache);
	free(server->cors_origin);
	server->cors_origin = NULL;
	event_free(server->crowd_timer);
	event_free(server->crowd);
	event_free(server->adopt);
	SSL_CTX_free(server->tls);
	server->tls = NULL;
}

static void
web_server_open(struct web_server *server)
{
	const struct module *module = server->module;
	struct event_base *base = module->base;

	server->http = xcheck(evhttp_new(base));
	server->adopt = xcheck(event_new(base, -1, 0, web_adopt, server));
	evhttp_bind_listener(server->http, server->listener.accepting);
	server->crowd =
	    xcheck(event_new(base, evconnlistener_get_fd(server->listener.accepting),
		EV_READ, web_crowded, server));
	server->crowd_timer = xcheck(evtimer_new(base, web_crowd_look, server));
	server->cors_origin = xstrdup(variable_text(module, "http.server.cors_origin"));
	server->max_clients =
	    (unsigned)variable_number(module, "http.server.max_clients");
	evhttp_set_bevcb(server->http, web_accept, server);
	evhttp_set_gencb(server->http, web_handle, server);
	evhttp_set_timeout(server->http, WEB_IDLE_SECONDS);
	evhttp_set_allowed_methods(server->http, UINT16_MAX);
	evhttp_set_max_headers_size(server->http, WEB_HEADERS_MAX);
	evhttp_set_max_body_size(server->http, WEB_BODY_MAX);
	evhttp_set_default_content_type(server->http, NULL);
}

static void
web_server_start(void *arg)
{
	struct web_server *server = arg;
	struct module *module = server->module;
	struct listener *listener = &server->listener;
	bool has_tls = variable_is_on(module, "http.server.tls_enabled");
	struct tls_fault fault;

	if (module->setup == NULL && !variable_is_on(module, "http.server.enabled"))
		return;
	listener_set(listener, module, "http", has_tls ? "https" : "http",
	    (uint16_t)variable_number(module, "http.server.port"));
	if (has_tls && (server->tls = tls_context_server(module, &fault)) == NULL) {
		log_msg(LOG_ERR, module->own->name, "HTTPS: %s", fault.text);
		event_emit(
		    module, EVENT_PROGRESS, "HTTP server failed: TLS: %s", fault.text);
		return;
	}
	if (listener_accept(listener, module, NULL, NULL) == -1) {
		SSL_CTX_free(server->tls);
		server->tls = NULL;
		return;
	}
	/* Reference: network notes, 8.7. Chosen: setup has the API too, without which
	 * its page could set nothing. */
	server->api_enabled =
	    module->setup != NULL || variable_is_on(module, "http.server.api_enabled");
	server->is_on_softap =
	    module->setup != NULL ||
	    network_interface_of(module, "http.server.interface") == NETWORK_SOFTAP;
	server->logs_clients = variable_is_on(module, "http.server.tls_log_clients");
	web_server_open(server);
	listener_warn_if_open(listener, module, web_auth_is_on(module),
	    "http.server.username and http.server.password");
	/* Reference: network notes, 1.1; without the API the words are likely, not
	 * known. */
	event_emit(module, EVENT_PROGRESS, "HTTP%s server listening on port: %u",
	    server->api_enabled ? " and REST API" : "", listener->module_port);
}

static void
web_server_free(void *arg)
{
	free(arg);
}

static const struct service_ops web_server_ops = {
	.name = "http",
	.interface = "http.server.interface",
	.serves_setup = true,
	.start = web_server_start,
	.stop = web_server_stop,
	.free = web_server_free,
};

void
web_server_attach(struct module *module)
{
	struct web_server *server = xcalloc(1, sizeof *server);

	server->module = module;
	TAILQ_INIT(&server->connections);
	module_add_service(module, &web_server_ops, server);
}
