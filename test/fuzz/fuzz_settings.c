/* The bytes are a configuration file. It is refused with at least one fault told, or
 * read into settings that keep to what their header says. */

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "store/settings.h"

struct fuzz_settings_faults {
	unsigned count;
};

static void
fuzz_settings_fault(void *arg, const char *text)
{
	struct fuzz_settings_faults *faults = arg;

	FUZZ_REQUIRE(strstr(text, "zentrid.conf") != NULL);
	faults->count++;
}

static const char *
fuzz_settings_profile(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "wl-1.0") == 0 ? NULL : "give wl-1.0";
}

static const char *
fuzz_settings_factory(void *arg, const struct module_settings *module, const char *name,
    const char *value)
{
	(void)arg;
	(void)module; /* it may lack what the file gave wrong, its name too */
	return strchr(name, '.') != NULL && strlen(value) < 100 ? NULL : "give another";
}

static void
fuzz_settings_check_network(const struct settings_network *network)
{
	FUZZ_REQUIRE(network->address != NULL);
	for (size_t i = 0; i < network->port_count; i++) {
		uint16_t port = network->ports[i].module;

		FUZZ_REQUIRE(
		    settings_host_port(network, port) == network->ports[i].host);
	}
}

static void
fuzz_settings_check_module(const struct module_settings *module)
{
	size_t len = strlen(module->name);

	FUZZ_REQUIRE(len > 0 && len <= SETTINGS_NAME_MAX);
	FUZZ_REQUIRE(module->name[0] != '.' && strchr(module->name, '/') == NULL);
	FUZZ_REQUIRE(module->mac == NULL || strlen(module->mac) == 17);
	FUZZ_REQUIRE(module->serial_link == NULL || module->serial_device == NULL);
	if (module->serial_link != NULL)
		FUZZ_REQUIRE(strchr(module->serial_link, '/') == NULL);
	if (module->has_serial)
		FUZZ_REQUIRE(
		    module->serial_link != NULL || module->serial_device != NULL);
	for (size_t i = 0; i < module->factory_count; i++)
		FUZZ_REQUIRE(module->factory[i].name != NULL &&
			     module->factory[i].value != NULL);
	fuzz_settings_check_network(&module->network);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct settings_rules rules = { .profile = fuzz_settings_profile,
		.factory = fuzz_settings_factory };
	struct fuzz_settings_faults faults = { 0 };
	const char *path = fuzz_path("zentrid.conf");
	struct settings *settings;

	/* It would name any file of this machine, and devices that never end. */
	if (memmem(data, size, "@include", strlen("@include")) != NULL)
		return 0;
	fuzz_write(path, data, size);
	settings = settings_read(path, &rules, fuzz_settings_fault, &faults);
	FUZZ_REQUIRE((settings == NULL) == (faults.count > 0));
	if (settings == NULL)
		return 0;
	FUZZ_REQUIRE(settings->module_count > 0 &&
		     settings->module_count <= SETTINGS_MODULES_MAX);
	for (size_t i = 0; i < settings->module_count; i++)
		fuzz_settings_check_module(&settings->modules[i]);
	settings_free(settings);
	return 0;
}
