#ifndef TEST_MODULE_FIXTURE_H
#define TEST_MODULE_FIXTURE_H

#include <event2/event.h>

#include "core/module.h"
#include "core/session.h"
#include "host_fixture.h"

/* A module in a directory of its own, with a session that keeps what it is sent. */

struct fixture {
	struct event_base *base;
	struct catalog *catalog;
	struct settings settings;
	struct module_settings own;
	struct module *module;
	char directory[HOST_PATH_MAX];
};

/* Profile wl-1.0, the real variables and the commands given (NULL: the real ones). */
void fixture_open(struct fixture *, const struct command *const *commands);
void fixture_close(struct fixture *); /* removes the directory too */

/* Runs the loop until nothing is active, and at most until what has waited so long. */
void fixture_turn(struct fixture *);

struct captured {
	struct session session;
	struct evbuffer *out; /* owned; echo, replies, notices, in order */
	unsigned replies, drained;
	bool *freed; /* set by the end of the session, or NULL */
};

/* A serial session of the module; it belongs to the module. */
struct captured *captured_open(struct fixture *, bool *freed);

/* What came out since the last call; borrowed until the next. */
const char *captured_take(struct captured *);

/* Feeds text. */
void captured_type(struct captured *, const char *text);

#endif
