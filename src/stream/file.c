#include "stream/file.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/flash.h"

struct file_stream {
	struct stream stream;
	char *name; /* owned: "index.html-1.0.0.0", as stream_list shows it */
	uint32_t size, position;
	int fd; /* for reading; -1: none */
	struct flash_draft *draft; /* owned; for writing; NULL: none, or done */
	file_stream_created *created;
	void *arg;
};

static ssize_t
file_stream_read(struct stream *stream, void *buf, size_t len)
{
	struct file_stream *self = (struct file_stream *)stream;
	ssize_t n;

	if (self->fd == -1) {
		errno = EBADF;
		return -1;
	}
	if (len > self->size - self->position)
		len = self->size - self->position;
	if (len == 0)
		return 0;
	do
		n = pread(self->fd, buf, len, (off_t)self->position);
	while (n == -1 && errno == EINTR);
	if (n == 0) {
		errno = EIO; /* shorter than the index says */
		return -1;
	}
	if (n > 0)
		self->position += (uint32_t)n;
	return n;
}

static ssize_t
file_stream_write(struct stream *stream, const void *buf, size_t len)
{
	struct file_stream *self = (struct file_stream *)stream;
	struct flash_draft *draft = self->draft;

	if (draft == NULL) {
		errno = EPIPE;
		return -1;
	}
	if (flash_draft_write(draft, buf, len) == -1) {
		if (errno == EMSGSIZE)
			return -1;
		flash_draft_discard(draft);
		self->draft = NULL;
		return -1;
	}
	self->position += (uint32_t)len;
	if (flash_draft_missing(draft) > 0)
		return (ssize_t)len;
	self->draft = NULL;
	if (flash_draft_commit(draft) == -1)
		return -1;
	self->created(self->arg);
	return (ssize_t)len;
}

static bool
file_stream_has_room(const struct stream *stream, size_t len)
{
	const struct file_stream *self = (const struct file_stream *)stream;

	return self->draft != NULL && len <= flash_draft_missing(self->draft);
}

static enum stream_status
file_stream_poll(const struct stream *stream)
{
	const struct file_stream *self = (const struct file_stream *)stream;

	if (self->draft != NULL)
		return STREAM_IDLE;
	return self->fd != -1 && self->position < self->size ? STREAM_READABLE
							     : STREAM_CLOSED;
}

/* Reference: serial and file notes, 2.9. */
static void
file_stream_info(const struct stream *stream, struct stream_info *info)
{
	const struct file_stream *self = (const struct file_stream *)stream;

	info->waiting = self->fd == -1 ? 0 : self->size - self->position;
	snprintf(info->text, sizeof info->text, "%s (%ju, %ju)", self->name,
	    (uintmax_t)self->size, (uintmax_t)self->position);
}

static void
file_stream_close(struct stream *stream)
{
	struct file_stream *self = (struct file_stream *)stream;

	flash_draft_discard(self->draft);
	if (self->fd != -1)
		close(self->fd);
	free(self->name);
	free(self);
}

static const struct stream_ops file_stream_ops = {
	.type = "FILE",
	.kind = STREAM_KIND_FILE,
	.read = file_stream_read,
	.write = file_stream_write,
	.has_room = file_stream_has_room,
	.poll = file_stream_poll,
	.info = file_stream_info,
	.close = file_stream_close,
};

static struct file_stream *
file_stream_new(const struct flash_file *file)
{
	struct file_stream *self = xcalloc(1, sizeof *self);

	stream_init(&self->stream, &file_stream_ops);
	self->name = xasprintf("%s-%s", file->name, file->version);
	self->size = file->size;
	self->fd = -1;
	return self;
}

struct stream *
file_stream_open(const struct flash *flash, const struct flash_file *file)
{
	int fd = flash_open_contents(flash, file);
	struct file_stream *self;

	if (fd == -1)
		return NULL;
	self = file_stream_new(file);
	self->fd = fd;
	return &self->stream;
}

struct stream *
file_stream_create(struct flash_draft *draft, file_stream_created *created, void *arg)
{
	struct file_stream *self = file_stream_new(flash_draft_file(draft));

	self->draft = draft;
	self->created = created;
	self->arg = arg;
	return &self->stream;
}
