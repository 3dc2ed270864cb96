/* What evhttp gets of what a client sends, in one piece and byte by byte. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "base/xmalloc.h"
#include "front/web/guard.h"

#define CHUNKED "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
#define COUNTED "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\n"
#define GET "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
#define HARMLESS "GET / HTTP/1.1\r\n\r\n" /* instead of one that is refused */

static const struct {
	const char *sent, *got;
	unsigned requests;
	int status; /* of the refusal of the last one; 0: none */
} guard_cases[] = {
	{ GET, GET, 1, 0 },
	{ GET GET, GET GET, 2, 0 },
	{ "\r\n" GET, GET, 1, 0 },
	{ COUNTED "body", COUNTED "body", 1, 0 },
	{ COUNTED "bo", COUNTED "bo", 1, 0 },
	{ COUNTED "body" GET, COUNTED "body" GET, 2, 0 },
	{ CHUNKED "4;a=b\r\nbody\r\n000\r\n\r\n", CHUNKED "4\r\nbody\r\n0\r\n\r\n", 1,
	    0 },
	/* A trailer is nothing that evhttp could take for headers. */
	{ CHUNKED "4\r\nbody\r\n0\r\nAuthorization: Basic eDp5\r\nX: y\r\n\r\n",
	    CHUNKED "4\r\nbody\r\n0\r\n\r\n", 1, 0 },
	{ CHUNKED "0\r\nContent-Length: 9\r\n\r\n" GET, CHUNKED "0\r\n\r\n" GET, 2, 0 },
	{ CHUNKED "4\r\nbody\r\n0\r\nX: y", CHUNKED "4\r\nbody\r\n", 1, 0 },
	{ CHUNKED "4\r\nbody\r\n0\r\nX: y\nZ: z\r\n\r\n",
	    CHUNKED "4\r\nbody\r\n0\r\n\r\n", 1, 400 },
	/* Nothing of a head before all of it. */
	{ "GET / HTTP/1.1\r\nHost: x\r\n\r", "", 0, 0 },
	{ "GET / HTTP/1.1\nHost: x\r\n\r\n", HARMLESS, 1, 400 },
	{ "GET / HTTP/1.1\r\n X: y\r\n\r\n" GET, HARMLESS, 1, 400 },
	{ GET "GET / HTTP/1.1\r\nX: \x01\r\n\r\n", GET HARMLESS, 2, 400 },
	{ "POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", HARMLESS, 1, 413 },
	{ CHUNKED "x\r\n", CHUNKED "0\r\n\r\n", 1, 400 },
	{ CHUNKED "4\r\nbodyGET / HTTP/1.1\r\n\r\n", CHUNKED "4\r\nbody\r\n0\r\n\r\n",
	    1, 400 },
	/* evhttp takes no body with these: it would be the next request. */
	{ "HEAD / HTTP/1.1\r\nContent-Length: 18\r\n\r\n" HARMLESS GET,
	    "HEAD / HTTP/1.1\r\nContent-Length: 18\r\n\r\n" GET, 2, 0 },
	{ "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\n",
	    "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\n", 1, 0 },
};

static void
guard_never(void *arg)
{
	(void)arg;
	fail();
}

static void
guard_count(void *arg)
{
	++*(unsigned *)arg;
}

static const struct web_guard_ops guard_ops = { .late = guard_never,
	.much = guard_count };

static void
guard_check(struct event_base *base, size_t i, size_t piece)
{
	const char *sent = guard_cases[i].sent, *got = guard_cases[i].got;
	struct evbuffer *input = evbuffer_new();
	struct web_guard guard = { .state = GUARD_HEAD };
	unsigned much = 0;

	web_guard_init(&guard, base, input, &guard_ops, &much);
	for (size_t left = strlen(sent); left > 0; left -= piece, sent += piece) {
		piece = piece < left ? piece : left;
		evbuffer_add(input, sent, piece);
	}
	assert_int_equal(guard.requests, guard_cases[i].requests);
	assert_int_equal(evbuffer_get_length(input), strlen(got));
	assert_memory_equal(evbuffer_pullup(input, -1), got, strlen(got));
	if (guard_cases[i].status == 0)
		assert_null(guard.refusal);
	else
		assert_int_equal(guard.refusal->status, guard_cases[i].status);
	assert_int_equal(much, 0);
	web_guard_clear(&guard);
	evbuffer_free(input);
}

static void
test_what_evhttp_gets(void **state)
{
	struct event_base *base = event_base_new();

	(void)state;
	for (size_t i = 0; i < sizeof guard_cases / sizeof guard_cases[0]; i++) {
		guard_check(base, i, SIZE_MAX);
		guard_check(base, i, 1);
	}
	event_base_free(base);
}

/* What is told when more waits than one request can have, and not before. */
static void
test_much(void **state)
{
	struct event_base *base = event_base_new();
	struct evbuffer *input = evbuffer_new();
	struct web_guard guard = { .state = GUARD_HEAD };
	char *body = xmalloc(WEB_BODY_MAX);
	unsigned much = 0;

	(void)state;
	memset(body, 'x', WEB_BODY_MAX);
	web_guard_init(&guard, base, input, &guard_ops, &much);
	evbuffer_add_printf(
	    input, "POST / HTTP/1.1\r\nContent-Length: %u\r\n\r\n", WEB_BODY_MAX);
	evbuffer_add(input, body, WEB_BODY_MAX);
	assert_int_equal(much, 0);
	while (evbuffer_get_length(input) <= WEB_INPUT_MAX / 2) {
		assert_int_equal(much, 0);
		evbuffer_add(input, GET, sizeof GET - 1);
	}
	assert_int_not_equal(much, 0);
	web_guard_clear(&guard);
	free(body);
	evbuffer_free(input);
	event_base_free(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_evhttp_gets),
		cmocka_unit_test(test_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
