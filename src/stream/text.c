#include "stream/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>

#include "base/xmalloc.h"

/* The answer of a command, kept to be read in pieces. Reference: command notes, 2.3 and
 * section 6: the host closes it when done; it does not close itself. */
struct stream_text {
	struct stream stream;
	struct evbuffer *text; /* owned */
	char *name; /* owned */
};

static ssize_t
stream_text_read(struct stream *stream, void *buf, size_t len)
{
	struct stream_text *self = (struct stream_text *)stream;

	return evbuffer_remove(self->text, buf, len);
}

static ssize_t
stream_text_write(struct stream *stream, const void *buf, size_t len)
{
	(void)stream;
	(void)buf;
	(void)len;
	errno = EPIPE;
	return -1;
}

static bool
stream_text_has_room(const struct stream *stream, size_t len)
{
	(void)stream;
	(void)len;
	return false;
}

static enum stream_status
stream_text_poll(const struct stream *stream)
{
	const struct stream_text *self = (const struct stream_text *)stream;

	return evbuffer_get_length(self->text) > 0 ? STREAM_READABLE : STREAM_CLOSED;
}

static void
stream_text_info(const struct stream *stream, struct stream_info *info)
{
	const struct stream_text *self = (const struct stream_text *)stream;

	info->waiting = evbuffer_get_length(self->text);
	snprintf(info->text, sizeof info->text, "%s", self->name);
}

static void
stream_text_close(struct stream *stream)
{
	struct stream_text *self = (struct stream_text *)stream;

	evbuffer_free(self->text);
	free(self->name);
	free(self);
}

static const struct stream_ops stream_text_ops = {
	.type = "CMD",
	.kind = STREAM_KIND_TEXT,
	.read = stream_text_read,
	.write = stream_text_write,
	.has_room = stream_text_has_room,
	.poll = stream_text_poll,
	.info = stream_text_info,
	.close = stream_text_close,
};

struct stream *
stream_text_new(const char *name, struct evbuffer *text)
{
	struct stream_text *self = xcalloc(1, sizeof *self);

	stream_init(&self->stream, &stream_text_ops);
	self->text = text;
	self->name = xstrdup(name);
	return &self->stream;
}
