#include "stream/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/xmalloc.h"
#include "stream/packet_buffer.h"

struct http_stream {
	struct stream stream;
	struct http_stream_options options;
	struct http_exchange *exchange; /* owned */
	struct evbuffer *body; /* owned; written, and kept or not yet sent */
	int64_t taken; /* bytes written */
	char *peer; /* owned: host and port, as stream_list shows them */
	bool connected;
	bool is_closed; /* it lingers */
};

static const struct stream_ops http_stream_ops;

/* A kept body may be sent again after a redirect, so it is copied, not drained. */
static ssize_t
http_stream_kept(void *arg, int64_t at, void *buf, size_t len)
{
	struct http_stream *self = arg;
	struct evbuffer_ptr position;

	if (evbuffer_ptr_set(self->body, &position, (size_t)at, EVBUFFER_PTR_SET) == -1)
		return -1;
	return evbuffer_copyout_from(self->body, &position, buf, len);
}

static ssize_t
http_stream_live(void *arg, int64_t at, void *buf, size_t len)
{
	struct http_stream *self = arg;

	(void)at;
	return evbuffer_remove(self->body, buf, len);
}

static void
http_stream_free(struct http_stream *self)
{
	packet_buffer_leave(&self->stream);
	http_exchange_free(self->exchange);
	evbuffer_free(self->body);
	free(self->peer);
	free(self);
}

static void
http_stream_drop(struct stream *stream)
{
	http_stream_free((struct http_stream *)stream);
}

/* Whether nothing is missing for the server to have all of the request, or to want it.
 */
static bool
http_stream_is_done(const struct http_stream *self)
{
	const struct http_exchange *exchange = self->exchange;

	if (!http_exchange_wants_body(exchange))
		return http_exchange_is_over(exchange) ||
		       http_exchange_status(exchange) != 0;
	return http_exchange_status(exchange) != 0 &&
	       http_exchange_body_has_left(exchange);
}

/* Answers without a body, too, are there until somebody has looked at them. */
static void
http_stream_told(void *arg, enum http_event event)
{
	struct http_stream *self = arg;

	if (self->is_closed) {
		if (event == HTTP_END || http_stream_is_done(self)) {
			stream_linger_over(&self->stream);
			http_stream_free(self);
		}
		return;
	}
	switch (event) {
	case HTTP_CONNECTED:
		self->connected = true;
		stream_tell(&self->stream, STREAM_EVENT_ROOM);
		break;
	case HTTP_STATUS:
		self->stream.unseen = true;
		stream_tell(&self->stream, STREAM_EVENT_DATA);
		/* A write that waits for room may have none any more. */
		stream_tell(&self->stream, STREAM_EVENT_ROOM);
		break;
	case HTTP_PROGRESS:
		if (http_exchange_status(self->exchange) != 0)
			stream_tell(&self->stream, STREAM_EVENT_DATA);
		else
			stream_tell(&self->stream, STREAM_EVENT_ROOM);
		break;
	case HTTP_END:
		if (http_exchange_has_failed(self->exchange))
			self->stream.unseen = false;
		stream_tell(&self->stream, STREAM_EVENT_END);
		break;
	}
}

static ssize_t
http_stream_read(struct stream *stream, void *buf, size_t len)
{
	struct http_stream *self = (struct http_stream *)stream;
	ssize_t n = evbuffer_remove(http_exchange_received(self->exchange), buf, len);

	if (n > 0)
		http_exchange_resume(self->exchange);
	if (http_exchange_status(self->exchange) != 0)
		stream->unseen = false;
	return n;
}

/* Bytes of the body that may still be written. */
static int64_t
http_stream_missing(const struct http_stream *self)
{
	switch (self->options.body) {
	case HTTP_BODY_KEPT:
		return HTTP_BODY_MAX - self->taken;
	case HTTP_BODY_LIVE:
		return self->options.length - self->taken;
	default:
		return 0;
	}
}

static bool
http_stream_takes(const struct http_stream *self)
{
	if (self->options.body == HTTP_BODY_LIVE)
		return http_exchange_wants_body(self->exchange);
	return self->options.body == HTTP_BODY_KEPT &&
	       !http_exchange_is_over(self->exchange) &&
	       !http_exchange_is_sent(self->exchange);
}

static bool
http_stream_has_room(const struct stream *stream, size_t len)
{
	const struct http_stream *self = (const struct http_stream *)stream;
	size_t waiting = evbuffer_get_length(self->body);

	return http_stream_takes(self) && (int64_t)len <= http_stream_missing(self) &&
	       (self->options.body == HTTP_BODY_KEPT || waiting == 0 ||
		   waiting + len <= HTTP_SEND_MAX);
}

static ssize_t
http_stream_write(struct stream *stream, const void *buf, size_t len)
{
	struct http_stream *self = (struct http_stream *)stream;

	if (!http_stream_has_room(stream, len)) {
		errno = EAGAIN;
		if (!http_stream_takes(self))
			errno = EPIPE;
		else if ((int64_t)len > http_stream_missing(self))
			errno = EMSGSIZE;
		return -1;
	}
	evbuffer_add(self->body, buf, len);
	self->taken += (int64_t)len;
	if (self->options.body == HTTP_BODY_LIVE)
		http_exchange_resume(self->exchange);
	return (ssize_t)len;
}

static enum stream_status
http_stream_poll(const struct stream *stream)
{
	const struct http_stream *self = (const struct http_stream *)stream;

	if (evbuffer_get_length(http_exchange_received(self->exchange)) > 0)
		return STREAM_READABLE;
	return http_exchange_is_over(self->exchange) ? STREAM_CLOSED : STREAM_IDLE;
}

/* Reference: network notes, 2.2: as a TCP client. */
static void
http_stream_info(const struct stream *stream, struct stream_info *info)
{
	const struct http_stream *self = (const struct http_stream *)stream;

	info->waiting = evbuffer_get_length(http_exchange_received(self->exchange));
	snprintf(info->text, sizeof info->text, "%s (%u)", self->peer,
	    http_exchange_local_port(self->exchange));
}

/* Reference: command notes, section 8: a host may close the stream right behind the
 * last byte of a body of a length that it said; the request still has to arrive. */
static bool
http_stream_lingers(const struct http_stream *self)
{
	return self->options.body == HTTP_BODY_LIVE && self->connected &&
	       self->taken == self->options.length && !http_stream_is_done(self);
}

static bool
http_stream_has_buffer(void *arg)
{
	return packet_buffer_room(arg) > 0;
}

/* A body that is kept until it is complete is no packet yet. */
static void
http_stream_held(const struct stream *stream, struct stream_held *held)
{
	const struct http_stream *self = (const struct http_stream *)stream;

	held->received = http_exchange_kept(self->exchange);
	if (self->options.body == HTTP_BODY_LIVE)
		held->sent = evbuffer_get_length(self->body);
}

static void
http_stream_resume(struct stream *stream)
{
	http_exchange_resume(((struct http_stream *)stream)->exchange);
}

static void
http_stream_close(struct stream *stream)
{
	struct http_stream *self = (struct http_stream *)stream;

	self->is_closed = true;
	if (http_stream_lingers(self) && stream_linger(stream))
		http_exchange_limit(self->exchange);
	else
		http_stream_free(self);
}

static const struct stream_ops http_stream_ops = {
	.type = "HTTP",
	.kind = STREAM_KIND_HTTP_CLIENT,
	.read = http_stream_read,
	.write = http_stream_write,
	.has_room = http_stream_has_room,
	.poll = http_stream_poll,
	.info = http_stream_info,
	.close = http_stream_close,
	.drop = http_stream_drop,
	.held = http_stream_held,
	.resume = http_stream_resume,
};

struct stream *
http_stream_new(struct event_base *base, struct evdns_base *dns, struct http_url *url,
    const struct http_stream_options *options,
    const struct http_exchange_options *exchange_options,
    const struct http_exchange_ops *ops)
{
	struct http_exchange_options full = *exchange_options;
	struct http_exchange_ops own_ops = *ops;
	struct http_stream *self = xcalloc(1, sizeof *self);

	stream_init(&self->stream, &http_stream_ops);
	self->options = *options;
	self->body = xcheck(evbuffer_new());
	self->peer = xasprintf("%s:%u", url->host, url->port);
	full.is_held = options->is_held;
	full.source_is_live = options->body == HTTP_BODY_LIVE;
	full.source.length = full.source_is_live ? options->length : 0;
	full.source.read = full.source_is_live ? http_stream_live : http_stream_kept;
	full.source.arg = self;
	own_ops.told = http_stream_told;
	own_ops.told_arg = self;
	own_ops.has_room = http_stream_has_buffer;
	own_ops.room_arg = &self->stream;
	self->exchange = http_exchange_start(base, dns, url, &full, &own_ops);
	return &self->stream;
}

bool
http_stream_is(const struct stream *stream)
{
	return stream->ops == &http_stream_ops;
}

bool
http_stream_is_connected(const struct stream *stream)
{
	return ((const struct http_stream *)stream)->connected;
}

bool
http_stream_has_failed(const struct stream *stream)
{
	return http_exchange_has_failed(((const struct http_stream *)stream)->exchange);
}

int
http_stream_status(const struct stream *stream)
{
	return http_exchange_status(((const struct http_stream *)stream)->exchange);
}

int
http_stream_add_field(struct stream *stream, const char *name, const char *value)
{
	struct http_stream *self = (struct http_stream *)stream;

	if (http_exchange_is_sent(self->exchange)) {
		errno = EALREADY;
		return -1;
	}
	return http_exchange_add_field(self->exchange, name, value);
}

int
http_stream_send(struct stream *stream)
{
	struct http_stream *self = (struct http_stream *)stream;

	if (self->options.body == HTTP_BODY_LIVE && http_stream_takes(self) &&
	    http_stream_missing(self) > 0) {
		errno = ENODATA;
		return -1;
	}
	if (!http_exchange_is_sent(self->exchange))
		http_exchange_send(self->exchange, self->taken);
	return 0;
}
