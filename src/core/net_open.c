#include "core/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/dns.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/net_state.h"
#include "core/variable.h"
#include "stream/connect.h"
#include "stream/lookup.h"
#include "stream/udp.h"

/* Time that resolving may take: what net_dns() sets. */
#define NET_DNS_ATTEMPTS 3
#define NET_DNS_TIMEOUT_S 2
#define NET_DNS_MS ((NET_DNS_ATTEMPTS * NET_DNS_TIMEOUT_S + 1) * 1000)

struct net_open {
	struct module *module; /* borrowed */
	struct net_target target; /* host: this one's own */
	char *host; /* owned */
	net_opened *opened;
	void *arg;
	unsigned attempts_left;
	struct connect *connect; /* its own; NULL when none is under way */
	struct lookup *lookup; /* likewise */
	struct event *pause; /* owned; until the next attempt */
	TAILQ_ENTRY(net_open) entry;
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

struct evdns_base *
net_dns(struct module *module)
{
	const char *server = module->own->network.name_server;
	struct net *net = net_get(module);
	char number[16];

	if (net->dns != NULL)
		return net->dns;
	net->dns = evdns_base_new(module->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (net->dns == NULL)
		return NULL;
	evdns_base_load_hosts(net->dns, "/etc/hosts");
	if (server != NULL)
		evdns_base_nameserver_ip_add(net->dns, server);
	else
		evdns_base_resolv_conf_parse(net->dns,
		    DNS_OPTION_NAMESERVERS | DNS_OPTION_SEARCH, "/etc/resolv.conf");
	snprintf(number, sizeof number, "%d", NET_DNS_ATTEMPTS);
	evdns_base_set_option(net->dns, "attempts:", number);
	snprintf(number, sizeof number, "%d", NET_DNS_TIMEOUT_S);
	evdns_base_set_option(net->dns, "timeout:", number);
	return net->dns;
}

bool
net_has_room(const struct module *module, enum stream_kind kind)
{
	const struct profile *profile = module->profile;
	unsigned all = stream_count(module->streams, STREAM_KIND_TCP_CLIENT) +
		       stream_count(module->streams, STREAM_KIND_TCP_SERVER) +
		       stream_count(module->streams, STREAM_KIND_UDP) +
		       stream_count(module->streams, STREAM_KIND_WEBSOCKET);
	unsigned most = profile->connections;

	if (kind == STREAM_KIND_TCP_CLIENT)
		most = profile->tcp_clients;
	else if (kind == STREAM_KIND_UDP)
		most = profile->udp_streams;
	return all < profile->connections && stream_count(module->streams, kind) < most;
}

unsigned
net_open_timeout_ms(const struct module *module)
{
	unsigned attempts = (unsigned)variable_number(module, "tcp.client.retries") + 1;
	unsigned each =
	    (unsigned)variable_number(module, "tcp.client.connect_timeout") +
	    NET_DNS_MS + (unsigned)variable_number(module, "tcp.client.retry_period");

	return attempts * each;
}

static void
net_open_free(struct net_open *open)
{
	TAILQ_REMOVE(&open->module->net->opens, open, entry);
	if (open->connect != NULL)
		connect_cancel(open->connect);
	if (open->lookup != NULL)
		lookup_cancel(open->lookup);
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

static void
net_open_connecting(void *arg)
{
	const struct net_open *open = arg;

	event_emit(open->module, EVENT_PROGRESS, "Connecting: %s:%u", open->host,
	    open->target.port);
}

static void
net_open_connected(void *arg, int fd, const char *error)
{
	struct net_open *open = arg;
	char info[NET_HOST_MAX + 32];

	open->connect = NULL;
	if (fd != -1) {
		snprintf(info, sizeof info, "%s:%u (%u)", open->host, open->target.port,
		    tcp_port_near(fd));
		net_open_finish(
		    open, net_add_stream_over(open->module, open->target.interface,
			      tcp_stream_new(open->module->base, fd, false, info, 0)));
		return;
	}
	if (open->attempts_left == 0) {
		net_open_failed(open, error);
		return;
	}
	event_emit(open->module, EVENT_PROGRESS, "Connect failed: %s", error);
	{
		int64_t ms = variable_number(open->module, "tcp.client.retry_period");
		struct timeval pause = { .tv_sec = (time_t)(ms / 1000),
			.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

		if (open->pause == NULL)
			open->pause = xcheck(event_new(
			    open->module->base, -1, 0, net_open_attempt, open));
		event_add(open->pause, &pause);
	}
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
	options.local.s_addr = htonl(INADDR_ANY);
	options.peer.sin_family = AF_INET;
	options.peer.sin_addr = *address;
	options.peer.sin_port = htons(open->target.port);
	snprintf(info, sizeof info, "%s:%u", open->host, open->target.port);
	stream = udp_stream_new(open->module->base, &options, info);
	if (stream == NULL)
		net_open_failed(open, strerror(errno));
	else
		net_open_finish(open,
		    net_add_stream_over(open->module, open->target.interface, stream));
}

struct net_open *
net_open_start(struct module *module, const struct net_target *target,
    net_opened *opened, void *arg)
{
	struct net_open *open;

	if (strlen(target->host) > NET_HOST_MAX ||
	    !net_has_room(module, target->protocol == NET_TCP ? STREAM_KIND_TCP_CLIENT
							      : STREAM_KIND_UDP)) {
		event_emit(module, EVENT_PROGRESS, "Open failed: too many streams");
		return NULL;
	}
	open = xcalloc(1, sizeof *open);
	open->module = module;
	open->target = *target;
	if (target->interface == NETWORK_DEFAULT)
		open->target.interface = network_interface(module, NULL);
	open->host = xstrdup(target->host);
	open->target.host = open->host;
	open->opened = opened;
	open->arg = arg;
	TAILQ_INSERT_TAIL(&net_get(module)->opens, open, entry);
	event_emit(module, EVENT_OPENING, "%s:%u", open->host, target->port);
	event_emit(module, EVENT_PROGRESS, "Resolving host: %s", open->host);
	if (target->protocol == NET_TCP) {
		open->attempts_left =
		    (unsigned)variable_number(module, "tcp.client.retries") + 1;
		net_open_attempt(-1, 0, open);
	} else {
		open->lookup = lookup_start(
		    module->base, net_dns(module), open->host, net_open_udp, open);
	}
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
