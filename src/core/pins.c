#include "core/pins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/pins_state.h"
#include "core/variable.h"

/* gpio.init of a pin in one byte: the direction, and the level of an output. */
#define PINS_INIT_LEVEL 0x80
#define PINS_INIT_NONE ((uint8_t)GPIO_NONE)

/* Who gets which pin; worked out as a whole before anything is claimed. */
struct pins_plan {
	int at[PIN_FUNCTIONS]; /* -1: none */
	uint8_t init[GPIO_PINS_MAX];
	uint8_t activity[GPIO_PINS_MAX]; /* kinds of traffic; 0: none */
	bool user[GPIO_PINS_MAX]; /* taken by hand or by gpio.init */
};

/* The pins that are lines of this host by the configuration. */
static void
pins_bind(struct pins *pins)
{
	const struct module_settings *own = pins->module->own;

	for (size_t i = 0; i < own->pin_count; i++) {
		const struct settings_pin *pin = &own->pins[i];
		const struct gpio_place place = {
			.module = own->name,
			.chip = pin->chip,
			.line = pin->line,
			.active_low = pin->active_low,
			.no_pulls = !pin->pulls,
		};

		gpio_bind(pins->gpio, pin->pin, pins->module->base, &place);
	}
}

struct pins *
pins_get(struct module *module)
{
	struct pins *pins = module->pins;

	if (pins != NULL)
		return pins;
	pins = module->pins = xcalloc(1, sizeof *pins);
	pins->module = module;
	pins->gpio = gpio_new(module->profile->gpios);
	pins_bind(pins);
	memset(pins->at, -1, sizeof pins->at);
	memset(pins->init, PINS_INIT_NONE, sizeof pins->init);
	for (unsigned i = 0; i < INDICATORS; i++)
		pins->indicators[i].module = module;
	return pins;
}

struct gpio *
pins_gpio(struct module *module)
{
	return pins_get(module)->gpio;
}

int
pins_find(const struct module *module, enum pin_function function)
{
	return module->pins == NULL ? -1 : module->pins->at[function];
}

bool
pins_is_high(const struct module *module, enum pin_function function)
{
	int pin = pins_find(module, function);

	return pin != -1 && gpio_level(module->pins->gpio, (unsigned)pin);
}

bool
pins_level(const struct module *module, unsigned pin)
{
	return module->pins != NULL && gpio_level(module->pins->gpio, pin);
}

/* Planning */

static bool
pins_is_role(const char *owner)
{
	if (owner == activity_variable)
		return true;
	for (unsigned i = 0; i < PIN_FUNCTIONS; i++) {
		if (pin_roles[i].owner == owner)
			return true;
	}
	return false;
}

/* Two things are set on one pin. At boot that is logged and the later one goes without;
 * else nothing is done at all. */
static int
pins_conflict(const struct module *module, const char *what, int pin)
{
	if (module->state != MODULE_OFF)
		return -1;
	log_msg(LOG_WARNING, module->own->name,
	    "%s gets no pin: %d is in use by something else", what, pin);
	return 0;
}

static uint8_t
pins_parse_init(const char *text)
{
	size_t len = strcspn(text, " ");
	const struct pin_word *word = pins_word(text, len);
	bool level = text[len] == ' ' && text[len + 1] == '1';

	if (word == NULL)
		return PINS_INIT_NONE;
	return (uint8_t)(word->direction | (level ? PINS_INIT_LEVEL : 0));
}

/* What is on the pins apart from functions: what was taken by hand stays, and
 * gpio.init acts where it has changed. */
static void
pins_plan_user(struct module *module, struct pins_plan *plan)
{
	const struct pins *pins = pins_get(module);

	for (unsigned pin = 0; pin < gpio_count(pins->gpio); pin++) {
		const char *owner = gpio_look(pins->gpio, pin).owner;
		char index[12];

		snprintf(index, sizeof index, "%u", pin);
		plan->init[pin] =
		    pins_parse_init(variable_text_at(module, "gpio.init", index));
		plan->user[pin] = owner != NULL && !pins_is_role(owner);
		if (plan->init[pin] != pins->init[pin])
			plan->user[pin] = plan->init[pin] != PINS_INIT_NONE;
	}
}

static int
pins_plan_activity(const struct module *module, struct pins_plan *plan)
{
	activity_plan(module, plan->activity);
	for (unsigned pin = 0; pin < module->profile->gpios; pin++) {
		if (plan->activity[pin] == 0 || !plan->user[pin])
			continue;
		plan->activity[pin] = 0;
		if (pins_conflict(module, activity_variable, (int)pin) == -1)
			return -1;
	}
	return 0;
}

/* Whether nothing else is on a pin, of functions those before a position. */
static bool
pins_plan_is_free(const struct pins_plan *plan, int pin, unsigned before)
{
	for (unsigned i = 0; i < before; i++) {
		if (plan->at[i] == pin)
			return false;
	}
	return !plan->user[pin] && plan->activity[pin] == 0;
}

static int
pins_plan_make(struct module *module, struct pins_plan *plan)
{
	int wanted[PIN_FUNCTIONS];
	bool is_set[PIN_FUNCTIONS];

	pins_plan_user(module, plan);
	if (pins_plan_activity(module, plan) == -1)
		return -1;
	for (unsigned i = 0; i < PIN_FUNCTIONS; i++) {
		wanted[i] = pin_role_wants(module, &pin_roles[i], &is_set[i]);
		plan->at[i] = -1;
		if (wanted[i] == -1 || !is_set[i])
			continue;
		if (pins_plan_is_free(plan, wanted[i], i))
			plan->at[i] = wanted[i];
		else if (pins_conflict(module, pin_roles[i].owner, wanted[i]) == -1)
			return -1;
	}
	for (unsigned i = 0; i < PIN_FUNCTIONS; i++) {
		if (wanted[i] != -1 && !is_set[i] &&
		    pins_plan_is_free(plan, wanted[i], PIN_FUNCTIONS))
			plan->at[i] = wanted[i];
	}
	return 0;
}

/* Claiming */

static void
pins_take_init(struct pins *pins, unsigned pin, uint8_t init)
{
	if (init == pins->init[pin])
		return;
	pins->init[pin] = init;
	if (init == PINS_INIT_NONE || gpio_look(pins->gpio, pin).owner != gpio_user)
		gpio_release(pins->gpio, pin);
	if (init != PINS_INIT_NONE)
		gpio_claim(pins->gpio, pin, gpio_user,
		    (enum gpio_direction)(init & ~PINS_INIT_LEVEL),
		    (init & PINS_INIT_LEVEL) != 0);
}

static void
pins_update(struct module *module)
{
	struct pins *pins = module->pins;

	for (unsigned i = 0; i < PIN_FUNCTIONS; i++) {
		if (pins->at[i] != -1 && pin_roles[i].level != NULL)
			gpio_write(pins->gpio, (unsigned)pins->at[i],
			    pin_roles[i].level(module));
	}
}

static void
pins_carry_out(struct module *module, const struct pins_plan *plan)
{
	struct pins *pins = pins_get(module);

	pins->follows = false;
	for (unsigned i = 0; i < PIN_FUNCTIONS; i++) {
		if (pins->at[i] != -1 && pins->at[i] != plan->at[i]) {
			gpio_release(pins->gpio, (unsigned)pins->at[i]);
			pins->at[i] = -1;
		}
	}
	activity_release(pins, plan->activity);
	for (unsigned pin = 0; pin < gpio_count(pins->gpio); pin++)
		pins_take_init(pins, pin, plan->init[pin]);
	activity_claim(pins, plan->activity);
	for (unsigned i = 0; i < PIN_FUNCTIONS; i++) {
		if (plan->at[i] == -1)
			continue;
		pins->follows = pins->follows || pin_roles[i].level != NULL;
		if (pins->at[i] != -1)
			continue;
		pins->at[i] = (int8_t)plan->at[i];
		gpio_claim(pins->gpio, (unsigned)plan->at[i], pin_roles[i].owner,
		    pin_roles[i].direction, (pins->shown & (1u << i)) != 0);
	}
	pins_update(module);
	indicator_apply(module);
}

int
pins_apply(struct module *module)
{
	struct pins_plan plan;

	if (module->state == MODULE_OFF)
		return 0;
	if (pins_plan_make(module, &plan) == -1)
		return -1;
	pins_carry_out(module, &plan);
	return 0;
}

void
pins_boot(struct module *module)
{
	struct pins_plan plan;

	pins_reset(module); /* it may have slept */
	if (pins_plan_make(module, &plan) == 0)
		pins_carry_out(module, &plan);
}

void
pins_reset(struct module *module)
{
	struct pins *pins = module->pins;

	if (pins == NULL)
		return;
	indicator_reset(module);
	activity_reset(pins);
	pins_sleep_ends(pins);
	if (pins->follower != NULL)
		event_free(pins->follower);
	pins->follower = NULL;
	pins->follows = false;
	pins->shown = 0;
	pins->events_before = pins->events_kept = 0;
	memset(pins->at, -1, sizeof pins->at);
	memset(pins->init, PINS_INIT_NONE, sizeof pins->init);
	for (unsigned pin = 0; pin < gpio_count(pins->gpio); pin++)
		gpio_release(pins->gpio, pin);
}

void
pins_free(struct module *module)
{
	if (module->pins == NULL)
		return;
	pins_reset(module);
	if (module->pins->waker != NULL)
		event_free(module->pins->waker);
	gpio_free(module->pins->gpio);
	free(module->pins);
	module->pins = NULL;
}

/* Following */

static void
pins_follow_now(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	pins_update(arg);
}

void
pins_follow(struct module *module)
{
	struct pins *pins = module->pins;

	if (pins == NULL || !pins->follows)
		return;
	if (pins->follower == NULL)
		pins->follower =
		    xcheck(event_new(module->base, -1, 0, pins_follow_now, module));
	event_active(pins->follower, EV_TIMEOUT, 0);
}

void
pins_show(struct module *module, enum pin_function function, bool level)
{
	struct pins *pins = pins_get(module);

	if (level)
		pins->shown |= 1u << function;
	else
		pins->shown &= ~(1u << function);
	if (pins->at[function] != -1)
		gpio_write(pins->gpio, (unsigned)pins->at[function], level);
	pins_follow(module);
}

void
pins_command_begins(struct module *module)
{
	int pin = pins_find(module, PIN_COMMAND_DONE);

	if (pin != -1)
		gpio_write(module->pins->gpio, (unsigned)pin, false);
}
