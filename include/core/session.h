#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/bus.h"
#include "core/response.h"

struct evbuffer;
struct event;
struct line_editor;
struct module;
struct request;
struct session;
struct stream;

#define SESSION_LINE_MAX 4096 /* bytes of a command line */
#define SESSION_INPUT_MAX                                                              \
	16384 /* unread bytes at which a front end other than the serial port, which   \
		 has bus.command.rx_bufsize, stops reading */
#define SESSION_PAYLOAD_MAX (1024u * 1024) /* bytes one command may carry */

enum session_kind { SESSION_SERIAL, SESSION_TERMINAL, SESSION_REST, SESSION_SCRIPT };

/* Where a session's output goes. */
struct session_ops {
	/* Once per request. The response is borrowed for the call. */
	void (*reply)(struct session *, const struct response *);
	/* A log line, without CRLF; NULL: the session shows none. */
	void (*notice)(struct session *, const char *line);
	/* Bytes that echo what was typed; NULL: no echo and no editing. */
	void (*echo)(struct session *, const char *bytes, size_t len);
	/* The module has booted: prompt. NULL: the session does not survive a boot. */
	void (*booted)(struct session *);
	/* uart_update: take the uart.* variables into use. May be NULL. */
	void (*retune)(struct session *);
	/* A stream on a socket was opened. May be NULL. */
	void (*stream_added)(struct session *, struct stream *);
	/* The command exit; -1: there is nothing to leave. NULL: the same. What ends
	 * the session waits for the reply. */
	int (*leave)(struct session *);
	/* There is room for input: read on. May be NULL. */
	void (*drained)(struct session *);
	/* The end: free the front end's own struct, of which this is the first member.
	 */
	void (*free)(struct session *);
};

/* One issuer of commands: the serial port, a terminal, a REST request, a script. It is
 * the first member of the front end's own struct. */
struct session {
	const struct session_ops *ops;
	struct module *module; /* borrowed */
	enum session_kind kind;
	enum bus_mode bus_mode;
	enum result last_result;
	bool
	    closed; /* session_close() was called; freed on the next turn of the loop */
	bool reading; /* inside session_process(), so that it never recurses */
	bool after_cr; /* a LF right behind this CR belongs to it */
	struct request *current; /* owned; NULL when idle */
	size_t payload_missing; /* bytes current still waits for before it runs */
	struct event *payload_timer; /* owned, or NULL */
	struct evbuffer
	    *input; /* owned, bounded; bytes not parsed yet; NULL while empty */
	struct line_editor
	    *editor; /* owned; the line being typed; NULL before the first */
	TAILQ_ENTRY(session) entry; /* in the module's list */
};

/* Joins the module's list. The front end has allocated the struct, zeroed. */
void session_init(
    struct session *, struct module *, enum session_kind, const struct session_ops *);

/* Bytes that came in: lines are cut out of them, echoed, run and answered in order. */
void session_feed(struct session *, const void *bytes, size_t len);

/* Bytes fed and not yet taken. */
size_t session_input_length(const struct session *);

/* How many bytes may be fed now; at 0 the front end stops reading until
 * ops->drained(). What is fed beyond that is not lost. */
size_t session_room(const struct session *);

/* One whole command from a front end that has no lines. Takes payload, which may be
 * NULL and may hold more than the command wants. The reply may come before this
 * returns. */
void session_submit(struct session *, const char *line, size_t len,
    struct evbuffer *payload, bool quiet);

/* For core/: goes on with the input, after a reply. */
void session_resume(struct session *);

/* For core/: the module boots again: forgets input, line and what waits. Not from
 * inside a feed. */
void session_reset(struct session *);

/* For core/: frees a closed session. */
void session_free(struct session *);

/* Cancels what runs and frees the session on the next turn of the loop; ops->free() is
 * the last call it gets. */
void session_close(struct session *);

#endif
