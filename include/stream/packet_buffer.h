#ifndef STREAM_PACKET_BUFFER_H
#define STREAM_PACKET_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct packet_buffer;
struct stream;

/* What all streams of a module may keep together: bytes that were received and not
 * read, and bytes that were written and that the peers have not acknowledged. Nothing
 * is counted as it passes; the streams are asked when it matters. Those that were
 * refused are told after a moment that there may be room again. */

struct stream_held {
	size_t received, sent; /* bytes */
};

#define PACKET_BUFFER_LOOK_MS 20 /* between two looks, while one waits for room */

struct packet_buffer *packet_buffer_new(struct event_base *);
void packet_buffer_free(struct packet_buffer *); /* NULL is allowed; without streams */

/* Limits of each direction, in bytes; more than 0. Before there are streams. */
void packet_buffer_limit(struct packet_buffer *, size_t receive_max, size_t send_max);

/* A stream keeps its bytes there from now on, until the other call, which
 * stream_close() makes for those in its table. NULL is allowed, and either call twice.
 */
void packet_buffer_join(struct packet_buffer *, struct stream *);
void packet_buffer_leave(struct stream *);

/* How full it is, in percent of each direction; at most 100, though what waits in the
 * kernel may be a little more. */
struct stream_held packet_buffer_used(const struct packet_buffer *);
size_t packet_buffer_receive_max(const struct packet_buffer *); /* 0 for NULL */

/* For backends: bytes that may still be received for the stream; SIZE_MAX: no common
 * limit. At 0, ops->resume() is called when there may be room. */
size_t packet_buffer_room(const struct stream *);

/* Whether so many bytes may be written to the stream, as far as the common limit goes:
 * any number when it keeps nothing. If not, STREAM_EVENT_ROOM comes when they may. */
bool packet_buffer_takes(const struct stream *, size_t len);

#endif
