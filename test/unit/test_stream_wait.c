/* Commands that wait for a stream, and what was typed behind them: a stream may tell
 * its news from deep inside itself, and nobody closes it meanwhile. */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "module_fixture.h"
#include "stream/stream.h"

struct fake {
	struct stream stream;
	size_t room, waiting;
	bool telling, has_ended, is_closed;
};

static ssize_t
fake_read(struct stream *stream, void *bytes, size_t len)
{
	struct fake *fake = (struct fake *)stream;

	len = len < fake->waiting ? len : fake->waiting;
	memset(bytes, 'r', len);
	fake->waiting -= len;
	return (ssize_t)len;
}

static ssize_t
fake_write(struct stream *stream, const void *bytes, size_t len)
{
	struct fake *fake = (struct fake *)stream;

	(void)bytes;
	if (len <= fake->room)
		return (ssize_t)len;
	errno = EAGAIN;
	return -1;
}

static bool
fake_has_room(const struct stream *stream, size_t len)
{
	return len <= ((const struct fake *)stream)->room;
}

static enum stream_status
fake_poll(const struct stream *stream)
{
	return ((const struct fake *)stream)->has_ended ? STREAM_CLOSED : STREAM_IDLE;
}

static void
fake_info(const struct stream *stream, struct stream_info *info)
{
	*info =
	    (struct stream_info){ .waiting = ((const struct fake *)stream)->waiting };
}

static void
fake_close(struct stream *stream)
{
	struct fake *fake = (struct fake *)stream;

	assert_false(fake->telling);
	fake->is_closed = true;
}

static const struct stream_ops fake_ops = {
	.type = "FAKE",
	.kind = STREAM_KIND_TCP_CLIENT,
	.read = fake_read,
	.write = fake_write,
	.has_room = fake_has_room,
	.poll = fake_poll,
	.info = fake_info,
	.close = fake_close,
};

static void
fake_open(struct fixture *fixture, struct fake *fake)
{
	struct module *module = fixture->module;

	*fake = (struct fake){ .room = 0 };
	stream_init(&fake->stream, &fake_ops);
	if (module->streams == NULL)
		module->streams = stream_table_new();
	assert_int_equal(stream_add(module->streams, &fake->stream), 0);
}

/* A module with such a stream, and a session that says answers alone. */
static struct captured *
set_up(struct fixture *fixture, struct fake *fake)
{
	struct captured *captured;

	fixture_open(fixture, NULL);
	module_boot(fixture->module);
	captured = captured_open(fixture, NULL);
	captured_type(captured, "set system.cmd.echo 0\r\n"
				"set system.cmd.prompt_enabled 0\r\n"
				"set bus.command.read_timeout 60000\r\n");
	captured_take(captured);
	fake_open(fixture, fake);
	return captured;
}

static void
fake_tell(struct fake *fake, enum stream_event event)
{
	fake->telling = true;
	stream_tell(&fake->stream, event);
	fake->telling = false;
}

static void
test_closed_behind_an_answer(void **state)
{
	static const struct {
		const char *typed;
		enum stream_event event;
		size_t room, waiting;
		const char *answer;
	} cases[] = {
		{ "stream_write 0 4\r\nbody", STREAM_EVENT_ROOM, 4, 0, "Success\r\n" },
		{ "stream_write 0 4\r\nbody", STREAM_EVENT_END, 0, 0,
		    "Command failed\r\n" },
		{ "stream_read 0 4\r\n", STREAM_EVENT_DATA, 0, 4, "rrrr\r\n" },
		{ "stream_read 0 4\r\n", STREAM_EVENT_END, 0, 2, "rr\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct captured *captured;
		struct fixture fixture;
		struct fake fake;

		captured = set_up(&fixture, &fake);
		captured_type(captured, cases[i].typed);
		captured_type(captured, "stream_close 0\r\n");
		fixture_turn(&fixture);
		assert_string_equal(captured_take(captured), "");
		fake.room = cases[i].room;
		fake.waiting = cases[i].waiting;
		fake_tell(&fake, cases[i].event);
		assert_false(fake.is_closed);
		fixture_turn(&fixture);
		assert_true(fake.is_closed);
		assert_memory_equal(
		    captured_take(captured), cases[i].answer, strlen(cases[i].answer));
		fixture_close(&fixture);
	}
}

/* News that is none for the command, and the end of the stream itself. */
static void
test_waits_on(void **state)
{
	struct captured *captured;
	struct fixture fixture;
	struct fake fake;

	(void)state;
	captured = set_up(&fixture, &fake);
	captured_type(captured, "stream_write 0 4\r\nbody");
	fake_tell(&fake, STREAM_EVENT_DATA);
	fake_tell(&fake, STREAM_EVENT_ROOM);
	fixture_turn(&fixture);
	assert_string_equal(captured_take(captured), "");
	fake_tell(&fake, STREAM_EVENT_ROOM);
	stream_close(fixture.module->streams, 0);
	fixture_turn(&fixture);
	assert_string_equal(captured_take(captured), "Command failed\r\n");
	fixture_close(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_closed_behind_an_answer),
		cmocka_unit_test(test_waits_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
