/* stream/tcp_stream.c: what becomes of a stream that is closed before its peer has
 * taken all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "stream/tcp.h"

#define PIECE 10000
#define STREAMS (STREAM_LINGER_MAX + 1)

struct fixture {
	struct event_base *base;
	struct stream_lingering lingering;

	int peers[STREAMS];
	size_t written[STREAMS];
};

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->base = event_base_new();
	TAILQ_INIT(&fixture->lingering);
	memset(fixture->peers, -1, sizeof fixture->peers);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	stream_drop(&fixture->lingering);
	for (unsigned i = 0; i < STREAMS; i++) {
		if (fixture->peers[i] != -1)
			close(fixture->peers[i]);
	}
	event_base_free(fixture->base);
	free(fixture);
	return 0;
}

static void
turn(struct fixture *fixture)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(fixture->base, EVLOOP_NONBLOCK);
}

static unsigned
count(const struct fixture *fixture)
{
	const struct stream *stream;
	unsigned n = 0;

	TAILQ_FOREACH (stream, &fixture->lingering, entry)
		n++;
	return n;
}

/* A stream with as much as it takes, and closed. */
static void
close_full(struct fixture *fixture, unsigned i)
{
	static const char bytes[PIECE] = { 'x' };
	struct stream *stream;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fixture->peers[i] = fds[1];
	stream = tcp_stream_new(fixture->base, fds[0], false, "info", 0);
	stream->lingering = &fixture->lingering;
	while (stream->ops->write(stream, bytes, sizeof bytes) > 0)
		fixture->written[i] += sizeof bytes;
	assert_true(fixture->written[i] >= TCP_SEND_MAX);
	stream->ops->close(stream);
}

/* Reads what comes; up to the end if is_over. */
static size_t
drain(struct fixture *fixture, unsigned i, bool *is_over)
{
	char bytes[PIECE];
	size_t got = 0;
	ssize_t n = 0;

	for (int quiet = 0; quiet < 2; quiet++) {
		while ((n = read(fixture->peers[i], bytes, sizeof bytes)) > 0) {
			got += (size_t)n;
			quiet = 0;
		}
		turn(fixture);
	}
	*is_over = n == 0;
	return got;
}

static void
test_all_arrives(void **state)
{
	struct fixture *fixture = *state;
	bool is_over;

	close_full(fixture, 0);
	turn(fixture);
	assert_int_equal(count(fixture), 1);
	assert_int_equal(drain(fixture, 0, &is_over), fixture->written[0]);
	assert_true(is_over);
	/* It stays until the peer has ended, too. */
	assert_int_equal(count(fixture), 1);
	assert_int_equal(write(fixture->peers[0], "dropped", 7), 7);
	turn(fixture);
	assert_int_equal(count(fixture), 1);
	shutdown(fixture->peers[0], SHUT_WR);
	turn(fixture);
	assert_int_equal(count(fixture), 0);
}

static void
test_peer_that_has_ended_reads_on(void **state)
{
	struct fixture *fixture = *state;
	bool is_over;

	close_full(fixture, 0);
	shutdown(fixture->peers[0], SHUT_WR);
	turn(fixture);
	assert_int_equal(drain(fixture, 0, &is_over), fixture->written[0]);
	assert_true(is_over);
	assert_int_equal(count(fixture), 0);
}

static void
test_peer_that_goes(void **state)
{
	struct fixture *fixture = *state;

	close_full(fixture, 0);
	close(fixture->peers[0]);
	fixture->peers[0] = -1;
	turn(fixture);
	assert_int_equal(count(fixture), 0);
}

static void
test_oldest_is_given_up(void **state)
{
	struct fixture *fixture = *state;
	bool is_over;

	for (unsigned i = 0; i < STREAMS; i++)
		close_full(fixture, i);
	assert_int_equal(count(fixture), STREAM_LINGER_MAX);
	assert_true(drain(fixture, 0, &is_over) < fixture->written[0]);
	assert_true(is_over);
	assert_int_equal(drain(fixture, 1, &is_over), fixture->written[1]);
}

static int
expire(const struct event_base *base, const struct event *event, void *arg)
{
	(void)base;
	if (event_pending(event, EV_TIMEOUT, NULL))
		*(struct event **)arg = (struct event *)(uintptr_t)event;
	return 0;
}

static void
test_it_has_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct event *timer = NULL;

	close_full(fixture, 0);
	event_base_foreach_event(fixture->base, expire, &timer);
	assert_non_null(timer);
	event_active(timer, EV_TIMEOUT, 0);
	turn(fixture);
	assert_int_equal(count(fixture), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_arrives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_peer_that_has_ended_reads_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peer_that_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_oldest_is_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_has_a_limit, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
