#include "front/web/guard.h"

#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"

#define GUARD_BLANK_MAX 64 /* bytes of empty lines before a request line */

/* What evhttp gets instead of a request that is refused. */
#define GUARD_REQUEST "GET / HTTP/1.1\r\n\r\n"
#define GUARD_LAST_CHUNK "0\r\n\r\n"

/* What bytes are that begin a head. */
enum guard_sight { GUARD_PART, GUARD_WHOLE, GUARD_BLANK, GUARD_BAD };

static const struct web_refusal guard_bad_byte = { 400,
	"a control byte in the head of the request" };
static const struct web_refusal guard_bad_end = { 400,
	"a line of the request does not end in CRLF" };
static const struct web_refusal guard_long_target = { 414,
	"the request line is too long" };
static const struct web_refusal guard_long_head = { 431, "the headers are too long" };
static const struct web_refusal guard_long_body = { 413,
	"the body is longer than 65536 bytes" };
static const struct web_refusal guard_bad_chunk = { 400, "a chunk is malformed" };

/* Puts something harmless into the place of what has come. */
static bool
guard_refuse(struct web_guard *guard, const struct web_refusal *refusal)
{
	/* Without a body to wait for, evhttp has the request already. */
	if (guard->state == GUARD_HEAD || guard->framing.skip) {
		evbuffer_add_printf(guard->input, GUARD_REQUEST);
		guard->requests++;
	} else {
		evbuffer_add_printf(guard->input, "%s" GUARD_LAST_CHUNK,
		    guard->state == GUARD_CHUNK_END ? "\r\n" : "");
	}
	guard->last = guard->requests;
	guard->refusal = refusal;
	guard->state = GUARD_SHUT;
	return true;
}

/* Up to max bytes of what is held, side by side. */
static const char *
guard_bytes(struct web_guard *guard, size_t max, size_t *len)
{
	*len = evbuffer_get_length(guard->held);
	if (*len > max)
		*len = max;
	return (const char *)evbuffer_pullup(guard->held, (ev_ssize_t)*len);
}

/* Finds the end of a line in what is held, and checks its bytes: 1 and its length
 * without CRLF, 0 when it is not there yet, -1 when it is refused. */
static int
guard_line(struct web_guard *guard, const char **line, size_t *len)
{
	size_t have;
	const char *bytes = guard_bytes(guard, WEB_CHUNK_LINE_MAX, &have);

	for (size_t i = 0; i < have; i++) {
		if (bytes[i] == '\r') {
			if (i + 1 == have)
				break;
			if (bytes[i + 1] != '\n')
				return -1;
			*line = bytes;
			*len = i;
			return 1;
		}
		if (!web_head_takes((unsigned char)bytes[i]))
			return -1;
	}
	return have == WEB_CHUNK_LINE_MAX ? -1 : 0;
}

/* Each head and each body has a time of its own; it is asked for only when it counts.
 */
static void
guard_begin(struct web_guard *guard, enum web_guard_state state)
{
	guard->state = state;
	if (guard->is_timed)
		guard->since_ms = clock_monotonic_ms();
}

static bool
guard_body_begins(struct web_guard *guard)
{
	guard->body_size = 0;
	guard->body_left = guard->framing.length;
	if (guard->framing.upgrade) {
		guard_begin(guard, GUARD_OPEN);
		guard->last = guard->requests;
		return evbuffer_add_buffer(guard->input, guard->held) == 0;
	}
	if (guard->framing.chunked)
		guard_begin(guard, GUARD_CHUNK_LINE);
	else
		guard_begin(guard, guard->body_left > 0 ? GUARD_BODY : GUARD_HEAD);
	return true;
}

static bool
guard_take_head(struct web_guard *guard, const char *head, size_t len)
{
	const struct web_refusal *refusal = web_head_check(head, len, &guard->framing);

	guard->scanned = 0;
	guard->blank = 0;
	if (refusal == NULL && guard->framing.length > WEB_BODY_MAX)
		refusal = &guard_long_body;
	if (refusal != NULL)
		return guard_refuse(guard, refusal);
	evbuffer_remove_buffer(guard->held, guard->input, len);
	guard->requests++;
	return guard_body_begins(guard);
}

/* Chosen: a few empty lines before a request are passed over, as RFC 9112, 2.2 would
 * have it for one. */
static bool
guard_drop_blank_line(struct web_guard *guard)
{
	evbuffer_drain(guard->held, 2);
	guard->scanned = 0;
	guard->blank += 2;
	return guard->blank <= GUARD_BLANK_MAX ? true
					       : guard_refuse(guard, &guard_bad_end);
}

/* Looks through bytes that begin a head, from *at on, where it stops. */
static enum guard_sight
guard_scan(
    const char *bytes, size_t len, size_t *at, const struct web_refusal **refusal)
{
	size_t i = *at;

	*refusal = NULL;
	while (i < len) {
		if (web_head_takes((unsigned char)bytes[i])) {
			i++;
			continue;
		}
		if (bytes[i] != '\r' || (i + 1 < len && bytes[i + 1] != '\n')) {
			*refusal = bytes[i] == '\r' || bytes[i] == '\n'
				       ? &guard_bad_end
				       : &guard_bad_byte;
			return GUARD_BAD;
		}
		if (i + 1 == len)
			break;
		i += 2;
		if (i == 2)
			return GUARD_BLANK;
		if (bytes[i - 3] == '\n') {
			*at = i;
			return GUARD_WHOLE;
		}
	}
	*at = i;
	return GUARD_PART;
}

static bool
guard_look_at_head(struct web_guard *guard)
{
	const struct web_refusal *refusal;
	size_t len;
	const char *bytes = guard_bytes(guard, WEB_HEADERS_MAX, &len);

	switch (guard_scan(bytes, len, &guard->scanned, &refusal)) {
	case GUARD_BAD:
		return guard_refuse(guard, refusal);
	case GUARD_BLANK:
		return guard_drop_blank_line(guard);
	case GUARD_WHOLE:
		return guard_take_head(guard, bytes, guard->scanned);
	case GUARD_PART:
		break;
	}
	if (len < WEB_HEADERS_MAX)
		return false;
	return guard_refuse(guard,
	    memchr(bytes, '\n', len) == NULL ? &guard_long_target : &guard_long_head);
}

/* Takes bytes of a body that stay where they are. */
static void
guard_count_body(struct web_guard *guard, size_t len)
{
	guard->body_left -= len;
	guard->body_size += len;
	if (guard->body_left == 0)
		guard_begin(guard, GUARD_HEAD);
}

/* Most requests come as a whole and alone: nothing has to be held back of one that is
 * right, and it stays where it is. False: input, all of it new, has to be looked at
 * part by part. */
static bool
guard_take_whole(struct web_guard *guard)
{
	const struct web_refusal *refusal;
	struct evbuffer_iovec piece;
	size_t head = 0, len;

	if (guard->state != GUARD_HEAD || evbuffer_get_length(guard->held) > 0 ||
	    evbuffer_peek(guard->input, -1, NULL, &piece, 1) != 1 ||
	    piece.iov_len != evbuffer_get_length(guard->input))
		return false;
	len = piece.iov_len < WEB_HEADERS_MAX ? piece.iov_len : WEB_HEADERS_MAX;
	if (guard_scan(piece.iov_base, len, &head, &refusal) != GUARD_WHOLE ||
	    web_head_check(piece.iov_base, head, &guard->framing) != NULL)
		return false;
	len = piece.iov_len - head;
	if (guard->framing.chunked || guard->framing.skip || guard->framing.upgrade ||
	    guard->framing.length > WEB_BODY_MAX || len > guard->framing.length)
		return false;
	guard->blank = 0;
	guard->requests++;
	guard_body_begins(guard);
	if (len > 0)
		guard_count_body(guard, len);
	return true;
}

/* Lets through, or drops, what is there of a body or a chunk. */
static bool
guard_pass(struct web_guard *guard)
{
	size_t len = evbuffer_get_length(guard->held);

	if (len > guard->body_left)
		len = (size_t)guard->body_left;
	if (guard->framing.skip)
		evbuffer_drain(guard->held, len);
	else
		evbuffer_remove_buffer(guard->held, guard->input, len);
	guard->body_left -= len;
	guard->body_size += len;
	if (guard->body_left > 0)
		return false;
	if (guard->state == GUARD_CHUNK)
		guard->state = GUARD_CHUNK_END;
	else
		guard_begin(guard, GUARD_HEAD);
	return true;
}

/* RFC 9112, 7.1: hexadecimal digits, and extensions, which are dropped. -1 when the
 * line is none; a size beyond any body is as good as the largest. */
static int
guard_chunk_size(const char *line, size_t len, uint64_t *size)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *digit;
	size_t i;

	*size = 0;
	for (i = 0;
	     i < len && (digit = memchr(digits, line[i], sizeof digits - 1)) != NULL;
	     i++) {
		*size = *size * 16 + (uint64_t)((digit - digits) % 16);
		if (*size > WEB_BODY_MAX)
			*size = WEB_BODY_MAX + 1;
	}
	if (i == 0)
		return -1;
	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i == len || line[i] == ';' ? 0 : -1;
}

static bool
guard_look_at_chunk_line(struct web_guard *guard)
{
	const char *line;
	uint64_t size;
	size_t len;
	int found = guard_line(guard, &line, &len);

	if (found == 0)
		return false;
	if (found == -1 || guard_chunk_size(line, len, &size) == -1)
		return guard_refuse(guard, &guard_bad_chunk);
	if (size > WEB_BODY_MAX - guard->body_size)
		return guard_refuse(guard, &guard_long_body);
	evbuffer_drain(guard->held, len + 2);
	if (size == 0) {
		guard->state = GUARD_TRAILER;
		return true;
	}
	if (!guard->framing.skip)
		evbuffer_add_printf(guard->input, "%x\r\n", (unsigned)size);
	guard->body_left = size;
	guard->state = GUARD_CHUNK;
	return true;
}

static bool
guard_look_at_chunk_end(struct web_guard *guard)
{
	const char *line;
	size_t len;
	int found = guard_line(guard, &line, &len);

	if (found == 0 && evbuffer_get_length(guard->held) < 2)
		return false;
	if (found != 1 || len != 0)
		return guard_refuse(guard, &guard_bad_chunk);
	evbuffer_drain(guard->held, 2);
	if (!guard->framing.skip)
		evbuffer_add(guard->input, "\r\n", 2);
	guard->state = GUARD_CHUNK_LINE;
	return true;
}

/* What stands in a trailer is dropped: evhttp 2.1 takes it for headers, where it has
 * not been mended (CVE-2026-63379). */
static bool
guard_look_at_trailer(struct web_guard *guard)
{
	const char *line;
	size_t len;
	int found = guard_line(guard, &line, &len);

	if (found == 0)
		return false;
	if (found == -1 || (guard->body_size += len + 2) > 2 * WEB_BODY_MAX)
		return guard_refuse(guard, &guard_bad_chunk);
	evbuffer_drain(guard->held, len + 2);
	if (len > 0)
		return true;
	if (!guard->framing.skip)
		evbuffer_add(
		    guard->input, GUARD_LAST_CHUNK, sizeof GUARD_LAST_CHUNK - 1);
	guard_begin(guard, GUARD_HEAD);
	return true;
}

/* Goes on with what is held; false when it has to wait for more. */
static bool
guard_step(struct web_guard *guard)
{
	switch (guard->state) {
	case GUARD_HEAD:
		return guard_look_at_head(guard);
	case GUARD_BODY:
	case GUARD_CHUNK:
		return guard_pass(guard);
	case GUARD_CHUNK_LINE:
		return guard_look_at_chunk_line(guard);
	case GUARD_CHUNK_END:
		return guard_look_at_chunk_end(guard);
	case GUARD_TRAILER:
		return guard_look_at_trailer(guard);
	case GUARD_SHUT:
		evbuffer_drain(guard->held, evbuffer_get_length(guard->held));
		return false;
	case GUARD_OPEN:
		break;
	}
	return false;
}

bool
web_guard_is_idle(const struct web_guard *guard)
{
	return guard->state == GUARD_HEAD && evbuffer_get_length(guard->held) == 0;
}

static int64_t
guard_due_ms(const struct web_guard *guard)
{
	int64_t seconds =
	    guard->state == GUARD_HEAD
		? WEB_HEAD_SECONDS
		: WEB_BODY_SECONDS + (int64_t)(guard->body_size / WEB_BODY_RATE);

	return guard->since_ms + seconds * 1000;
}

static void
guard_wait(struct web_guard *guard, int64_t ms)
{
	struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	guard->is_timed = true;
	event_add(guard->deadline, &delay);
}

static void
guard_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct web_guard *guard = arg;
	int64_t left_ms = guard_due_ms(guard) - clock_monotonic_ms();

	(void)fd;
	(void)what;
	guard->is_timed = false;
	if (left_ms > 0)
		guard_wait(guard, left_ms);
	else
		guard->ops->late(guard->arg);
}

void
web_guard_be_patient(struct web_guard *guard)
{
	guard->since_ms = clock_monotonic_ms();
	guard_wait(guard, guard_due_ms(guard) - guard->since_ms);
}

static void
guard_watch(struct web_guard *guard)
{
	bool waits = guard->state != GUARD_OPEN && guard->state != GUARD_SHUT &&
		     !web_guard_is_idle(guard);

	if (waits && !guard->is_timed) {
		web_guard_be_patient(guard);
	} else if (!waits && guard->is_timed) {
		evtimer_del(guard->deadline);
		guard->is_timed = false;
	}
}

/* Holds back what is new in input, and lets through what is right of it. */
static void
guard_take(struct web_guard *guard, size_t known)
{
	struct evbuffer *input = guard->input;

	guard->busy = true;
	if (known == 0) {
		evbuffer_add_buffer(guard->held, input);
	} else {
		struct evbuffer *before = xcheck(evbuffer_new());

		evbuffer_remove_buffer(input, before, known);
		evbuffer_add_buffer(guard->held, input);
		evbuffer_add_buffer(input, before);
		evbuffer_free(before);
	}
	while (evbuffer_get_length(guard->held) > 0 && guard_step(guard))
		;
	guard->busy = false;
}

/* Bytes have come, or evhttp has taken some. Those that are new lie at the end. */
static void
guard_look(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct web_guard *guard = arg;
	size_t known = evbuffer_get_length(input) - info->n_added;

	if (info->n_added == 0 || guard->busy || guard->state == GUARD_OPEN)
		return;
	if (guard->state == GUARD_BODY && !guard->framing.skip &&
	    info->n_added <= guard->body_left)
		guard_count_body(guard, info->n_added);
	else if (known > 0 || !guard_take_whole(guard))
		guard_take(guard, known);
	guard_watch(guard);
	if (evbuffer_get_length(input) > WEB_INPUT_MAX / 2)
		guard->ops->much(guard->arg);
}

void
web_guard_init(struct web_guard *guard, struct event_base *base, struct evbuffer *input,
    const struct web_guard_ops *ops, void *arg)
{
	guard->input = input;
	guard->held = xcheck(evbuffer_new());
	guard->deadline = xcheck(evtimer_new(base, guard_deadline, guard));
	guard->ops = ops;
	guard->arg = arg;
	guard->look = xcheck(evbuffer_add_cb(input, guard_look, guard));
}

void
web_guard_clear(struct web_guard *guard)
{
	evbuffer_remove_cb_entry(guard->input, guard->look);
	evbuffer_free(guard->held);
	event_free(guard->deadline);
}
