#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/args.h"

static const char *const kinds[] = { "wlan", "softap", NULL };

static const struct arg_spec specs[] = {
	{ .name = "eu", .type = ARG_OPTION },
	{ .name = "o", .type = ARG_OPTION },
	{ .name = "crc", .type = ARG_OPTION_TEXT },
	{ .name = "local", .type = ARG_OPTION_NUMBER, .min = 1, .max = 65535 },
	{ .name = "file", .min = 1, .max = 8 },
	{ .name = "size", .type = ARG_NUMBER, .max = 100 },
	{ .name = "kind", .type = ARG_CHOICE, .optional = true, .choices = kinds },
	{ .name = NULL },
};

static enum result
check(const char *line, struct args **args)
{
	enum result result = args_parse(args, line, strlen(line));

	return result == RESULT_OK ? args_check(*args, specs) : result;
}

static void
test_results(void **state)
{
	static const struct {
		const char *line;
		enum result result;
	} cases[] = {
		{ "c a 1", RESULT_OK },
		{ "  c   a\t 1  ", RESULT_OK },
		{ "c a 0x10 SOFTAP", RESULT_OK },
		{ "c -o a 1", RESULT_OK },
		{ "c a 1 -o", RESULT_OK },
		{ "c -c 89F6 -l 3000 a 1 wlan", RESULT_OK },
		{ "c -oc 89F6 a 1", RESULT_OK },
		{ "c \"-o\" 1", RESULT_OK }, /* quoted: a name, not a switch */
		{ "c", RESULT_TOO_FEW_ARGUMENTS },
		{ "c a", RESULT_TOO_FEW_ARGUMENTS },
		{ "c a 1 wlan x", RESULT_TOO_MANY_ARGUMENTS },
		{ "c -x a 1", RESULT_UNKNOWN_OPTION },
		{ "c a 1 -c", RESULT_TOO_FEW_ARGUMENTS },
		{ "c -l 0 a 1", RESULT_INVALID_ARGUMENT },
		{ "c -l 65536 a 1", RESULT_INVALID_ARGUMENT },
		{ "c a 101", RESULT_INVALID_ARGUMENT },
		{ "c a -1", RESULT_INVALID_ARGUMENT },
		{ "c a 1x", RESULT_INVALID_ARGUMENT },
		{ "c a 99999999999999999999", RESULT_INVALID_ARGUMENT },
		{ "c \"\" 1", RESULT_INVALID_ARGUMENT },
		{ "c 123456789 1", RESULT_INVALID_ARGUMENT },
		{ "c a 1 eth", RESULT_INVALID_ARGUMENT },
		{ "c \"a 1", RESULT_PARSE_ERROR },
		{ "c \"", RESULT_PARSE_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct args *args = NULL;
		enum result result = check(cases[i].line, &args);

		if (result != cases[i].result)
			print_error("%s\n", cases[i].line);
		assert_int_equal(result, cases[i].result);
		args_free(args);
	}
}

static void
test_values(void **state)
{
	struct args *args = NULL;

	(void)state;
	assert_int_equal(
	    check("c -eo \"a \"b\"c\" 0x64 -c 0x89F6 Wlan", &args), RESULT_OK);
	assert_true(args_has(args, "eu"));
	assert_true(args_has(args, "o"));
	assert_false(args_has(args, "local"));
	assert_int_equal(args_number(args, "local", -7), -7);
	assert_string_equal(args_text(args, "crc"), "0x89F6");
	assert_string_equal(args_text(args, "file"), "a \"b\"c");
	assert_int_equal(args_number(args, "size", 0), 100);
	assert_string_equal(args_text(args, "kind"), "wlan");
	args_free(args);
}

static void
test_tokens_have_a_limit(void **state)
{
	char line[4 * ARGS_TOKENS_MAX + 8] = "";
	struct args *args = NULL;

	(void)state;
	for (int i = 0; i < ARGS_TOKENS_MAX; i++)
		strncat(line, "a ", sizeof line - strlen(line) - 1);
	assert_int_equal(args_parse(&args, line, strlen(line)), RESULT_OK);
	assert_int_equal(args->count, ARGS_TOKENS_MAX);
	args_free(args);
	strncat(line, "a", sizeof line - strlen(line) - 1);
	assert_int_equal(args_parse(&args, line, strlen(line)), RESULT_PARSE_ERROR);
	args_free(args);
	assert_int_equal(args_parse(&args, "a\0b", 3), RESULT_PARSE_ERROR);
	args_free(args);
}

static void
test_outermost_quotes(void **state)
{
	static const struct {
		const char *line, *inside;
	} cases[] = {
		{ "set s \"a\" b\"", "a\" b" },
		{ "set s \"a\" \"b\"  ", "a\" \"b" },
		{ "set s a\" b\"", NULL },
		{ "set s \"a\" b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *inside;
		struct args *args;
		size_t len = 0;

		assert_int_equal(
		    args_parse(&args, cases[i].line, strlen(cases[i].line)), RESULT_OK);
		inside = args_outermost(args, &args->tokens[2], &len);
		if (cases[i].inside == NULL) {
			assert_null(inside);
		} else {
			assert_int_equal(len, strlen(cases[i].inside));
			assert_memory_equal(inside, cases[i].inside, len);
		}
		args_free(args);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_tokens_have_a_limit),
		cmocka_unit_test(test_outermost_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
