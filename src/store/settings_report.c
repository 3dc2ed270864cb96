#include "store/settings_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define SETTINGS_FAULT_MAX 2048 /* bytes of one fault; what is longer is cut */
#define SETTINGS_PATH_MAX 256 /* bytes of "modules[0].serial.link" */
#define SETTINGS_DEPTH_MAX 16 /* settings within each other; those known go to 6 */
#define SETTINGS_SHOWN_MAX 64 /* bytes of a value that a fault shows */

/* Text that is put together in a fixed buffer and cut at its end. */
struct settings_text {
	char *at, *end; /* end: of the buffer; a NUL stands at `at` */
};

static void settings_add(struct settings_text *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void settings_vadd(struct settings_text *, const char *fmt, va_list)
    __attribute__((format(printf, 2, 0)));

static void
settings_vadd(struct settings_text *text, const char *fmt, va_list ap)
{
	size_t space = (size_t)(text->end - text->at);
	int n = vsnprintf(text->at, space, fmt, ap);

	if (n > 0)
		text->at += (size_t)n < space ? (size_t)n : space - 1;
}

static void
settings_add(struct settings_text *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	settings_vadd(text, fmt, ap);
	va_end(ap);
}

char *
settings_file_path(const struct settings_reader *reader, const char *file)
{
	if (file == NULL)
		return xstrdup(reader->path);
	if (reader->directory == NULL)
		return xstrdup(file);
	return xasprintf("%s/%s", reader->directory, file);
}

static void
settings_add_place(struct settings_reader *reader, struct settings_text *text,
    const char *file, unsigned line)
{
	char *path = settings_file_path(reader, file);

	settings_add(text, "%.1024s:", path);
	free(path);
	if (line > 0)
		settings_add(text, "%u:", line);
	settings_add(text, " ");
}

/* Adds "modules[0].serial", or nothing for the root of the file. */
static void
settings_add_path(struct settings_text *text, const config_setting_t *setting)
{
	const config_setting_t *way[SETTINGS_DEPTH_MAX];
	unsigned depth = 0;
	bool first = true;

	for (; depth < SETTINGS_DEPTH_MAX && config_setting_parent(setting) != NULL;
	     setting = config_setting_parent(setting))
		way[depth++] = setting;
	for (; depth > 0; first = false) {
		setting = way[--depth];
		if (config_setting_name(setting) == NULL)
			settings_add(text, "[%d]", config_setting_index(setting));
		else
			settings_add(text, "%s%.64s", first ? "" : ".",
			    config_setting_name(setting));
	}
}

void
settings_tell(struct settings_reader *reader, const config_setting_t *setting,
    const char *member, const char *fmt, ...)
{
	char fault[SETTINGS_FAULT_MAX], path[SETTINGS_PATH_MAX] = "";
	struct settings_text text = { fault, fault + sizeof fault },
			     where = { path, path + sizeof path };
	const config_setting_t *at = setting, *found;
	unsigned line;
	va_list ap;

	settings_add_path(&where, setting);
	if (member != NULL) {
		settings_add(&where, "%s%s", where.at == path ? "" : ".", member);
		found = config_setting_get_member(setting, member);
		if (found != NULL)
			at = found;
	}
	line = config_setting_source_line(at);
	/* The file as a whole, from its first line on, has no line of its own. */
	settings_add_place(
	    reader, &text, config_setting_source_file(at), line > 0 ? line : 1);
	settings_add(&text, "%s: ", path);
	va_start(ap, fmt);
	settings_vadd(&text, fmt, ap);
	va_end(ap);
	reader->faults++;
	reader->fault(reader->arg, fault);
}

void
settings_tell_place(struct settings_reader *reader, const char *file, unsigned line,
    const char *fmt, ...)
{
	char fault[SETTINGS_FAULT_MAX];
	struct settings_text text = { fault, fault + sizeof fault };
	va_list ap;

	settings_add_place(reader, &text, file, line);
	va_start(ap, fmt);
	settings_vadd(&text, fmt, ap);
	va_end(ap);
	reader->faults++;
	reader->fault(reader->arg, fault);
}

static int
settings_key_compare(const struct settings_key *a, const struct settings_key *b)
{
	int order = a->text != NULL && b->text != NULL ? strcmp(a->text, b->text) : 0;

	if (order != 0)
		return order;
	return (a->number > b->number) - (a->number < b->number);
}

static int
settings_key_order(const void *left, const void *right)
{
	const struct settings_key *a = left, *b = right;
	int order = settings_key_compare(a, b);

	if (order != 0)
		return order;
	return (a->position > b->position) - (a->position < b->position);
}

void
settings_tell_repeated(struct settings_reader *reader, struct settings_key *keys,
    size_t count, const char *expected)
{
	char path[SETTINGS_PATH_MAX];
	struct settings_text where;
	size_t first = 0;

	qsort(keys, count, sizeof *keys, settings_key_order);
	for (size_t i = 1; i < count; i++) {
		if (settings_key_compare(&keys[first], &keys[i]) != 0) {
			first = i;
			continue;
		}
		where = (struct settings_text){ path, path + sizeof path };
		settings_add_path(&where, keys[first].setting);
		settings_tell(reader, keys[i].setting, NULL, "the same as %s; give %s",
		    path, expected);
	}
}

/* What the file holds, in words for a fault of type. */
static const char *
settings_type_text(const config_setting_t *setting)
{
	static const char *const texts[] = {
		[CONFIG_TYPE_NONE] = "empty",
		[CONFIG_TYPE_GROUP] = "a group",
		[CONFIG_TYPE_INT] = "a number",
		[CONFIG_TYPE_INT64] = "a number",
		[CONFIG_TYPE_FLOAT] = "a decimal fraction",
		[CONFIG_TYPE_STRING] = "a string",
		[CONFIG_TYPE_BOOL] = "true or false",
		[CONFIG_TYPE_ARRAY] = "an array",
		[CONFIG_TYPE_LIST] = "a list",
	};
	size_t type = (size_t)config_setting_type(setting);

	return type < sizeof texts / sizeof texts[0] ? texts[type] : "unknown";
}

/* What would be right, in words for a fault. */
static void
settings_expected(const struct setting *entry, char *out, size_t size)
{
	switch (entry->type) {
	case SETTING_GROUP:
		snprintf(out, size, "a group: { ... }");
		break;
	case SETTING_LIST:
		snprintf(out, size, "a list of groups: ( { ... }, ... )");
		break;
	case SETTING_BOOL:
		snprintf(out, size, "true or false");
		break;
	case SETTING_PORT:
	case SETTING_NUMBER:
	case SETTING_SIZE:
		snprintf(out, size, "%lld to %lld", (long long)entry->min,
		    (long long)entry->max);
		break;
	case SETTING_STRING:
	case SETTING_VALUE:
		snprintf(out, size, "%s", entry->expected);
		break;
	}
}

void
settings_tell_type(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry)
{
	char expected[SETTINGS_PATH_MAX];

	settings_expected(entry, expected, sizeof expected);
	settings_tell(reader, setting, NULL, "is %s; give %s",
	    settings_type_text(setting), expected);
}

void
settings_tell_unknown(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *members)
{
	char known[SETTINGS_PATH_MAX] = "";
	struct settings_text text = { known, known + sizeof known };

	for (const struct setting *entry = members; entry->name != NULL; entry++)
		settings_add(&text, "%s%s", entry == members ? "" : ", ", entry->name);
	settings_tell(reader, setting, NULL, "unknown setting; known here: %s", known);
}

void
settings_tell_missing(struct settings_reader *reader, const config_setting_t *group,
    const struct setting *entry)
{
	char expected[SETTINGS_PATH_MAX];

	settings_expected(entry, expected, sizeof expected);
	settings_tell(reader, group, entry->name, "missing; give %s", expected);
}

void
settings_tell_range(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, long long number)
{
	char expected[SETTINGS_PATH_MAX];

	settings_expected(entry, expected, sizeof expected);
	settings_tell(
	    reader, setting, NULL, "%lld is out of range; give %s", number, expected);
}

void
settings_tell_value(struct settings_reader *reader, const config_setting_t *setting,
    const char *value, const char *expected)
{
	char shown[SETTINGS_SHOWN_MAX * 4 + 1] = "";
	struct settings_text text = { shown, shown + sizeof shown };
	size_t count = 0;

	for (; count < SETTINGS_SHOWN_MAX && value[count] != '\0'; count++) {
		unsigned char byte = (unsigned char)value[count];

		if (byte < 0x20 || byte == 0x7F)
			settings_add(&text, "\\x%02X", byte);
		else
			settings_add(&text, "%c", byte);
	}
	settings_tell(reader, setting, NULL, "\"%s%s\" is not valid; give %s", shown,
	    value[count] == '\0' ? "" : "...", expected);
}
