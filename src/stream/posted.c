#include "stream/posted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/xmalloc.h"
#include "stream/packet_buffer.h"

struct posted {
	struct stream stream;
	char *info; /* owned */
	struct evbuffer *bytes; /* owned; what was posted and not read */
	struct event *news; /* owned; tells the watchers of more */
};

static void
posted_news(evutil_socket_t fd, short what, void *arg)
{
	struct posted *self = arg;

	(void)fd;
	(void)what;
	stream_tell(&self->stream, STREAM_EVENT_DATA);
}

static ssize_t
posted_read(struct stream *stream, void *buf, size_t len)
{
	struct posted *self = (struct posted *)stream;

	return evbuffer_remove(self->bytes, buf, len);
}

static bool
posted_has_room(const struct stream *stream, size_t len)
{
	(void)stream;
	(void)len;
	return false;
}

static ssize_t
posted_write(struct stream *stream, const void *buf, size_t len)
{
	(void)stream;
	(void)buf;
	(void)len;
	errno = EPIPE;
	return -1;
}

static enum stream_status
posted_poll(const struct stream *stream)
{
	const struct posted *self = (const struct posted *)stream;

	return evbuffer_get_length(self->bytes) > 0 ? STREAM_READABLE : STREAM_CLOSED;
}

static void
posted_info(const struct stream *stream, struct stream_info *info)
{
	const struct posted *self = (const struct posted *)stream;

	snprintf(info->text, sizeof info->text, "%s", self->info);
	info->waiting = evbuffer_get_length(self->bytes);
}

static void
posted_held(const struct stream *stream, struct stream_held *held)
{
	held->received = evbuffer_get_length(((const struct posted *)stream)->bytes);
}

static void
posted_close(struct stream *stream)
{
	struct posted *self = (struct posted *)stream;

	event_free(self->news);
	evbuffer_free(self->bytes);
	free(self->info);
	free(self);
}

static const struct stream_ops posted_ops = {
	.type = "HTTP",
	.kind = STREAM_KIND_HTTP,
	.read = posted_read,
	.write = posted_write,
	.has_room = posted_has_room,
	.poll = posted_poll,
	.info = posted_info,
	.close = posted_close,
	.held = posted_held,
};

struct stream *
posted_stream_new(struct event_base *base, const char *info)
{
	struct posted *self = xcalloc(1, sizeof *self);

	stream_init(&self->stream, &posted_ops);
	self->info = xstrdup(info);
	self->bytes = xcheck(evbuffer_new());
	self->news = xcheck(event_new(base, -1, 0, posted_news, self));
	return &self->stream;
}

struct stream *
posted_stream_find(struct stream_table *table)
{
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		struct stream *stream = stream_get(table, handle);

		if (stream != NULL && stream->ops == &posted_ops)
			return stream;
	}
	return NULL;
}

int
posted_stream_put(struct stream *stream, struct evbuffer *bytes)
{
	struct posted *self = (struct posted *)stream;

	if (evbuffer_get_length(self->bytes) + evbuffer_get_length(bytes) >
		POSTED_MAX ||
	    evbuffer_get_length(bytes) > packet_buffer_room(stream) ||
	    evbuffer_add_buffer(self->bytes, bytes) == -1)
		return -1;
	event_active(self->news, EV_TIMEOUT, 0);
	return 0;
}
