#include "stream/packet_buffer.h"

#include <stdint.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "stream/stream.h"

/* Those that have a handle, and some that are about to get one. */
#define PACKET_BUFFER_STREAMS (STREAM_MAX + 4)

struct packet_buffer {
	size_t receive_max, send_max;
	struct stream *streams[PACKET_BUFFER_STREAMS]; /* borrowed */
	struct event *look; /* owned; armed while a stream waits for room */
};

static struct stream_held
packet_buffer_sum(const struct packet_buffer *self)
{
	struct stream_held sum = { 0, 0 };

	for (unsigned i = 0; i < PACKET_BUFFER_STREAMS; i++) {
		struct stream_held held = { 0, 0 };

		if (self->streams[i] == NULL)
			continue;
		self->streams[i]->ops->held(self->streams[i], &held);
		sum.received += held.received;
		sum.sent += held.sent;
	}
	return sum;
}

static void
packet_buffer_wait(const struct packet_buffer *self)
{
	static const struct timeval pause = { .tv_usec = PACKET_BUFFER_LOOK_MS * 1000 };

	if (!event_pending(self->look, EV_TIMEOUT, NULL))
		event_add(self->look, &pause);
}

/* Whoever finds no room still waits on. */
static void
packet_buffer_look(evutil_socket_t fd, short what, void *arg)
{
	const struct packet_buffer *self = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < PACKET_BUFFER_STREAMS; i++) {
		struct stream *stream = self->streams[i];

		if (stream == NULL)
			continue;
		if (stream->ops->resume != NULL)
			stream->ops->resume(stream);
		stream_tell(stream, STREAM_EVENT_ROOM);
	}
}

struct packet_buffer *
packet_buffer_new(struct event_base *base)
{
	struct packet_buffer *self = xcalloc(1, sizeof *self);

	self->look = xcheck(event_new(base, -1, 0, packet_buffer_look, self));
	return self;
}

void
packet_buffer_limit(struct packet_buffer *self, size_t receive_max, size_t send_max)
{
	self->receive_max = receive_max;
	self->send_max = send_max;
}

void
packet_buffer_free(struct packet_buffer *self)
{
	if (self == NULL)
		return;
	event_free(self->look);
	free(self);
}

void
packet_buffer_join(struct packet_buffer *self, struct stream *stream)
{
	if (self == NULL || stream->ops->held == NULL || stream->buffer != NULL)
		return;
	for (unsigned i = 0; i < PACKET_BUFFER_STREAMS; i++) {
		if (self->streams[i] == NULL) {
			self->streams[i] = stream;
			stream->buffer = self;
			return;
		}
	}
}

void
packet_buffer_leave(struct stream *stream)
{
	struct packet_buffer *self = stream->buffer;

	for (unsigned i = 0; self != NULL && i < PACKET_BUFFER_STREAMS; i++) {
		if (self->streams[i] == stream)
			self->streams[i] = NULL;
	}
	stream->buffer = NULL;
}

static size_t
packet_buffer_percent(size_t held, size_t most)
{
	return held >= most ? 100 : held * 100 / most;
}

struct stream_held
packet_buffer_used(const struct packet_buffer *self)
{
	struct stream_held sum = packet_buffer_sum(self);

	return (struct stream_held){
		.received = packet_buffer_percent(sum.received, self->receive_max),
		.sent = packet_buffer_percent(sum.sent, self->send_max),
	};
}

size_t
packet_buffer_receive_max(const struct packet_buffer *self)
{
	return self == NULL ? 0 : self->receive_max;
}

size_t
packet_buffer_room(const struct stream *stream)
{
	const struct packet_buffer *self = stream->buffer;
	size_t held;

	if (self == NULL)
		return SIZE_MAX;
	held = packet_buffer_sum(self).received;
	if (held < self->receive_max)
		return self->receive_max - held;
	packet_buffer_wait(self);
	return 0;
}

bool
packet_buffer_takes(const struct stream *stream, size_t len)
{
	const struct packet_buffer *self = stream->buffer;
	size_t held;

	if (self == NULL)
		return true;
	held = packet_buffer_sum(self).sent;
	if (held == 0 || held + len <= self->send_max)
		return true;
	packet_buffer_wait(self);
	return false;
}
