#ifndef CORE_ARGS_H
#define CORE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/response.h"

#define ARGS_TOKENS_MAX 64 /* tokens of one command line */

/* One word of a command line. Borrowed from the line, NUL-terminated, quotes taken off.
 */
struct token {
	const char *text;
	size_t len;
	bool quoted;
};

enum arg_type {
	ARG_TEXT = 0, /* any token; min and max bound its length, max 0: no bound */
	ARG_NUMBER, /* decimal or 0x; min to max */
	ARG_CHOICE, /* one of choices, in any case */
	ARG_OPTION, /* a switch such as -v; stands anywhere, always optional */
	ARG_OPTION_TEXT, /* a switch with a word behind it: -c 89F6 */
	ARG_OPTION_NUMBER, /* a switch with a number behind it: -l 30001 */
	ARG_OPTION_CHOICE, /* a switch with one of choices behind it: -i wlan */
	ARG_REST /* all tokens from here on, none required; the last entry; its name is
		  * printed as it is */
};

/* One argument a command takes; a list of them ends with .name NULL. */
struct arg_spec {
	const char *name; /* "handle"; for a switch its letters, "v" or "eu" */
	enum arg_type type;
	bool optional;
	int64_t min, max;
	const char *const *choices; /* ARG_CHOICE: up to NULL */
};

/* Whether it is one of the switches, which are always optional. */
bool args_is_switch(const struct arg_spec *);

/* Checked arguments of one request. */
struct args {
	char *line; /* owned: the text that the tokens lie in, and behind it the
		       original */
	size_t length; /* of the line */
	struct token *tokens; /* owned */
	size_t count; /* tokens behind the command's name, switches taken out */
	size_t rest; /* where the ARG_REST tokens start */
	struct arg_value *values; /* owned: one for each arg_spec */
	const struct arg_spec *specs; /* borrowed from the command table */
};

/* Splits a line into tokens at blanks and tabs. A token that opens with '"' runs to the
 * first '"' that a blank or the end of the line follows, so quotes inside it stay:
 * "Special"Character"Name" is one token. Reference: serial and file notes, 1.5.
 * RESULT_PARSE_ERROR when a quote stays open or there are more than ARGS_TOKENS_MAX
 * tokens. On success args owns a copy of the line; args_free() it in any case. */
enum result args_parse(struct args **, const char *line, size_t len);

/* Checks the tokens behind the first one, which is the command's name, against specs
 * (NULL: none taken). RESULT_OK, or the code that says what is wrong. */
enum result args_check(struct args *, const struct arg_spec *specs);

/* What was given for the argument of that name; args_check() has passed. */
bool args_has(const struct args *, const char *name);
const char *args_text(
    const struct args *, const char *name); /* borrowed; NULL: absent */
int64_t args_number(const struct args *, const char *name, int64_t when_absent);

/* The tokens of ARG_REST; borrowed. */
const struct token *args_rest(const struct args *, size_t *count);

/* What stands between the '"' that opened token and the last one of the line, where
 * that ends the line: the outermost pair. Borrowed; NULL when there is no such pair. */
const char *args_outermost(const struct args *, const struct token *, size_t *len);

void args_free(struct args *); /* NULL is allowed */

#endif
