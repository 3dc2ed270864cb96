/* The bytes are a command line. It is split, and checked against what each command of
 * the table takes; whatever passes keeps to its specification. */

#include <string.h>

#include "cmd/table.h"
#include "core/args.h"
#include "core/command.h"
#include "fuzz.h"

static const char *const fuzz_args_words[] = { "on", "off", NULL };

/* Every type of argument, so that none waits for a command that uses it. */
static const struct arg_spec fuzz_args_all[] = {
	{ .name = "v", .type = ARG_OPTION },
	{ .name = "c", .type = ARG_OPTION_TEXT, .min = 1, .max = 4 },
	{ .name = "l", .type = ARG_OPTION_NUMBER, .min = 0, .max = 65535 },
	{ .name = "number", .type = ARG_NUMBER, .min = -1, .max = 31 },
	{ .name = "choice",
	    .type = ARG_CHOICE,
	    .optional = true,
	    .choices = fuzz_args_words },
	{ .name = "text", .type = ARG_TEXT, .optional = true, .min = 1, .max = 8 },
	{ .name = "rest", .type = ARG_REST },
	{ .name = NULL },
};

static bool
fuzz_args_is_choice(const struct arg_spec *spec, const char *text)
{
	for (size_t i = 0; spec->choices[i] != NULL; i++)
		if (text == spec->choices[i])
			return true;
	return false;
}

static void
fuzz_args_check_value(const struct args *args, const struct arg_spec *spec)
{
	const char *text = args_text(args, spec->name);
	int64_t number = args_number(args, spec->name, spec->min);

	if (!args_has(args, spec->name))
		return;
	if (spec->type == ARG_NUMBER || spec->type == ARG_OPTION_NUMBER)
		FUZZ_REQUIRE(number >= spec->min && number <= spec->max);
	if (spec->type == ARG_CHOICE || spec->type == ARG_OPTION_CHOICE)
		FUZZ_REQUIRE(fuzz_args_is_choice(spec, text));
	if (spec->type == ARG_TEXT || spec->type == ARG_OPTION_TEXT) {
		FUZZ_REQUIRE((int64_t)strlen(text) >= spec->min);
		FUZZ_REQUIRE(spec->max == 0 || (int64_t)strlen(text) <= spec->max);
	}
}

static void
fuzz_args_check_passed(const struct args *args, const struct arg_spec *specs)
{
	for (const struct arg_spec *spec = specs; spec->name != NULL; spec++) {
		const struct token *rest;
		size_t count;

		if (spec->type != ARG_REST) {
			FUZZ_REQUIRE(spec->optional || args_has(args, spec->name) ||
				     args_is_switch(spec));
			fuzz_args_check_value(args, spec);
			continue;
		}
		rest = args_rest(args, &count);
		FUZZ_REQUIRE(count <= ARGS_TOKENS_MAX);
		for (size_t i = 0; i < count; i++)
			FUZZ_REQUIRE(strlen(rest[i].text) == rest[i].len);
	}
	FUZZ_REQUIRE(!args_has(args, "no such argument"));
}

static enum result
fuzz_args_line(const char *line, size_t len, const struct arg_spec *specs)
{
	struct args *args;
	enum result result = args_parse(&args, line, len);

	FUZZ_REQUIRE(result == RESULT_OK || result == RESULT_PARSE_ERROR);
	if (result == RESULT_OK) {
		for (size_t i = 0; i < args->count; i++)
			FUZZ_REQUIRE(
			    strlen(args->tokens[i].text) == args->tokens[i].len);
		if (args->count > 0) {
			result = args_check(args, specs);
			FUZZ_REQUIRE(result >= RESULT_OK && result < RESULT_COUNT);
			if (result == RESULT_OK && specs != NULL)
				fuzz_args_check_passed(args, specs);
		}
	}
	args_free(args);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data;

	if (fuzz_args_line(line, size, fuzz_args_all) == RESULT_PARSE_ERROR)
		return 0;
	for (size_t i = 0; command_tables[i] != NULL; i++)
		for (const struct command *c = command_tables[i]; c->name != NULL; c++)
			fuzz_args_line(line, size, c->args);
	return 0;
}
