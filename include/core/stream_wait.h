#ifndef CORE_STREAM_WAIT_H
#define CORE_STREAM_WAIT_H

#include <stdbool.h>

#include "core/request.h"

struct stream;

/* A request that waits for a stream. What the stream tells is looked at on the next
 * turn of the loop: the answer lets the next command run, and that may close the
 * stream. */

/* Whether it is time to answer: the result, or RESULT_PENDING. is_over: the peer is
 * gone, or the time is up, and nothing comes any more. When the stream itself is gone,
 * the request fails without a look. */
typedef enum result stream_wait_look(struct request *, struct stream *, bool is_over);

/* Defers the request. wait_ms: when the time is up; 0: never. deadline_ms: as of
 * request_defer(). */
enum result stream_wait(struct request *, struct stream *, stream_wait_look *look,
    unsigned wait_ms, unsigned deadline_ms);

#endif
