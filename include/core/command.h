#ifndef CORE_COMMAND_H
#define CORE_COMMAND_H

#include "core/args.h"
#include "core/response.h"

struct request;

enum command_flag {
	/* Brings its interface up first: the one behind its switch "interface", else
	 * the default one. */
	COMMAND_NETWORK = 1u << 0,
	COMMAND_HIDDEN = 1u << 1, /* not listed by help */
	COMMAND_NOT_IN_SAFE_MODE = 1u << 2
};

/* One command. The tables of these are the only place that knows a command's name; a
 * table ends with .name NULL. */
struct command {
	const char *name; /* "stream_read" */
	const char *alias; /* "read"; NULL: the name is its own shortcut */
	const char *other_name; /* a second full name that also means it, or NULL */
	const struct arg_spec *args; /* NULL: takes none */
	const char *payload; /* the argument that counts payload bytes, or NULL */
	const char
	    *payload_action; /* only with this word as first argument; NULL: always */
	const char *payload_unless; /* the switch with which it takes none, or NULL */
	/* Asked before any payload is read: another code than RESULT_OK is the answer,
	 * and no payload is read then. May be NULL. */
	enum result (*ready)(struct request *);
	const char *network_action; /* COMMAND_NETWORK counts only with this word as
				     * first argument; NULL: always */
	unsigned flags; /* enum command_flag */
	unsigned denied; /* bits 1u << session_kind that may not issue it */
	unsigned profiles; /* mask of enum profile_bit; 0: all */
	enum result (*run)(struct request *);
	const char *help; /* one sentence */
};

struct evbuffer;

/* Writes how it is typed: "stream_poll [-r] [-c] <handle|all>". */
void command_usage(const struct command *, struct evbuffer *out);

#endif
