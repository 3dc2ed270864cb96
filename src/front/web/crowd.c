#include "front/web/server_state.h"

#include <sys/socket.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "base/clock.h"

#define WEB_PATIENCE_MS 1000 /* for a head, while other clients wait to be accepted */
#define WEB_CROWD_MS 100 /* until it is looked again whether one can be let go */

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

void
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

void
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

void
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
void
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
