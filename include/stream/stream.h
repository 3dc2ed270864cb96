#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

struct evbuffer;
struct packet_buffer;
struct stream_held;

/* Numbered byte channels: TCP, TLS, UDP, HTTP, files, buffered command output. */

#define STREAM_MAX 32 /* handles, 0 to 31 */

enum stream_status { STREAM_IDLE, STREAM_READABLE, STREAM_CLOSED };

/* What a stream counts as, for the limits of a profile. */
enum stream_kind {
	STREAM_KIND_TEXT, /* buffered answer of a command */
	STREAM_KIND_FILE, /* one of the module's files */
	STREAM_KIND_TCP_CLIENT, /* also with TLS */
	STREAM_KIND_TCP_SERVER, /* a client of the TCP or TLS server */
	STREAM_KIND_UDP,
	STREAM_KIND_WEBSOCKET,
	STREAM_KIND_HTTP, /* what was posted to the web server; no limit */
	STREAM_KIND_HTTP_CLIENT /* a request to another web server; as TCP_CLIENT */
};

struct stream;

struct stream_info {
	char text[512]; /* what stream_list shows behind the type */
	size_t waiting; /* bytes that read would give now */
};

struct stream_ops {
	const char *type; /* "TCPC", "FILE", "CMD" */
	enum stream_kind kind;
	ssize_t (*read)(struct stream *, void *buf, size_t len); /* 0: nothing now */
	/* All of it is taken, or none: -1 and errno, EAGAIN when there is no room now,
	 * EMSGSIZE when there never is, EPIPE when nobody listens. */
	ssize_t (*write)(struct stream *, const void *buf, size_t len);
	bool (*has_room)(
	    const struct stream *, size_t len); /* write would take it now */
	enum stream_status (*poll)(const struct stream *);
	void (*info)(const struct stream *, struct stream_info *);
	void (*close)(struct stream *); /* frees it; no callback comes afterwards */
	/* Frees at once what lingers; NULL: it never does. */
	void (*drop)(struct stream *);
	/* What it keeps of the packet buffer; NULL: nothing. */
	void (*held)(const struct stream *, struct stream_held *);
	/* There may be room there for more to be received. May be NULL. */
	void (*resume)(struct stream *);
};

/* What happened to a stream, told to who watches it. */
enum stream_event {
	STREAM_EVENT_DATA, /* there is something to read */
	STREAM_EVENT_ROOM, /* what was written has left; write may take more */
	STREAM_EVENT_END, /* the peer is gone; what it sent can still be read */
	STREAM_EVENT_FREE /* the stream is being closed; the watch is already unlinked
			   */
};

/* Owned by whoever waits; unlinked by stream_unwatch(). Events come from the loop,
 * never from inside a call of the stream, but for STREAM_EVENT_FREE, which
 * stream_close() tells. A watcher may close the stream only from another turn of the
 * loop. */
struct stream_watch {
	void (*told)(struct stream_watch *, struct stream *, enum stream_event);
	TAILQ_ENTRY(stream_watch) entry;
};

/* Streams that were closed while bytes that were written to them had not left: they go
 * on until these have, without a handle. */
TAILQ_HEAD(stream_lingering, stream);

#define STREAM_LINGER_MAX 4 /* of a list; the oldest is given up */

struct stream { /* first member of each backend's own struct */
	const struct stream_ops *ops;
	int handle; /* slot, 0 to STREAM_MAX - 1 */
	bool has_ended; /* STREAM_EVENT_END was told */
	bool end_is_told; /* the log line of its end was shown */
	const char
	    *fault; /* the backend's words for why it ended; NULL: as it should */
	bool unseen; /* nobody has looked at what it brought: it stays at its end */
	TAILQ_HEAD(stream_watches, stream_watch) watches;
	struct stream_lingering
	    *lingering; /* borrowed; where it may linger; NULL: nowhere */
	TAILQ_ENTRY(stream) entry; /* there */
	struct packet_buffer *buffer; /* borrowed; NULL: only its own limits count */
};

struct stream_table;

struct stream_table *stream_table_new(void);
void stream_table_free(struct stream_table *); /* closes all; NULL is allowed */

/* Takes the stream and gives it the lowest free handle, which it returns. -1 when all
 * are taken: the caller still owns it. */
int stream_add(struct stream_table *, struct stream *);
struct stream *stream_get(struct stream_table *, int handle); /* borrowed, or NULL */
void stream_close(struct stream_table *, int handle);

/* How many streams of the kind there are. NULL: none. */
unsigned stream_count(const struct stream_table *, enum stream_kind);

void stream_init(struct stream *, const struct stream_ops *);
void stream_watch(struct stream *, struct stream_watch *);
void stream_unwatch(struct stream *, struct stream_watch *);

/* For backends: tells all watchers. */
void stream_tell(struct stream *, enum stream_event);

/* For backends, in their close(): lingers, or says that it cannot. Its drop() may be
 * called from then on, unless it is over before. */
bool stream_linger(struct stream *);
void stream_linger_over(struct stream *);

/* Gives up those that linger. */
void stream_drop(struct stream_lingering *);

/* A stream that holds text for reading once; type "CMD". It takes nothing written. Its
 * info shows the name. Takes the buffer. */
struct stream *stream_text_new(const char *name, struct evbuffer *);

#endif
