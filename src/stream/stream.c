#include "stream/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

struct stream_table {
	struct stream *slots[STREAM_MAX]; /* owned */
	unsigned count;
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
		table->count++;
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

	if (stream == NULL)
		return;
	table->slots[handle] = NULL;
	table->count--;
	stream->ops->close(stream);
}

unsigned
stream_count(const struct stream_table *table)
{
	return table == NULL ? 0 : table->count;
}
