#ifndef CORE_VARIABLE_H
#define CORE_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/response.h"

struct module;
struct evbuffer;

#define VARIABLE_TEXT_MAX 512 /* bytes of the longest value, NUL included */

enum variable_type {
	VARIABLE_STRING = 0, /* min to max bytes, any but NUL and control bytes */
	VARIABLE_BOOL, /* 0|off|false, 1|on|true; kept as 0 or 1 */
	VARIABLE_INT, /* min to max, decimal or 0x; kept as decimal */
	VARIABLE_CHOICE, /* one of choices, in any case; kept as spelled there */
	VARIABLE_MAC, /* kept as AA:BB:CC:DD:EE:FF, or empty when min is 0 */
	VARIABLE_IPV4, /* kept as a.b.c.d */
	VARIABLE_TABLE /* many lines, get only; left out of group listings */
};

enum variable_flag {
	VARIABLE_PERSISTED = 1u << 0, /* save keeps it */
	VARIABLE_SECRET = 1u << 1, /* never in a log or an error */
	VARIABLE_READONLY = 1u << 2, /* get only */
	VARIABLE_WRITEONLY = 1u << 3, /* set only */
	VARIABLE_LATER =
	    1u << 4 /* kept, but nothing acts on it so far; a lint counts them */
};

/* When a change acts. Said by help and the documentation; VARIABLE_NOW entries have an
 * apply function or are read each time they matter. */
enum variable_applies {
	VARIABLE_NOW = 0,
	VARIABLE_ON_NETWORK_RESTART,
	VARIABLE_ON_REBOOT, /* save and reboot */
	VARIABLE_ON_UART_UPDATE, /* uart_update, or save and reboot */
	VARIABLE_ON_SETUP_RESTART
};

/* What stands between an indexed variable's name and its value: "uart.baud 0". */
struct variable_index {
	const char *const *words; /* up to NULL; or NULL: numbers below count() */
	unsigned (*count)(const struct module *);
	const char *label; /* what get puts before a number: "uart0:115200" */
	bool list_all; /* a listing shows those at their factory value too */
};

/* A value on its way in, or out of a check in its normal spelling. */
struct value {
	char text[VARIABLE_TEXT_MAX];
	size_t len;
	int64_t number; /* BOOL and INT */
};

/* One variable. The tables of these are the only place that knows a variable's name; a
 * table ends with .name NULL. */
struct variable {
	const char *name; /* "wlan.auto_join.enabled" */
	const char *shortcut; /* "wl o e", or NULL */
	const char
	    *same_as; /* an older or newer name of that variable; all else unset */
	enum variable_type type;
	unsigned flags; /* enum variable_flag */
	unsigned profiles; /* mask of enum profile_bit; 0: all */
	enum variable_applies applies;
	const char *initial; /* factory default, spelled as for set; NULL: empty */
	struct { /* profiles whose factory default differs */
		unsigned profiles;
		const char *initial;
	} differs;
	int64_t min, max; /* INT: range; STRING: length in bytes */
	const char *const *choices; /* CHOICE: up to NULL */
	const struct variable_index *index; /* NULL: not indexed */
	unsigned values; /* words that set takes as the value; 0 means 1 */
	const char *const
	    *modifiers; /* words that get takes behind the name, up to NULL */

	/* Writes the value; NULL: the stored one. index: which of an indexed variable,
	 * or NULL; modifier: NULL when none was given. */
	void (*get)(struct module *, const char *index, const char *modifier,
	    struct evbuffer *out);

	/* Takes the value instead of storing it. 0, or -1: command failed. */
	int (*set)(struct module *, const char *index, const struct value *);

	/* Checks beyond type and range, and may bring the text into its normal
	 * spelling. Also runs on values of the configuration, with the module not yet
	 * booted. 0, or -1: invalid argument. */
	int (*check)(const struct module *, const char *index, struct value *);

	/* Acts on the stored value; also at every boot; may run again for the same
	 * value. 0, or -1: the old value comes back and the command fails. */
	int (*apply)(struct module *);

	const char *help; /* one sentence */
};

/* Whether the profile has the variable. */
bool variable_exists(const struct module *, const char *name);

/* What a module holds of the variable named, as text, borrowed until the next change of
 * any variable: set, else saved, else the board's factory default, else the table's.
 * The name must be in the table (a misspelt one is a defect, answered with "" and
 * logged). */
const char *variable_text(const struct module *, const char *name);
int64_t variable_number(const struct module *, const char *name);
bool variable_is_on(const struct module *, const char *name);

/* Whether it was set or saved, or has a factory default of the board; else the table's
 * holds. index: of an indexed variable, or NULL. */
bool variable_is_set(const struct module *, const char *name, const char *index);

/* The same for one index of an indexed variable. */
const char *variable_text_at(
    const struct module *, const char *name, const char *index);
int64_t variable_number_at(const struct module *, const char *name, const char *index);

/* Brings len bytes given for a variable into value, checked by type, range and check().
 * RESULT_OK or RESULT_INVALID_ARGUMENT. */
enum result variable_parse(const struct module *, const struct variable *,
    const char *index, const char *text, size_t len, struct value *);

/* set: parse, check, store, apply; undone when apply fails. RESULT_OK or the code. */
enum result variable_set(struct module *, const struct variable *, const char *index,
    const char *text, size_t len);

/* Whether index names one of an indexed variable's values. */
bool variable_has_index(
    const struct module *, const struct variable *, const char *index);

/* The word or number at one position of an index, in number when it is none of the
 * words; NULL past the last. */
const char *variable_index_at(const struct module *, const struct variable_index *,
    unsigned position, char *number, size_t size);

/* Writes the value as get shows it. */
void variable_print(struct module *, const struct variable *, const char *index,
    const char *modifier, struct evbuffer *out);

/* Writes the lines "name: value" that a listing has of it: one, or one for each index.
 */
void variable_list(struct module *, const struct variable *, struct response *);

/* Whether get and listings may show it. */
bool variable_is_readable(const struct variable *);

/* Checks what was saved, perhaps by a hand or by another version: a value that set
 * would not take is logged and, in memory, forgotten. Names that this profile lacks are
 * kept. */
void variable_check_stored(struct module *);

/* Runs every apply function; at boot and after the stored values were exchanged. */
void variable_apply_all(struct module *);

#endif
