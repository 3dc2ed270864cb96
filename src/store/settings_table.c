#include "store/settings_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/mac.h"
#include "base/xmalloc.h"

#define SETTINGS_FACTORY_MAX 1024 /* entries of one factory list */
#define SETTINGS_VALUE_MAX 4096 /* bytes of a factory value */
#define SETTINGS_PATH_BYTES_MAX 1023 /* of the directory of factory files */
#define SETTINGS_FILES_SIZE_MAX (64 * 1024 * 1024)

/* A name becomes a file name in the state and runtime directories. */
static const char *
settings_check_name(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	(void)reader;
	return text[0] == '.' || strchr(text, '/') != NULL ? entry->expected : NULL;
}

/* The control socket lies beside the directories of the modules. */
static const char *
settings_check_module_name(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	if (strcmp(text, "control") == 0)
		return entry->expected;
	return settings_check_name(reader, entry, text);
}

/* The link lies beside status.json, which is replaced through status.json.new. */
static const char *
settings_check_link(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	if (strncmp(text, "status.json", strlen("status.json")) == 0)
		return entry->expected;
	return settings_check_name(reader, entry, text);
}

static const char *
settings_check_full_path(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	(void)reader;
	return text[0] == '/' ? NULL : entry->expected;
}

/* Brings it into the normal spelling, which is as long. A station's address has an even
 * first octet: the I/G bit of IEEE 802 is 0. */
const char *
settings_check_mac(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	uint8_t octets[MAC_OCTETS];

	(void)reader;
	if (mac_parse(text, octets) == -1 || (octets[0] & 1) != 0)
		return entry->expected;
	mac_format(text, octets);
	return NULL;
}

static const char *
settings_check_profile(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	const struct settings_rules *rules = reader->rules;

	(void)entry;
	return rules == NULL || rules->profile == NULL
		   ? NULL
		   : rules->profile(rules->arg, text);
}

static void
settings_begin_factory(const config_setting_t *setting, void *element)
{
	struct settings_factory *factory = element;

	factory->line = config_setting_source_line(setting);
}

static void
settings_begin_module(const config_setting_t *setting, void *element)
{
	struct module_settings *module = element;

	(void)setting;
	module->has_serial = true;
	module->files_size = SETTINGS_FILES_SIZE;
}

static void
settings_end_module(
    struct settings_reader *reader, const config_setting_t *setting, void *element)
{
	struct module_settings *module = element;

	if (module->serial_link != NULL && module->serial_device != NULL)
		settings_tell(reader, config_setting_get_member(setting, "serial"),
		    "device",
		    "link is given too; give device for a serial port, link for a pty");
	if (!module->has_serial) {
		free(module->serial_link);
		free(module->serial_device);
		module->serial_link = module->serial_device = NULL;
	} else if (module->serial_link == NULL && module->serial_device == NULL) {
		module->serial_link = xstrdup(SETTINGS_LINK);
	}
}

static void
settings_end_modules(struct settings_reader *reader, const config_setting_t *list,
    const void *elements, size_t count)
{
	const struct module_settings *modules = elements;
	struct settings_key *names = xcalloc(count, sizeof *names);
	struct settings_key *devices = xcalloc(count, sizeof *devices);
	size_t name_count = 0, device_count = 0;

	for (size_t i = 0; i < count; i++) {
		const config_setting_t *module =
		    config_setting_get_elem(list, (unsigned)i);

		if (modules[i].name != NULL)
			names[name_count++] = (struct settings_key){
				.setting = config_setting_get_member(module, "name"),
				.text = modules[i].name,
				.position = i,
			};
		if (modules[i].serial_device != NULL)
			devices[device_count++] = (struct settings_key){
				.setting = config_setting_get_member(
				    config_setting_get_member(module, "serial"),
				    "device"),
				.text = modules[i].serial_device,
				.position = i,
			};
	}
	settings_tell_repeated(reader, names, name_count, "each module its own name");
	settings_tell_repeated(
	    reader, devices, device_count, "each module its own serial port");
	free(devices);
	free(names);
}

static const struct setting settings_serial_table[] = {
	{ .name = "enabled",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct module_settings, has_serial) },
	{ .name = "link",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = SETTINGS_NAME_MAX,
	    .offset = offsetof(struct module_settings, serial_link),
	    .check = settings_check_link,
	    .expected = "a file name of 1 to 63 bytes without '/', not starting with "
			"'.' or \"status.json\"" },
	{ .name = "device",
	    .type = SETTING_STRING,
	    .min = 2,
	    .max = 127,
	    .offset = offsetof(struct module_settings, serial_device),
	    .check = settings_check_full_path,
	    .expected = "the full path of a serial port such as \"/dev/ttyUSB0\", at "
			"most 127 bytes" },
	{ .name = NULL },
};

static const struct setting settings_factory_table[] = {
	{ .name = "name",
	    .type = SETTING_STRING,
	    .required = true,
	    .min = 1,
	    .max = 127,
	    .offset = offsetof(struct settings_factory, name),
	    .expected = "the name of a variable such as \"http.server.enabled\"" },
	{ .name = "value",
	    .type = SETTING_VALUE,
	    .required = true,
	    .max = SETTINGS_VALUE_MAX,
	    .offset = offsetof(struct settings_factory, value),
	    .expected = "a string, a whole number, true or false" },
	{ .name = NULL },
};

static const struct setting_list settings_factory_list = {
	.element_size = sizeof(struct settings_factory),
	.count_offset = offsetof(struct module_settings, factory_count),
	.begin = settings_begin_factory,
};

static const struct setting settings_quirks_table[] = {
	{ .name = "http_close",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct module_settings, http_close) },
	{ .name = NULL },
};

static const struct setting settings_files_table[] = {
	{ .name = "factory",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = SETTINGS_PATH_BYTES_MAX,
	    .offset = offsetof(struct module_settings, files_factory),
	    .check = settings_check_full_path,
	    .expected = "the full path of a directory such as "
			"\"/usr/share/zentrid/flash\", at most 1023 bytes" },
	{ .name = "size",
	    .type = SETTING_SIZE,
	    .min = 4096,
	    .max = SETTINGS_FILES_SIZE_MAX,
	    .offset = offsetof(struct module_settings, files_size) },
	{ .name = NULL },
};

static const struct setting settings_module_table[] = {
	{ .name = "name",
	    .type = SETTING_STRING,
	    .required = true,
	    .min = 1,
	    .max = SETTINGS_NAME_MAX,
	    .offset = offsetof(struct module_settings, name),
	    .check = settings_check_module_name,
	    .expected = "a name of 1 to 63 bytes without '/' and control characters, "
			"not starting with '.' and not \"control\"" },
	{ .name = "profile",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = SETTINGS_NAME_MAX,
	    .offset = offsetof(struct module_settings, profile),
	    .check = settings_check_profile,
	    .expected = "the name of a profile such as \"wl-1.0\"" },
	{ .name = "version",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = 255,
	    .offset = offsetof(struct module_settings, version),
	    .expected = "a text of 1 to 255 bytes without control characters" },
	{ .name = "mac",
	    .type = SETTING_STRING,
	    .min = 17,
	    .max = 17,
	    .offset = offsetof(struct module_settings, mac),
	    .check = settings_check_mac,
	    .expected = SETTINGS_MAC_EXPECTED },
	{ .name = "serial", .type = SETTING_GROUP, .members = settings_serial_table },
	{ .name = "network",
	    .type = SETTING_GROUP,
	    .offset = offsetof(struct module_settings, network),
	    .members = settings_network_table },
	{ .name = "radio",
	    .type = SETTING_GROUP,
	    .offset = offsetof(struct module_settings, radio),
	    .members = settings_radio_table },
	{ .name = "factory",
	    .type = SETTING_LIST,
	    .min = 0,
	    .max = SETTINGS_FACTORY_MAX,
	    .offset = offsetof(struct module_settings, factory),
	    .members = settings_factory_table,
	    .list = &settings_factory_list },
	{ .name = "gpio",
	    .type = SETTING_LIST,
	    .min = 0,
	    .max = SETTINGS_PINS_MAX,
	    .offset = offsetof(struct module_settings, pins),
	    .members = settings_pin_table,
	    .list = &settings_pin_list },
	{ .name = "files", .type = SETTING_GROUP, .members = settings_files_table },
	{ .name = "quirks", .type = SETTING_GROUP, .members = settings_quirks_table },
	{ .name = NULL },
};

static const struct setting_list settings_module_list = {
	.element_size = sizeof(struct module_settings),
	.count_offset = offsetof(struct settings_file, module_count),
	.begin = settings_begin_module,
	.end = settings_end_module,
	.end_all = settings_end_modules,
};

const struct setting settings_file_table[] = {
	{ .name = "network",
	    .type = SETTING_GROUP,
	    .offset = offsetof(struct settings_file, network),
	    .members = settings_network_table },
	{ .name = "air",
	    .type = SETTING_GROUP,
	    .offset = offsetof(struct settings_file, air),
	    .members = settings_air_table },
	{ .name = "modules",
	    .type = SETTING_LIST,
	    .required = true,
	    .min = 1,
	    .max = SETTINGS_MODULES_MAX,
	    .offset = offsetof(struct settings_file, modules),
	    .members = settings_module_table,
	    .list = &settings_module_list },
	{ .name = NULL },
};
