#include "var/table.h"

#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>

#include "core/module.h"
#include "core/pins.h"
#include "core/profile.h"
#include "var/check.h"
#include "var/choices.h"

/* "<direction> [<0|1>]". Chosen: an output always has a level in the normal spelling, 0
 * when none was given; an input has none. */
static int
gpio_init_check(const struct module *module, const char *index, struct value *value)
{
	size_t len = strcspn(value->text, " ");
	const struct pin_word *word = pins_word(value->text, len);
	const char *level = value->text[len] == ' ' ? value->text + len + 1 : NULL;
	char bit = '0';

	(void)module;
	(void)index;
	if (word == NULL)
		return -1;
	if (word->level == 1)
		bit = '1';
	if (level != NULL) {
		if (!gpio_is_output(word->direction) || word->level != -1 ||
		    (strcmp(level, "0") != 0 && strcmp(level, "1") != 0))
			return -1;
		bit = *level;
	}
	if (gpio_is_output(word->direction))
		check_put(value, "%s %c", pins_direction_name(word->direction), bit);
	else
		check_put(value, "%s", pins_direction_name(word->direction));
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
		struct gpio_state state = gpio_look(pins_gpio(module), pin);
		const char *alias = "";
		char number[12];

		if (state.owner == NULL)
			continue;
		evbuffer_add_printf(out, "# %2u %s", pin, state.owner);
		if (state.owner == gpio_user)
			evbuffer_add_printf(
			    out, " %s", pins_direction_name(state.direction));
		snprintf(number, sizeof number, "%u", pin);
		if (has_aliases)
			alias = variable_text_at(module, name, number);
		if (*alias != '\0')
			evbuffer_add_printf(out, " (%s)", alias);
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
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .max = 15,
	    .index = &index_gpio,
	    .help = "A readable name for a pin; empty: none." },
	{ .name = "gpio.init",
	    .shortcut = "gp i",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_REBOOT,
	    .initial = "none",
	    .min = 1,
	    .max = 32,
	    .index = &index_gpio,
	    .values = 2,
	    .check = gpio_init_check,
	    .apply = pins_apply,
	    .help =
		"Direction and level that a pin takes at boot: none, in, out, ood, "
		"input_highz, input_pullup, input_pulldown, output, output_open_drain "
		"or output_open_drain_pullup, and for an output 0 or 1." },
	{ .name = "gpio.sleep",
	    .shortcut = "gp s",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "default",
	    .choices = gpio_sleep_states,
	    .index = &index_gpio,
	    .help = "State of a pin while the module sleeps." },
	{ .name = "gpio.usage",
	    .shortcut = "gp u",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY,
	    .get = gpio_usage_get,
	    .help = "The pins in use, and what for." },
	{ .name = NULL },
};
