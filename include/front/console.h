#ifndef FRONT_CONSOLE_H
#define FRONT_CONSOLE_H

#include <stddef.h>

#include "core/response.h"

struct evbuffer;
struct module;

/* How a module writes to a serial port or terminal: headers, log lines, prompt.
 * Reference: serial and file notes, 1.4 and 2. */

/* A response, and the prompt if there is one. Empties the response's body. */
void console_reply(struct module *, const struct response *, struct evbuffer *out);

/* A log line; CRLF is put behind it. */
void console_notice(const struct module *, const char *line, struct evbuffer *out);

/* The prompt, if it is enabled. */
void console_prompt(const struct module *, struct evbuffer *out);

#endif
