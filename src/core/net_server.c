#include "core/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
void
net_server_update(struct module *module)
{
	struct net_server *server = &net_get(module)->servers[NET_TCP];
	unsigned most = (unsigned)variable_number(module, "tcp.server.max_clients");

	if (server->port == 0)
		return;
	if (module->bus_mode == BUS_STREAM)
		most = 1;
	listener_hold(&server->listener,
	    stream_count(module->streams, STREAM_KIND_TCP_SERVER) >= most ||
		!net_has_room(module, STREAM_KIND_TCP_SERVER));
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
	net_add_stream_over(module, module->net->servers[NET_TCP].interface,
	    tcp_stream_new(module->base, fd, true, info,
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
		if (net->servers[NET_UDP].lookup != NULL)
			net_lookup_cancel(net->servers[NET_UDP].lookup);
		net->servers[NET_UDP].lookup = NULL;
		net->servers[NET_UDP].stream = NULL;
		net->servers[NET_UDP].port = 0;
		module_remove_listener(module, &net->servers[NET_UDP].listener);
	}
	if (net->servers[NET_TCP].port == 0)
		return;
	if (net->room == NULL)
		net->room = xcheck(
		    event_new(module->base, -1, 0, net_server_look_again, module));
	event_active(net->room, EV_TIMEOUT, 0);
}

static int
net_server_listen(struct module *module, struct net_server *server, uint16_t port)
{
	if (listener_accept(&server->listener, module, net_server_accepted, module) ==
	    -1)
		return -1;
	server->port = port;
	net_server_update(module);
	return 0;
}

/* The peer that udp.server.remote_host names. */
static void
net_server_found_peer(void *arg, const char *address)
{
	struct module *module = arg;
	struct net_server *server = &module->net->servers[NET_UDP];
	struct in_addr peer;

	server->lookup = NULL;
	if (address != NULL && inet_pton(AF_INET, address, &peer) == 1)
		udp_stream_found_peer(server->stream, peer);
	else
		event_emit(module, EVENT_PROGRESS, "Host not found: %s",
		    variable_text(module, "udp.server.remote_host"));
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
	char info[32];

	inet_pton(AF_INET, module->own->network.address, &options.local);
	if (*host != '\0') {
		/* A name leaves the address open until it is found. */
		inet_pton(AF_INET, host, &options.peer.sin_addr);
		options.peer.sin_family = AF_INET;
		options.peer.sin_port =
		    htons((uint16_t)variable_number(module, "udp.server.remote_port"));
	}
	if (!net_has_room(module, STREAM_KIND_UDP)) {
		errno = EMFILE;
		return -1;
	}
	/* As the module sees it: its own port, not the one on this host. */
	snprintf(info, sizeof info, "%s:%u", module->own->network.address, port);
	server->stream = udp_stream_new(module->base, &options, info);
	if (server->stream == NULL)
		return -1;
	server->listener.port = udp_stream_port(server->stream);
	server->port = port;
	if (net_add_stream_over(module, server->interface, server->stream) == -1) {
		server->stream = NULL;
		server->port = 0;
		errno = EMFILE;
		return -1;
	}
	if (*host != '\0' && options.peer.sin_addr.s_addr == INADDR_ANY)
		server->lookup =
		    net_lookup_start(module, host, net_server_found_peer, module);
	return 0;
}

int
net_server_start(struct module *module, enum net_protocol protocol,
    enum network_interface interface, uint16_t port)
{
	struct net_server *server = &net_get(module)->servers[protocol];
	struct listener *listener = &server->listener;
	int result;

	if (server->port != 0)
		return -1;
	server->interface = interface;
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
	if (protocol == NET_UDP)
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
	listener_close(&server->listener);
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

/* Whether what belongs to one interface ends with another. */
static bool
net_ends_with(enum network_interface interface, enum network_interface down)
{
	return down == NETWORK_DEFAULT || interface == down;
}

void
net_take_down(struct module *module, enum network_interface interface)
{
	struct net *net = module->net;

	if (net == NULL)
		return;
	net_open_cancel_all(module, interface);
	for (enum net_protocol i = NET_TCP; i <= NET_UDP; i++) {
		if (net_ends_with(net->servers[i].interface, interface))
			net_server_stop(module, i);
	}
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		const struct stream *stream = stream_get(module->streams, handle);

		if (stream != NULL && stream->ops->kind != STREAM_KIND_TEXT &&
		    stream->ops->kind != STREAM_KIND_FILE &&
		    net_ends_with(net->interfaces[handle], interface))
			stream_close(module->streams, handle);
	}
	/* The next name is asked of the name server that the settings have by then. */
	if (net->dns != NULL)
		evdns_base_free(net->dns, 1);
	net->dns = NULL;
}

void
net_free(struct module *module)
{
	struct net *net = module->net;

	if (net == NULL)
		return;
	net_take_down(module, NETWORK_DEFAULT);
	if (net->reaper != NULL)
		event_free(net->reaper);
	if (net->room != NULL)
		event_free(net->room);
	free(net);
	module->net = NULL;
}
