#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "stream/packet_buffer.h"

struct stream_table {
	struct stream *slots[STREAM_MAX]; /* owned */
};

struct stream_table *
stream_table_new(void)
{
	return xcalloc(1, sizeof(struct stream_table));
}

void
stream_table_free(struct stream_table *table)
{
	if (table == NULL)
		return;
	for (int handle = 0; handle < STREAM_MAX; handle++)
		stream_close(table, handle);
	free(table);
}

int
stream_add(struct stream_table *table, struct stream *stream)
{
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		if (table->slots[handle] != NULL)
			continue;
		table->slots[handle] = stream;
		stream->handle = handle;
		return handle;
	}
	return -1;
}

struct stream *
stream_get(struct stream_table *table, int handle)
{
	if (table == NULL || handle < 0 || handle >= STREAM_MAX)
		return NULL;
	return table->slots[handle];
}

void
stream_close(struct stream_table *table, int handle)
{
	struct stream *stream = stream_get(table, handle);
	struct stream_watch *watch;

	if (stream == NULL)
		return;
	table->slots[handle] = NULL;
	packet_buffer_leave(stream);
	while ((watch = TAILQ_FIRST(&stream->watches)) != NULL) {
		TAILQ_REMOVE(&stream->watches, watch, entry);
		watch->told(watch, stream, STREAM_EVENT_FREE);
	}
	stream->ops->close(stream);
}

unsigned
stream_count(const struct stream_table *table, enum stream_kind kind)
{
	unsigned count = 0;

	for (int handle = 0; table != NULL && handle < STREAM_MAX; handle++) {
		if (table->slots[handle] != NULL &&
		    table->slots[handle]->ops->kind == kind)
			count++;
	}
	return count;
}

void
stream_init(struct stream *stream, const struct stream_ops *ops)
{
	stream->ops = ops;
	stream->handle = -1;
	TAILQ_INIT(&stream->watches);
}

void
stream_watch(struct stream *stream, struct stream_watch *watch)
{
	TAILQ_INSERT_TAIL(&stream->watches, watch, entry);
}

void
stream_unwatch(struct stream *stream, struct stream_watch *watch)
{
	TAILQ_REMOVE(&stream->watches, watch, entry);
}

void
stream_tell(struct stream *stream, enum stream_event event)
{
	struct stream_watch *watch, *next;

	if (event == STREAM_EVENT_END)
		stream->has_ended = true;
	for (watch = TAILQ_FIRST(&stream->watches); watch != NULL; watch = next) {
		next = TAILQ_NEXT(watch, entry);
		watch->told(watch, stream, event);
	}
}

bool
stream_linger(struct stream *stream)
{
	struct stream *other;
	unsigned count = 0;

	if (stream->lingering == NULL)
		return false;
	TAILQ_INSERT_TAIL(stream->lingering, stream, entry);
	TAILQ_FOREACH (other, stream->lingering, entry)
		count++;
	if (count > STREAM_LINGER_MAX) {
		other = TAILQ_FIRST(stream->lingering);
		stream_linger_over(other);
		other->ops->drop(other);
	}
	return true;
}

void
stream_linger_over(struct stream *stream)
{
	TAILQ_REMOVE(stream->lingering, stream, entry);
}

void
stream_drop(struct stream_lingering *lingering)
{
	struct stream *stream;

	while ((stream = TAILQ_FIRST(lingering)) != NULL) {
		stream_linger_over(stream);
		stream->ops->drop(stream);
	}
}
