#include "device/gpio.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "device/gpio_line.h"

const char gpio_user[] = "GPIO";

struct gpio_pin {
	const char *owner; /* borrowed; NULL: none */
	struct gpio_line *line; /* owned; NULL: it is in software */
	struct gpio_signal signal;
	uint16_t millivolts; /* from outside */
	uint8_t direction; /* enum gpio_direction */
	uint8_t drive; /* enum gpio_drive */
	bool latch; /* what the module puts out */
	bool level; /* on the wire, as it was told last */
};

struct gpio {
	TAILQ_HEAD(, gpio_watch) watches;
	unsigned count;
	struct gpio_pin pins[];
};

bool
gpio_is_output(enum gpio_direction direction)
{
	return direction == GPIO_OUTPUT || direction == GPIO_OUTPUT_OPEN_DRAIN ||
	       direction == GPIO_OUTPUT_OPEN_DRAIN_PULL_UP;
}

struct gpio *
gpio_new(unsigned pins)
{
	unsigned count = pins < GPIO_PINS_MAX ? pins : GPIO_PINS_MAX;
	struct gpio *gpio = xcalloc(1, sizeof *gpio + count * sizeof(struct gpio_pin));

	gpio->count = count;
	TAILQ_INIT(&gpio->watches);
	for (unsigned i = 0; i < count; i++) {
		gpio->pins[i].direction = GPIO_NONE;
		gpio->pins[i].drive = GPIO_DRIVE_RELEASED;
	}
	return gpio;
}

void
gpio_free(struct gpio *gpio)
{
	for (unsigned i = 0; gpio != NULL && i < gpio->count; i++)
		gpio_line_free(gpio->pins[i].line);
	free(gpio);
}

unsigned
gpio_count(const struct gpio *gpio)
{
	return gpio->count;
}

/* The level on the wire. A push-pull output is stronger than what is outside; an open
 * drain that is low too. Chosen: a wire that nobody drives or pulls is low, but for an
 * open drain, which is of use only with a resistor on the board that pulls it high. */
static bool
gpio_sense(const struct gpio_pin *pin)
{
	enum gpio_direction direction = (enum gpio_direction)pin->direction;

	if (direction == GPIO_OUTPUT || (gpio_is_output(direction) && !pin->latch))
		return pin->latch;
	if (gpio_line_is_held(pin->line))
		return gpio_line_level(pin->line);
	if (pin->drive != GPIO_DRIVE_RELEASED)
		return pin->drive == GPIO_DRIVE_HIGH;
	return direction == GPIO_INPUT_PULL_UP || gpio_is_output(direction);
}

static struct gpio_pin *
gpio_get(struct gpio *gpio, unsigned pin)
{
	return pin < gpio->count ? &gpio->pins[pin] : NULL;
}

static void
gpio_tell(struct gpio *gpio, unsigned pin)
{
	struct gpio_watch *watch;

	TAILQ_FOREACH (watch, &gpio->watches, entry)
		watch->told(watch, pin);
}

/* Brings the level up to date and tells, if that or anything else has changed. */
static void
gpio_update(struct gpio *gpio, unsigned pin, bool changed)
{
	bool level = gpio_sense(&gpio->pins[pin]);

	if (level != gpio->pins[pin].level)
		changed = true;
	gpio->pins[pin].level = level;
	if (changed)
		gpio_tell(gpio, pin);
}

/* The line does what the pin does. */
static void
gpio_put_out(struct gpio_pin *self)
{
	if (self->line != NULL)
		gpio_line_set(
		    self->line, (enum gpio_direction)self->direction, self->latch);
}

static void
gpio_line_told(void *arg, unsigned pin)
{
	gpio_update(arg, pin, false);
}

void
gpio_bind(struct gpio *gpio, unsigned pin, struct event_base *base,
    const struct gpio_place *place)
{
	struct gpio_pin *self = gpio_get(gpio, pin);

	if (self == NULL || self->line != NULL)
		return;
	self->line = gpio_line_new(base, place, pin, gpio_line_told, gpio);
}

bool
gpio_is_real(const struct gpio *gpio, unsigned pin)
{
	return pin < gpio->count && gpio_line_is_held(gpio->pins[pin].line);
}

int
gpio_claim(struct gpio *gpio, unsigned pin, const char *owner,
    enum gpio_direction direction, bool level)
{
	struct gpio_pin *self = gpio_get(gpio, pin);
	bool changed;

	if (self == NULL) {
		errno = EINVAL;
		return -1;
	}
	if (self->owner != NULL && self->owner != owner) {
		errno = EBUSY;
		return -1;
	}
	changed = self->owner != owner || self->direction != direction;
	self->owner = owner;
	self->direction = (uint8_t)direction;
	self->latch = level;
	gpio_put_out(self);
	gpio_update(gpio, pin, changed);
	return 0;
}

void
gpio_release(struct gpio *gpio, unsigned pin)
{
	struct gpio_pin *self = gpio_get(gpio, pin);

	if (self == NULL || self->owner == NULL)
		return;
	self->owner = NULL;
	self->direction = GPIO_NONE;
	self->latch = false;
	self->signal = (struct gpio_signal){ .pwm_hz = 0 };
	gpio_put_out(self);
	gpio_update(gpio, pin, true);
}

void
gpio_write(struct gpio *gpio, unsigned pin, bool level)
{
	struct gpio_pin *self = gpio_get(gpio, pin);

	if (self == NULL || self->latch == level)
		return;
	self->latch = level;
	gpio_put_out(self);
	gpio_update(gpio, pin, false);
}

void
gpio_write_signal(struct gpio *gpio, unsigned pin, const struct gpio_signal *signal)
{
	struct gpio_pin *self = gpio_get(gpio, pin);

	if (self == NULL)
		return;
	self->signal = *signal;
	gpio_update(gpio, pin, true);
}

bool
gpio_level(const struct gpio *gpio, unsigned pin)
{
	/* A line that others pull down tells no edge while the pin is an output. */
	if (gpio_is_real(gpio, pin))
		return gpio_sense(&gpio->pins[pin]);
	return pin < gpio->count && gpio->pins[pin].level;
}

struct gpio_state
gpio_look(const struct gpio *gpio, unsigned pin)
{
	struct gpio_state state = { .direction = GPIO_NONE,
		.drive = GPIO_DRIVE_RELEASED };
	const struct gpio_pin *self;

	if (pin >= gpio->count)
		return state;
	self = &gpio->pins[pin];
	state.owner = self->owner;
	state.direction = (enum gpio_direction)self->direction;
	state.level = gpio_level(gpio, pin);
	state.drive = (enum gpio_drive)self->drive;
	state.signal = self->signal;
	return state;
}

void
gpio_drive(struct gpio *gpio, unsigned pin, enum gpio_drive drive)
{
	struct gpio_pin *self = gpio_get(gpio, pin);

	if (self == NULL || self->drive == drive)
		return;
	self->drive = (uint8_t)drive;
	gpio_update(gpio, pin, true);
}

void
gpio_drive_voltage(struct gpio *gpio, unsigned pin, uint16_t millivolts)
{
	struct gpio_pin *self = gpio_get(gpio, pin);

	if (self != NULL)
		self->millivolts = millivolts;
}

uint16_t
gpio_voltage(const struct gpio *gpio, unsigned pin)
{
	return pin < gpio->count ? gpio->pins[pin].millivolts : 0;
}

void
gpio_watch(struct gpio *gpio, struct gpio_watch *watch)
{
	TAILQ_INSERT_TAIL(&gpio->watches, watch, entry);
}

void
gpio_unwatch(struct gpio *gpio, struct gpio_watch *watch)
{
	TAILQ_REMOVE(&gpio->watches, watch, entry);
}
