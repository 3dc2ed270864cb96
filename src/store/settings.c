#include "store/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "store/settings_reader.h"

static void
settings_network_clear(struct settings_network *network)
{
	free(network->backend);
	free(network->wlan);
	free(network->softap);
	free(network->wpa_supplicant);
	free(network->hostapd);
	free(network->address);
	free(network->name_server);
	free(network->ports);
}

static void
settings_air_clear(struct settings_air *air)
{
	for (size_t i = 0; i < air->network_count; i++) {
		struct settings_wifi *wifi = &air->networks[i];

		free(wifi->ssid);
		free(wifi->bssid);
		free(wifi->security);
		free(wifi->passkey);
	}
	free(air->networks);
	free(air->backend);
}

static void
settings_free_modules(struct module_settings *modules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct module_settings *module = &modules[i];

		for (size_t j = 0; j < module->factory_count; j++) {
			free(module->factory[j].name);
			free(module->factory[j].value);
		}
		free(module->factory);
		for (size_t j = 0; j < module->pin_count; j++)
			free(module->pins[j].chip);
		free(module->pins);
		settings_network_clear(&module->network);
		settings_air_clear(&module->radio);
		free(module->files_factory);
		free(module->serial_device);
		free(module->serial_link);
		free(module->mac);
		free(module->version);
		free(module->profile);
		free(module->name);
	}
	free(modules);
}

/* Asks the rules for each factory entry. No value is shown: it may be a passkey. */
static void
settings_check_factory(struct settings_reader *reader, const config_setting_t *setting,
    const struct module_settings *module)
{
	const config_setting_t *list = config_setting_get_member(setting, "factory");
	struct module_settings asked = *module;
	char unnamed[] = "unnamed";

	if (module->name == NULL)
		asked.name = unnamed;
	for (size_t i = 0; i < module->factory_count; i++) {
		const struct settings_factory *factory = &module->factory[i];
		const char *expected;

		if (factory->name == NULL || factory->value == NULL)
			continue;
		expected = reader->rules->factory(
		    reader->rules->arg, &asked, factory->name, factory->value);
		if (expected != NULL)
			settings_tell(reader,
			    config_setting_get_elem(list, (unsigned)i), NULL,
			    "%s is not valid as given; give %s", factory->name,
			    expected);
	}
}

static void
settings_check_pins(struct settings_reader *reader, const config_setting_t *setting,
    const struct module_settings *module)
{
	const config_setting_t *list = config_setting_get_member(setting, "gpio");

	for (size_t i = 0; i < module->pin_count; i++) {
		const config_setting_t *pin = config_setting_get_member(
		    config_setting_get_elem(list, (unsigned)i), "pin");
		const char *expected =
		    reader->rules->pin(reader->rules->arg, module, module->pins[i].pin);

		/* One that is missing or beyond any profile was told. */
		if (expected != NULL && module->pins[i].pin < SETTINGS_PINS_MAX)
			settings_tell(
			    reader, pin, NULL, "not there; give %s", expected);
	}
}

/* Asks the rules what they know of a module's profile. */
static void
settings_check_module(struct settings_reader *reader, const config_setting_t *setting,
    const struct module_settings *module)
{
	/* Nobody can say what belongs to a profile that is none. */
	if (reader->rules == NULL ||
	    (module->profile == NULL &&
		config_setting_get_member(setting, "profile") != NULL))
		return;
	if (reader->rules->factory != NULL)
		settings_check_factory(reader, setting, module);
	if (reader->rules->pin != NULL)
		settings_check_pins(reader, setting, module);
}

/* What can be said of the modules only when the whole file is known. */
static void
settings_complete_modules(struct settings_reader *reader, const config_setting_t *root,
    struct settings_file *file)
{
	const config_setting_t *list = config_setting_get_member(root, "modules");

	for (size_t i = 0; i < file->module_count; i++) {
		settings_inherit_network(&file->modules[i].network, &file->network);
		settings_check_module(reader,
		    config_setting_get_elem(list, (unsigned)i), &file->modules[i]);
	}
	settings_check_lines(reader, root, file);
	settings_check_interfaces(reader, root, file);
}

/* What libconfig says of a file that is none, with what would be right. */
static void
settings_tell_syntax(struct settings_reader *reader, const config_t *config)
{
	static const struct {
		const char *text, *expected;
	} faults[] = {
		{ "duplicate setting name", "each setting of a group once" },
		{ "mismatched element type in array",
		    "a list of groups: ( { ... }, ... )" },
	};
	const char *text = config_error_text(config),
		   *expected = "NAME = VALUE; and look for a missing ',' '=' quote or "
			       "bracket here and in the lines before";

	if (text == NULL)
		text = "syntax error";
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		if (strcmp(text, faults[i].text) == 0)
			expected = faults[i].expected;
	}
	settings_tell_place(reader, config_error_file(config),
	    (unsigned)config_error_line(config), "%s; give %s", text, expected);
}

static void
settings_read_file(struct settings_reader *reader, struct settings_file *file)
{
	char *text = settings_source_read(reader);
	const config_setting_t *root;
	config_t config;

	if (text == NULL)
		return;
	config_init(&config);
	if (reader->directory != NULL)
		config_set_include_dir(&config, reader->directory);
	if (config_read_string(&config, text)) {
		root = config_root_setting(&config);
		settings_read_group(reader, root, settings_file_table, file);
		settings_complete_modules(reader, root, file);
	} else {
		settings_tell_syntax(reader, &config);
	}
	config_destroy(&config);
	free(text);
}

struct settings *
settings_read(const char *path, const struct settings_rules *rules,
    settings_fault *fault, void *arg)
{
	struct settings_reader reader = {
		.path = path, .rules = rules, .fault = fault, .arg = arg
	};
	const char *slash = strrchr(path, '/');
	struct settings_file file = { .module_count = 0 };
	struct settings *settings = NULL;

	if (slash != NULL)
		reader.directory = xmemdup(path, (size_t)(slash - path));
	settings_read_file(&reader, &file);
	if (reader.faults == 0) {
		settings = xcalloc(1, sizeof *settings);
		settings->modules = file.modules;
		settings->module_count = file.module_count;
		settings->air = file.air;
	} else {
		settings_air_clear(&file.air);
		settings_free_modules(file.modules, file.module_count);
	}
	settings_network_clear(&file.network);
	free(reader.directory);
	return settings;
}

void
settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	settings_free_modules(settings->modules, settings->module_count);
	settings_air_clear(&settings->air);
	free(settings->runtime_directory);
	free(settings->state_directory);
	free(settings);
}

bool
settings_has_interfaces(const struct settings_network *network)
{
	return network->backend != NULL && strcmp(network->backend, "interface") == 0;
}

uint16_t
settings_host_port(const struct settings_network *network, uint16_t module_port)
{
	for (size_t i = 0; i < network->port_count; i++) {
		if (network->ports[i].module == module_port)
			return network->ports[i].host;
	}
	return module_port;
}
