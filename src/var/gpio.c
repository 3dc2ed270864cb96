#include "var/table.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "core/module.h"
#include "core/profile.h"
#include "var/check.h"
#include "var/choices.h"

/* The words for a direction and the normal spelling of each. Reference: command notes,
 * 4, and serial and file notes, 7.1. On the AMW007 `set gp i 0 out 1` is followed by
 * `get gp i 0` -> "output_open_drain 1", so that is what out means. Chosen: in is
 * input_highz, whose name a web app looks for in gpio.usage; output_low and output_high
 * are output with its level. */
static const struct gpio_direction {
	const char *word, *normal;
	bool is_output;
	char level; /* that the word itself says, or 0 */
} gpio_directions[] = {
	{ "none", "none", false, 0 },
	{ "-1", "none", false, 0 },
	{ "in", "input_highz", false, 0 },
	{ "input", "input_highz", false, 0 },
	{ "input_highz", "input_highz", false, 0 },
	{ "input_pullup", "input_pullup", false, 0 },
	{ "input_pulldown", "input_pulldown", false, 0 },
	{ "out", "output_open_drain", true, 0 },
	{ "ood", "output_open_drain", true, 0 },
	{ "output_open_drain", "output_open_drain", true, 0 },
	{ "output_open_drain_pullup", "output_open_drain_pullup", true, 0 },
	{ "output", "output", true, 0 },
	{ "output_low", "output", true, '0' },
	{ "output_high", "output", true, '1' },
};

static const struct gpio_direction *
gpio_direction_find(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof gpio_directions / sizeof gpio_directions[0];
	     i++) {
		const struct gpio_direction *direction = &gpio_directions[i];

		if (strlen(direction->word) == len &&
		    strncasecmp(direction->word, word, len) == 0)
			return direction;
	}
	return NULL;
}

/* "<direction> [<0|1>]". Chosen: an output always has a level in the normal spelling, 0
 * when none was given; an input has none. */
static int
gpio_init_check(const struct module *module, const char *index, struct value *value)
{
	size_t len = strcspn(value->text, " ");
	const struct gpio_direction *direction = gpio_direction_find(value->text, len);
	const char *level = value->text[len] == ' ' ? value->text + len + 1 : NULL;
	char bit;

	(void)module;
	(void)index;
	if (direction == NULL)
		return -1;
	bit = direction->level;
	if (level != NULL) {
		if (!direction->is_output || direction->level != 0 ||
		    (strcmp(level, "0") != 0 && strcmp(level, "1") != 0))
			return -1;
		bit = *level;
	}
	if (direction->is_output)
		check_put(value, "%s %c", direction->normal, bit == 0 ? '0' : bit);
	else
		check_put(value, "%s", direction->normal);
	return 0;
}

/* Reference: serial and file notes, 7.1. An alias stands in parentheses behind. */
static void
gpio_usage_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	static const char name[] = "gpio.alias";
	bool has_aliases =
	    catalog_variable(module->catalog, name, strlen(name)) != NULL;

	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "!  # Description\r\n");
	for (unsigned pin = 0; pin < module->profile->gpios; pin++) {
		char number[12];
		const char *text;

		snprintf(number, sizeof number, "%u", pin);
		text = variable_text_at(module, "gpio.init", number);
		if (strcmp(text, "none") == 0)
			continue;
		evbuffer_add_printf(
		    out, "# %2u GPIO %.*s", pin, (int)strcspn(text, " "), text);
		if (has_aliases)
			text = variable_text_at(module, name, number);
		if (has_aliases && *text != '\0')
			evbuffer_add_printf(out, " (%s)", text);
		evbuffer_add_printf(out, "\r\n");
	}
}

/* Chosen: the directions that keep a level while the module sleeps. */
static const char *const gpio_sleep_states[] = { "default", "input_highz",
	"input_pullup", "input_pulldown", "output_low", "output_high", NULL };

/* Reference: variable notes, gpio. */
const struct variable gpio_variables[] = {
	{ .name = "gpio.alias",
	    .shortcut = "gp a",
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .profiles = PROFILE_WZ_3,
	    .max = 15,
	    .index = &index_gpio,
	    .help = "A readable name for a pin; empty: none." },
	{ .name = "gpio.init",
	    .shortcut = "gp i",
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_REBOOT,
	    .initial = "none",
	    .min = 1,
	    .max = 32,
	    .index = &index_gpio,
	    .values = 2,
	    .check = gpio_init_check,
	    .help =
		"Direction and level that a pin takes at boot: none, in, out, ood, "
		"input_highz, input_pullup, input_pulldown, output, output_open_drain "
		"or output_open_drain_pullup, and for an output 0 or 1." },
	{ .name = "gpio.sleep",
	    .shortcut = "gp s",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .profiles = PROFILE_WZ_3,
	    .initial = "default",
	    .choices = gpio_sleep_states,
	    .index = &index_gpio,
	    .help = "State of a pin while the module sleeps." },
	{ .name = "gpio.usage",
	    .shortcut = "gp u",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY | VARIABLE_LATER,
	    .get = gpio_usage_get,
	    .help = "The pins in use, and what for." },
	{ .name = NULL },
};
