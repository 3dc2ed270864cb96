/* stream/tcp_stream.c: what becomes of a stream that is closed before its peer has
 * taken all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>

#include "stream/tcp.h"
#include "stream/tcp_wire.h"

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

static void
fill(struct fixture *fixture, unsigned i, struct stream *stream)
{
	static const char bytes[PIECE] = { 'x' };

	stream->lingering = &fixture->lingering;
	while (stream->ops->write(stream, bytes, sizeof bytes) > 0)
		fixture->written[i] += sizeof bytes;
	assert_true(fixture->written[i] >= TCP_SEND_MAX);
}

/* A stream with as much as it takes, and closed. */
static void
close_full(struct fixture *fixture, unsigned i)
{
	struct stream *stream;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fixture->peers[i] = fds[1];
	stream = tcp_stream_new(fixture->base, fds[0], false, "info", 0);
	fill(fixture, i, stream);
	stream->ops->close(stream);
}

/* Two ends of a TCP connection, of which the second keeps little. */
static void
connect_pair(int fds[2])
{
	static const struct tcp_keepalive keepalive = {
		.idle_s = 60, .interval_s = 10, .count = 3, .receive_max = 4096
	};
	struct sockaddr_in sin = { .sin_port = 0 };
	socklen_t len = sizeof sin;
	int listener = tcp_listen("127.0.0.1", 0, &keepalive);

	assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&sin, len), 0);
	fds[1] = accept(listener, NULL, NULL);
	assert_int_not_equal(fds[1], -1);
	close(listener);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
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

/* What it sent before is unread, and would make close() a reset. */
static void
test_peer_that_has_sent_and_ended(void **state)
{
	struct fixture *fixture = *state;
	struct stream *stream;
	bool is_over;
	int fds[2];

	connect_pair(fds);
	fixture->peers[0] = fds[1];
	stream = tcp_stream_new(fixture->base, fds[0], false, "info", 0);
	fill(fixture, 0, stream);
	assert_int_equal(write(fds[1], "unread", 6), 6);
	shutdown(fds[1], SHUT_WR);
	turn(fixture);
	stream->ops->close(stream);
	assert_int_equal(drain(fixture, 0, &is_over), fixture->written[0]);
	assert_true(is_over);
	assert_int_equal(count(fixture), 0);
}

/* A wire that cannot read on before the socket takes more, as TLS at times. */
static unsigned stuck_receives;

static ssize_t
stuck_receive(struct tcp_wire *wire, void *buf, size_t len)
{
	struct pollfd now = { .fd = wire->fd, .events = POLLOUT };

	stuck_receives++;
	if (poll(&now, 1, 0) == 1)
		return recv(wire->fd, buf, len, 0);
	wire->wants_write = true;
	errno = EAGAIN;
	return -1;
}

static ssize_t
stuck_send(struct tcp_wire *wire, const void *buf, size_t len)
{
	return send(wire->fd, buf, len, MSG_NOSIGNAL);
}

static ssize_t
stuck_look(struct tcp_wire *wire)
{
	(void)wire;
	errno = EAGAIN;
	return -1;
}

static size_t
stuck_waiting(struct tcp_wire *wire)
{
	(void)wire;
	return 0;
}

static void
stuck_nothing(struct tcp_wire *wire)
{
	(void)wire;
}

static void
test_wire_that_wants_to_write(void **state)
{
	static const struct tcp_wire_ops ops = { .receive = stuck_receive,
		.send = stuck_send,
		.look = stuck_look,
		.waiting = stuck_waiting,
		.say_end = stuck_nothing,
		.free = stuck_nothing };
	struct tcp_wire wire = { .ops = &ops };
	struct fixture *fixture = *state;
	struct stream *stream;
	bool is_over;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fixture->peers[0] = fds[1];
	wire.fd = fds[0];
	stream = tcp_stream_over(fixture->base, &wire, false, "info", 0);
	fill(fixture, 0, stream);
	assert_int_equal(write(fds[1], "x", 1), 1);
	stream->ops->close(stream);
	stuck_receives = 0;
	turn(fixture);
	assert_int_equal(stuck_receives, 1);
	/* It goes on when the socket does. */
	assert_int_equal(drain(fixture, 0, &is_over), fixture->written[0]);
	assert_true(is_over);
	shutdown(fds[1], SHUT_WR);
	turn(fixture);
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
		cmocka_unit_test_setup_teardown(
		    test_peer_that_has_sent_and_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_wire_that_wants_to_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peer_that_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_oldest_is_given_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_has_a_limit, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
