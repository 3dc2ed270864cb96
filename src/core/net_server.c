#include "core/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/net_state.h"
#include "core/variable.h"
#include "stream/udp.h"

static const char *const net_server_names[] = {
	[NET_TCP] = "tcp_server", [NET_UDP] = "udp_server"
};

/* Reference: network notes, 2.1: while the server's clients are all it takes, others
 * are accepted by TCP and not served: they wait in the listen queue. */
static void
net_server_update(struct module *module)
{
	struct net_server *server = &module->net->servers[NET_TCP];
	unsigned most = (unsigned)variable_number(module, "tcp.server.max_clients");

	if (server->accepting == NULL)
		return;
	if (module->bus_mode == BUS_STREAM)
		most = 1;
	if (stream_count(module->streams, STREAM_KIND_TCP_SERVER) >= most ||
	    !net_has_room(module, STREAM_KIND_TCP_SERVER))
		evconnlistener_disable(server->accepting);
	else
		evconnlistener_enable(server->accepting);
}

static void
net_server_accepted(struct evconnlistener *accepting, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct module *module = arg;
	char far[32], info[80];

	(void)accepting;
	(void)address;
	(void)len;
	/* As the module sees it: its own port, not the one on this host. */
	tcp_name_far(fd, far, sizeof far);
	snprintf(info, sizeof info, "%s:%u %s", module->own->network.address,
	    module->net->servers[NET_TCP].port, far);
	net_add_stream(
	    module, tcp_stream_new(module->base, fd, true, info,
			(unsigned)variable_number(module, "tcp.server.idle_timeout")));
	net_server_update(module);
}

/* Called while the stream still counts; the place is free on the next turn. */
static void
net_server_look_again(evutil_socket_t fd, short what, void *arg)
{
	struct module *module = arg;

	(void)fd;
	(void)what;
	if (module->net != NULL)
		net_server_update(module);
}

void
net_server_stream_gone(struct module *module, const struct stream *stream)
{
	struct net *net = module->net;

	if (net->servers[NET_UDP].stream == stream) {
		net->servers[NET_UDP].stream = NULL;
		net->servers[NET_UDP].port = 0;
		module_remove_listener(module, &net->servers[NET_UDP].listener);
	}
	if (net->servers[NET_TCP].accepting == NULL)
		return;
	if (net->room == NULL)
		net->room = xcheck(
		    event_new(module->base, -1, 0, net_server_look_again, module));
	event_active(net->room, EV_TIMEOUT, 0);
}

static int
net_server_listen(struct module *module, struct net_server *server, uint16_t port)
{
	struct tcp_keepalive keepalive = net_keepalive(module);
	int fd =
	    tcp_listen(module->own->network.address, server->listener.port, &keepalive);

	if (fd == -1)
		return -1;
	server->listener.port = tcp_port_near(fd);
	server->accepting = xcheck(evconnlistener_new(module->base, net_server_accepted,
	    module, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd));
	server->port = port;
	net_server_update(module);
	return 0;
}

static int
net_server_bind(struct module *module, struct net_server *server, uint16_t port)
{
	struct udp_options options = {
		.local_port = server->listener.port,
		.is_server = true,
		.lock_client = variable_is_on(module, "udp.server.lock_client"),
	};
	const char *host = variable_text(module, "udp.server.remote_host");

	inet_pton(AF_INET, module->own->network.address, &options.local);
	if (inet_pton(AF_INET, host, &options.peer.sin_addr) == 1) {
		options.peer.sin_family = AF_INET;
		options.peer.sin_port =
		    htons((uint16_t)variable_number(module, "udp.server.remote_port"));
	}
	if (!net_has_room(module, STREAM_KIND_UDP)) {
		errno = EMFILE;
		return -1;
	}
	server->stream = udp_stream_new(module->base, &options, "udp_server");
	if (server->stream == NULL)
		return -1;
	server->listener.port = udp_stream_port(server->stream);
	server->port = port;
	if (net_add_stream(module, server->stream) == -1) {
		server->stream = NULL;
		server->port = 0;
		errno = EMFILE;
		return -1;
	}
	return 0;
}

int
net_server_start(struct module *module, enum net_protocol protocol, uint16_t port)
{
	struct net_server *server = &net_get(module)->servers[protocol];
	struct listener *listener = &server->listener;
	int result;

	if (server->port != 0)
		return -1;
	listener_set(listener, module, net_server_names[protocol],
	    protocol == NET_TCP ? "tcp" : "udp", port);
	result = protocol == NET_TCP ? net_server_listen(module, server, port)
				     : net_server_bind(module, server, port);
	if (result == -1) {
		if (protocol == NET_UDP)
			listener_log_failure(listener, module);
		event_emit(module, EVENT_PROGRESS, "Open failed: port %u: %s", port,
		    errno == EADDRINUSE ? "in use" : strerror(errno));
		return -1;
	}
	module_add_listener(module, listener);
	return 0;
}

void
net_server_stop(struct module *module, enum net_protocol protocol)
{
	struct net_server *server;

	if (module->net == NULL || module->net->servers[protocol].port == 0)
		return;
	server = &module->net->servers[protocol];
	if (protocol == NET_UDP) {
		/* Its stream takes the rest with it. */
		stream_close(module->streams, server->stream->handle);
		return;
	}
	module_remove_listener(module, &server->listener);
	evconnlistener_free(server->accepting);
	server->accepting = NULL;
	server->port = 0;
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		const struct stream *stream = stream_get(module->streams, handle);

		if (stream != NULL && stream->ops->kind == STREAM_KIND_TCP_SERVER)
			stream_close(module->streams, handle);
	}
}

uint16_t
net_server_port(const struct module *module, enum net_protocol protocol)
{
	return module->net == NULL ? 0 : module->net->servers[protocol].port;
}

struct stream *
net_udp_server(const struct module *module)
{
	return module->net == NULL ? NULL : module->net->servers[NET_UDP].stream;
}

void
net_take_down(struct module *module)
{
	if (module->net == NULL)
		return;
	net_open_cancel_all(module);
	net_server_stop(module, NET_TCP);
	net_server_stop(module, NET_UDP);
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		const struct stream *stream = stream_get(module->streams, handle);

		if (stream != NULL && stream->ops->kind != STREAM_KIND_TEXT)
			stream_close(module->streams, handle);
	}
}

void
net_free(struct module *module)
{
	struct net *net = module->net;

	if (net == NULL)
		return;
	net_take_down(module);
	if (net->dns != NULL)
		evdns_base_free(net->dns, 1);
	if (net->reaper != NULL)
		event_free(net->reaper);
	if (net->room != NULL)
		event_free(net->room);
	free(net);
	module->net = NULL;
}
