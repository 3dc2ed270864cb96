/* front/bridge.c between a stream of this file and a port that is away. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/variable.h"
#include "front/bridge.h"
#include "front/console_port.h"
#include "module_fixture.h"
#include "stream/stream.h"

#define READS_MAX 1000 /* after which the endless stream ends, to fail and not hang */

struct source {
	struct stream stream;
	unsigned reads; /* since the test looked last */
	bool is_endless;
	bool is_full; /* it takes nothing */
	size_t write_max; /* it takes no more at a time; 0: any number */
};

struct bridge_fixture {
	struct fixture module;
	struct console_port *port; /* the session's own */
	struct source source;
	struct bridge *bridge;
};

static ssize_t
source_read(struct stream *stream, void *buf, size_t len)
{
	struct source *source = (struct source *)stream;

	(void)buf;
	if (!source->is_endless || source->reads == READS_MAX)
		return 0;
	source->reads++;
	return (ssize_t)len;
}

static ssize_t
source_write(struct stream *stream, const void *buf, size_t len)
{
	const struct source *source = (const struct source *)stream;

	(void)buf;
	errno = EAGAIN;
	return source->is_full || (source->write_max > 0 && len > source->write_max)
		   ? -1
		   : (ssize_t)len;
}

static bool
source_has_room(const struct stream *stream, size_t len)
{
	(void)len;
	return !((const struct source *)stream)->is_full;
}

static enum stream_status
source_poll(const struct stream *stream)
{
	(void)stream;
	return STREAM_IDLE;
}

static const struct stream_ops source_ops = {
	.type = "TEST",
	.kind = STREAM_KIND_TCP_SERVER,
	.read = source_read,
	.write = source_write,
	.has_room = source_has_room,
	.poll = source_poll,
};

static void
port_free(struct session *session)
{
	console_port_clear((struct console_port *)session);
	free(session);
}

static const struct session_ops port_ops = {
	.reply = console_port_reply,
	.notice = console_port_notice,
	.drained = console_port_drained,
	.free = port_free,
};

static int
set_up(void **state)
{
	struct bridge_fixture *fixture = calloc(1, sizeof *fixture);

	fixture_open(&fixture->module, NULL);
	fixture->port = calloc(1, sizeof *fixture->port);
	fixture->port->fd = -1;
	session_init(
	    &fixture->port->session, fixture->module.module, SESSION_SERIAL, &port_ops);
	module_boot(fixture->module.module);
	stream_init(&fixture->source.stream, &source_ops);
	fixture->bridge = bridge_new(fixture->port);
	bridge_start(fixture->bridge);
	bridge_offer(fixture->bridge, &fixture->source.stream);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct bridge_fixture *fixture = *state;

	bridge_free(fixture->bridge);
	fixture_close(&fixture->module);
	free(fixture);
	return 0;
}

static unsigned
reads_taken(struct bridge_fixture *fixture)
{
	unsigned reads = fixture->source.reads;

	fixture->source.reads = 0;
	return reads;
}

/* A port that is away takes all there is; so much on a turn of the loop, and
 * the rest on others. */
static void
test_endless_stream(void **state)
{
	struct bridge_fixture *fixture = *state;

	fixture->source.is_endless = true;
	stream_tell(&fixture->source.stream, STREAM_EVENT_DATA);
	assert_in_range(reads_taken(fixture), 1, READS_MAX / 2);
	for (int i = 0; i < 10; i++) {
		event_base_loop(fixture->module.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		assert_in_range(reads_taken(fixture), 1, READS_MAX / 2);
	}
}

/* What was collected before a break goes on waiting for its stream, and commands run
 * meanwhile. */
static void
test_full_stream_holds_no_commands(void **state)
{
	struct bridge_fixture *fixture = *state;
	char bytes[2000] = { 'x' };

	fixture->source.is_full = true;
	assert_int_equal(
	    bridge_input(fixture->bridge, bytes, sizeof bytes), sizeof bytes);
	assert_true(fixture->port->held);
	bridge_break(fixture->bridge);
	assert_false(fixture->port->held);
	stream_tell(&fixture->source.stream, STREAM_EVENT_ROOM);
	assert_false(fixture->port->held);
	bridge_start(fixture->bridge);
	stream_tell(&fixture->source.stream, STREAM_EVENT_ROOM);
	assert_true(fixture->port->held);
	fixture->source.is_full = false;
	stream_tell(&fixture->source.stream, STREAM_EVENT_ROOM);
	assert_false(fixture->port->held);
}

static void
set(struct bridge_fixture *fixture, const char *name, const char *text)
{
	const struct variable *variable =
	    catalog_variable(fixture->module.catalog, name, strlen(name));

	assert_int_equal(
	    variable_set(fixture->module.module, variable, NULL, text, strlen(text)),
	    RESULT_OK);
	bridge_start(fixture->bridge);
}

/* Reference: network notes, section 4: the larger of flush_count and rx_bufsize. */
static void
test_what_waits_for_a_full_stream(void **state)
{
	struct bridge_fixture *fixture = *state;
	char bytes[200] = { 'x' };

	assert_int_equal(bridge_room(fixture->bridge), CONSOLE_READ_SIZE);
	fixture->source.is_full = true;
	assert_int_equal(bridge_room(fixture->bridge), 256);
	set(fixture, "bus.stream.flush_count", "1000");
	assert_int_equal(bridge_room(fixture->bridge), 1000);
	set(fixture, "bus.command.rx_bufsize", "3000");
	assert_int_equal(bridge_room(fixture->bridge), 3000);
	bridge_input(fixture->bridge, bytes, sizeof bytes);
	assert_int_equal(bridge_room(fixture->bridge), 2800);
}

/* Less room than what waits, because another stream never makes more. */
static void
test_it_goes_by_parts(void **state)
{
	struct bridge_fixture *fixture = *state;
	char bytes[3000] = { 'x' };

	set(fixture, "bus.command.rx_bufsize", "3000");
	fixture->source.is_full = true;
	bridge_input(fixture->bridge, bytes, sizeof bytes);
	assert_true(fixture->port->held);
	fixture->source.is_full = false;
	fixture->source.write_max = 400;
	stream_tell(&fixture->source.stream, STREAM_EVENT_ROOM);
	assert_false(fixture->port->held);
	/* Not byte by byte. */
	fixture->source.write_max = 1;
	bridge_input(fixture->bridge, bytes, sizeof bytes);
	assert_true(fixture->port->held);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_endless_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_full_stream_holds_no_commands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_what_waits_for_a_full_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_it_goes_by_parts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
