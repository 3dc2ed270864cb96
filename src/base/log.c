#include "base/log.h"

#include <errno.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_LINE_MAX 1024

static struct {
	enum log_format format;
	int least_priority;
} log_settings = { LOG_FORMAT_TEXT, LOG_NOTICE };

void
log_configure(enum log_format format, int least_priority)
{
	log_settings.format = format;
	log_settings.least_priority = least_priority;
}

enum log_format
log_format_of_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char actual[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) == -1)
		return LOG_FORMAT_TEXT;
	snprintf(actual, sizeof actual, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(stream, actual) == 0 ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
}

/* Appends text with control bytes made visible, so that a message holding bytes from
 * outside stays on its line. Returns the new length, at most size - 1. */
static size_t
log_append_visible(char *line, size_t size, size_t len, const char *text)
{
	for (; *text != '\0' && len + 5 < size; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7F)
			len +=
			    (size_t)snprintf(line + len, size - len, "\\x%02X", byte);
		else
			line[len++] = (char)byte;
	}
	return len;
}

void
log_msg(int priority, const char *area, const char *fmt, ...)
{
	char message[LOG_LINE_MAX], line[LOG_LINE_MAX + 64];
	int saved_errno = errno, n;
	size_t len;
	va_list ap;

	if (priority > log_settings.least_priority)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof message, fmt, ap);
	va_end(ap);

	if (log_settings.format == LOG_FORMAT_JOURNAL)
		n = snprintf(line, sizeof line, "<%d>%s: ", priority, area);
	else
		n = snprintf(line, sizeof line, "zentrid: %s: ", area);
	len = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 8;
	len = log_append_visible(line, sizeof line - 1, len, message);
	line[len++] = '\n';
	/* One write a line; when stderr is gone there is nobody left to tell. */
	if (write(STDERR_FILENO, line, len) == -1)
		errno = saved_errno;
	errno = saved_errno;
}
