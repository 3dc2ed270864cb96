#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/table.h"
#include "core/catalog.h"
#include "core/event.h"
#include "core/module.h"
#include "var/table.h"
#include "variable_fixture.h"

/* Texts that a check of an entry's own brings into their normal spelling; NULL:
 * refused. */
static const struct {
	const char *name, *index, *text, *normal;
} spellings[] = {
	{ "broadcast.data", NULL, " MAC , Gpio0,bssid", "mac,gpio0,bssid" },
	{ "broadcast.data", NULL, "mac,,ip", NULL },
	{ "broadcast.data", NULL, "mac,", NULL },
	{ "broadcast.data", NULL, "gpio", NULL },
	{ "broadcast.data", NULL, "gpio99", NULL },
	{ "broadcast.data", NULL, "gpio0x1", NULL },
	{ "broadcast.data", NULL, "gpio-1", NULL },
	{ "broadcast.http.host", NULL, "https://a.example:3002",
	    "https://a.example:3002" },
	{ "broadcast.http.host", NULL, "a b", NULL },
	{ "gpio.init", "0", "OUT 1", "output_open_drain 1" },
	{ "gpio.init", "0", "ood", "output_open_drain 0" },
	{ "gpio.init", "0", "output_open_drain_pullup 1",
	    "output_open_drain_pullup 1" },
	{ "gpio.init", "0", "output", "output 0" },
	{ "gpio.init", "0", "output_high", "output 1" },
	{ "gpio.init", "0", "output_high 0", NULL },
	{ "gpio.init", "0", "output 2", NULL },
	{ "gpio.init", "0", "output ", NULL },
	{ "gpio.init", "0", "output 0 1", NULL },
	{ "gpio.init", "0", "in", "input_highz" },
	{ "gpio.init", "0", "input_pullup", "input_pullup" },
	{ "gpio.init", "0", "in 0", NULL },
	{ "gpio.init", "0", "-1", "none" },
	{ "gpio.init", "0", "none 0", NULL },
	{ "http.server.username", NULL, "a:b", NULL },
	{ "ntp.server", NULL, "time_1.example", "time_1.example" },
	{ "ntp.server", NULL, "http://time.example", NULL },
	{ "softap.dns_server.url", NULL, "A.example, b.example",
	    "a.example,b.example" },
	{ "softap.dns_server.url", NULL, "", "" },
	{ "softap.dns_server.url", NULL, ",", NULL },
	{ "softap.passkey", NULL, "\\0", "" },
	{ "softap.passkey", NULL, "12345", NULL },
	{ "wlan.passkey", NULL, "12345", "12345" },
	{ "softap.passkey", NULL, "1234567", NULL },
	{ "softap.passkey", NULL, "12345678", "12345678" },
	{ "system.indicator.gpio", "wlan", "0x10", "16" },
	{ "system.indicator.gpio", "wlan", "-1", "-1" },
	{ "system.indicator.gpio", "network", "", "4" },
	{ "system.indicator.gpio", "wlan", "32", NULL },
	{ "system.indicator.state", "network", "static_on|static_on|static_on",
	    "static_on|static_on|static_on" },
	{ "system.indicator.state", "network", "static_on|static_on", NULL },
	{ "system.indicator.state", "softap", "static_on|static_on|static_on", NULL },
	{ "system.indicator.state", "network", "static_on||static_on", NULL },
	{ "system.indicator.state", "network", "static_on|static_on|static_on|", NULL },
	{ "system.msg", "opened", "", "[@tOpened: @a]" },
	{ "system.msg", "opened", "{@a}", "{@a}" },
	{ "system.print_level", NULL, "ALL", "all" },
	{ "system.print_level", NULL, "+1", "1" },
	{ "system.print_level", NULL, "6", NULL },
	{ "system.print_level", NULL, "-1", NULL },
	{ "time.zone", NULL, "+1", "1" },
	{ "time.zone", NULL, "-05:30", "-5:30" },
	{ "time.zone", NULL, "-0:30", "-0:30" },
	{ "time.zone", NULL, "-0", "0" },
	{ "time.zone", NULL, "12:30", "12:30" },
	{ "time.zone", NULL, "8:00", "8" },
	{ "time.zone", NULL, "13", NULL },
	{ "time.zone", NULL, "1:45", NULL },
	{ "time.zone", NULL, "--1", NULL },
	{ "time.zone", NULL, "0x5", NULL },
	{ "time.zone", NULL, ":30", NULL },
	{ "time.zone", NULL, "+", NULL },
	{ "uart.baud", "0", "9600", "9600" },
	{ "uart.baud", "0", "9601", NULL },
	{ "uart.baud", "0", "9601 RAW", "9601 raw" },
	{ "uart.baud", "0", "9600 raw", "9600 raw" },
	{ "uart.baud", "0", "0 raw", NULL },
	{ "uart.baud", "0", "4000001 raw", NULL },
	{ "uart.baud", "0", "raw", NULL },
	{ "uart.baud", "0", " 9600", NULL },
	{ "uart.flow", "0", "True", "on" },
	{ "uart.flow", "0", "0", "off" },
	{ "uart.flow", "0", "rts", NULL },
};

static void
test_normal_spelling(void **state)
{
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
		struct module *module = rig->modules[0];
		const struct variable *v = find(module, spellings[i].name);

		if (spellings[i].normal == NULL)
			assert_refuses(
			    module, v, spellings[i].index, spellings[i].text);
		else
			assert_takes(module, v, spellings[i].index, spellings[i].text,
			    spellings[i].normal);
	}
}

/* A text of the longest length, all of it inside the limits, is taken. */
static void
test_longest_texts(void **state)
{
	struct rig *rig = *state;
	struct module *module = rig->modules[0];
	char text[64];

	memset(text, 's', sizeof text);
	text[32] = '\0';
	assert_takes(module, find(module, "wlan.ssid"), NULL, text, text);
	memset(text, 'p', sizeof text);
	text[63] = '\0';
	assert_takes(module, find(module, "wlan.passkey"), NULL, text, text);
	memset(text, '@', sizeof text);
	text[EVENT_TEMPLATE_MAX] = '\0';
	assert_takes(module, find(module, "system.msg"), "ready", text, text);
}

static void
test_message_words_are_those_of_events(void **state)
{
	struct rig *rig = *state;
	const struct variable *v = find(rig->modules[0], "system.msg");

	assert_non_null(v->index);
	for (unsigned kind = 0; kind < EVENT_TEMPLATES; kind++) {
		const char *word = v->index->words[kind];

		assert_non_null(word);
		assert_string_equal(word, event_name((enum event_kind)kind));
		assert_prints(
		    rig->modules[0], v, word, event_template((enum event_kind)kind));
	}
	assert_null(v->index->words[EVENT_TEMPLATES]);
}

static void
test_console_follows_its_variables(void **state)
{
	struct rig *rig = *state;
	struct module *module = rig->modules[0];
	const struct module_console *console = &module->console;

	assert_true(console->echo && console->prompt);
	assert_false(console->header || console->buffered);
	assert_int_equal(console->print_level, UINT_MAX);

	assert_int_equal(
	    set_text(module, find(module, "system.print_level"), NULL, "3"), RESULT_OK);
	assert_int_equal(console->print_level, 3);
	assert_int_equal(
	    set_text(module, find(module, "system.cmd.buffered"), NULL, "on"),
	    RESULT_OK);
	assert_true(console->buffered);

	assert_int_equal(
	    set_text(module, find(module, "system.cmd.mode"), NULL, "Machine"),
	    RESULT_OK);
	assert_false(console->echo || console->prompt);
	assert_true(console->header && console->buffered);
	assert_int_equal(console->print_level, 0);
	assert_int_equal(
	    set_text(module, find(module, "system.cmd.mode"), NULL, "human"),
	    RESULT_OK);
	assert_true(console->echo && console->prompt);
	assert_false(console->header);
	assert_int_equal(console->print_level, UINT_MAX);
}

/* In a catalog without its last part the switch cannot be done, and nothing of it is.
 */
static void
test_format_is_all_or_nothing(void **state)
{
	static struct variable most[128];
	const struct variable *const tables[] = { most, NULL };
	struct rig *rig = *state;
	struct module *module = rig->modules[0];
	const struct catalog *whole = module->catalog;
	struct catalog *part;
	size_t count = 0;

	memset(most, 0, sizeof most);
	for (const struct variable *v = system_variables; v->name != NULL; v++) {
		if (strcmp(v->name, "system.print_level") == 0)
			continue;
		assert_in_range(count, 0, sizeof most / sizeof most[0] - 2);
		most[count++] = *v;
	}
	part = catalog_new(module->profile, command_tables, tables);
	module->catalog = part;
	assert_int_equal(
	    set_text(module, find(module, "system.cmd.mode"), NULL, "machine"),
	    RESULT_FAILED);
	assert_string_equal(variable_text(module, "system.cmd.echo"), "1");
	assert_string_equal(variable_text(module, "system.cmd.header_enabled"), "0");
	assert_string_equal(variable_text(module, "system.cmd.prompt_enabled"), "1");
	assert_true(module->console.echo && module->console.prompt);
	assert_false(module->console.header);
	module->catalog = whole;
	catalog_free(part);
}

static void
test_hidden_passkey(void **state)
{
	struct rig *rig = *state;
	struct module *module = rig->modules[0];
	const struct variable *passkey = find(module, "wlan.passkey");
	const struct variable *hide = find(module, "wlan.hide_passkey");

	assert_takes(module, hide, NULL, "1", "1");
	assert_prints(module, passkey, NULL, "********");
	assert_int_equal(
	    set_text(module, passkey, NULL, "a longer passphrase"), RESULT_OK);
	assert_prints(module, passkey, NULL, "********");
	assert_string_equal(
	    variable_text(module, "wlan.passkey"), "a longer passphrase");
	assert_takes(module, hide, NULL, "0", "0");
	assert_prints(module, passkey, NULL, "a longer passphrase");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RIG_TEST(test_normal_spelling),
		RIG_TEST(test_longest_texts),
		RIG_TEST(test_message_words_are_those_of_events),
		RIG_TEST(test_console_follows_its_variables),
		RIG_TEST(test_format_is_all_or_nothing),
		RIG_TEST(test_hidden_passkey),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
