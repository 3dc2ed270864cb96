#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

/* Numbered byte channels: TCP, TLS, UDP, HTTP, files, buffered command output. */

#define STREAM_MAX 32 /* handles, 0 to 31 */

enum stream_status { STREAM_IDLE, STREAM_READABLE, STREAM_CLOSED };

struct stream;

struct stream_info {
	const char *type; /* "TCPC", "FILE", "CMD" */
	char text[256]; /* what stream_list shows behind the type */
	size_t waiting; /* bytes that read would give now */
};

struct stream_ops {
	ssize_t (*read)(struct stream *, void *buf, size_t len); /* 0: nothing now */
	ssize_t (*write)(struct stream *, const void *buf, size_t len); /* -1: cannot */
	enum stream_status (*poll)(const struct stream *);
	void (*info)(const struct stream *, struct stream_info *);
	void (*close)(struct stream *); /* frees it; no callback comes afterwards */
};

struct stream { /* first member of each backend's own struct */
	const struct stream_ops *ops;
	int handle; /* slot, 0 to STREAM_MAX - 1 */
};

struct stream_table;

struct stream_table *stream_table_new(void);
void stream_table_free(struct stream_table *); /* closes all; NULL is allowed */

/* Takes the stream and gives it the lowest free handle, which it returns. -1 when all
 * are taken: the caller still owns it. */
int stream_add(struct stream_table *, struct stream *);
struct stream *stream_get(struct stream_table *, int handle); /* borrowed, or NULL */
void stream_close(struct stream_table *, int handle);
unsigned stream_count(const struct stream_table *);

/* A stream that holds text for reading once; type "CMD". It takes nothing written. Its
 * info shows the name. Takes the buffer. */
struct evbuffer;
struct stream *stream_text_new(const char *name, struct evbuffer *);

#endif
