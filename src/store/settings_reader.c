#include "store/settings_reader.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/xmalloc.h"

static void
settings_read_member_group(struct settings_reader *reader,
    const config_setting_t *setting, const struct setting *entry, char *target)
{
	if (config_setting_is_group(setting))
		settings_read_group(
		    reader, setting, entry->members, target + entry->offset);
	else
		settings_tell_type(reader, setting, entry);
}

static void
settings_read_element(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *element)
{
	static const struct setting group = { .type = SETTING_GROUP };

	if (!config_setting_is_group(setting)) {
		settings_tell_type(reader, setting, &group);
		return;
	}
	if (entry->list->begin != NULL)
		entry->list->begin(setting, element);
	settings_read_group(reader, setting, entry->members, element);
	if (entry->list->end != NULL)
		entry->list->end(reader, setting, element);
}

static void
settings_read_list(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *target)
{
	const struct setting_list *list = entry->list;
	size_t count;
	char *elements;

	if (!config_setting_is_list(setting)) {
		settings_tell_type(reader, setting, entry);
		return;
	}
	count = (size_t)config_setting_length(setting);
	if ((int64_t)count < entry->min || (int64_t)count > entry->max) {
		settings_tell(reader, setting, NULL,
		    "has %zu entries; give %lld to %lld", count, (long long)entry->min,
		    (long long)entry->max);
		return;
	}
	elements = xcalloc(count, list->element_size);
	memcpy(target + entry->offset, &elements, sizeof elements);
	memcpy(target + list->count_offset, &count, sizeof count);
	for (size_t i = 0; i < count; i++)
		settings_read_element(reader,
		    config_setting_get_elem(setting, (unsigned)i), entry,
		    elements + i * list->element_size);
	if (list->end_all != NULL)
		list->end_all(reader, setting, elements, count);
}

static void
settings_read_bool(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *target)
{
	bool value = config_setting_get_bool(setting);

	if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
		memcpy(target + entry->offset, &value, sizeof value);
	else
		settings_tell_type(reader, setting, entry);
}

static bool
settings_is_number(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_INT ||
	       config_setting_type(setting) == CONFIG_TYPE_INT64;
}

static long long
settings_number(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_INT
		   ? config_setting_get_int(setting)
		   : config_setting_get_int64(setting);
}

/* 0, or -1 when it is none or out of range, which is told. */
static int
settings_take_number(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, long long *number)
{
	if (!settings_is_number(setting)) {
		settings_tell_type(reader, setting, entry);
		return -1;
	}
	*number = settings_number(setting);
	if (*number >= entry->min && *number <= entry->max)
		return 0;
	settings_tell_range(reader, setting, entry, *number);
	return -1;
}

static void
settings_read_port(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *target)
{
	long long number;
	uint16_t port;

	if (settings_take_number(reader, setting, entry, &number) == -1)
		return;
	port = (uint16_t)number;
	memcpy(target + entry->offset, &port, sizeof port);
}

static void
settings_read_number(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *target)
{
	long long number;
	int value;

	if (settings_take_number(reader, setting, entry, &number) == -1)
		return;
	value = (int)number;
	memcpy(target + entry->offset, &value, sizeof value);
}

static void
settings_read_size(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *target)
{
	long long number;
	uint32_t size;

	if (settings_take_number(reader, setting, entry, &number) == -1)
		return;
	size = (uint32_t)number;
	memcpy(target + entry->offset, &size, sizeof size);
}

/* Whether all of it can be shown, logged and put into JSON. */
static bool
settings_is_text(const char *text)
{
	json_t *utf8 = json_string(text);

	if (utf8 == NULL)
		return false;
	json_decref(utf8);
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7F)
			return false;
	}
	return true;
}

static void
settings_read_string(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *target)
{
	const char *given, *expected = entry->expected;
	char *text;
	size_t len;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING) {
		settings_tell_type(reader, setting, entry);
		return;
	}
	given = config_setting_get_string(setting);
	len = strlen(given);
	if ((int64_t)len >= entry->min && (int64_t)len <= entry->max &&
	    settings_is_text(given)) {
		text = xstrdup(given);
		if (entry->check == NULL ||
		    (expected = entry->check(reader, entry, text)) == NULL) {
			memcpy(target + entry->offset, &text, sizeof text);
			return;
		}
		free(text);
	}
	settings_tell_value(reader, setting, given, expected);
}

/* The value is a secret, perhaps: no fault shows it. */
static void
settings_read_value(struct settings_reader *reader, const config_setting_t *setting,
    const struct setting *entry, char *target)
{
	char *text;

	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		text = xstrdup(config_setting_get_string(setting));
	else if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
		text = xstrdup(config_setting_get_bool(setting) ? "1" : "0");
	else if (settings_is_number(setting))
		text = xasprintf("%lld", settings_number(setting));
	else {
		settings_tell_type(reader, setting, entry);
		return;
	}
	if ((int64_t)strlen(text) > entry->max) {
		settings_tell(reader, setting, NULL,
		    "is %zu bytes long; give at most %lld", strlen(text),
		    (long long)entry->max);
		free(text);
		return;
	}
	memcpy(target + entry->offset, &text, sizeof text);
}

void
settings_read_group(struct settings_reader *reader, const config_setting_t *group,
    const struct setting *members, void *target)
{
	static void (*const readers[])(struct settings_reader *,
	    const config_setting_t *, const struct setting *, char *) = {
		[SETTING_GROUP] = settings_read_member_group,
		[SETTING_LIST] = settings_read_list,
		[SETTING_BOOL] = settings_read_bool,
		[SETTING_PORT] = settings_read_port,
		[SETTING_NUMBER] = settings_read_number,
		[SETTING_SIZE] = settings_read_size,
		[SETTING_STRING] = settings_read_string,
		[SETTING_VALUE] = settings_read_value,
	};
	const struct setting *entry;

	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member =
		    config_setting_get_elem(group, (unsigned)i);

		entry = members;
		while (entry->name != NULL &&
		       strcmp(entry->name, config_setting_name(member)) != 0)
			entry++;
		if (entry->name == NULL)
			settings_tell_unknown(reader, member, members);
		else
			readers[entry->type](reader, member, entry, target);
	}
	for (entry = members; entry->name != NULL; entry++) {
		if (entry->required &&
		    config_setting_get_member(group, entry->name) == NULL)
			settings_tell_missing(reader, group, entry);
	}
}
