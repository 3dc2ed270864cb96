#include "var/table.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "base/number.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/indicator.h"
#include "core/module.h"
#include "core/pins.h"
#include "core/profile.h"
#include "var/check.h"
#include "var/choices.h"

#define SYSTEM_PRINT_LEVEL_MAX 5 /* Reference: serial and file notes, 2.6 */

/* Where word stands in a list that ends with NULL; the list's length if nowhere. */
static size_t
system_position(const char *const *words, const char *word)
{
	size_t i = 0;

	while (words[i] != NULL && (word == NULL || strcmp(words[i], word) != 0))
		i++;
	return i;
}

/* system.cmd.* and system.print_level */

static int
system_console_apply(struct module *module)
{
	struct module_console *console = &module->console;

	console->echo = variable_is_on(module, "system.cmd.echo");
	console->header = variable_is_on(module, "system.cmd.header_enabled");
	console->prompt = variable_is_on(module, "system.cmd.prompt_enabled");
	console->buffered = variable_is_on(module, "system.cmd.buffered");
	console->print_level =
	    strcmp(variable_text(module, "system.print_level"), "all") == 0
		? UINT_MAX
		: (unsigned)variable_number(module, "system.print_level");
	return 0;
}

static int
system_print_level_check(
    const struct module *module, const char *index, struct value *value)
{
	int64_t level;

	(void)module;
	(void)index;
	if (strcasecmp(value->text, "all") == 0) {
		check_put(value, "all");
		return 0;
	}
	if (number_parse(value->text, value->len, 0, SYSTEM_PRINT_LEVEL_MAX, &level) ==
	    -1)
		return -1;
	check_put(value, "%d", (int)level);
	return 0;
}

/* Reference: variable notes, system.cmd.format. */
static const struct {
	const char *name, *human, *machine;
} system_format[] = {
	{ "system.cmd.echo", "1", "0" },
	{ "system.cmd.header_enabled", "0", "1" },
	{ "system.cmd.prompt_enabled", "1", "0" },
	{ "system.print_level", "all", "0" },
};

#define SYSTEM_FORMAT_COUNT (sizeof system_format / sizeof system_format[0])
#define SYSTEM_FORMAT_TEXT_MAX 8 /* bytes of a value of these, NUL included */

static enum result
system_format_set_one(struct module *module, size_t i, const char *text)
{
	const struct variable *variable = catalog_variable(
	    module->catalog, system_format[i].name, strlen(system_format[i].name));

	return variable == NULL
		   ? RESULT_FAILED
		   : variable_set(module, variable, NULL, text, strlen(text));
}

static int
system_format_set(struct module *module, const char *index, const struct value *value)
{
	char old[SYSTEM_FORMAT_COUNT][SYSTEM_FORMAT_TEXT_MAX];
	bool is_human = strcmp(value->text, "human") == 0;

	(void)index;
	for (size_t i = 0; i < SYSTEM_FORMAT_COUNT; i++)
		snprintf(old[i], sizeof old[i], "%s",
		    variable_text(module, system_format[i].name));
	for (size_t i = 0; i < SYSTEM_FORMAT_COUNT; i++) {
		const char *text =
		    is_human ? system_format[i].human : system_format[i].machine;

		if (system_format_set_one(module, i, text) == RESULT_OK)
			continue;
		while (i-- > 0)
			system_format_set_one(module, i, old[i]);
		return -1;
	}
	return 0;
}

static const char *const system_formats[] = { "human", "machine", NULL };

/* Chosen: the word for the clock's time, since the record has only none, and that it is
 * the factory value: transcripts of modules whose clock is set carry the time, and
 * hosts that want none say so. Reference: network and HTTP notes, 2.3 and 7. */
static const char *const system_timestamps[] = { "none", "rtc", NULL };

/* system.msg */

/* The order of enum event_kind; a test compares them with event_name(). */
static const char *const system_msg_words[EVENT_TEMPLATES + 1] = {
	[EVENT_READY] = "ready",
	[EVENT_ASSOCIATING] = "associating",
	[EVENT_ASSOCIATED] = "associated",
	[EVENT_DISASSOCIATED] = "disassociated",
	[EVENT_OPENING] = "opening",
	[EVENT_OPENED] = "opened",
	[EVENT_CLOSED] = "closed",
	[EVENT_TEMPLATES] = NULL,
};

static const struct variable_index system_msg_index = { .words = system_msg_words };

/* What is not set is the factory template. */
static void
system_msg_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	size_t kind = system_position(system_msg_words, index);
	const char *text;

	(void)modifier;
	if (kind >= EVENT_TEMPLATES)
		return;
	text = variable_text_at(module, "system.msg", index);
	if (*text == '\0')
		text = event_template((enum event_kind)kind);
	evbuffer_add(out, text, strlen(text));
}

/* system.indicator.* */

static const char *const system_indicators[] = { "wlan", "network", "softap", NULL };
static const struct variable_index system_indicator_index = { .words =
								  system_indicators };

/* Writes the value that is set, else that of the board. */
static void
system_indicator_print(struct module *module, const char *name, const char *index,
    const char *of_board, struct evbuffer *out)
{
	const char *text = variable_text_at(module, name, index);

	if (*text == '\0')
		text = of_board;
	evbuffer_add(out, text, strlen(text));
}

static void
system_indicator_gpio_get(struct module *module, const char *index,
    const char *modifier, struct evbuffer *out)
{
	size_t i = system_position(system_indicators, index);

	(void)modifier;
	if (system_indicators[i] != NULL)
		system_indicator_print(module, "system.indicator.gpio", index,
		    indicator_boards[i].gpio, out);
}

static void
system_indicator_state_get(struct module *module, const char *index,
    const char *modifier, struct evbuffer *out)
{
	size_t i = system_position(system_indicators, index);

	(void)modifier;
	if (system_indicators[i] != NULL)
		system_indicator_print(module, "system.indicator.state", index,
		    indicator_boards[i].state, out);
}

static int
system_indicator_gpio_check(
    const struct module *module, const char *index, struct value *value)
{
	int64_t pin;

	(void)module;
	(void)index;
	if (value->len == 0)
		return 0;
	if (number_parse(
		value->text, value->len, RANGE_GPIO_MIN, RANGE_GPIO_MAX, &pin) == -1)
		return -1;
	check_put(value, "%d", (int)pin);
	return 0;
}

/* As many patterns as the indicator has states, separated by vertical bars. */
static int
system_indicator_state_check(
    const struct module *module, const char *index, struct value *value)
{
	size_t i = system_position(system_indicators, index);
	const char *text = value->text;
	unsigned states = 0;

	(void)module;
	if (system_indicators[i] == NULL)
		return -1;
	if (value->len == 0)
		return 0;
	for (;;) {
		size_t len = strcspn(text, "|");

		if (!indicator_is_pattern(text, len))
			return -1;
		states++;
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	return states == indicator_boards[i].states ? 0 : -1;
}

/* system.activity.* and system.wakeup.* */

static bool
system_is_activity(const struct module *module, const char *item)
{
	return activity_kind(item, strlen(item), module->profile->uarts) != -1;
}

/* Reference: variable notes, system.activity.gpio: -1 clears. Chosen: shown as none. */
static int
system_activity_check(
    const struct module *module, const char *index, struct value *value)
{
	(void)index;
	if (strcmp(value->text, "-1") == 0 || strcasecmp(value->text, "none") == 0) {
		check_put(value, "none");
		return 0;
	}
	return check_list(module, value, system_is_activity);
}

static int
system_events_check(const struct module *module, const char *index, struct value *value)
{
	(void)index;
	return check_list(module, value, check_is_gpio);
}

/* What the module knows of itself */

static void
system_build_number_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "%s", module->profile->build_number);
}

/* Chosen: a bare number of percent, which satisfies clients that convert it to one. */
static void
system_memory_usage_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	struct mallinfo2 info = mallinfo2();
	size_t all = info.arena + info.hblkhd, used = info.uordblks + info.hblkhd;

	(void)module;
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "%zu", all == 0 ? 0 : used / (all / 100 + 1));
}

static void
system_safemode_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "%d", module->safe_mode ? 1 : 0);
}

static void
system_uuid_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "%s", module->uuid);
}

/* Chosen: two digits; hosts parse them as hexadecimal, with or without 0x. */
static void
system_oob_status_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "0x%02X", pins_take_events(module));
}

static void
system_version_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "%s", module_version(module));
}

/* Chosen: the words for a variable of which the values are not on record. */
static const char *const system_powersave_modes[] = { "off", "on", NULL };

/* The name of this one changed with Gecko OS 2.0; see names.c. */
#define SYSTEM_CMD_FORMAT                                                              \
	.type = VARIABLE_CHOICE, .flags = VARIABLE_WRITEONLY, .initial = "human",      \
	.choices = system_formats, .set = system_format_set,                           \
	.help = "Sets echo, header, prompt and print level for people (human) or for " \
		"programs (machine)."

#define SYSTEM_OOB_ALL 0x7F /* Reference: serial and file notes, 3 */

/* Reference: variable notes, system; serial and file notes, 3, for system.oob.*, of
 * which the masks are shown in decimal as every number is. Chosen, where the record is
 * silent: the ranges of seconds; no wake-up by pins; a powersave mode that is on, as
 * the notes say. Of safemode.status there is more in the serial and file notes, 5.6. */
const struct variable system_variables[] = {
	{ .name = "system.activity.gpio",
	    .shortcut = "sy a g",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "none",
	    .min = 1,
	    .max = LENGTH_TEXT_MAX,
	    .index = &index_gpio,
	    .check = system_activity_check,
	    .apply = pins_apply,
	    .help =
		"Traffic that pulses a pin: softap_rx, softap_tx, wlan_rx, wlan_tx, "
		"uartN_rx, uartN_tx, separated by commas; -1: none." },
	{ .name = "system.activity.gpio_level",
	    .shortcut = "sy a l",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "1",
	    .apply = pins_apply,
	    .help = "Level of that pulse." },
	{ .name = "system.adc.vref",
	    .shortcut = "sy a v",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "3300",
	    .max = RANGE_16_BIT_MAX,
	    .help = "Reference voltage of the ADC in millivolts." },
	{ .name = "system.build_number",
	    .shortcut = "sy n",
	    .flags = VARIABLE_READONLY,
	    .get = system_build_number_get,
	    .help = "Source revision of the firmware." },
	{ .name = "system.cmd.buffered",
	    .shortcut = "sy c b",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .apply = system_console_apply,
	    .help = "Put long answers into a stream and answer its handle and size." },
	{ .name = "system.cmd.echo",
	    .shortcut = "sy c e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .apply = system_console_apply,
	    .help = "Echo what is typed." },
	{ .name = "system.cmd.format",
	    .shortcut = "sy c f",
	    .profiles = PROFILE_GECKO_OS_2,
	    SYSTEM_CMD_FORMAT },
	{ .name = "system.cmd.gpio",
	    .shortcut = "sy c g",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "-1",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that shows that a command is done; -1: none." },
	{ .name = "system.cmd.header_enabled",
	    .shortcut = "sy c h",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .apply = system_console_apply,
	    .help = "Put a header with code and length before each answer." },
	{ .name = "system.cmd.mode",
	    .shortcut = "sy c m",
	    .profiles = PROFILE_ZENTRIOS,
	    SYSTEM_CMD_FORMAT },
	{ .name = "system.cmd.prompt_enabled",
	    .shortcut = "sy c p",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .apply = system_console_apply,
	    .help = "Print a prompt after each answer." },
	{ .name = "system.cmd.timestamp",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "rtc",
	    .choices = system_timestamps,
	    .help = "What log lines begin with: nothing, or the time once the clock is "
		    "set." },
	{ .name = "system.gotosleep.timeout",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_REBOOT,
	    .initial = "0",
	    .max = RANGE_SECONDS_MAX,
	    .help = "Seconds after boot at which the module goes to sleep; 0: never." },
	{ .name = "system.indicator.gpio",
	    .shortcut = "sy i g",
	    .flags = VARIABLE_PERSISTED,
	    .max = 4,
	    .index = &system_indicator_index,
	    .get = system_indicator_gpio_get,
	    .check = system_indicator_gpio_check,
	    .apply = pins_apply,
	    .help =
		"Pin that an indicator drives, -1 to 31; -1: none; empty: as the board "
		"has it." },
	{ .name = "system.indicator.state",
	    .shortcut = "sy i s",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_TEXT_MAX,
	    .index = &system_indicator_index,
	    .get = system_indicator_state_get,
	    .check = system_indicator_state_check,
	    .apply = indicator_apply,
	    .help =
		"Pattern for each state of an indicator, separated by vertical bars: "
		"static_off, static_on, slow_blink, medium_blink, fast_blink; empty: "
		"the factory's." },
	{ .name = "system.memory.usage",
	    .shortcut = "sy e u",
	    .flags = VARIABLE_READONLY,
	    .get = system_memory_usage_get,
	    .help = "Use of the memory, in percent." },
	{ .name = "system.msg",
	    .flags = VARIABLE_PERSISTED,
	    .max = EVENT_TEMPLATE_MAX,
	    .index = &system_msg_index,
	    .get = system_msg_get,
	    .help =
		"Text of a log line; @t stands for the time and @a for what the line "
		"is about; empty: the factory's." },
	{ .name = "system.oob.event_mask",
	    .shortcut = "sy o e",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .max = SYSTEM_OOB_ALL,
	    .apply = pins_apply,
	    .help = "Events that the pin shows: 0x01 ioconn, 0x02 network, 0x04 client "
		    "of the TCP server, 0x08 its data, 0x10 data of the UDP server, "
		    "0x20 of TCP clients, 0x40 of UDP clients." },
	{ .name = "system.oob.gpio",
	    .shortcut = "sy o g",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "-1",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that shows events; -1: none." },
	{ .name = "system.oob.level",
	    .shortcut = "sy o l",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .apply = pins_apply,
	    .help = "Level of that pin while there is an event." },
	{ .name = "system.oob.rising_edge",
	    .shortcut = "sy o r",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .max = SYSTEM_OOB_ALL,
	    .apply = pins_apply,
	    .help = "Events that are shown from their beginning until "
		    "system.oob.status is read, instead of while they last." },
	{ .name = "system.oob.status",
	    .shortcut = "sy o s",
	    .flags = VARIABLE_READONLY,
	    .get = system_oob_status_get,
	    .help = "Events that there are, in hexadecimal." },
	{ .name = "system.powersave.mode",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "on",
	    .choices = system_powersave_modes,
	    .help = "Save power while there is nothing to do: the modules of a process "
		    "blink and announce themselves at the same moments, for which it "
		    "wakes once." },
	{ .name = "system.print_level",
	    .shortcut = "sy p",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "all",
	    .min = 1,
	    .max = 4,
	    .check = system_print_level_check,
	    .apply = system_console_apply,
	    .help =
		"How much is logged: 0 nothing, 1 events, 2 to 5 and all everything." },
	{ .name = "system.safemode.status",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_READONLY,
	    .get = system_safemode_get,
	    .help = "Whether the module is in safe mode." },
	{ .name = "system.uuid",
	    .shortcut = "sy u",
	    .flags = VARIABLE_READONLY,
	    .get = system_uuid_get,
	    .help = "Identity of the hardware, 40 hexadecimal digits." },
	{ .name = "system.version",
	    .flags = VARIABLE_READONLY,
	    .get = system_version_get,
	    .help = "Version of the firmware, as the command version prints it." },
	{ .name = "system.wakeup.events",
	    .shortcut = "sy w e",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .applies = VARIABLE_ON_REBOOT,
	    .max = LENGTH_TEXT_MAX,
	    .check = system_events_check,
	    .help = "Pins that end sleep, as gpioN, separated by commas." },
	{ .name = "system.wakeup.timeout",
	    .shortcut = "sy w t",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_REBOOT,
	    .initial = "0",
	    .max = RANGE_SECONDS_MAX,
	    .help = "Seconds that sleep lasts; 0: until the module is started again." },
	{ .name = NULL },
};
