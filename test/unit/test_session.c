#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "core/event.h"
#include "core/request.h"
#include "core/variable.h"
#include "module_fixture.h"
#include "store/nvm.h"

/* Commands for these tests: one that answers when the test says so, one that fails so
 * late that its deadline comes first, one with payload. */

static struct {
	struct request *waiting; /* of "later" */
	unsigned started, cancelled;
} state;

static void
later_cancel(void *op)
{
	assert_ptr_equal(op, &state);
	state.waiting = NULL;
	state.cancelled++;
}

static enum result
later_run(struct request *request)
{
	state.waiting = request;
	state.started++;
	return request_defer(request, (unsigned)args_number(request->args, "ms", 60000),
	    later_cancel, &state);
}

static void
later_finish(enum result result)
{
	struct request *request = state.waiting;

	state.waiting = NULL;
	request_finish(request, result);
}

static enum result
count_run(struct request *request)
{
	response_line(&request->response, "%zu",
	    request->payload == NULL ? 0 : evbuffer_get_length(request->payload));
	return RESULT_OK;
}

static enum result
say_run(struct request *request)
{
	event_emit(request->session->module, EVENT_PROGRESS, "working");
	return request_success(request);
}

static const struct arg_spec later_args[] = {
	{ .name = "ms", .type = ARG_NUMBER, .optional = true, .max = 60000 },
	{ .name = NULL },
};

static const struct arg_spec count_args[] = {
	{ .name = "size", .type = ARG_NUMBER, .max = SESSION_PAYLOAD_MAX },
	{ .name = NULL },
};

static const struct command test_commands[] = {
	{ .name = "count", .args = count_args, .payload = "size", .run = count_run },
	{ .name = "later", .args = later_args, .run = later_run },
	{ .name = "say", .alias = "sy", .other_name = "tell", .run = say_run },
	{ .name = NULL },
};

static const struct command *const test_tables[] = { test_commands, NULL };

struct test {
	struct fixture fixture;
	struct captured *a, *b;
	bool a_freed, b_freed;
};

static int
set_up(void **out)
{
	struct test *test = calloc(1, sizeof *test);

	memset(&state, 0, sizeof state);
	fixture_open(&test->fixture, test_tables);
	test->a = captured_open(&test->fixture, &test->a_freed);
	test->b = captured_open(&test->fixture, &test->b_freed);
	module_boot(test->fixture.module);
	assert_non_null(strstr(captured_take(test->a), "[Ready]\r\n> "));
	captured_take(test->b);
	*out = test;
	return 0;
}

static int
tear_down(void **in)
{
	struct test *test = *in;

	fixture_close(&test->fixture);
	free(test);
	return 0;
}

static void
test_deferred_command_answers_later(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "later\r\nsay\r\n");
	assert_string_equal(captured_take(test->a), "later\r\n");
	later_finish(RESULT_OK);
	assert_string_equal(
	    captured_take(test->a), "> say\r\nworking\r\nSuccess\r\n> ");
}

static void
test_deadline_cancels_and_fails(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "later 1\r\n");
	captured_take(test->a);
	while (state.cancelled == 0)
		event_base_loop(test->fixture.base, EVLOOP_ONCE);
	assert_string_equal(captured_take(test->a), "Command failed\r\n> ");
	assert_int_equal(state.cancelled, 1);
}

static void
test_one_command_at_a_time_first_come_first_served(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "later\r\n");
	captured_type(test->b, "later\r\n");
	captured_type(test->a, "say\r\n");
	assert_int_equal(state.started, 1);
	later_finish(RESULT_OK);
	assert_int_equal(state.started, 2);
	assert_string_equal(captured_take(test->a), "later\r\n> say\r\n");
	later_finish(RESULT_FAILED);
	assert_string_equal(
	    captured_take(test->b), "later\r\nCommand failed\r\n> working\r\n");
	assert_string_equal(captured_take(test->a), "working\r\nSuccess\r\n> ");
}

static void
test_closing_cancels_the_running_command(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "later\r\n");
	captured_type(test->b, "say\r\n");
	session_close(&test->a->session);
	assert_int_equal(state.cancelled, 1);
	assert_false(test->a_freed);
	/* The one that waited has its turn at once. */
	assert_non_null(strstr(captured_take(test->b), "Success\r\n> "));
	fixture_turn(&test->fixture);
	assert_true(test->a_freed);
}

static void
test_closing_takes_a_waiting_command_out_of_the_queue(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "later\r\n");
	captured_type(test->b, "later\r\n");
	session_close(&test->b->session);
	fixture_turn(&test->fixture);
	assert_true(test->b_freed);
	assert_int_equal(test->fixture.module->queue_length, 0);
	later_finish(RESULT_OK);
	assert_int_equal(state.started, 1);
	assert_int_equal(state.cancelled, 0);
}

static void
test_freeing_the_module_cancels_what_runs(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "later\r\n");
	captured_type(test->b, "count 5\r\nab");
	/* tear_down() does it; the sanitizers see what would be left. */
}

static void
test_payload_follows_each_line_ending(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "count 3\r\n\nab");
	captured_type(test->a, "count 3\nabc");
	captured_type(test->a, "count 3\rabc");
	assert_string_equal(captured_take(test->a),
	    "count 3\r\n3\r\n> count 3\r\n3\r\n> count 3\r\n3\r\n> ");
}

static void
test_payload_in_pieces_and_a_command_behind_it(void **in)
{
	struct test *test = *in;

	captured_type(test->a, "count 4\r\na");
	captured_type(test->a, "\r\n");
	captured_type(test->a, "bsay\r\n");
	assert_string_equal(captured_take(test->a),
	    "count 4\r\n4\r\n> say\r\nworking\r\nSuccess\r\n> ");
}

static void
test_missing_payload_times_out(void **in)
{
	struct test *test = *in;
	struct module *module = test->fixture.module;

	variable_set(module,
	    catalog_variable(module->catalog, "bus.command.write_timeout", 25), NULL,
	    "1", 1);
	captured_type(test->a, "count 4\r\nab");
	captured_take(test->a);
	test->a->replies = 0;
	while (test->a->replies == 0)
		event_base_loop(test->fixture.base, EVLOOP_ONCE);
	assert_string_equal(captured_take(test->a), "Command failed\r\n> ");
	/* What came is gone: the next bytes are a command again. */
	captured_type(test->a, "count 0\r\n");
	assert_string_equal(captured_take(test->a), "count 0\r\n0\r\n> ");
}

static void
test_full_input_is_told_when_it_drains(void **in)
{
	struct test *test = *in;
	char line[1024];

	memset(line, ' ', sizeof line - 2);
	line[sizeof line - 2] = '\n';
	line[sizeof line - 1] = '\0';
	captured_type(test->a, "later\n");
	while (session_input_length(&test->a->session) < SESSION_INPUT_MAX)
		captured_type(test->a, line);
	assert_int_equal(test->a->drained, 0);
	later_finish(RESULT_OK);
	assert_int_equal(test->a->drained, 1);
	assert_int_equal(session_input_length(&test->a->session), 0);
}

static void
test_submitted_commands(void **in)
{
	struct test *test = *in;
	struct session *session = &test->a->session;
	struct evbuffer *data = evbuffer_new();

	session_submit(session, "say\r\n", 5, NULL, false);
	assert_string_equal(captured_take(test->a), "working\r\nSuccess\r\n> ");
	session_submit(session, "say", 3, NULL, true);
	assert_string_equal(captured_take(test->a), "Success\r\n> ");
	session_submit(session, "say\r\nsay", 8, NULL, false);
	assert_string_equal(captured_take(test->a), "Parse error\r\n> ");
	session_submit(session, "say\0", 4, NULL, false);
	assert_string_equal(captured_take(test->a), "Parse error\r\n> ");
	session_submit(session, "", 0, NULL, false);
	assert_string_equal(captured_take(test->a), "> ");
	session_submit(session, "count 3", 7, NULL, false);
	assert_string_equal(captured_take(test->a), "Command failed\r\n> ");
	evbuffer_add(data, "abcd", 4);
	session_submit(session, "count 3", 7, data, false);
	assert_string_equal(captured_take(test->a), "3\r\n> ");
}

/* As http_read means http_read_status too. No prefix of a name does. */
static void
test_names_of_a_command(void **in)
{
	static const char *const good[] = { "say", "sy", "tell", "TELL" };
	static const char *const bad[] = { "sa", "te", "tellx", "s" };
	struct test *test = *in;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		session_submit(&test->a->session, good[i], strlen(good[i]), NULL, true);
		assert_string_equal(captured_take(test->a), "Success\r\n> ");
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		session_submit(&test->a->session, bad[i], strlen(bad[i]), NULL, true);
		assert_string_equal(captured_take(test->a), "Unknown command\r\n> ");
	}
}

static void
test_queue_has_a_limit(void **in)
{
	struct test *test = *in;
	struct captured *extra[MODULE_QUEUE_MAX + 1];

	captured_type(test->a, "later\r\n");
	for (size_t i = 0; i <= MODULE_QUEUE_MAX; i++) {
		extra[i] = captured_open(&test->fixture, NULL);
		captured_type(extra[i], "say\r\n");
	}
	assert_string_equal(captured_take(extra[MODULE_QUEUE_MAX - 1]), "say\r\n");
	assert_string_equal(
	    captured_take(extra[MODULE_QUEUE_MAX]), "say\r\nCommand failed\r\n> ");
	later_finish(RESULT_OK);
	assert_int_equal(extra[MODULE_QUEUE_MAX - 1]->replies, 1);
}

/* The timer of system.gotosleep.timeout fires while answers hold up a reboot. */
static void
test_reboot_before_sleep(void **in)
{
	struct test *test = *in;
	struct module *module = test->fixture.module;

	variable_set(module,
	    catalog_variable(module->catalog, "system.gotosleep.timeout", 24), NULL,
	    "3600", 4);
	assert_int_equal(nvm_commit(module->nvm), 0);
	module_boot(module);
	module_reply_started(module);
	module_leave(module, &module_step_reboot);
	event_active(module->sleep_timer, EV_TIMEOUT, 0);
	event_base_loop(test->fixture.base, EVLOOP_NONBLOCK);
	assert_int_equal(module->state, MODULE_LEAVING);
	module_reply_done(module);
	fixture_turn(&test->fixture);
	assert_int_equal(module->state, MODULE_RUNNING);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_deferred_command_answers_later),
		TEST(test_deadline_cancels_and_fails),
		TEST(test_one_command_at_a_time_first_come_first_served),
		TEST(test_closing_cancels_the_running_command),
		TEST(test_closing_takes_a_waiting_command_out_of_the_queue),
		TEST(test_freeing_the_module_cancels_what_runs),
		TEST(test_payload_follows_each_line_ending),
		TEST(test_payload_in_pieces_and_a_command_behind_it),
		TEST(test_missing_payload_times_out),
		TEST(test_full_input_is_told_when_it_drains),
		TEST(test_submitted_commands),
		TEST(test_names_of_a_command),
		TEST(test_queue_has_a_limit),
		TEST(test_reboot_before_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
