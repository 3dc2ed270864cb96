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

/* One client stream that the module keeps open. */
struct autoclient {
	struct stream_watch watch;
	struct module *module; /* borrowed */
	enum net_protocol protocol;
	struct stream *stream; /* borrowed; NULL: not open */
	struct net_open *open; /* its own; NULL: none under way */
	struct event *again; /* owned; NULL before the first retry */
	unsigned retries; /* used up since the interface came up */
	bool peer_has_ended;
};

struct autoconnect {
	struct module *module; /* borrowed */
	struct autoclient tcp, udp;
};

static bool
autoclient_is_known(const struct autoclient *client, const char *name)
{
	return catalog_variable(client->module->catalog, name, strlen(name)) != NULL;
}

static void autoclient_open(evutil_socket_t fd, short what, void *arg);

/* Tries again later, if that is still allowed. */
static void
autoclient_retry(struct autoclient *client)
{
	struct module *module = client->module;
	int64_t most = AUTOCONNECT_FOR_EVER, ms = AUTOCONNECT_UDP_MS;
	struct timeval pause;

	if (client->protocol == NET_TCP) {
		most = variable_number(module, "tcp.client.auto_retries");
		ms = variable_number(module, "tcp.client.retry_period");
	} else if (!autoclient_is_known(client, "udp.client.auto_retry") ||
		   !variable_is_on(module, "udp.client.auto_retry")) {
		return;
	}
	if (most != AUTOCONNECT_FOR_EVER && client->retries >= (unsigned)most)
		return;
	if (most != AUTOCONNECT_FOR_EVER)
		client->retries++;
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
	struct autoclient *client = (struct autoclient *)watch;

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
	struct autoclient *client = arg;

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
	struct autoclient *client = arg;
	struct module *module = client->module;
	bool is_tcp = client->protocol == NET_TCP;
	const char *local = is_tcp ? "tcp.client.local_port" : "udp.client.local_port";
	struct net_target target = {
		.protocol = client->protocol,
		.host = variable_text(module,
		    is_tcp ? "tcp.client.remote_host" : "udp.client.remote_host"),
		.port = (uint16_t)variable_number(module,
		    is_tcp ? "tcp.client.remote_port" : "udp.client.remote_port"),
	};

	(void)fd;
	(void)what;
	if (autoclient_is_known(client, local))
		target.local_port = (uint16_t)variable_number(module, local);
	if (*target.host == '\0')
		return;
	client->open = net_open_start(module, &target, autoclient_opened, client);
	if (client->open == NULL)
		autoclient_retry(client);
}

static void
autoclient_start(struct autoclient *client, const char *auto_start)
{
	client->retries = 0;
	if (variable_is_on(client->module, auto_start))
		autoclient_open(-1, 0, client);
}

static void
autoclient_stop(struct autoclient *client)
{
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
autoconnect_start(void *arg)
{
	struct autoconnect *self = arg;
	struct module *module = self->module;

	if (variable_is_on(module, "tcp.server.auto_start"))
		net_server_start(module, NET_TCP,
		    (uint16_t)variable_number(module, "tcp.server.port"));
	if (variable_is_on(module, "udp.server.auto_start"))
		net_server_start(module, NET_UDP,
		    (uint16_t)variable_number(module, "udp.server.port"));
	autoclient_start(&self->tcp, "tcp.client.auto_start");
	autoclient_start(&self->udp, "udp.client.auto_start");
}

/* The network goes down, and all sockets with it. */
static void
autoconnect_stop(void *arg)
{
	struct autoconnect *self = arg;

	autoclient_stop(&self->tcp);
	autoclient_stop(&self->udp);
	net_take_down(self->module);
}

static void
autoconnect_free(void *arg)
{
	free(arg);
}

static const struct service_ops autoconnect_ops = {
	.name = "autoconnect",
	.start = autoconnect_start,
	.stop = autoconnect_stop,
	.free = autoconnect_free,
};

void
autoconnect_attach(struct module *module)
{
	struct autoconnect *self = xcalloc(1, sizeof *self);

	self->module = module;
	self->tcp.module = self->udp.module = module;
	self->tcp.watch.told = self->udp.watch.told = autoclient_told;
	self->tcp.protocol = NET_TCP;
	self->udp.protocol = NET_UDP;
	module_add_service(module, &autoconnect_ops, self);
}
