#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <syslog.h>

/* The daemon's own log, for its operator; it goes to stderr. What a module says by
 * itself goes through core/event.h instead. */

enum log_format {
	LOG_FORMAT_TEXT, /* "zentrid: area: message" */
	LOG_FORMAT_JOURNAL, /* "<6>area: message", priorities as the journal reads them
			     */
};

/* Sets the form and the least important priority (LOG_* of syslog.h) that is shown. */
void log_configure(enum log_format format, int least_priority);

/* The form that stderr wants: JOURNAL_STREAM says whether it is the journal. */
enum log_format log_format_of_stderr(void);

/* Writes one line. Control bytes in the message are shown as "\x07". Never fails. */
void log_msg(int priority, const char *area, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
