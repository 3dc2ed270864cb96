#include "core/args.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/xmalloc.h"

/* What was given for one arg_spec. */
struct arg_value {
	bool present;
	const char *text; /* borrowed from the line */
	int64_t number;
};

static bool
args_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
args_ends_token(const char *at, const char *end)
{
	return at == end || args_is_blank(*at);
}

/* Cuts the next token out of the line. NULL when its quote stays open. */
static char *
args_next_token(char *at, char *end, struct token *token)
{
	char *stop = at;

	token->quoted = *at == '"';
	if (token->quoted) {
		token->text = ++at;
		for (stop = at; stop < end; stop++) {
			if (*stop == '"' && args_ends_token(stop + 1, end))
				break;
		}
		if (stop == end)
			return NULL;
	} else {
		token->text = at;
		while (!args_ends_token(stop, end))
			stop++;
	}
	token->len = (size_t)(stop - token->text);
	*stop = '\0';
	return stop == end ? end : stop + 1;
}

enum result
args_parse(struct args **out, const char *line, size_t len)
{
	struct args *args = xcalloc(1, sizeof *args);
	struct token tokens[ARGS_TOKENS_MAX];
	char *at, *end;

	*out = args;
	if (memchr(line, '\0', len) != NULL)
		return RESULT_PARSE_ERROR;
	args->length = len;
	args->line = xmalloc(2 * (len + 1));
	memcpy(args->line, line, len);
	args->line[len] = '\0';
	memcpy(args->line + len + 1, args->line, len + 1);
	for (at = args->line, end = args->line + len; at != NULL;) {
		while (at < end && args_is_blank(*at))
			at++;
		if (at >= end)
			break;
		if (args->count == ARGS_TOKENS_MAX)
			return RESULT_PARSE_ERROR;
		at = args_next_token(at, end, &tokens[args->count]);
		args->count++;
	}
	if (at == NULL)
		return RESULT_PARSE_ERROR;
	args->tokens = xmalloc(args->count * sizeof tokens[0]);
	if (args->count > 0)
		memcpy(args->tokens, tokens, args->count * sizeof tokens[0]);
	return RESULT_OK;
}

bool
args_is_switch(const struct arg_spec *spec)
{
	return spec->type == ARG_OPTION || spec->type == ARG_OPTION_TEXT ||
	       spec->type == ARG_OPTION_NUMBER || spec->type == ARG_OPTION_CHOICE;
}

/* "-e", "-u" and "-eu" alike: each letter of the token names one switch. A token is
 * taken for switches only when the command has some, so that "-1" stays a number. */
static bool
args_is_switch_token(const struct token *token)
{
	return !token->quoted && token->len >= 2 && token->text[0] == '-' &&
	       !(token->text[1] >= '0' && token->text[1] <= '9');
}

static enum result
args_convert(
    const struct arg_spec *spec, const struct token *token, struct arg_value *value)
{
	value->present = true;
	value->text = token->text;
	switch (spec->type) {
	case ARG_NUMBER:
	case ARG_OPTION_NUMBER:
		return number_parse(token->text, token->len, spec->min, spec->max,
			   &value->number) == 0
			   ? RESULT_OK
			   : RESULT_INVALID_ARGUMENT;
	case ARG_CHOICE:
	case ARG_OPTION_CHOICE:
		for (const char *const *choice = spec->choices; *choice != NULL;
		     choice++) {
			if (strcasecmp(*choice, token->text) == 0) {
				value->text = *choice;
				return RESULT_OK;
			}
		}
		return RESULT_INVALID_ARGUMENT;
	default:
		if ((int64_t)token->len < spec->min ||
		    (spec->max > 0 && (int64_t)token->len > spec->max))
			return RESULT_INVALID_ARGUMENT;
		return RESULT_OK;
	}
}

/* Takes one token of switches, and the words behind those that want one. */
static enum result
args_take_switches(struct args *args, size_t position)
{
	const char *letters = args->tokens[position].text + 1;
	size_t taken = 1;
	enum result result = RESULT_OK;

	for (; *letters != '\0' && result == RESULT_OK; letters++) {
		const struct arg_spec *spec = args->specs;
		struct arg_value *value = args->values;

		while (spec->name != NULL &&
		       !(args_is_switch(spec) && spec->name[0] == *letters)) {
			spec++;
			value++;
		}
		if (spec->name == NULL)
			return RESULT_UNKNOWN_OPTION;
		value->present = true;
		if (spec->type == ARG_OPTION)
			continue;
		if (position + taken >= args->count)
			return RESULT_TOO_FEW_ARGUMENTS;
		result = args_convert(spec, &args->tokens[position + taken], value);
		taken++;
	}
	args->count -= taken;
	memmove(&args->tokens[position], &args->tokens[position + taken],
	    (args->count - position) * sizeof args->tokens[0]);
	return result;
}

static enum result
args_check_positionals(struct args *args)
{
	size_t next = 1; /* behind the command's name */

	for (size_t i = 0; args->specs[i].name != NULL; i++) {
		const struct arg_spec *spec = &args->specs[i];
		enum result result;

		if (args_is_switch(spec))
			continue;
		if (spec->type == ARG_REST) {
			args->rest = next;
			return RESULT_OK;
		}
		if (next >= args->count) {
			if (!spec->optional)
				return RESULT_TOO_FEW_ARGUMENTS;
			continue;
		}
		result = args_convert(spec, &args->tokens[next], &args->values[i]);
		if (result != RESULT_OK)
			return result;
		next++;
	}
	return next < args->count ? RESULT_TOO_MANY_ARGUMENTS : RESULT_OK;
}

enum result
args_check(struct args *args, const struct arg_spec *specs)
{
	static const struct arg_spec none[] = { { .name = NULL } };
	bool has_switches = false;
	size_t count = 0;

	args->specs = specs == NULL ? none : specs;
	for (; args->specs[count].name != NULL; count++) {
		if (args_is_switch(&args->specs[count]))
			has_switches = true;
	}
	if (count > 0)
		args->values = xcalloc(count, sizeof args->values[0]);
	for (size_t i = 1; has_switches && i < args->count;) {
		enum result result;

		if (!args_is_switch_token(&args->tokens[i])) {
			i++;
			continue;
		}
		result = args_take_switches(args, i);
		if (result != RESULT_OK)
			return result;
	}
	return args_check_positionals(args);
}

static const struct arg_value *
args_value(const struct args *args, const char *name)
{
	static const struct arg_value absent = { .present = false };

	for (size_t i = 0; args->specs[i].name != NULL; i++) {
		if (strcmp(args->specs[i].name, name) == 0)
			return &args->values[i];
	}
	return &absent;
}

bool
args_has(const struct args *args, const char *name)
{
	return args_value(args, name)->present;
}

const char *
args_text(const struct args *args, const char *name)
{
	return args_value(args, name)->text;
}

int64_t
args_number(const struct args *args, const char *name, int64_t when_absent)
{
	const struct arg_value *value = args_value(args, name);

	return value->present ? value->number : when_absent;
}

const struct token *
args_rest(const struct args *args, size_t *count)
{
	*count = args->count - args->rest;
	return &args->tokens[args->rest];
}

const char *
args_outermost(const struct args *args, const struct token *token, size_t *len)
{
	const char *original = args->line + args->length + 1,
		   *end = original + args->length;
	const char *start = original + (token->text - args->line);

	while (end > start && args_is_blank(end[-1]))
		end--;
	if (!token->quoted || end == start || end[-1] != '"')
		return NULL;
	*len = (size_t)(end - 1 - start);
	return start;
}

void
args_free(struct args *args)
{
	if (args == NULL)
		return;
	free(args->line);
	free(args->tokens);
	free(args->values);
	free(args);
}
