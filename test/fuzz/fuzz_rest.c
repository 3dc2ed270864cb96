/* The bytes are the body of POST /command. It is refused with a reason, or gives a
 * command line, flags and data that keep to the header; and what a good body asks for
 * is found again when the same is written as JSON once more. */

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <jansson.h>

#include "base/base64.h"
#include "front/web/rest.h"
#include "fuzz.h"

/* Both directions of what was read: a body that says the same, all in base64. */
static char *
fuzz_rest_body(const struct rest_command *command)
{
	size_t len = command->data == NULL ? 0 : evbuffer_get_length(command->data);
	char *line = base64_encode(command->line, command->len), *data = NULL, *body;
	json_t *object = json_object();

	FUZZ_REQUIRE(line != NULL);
	json_object_set_new(object, "command", json_string(line));
	if (command->data != NULL) {
		data = base64_encode(
		    len == 0 ? NULL : evbuffer_pullup(command->data, -1), len);
		FUZZ_REQUIRE(data != NULL);
		json_object_set_new(object, "data", json_string(data));
	}
	json_object_set_new(object, "flags",
	    json_integer(command->flags | REST_COMMAND_BASE64 | REST_DATA_BASE64));
	body = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	free(line);
	free(data);
	return body;
}

static void
fuzz_rest_compare(const struct rest_command *a, const struct rest_command *b)
{
	size_t len;

	FUZZ_REQUIRE(a->len == b->len && memcmp(a->line, b->line, a->len) == 0);
	FUZZ_REQUIRE((a->data == NULL) == (b->data == NULL));
	if (a->data == NULL)
		return;
	len = evbuffer_get_length(a->data);
	FUZZ_REQUIRE(evbuffer_get_length(b->data) == len);
	FUZZ_REQUIRE(len == 0 || memcmp(evbuffer_pullup(a->data, -1),
				     evbuffer_pullup(b->data, -1), len) == 0);
}

/* How deep brackets nest outside strings. */
static int
fuzz_rest_depth(const char *text, size_t len)
{
	int depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{') && ++depth > deepest)
			deepest = depth;
		else if (!quoted && (c == ']' || c == '}'))
			depth--;
	}
	return deepest;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rest_command command, again;
	/* A copy, so that a read past the end is seen. */
	char *body = malloc(size);

	if (size > 0)
		memcpy(body, data, size);
	if (rest_command_parse(&command, body, size) == NULL) {
		char *text = fuzz_rest_body(&command);

		FUZZ_REQUIRE(command.line != NULL);
		FUZZ_REQUIRE(fuzz_rest_depth(body, size) <= REST_DEPTH_MAX);
		FUZZ_REQUIRE(rest_command_parse(&again, text, strlen(text)) == NULL);
		fuzz_rest_compare(&command, &again);
		rest_command_clear(&again);
		free(text);
	}
	rest_command_clear(&command);
	free(body);
	return 0;
}
