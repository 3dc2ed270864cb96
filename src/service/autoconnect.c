#include "service/autoconnect.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/net.h"
#include "core/variable.h"
#include "stream/stream.h"

#define AUTOCONNECT_FOR_EVER 255 /* tcp.client.auto_retries */
#define AUTOCONNECT_UDP_MS 1000 /* Reference: variable notes, udp.client.auto_retry */
/* However little tcp.client.retry_period says: without a pause a server that is not
 * there would keep the loop busy. */
#define AUTOCONNECT_PAUSE_LEAST_MS 20

/* The variables of one kind of client or server. */
struct autoconnect_kind {
	struct service_ops ops;
	enum net_protocol protocol;
	const char *auto_start, *port;
	const char *host, *local_port; /* of a client */
};

/* One client stream that the module keeps open, or one server that it opens. */
struct autoconnect {
	struct stream_watch watch;
	struct module *module; /* borrowed */
	const struct autoconnect_kind *kind;
	struct stream *stream; /* borrowed; NULL: not open */
	struct net_open *open; /* its own; NULL: none under way */
	struct event *again; /* owned; NULL before the first retry */
	unsigned retries; /* used up since the interface came up */
	bool peer_has_ended;
};

static void autoclient_open(evutil_socket_t fd, short what, void *arg);

/* Tries again later, if that is still allowed. */
static void
autoclient_retry(struct autoconnect *client)
{
	struct module *module = client->module;
	int64_t most = AUTOCONNECT_FOR_EVER, ms = AUTOCONNECT_UDP_MS;
	struct timeval pause;

	if (client->kind->protocol == NET_TCP) {
		most = variable_number(module, "tcp.client.auto_retries");
		ms = variable_number(module, "tcp.client.retry_period");
	} else if (!variable_exists(module, "udp.client.auto_retry") ||
		   !variable_is_on(module, "udp.client.auto_retry")) {
		return;
	}
	if (most != AUTOCONNECT_FOR_EVER && client->retries >= (unsigned)most)
		return;
	if (most != AUTOCONNECT_FOR_EVER)
		client->retries++;
	if (ms < AUTOCONNECT_PAUSE_LEAST_MS)
		ms = AUTOCONNECT_PAUSE_LEAST_MS;
	if (client->again == NULL)
		client->again =
		    xcheck(event_new(module->base, -1, 0, autoclient_open, client));
	pause.tv_sec = (time_t)(ms / 1000);
	pause.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	event_add(client->again, &pause);
}

static void
autoclient_told(
    struct stream_watch *watch, struct stream *stream, enum stream_event event)
{
	struct autoconnect *client = (struct autoconnect *)watch;

	(void)stream;
	if (event == STREAM_EVENT_END) {
		client->peer_has_ended = true;
	} else if (event == STREAM_EVENT_FREE) {
		client->stream = NULL;
		/* Closed by hand, it stays closed. */
		if (client->peer_has_ended && client->module->state != MODULE_OFF)
			autoclient_retry(client);
	}
}

static void
autoclient_opened(void *arg, int handle)
{
	struct autoconnect *client = arg;

	client->open = NULL;
	client->stream = stream_get(client->module->streams, handle);
	if (client->stream == NULL) {
		autoclient_retry(client);
		return;
	}
	client->peer_has_ended = false;
	stream_watch(client->stream, &client->watch);
}

static void
autoclient_open(evutil_socket_t fd, short what, void *arg)
{
	struct autoconnect *client = arg;
	struct module *module = client->module;
	const struct autoconnect_kind *kind = client->kind;
	struct net_target target = {
		.protocol =
		    kind->protocol == NET_TCP ? net_tcp_client(module) : kind->protocol,
		.interface = network_interface_of(module, kind->ops.interface),
		.host = variable_text(module, kind->host),
		.port = (uint16_t)variable_number(module, kind->port),
	};

	(void)fd;
	(void)what;
	if (variable_exists(module, kind->local_port))
		target.local_port = (uint16_t)variable_number(module, kind->local_port);
	if (*target.host == '\0')
		return;
	client->open = net_open_start(module, &target, autoclient_opened, client);
	if (client->open == NULL)
		autoclient_retry(client);
}

static void
autoclient_start(void *arg)
{
	struct autoconnect *client = arg;

	client->retries = 0;
	if (variable_is_on(client->module, client->kind->auto_start))
		autoclient_open(-1, 0, client);
}

/* The stream itself ends with the interface. */
static void
autoclient_stop(void *arg)
{
	struct autoconnect *client = arg;

	if (client->again != NULL)
		event_free(client->again);
	client->again = NULL;
	if (client->open != NULL)
		net_open_cancel(client->open);
	client->open = NULL;
	if (client->stream != NULL)
		stream_unwatch(client->stream, &client->watch);
	client->stream = NULL;
}

static void
autoserver_start(void *arg)
{
	const struct autoconnect *server = arg;
	const struct autoconnect_kind *kind = server->kind;

	if (variable_is_on(server->module, kind->auto_start))
		net_server_start(server->module, kind->protocol,
		    network_interface_of(server->module, kind->ops.interface),
		    (uint16_t)variable_number(server->module, kind->port));
}

/* The server itself ends with the interface. */
static void
autoserver_stop(void *arg)
{
	(void)arg;
}

static void
autoconnect_free(void *arg)
{
	free(arg);
}

static const struct autoconnect_kind autoconnect_kinds[] = {
	{ .ops = { .name = "tcp_server",
	      .interface = "tcp.server.auto_interface",
	      .start = autoserver_start,
	      .stop = autoserver_stop,
	      .free = autoconnect_free },
	    .protocol = NET_TCP,
	    .auto_start = "tcp.server.auto_start",
	    .port = "tcp.server.port" },
	{ .ops = { .name = "udp_server",
	      .interface = "udp.server.auto_interface",
	      .start = autoserver_start,
	      .stop = autoserver_stop,
	      .free = autoconnect_free },
	    .protocol = NET_UDP,
	    .auto_start = "udp.server.auto_start",
	    .port = "udp.server.port" },
	{ .ops = { .name = "tcp_client",
	      .interface = "tcp.client.auto_interface",
	      .start = autoclient_start,
	      .stop = autoclient_stop,
	      .free = autoconnect_free },
	    .protocol = NET_TCP,
	    .auto_start = "tcp.client.auto_start",
	    .port = "tcp.client.remote_port",
	    .host = "tcp.client.remote_host",
	    .local_port = "tcp.client.local_port" },
	{ .ops = { .name = "udp_client",
	      .interface = "udp.client.auto_interface",
	      .start = autoclient_start,
	      .stop = autoclient_stop,
	      .free = autoconnect_free },
	    .protocol = NET_UDP,
	    .auto_start = "udp.client.auto_start",
	    .port = "udp.client.remote_port",
	    .host = "udp.client.remote_host",
	    .local_port = "udp.client.local_port" },
};

void
autoconnect_attach(struct module *module)
{
	for (size_t i = 0; i < sizeof autoconnect_kinds / sizeof autoconnect_kinds[0];
	     i++) {
		struct autoconnect *self = xcalloc(1, sizeof *self);

		self->module = module;
		self->kind = &autoconnect_kinds[i];
		self->watch.told = autoclient_told;
		module_add_service(module, &self->kind->ops, self);
	}
}
