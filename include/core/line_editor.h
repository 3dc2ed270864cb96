#ifndef CORE_LINE_EDITOR_H
#define CORE_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

/* The line being typed on a serial port or terminal: what comes in, where the cursor
 * is, the five lines of history, and what has to be echoed. It knows nothing of
 * sessions. Reference: serial and file notes, 1.2 and 1.3. */

#define LINE_EDITOR_HISTORY 5

struct line_editor;

enum line_status {
	LINE_OPEN, /* all bytes were taken; the line goes on */
	LINE_DONE, /* a line ended; line_editor_text() has it until the next feed */
	LINE_DROPPED /* Ctrl-C: the line was given up; a new one starts */
};

/* Bytes to send back, each call in order. */
typedef void line_echo(void *arg, const char *bytes, size_t len);

/* A line may have max bytes; what comes beyond is echoed and dropped. */
struct line_editor *line_editor_new(size_t max, line_echo *, void *arg);
void line_editor_free(struct line_editor *); /* NULL is allowed */

/* Takes bytes up to the end of a line and says how many. CR and LF both end it; the
 * echo of the end is CR LF. With echo off nothing is sent back, but editing works. */
enum line_status line_editor_feed(
    struct line_editor *, const char *bytes, size_t len, bool echo, size_t *taken);

/* The line that ended, borrowed until the next feed, and whether it was too long. */
const char *line_editor_text(const struct line_editor *, size_t *len, bool *overlong);

/* Forgets the line that is being typed; the history stays. */
void line_editor_reset(struct line_editor *);

#endif
