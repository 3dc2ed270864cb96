#include "front/web/server_state.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/bufferevent_struct.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "front/web/body.h"
#include "front/web/reply.h"
#include "front/web/rest.h"
#include "front/web/websocket.h"

struct web_connection *
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

void
web_touch(struct web_connection *connection)
{
	struct web_server *server = connection->server;

	TAILQ_REMOVE(&server->connections, connection, entry);
	TAILQ_INSERT_TAIL(&server->connections, connection, entry);
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

/* OpenSSL keeps the rest of a record of which only a part was taken; that no byte comes
 * over the socket for it, libevent's bufferevent does not see. So it is made to read
 * whenever it may be able to again. */
static void
web_read_rest(const struct web_connection *connection)
{
	const SSL *ssl = bufferevent_openssl_get_ssl(connection->bev);

	if (connection->is_bounded && ssl != NULL && SSL_pending(ssl) > 0)
		event_active(&connection->bev->ev_read, EV_READ, 0);
}

static void
web_input_taken(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	(void)input;
	if (info->n_deleted > 0)
		web_read_rest(arg);
}

void
web_answered(struct web_connection *connection)
{
	connection->busy = false;
	web_read_rest(connection);
}

/* The client sends its next requests before it has the answers. Only such a one gets a
 * limit of libevent's, which costs something with each request. */
static void
web_much(void *arg)
{
	struct web_connection *connection = arg;

	if (connection->is_bounded)
		return;
	connection->is_bounded = true;
	bufferevent_setwatermark(connection->bev, EV_READ, 0, WEB_INPUT_MAX);
	xcheck(evbuffer_add_cb(
	    bufferevent_get_input(connection->bev), web_input_taken, connection));
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
	if (connection->is_bounded)
		evbuffer_remove_cb(bufferevent_get_input(connection->bev),
		    web_input_taken, connection);
	TAILQ_REMOVE(&server->connections, connection, entry);
	free(connection);
	server->connection_count--;
	event_del(server->crowd);
	listener_hold(&server->listener, false);
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

static const struct web_guard_ops web_guard_ops = { .late = web_late,
	.much = web_much };

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
void
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

static void
web_note(const struct web_server *server, enum activity_way way)
{
	activity_note(
	    server->module, server->is_on_softap ? NETWORK_SOFTAP : NETWORK_WLAN, way);
}

static void
web_received(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	(void)input;
	if (info->n_added > 0)
		web_note(arg, ACTIVITY_RX);
}

static void
web_sent(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	(void)output;
	if (info->n_deleted > 0)
		web_note(arg, ACTIVITY_TX);
}

struct bufferevent *
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
	bufferevent_set_max_single_write(connection->bev, WEB_WRITE_MAX);
	evbuffer_add_cb(bufferevent_get_input(connection->bev), web_received, server);
	evbuffer_add_cb(bufferevent_get_output(connection->bev), web_sent, server);
	web_guard_init(&connection->guard, base, bufferevent_get_input(connection->bev),
	    &web_guard_ops, connection);
	connection->server = server;
	TAILQ_INSERT_TAIL(&server->connections, connection, entry);
	if (++server->connection_count >= WEB_CONNECTIONS_MAX) {
		listener_hold(&server->listener, true);
		event_add(server->crowd, NULL);
	}
	event_active(server->adopt, EV_TIMEOUT, 0);
	return connection->bev;
}
