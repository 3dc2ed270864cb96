#include "core/response.h"

#include <string.h>

#include <event2/buffer.h>

#include "base/xmalloc.h"

/* Reference: "Command failed" is known from the wire; the others carry the wording of
 * the vendor's table of codes (serial and file notes, 2.4). Chosen: "arguments" written
 * out, which two of the three sources do. No client reads these texts, only the digit.
 */
static const char *const result_texts[RESULT_COUNT] = {
	[RESULT_OK] = "Success",
	[RESULT_FAILED] = "Command failed",
	[RESULT_PARSE_ERROR] = "Parse error",
	[RESULT_UNKNOWN_COMMAND] = "Unknown command",
	[RESULT_TOO_FEW_ARGUMENTS] = "Too few arguments",
	[RESULT_TOO_MANY_ARGUMENTS] = "Too many arguments",
	[RESULT_UNKNOWN_OPTION] = "Unknown variable or option",
	[RESULT_INVALID_ARGUMENT] = "Invalid argument",
	[RESULT_BUFFER_OVERFLOW] = "Serial command line buffer overflow",
	[RESULT_BOUNDS_ERROR] = "Bounds error",
};

const char *
result_text(enum result result)
{
	return result_texts[result >= RESULT_OK && (int)result < RESULT_COUNT
				? result
				: RESULT_FAILED];
}

struct evbuffer *
response_body(struct response *response)
{
	if (response->body == NULL)
		response->body = xcheck(evbuffer_new());
	return response->body;
}

void
response_vline(struct response *response, const char *fmt, va_list ap)
{
	struct evbuffer *body = response_body(response);

	evbuffer_add_vprintf(body, fmt, ap);
	evbuffer_add(body, "\r\n", 2);
}

void
response_line(struct response *response, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	response_vline(response, fmt, ap);
	va_end(ap);
}

void
response_value(struct response *response, const char *text)
{
	if (*text == '\0')
		return;
	evbuffer_add(response_body(response), text, strlen(text));
	evbuffer_add(response->body, "\r\n", 2);
}

void
response_clear(struct response *response)
{
	if (response->body != NULL)
		evbuffer_free(response->body);
	response->body = NULL;
}
