#ifndef CORE_PINS_STATE_H
#define CORE_PINS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/activity.h"
#include "core/indicator.h"
#include "core/pins.h"

struct event;

/* What core/pins*.c and core/indicator.c share of a module's pins. */

struct pins_indicator {
	struct module *module; /* borrowed */
	struct event *timer; /* owned; NULL while it does not blink */
	unsigned period_ms; /* of timer: half a blink */
	int64_t due_ms; /* when timer is */
	uint8_t state;
	bool is_lit;
};

/* system.activity.*; a set of kinds of traffic is one bit for each. */
struct pins_activity {
	uint8_t kinds[GPIO_PINS_MAX]; /* that each pin shows */
	uint8_t watched; /* that any pin shows */
	uint8_t noted; /* and not shown so far */
	uint8_t lit; /* the pulse; 0: none */
	struct event *timer; /* owned; NULL before the first pulse */
};

struct pins {
	struct module *module; /* borrowed */
	struct gpio *gpio; /* owned */
	int8_t at[PIN_FUNCTIONS]; /* the pin of each function; -1: none */
	uint8_t init[GPIO_PINS_MAX]; /* gpio.init as it was applied last */
	uint32_t shown; /* pins_show(): bits 1u << function */
	unsigned events_before, events_kept; /* system.oob.* */
	bool follows; /* some pin follows what happens */
	struct event *follower; /* owned; brings them up to date */
	bool sleeps; /* gpio.sleep and system.wakeup.events are in force */
	struct gpio_watch sleep_watch; /* linked while it sleeps */
	struct event *waker; /* owned; NULL before it first slept */
	struct pins_indicator indicators[INDICATORS];
	struct pins_activity activity;
};

/* The module's pins, made on first use. */
struct pins *pins_get(struct module *);

/* The module wakes, or ends. */
void pins_sleep_ends(struct pins *);

/* One function on a pin. */
struct pin_role {
	const char *owner; /* as gpio.usage says it */
	const char *variable, *index; /* that names the pin; index: or NULL */
	/* Instead of the variable's number; -1: none. May be NULL. */
	int (*pin)(const struct module *);
	enum gpio_direction direction;
	bool (*level)(struct module *); /* of an output; NULL: pins_show() says it */
};

extern const struct pin_role pin_roles[PIN_FUNCTIONS];

/* The pin that a function is to have; -1: none. is_set: not only by default. */
int pin_role_wants(const struct module *, const struct pin_role *, bool *is_set);

#endif
