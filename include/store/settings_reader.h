#ifndef STORE_SETTINGS_READER_H
#define STORE_SETTINGS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libconfig.h>

#include "store/settings.h"

/* How the configuration file is read, for the files of store/ only: settings_table.c
 * holds the settings that are known, settings_reader.c walks a parsed file along them,
 * settings_report.c words the faults, and settings_source.c looks at the text before
 * libconfig may. */

/* One reading of a file. */
struct settings_reader {
	const char *path; /* borrowed: the file, as the caller named it */
	char *directory; /* owned: where included files lie; NULL: path has no '/' */
	const struct settings_rules *rules; /* borrowed; NULL: nothing to ask */
	settings_fault *fault;
	void *arg;
	size_t faults; /* told so far */
};

enum setting_type {
	SETTING_GROUP, /* its members fill a struct at offset */
	SETTING_LIST, /* of groups; each fills one element of an array */
	SETTING_BOOL, /* a bool at offset */
	SETTING_PORT, /* a number from min to max; a uint16_t at offset */
	SETTING_NUMBER, /* a number from min to max; an int at offset */
	SETTING_SIZE, /* a number from min to max; a uint32_t at offset */
	SETTING_STRING, /* min to max bytes of UTF-8, no control bytes; a char * at
			   offset */
	SETTING_VALUE /* a string of any bytes, a number or a bool; a char * at offset
		       */
};

/* The elements of a list. */
struct setting_list {
	size_t element_size;
	size_t
	    count_offset; /* of the size_t that counts them, where offset counts from */
	/* Before and after the members of one element are read, and after all elements.
	 * Each may be NULL. */
	void (*begin)(const config_setting_t *, void *element);
	void (*end)(struct settings_reader *, const config_setting_t *, void *element);
	void (*end_all)(struct settings_reader *, const config_setting_t *,
	    const void *elements, size_t count);
};

/* One setting. A table of these, ended by .name NULL, describes what a group may hold.
 */
struct setting {
	const char *name;
	enum setting_type type;
	bool required;
	int64_t min,
	    max; /* PORT, NUMBER, SIZE: range; STRING, VALUE: bytes; LIST: elements */
	size_t offset; /* in the struct that the group fills */
	const struct setting *members; /* GROUP, LIST */
	const struct setting_list *list; /* LIST */
	/* STRING: NULL when right, else what would be right, borrowed until the next
	 * call. It may bring the text into its normal spelling. NULL: any text is
	 * right. */
	const char *(*check)(
	    const struct settings_reader *, const struct setting *, char *text);
	const char *expected; /* STRING, VALUE: what would be right */
};

#define SETTINGS_ADDRESS "127.0.0.1" /* network.address, unless given */
#define SETTINGS_LINK "serial" /* serial.link, unless given */
#define SETTINGS_FILES_SIZE 1048576 /* files.size, unless given */

/* What a file holds, and the settings that are known. */
struct settings_file {
	struct settings_network network; /* for the modules without one of their own */
	struct settings_air air;
	struct module_settings *modules;
	size_t module_count;
};
extern const struct setting settings_file_table[];
extern const struct setting settings_network_table[];
extern const struct setting settings_air_table[]; /* of the common air */
extern const struct setting settings_radio_table[]; /* of a module */
extern const struct setting settings_pin_table[]; /* of a module's gpio */
extern const struct setting_list settings_pin_list;

/* What a module's network leaves out, it has from the common one. */
void settings_inherit_network(
    struct settings_network *, const struct settings_network *common);

/* Checks which interfaces the modules have, once all is inherited. */
void settings_check_interfaces(struct settings_reader *, const config_setting_t *root,
    const struct settings_file *);

/* Checks that no two pins of all modules are one line. */
void settings_check_lines(struct settings_reader *, const config_setting_t *root,
    const struct settings_file *);

/* A MAC address whose first octet is even, in its normal spelling afterwards. */
const char *settings_check_mac(
    const struct settings_reader *, const struct setting *, char *text);
#define SETTINGS_MAC_EXPECTED                                                          \
	"six octets such as \"4C:55:CC:10:09:42\", the first one even"

/* Reads a group into target, which is zeroed or holds the defaults. */
void settings_read_group(struct settings_reader *, const config_setting_t *group,
    const struct setting *members, void *target);

/* Tells a fault of a setting, or of its member of that name, which may be missing. */
void settings_tell(struct settings_reader *, const config_setting_t *,
    const char *member, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Tells a fault of a place in a file, without a setting. file: as @include spells it;
 * NULL: the configuration file itself. line 0: of the file as a whole. */
void settings_tell_place(struct settings_reader *, const char *file, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Tell of a setting that: has the wrong type, holds a number out of range, holds a text
 * that is not valid, is not known, is missing from a group. expected: what would be
 * right. */
void settings_tell_type(
    struct settings_reader *, const config_setting_t *, const struct setting *);
void settings_tell_range(struct settings_reader *, const config_setting_t *,
    const struct setting *, long long number);
void settings_tell_value(struct settings_reader *, const config_setting_t *,
    const char *value, const char *expected);
void settings_tell_unknown(
    struct settings_reader *, const config_setting_t *, const struct setting *members);
void settings_tell_missing(
    struct settings_reader *, const config_setting_t *group, const struct setting *);

/* A value that no other setting of its kind may have. */
struct settings_key {
	const config_setting_t *setting; /* where it is given */
	const char *text; /* NULL: the number alone counts */
	unsigned number; /* beside a text: counts where the texts are the same */
	size_t position; /* its place in the file's order */
};

/* Tells of each key that is the same as an earlier one. Sorts the keys. */
void settings_tell_repeated(struct settings_reader *, struct settings_key *keys,
    size_t count, const char *expected);

/* The file's path for messages and for opening it; owned by the caller. */
char *settings_file_path(const struct settings_reader *, const char *file);

/* The text of the file, for config_read_string(), owned by the caller. NULL when it, or
 * a file it includes, must not reach libconfig; the faults were told. */
char *settings_source_read(struct settings_reader *);

#endif
