#include "core/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/net_state.h"
#include "core/tls_context.h"
#include "core/variable.h"
#include "stream/connect.h"
#include "stream/lookup.h"
#include "stream/tls.h"
#include "stream/udp.h"

struct net_open {
	struct module *module; /* borrowed */
	const struct net_open_type *type;
	struct net_target target; /* host: this one's own */
	char *host; /* owned */
	SSL_CTX *tls; /* owned; NULL: none */
	net_opened *opened;
	void *arg;
	unsigned attempts_left;
	struct connect *connect; /* its own; NULL when none is under way */
	struct tls_handshake *handshake; /* likewise */
	struct lookup *lookup; /* likewise */
	struct event *pause; /* owned; until the next attempt */
	TAILQ_ENTRY(net_open) entry;
};

/* How a client stream of one protocol is opened. */
struct net_open_type {
	enum stream_kind kind;
	int (*prepare)(struct net_open *, struct tls_fault *); /* 0, or -1; or NULL */
	void (*start)(struct net_open *);
	void (*connected)(struct net_open *, int fd); /* which it takes; or NULL */
};

struct net_lookup {
	struct lookup *lookup;
	net_looked_up *done;
	void *arg;
};

struct tcp_keepalive
net_keepalive(const struct module *module)
{
	struct tcp_keepalive keepalive = { .idle_s = 60, .interval_s = 10, .count = 3 };

	if (module->net != NULL)
		keepalive.receive_max = packet_buffer_receive_max(module->net->buffer);

	if (!variable_is_on(module, "tcp.keepalive.enabled"))
		return keepalive;
	keepalive.idle_s =
	    (unsigned)variable_number(module, "tcp.keepalive.initial_timeout");
	keepalive.interval_s =
	    (unsigned)variable_number(module, "tcp.keepalive.retry_timeout");
	keepalive.count =
	    (unsigned)variable_number(module, "tcp.keepalive.retry_count");
	return keepalive;
}

/* Whom the resolver asks. What it looks up for others just now goes on. */
static void
net_dns_set(struct module *module)
{
	const char *server = module->own->network.name_server;
	struct net *net = module->net;
	struct in_addr source = network_source_address(module, NETWORK_WLAN);
	char source_text[INET_ADDRSTRLEN];
	unsigned near_count = 0;
	struct sockaddr_in near;
	char number[16];

	evdns_base_clear_nameservers_and_suspend(net->dns);
	evdns_base_clear_host_addresses(net->dns);
	evdns_base_search_clear(net->dns);
	evdns_base_load_hosts(net->dns, "/etc/hosts");
	evdns_base_set_option(net->dns,
	    "bind-to:", inet_ntop(AF_INET, &source, source_text, sizeof source_text));
	for (; network_name_server(module, near_count, &near); near_count++)
		evdns_base_nameserver_sockaddr_add(
		    net->dns, (struct sockaddr *)&near, sizeof near, 0);
	if (near_count == 0 && server != NULL)
		evdns_base_nameserver_ip_add(net->dns, server);
	else if (near_count == 0)
		evdns_base_resolv_conf_parse(net->dns,
		    DNS_OPTION_NAMESERVERS | DNS_OPTION_SEARCH, "/etc/resolv.conf");
	snprintf(number, sizeof number, "%d", NET_DNS_ATTEMPTS);
	evdns_base_set_option(net->dns, "attempts:", number);
	snprintf(number, sizeof number, "%d", NET_DNS_TIMEOUT_S);
	evdns_base_set_option(net->dns, "timeout:", number);
	evdns_base_resume(net->dns);
	net->dns_is_set = true;
}

struct evdns_base *
net_dns(struct module *module)
{
	struct net *net = net_get(module);

	if (net->dns == NULL)
		net->dns =
		    evdns_base_new(module->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (net->dns != NULL && !net->dns_is_set)
		net_dns_set(module);
	return net->dns;
}

bool
net_has_room(const struct module *module, enum stream_kind kind)
{
	const struct profile *profile = module->profile;
	unsigned clients = stream_count(module->streams, STREAM_KIND_TCP_CLIENT) +
			   stream_count(module->streams, STREAM_KIND_HTTP_CLIENT);
	unsigned all = clients + stream_count(module->streams, STREAM_KIND_TCP_SERVER) +
		       stream_count(module->streams, STREAM_KIND_UDP) +
		       stream_count(module->streams, STREAM_KIND_WEBSOCKET);

	switch (kind) {
	case STREAM_KIND_TEXT:
	case STREAM_KIND_FILE:
	case STREAM_KIND_HTTP:
		return true;
	case STREAM_KIND_TCP_CLIENT:
	case STREAM_KIND_HTTP_CLIENT:
		return all < profile->connections && clients < profile->tcp_clients;
	case STREAM_KIND_UDP:
		return all < profile->connections &&
		       stream_count(module->streams, kind) < profile->udp_streams;
	default:
		return all < profile->connections;
	}
}

unsigned
net_handshake_ms(const struct module *module)
{
	return (unsigned)variable_number(module, "network.tls.handshake_timeout");
}

enum net_protocol
net_tcp_client(const struct module *module)
{
	return variable_is_on(module, "tcp.client.tls_enabled") ? NET_TLS : NET_TCP;
}

unsigned
net_open_timeout_ms(const struct module *module, enum net_protocol protocol)
{
	unsigned attempts = (unsigned)variable_number(module, "tcp.client.retries") + 1;
	unsigned each =
	    (unsigned)variable_number(module, "tcp.client.connect_timeout") +
	    NET_DNS_MS + (unsigned)variable_number(module, "tcp.client.retry_period");

	if (protocol == NET_TLS)
		each += net_handshake_ms(module);
	return attempts * each;
}

static void
net_open_free(struct net_open *open)
{
	TAILQ_REMOVE(&open->module->net->opens, open, entry);
	if (open->connect != NULL)
		connect_cancel(open->connect);
	if (open->handshake != NULL)
		tls_handshake_cancel(open->handshake);
	if (open->lookup != NULL)
		lookup_cancel(open->lookup);
	SSL_CTX_free(open->tls);
	if (open->pause != NULL)
		event_free(open->pause);
	free(open->host);
	free(open);
}

static void
net_open_finish(struct net_open *open, int handle)
{
	net_opened *opened = open->opened;
	void *arg = open->arg;

	net_open_free(open);
	opened(arg, handle);
}

/* Chosen: the words of the log line; the module's own are not on record. */
static void
net_open_failed(struct net_open *open, const char *error)
{
	event_emit(open->module, EVENT_PROGRESS, "Open failed: %s", error);
	net_open_finish(open, -1);
}

static void net_open_attempt(evutil_socket_t fd, short what, void *arg);

static int
net_open_connecting(void *arg, struct sockaddr_in *where, struct in_addr *local)
{
	const struct net_open *open = arg;

	event_emit(open->module, EVENT_PROGRESS, "Connecting: %s:%u", open->host,
	    open->target.port);
	activity_note(open->module, open->target.interface, ACTIVITY_TX);
	return network_route_tcp(open->module, where, local);
}

/* Has the next attempt made, if there is one left. */
static void
net_open_again(struct net_open *open, const char *error)
{
	int64_t ms = variable_number(open->module, "tcp.client.retry_period");
	struct timeval pause = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (open->attempts_left == 0) {
		net_open_failed(open, error);
		return;
	}
	event_emit(open->module, EVENT_PROGRESS, "Connect failed: %s", error);
	if (open->pause == NULL)
		open->pause = xcheck(
		    event_new(open->module->base, -1, 0, net_open_attempt, open));
	event_add(open->pause, &pause);
}

/* What stream_list shows: the host as it was typed. */
static void
net_open_info(const struct net_open *open, int fd, char *info, size_t size)
{
	snprintf(
	    info, size, "%s:%u (%u)", open->host, open->target.port, tcp_port_near(fd));
}

/* Takes the stream. Others may have taken the last place meanwhile. */
static void
net_open_add(struct net_open *open, struct stream *stream)
{
	int handle = net_add_stream_over(open->module, open->target.interface, stream);

	if (handle == -1)
		net_open_failed(open, "too many streams");
	else
		net_open_finish(open, handle);
}

static void
net_open_add_tcp(struct net_open *open, int fd)
{
	char info[NET_HOST_MAX + 32];

	net_open_info(open, fd, info, sizeof info);
	net_open_add(open, tcp_stream_new(open->module->base, fd, false, info, 0));
}

static void
net_open_secured(void *arg, SSL *ssl, const char *error)
{
	struct net_open *open = arg;
	char info[NET_HOST_MAX + 32];

	open->handshake = NULL;
	if (ssl == NULL) {
		net_open_again(open, error);
		return;
	}
	net_open_info(open, SSL_get_fd(ssl), info, sizeof info);
	net_open_add(open, tls_stream_new(open->module->base, ssl, false, info, 0));
}

static void
net_open_secure(struct net_open *open, int fd)
{
	struct tls_options options = { .context = open->tls,
		.host = open->host,
		.timeout_ms = net_handshake_ms(open->module) };

	open->handshake = tls_handshake_start(
	    open->module->base, fd, &options, net_open_secured, open);
}

static void
net_open_connected(void *arg, int fd, const char *error)
{
	struct net_open *open = arg;

	open->connect = NULL;
	if (fd == -1)
		net_open_again(open, error);
	else
		open->type->connected(open, fd);
}

static const struct connect_ops net_connect_ops = {
	.connecting = net_open_connecting,
	.done = net_open_connected,
};

static void
net_open_attempt(evutil_socket_t fd, short what, void *arg)
{
	struct net_open *open = arg;
	struct module *module = open->module;
	struct connect_options options = {
		.host = open->host,
		.port = open->target.port,
		.local = network_source_address(module, open->target.interface),
		.local_port = open->target.local_port,
		.timeout_ms =
		    (unsigned)variable_number(module, "tcp.client.connect_timeout"),
		.keepalive = net_keepalive(module),
	};

	(void)fd;
	(void)what;
	open->attempts_left--;
	open->connect = connect_start(
	    module->base, net_dns(module), &options, &net_connect_ops, open);
}

/* A UDP client only needs the address; no packet is sent.
 * Reference: command notes, section 7. */
static void
net_open_udp(void *arg, const struct in_addr *address, const char *error)
{
	struct net_open *open = arg;
	struct udp_options options = { .local_port = open->target.local_port };
	char info[NET_HOST_MAX + 16];
	struct stream *stream;

	open->lookup = NULL;
	if (address == NULL) {
		net_open_failed(open, error);
		return;
	}
	options.local = network_source_address(open->module, open->target.interface);
	options.peer.sin_family = AF_INET;
	options.peer.sin_addr = *address;
	options.peer.sin_port = htons(open->target.port);
	if (network_route(open->module, "udp", &options.peer) == -1) {
		net_open_failed(open, connect_error(errno));
		return;
	}
	snprintf(info, sizeof info, "%s:%u", open->host, open->target.port);
	stream = udp_stream_new(open->module->base, &options, info);
	if (stream == NULL)
		net_open_failed(open, strerror(errno));
	else
		net_open_add(open, stream);
}

static void
net_open_start_tcp(struct net_open *open)
{
	open->attempts_left =
	    (unsigned)variable_number(open->module, "tcp.client.retries") + 1;
	net_open_attempt(-1, 0, open);
}

static void
net_open_start_udp(struct net_open *open)
{
	open->lookup = lookup_start(
	    open->module->base, net_dns(open->module), open->host, net_open_udp, open);
}

static int
net_open_prepare_tls(struct net_open *open, struct tls_fault *fault)
{
	open->tls = tls_context_client(open->module, open->target.ca_file, fault);
	open->target.ca_file = NULL;
	return open->tls == NULL ? -1 : 0;
}

static const struct net_open_type net_open_types[NET_PROTOCOLS] = {
	[NET_TCP] = { .kind = STREAM_KIND_TCP_CLIENT,
	    .start = net_open_start_tcp,
	    .connected = net_open_add_tcp },
	[NET_TLS] = { .kind = STREAM_KIND_TCP_CLIENT,
	    .prepare = net_open_prepare_tls,
	    .start = net_open_start_tcp,
	    .connected = net_open_secure },
	[NET_UDP] = { .kind = STREAM_KIND_UDP, .start = net_open_start_udp },
};

struct net_open *
net_open_start(struct module *module, const struct net_target *target,
    net_opened *opened, void *arg)
{
	const struct net_open_type *type = &net_open_types[target->protocol];
	struct net_open *open;
	struct tls_fault fault;

	if (strlen(target->host) > NET_HOST_MAX || !net_has_room(module, type->kind)) {
		event_emit(module, EVENT_PROGRESS, "Open failed: too many streams");
		return NULL;
	}
	open = xcalloc(1, sizeof *open);
	open->module = module;
	open->type = type;
	open->target = *target;
	if (target->interface == NETWORK_DEFAULT)
		open->target.interface = network_interface(module, NULL);
	open->host = xstrdup(target->host);
	open->target.host = open->host;
	open->opened = opened;
	open->arg = arg;
	TAILQ_INSERT_TAIL(&net_get(module)->opens, open, entry);
	event_emit(module, EVENT_OPENING, "%s:%u", open->host, target->port);
	if (type->prepare != NULL && type->prepare(open, &fault) == -1) {
		event_emit(module, EVENT_PROGRESS, "Open failed: TLS: %s", fault.text);
		net_open_free(open);
		return NULL;
	}
	event_emit(module, EVENT_PROGRESS, "Resolving host: %s", open->host);
	type->start(open);
	return open;
}

void
net_open_cancel(struct net_open *open)
{
	net_open_free(open);
}

void
net_open_cancel_all(struct module *module, enum network_interface interface)
{
	struct net_open *open, *next;

	for (open = TAILQ_FIRST(&module->net->opens); open != NULL; open = next) {
		next = TAILQ_NEXT(open, entry);
		if (interface == NETWORK_DEFAULT || open->target.interface == interface)
			net_open_finish(open, -1);
	}
}

static void
net_lookup_done(void *arg, const struct in_addr *address, const char *error)
{
	struct net_lookup *self = arg;
	net_looked_up *done = self->done;
	void *done_arg = self->arg;
	char text[INET_ADDRSTRLEN];

	(void)error;
	free(self);
	done(done_arg,
	    address == NULL ? NULL : inet_ntop(AF_INET, address, text, sizeof text));
}

struct net_lookup *
net_lookup_start(
    struct module *module, const char *host, net_looked_up *done, void *arg)
{
	struct net_lookup *self = xcalloc(1, sizeof *self);

	self->done = done;
	self->arg = arg;
	self->lookup =
	    lookup_start(module->base, net_dns(module), host, net_lookup_done, self);
	return self;
}

void
net_lookup_cancel(struct net_lookup *self)
{
	lookup_cancel(self->lookup);
	free(self);
}
