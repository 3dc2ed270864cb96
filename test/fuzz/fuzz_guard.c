/* The first byte says in which pieces the others come: what a client sends over a
 * connection. However they come, evhttp gets the same bytes, and never a line that does
 * not end in CRLF in a head. */

#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "front/web/guard.h"
#include "fuzz.h"

static void
fuzz_guard_late(void *arg)
{
	(void)arg;
	FUZZ_REQUIRE(false); /* the loop never runs */
}

static void
fuzz_guard_much(void *arg)
{
	(void)arg;
}

static const struct web_guard_ops fuzz_guard_ops = { .late = fuzz_guard_late,
	.much = fuzz_guard_much };

static void
fuzz_guard_feed(struct web_guard *guard, struct event_base *base,
    struct evbuffer *input, const uint8_t *data, size_t size, size_t piece)
{
	memset(guard, 0, sizeof *guard);
	web_guard_init(guard, base, input, &fuzz_guard_ops, NULL);
	while (size > 0) {
		size_t len = piece < size ? piece : size;

		evbuffer_add(input, data, len);
		data += len;
		size -= len;
	}
}

/* A bound that holds for what waits in the guard. */
static void
fuzz_guard_check(const struct web_guard *guard)
{
	FUZZ_REQUIRE(evbuffer_get_length(guard->held) <= WEB_HEADERS_MAX);
	FUZZ_REQUIRE(guard->last == 0 || guard->last == guard->requests);
	FUZZ_REQUIRE((guard->refusal != NULL) == (guard->state == GUARD_SHUT));
	FUZZ_REQUIRE(guard->body_left <= WEB_BODY_MAX || guard->state == GUARD_OPEN ||
		     guard->state == GUARD_SHUT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_base *base;
	struct evbuffer *whole, *pieces;
	struct web_guard one, many;
	size_t len;

	if (size == 0)
		return 0;
	if (base == NULL)
		base = event_base_new();
	whole = evbuffer_new();
	pieces = evbuffer_new();
	fuzz_guard_feed(&one, base, whole, data + 1, size - 1, size);
	fuzz_guard_feed(&many, base, pieces, data + 1, size - 1, 1 + data[0] % 16);
	fuzz_guard_check(&one);
	fuzz_guard_check(&many);
	FUZZ_REQUIRE(one.state == many.state && one.requests == many.requests &&
		     one.last == many.last && one.refusal == many.refusal);
	len = evbuffer_get_length(whole);
	FUZZ_REQUIRE(evbuffer_get_length(pieces) == len);
	FUZZ_REQUIRE(len == 0 || memcmp(evbuffer_pullup(whole, -1),
				     evbuffer_pullup(pieces, -1), len) == 0);
	web_guard_clear(&one);
	web_guard_clear(&many);
	evbuffer_free(whole);
	evbuffer_free(pieces);
	return 0;
}
