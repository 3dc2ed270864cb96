#ifndef STREAM_POSTED_H
#define STREAM_POSTED_H

#include "stream/stream.h"

struct evbuffer;
struct event_base;

/* A stream of the bytes that clients posted to the web server, type HTTP; it takes
 * nothing written. Reference: network notes, 1.8. */

#define POSTED_MAX (64u * 1024) /* unread bytes */

/* info is what stream_list shows; copied. It is READABLE while there are bytes and else
 * CLOSED, since who posted them has gone; more can be put into it all the same. */
struct stream *posted_stream_new(struct event_base *, const char *info);

/* The one of the table, borrowed, or NULL. */
struct stream *posted_stream_find(struct stream_table *);

/* Moves all bytes to the end of the stream, or none: -1 when POSTED_MAX or the
 * packet buffer would be exceeded. */
int posted_stream_put(struct stream *, struct evbuffer *);

#endif
