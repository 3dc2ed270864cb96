#ifndef FRONT_CONSOLE_PORT_H
#define FRONT_CONSOLE_PORT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/activity.h"
#include "core/session.h"

struct event;
struct evbuffer;

/* A descriptor that a person or host types on and reads from: what the serial port and
 * the remote terminal share. It reads while the session takes input, writes without
 * blocking, and loses log lines before it loses anything else. */

#define CONSOLE_READ_SIZE 16384 /* bytes taken in one piece */
#define CONSOLE_LOG_MAX                                                                \
	(16u * 1024) /* waiting output beyond which log lines are lost */
#define CONSOLE_OUTPUT_MAX (64u * 1024) /* ... beyond which no command is taken */
#define CONSOLE_PULL_MAX (64u * 1024) /* more than a tty keeps */

struct console_port;

struct console_port_ops {
	/* Bytes that were read, for session_feed() or whatever else the port does. */
	void (*input)(struct console_port *, const char *bytes, size_t len);
	/* How many bytes may be read now; NULL: what the session has room for. */
	size_t (*room)(const struct console_port *);
	/* Bytes were read, or written. May be NULL. */
	void (*moved)(struct console_port *, enum activity_way);
	/* All output has left. May be NULL. */
	void (*sent)(struct console_port *);
	/* The descriptor is at its end or broken; the port has closed it. errno: why,
	 * or 0. */
	void (*lost)(struct console_port *);
};

struct console_port { /* first member of each front end's own struct */
	struct session session;
	const struct console_port_ops *ops;
	int fd; /* owned; -1 while closed */
	struct event *readable, *writable; /* owned; NULL while closed */
	struct evbuffer *out; /* owned; NULL before the first byte */
	unsigned long lost_lines; /* log lines dropped since the output got through */
	bool held; /* console_port_hold() */
	int broken; /* errno of a write that failed; the port is about to be lost */
	bool corked; /* output is collected until the end of a callback */
};

/* The front end sets ops, and fd -1, and then initialises the session. */

/* Starts on a non-blocking descriptor, which it takes. */
void console_port_open(struct console_port *, int fd);

/* Closes the descriptor; what waits for output is lost. */
void console_port_close(struct console_port *);

/* Frees what the port holds, but not itself; for the end of the session. */
void console_port_clear(struct console_port *);

/* Writes bytes, or queues them. */
void console_port_write(struct console_port *, const void *bytes, size_t len);

/* Bytes that wait to be written. */
size_t console_port_waiting(const struct console_port *);

/* Takes what has arrived at the descriptor by now, at most CONSOLE_PULL_MAX bytes, also
 * while it is held: before its input takes on another meaning. */
void console_port_pull(struct console_port *);

/* Stops reading, or reads on: for a port whose input goes where there is no room. */
void console_port_hold(struct console_port *, bool held);

/* For struct session_ops. */
void console_port_reply(struct session *, const struct response *);
void console_port_notice(struct session *, const char *line);
void console_port_echo(struct session *, const char *bytes, size_t len);
void console_port_drained(struct session *);
void console_port_prompt(struct session *);

#endif
