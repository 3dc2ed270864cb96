#ifndef CORE_RESPONSE_H
#define CORE_RESPONSE_H

#include <stdarg.h>
#include <stdbool.h>

struct evbuffer;

/* Result codes, as the digit of the serial header and "code" of REST.
 * Reference: serial and file notes, 2.4. */
enum result {
	RESULT_PENDING = -1, /* not a wire code: the reply comes later */
	RESULT_OK = 0,
	RESULT_FAILED,
	RESULT_PARSE_ERROR,
	RESULT_UNKNOWN_COMMAND,
	RESULT_TOO_FEW_ARGUMENTS,
	RESULT_TOO_MANY_ARGUMENTS,
	RESULT_UNKNOWN_OPTION,
	RESULT_INVALID_ARGUMENT,
	RESULT_BUFFER_OVERFLOW,
	RESULT_BOUNDS_ERROR
};

#define RESULT_COUNT (RESULT_BOUNDS_ERROR + 1)

/* The text that stands for a result code when a command gives none of its own. */
const char *result_text(enum result);

/* What a command answers. It never holds a header, a prompt or JSON: the session that
 * asked renders it. */
struct response {
	enum result result;
	bool
	    is_list; /* many lines: goes to a CMD stream if system.cmd.buffered is on */
	bool is_silent; /* a serial port or terminal gets no answer at all */
	struct evbuffer *body; /* owned; lines end in CRLF; NULL while empty */
};

/* The body, made on first use; borrowed. */
struct evbuffer *response_body(struct response *);

/* Adds one line; CRLF is put behind it. */
void response_line(struct response *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void response_vline(struct response *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

/* Adds a value: the text and CRLF, or nothing at all when it is empty, as the module
 * does ("R000000"). Reference: variable notes, 1.2. */
void response_value(struct response *, const char *text);

/* Drops the body. */
void response_clear(struct response *);

#endif
