#include "front/web/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/tls_clients.h"
#include "core/tls_context.h"
#include "core/variable.h"
#include "front/web/auth.h"
#include "front/web/rest.h"
#include "front/web/websocket.h"

struct web_server {
	struct module *module; /* borrowed */
	struct evhttp *http; /* owned; NULL while stopped */
	SSL_CTX *tls; /* owned; NULL: plain HTTP */
	struct event *adopt; /* owned; learns the connections that evhttp has made */
	struct listener listener;
	bool api_enabled;
	bool logs_clients; /* of HTTPS, by the names in their certificates */
	unsigned connection_count;
	TAILQ_HEAD(, web_connection) connections;
};

/* What the server knows to answer. The API answers only while it is enabled. */
static const struct web_route {
	const char *path;
	enum evhttp_cmd_type method;
	const char *method_name;
	void (*handle)(
	    struct web_connection *, struct evhttp_request *, const char *rest);
} web_routes[] = {
	{ "/command", EVHTTP_REQ_GET, "GET", rest_get_command },
	{ "/command", EVHTTP_REQ_POST, "POST", rest_post_command },
	{ "/log", EVHTTP_REQ_GET, "GET", rest_get_log },
	{ "/stream", EVHTTP_REQ_GET, "GET", web_websocket_get },
	{ "/stream", EVHTTP_REQ_POST, "POST", web_websocket_post },
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

static const char *
web_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = { { 200, "OK" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 413, "Content Too Large" }, { 426, "Upgrade Required" },
		{ 500, "Internal Server Error" }, { 503, "Service Unavailable" } };

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Error";
}

static void
web_reply_done(struct web_connection *connection)
{
	if (!connection->replying)
		return;
	connection->replying = false;
	module_reply_done(connection->server->module);
}

static void
web_reply_sent(struct evhttp_request *request, void *arg)
{
	(void)request;
	web_reply_done(arg);
}

void
web_reply(struct web_connection *connection, struct evhttp_request *request, int status,
    const char *content_type, struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct module *module = connection->server->module;

	evhttp_add_header(headers, "Content-Type", content_type);
	if (module->own->http_close)
		evhttp_add_header(headers, "Connection", "close");
	connection->replying = true;
	module_reply_started(module);
	evhttp_request_set_on_complete_cb(request, web_reply_sent, connection);
	evhttp_send_reply(request, status, web_reason(status), body);
	if (body != NULL)
		evbuffer_free(body);
}

void
web_reply_text(struct web_connection *connection, struct evhttp_request *request,
    int status, const char *text)
{
	struct evbuffer *body = xcheck(evbuffer_new());

	evbuffer_add_printf(body, "%s\n", text == NULL ? web_reason(status) : text);
	web_reply(connection, request, status, "text/plain", body);
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

/* The path and query, whether the client sent them alone or behind http://host. */
static const char *
web_target(const struct evhttp_request *request)
{
	const char *uri = evhttp_request_get_uri(request), *authority;

	if (*uri == '/')
		return uri;
	authority = strstr(uri, "://");
	uri = authority == NULL ? NULL : strchr(authority + 3, '/');
	return uri == NULL ? "/" : uri;
}

/* What stands behind a route's path when target is that path or lies below it. */
static const char *
web_route_match(const struct web_route *route, const char *target)
{
	size_t len = strlen(route->path);

	if (strncmp(target, route->path, len) != 0)
		return NULL;
	target += len;
	return *target == '\0' || *target == '/' || *target == '?' ? target : NULL;
}

/* No route serves the target by this method: 405 with those that do, or 404. */
static void
web_reply_no_route(struct web_connection *connection, struct evhttp_request *request,
    const char *target)
{
	char allow[64] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof web_routes / sizeof web_routes[0]; i++) {
		if (web_route_match(&web_routes[i], target) != NULL)
			len += (size_t)snprintf(allow + len, sizeof allow - len, "%s%s",
			    len == 0 ? "" : ", ", web_routes[i].method_name);
	}
	if (len == 0) {
		web_reply_text(connection, request, HTTP_NOTFOUND, NULL);
		return;
	}
	evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", allow);
	web_reply_text(connection, request, HTTP_BADMETHOD, NULL);
}

static void
web_handle(struct evhttp_request *request, void *arg)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	struct web_server *server = arg;
	struct web_connection *connection = web_connection_of(server, request);
	const char *target = web_target(request), *rest;

	if (connection == NULL) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	if (server->tls != NULL && server->logs_clients)
		tls_clients_note(
		    server->module, bufferevent_openssl_get_ssl(connection->bev));
	if (!web_auth_allows(server->module, request)) {
		web_reply_text(connection, request, 401, NULL);
		return;
	}
	for (size_t i = 0; i < sizeof web_routes / sizeof web_routes[0]; i++) {
		const struct web_route *route = &web_routes[i];

		rest = web_route_match(route, target);
		if (rest == NULL || route->method != method)
			continue;
		/* Reference: network notes, 1.6. */
		if (!server->api_enabled)
			web_reply_text(connection, request, HTTP_INTERNAL,
			    "Feature not initialized");
		else
			route->handle(connection, request, rest);
		return;
	}
	web_reply_no_route(connection, request, target);
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
	rest_abandon(connection);
	web_reply_done(connection);
	TAILQ_REMOVE(&server->connections, connection, entry);
	free(connection);
	server->connection_count--;
	listener_hold(&server->listener, false);
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
	connection->server = server;
	TAILQ_INSERT_TAIL(&server->connections, connection, entry);
	if (++server->connection_count >= WEB_CONNECTIONS_MAX)
		listener_hold(&server->listener, true);
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
	event_free(server->adopt);
	SSL_CTX_free(server->tls);
	server->tls = NULL;
}

static void
web_server_open(struct web_server *server)
{
	struct event_base *base = server->module->base;

	server->http = xcheck(evhttp_new(base));
	server->adopt = xcheck(event_new(base, -1, 0, web_adopt, server));
	evhttp_bind_listener(server->http, server->listener.accepting);
	evhttp_set_bevcb(server->http, web_accept, server);
	evhttp_set_gencb(server->http, web_handle, server);
	evhttp_set_timeout(server->http, WEB_IDLE_SECONDS);
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

	if (!variable_is_on(module, "http.server.enabled"))
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
	server->api_enabled = variable_is_on(module, "http.server.api_enabled");
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
