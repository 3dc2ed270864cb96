#include "core/http_client.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/net_state.h"
#include "core/tls_context.h"
#include "core/variable.h"

/* A request on its way to become a stream. What watches a stream may not close it, so
 * all is decided on the next turn of the loop. */
struct http_client {
	struct net_job job;
	struct stream_watch watch;
	struct module *module; /* borrowed */
	struct stream *stream; /* its own until it has a handle; NULL once it is gone */
	struct event *turn; /* owned */
	int handle; /* -1: not in the table */
	bool is_open_when_connected;
	net_opened *opened;
	void *arg;
};

static void
http_client_said(void *arg, const char *line)
{
	event_emit(arg, EVENT_PROGRESS, "%s", line);
}

static SSL_CTX *
http_client_trust(void *arg, char error[HTTP_ERROR_SIZE])
{
	struct tls_fault fault;
	SSL_CTX *context = tls_context_client(arg, NULL, &fault);

	if (context == NULL)
		snprintf(error, HTTP_ERROR_SIZE, "TLS: %s", fault.text);
	return context;
}

unsigned
http_client_timeout_ms(const struct module *module)
{
	return NET_DNS_MS +
	       (unsigned)variable_number(module, "tcp.client.connect_timeout") +
	       net_handshake_ms(module) + HTTP_SILENCE_MS;
}

static int
http_client_route(void *arg, struct sockaddr_in *where, struct in_addr *local)
{
	activity_note(arg, NETWORK_DEFAULT, ACTIVITY_TX);
	return network_route_tcp(arg, where, local);
}

void
http_client_options(struct module *module, struct http_exchange_options *options,
    struct http_exchange_ops *ops)
{
	*options = (struct http_exchange_options){
		.connect_ms =
		    (unsigned)variable_number(module, "tcp.client.connect_timeout"),
		.handshake_ms = net_handshake_ms(module),
		.silence_ms = HTTP_SILENCE_MS,
		.limit_ms = http_client_timeout_ms(module),
		.local = network_source_address(module, NETWORK_DEFAULT),
		.keepalive = net_keepalive(module),
	};
	*ops = (struct http_exchange_ops){ .trust = http_client_trust,
		.trust_arg = module,
		.route = http_client_route,
		.route_arg = module,
		.said = http_client_said,
		.said_arg = module };
}

/* Gives up the stream, if there is one, and all else. */
static void
http_client_free(struct http_client *self, bool keep_stream)
{
	struct stream *stream = self->stream;

	TAILQ_REMOVE(&self->module->net->jobs, &self->job, entry);
	event_free(self->turn);
	if (stream != NULL)
		stream_unwatch(stream, &self->watch);
	if (stream != NULL && !keep_stream) {
		if (self->handle == -1)
			stream->ops->close(stream);
		else
			stream_close(self->module->streams, self->handle);
	}
	free(self);
}

static void
http_client_finish(struct http_client *self, bool is_open)
{
	net_opened *opened = self->opened;
	void *arg = self->arg;
	int handle = is_open ? self->handle : -1;

	http_client_free(self, is_open);
	opened(arg, handle);
}

static void
http_client_turn(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *self = arg;

	(void)fd;
	(void)what;
	if (self->stream != NULL && self->handle == -1 &&
	    http_stream_is_connected(self->stream)) {
		self->handle = net_add_stream_over(
		    self->module, self->job.interface, self->stream);
		if (self->handle == -1) {
			self->stream = NULL;
			event_emit(self->module, EVENT_PROGRESS,
			    "Open failed: too many streams");
		}
	}
	if (self->stream != NULL && self->handle != -1 &&
	    (self->is_open_when_connected || http_stream_status(self->stream) != 0))
		http_client_finish(self, true);
	else if (self->stream == NULL || http_stream_has_failed(self->stream))
		http_client_finish(self, false);
}

static void
http_client_told(
    struct stream_watch *watch, struct stream *stream, enum stream_event event)
{
	struct http_client *self =
	    (struct http_client *)((char *)watch - offsetof(struct http_client, watch));

	(void)stream;
	if (event == STREAM_EVENT_DATA)
		activity_note(self->module, self->job.interface, ACTIVITY_RX);
	if (event == STREAM_EVENT_FREE)
		self->stream = NULL;
	event_active(self->turn, EV_TIMEOUT, 0);
}

static void
http_client_give_up(struct net_job *job)
{
	http_client_finish((struct http_client *)job, false);
}

struct http_client *
http_client_start(struct module *module, struct http_url *url,
    const struct http_client_plan *plan, net_opened *opened, void *arg)
{
	struct http_exchange_options options;
	struct http_exchange_ops ops;
	struct http_client *self;

	if (!net_has_room(module, STREAM_KIND_TCP_CLIENT)) {
		event_emit(module, EVENT_PROGRESS, "Open failed: too many streams");
		http_url_clear(url);
		return NULL;
	}
	http_client_options(module, &options, &ops);
	options.method = plan->method;
	options.type = plan->type;
	options.local = network_source_address(module, plan->interface);
	self = xcalloc(1, sizeof *self);
	self->job.give_up = http_client_give_up;
	self->job.interface = plan->interface;
	self->watch.told = http_client_told;
	self->module = module;
	self->handle = -1;
	self->is_open_when_connected =
	    plan->stream.is_held || plan->stream.body == HTTP_BODY_LIVE;
	self->opened = opened;
	self->arg = arg;
	self->turn = xcheck(event_new(module->base, -1, 0, http_client_turn, self));
	TAILQ_INSERT_TAIL(&net_get(module)->jobs, &self->job, entry);
	event_emit(module, EVENT_OPENING, "%s", url->authority);
	self->stream = http_stream_new(
	    module->base, net_dns(module), url, &plan->stream, &options, &ops);
	packet_buffer_join(module->net->buffer, self->stream);
	stream_watch(self->stream, &self->watch);
	return self;
}

void
http_client_cancel(struct http_client *self)
{
	http_client_free(self, false);
}
