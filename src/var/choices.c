#include "var/choices.h"

#include <stddef.h>

#include "core/module.h"

const char *const choices_interface[] = { "default", "wlan", "softap", NULL };

static unsigned
choices_gpio_count(const struct module *module)
{
	return module->profile->gpios;
}

const struct variable_index index_gpio = {
	.count = choices_gpio_count,
	.label = "gpio",
};
