#include "settings_fixture.h"

#define MODULES 1000

static void
test_complete_file(void **state)
{
	struct settings *settings = fixture_accept(*state,
	    "network = { address = \"127.0.0.2\";\n"
	    "  ports = ( { module = 80; host = 8080; }, { module = 443; host = 0; } ); "
	    "};\n"
	    "modules = ( { name = \"zentri\"; profile = \"wl-1.0\"; version = \"v "
	    "1\";\n"
	    "  mac = \"4c:55:cc:10:09:42\"; serial = { enabled = true; link = \"s\"; "
	    "};\n"
	    "  network = { address = \"0.0.0.0\"; ports = ( { module = 23; host = 1; } "
	    "); };\n"
	    "  factory = ( { name = \"a.b\"; value = \"c\"; },\n"
	    "              { name = \"d.e\"; value = \"\"; } );\n"
	    "  files = { factory = \"/f\"; size = 8192; };\n"
	    "  quirks = { http_close = true; }; },\n"
	    "  { name = \"other\"; serial = { device = \"/dev/ttyUSB0\"; }; } );\n");
	const struct module_settings *module = settings->modules;

	assert_null(settings->state_directory);
	assert_null(settings->runtime_directory);
	assert_int_equal(settings->module_count, 2);
	assert_string_equal(module->name, "zentri");
	assert_string_equal(module->profile, "wl-1.0");
	assert_string_equal(module->version, "v 1");
	assert_string_equal(module->mac, "4C:55:CC:10:09:42");
	assert_true(module->has_serial);
	assert_string_equal(module->serial_link, "s");
	assert_null(module->serial_device);
	assert_string_equal(module->network.address, "0.0.0.0");
	assert_int_equal(module->network.port_count, 1);
	assert_int_equal(settings_host_port(&module->network, 23), 1);
	assert_int_equal(settings_host_port(&module->network, 80), 80);
	assert_int_equal(module->factory_count, 2);
	assert_string_equal(module->factory[0].name, "a.b");
	assert_string_equal(module->factory[0].value, "c");
	assert_int_equal(module->factory[0].line, 6);
	assert_string_equal(module->factory[1].value, "");
	assert_int_equal(module->factory[1].line, 7);
	assert_true(module->http_close);
	assert_string_equal(module->files_factory, "/f");
	assert_int_equal(module->files_size, 8192);

	module++;
	assert_null(module->files_factory);
	assert_int_equal(module->files_size, 1048576);
	assert_true(module->has_serial);
	assert_null(module->serial_link);
	assert_string_equal(module->serial_device, "/dev/ttyUSB0");
	assert_string_equal(module->network.address, "127.0.0.2");
	assert_int_equal(settings_host_port(&module->network, 80), 8080);
	assert_int_equal(settings_host_port(&module->network, 443), 0);
	settings_free(settings);
}

static void
test_pins(void **state)
{
	struct settings *settings = fixture_accept(*state,
	    "modules = ( { name = \"m\"; gpio = ( { pin = 5; chip = \"/dev/c\"; line = "
	    "17; }, { pin = 0; chip = \"/dev/c\"; line = 0; active_low = true; pulls = "
	    "false; } ); } );");
	const struct settings_pin *pins = settings->modules->pins;

	assert_int_equal(settings->modules->pin_count, 2);
	assert_int_equal(pins[0].pin, 5);
	assert_string_equal(pins[0].chip, "/dev/c");
	assert_int_equal(pins[0].line, 17);
	assert_false(pins[0].active_low);
	assert_true(pins[0].pulls);
	assert_int_equal(pins[1].pin, 0);
	assert_true(pins[1].active_low);
	assert_false(pins[1].pulls);
	settings_free(settings);
}

static void
test_defaults(void **state)
{
	struct settings *settings =
	    fixture_accept(*state, "modules = ( { name = \"m\"; } );");
	const struct module_settings *module = settings->modules;

	assert_int_equal(settings->module_count, 1);
	assert_null(module->profile);
	assert_null(module->version);
	assert_null(module->mac);
	assert_true(module->has_serial);
	assert_string_equal(module->serial_link, "serial");
	assert_null(module->serial_device);
	assert_string_equal(module->network.address, "127.0.0.1");
	assert_int_equal(module->network.port_count, 0);
	assert_int_equal(settings_host_port(&module->network, 2000), 2000);
	assert_int_equal(module->factory_count, 0);
	assert_int_equal(module->pin_count, 0);
	assert_false(module->http_close);
	settings_free(settings);
	settings_free(NULL);
}

static void
test_serial_off(void **state)
{
	struct settings *settings = fixture_accept(*state,
	    "modules = ( { name = \"m\"; serial = { enabled = false; link = \"l\"; }; "
	    "}, { name = \"n\"; serial = { enabled = false; }; } );");

	for (size_t i = 0; i < 2; i++) {
		assert_false(settings->modules[i].has_serial);
		assert_null(settings->modules[i].serial_link);
		assert_null(settings->modules[i].serial_device);
	}
	settings_free(settings);
}

/* The common network may come last; a module's own replaces each part it gives. */
static void
test_network_parts(void **state)
{
	struct settings *settings = fixture_accept(*state,
	    "modules = ( { name = \"a\"; network = { address = \"127.0.0.3\"; }; },\n"
	    "  { name = \"b\"; network = { ports = (); }; }, { name = \"c\"; } );\n"
	    "network = { address = \"127.0.0.4\";\n"
	    "  ports = ( { module = 80; host = 81; } ); };");
	const struct settings_network *a = &settings->modules[0].network;
	const struct settings_network *b = &settings->modules[1].network;
	const struct settings_network *c = &settings->modules[2].network;

	assert_string_equal(a->address, "127.0.0.3");
	assert_int_equal(settings_host_port(a, 80), 81);
	assert_string_equal(b->address, "127.0.0.4");
	assert_int_equal(settings_host_port(b, 80), 80);
	assert_string_equal(c->address, "127.0.0.4");
	assert_int_equal(settings_host_port(c, 80), 81);
	settings_free(settings);
}

static void
test_interfaces(void **state)
{
	struct settings *settings = fixture_accept(*state,
	    "network = { backend = \"interface\"; wlan = \"veth0\"; };\n"
	    "modules = ( { name = \"a\"; network = { softap = \"veth1\"; }; },\n"
	    "  { name = \"b\"; network = { backend = \"host\"; }; },\n"
	    "  { name = \"c\"; network = { wlan = \"wlan0.5\"; hostapd = \"\"; }; } "
	    ");");
	const struct settings_network *a = &settings->modules[0].network;
	const struct settings_network *b = &settings->modules[1].network;
	const struct settings_network *c = &settings->modules[2].network;

	assert_true(settings_has_interfaces(a) && settings_has_interfaces(c));
	assert_string_equal(a->wlan, "veth0");
	assert_string_equal(a->softap, "veth1");
	assert_string_equal(c->wlan, "wlan0.5");
	assert_null(c->softap);
	assert_string_equal(a->wpa_supplicant, "/run/wpa_supplicant");
	assert_string_equal(a->hostapd, "/run/hostapd");
	assert_string_equal(c->hostapd, "");
	assert_false(settings_has_interfaces(b));
	assert_null(b->wlan);
	assert_null(b->wpa_supplicant);
	settings_free(settings);
	fixture_refuse(*state,
	    "network = { backend = \"interface\"; wlan = \"veth0\"; };\n"
	    "modules = ( { name = \"a\"; }, { name = \"b\"; } );",
	    "zentrid.conf:1: network.wlan: the same as network.wlan; give each part of "
	    "each module its own interface");
}

static void
test_limits(void **state)
{
	char name[SETTINGS_NAME_MAX + 1], *text;
	struct settings *settings;

	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	text = xasprintf("modules = ( { name = \"%s\"; serial = { link = \"%s\"; };"
			 "  network = { ports = ( { module = 1; host = 65535; },"
			 "  { module = 0xFFFF; host = 0L; } ); }; } )",
	    name, name);
	settings = fixture_accept(*state, text);
	assert_string_equal(settings->modules[0].name, name);
	assert_string_equal(settings->modules[0].serial_link, name);
	assert_int_equal(settings_host_port(&settings->modules[0].network, 1), 65535);
	assert_int_equal(settings_host_port(&settings->modules[0].network, 65535), 0);
	settings_free(settings);
	free(text);
}

static void
test_mac_spellings(void **state)
{
	static const char *const spellings[] = { "4c-55-cc-10-09-42",
		"4C:55:CC:10:09:42" };

	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		char *text = xasprintf(
		    "modules = ( { name = \"m\"; mac = \"%s\"; } );", spellings[i]);
		struct settings *settings = fixture_accept(*state, text);

		assert_string_equal(settings->modules[0].mac, "4C:55:CC:10:09:42");
		settings_free(settings);
		free(text);
	}
}

static void
test_factory_values(void **state)
{
	static const struct {
		const char *written, *kept;
	} values[] = {
		{ "\"text with \\\"quotes\\\"\"", "text with \"quotes\"" },
		{ "\"two \" \"parts\"", "two parts" },
		{ "\"\\xff\\x01\"", "\xFF\x01" },
		{ "1", "1" },
		{ "-2147483648", "-2147483648" },
		{ "0x10", "16" },
		{ "4294967296L", "4294967296" },
		{ "true", "1" },
		{ "False", "0" },
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		char *text = xasprintf(
		    "modules = ( { name = \"m\"; factory = ( { name = \"a.b\";"
		    " value = %s; } ); } )",
		    values[i].written);
		struct settings *settings = fixture_accept(*state, text);

		assert_string_equal(
		    settings->modules[0].factory[0].value, values[i].kept);
		settings_free(settings);
		free(text);
	}
}

/* The rules see a module that is complete, also when what it is made of comes later. */
static void
test_rules_are_asked(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings = fixture_accept(fixture,
	    "modules = ( { factory = ( { name = \"a.b\"; value = 1; },\n"
	    "  { name = \"c.d\"; value = \"e\"; } );\n"
	    "  name = \"m\"; profile = \"gecko-os-2\"; } );\n"
	    "network = { address = \"127.0.0.9\"; };");

	assert_int_equal(fixture->asked, 2);
	assert_string_equal(fixture->asked_module, "m");
	assert_string_equal(fixture->asked_profile, "gecko-os-2");
	assert_string_equal(fixture->asked_address, "127.0.0.9");
	assert_string_equal(fixture->asked_name, "c.d");
	assert_string_equal(fixture->asked_value, "e");
	settings_free(settings);

	fixture_refuse(fixture,
	    "modules = ( { name = \"m\";\n factory = (\n"
	    "  { name = \"wlan.passkey\"; value = \"wrong\"; } ); } );",
	    "zentrid.conf:3: modules[0].factory[0]: wlan.passkey is not valid as "
	    "given; give 0 or 1");
	fixture_refuse_module(fixture,
	    "factory = ( { name = \"no.such\"; value = 1; } );",
	    "factory[0]: no.such is not valid as given; give the name of a "
	    "variable");
	/* No profile, nothing to ask of it; no name, but the rest is asked for. */
	fixture_refuse_module(fixture,
	    "profile = \"wl-9\"; factory = ( { name = \"no.such\"; value = 1; } );",
	    "profile: \"wl-9\" is not valid; give wl-1.0 or gecko-os-2");
	assert_int_equal(fixture->asked, 0);
	assert_null(fixture_read(fixture,
	    "modules = ( { factory = ( { name = \"a.b\"; value = 1; } ); } )"));
	assert_string_equal(fixture->asked_module, "unnamed");
}

static void
test_no_rules(void **state)
{
	struct fixture *fixture = *state;
	const struct settings_rules none = { .profile = NULL };
	char *path = fixture_path(fixture, "zentrid.conf");
	struct settings *settings;

	fixture_write(fixture, "zentrid.conf",
	    "modules = ( { name = \"m\"; profile = \"any\";"
	    "  factory = ( { name = \"any\"; value = \"any\"; } ); } );");
	settings = settings_read(path, NULL, fixture_fault, fixture);
	assert_non_null(settings);
	settings_free(settings);
	settings = settings_read(path, &none, fixture_fault, fixture);
	assert_non_null(settings);
	settings_free(settings);
	free(path);
}

static void
test_long_values(void **state)
{
	struct fixture *fixture = *state;
	char *value = xmalloc(4097 + 1), *text, *fault;
	struct settings *settings;

	memset(value, 'v', 4097);
	value[4096] = '\0';
	text =
	    xasprintf("modules = ( { name = \"m\"; factory = ( { name = \"a\"; value = "
		      "\"%s\"; } ); } );",
		value);
	settings = fixture_accept(fixture, text);
	assert_int_equal(strlen(settings->modules[0].factory[0].value), 4096);
	settings_free(settings);
	free(text);

	value[4096] = 'v';
	value[4097] = '\0';
	text = xasprintf("factory = ( { name = \"a\"; value = \"%s\"; } );", value);
	fixture_refuse_module(
	    fixture, text, "factory[0].value: is 4097 bytes long; give at most 4096");
	free(text);

	/* A long value is cut where a fault shows it. */
	value[0] = '/';
	value[128] = '\0';
	text = xasprintf("serial = { device = \"%s\"; };", value);
	value[64] = '\0';
	fault =
	    xasprintf("serial.device: \"%s...\" is not valid; " DEVICE_EXPECTED, value);
	fixture_refuse_module(fixture, text, fault);
	free(fault);
	free(text);

	/* A setting's name has no bound of its own; what is shown of it has. */
	value[0] = value[64] = value[128] = 'v';
	text = xasprintf("modules = ( { name = \"m\"; } ); %s = 1;", value);
	assert_null(fixture_read(fixture, text));
	assert_int_equal(fixture->fault_count, 1);
	assert_true(strlen(fixture->faults[0]) < 200);
	free(text);
	free(value);
}

static void
test_includes(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings;

	fixture_write(
	    fixture, "ports.conf", "ports = ( { module = 80; host = 0; } );\n");
	fixture_write(fixture, "m.conf",
	    "# one module\n{ name = \"included\";\n"
	    "  network = {\n@include \"ports.conf\"\n  }; }");
	settings = fixture_accept(fixture,
	    "modules = (\n  \t@include\t\"m.conf\"\n, { name = \"b\"; factory =\n"
	    "( { name = \"a.b\"; value = 1; } ); } );");
	assert_int_equal(settings->module_count, 2);
	assert_string_equal(settings->modules[0].name, "included");
	assert_int_equal(settings_host_port(&settings->modules[0].network, 80), 0);
	assert_int_equal(settings->modules[1].factory[0].line, 4);
	settings_free(settings);

	fixture_write(
	    fixture, "ports.conf", "\nports = ( { module = 80; host = -5; } );\n");
	fixture_refuse(fixture, "modules = (\n@include \"m.conf\"\n);",
	    "ports.conf:2: modules[0].network.ports[0].host: -5 is out of range; give "
	    "0 to 65535");
	fixture_write(fixture, "ports.conf", "\nports = ;");
	fixture_refuse(fixture, "modules = (\n@include \"m.conf\"\n);",
	    "ports.conf:2: " SYNTAX_EXPECTED);
	fixture_write(fixture, "ports.conf", "\n\nports = 99999999999;");
	fixture_refuse(fixture, "modules = (\n@include \"m.conf\"\n);",
	    "ports.conf:3: " NUMBER_EXPECTED);
	fixture_write(fixture, "ports.conf", "ports = ( ); # none");
	fixture_refuse(fixture, "modules = (\n@include \"m.conf\"\n);",
	    "ports.conf:1: this comment has no line end; end the file with one");
}

/* A file in the working directory, named without a directory. */
static void
test_bare_file_name(void **state)
{
	struct fixture *fixture = *state;
	char *cwd = getcwd(NULL, 0);
	struct settings *settings;

	assert_non_null(cwd);
	fixture_write(fixture, "bare.conf", "name = \"bare\";\n");
	fixture_write(
	    fixture, "zentrid.conf", "modules = ( {\n@include \"bare.conf\"\n} );");
	assert_int_equal(chdir(fixture->directory), 0);
	settings = settings_read("zentrid.conf", NULL, fixture_fault, fixture);
	assert_int_equal(chdir(cwd), 0);
	free(cwd);
	assert_non_null(settings);
	assert_string_equal(settings->modules[0].name, "bare");
	settings_free(settings);
}

static void
test_many_modules(void **state)
{
	struct fixture *fixture = *state;
	char *path = fixture_path(fixture, "zentrid.conf");
	FILE *file = fopen(path, "w");
	struct settings *settings;

	assert_non_null(file);
	fprintf(file,
	    "network = { ports = ( { module = 80; host = 0; } ); };\nmodules = (\n");
	for (unsigned i = 0; i < MODULES; i++)
		fprintf(file,
		    "%s { name = \"module-%u\"; profile = \"wl-1.0\";\n"
		    "  mac = \"4C:55:CC:10:%02X:%02X\"; serial = { link = \"serial\"; "
		    "};\n"
		    "  factory = ( { name = \"http.server.enabled\"; value = true; } "
		    "); }\n",
		    i == 0 ? "" : ",", i, i >> 8, i & 0xFF);
	fprintf(file, ");\n");
	assert_int_equal(fclose(file), 0);

	settings = fixture_read_file(fixture, "zentrid.conf");
	free(path);
	assert_non_null(settings);
	assert_int_equal(settings->module_count, MODULES);
	assert_int_equal(fixture->asked, MODULES);
	assert_string_equal(settings->modules[999].name, "module-999");
	assert_string_equal(settings->modules[999].mac, "4C:55:CC:10:03:E7");
	settings_free(settings);
}

static void
test_shipped_configuration(void **state)
{
	struct fixture *fixture = *state;
	struct settings *settings =
	    settings_read("etc/zentrid.conf", NULL, fixture_fault, fixture);
	const struct module_settings *module;

	if (settings == NULL) {
		fail_msg("%s", fixture->faults[0]);
		return;
	}
	assert_int_equal(settings->module_count, 1);
	module = settings->modules;
	assert_string_equal(module->name, "zentri");
	assert_non_null(module->profile);
	assert_string_equal(module->profile, "wl-1.0");
	assert_non_null(module->serial_link);
	assert_string_equal(module->serial_link, "serial");
	assert_string_equal(module->network.address, "127.0.0.1");
	assert_int_equal(settings_host_port(&module->network, 80), 8080);
	assert_int_equal(settings_host_port(&module->network, 443), 8443);
	assert_int_equal(settings_host_port(&module->network, 2000), 2000);
	assert_int_equal(module->factory_count, 4);
	assert_string_equal(module->factory[0].name, "http.server.enabled");
	assert_string_equal(module->factory[0].value, "1");
	/* The network that it joins is there. */
	assert_int_equal(settings->air.network_count, 1);
	assert_string_equal(module->factory[1].name, "wlan.ssid");
	assert_string_equal(module->factory[1].value, settings->air.networks[0].ssid);
	assert_string_equal(
	    module->factory[2].value, settings->air.networks[0].passkey);
	assert_false(module->http_close);
	settings_free(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_complete_file),
		TEST(test_pins),
		TEST(test_defaults),
		TEST(test_serial_off),
		TEST(test_network_parts),
		TEST(test_interfaces),
		TEST(test_limits),
		TEST(test_mac_spellings),
		TEST(test_factory_values),
		TEST(test_rules_are_asked),
		TEST(test_no_rules),
		TEST(test_long_values),
		TEST(test_includes),
		TEST(test_bare_file_name),
		TEST(test_many_modules),
		TEST(test_shipped_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
