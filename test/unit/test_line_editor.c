#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/line_editor.h"

#define MAX 40

static char echoed[4096];
static size_t echoed_len;

static void
keep_echo(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	assert_true(echoed_len + len < sizeof echoed);
	memcpy(echoed + echoed_len, bytes, len);
	echoed_len += len;
	echoed[echoed_len] = '\0';
}

static int
set_up(void **out)
{
	*out = line_editor_new(MAX, keep_echo, NULL);
	echoed_len = 0;
	echoed[0] = '\0';
	return 0;
}

static int
tear_down(void **in)
{
	line_editor_free(*in);
	return 0;
}

/* Types all bytes, byte by byte or at once, and gives the first line that ends. */
static const char *
type(struct line_editor *editor, const char *bytes, bool at_once)
{
	static char line[MAX + 1];
	size_t len = strlen(bytes), taken, at = 0, line_len;
	bool overlong;

	echoed_len = 0;
	echoed[0] = '\0';
	while (at < len) {
		enum line_status status = line_editor_feed(
		    editor, bytes + at, at_once ? len - at : 1, true, &taken);

		at += taken;
		if (status == LINE_DONE) {
			const char *text =
			    line_editor_text(editor, &line_len, &overlong);

			assert_false(overlong);
			memcpy(line, text, line_len);
			line[line_len] = '\0';
			return line;
		}
	}
	return NULL;
}

static void
test_keys(void **in)
{
	static const struct {
		const char *typed, *line;
	} cases[] = {
		{ "get\r", "get" },
		{ "geet\b\bt\r", "get" },
		{ "geet\x7F\x7Ft\r", "get" },
		{ "\b\bget\r", "get" },
		{ "gt\x1B[De\r", "get" },
		{ "gt\x1BODe\r", "get" },
		{ "et\x1B[Hg\r", "get" },
		{ "et\x1B[1~g\r", "get" },
		{ "et\x01g\r", "get" },
		{ "et\x1B[Hg\x1B[F x\r", "get x" },
		{ "et\x01g\x05 x\r", "get x" },
		{ "geet\x1B[D\x1B[D\x1B[3~\r", "get" },
		{ "gt\x1B[D\x1B[D\x1B[D\x1B[Ce\r", "get" },
		{ "rubbish\x15get\r", "get" },
		{ "\x01\x02\tge\x01\x05t\x1F\r", "get" },
		{ "g\x1B[200~et\r", "get" }, /* a sequence that means nothing here */
		{ "g\x1B[12345678901234567890~et\r", "get" },
		{ "g\x1B[\x1B[Det\x05\r", "etg" }, /* one broken off by another */
		{ "ge\x1Bt\r", "get" },
		{ "\xC3\xA9\xFF\x80\r", "\xC3\xA9\xFF\x80" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (int at_once = 0; at_once < 2; at_once++) {
			line_editor_reset(*in);
			assert_string_equal(
			    type(*in, cases[i].typed, at_once == 1), cases[i].line);
		}
	}
}

static void
test_echo_bytes(void **in)
{
	type(*in, "abc\r", true);
	assert_string_equal(echoed, "abc\r\n");
	type(*in, "abc\n", true);
	assert_string_equal(echoed, "abc\r\n");
	type(*in, "ab\b\r", true);
	assert_string_equal(echoed, "ab\b \b\r\n");
	type(*in, "ac\x1B[Db\r", true);
	assert_string_equal(echoed, "ac\b"
				    "bc\b"
				    "\r\n");
}

static void
test_history_of_five(void **in)
{
	static const char up[] = "\x1B[A", down[] = "\x1B[B";
	char typed[64];

	for (int i = 1; i <= 6; i++) {
		snprintf(typed, sizeof typed, "%d\r", i);
		type(*in, typed, true);
	}
	type(*in, "6\r", true); /* the same again counts once */
	snprintf(typed, sizeof typed, "%s%s\r", up, up);
	assert_string_equal(type(*in, typed, true), "5");
	/* Newest first now: 5 6 5 4 3. */
	snprintf(typed, sizeof typed, "%s%s%s%s%s%s%s\r", up, up, up, up, up, up, up);
	assert_string_equal(type(*in, typed, true), "3");
	snprintf(typed, sizeof typed, "x%s%s%s%sy\r", up, up, down, down);
	assert_string_equal(type(*in, typed, true), "y");
}

static void
test_overlong_line(void **in)
{
	struct line_editor *editor = *in;
	char bytes[MAX + 11];
	bool overlong;
	size_t taken, len;

	memset(bytes, 'a', sizeof bytes);
	assert_int_equal(
	    line_editor_feed(editor, bytes, sizeof bytes, true, &taken), LINE_OPEN);
	assert_int_equal(echoed_len, sizeof bytes);
	assert_int_equal(line_editor_feed(editor, "\r", 1, true, &taken), LINE_DONE);
	line_editor_text(editor, &len, &overlong);
	assert_true(overlong);
	assert_int_equal(len, MAX);
	assert_string_equal(type(editor, "ver\r", true), "ver");
	/* It is not worth remembering. */
	assert_string_equal(type(editor, "\x1B[A\x1B[A\r", true), "ver");
}

static void
test_control_c_drops_the_line(void **in)
{
	size_t taken;

	assert_int_equal(
	    line_editor_feed(*in, "get\x03ver", 7, true, &taken), LINE_DROPPED);
	assert_int_equal(taken, 4);
	assert_string_equal(echoed, "get\r\n");
	assert_string_equal(type(*in, "ver\r", true), "ver");
}

static void
test_echo_off(void **in)
{
	size_t taken;

	assert_int_equal(
	    line_editor_feed(*in, "gey\bt\r", 6, false, &taken), LINE_DONE);
	assert_int_equal(echoed_len, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_keys),
		TEST(test_echo_bytes),
		TEST(test_history_of_five),
		TEST(test_overlong_line),
		TEST(test_control_c_drops_the_line),
		TEST(test_echo_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
