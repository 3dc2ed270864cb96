#include "settings_fixture.h"

#include <sys/stat.h>

/* Behind the name of a module, and what is said of it. */
static void
test_module_faults(void **state)
{
	static const struct {
		const char *members, *fault;
	} faults[] = {
		{ "antenna = { };", "antenna: unknown setting; known here: name, "
				    "profile, version, mac, serial, network, "
				    "radio, factory, gpio, files, quirks" },
		{ "files = { };  link = { };",
		    "link: unknown setting; known here: name, profile, version, mac, "
		    "serial, network, radio, factory, gpio, files, quirks" },
		{ "gpio = ( { chip = \"/c\"; line = 0; } );",
		    "gpio[0].pin: missing; give 0 to 31" },
		{ "gpio = ( { pin = 32; chip = \"/c\"; line = 0; } );",
		    "gpio[0].pin: 32 is out of range; give 0 to 31" },
		{ "gpio = ( { pin = 0; chip = \"gpiochip0\"; line = 0; } );",
		    "gpio[0].chip: \"gpiochip0\" is not valid; give the full path of a "
		    "GPIO chip such as \"/dev/gpiochip0\", at most 127 bytes" },
		{ "gpio = ( { pin = 0; chip = \"/c\"; line = -1; } );",
		    "gpio[0].line: -1 is out of range; give 0 to 65535" },
		{ "gpio = ( { pin = 0; chip = \"/c\"; } );",
		    "gpio[0].line: missing; give 0 to 65535" },
		{ "gpio = ( { pin = 0; chip = \"/c\"; line = 1; bias = true; } );",
		    "gpio[0].bias: unknown setting; known here: pin, chip, line, "
		    "active_low, pulls" },
		{ "gpio = ( { pin = 1; chip = \"/c\"; line = 1; }, { pin = 1; chip = "
		  "\"/c\"; line = 2; } );",
		    "gpio[1].pin: the same as modules[0].gpio[0].pin; give each pin "
		    "once" },
		/* The other entries are looked at beside one that is none. */
		{ "gpio = ( { pin = 0; chip = \"/c\"; line = 0; }, 5 );",
		    "gpio[1]: is a number; give a group: { ... }" },
		{ "gpio = ( { pin = 1; chip = \"/c\"; line = 1; }, { pin = 2; chip = "
		  "\"/d\"; line = 1; }, { pin = 3; chip = \"/c\"; line = 1; } );",
		    "gpio[2].line: the same as modules[0].gpio[0].line; give each line "
		    "of a chip once" },
		{ "radio = { backend = \"wire\"; };",
		    "radio.backend: \"wire\" is not valid; give \"simulated\"" },
		{ "radio = { networks = ( { } ); };",
		    "radio.networks[0].ssid: missing; give a name of 1 to 32 bytes "
		    "without control characters" },
		{ "radio = { networks = ( { ssid = \"n\"; channel = 15; } ); };",
		    "radio.networks[0].channel: 15 is out of range; give 1 to 14" },
		{ "radio = { networks = ( { ssid = \"n\"; rssi = 1; } ); };",
		    "radio.networks[0].rssi: 1 is out of range; give -120 to 0" },
		{ "radio = { networks = ( { ssid = \"n\"; rssi = \"-50\"; } ); };",
		    "radio.networks[0].rssi: is a string; give -120 to 0" },
		{ "radio = { networks = ( { ssid = \"n\"; bssid = \"B6:B9\"; } ); };",
		    "radio.networks[0].bssid: \"B6:B9\" is not valid; give six octets "
		    "such as \"4C:55:CC:10:09:42\", the first one even" },
		{ "files = { sise = 4096; };",
		    "files.sise: unknown setting; known here: factory, size" },
		{ "files = { size = 4095; };",
		    "files.size: 4095 is out of range; give 4096 to 67108864" },
		{ "files = { size = \"1M\"; };",
		    "files.size: is a string; give 4096 to 67108864" },
		{ "files = { factory = \"flash\"; };",
		    "files.factory: \"flash\" is not valid; give the full path of a "
		    "directory such as \"/usr/share/zentrid/flash\", at most 1023 "
		    "bytes" },
		{ "serial = { lnik = \"x\"; };",
		    "serial.lnik: unknown setting; known here: enabled, link, device" },
		{ "quirks = { http = true; };",
		    "quirks.http: unknown setting; known here: http_close" },
		{ "network = { port = 1; };", "network.port: unknown setting; known "
					      "here: backend, wlan, softap, "
					      "wpa_supplicant, hostapd, address, "
					      "name_server, ports" },
		{ "network = { backend = \"cable\"; };",
		    "network.backend: \"cable\" is not valid; give \"host\" or "
		    "\"interface\"" },
		{ "network = { backend = \"interface\"; };",
		    "network.backend: no interface is named; give wlan, softap or both "
		    "beside it" },
		{ "network = { backend = \"interface\"; wlan = \"a\"; wpa_supplicant = "
		  "\"run\"; };",
		    "network.wpa_supplicant: \"run\" is not valid; give a directory "
		    "such "
		    "as \"/run/wpa_supplicant\", or \"\"" },
		{ "network = { hostapd = \"/run/hostapd\"; };",
		    "network.hostapd: means nothing here; give backend = "
		    "\"interface\" beside it" },
		{ "network = { softap = \"veth1\"; };",
		    "network.softap: means nothing here; give backend = \"interface\" "
		    "beside it" },
		{ "network = { backend = \"interface\"; wlan = \"a/b\"; };",
		    "network.wlan: \"a/b\" is not valid; give the name of a network "
		    "interface such as \"wlan0\"" },
		{ "network = { backend = \"interface\"; wlan = \"a\"; softap = "
		  "\"a\"; };",
		    "network.softap: the same as modules[0].network.wlan; give each "
		    "part of each module its own interface" },
		{ "factory = ( { name = \"a\"; value = 1; line = 2; } );",
		    "factory[0].line: unknown setting; known here: name, value" },
		{ "profile = 1;",
		    "profile: is a number; give the name of a profile such as "
		    "\"wl-1.0\"" },
		{ "version = \"\";",
		    "version: \"\" is not valid; give a text of 1 to 255 bytes without "
		    "control characters" },
		{ "version = \"a\\nb\";",
		    "version: \"a\\x0Ab\" is not valid; give a text of 1 to 255 bytes "
		    "without control characters" },
		{ "version = \"\\xC3\";",
		    "version: \"\xC3\" is not valid; give a text of 1 to 255 bytes "
		    "without control characters" },
		{ "mac = \"4C:55:CC:10:09\";",
		    "mac: \"4C:55:CC:10:09\" is not valid; " MAC_EXPECTED },
		{ "mac = \"4C:55:CC:10:09:4G\";",
		    "mac: \"4C:55:CC:10:09:4G\" is not valid; " MAC_EXPECTED },
		{ "mac = \"4C:55-CC:10:09:42\";",
		    "mac: \"4C:55-CC:10:09:42\" is not valid; " MAC_EXPECTED },
		{ "mac = \"01:55:CC:10:09:42\";",
		    "mac: \"01:55:CC:10:09:42\" is not valid; " MAC_EXPECTED },
		{ "mac = 4;", "mac: is a number; " MAC_EXPECTED },
		{ "serial = \"/dev/ttyS0\";",
		    "serial: is a string; give a group: { ... }" },
		{ "serial = { enabled = 1; };",
		    "serial.enabled: is a number; give true or false" },
		{ "serial = { enabled = \"no\"; };",
		    "serial.enabled: is a string; give true or false" },
		{ "serial = { link = \"a/b\"; };",
		    "serial.link: \"a/b\" is not valid; " LINK_EXPECTED },
		{ "serial = { link = \"..\"; };",
		    "serial.link: \"..\" is not valid; " LINK_EXPECTED },
		{ "serial = { link = \"status.json\"; };",
		    "serial.link: \"status.json\" is not valid; " LINK_EXPECTED },
		{ "serial = { link = \"\"; };",
		    "serial.link: \"\" is not valid; " LINK_EXPECTED },
		{ "serial = { link = true; };",
		    "serial.link: is true or false; " LINK_EXPECTED },
		{ "serial = { device = \"ttyS0\"; };",
		    "serial.device: \"ttyS0\" is not valid; " DEVICE_EXPECTED },
		{ "serial = { device = ( ); };",
		    "serial.device: is a list; " DEVICE_EXPECTED },
		{ "serial = { link = \"a\"; device = \"/dev/ttyS0\"; };",
		    "serial.device: link is given too; give device for a serial port, "
		    "link for a pty" },
		{ "network = ( );", "network: is a list; give a group: { ... }" },
		{ "network = { address = \"localhost\"; };",
		    "network.address: \"localhost\" is not valid; " IPV4_EXPECTED },
		{ "network = { address = \"127.0.0.256\"; };",
		    "network.address: \"127.0.0.256\" is not valid; " IPV4_EXPECTED },
		{ "network = { address = \"::1\"; };",
		    "network.address: \"::1\" is not valid; " IPV4_EXPECTED },
		{ "network = { address = 127.0; };",
		    "network.address: is a decimal fraction; " IPV4_EXPECTED },
		{ "network = { ports = { }; };",
		    "network.ports: is a group; " LIST_EXPECTED },
		{ "network = { ports = [ ]; };",
		    "network.ports: is an array; " LIST_EXPECTED },
		{ "network = { ports = ( 80 ); };",
		    "network.ports[0]: is a number; give a group: { ... }" },
		{ "network = { ports = ( { module = 0; host = 1; } ); };",
		    "network.ports[0].module: 0 is out of range; give 1 to 65535" },
		{ "network = { ports = ( { module = 1; host = 65536; } ); };",
		    "network.ports[0].host: 65536 is out of range; give 0 to 65535" },
		{ "network = { ports = ( { module = 1; host = -1; } ); };",
		    "network.ports[0].host: -1 is out of range; give 0 to 65535" },
		{ "network = { ports = ( { module = 1; host = 4294967297L; } ); };",
		    "network.ports[0].host: 4294967297 is out of range; give 0 to "
		    "65535" },
		{ "network = { ports = ( { module = \"80\"; host = 1; } ); };",
		    "network.ports[0].module: is a string; give 1 to 65535" },
		{ "network = { ports = ( { module = 1; } ); };",
		    "network.ports[0].host: missing; give 0 to 65535" },
		{ "network = { ports = ( { host = 1; } ); };",
		    "network.ports[0].module: missing; give 1 to 65535" },
		{ "factory = ( { name = \"a.b\"; } );",
		    "factory[0].value: missing; " VALUE_EXPECTED },
		{ "factory = ( { value = 1; } );",
		    "factory[0].name: missing; give the name of a variable such as "
		    "\"http.server.enabled\"" },
		{ "factory = ( { name = \"a.b\"; value = 1.5; } );",
		    "factory[0].value: is a decimal fraction; " VALUE_EXPECTED },
		{ "factory = ( { name = \"a.b\"; value = [ \"c\" ]; } );",
		    "factory[0].value: is an array; " VALUE_EXPECTED },
		{ "quirks = { http_close = \"on\"; };",
		    "quirks.http_close: is a string; give true or false" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
		fixture_refuse_module(*state, faults[i].members, faults[i].fault);
}

static void
test_name_faults(void **state)
{
	static const struct {
		const char *name, *shown;
	} names[] = {
		{ "", "" },
		{ ".", "." },
		{ ".hidden", ".hidden" },
		{ "control", "control" },
		{ "a/b", "a/b" },
		{ "a\\x1Fb", "a\\x1Fb" },
		{ "a\\x7F", "a\\x7F" },
		{ "a\tb", "a\\x09b" },
		{ "\\xC3\\x28", "\xC3(" },
		{ "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
		    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		    "n" },
		{ "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
		    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		    "..." },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *text =
		    xasprintf("modules = ( { name = \"%s\"; } );", names[i].name);
		char *fault = xasprintf("zentrid.conf:1: modules[0].name: \"%s\" is "
					"not valid; " NAME_EXPECTED,
		    names[i].shown);

		fixture_refuse(*state, text, fault);
		free(fault);
		free(text);
	}
	fixture_refuse(*state, "modules = (\n\n{ } );",
	    "zentrid.conf:3: modules[0].name: missing; " NAME_EXPECTED);
	fixture_refuse(*state, "modules = ( { name = 7; } );",
	    "zentrid.conf:1: modules[0].name: is a number; " NAME_EXPECTED);
}

static void
test_file_faults(void **state)
{
	static const struct {
		const char *text, *fault;
	} faults[] = {
		{ "", "1: modules: missing; " LIST_EXPECTED },
		{ "network = { };", "1: modules: missing; " LIST_EXPECTED },
		{ "\nmodules = ();", "2: modules: has 0 entries; give 1 to 4096" },
		{ "\n\nmodules = { };", "3: modules: is a group; " LIST_EXPECTED },
		{ "modules = ( \"m\" );",
		    "1: modules[0]: is a string; give a group: { ... }" },
		{ "network = 1;\nmodules = ( { name = \"m\"; } );",
		    "1: network: is a number; give a group: { ... }" },
		{ "modules = ( { name = \"m\"; } );\nlog = 1;",
		    "2: log: unknown setting; known here: network, air, modules" },
		{ "network = { ports = ( { module = 80; host = 1; },\n"
		  "  { module = 443; host = 1; },\n  { module = 80; host = 2; } ); };\n"
		  "modules = ( { name = \"m\"; } );",
		    "3: network.ports[2].module: the same as network.ports[0].module; "
		    "give each module port once" },
		{ "modules = ( { name = \"b\"; }, { name = \"a\"; },\n{ name = \"b\"; "
		  "} );",
		    "2: modules[2].name: the same as modules[0].name; give each module "
		    "its own name" },
		{ "modules = ( { name = \"a\"; serial = { device = \"/dev/t\"; }; },\n"
		  "  { name = \"b\"; serial = { enabled = false; device = \"/dev/t\"; "
		  "}; },\n"
		  "  { name = \"c\"; serial = { device = \"/dev/t\"; }; } );",
		    "3: modules[2].serial.device: the same as "
		    "modules[0].serial.device; "
		    "give each module its own serial port" },
		{ "modules = ( { name = \"a\"; gpio = ( { pin = 1; chip = \"/c\"; "
		  "line = 5; } ); },\n"
		  "  { name = \"b\"; gpio = ( { pin = 1; chip = \"/c\"; line = 4; },\n"
		  "  { pin = 2; chip = \"/c\"; line = 5; } ); } );",
		    "3: modules[1].gpio[1].line: the same as modules[0].gpio[0].line; "
		    "give each line of a chip once" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		char *fault = xasprintf("zentrid.conf:%s", faults[i].fault);

		fixture_refuse(*state, faults[i].text, fault);
		free(fault);
	}
}

static void
test_syntax_faults(void **state)
{
	static const struct {
		const char *text, *fault;
	} faults[] = {
		{ "modules = (\n{ name = \"m\"; )", "2: " SYNTAX_EXPECTED },
		{ "modules = ( { name = \"m\"; }\n", "3: " SYNTAX_EXPECTED },
		{ "a = 1;\n}", "2: " SYNTAX_EXPECTED },
		{ "a = \xC3\xA4;", "1: " SYNTAX_EXPECTED },
		{ "@include \"a.conf",
		    "1: @include: not a path; give \"FILE\", without \\ "
		    "and control bytes" },
		{ "a = 1; @include \"a.conf\"", "1: " STRING_EXPECTED },
		{ "@include\"a.conf\"", "1: " STRING_EXPECTED },
		{ "\n@includes", "2: " SYNTAX_EXPECTED },
		{ "a = 1;\na = 2;",
		    "2: duplicate setting name; give each setting of a group once" },
		{ "a = [ 1, \"b\" ];",
		    "1: mismatched element type in array; " LIST_EXPECTED },
		{ "a = [ { } ];", "1: " SYNTAX_EXPECTED },
		{ "\na \"b\";", "2: " STRING_EXPECTED },
		{ "\"a\" = 1;", "1: " STRING_EXPECTED },
		{ "a = 1, \"b\"", "1: " STRING_EXPECTED },
		{ "a = ( { \"b\" } );", "1: " STRING_EXPECTED },
		{ "a = ( 1, ) \"b\"", "1: " STRING_EXPECTED },
		{ "a = 1;\nb = \"x;\n\nc = 1;",
		    "2: this string has no end; close it with \"" },
		{ "a = \"x\\\"", "1: this string has no end; close it with \"" },
		{ "\n/* /*\n", "2: this comment has no end; close it with */" },
		{ "\na = 2147483648;", "2: " NUMBER_EXPECTED },
		{ "a = -2147483649;", "1: " NUMBER_EXPECTED },
		{ "a = 0x80000000;", "1: " NUMBER_EXPECTED },
		{ "a = 9223372036854775808L;", "1: " NUMBER_EXPECTED },
		{ "a = 99999999999999999999999999999999999999999;",
		    "1: " NUMBER_EXPECTED },
		{ "a = ((((((((((((((((((((((((((((((((((",
		    "1: brackets are nested too "
		    "deep; give at most 32 within "
		    "each other" },
	};

	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		char *fault = xasprintf("zentrid.conf:%s", faults[i].fault);

		fixture_refuse(*state, faults[i].text, fault);
		free(fault);
	}
}

/* What looks like one of these faults inside a comment or a string is none. */
static void
test_no_syntax_faults(void **state)
{
	static const char *const texts[] = {
		"# 99999999999 \"\n// @include \"x\"\n",
		"/*\n@include \".\"\n\" 99999999999 */",
		"network = { address = \"127.0.\" /* in parts */ \"0.1\" };",
		"network : { ports : ( { module : 1, host : 2 } ) }",
		"network = { ports = ( { module = 1; host = 2; } ) } /**/ // end",
		"network = { }; // 99999999999",
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char *text = xasprintf("modules = ( { name = \"m\"; version = \"# /* "
				       "\\\" 99999999999 // \";\n"
				       "  factory = ( { name = \"a\"; value = "
				       "\"\n@include \\\"x\\\"\"; } ); } );"
				       "\n%s",
		    texts[i]);
		struct settings *settings = fixture_accept(*state, text);

		assert_string_equal(
		    settings->modules[0].version, "# /* \" 99999999999 // ");
		assert_string_equal(
		    settings->modules[0].factory[0].value, "\n@include \"x\"");
		settings_free(settings);
		free(text);
	}
}

static void
test_every_fault_is_told(void **state)
{
	static const char *const faults[] = {
		"zentrid.conf:1: network.address: \"x\" is not valid; " IPV4_EXPECTED,
		"zentrid.conf:2: modules[0].serial.lnik: unknown setting; known here: "
		"enabled, link, device",
		"zentrid.conf:2: modules[0].name: missing; " NAME_EXPECTED,
		"zentrid.conf:3: modules[1].name: \"/\" is not valid; " NAME_EXPECTED,
		"zentrid.conf:4: modules[1].network.ports[0].module: 70000 is out of "
		"range; give 1 to 65535",
		"zentrid.conf:4: modules[1].network.ports[0].host: missing; give 0 to "
		"65535",
		"zentrid.conf:5: modules[3].name: the same as modules[2].name; give "
		"each module its own name",
		"zentrid.conf:5: modules[4].name: the same as modules[2].name; give "
		"each module its own name",
		"zentrid.conf:6: x: unknown setting; known here: network, air, modules",
		"zentrid.conf:4: modules[1].factory[0]: no.such is not valid as given; "
		"give the name of a variable",
	};
	struct fixture *fixture = *state;

	assert_null(fixture_read(fixture,
	    "network = { address = \"x\"; };\n"
	    "modules = ( { serial = { lnik = 1; }; },\n"
	    " { name = \"/\";\n"
	    "  network = { ports = ( { module = 70000; } ); }; factory = ( { name = "
	    "\"no.such\"; value = 1; } ); },\n"
	    " { name = \"a\"; }, { name = \"a\"; }, { name = \"a\"; } );\n"
	    "x = 1;\n"));
	for (size_t i = 0;
	     i < fixture->fault_count && i < sizeof faults / sizeof faults[0]; i++)
		assert_string_equal(fixture->faults[i], faults[i]);
	assert_int_equal(fixture->fault_count, sizeof faults / sizeof faults[0]);
}

/* A factory value may be a passkey. */
static void
test_no_secret_is_told(void **state)
{
	static const char *const entries[] = {
		"name = \"no.such\"; value = \"5ecret\";",
		"value = \"5ecret\";",
		"name = \"/\"; value = [ \"5ecret\" ];",
		"name = \"a\"; value = ( \"5ecret\" );",
		"name = \"a\"; value = 5999999999;",
		"name = \"a\" value \"5ecret\";",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		char *text =
		    xasprintf("modules = ( { name = \"m\"; factory = ( { %s } ); } );",
			entries[i]);

		assert_null(fixture_read(fixture, text));
		for (size_t j = 0; j < fixture->fault_count; j++) {
			assert_null(strstr(fixture->faults[j], "5ecret"));
			assert_null(strstr(fixture->faults[j], "5999999999"));
		}
		free(text);
	}
}

static void
test_unreadable_files(void **state)
{
	struct fixture *fixture = *state;
	char *path;

	assert_null(fixture_read_file(fixture, "missing.conf"));
	assert_string_equal(fixture->faults[0],
	    "missing.conf: cannot be read (No such file or directory); give the path "
	    "of a readable file");
	assert_null(fixture_read_file(fixture, "."));
	assert_string_equal(fixture->faults[0],
	    ".: cannot be read (Not a regular file); give the path of a readable file");

	path = fixture_path(fixture, "zentrid.conf");
	assert_int_equal(file_replace(path, "a = 1;\0", 7, 0600, false), 0);
	assert_null(fixture_read_file(fixture, "zentrid.conf"));
	assert_string_equal(
	    fixture->faults[0], "zentrid.conf: holds a NUL byte; give a file of text");
	free(path);

	path = fixture_path(fixture, "pipe");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(fixture_read_file(fixture, "pipe"));
	assert_string_equal(fixture->faults[0],
	    "pipe: cannot be read (Not a regular file); give the "
	    "path of a readable file");
	fixture_write(fixture, "zentrid.conf", "@include \"pipe\"\n@include \".\"\n");
	assert_null(fixture_read_file(fixture, "zentrid.conf"));
	assert_int_equal(fixture->fault_count, 2);
	unlink(path);
	free(path);
}

static void
test_include_faults(void **state)
{
	struct fixture *fixture = *state;

	assert_null(fixture_read(fixture, "\n@include \"none.conf\"\n"));
	assert_int_equal(fixture->fault_count, 1);
	assert_non_null(strstr(fixture->faults[0], "zentrid.conf:2: @include: "));
	assert_non_null(strstr(fixture->faults[0],
	    "/none.conf cannot be read (No such file or directory); give the path of a "
	    "readable file"));
	fixture_refuse(fixture, "@include \"/etc/hostname\"\n",
	    "zentrid.conf:1: @include: not a relative path; give one that starts from "
	    "the directory of the configuration file");
	fixture_refuse(fixture, "@include \"\"\n",
	    "zentrid.conf:1: @include: not a relative path; give one that starts from "
	    "the directory of the configuration file");
	fixture_refuse(fixture, "@include \"a\\\\b\"\n",
	    "zentrid.conf:1: @include: not a path; give \"FILE\", without \\ and "
	    "control bytes");
	fixture_refuse(fixture, "\n@include \"zentrid.conf\"\n",
	    "zentrid.conf:2: @include: nested too deep; give at most 10 files within "
	    "each other");
}

static void
test_too_much_text(void **state)
{
	static const char line[] = "@include \"ports.conf\"\n";
	struct fixture *fixture = *state;
	char *path = fixture_path(fixture, "zentrid.conf");
	char *text = xcalloc(257, sizeof line);

	for (size_t i = 0; i < 257; i++)
		memcpy(text + i * (sizeof line - 1), line, sizeof line - 1);
	fixture_write(fixture, "ports.conf", "# nothing\n");
	fixture_refuse(fixture, text,
	    "zentrid.conf:257: @include: too many files; give at most 256");
	free(text);

	assert_int_equal(truncate(path, 16L * 1024 * 1024 + 1), 0);
	assert_null(fixture_read_file(fixture, "zentrid.conf"));
	assert_string_equal(fixture->faults[0],
	    "zentrid.conf: is too large; give at most 16 MiB, included files counted");
	free(path);
}

/* The bound of each list, told before any of its entries is read. */
static void
test_too_many(void **state)
{
	static const struct {
		const char *start, *entry, *end, *fault;
		unsigned entries;
	} lists[] = {
		{ "modules = (", "{}", ");",
		    "modules: has 4097 entries; give 1 to 4096",
		    SETTINGS_MODULES_MAX + 1 },
		{ "modules = ( { name = \"m\"; factory = (", "{}", "); } );",
		    "modules[0].factory: has 1025 entries; give 0 to 1024", 1025 },
		{ "modules = ( { name = \"m\"; network = { ports = (", "{}",
		    "); }; } );",
		    "modules[0].network.ports: has 257 entries; give 0 to 256", 257 },
	};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		char *text = xstrdup(lists[i].start);
		char *fault = xasprintf("zentrid.conf:1: %s", lists[i].fault), *longer;

		for (unsigned j = 0; j < lists[i].entries; j++) {
			longer = xasprintf(
			    "%s%s%s", text, j == 0 ? "" : ",", lists[i].entry);
			free(text);
			text = longer;
		}
		longer = xasprintf("%s%s", text, lists[i].end);
		fixture_refuse(*state, longer, fault);
		free(longer);
		free(text);
		free(fault);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_module_faults),
		TEST(test_name_faults),
		TEST(test_file_faults),
		TEST(test_syntax_faults),
		TEST(test_no_syntax_faults),
		TEST(test_every_fault_is_told),
		TEST(test_no_secret_is_told),
		TEST(test_unreadable_files),
		TEST(test_include_faults),
		TEST(test_too_much_text),
		TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
