#include "front/web/rest.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <jansson.h>

#include "base/base64.h"
#include "base/xmalloc.h"

/* Whether the text nests deeper than REST_DEPTH_MAX. jansson's own limit is far above.
 */
static bool
rest_is_too_deep(const char *text, size_t len)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
			continue;
		}
		switch (text[i]) {
		case '"':
			in_string = true;
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
		default:
			break;
		}
	}
	return false;
}

/* The bytes of a JSON string, decoded when they are base64; owned by the caller, or
 * NULL when the base64 is bad. */
static char *
rest_bytes(const json_t *string, bool is_base64, size_t *len)
{
	if (is_base64)
		return base64_decode(
		    json_string_value(string), json_string_length(string), len);
	*len = json_string_length(string);
	return xmemdup(json_string_value(string), *len);
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
rest_take_data(struct rest_command *command, const json_t *data)
{
	char *bytes;
	size_t len;

	if (data == NULL || json_is_null(data))
		return NULL;
	if (!json_is_string(data))
		return "data must be a string";
	bytes = rest_bytes(data, (command->flags & REST_DATA_BASE64) != 0, &len);
	if (bytes == NULL)
		return "data is not base64";
	command->data = xcheck(evbuffer_new());
	evbuffer_add(command->data, bytes, len);
	free(bytes);
	return NULL;
}

static const char *
rest_take_command(struct rest_command *command, const json_t *line)
{
	if (line == NULL)
		return "command is missing";
	if (!json_is_string(line))
		return "command must be a string";
	command->line = rest_bytes(
	    line, (command->flags & REST_COMMAND_BASE64) != 0, &command->len);
	return command->line == NULL ? "command is not base64" : NULL;
}

const char *
rest_command_parse(struct rest_command *command, const char *body, size_t len)
{
	const char *fault = NULL;
	json_t *root;

	memset(command, 0, sizeof *command);
	if (rest_is_too_deep(body, len))
		return "the JSON is nested too deep";
	root = json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(root))
		fault = "the body must be a JSON object";
	if (fault == NULL)
		fault = rest_take_flags(command, json_object_get(root, "flags"));
	if (fault == NULL)
		fault = rest_take_command(command, json_object_get(root, "command"));
	if (fault == NULL)
		fault = rest_take_data(command, json_object_get(root, "data"));
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
