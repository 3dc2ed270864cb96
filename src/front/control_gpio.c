#include "front/control.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/pins.h"

/* The commands of the control socket for pins: what a button, a sensor or a meter on
 * the module's board would do. */

#define CONTROL_MILLIVOLTS_MAX 65535

/* A pin as an object, or NULL when memory has run out. */
static json_t *
control_pin(const struct gpio *gpio, unsigned pin)
{
	static const char *const drives[] = { [GPIO_DRIVE_LOW] = "low",
		[GPIO_DRIVE_HIGH] = "high",
		[GPIO_DRIVE_RELEASED] = NULL };
	struct gpio_state state = gpio_look(gpio, pin);
	json_t *object = json_pack("{s:i, s:s, s:i, s:s?, s:s?}", "pin", (int)pin,
	    "direction", pins_direction_name(state.direction), "level",
	    (int)state.level, "owner", state.owner, "driven", drives[state.drive]);

	if (state.signal.pwm_hz > 0)
		json_object_set_new(object, "pwm",
		    json_pack("{s:i, s:i}", "hz", (int)state.signal.pwm_hz, "percent",
			(int)state.signal.pwm_percent));
	if (state.signal.dac > 0)
		json_object_set_new(object, "dac", json_integer(state.signal.dac));
	return object;
}

/* What tells a client of each change of a module's pins. */
struct control_pins_watch {
	struct control_watch watch;
	struct gpio_watch pins;
	struct control_client *client; /* borrowed */
	struct gpio *gpio; /* borrowed */
};

static void
control_pins_told(struct gpio_watch *watch, unsigned pin)
{
	struct control_pins_watch *self =
	    (struct control_pins_watch *)((char *)watch -
					  offsetof(struct control_pins_watch, pins));
	json_t *object = control_pin(self->gpio, pin);

	json_object_set_new(object, "us", json_integer(clock_monotonic_us()));
	control_tell(self->client, object);
}

static void
control_pins_free(struct control_watch *watch)
{
	struct control_pins_watch *self = (struct control_pins_watch *)watch;

	gpio_unwatch(self->gpio, &self->pins);
	free(self);
}

static json_t *
control_watch_pins(struct control_client *client, struct module *module)
{
	struct control_pins_watch *self = xcalloc(1, sizeof *self);

	self->watch.free = control_pins_free;
	self->pins.told = control_pins_told;
	self->client = client;
	self->gpio = pins_gpio(module);
	gpio_watch(self->gpio, &self->pins);
	control_client_watch(client, &self->watch);
	return json_pack("{s:s}", "watching", module->own->name);
}

static json_t *
control_list_pins(const struct gpio *gpio)
{
	json_t *list = json_array();

	for (unsigned pin = 0; pin < gpio_count(gpio); pin++)
		json_array_append_new(list, control_pin(gpio, pin));
	return json_pack("{s:o}", "pins", list);
}

static json_t *
control_drive_pin(
    struct control_client *client, struct gpio *gpio, unsigned pin, const char *word)
{
	enum gpio_drive drive = GPIO_DRIVE_RELEASED;

	if (strcmp(word, "0") == 0)
		drive = GPIO_DRIVE_LOW;
	else if (strcmp(word, "1") == 0)
		drive = GPIO_DRIVE_HIGH;
	else if (strcmp(word, "release") != 0)
		return control_fail(client, "a pin is driven 0 or 1, or released");
	if (gpio_is_real(gpio, pin))
		return control_fail(client,
		    "the pin is on a line of this host, which is what drives it");
	gpio_drive(gpio, pin, drive);
	return control_pin(gpio, pin);
}

static json_t *
control_gpio_run(struct control_client *client, const struct control_line *line)
{
	struct module *module = control_module(client, line->words[1]);
	struct gpio *gpio;
	uint32_t pin;

	if (module == NULL)
		return NULL;
	gpio = pins_gpio(module);
	if (line->count == 2)
		return control_list_pins(gpio);
	if (line->count == 3 && strcmp(line->words[2], "watch") == 0)
		return control_watch_pins(client, module);
	if (control_number(client, line->words[2], "pin", gpio_count(gpio) - 1, &pin) ==
	    -1)
		return NULL;
	if (line->count == 3)
		return control_pin(gpio, pin);
	return control_drive_pin(client, gpio, pin, line->words[3]);
}

static json_t *
control_adc_run(struct control_client *client, const struct control_line *line)
{
	struct module *module = control_module(client, line->words[1]);
	struct gpio *gpio;
	uint32_t channel, millivolts;

	if (module == NULL)
		return NULL;
	gpio = pins_gpio(module);
	if (control_number(client, line->words[2], "channel", gpio_count(gpio) - 1,
		&channel) == -1 ||
	    control_number(client, line->words[3], "voltage in millivolts",
		CONTROL_MILLIVOLTS_MAX, &millivolts) == -1)
		return NULL;
	gpio_drive_voltage(gpio, channel, (uint16_t)millivolts);
	return json_pack("{s:i, s:i}", "channel", (int)channel, "millivolts",
	    (int)gpio_voltage(gpio, channel));
}

const struct control_command control_gpio_commands[] = {
	{ .name = "adc",
	    .usage = "<module> <channel> <millivolts>",
	    .min = 3,
	    .max = 3,
	    .run = control_adc_run,
	    .help = "Put a voltage where adc_take_sample measures." },
	{ .name = "gpio",
	    .usage = "<module> [watch | <pin> [0 | 1 | release]]",
	    .min = 1,
	    .max = 3,
	    .run = control_gpio_run,
	    .help = "Show the pins, or one; drive one from outside; or show each "
		    "change." },
	{ .name = NULL },
};
