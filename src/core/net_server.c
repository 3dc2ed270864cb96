#include "core/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/net_state.h"
#include "core/tls_context.h"
#include "core/variable.h"
#include "stream/tls.h"
#include "stream/udp.h"

/* How the server of one protocol listens. */
struct net_server_type {
	const char *service, *scheme; /* as status.json shows them */
	/* 0, or -1 and fault; or NULL. */
	int (*prepare)(struct module *, struct net_server *, struct tls_fault *);
	/* Opens what the listener says. 0, or -1 and errno. */
	int (*open)(struct module *, struct net_server *, uint16_t port);
	void (*close)(struct module *, struct net_server *);
};

/* A client of the TLS server before it is a stream. */
struct net_greeting {
	struct module *module; /* borrowed */
	struct tls_handshake *handshake; /* its own */
	char far[32];
	TAILQ_ENTRY(net_greeting) entry;
};

/* Reference: network notes, 2.1: while the server's clients are all it takes, others
 * are accepted by TCP and not served: they wait in the listen queue. A handshake under
 * way has a place, too. */
void
net_server_update(struct module *module)
{
	struct net *net = net_get(module);
	unsigned most = (unsigned)variable_number(module, "tcp.server.max_clients");
	bool is_full;

	if (module->bus_mode == BUS_STREAM)
		most = 1;
	is_full = stream_count(module->streams, STREAM_KIND_TCP_SERVER) +
			  net->greeting_count >=
		      most ||
		  !net_has_room(module, STREAM_KIND_TCP_SERVER);
	for (int protocol = 0; protocol < NET_PROTOCOLS; protocol++) {
		if (net->servers[protocol].listener.accepting != NULL)
			listener_hold(&net->servers[protocol].listener, is_full);
	}
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

static void
net_server_add(struct module *module, struct net_server *server, struct stream *stream)
{
	int handle = net_add_stream_over(module, server->interface, stream);

	if (handle != -1)
		server->clients |= UINT32_C(1) << handle;
	net_server_update(module);
}

/* What stream_list shows of a client; of the near end as the module sees it: its own
 * port, not the one on this host. */
static void
net_server_info(
    const struct net_server *server, const char *far, char *info, size_t size)
{
	snprintf(info, size, "%s:%u %s", server->listener.address, server->port, far);
}

static unsigned
net_server_idle_s(const struct module *module)
{
	return (unsigned)variable_number(module, "tcp.server.idle_timeout");
}

static void
net_server_accepted(struct evconnlistener *accepting, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct module *module = arg;
	struct net_server *server = &module->net->servers[NET_TCP];
	char far[32], info[80];

	(void)accepting;
	(void)address;
	(void)len;
	network_name_far(module, fd, far, sizeof far);
	net_server_info(server, far, info, sizeof info);
	net_server_add(module, server,
	    tcp_stream_new(module->base, fd, true, info, net_server_idle_s(module)));
}

static void
net_greeting_forget(struct net_greeting *greeting)
{
	TAILQ_REMOVE(&greeting->module->net->greetings, greeting, entry);
	greeting->module->net->greeting_count--;
	free(greeting);
}

static void
net_greeting_done(void *arg, SSL *ssl, const char *error)
{
	struct net_greeting *greeting = arg;
	struct module *module = greeting->module;
	struct net_server *server = &module->net->servers[NET_TLS];
	char info[80];

	net_server_info(server, greeting->far, info, sizeof info);
	/* Chosen: the words; those of the module are not on record. */
	if (ssl == NULL)
		event_emit(module, EVENT_PROGRESS, "Client %s failed: %s",
		    greeting->far, error);
	net_greeting_forget(greeting);
	if (ssl == NULL)
		net_server_update(module);
	else
		net_server_add(module, server,
		    tls_stream_new(
			module->base, ssl, true, info, net_server_idle_s(module)));
}

static void
net_server_greet(struct evconnlistener *accepting, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct module *module = arg;
	struct net *net = module->net;
	struct tls_options options = { .context = net->servers[NET_TLS].tls,
		.timeout_ms = net_handshake_ms(module) };
	struct net_greeting *greeting = xcalloc(1, sizeof *greeting);

	(void)accepting;
	(void)address;
	(void)len;
	greeting->module = module;
	network_name_far(module, fd, greeting->far, sizeof greeting->far);
	greeting->handshake = tls_handshake_start(
	    module->base, fd, &options, net_greeting_done, greeting);
	TAILQ_INSERT_TAIL(&net->greetings, greeting, entry);
	net->greeting_count++;
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
	net->servers[NET_TCP].clients &= ~(UINT32_C(1) << stream->handle);
	net->servers[NET_TLS].clients &= ~(UINT32_C(1) << stream->handle);
	if (net->servers[NET_TCP].port == 0 && net->servers[NET_TLS].port == 0)
		return;
	if (net->room == NULL)
		net->room = xcheck(
		    event_new(module->base, -1, 0, net_server_look_again, module));
	event_active(net->room, EV_TIMEOUT, 0);
}

static int
net_server_listen(struct module *module, struct net_server *server, uint16_t port)
{
	if (listener_accept(&server->listener, module,
		server->tls == NULL ? net_server_accepted : net_server_greet,
		module) == -1)
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
net_server_open_udp(struct module *module, struct net_server *server, uint16_t port)
{
	struct udp_options options = {
		.local_port = server->listener.port,
		.is_server = true,
		.lock_client = variable_is_on(module, "udp.server.lock_client"),
	};
	const char *host = variable_text(module, "udp.server.remote_host");
	char info[32];

	inet_pton(AF_INET, server->listener.address, &options.local);
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
	snprintf(info, sizeof info, "%s:%u", server->listener.address, port);
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
	module_add_listener(module, &server->listener);
	return 0;
}

static int
net_server_bind(struct module *module, struct net_server *server, uint16_t port)
{
	int saved_errno;

	if (net_server_open_udp(module, server, port) == 0)
		return 0;
	saved_errno = errno;
	listener_log_failure(&server->listener, module);
	errno = saved_errno;
	return -1;
}

static void
net_server_hang_up(struct module *module, struct net_server *server)
{
	uint32_t clients = server->clients;

	listener_close(&server->listener);
	server->port = 0;
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		if ((clients & UINT32_C(1) << handle) != 0)
			stream_close(module->streams, handle);
	}
}

static int
net_server_prepare_tls(
    struct module *module, struct net_server *server, struct tls_fault *fault)
{
	server->tls = tls_context_server(module, fault);
	return server->tls == NULL ? -1 : 0;
}

static void
net_server_hang_up_tls(struct module *module, struct net_server *server)
{
	struct net_greeting *greeting, *next;

	net_server_hang_up(module, server);
	SSL_CTX_free(server->tls);
	server->tls = NULL;
	for (greeting = TAILQ_FIRST(&module->net->greetings); greeting != NULL;
	     greeting = next) {
		next = TAILQ_NEXT(greeting, entry);
		tls_handshake_cancel(greeting->handshake);
		net_greeting_forget(greeting);
	}
	net_server_update(module);
}

/* Its stream takes the rest with it. */
static void
net_server_unbind(struct module *module, struct net_server *server)
{
	stream_close(module->streams, server->stream->handle);
}

static const struct net_server_type net_server_types[NET_PROTOCOLS] = {
	[NET_TCP] = { .service = "tcp_server",
	    .scheme = "tcp",
	    .open = net_server_listen,
	    .close = net_server_hang_up },
	[NET_TLS] = { .service = "tls_server",
	    .scheme = "tls",
	    .prepare = net_server_prepare_tls,
	    .open = net_server_listen,
	    .close = net_server_hang_up_tls },
	[NET_UDP] = { .service = "udp_server",
	    .scheme = "udp",
	    .open = net_server_bind,
	    .close = net_server_unbind },
};

int
net_server_start(struct module *module, enum net_protocol protocol,
    enum network_interface interface, uint16_t port)
{
	const struct net_server_type *type = &net_server_types[protocol];
	struct net_server *server = &net_get(module)->servers[protocol];
	struct tls_fault fault;

	if (server->port != 0)
		return -1;
	server->interface = interface;
	if (type->prepare != NULL && type->prepare(module, server, &fault) == -1) {
		event_emit(module, EVENT_PROGRESS, "Open failed: TLS: %s", fault.text);
		return -1;
	}
	listener_set_over(
	    &server->listener, module, interface, type->service, type->scheme, port);
	if (type->open(module, server, port) == 0)
		return 0;
	event_emit(module, EVENT_PROGRESS, "Open failed: port %u: %s", port,
	    errno == EADDRINUSE ? "in use" : strerror(errno));
	SSL_CTX_free(server->tls);
	server->tls = NULL;
	return -1;
}

void
net_server_stop(struct module *module, enum net_protocol protocol)
{
	if (module->net != NULL && module->net->servers[protocol].port != 0)
		net_server_types[protocol].close(
		    module, &module->net->servers[protocol]);
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
	struct net_job *job, *next;

	if (net == NULL)
		return;
	net_open_cancel_all(module, interface);
	for (job = TAILQ_FIRST(&net->jobs); job != NULL; job = next) {
		next = TAILQ_NEXT(job, entry);
		if (net_ends_with(job->interface, interface))
			job->give_up(job);
	}
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
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		if (net_ends_with(i, interface))
			stream_drop(&net->lingering[i]);
	}
	/* The next name is asked of the name server that the settings have by then. The
	 * resolver stays for what goes over another interface, and may hold it. */
	net->dns_is_set = false;
	if (net->dns != NULL && interface == NETWORK_DEFAULT) {
		evdns_base_free(net->dns, 1);
		net->dns = NULL;
	}
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
	packet_buffer_free(net->buffer);
	free(net);
	module->net = NULL;
}
