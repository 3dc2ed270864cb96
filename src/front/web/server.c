#include "front/web/server_state.h"

#include <stdlib.h>

#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/tls_clients.h"
#include "core/tls_context.h"
#include "core/variable.h"
#include "front/web/auth.h"
#include "front/web/reply.h"
#include "front/web/routes.h"

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
