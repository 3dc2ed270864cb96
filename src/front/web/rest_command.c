#include "front/web/rest.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <jansson.h>

#include "base/base64.h"
#include "base/xmalloc.h"

#define REST_LONG_MIN 256 /* bytes of a string that is worth being cut out */
#define REST_MARK "\\u0000" /* what stands in its place */

/* The longest value of the object that is a string of plain ASCII without escapes. It
 * is cut out before the rest is parsed, as parsing takes far longer than copying, and
 * most of a body is data. */
struct rest_cut {
	const char *text; /* borrowed from the body */
	size_t len; /* 0: none is cut out */
};

/* Passes over a string, from behind its quote; where its closing quote is, or len. */
static size_t
rest_scan_string(const char *text, size_t len, size_t at, bool *is_plain)
{
	*is_plain = true;
	for (; at < len && text[at] != '"'; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] >= ' ' && text[at] < 0x7F)
			continue;
		*is_plain = false;
	}
	return at < len ? at : len;
}

/* Whether the text nests deeper than REST_DEPTH_MAX; jansson's own limit is far above.
 * Finds what can be cut out. */
static bool
rest_is_too_deep(const char *text, size_t len, struct rest_cut *cut)
{
	bool is_plain, is_value = false; /* behind a colon */
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		size_t start = i + 1;

		switch (text[i]) {
		case '"':
			i = rest_scan_string(text, len, start, &is_plain);
			if (is_plain && is_value && depth == 1 && i < len &&
			    i - start >= REST_LONG_MIN && i - start > cut->len)
				*cut = (struct rest_cut){ text + start, i - start };
			break;
		case '{':
		case '[':
			if (++depth > REST_DEPTH_MAX)
				return true;
			break;
		case '}':
		case ']':
			depth--;
			break;
		case ' ':
			continue;
		default:
			break;
		}
		is_value = i < len && text[i] == ':';
	}
	return false;
}

/* Parses a body, without what is cut out of it; it is not when the mark stands there
 * anyway. A new reference, or NULL. */
static json_t *
rest_load(const char *body, size_t len, struct rest_cut *cut)
{
	size_t before = cut->len == 0 ? 0 : (size_t)(cut->text - body),
	       after = len - before - cut->len;
	char *rest;
	json_t *root;

	if (cut->len == 0 ||
	    memmem(body, before, REST_MARK, sizeof REST_MARK - 1) != NULL ||
	    memmem(cut->text + cut->len, after, REST_MARK, sizeof REST_MARK - 1) !=
		NULL) {
		cut->len = 0;
		return json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	}
	rest = xmalloc(before + sizeof REST_MARK - 1 + after);
	memcpy(rest, body, before);
	memcpy(rest + before, REST_MARK, sizeof REST_MARK - 1);
	memcpy(rest + before + sizeof REST_MARK - 1, cut->text + cut->len, after);
	root = json_loadb(
	    rest, before + sizeof REST_MARK - 1 + after, JSON_ALLOW_NUL, NULL);
	free(rest);
	return root;
}

/* The bytes of a JSON string, decoded when they are base64; owned by the caller, or
 * NULL when the base64 is bad. */
static char *
rest_bytes(
    const json_t *string, const struct rest_cut *cut, bool is_base64, size_t *len)
{
	const char *text = json_string_value(string);

	*len = json_string_length(string);
	if (cut->len > 0 && *len == 1 && *text == '\0') {
		text = cut->text;
		*len = cut->len;
	}
	return is_base64 ? base64_decode(text, *len, len) : xmemdup(text, *len);
}

static const char *
rest_take_flags(struct rest_command *command, const json_t *flags)
{
	json_int_t value = json_integer_value(flags);

	if (flags == NULL)
		return NULL;
	if (!json_is_integer(flags) || value < 0 || value > 0xFFFF)
		return "flags must be a number from 0 to 65535";
	command->flags = (unsigned)value;
	return NULL;
}

static const char *
rest_take_data(
    struct rest_command *command, const json_t *data, const struct rest_cut *cut)
{
	char *bytes;
	size_t len;

	if (data == NULL || json_is_null(data))
		return NULL;
	if (!json_is_string(data))
		return "data must be a string";
	bytes = rest_bytes(data, cut, (command->flags & REST_DATA_BASE64) != 0, &len);
	if (bytes == NULL)
		return "data is not base64";
	command->data = xcheck(evbuffer_new());
	evbuffer_add(command->data, bytes, len);
	free(bytes);
	return NULL;
}

static const char *
rest_take_command(
    struct rest_command *command, const json_t *line, const struct rest_cut *cut)
{
	if (line == NULL)
		return "command is missing";
	if (!json_is_string(line))
		return "command must be a string";
	command->line = rest_bytes(
	    line, cut, (command->flags & REST_COMMAND_BASE64) != 0, &command->len);
	return command->line == NULL ? "command is not base64" : NULL;
}

const char *
rest_command_parse(struct rest_command *command, const char *body, size_t len)
{
	struct rest_cut cut = { .len = 0 };
	const char *fault = NULL;
	json_t *root;

	memset(command, 0, sizeof *command);
	if (rest_is_too_deep(body, len, &cut))
		return "the JSON is nested too deep";
	root = rest_load(body, len, &cut);
	if (!json_is_object(root))
		fault = "the body must be a JSON object";
	if (fault == NULL)
		fault = rest_take_flags(command, json_object_get(root, "flags"));
	if (fault == NULL)
		fault =
		    rest_take_command(command, json_object_get(root, "command"), &cut);
	if (fault == NULL)
		fault = rest_take_data(command, json_object_get(root, "data"), &cut);
	json_decref(root);
	return fault;
}

void
rest_command_clear(struct rest_command *command)
{
	free(command->line);
	if (command->data != NULL)
		evbuffer_free(command->data);
	memset(command, 0, sizeof *command);
}
