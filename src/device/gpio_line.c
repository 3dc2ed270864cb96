#include "device/gpio_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <gpiod.h>

#include "base/log.h"
#include "base/xmalloc.h"

#define GPIO_LINE_LOOK_S 2 /* between looks at an input whose chip may be gone */
#define GPIO_LINE_EVENTS_MAX 16 /* read at a time; the kernel keeps as many */

struct gpio_line {
	struct event_base *base; /* borrowed */
	struct gpio_place place; /* its texts are borrowed */
	unsigned pin;
	void (*told)(void *arg, unsigned pin);
	void *arg;
	struct gpiod_chip *chip; /* owned; NULL: the line is not held */
	struct gpiod_line *line; /* the chip's */
	struct event *edges; /* owned; of an input */
	enum gpio_direction direction; /* asked for, held or not */
	bool level; /* put out, or as the edges say */
};

struct gpio_line *
gpio_line_new(struct event_base *base, const struct gpio_place *place, unsigned pin,
    void (*told)(void *arg, unsigned pin), void *arg)
{
	struct gpio_line *self = xcalloc(1, sizeof *self);

	self->base = base;
	self->place = *place;
	self->pin = pin;
	self->told = told;
	self->arg = arg;
	self->direction = GPIO_NONE;
	return self;
}

static void
gpio_line_log(const struct gpio_line *self, const char *what)
{
	log_msg(LOG_WARNING, self->place.module,
	    "pin %u: %s line %u: %s; the pin is in software meanwhile", self->pin,
	    self->place.chip, self->place.line, what);
}

/* Gives the line up; as it is, or as an input, so that nothing is driven. What becomes
 * of a line that nobody holds is up to its chip: most leave it as it was. */
static void
gpio_line_drop(struct gpio_line *self)
{
	if (self->chip == NULL)
		return;
	if (self->edges != NULL)
		event_free(self->edges);
	else if (self->line != NULL)
		(void)gpiod_line_set_direction_input(self->line);
	self->edges = NULL;
	gpiod_chip_close(self->chip);
	self->chip = NULL;
	self->line = NULL;
}

void
gpio_line_free(struct gpio_line *self)
{
	if (self == NULL)
		return;
	gpio_line_drop(self);
	free(self);
}

/* Chosen: an inverter between pin and line turns everything around, also what pulls:
 * the pin's pull-up, which keeps it high while nothing else does, is the line's
 * pull-down. */
static int
gpio_line_flags(const struct gpio_line *self)
{
	bool low = self->place.active_low;
	int none = GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE;
	int flags = low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW : 0;
	int up = low ? GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN
		     : GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP;
	int down = low ? GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP
		       : GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN;
	int drain = low ? GPIOD_LINE_REQUEST_FLAG_OPEN_SOURCE
			: GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN;

	if (self->place.no_pulls)
		up = down = none;
	switch (self->direction) {
	case GPIO_INPUT_PULL_UP:
		return flags | up;
	case GPIO_INPUT_PULL_DOWN:
		return flags | down;
	case GPIO_INPUT_HIGH_Z:
		return flags | none;
	case GPIO_OUTPUT_OPEN_DRAIN:
		return flags | drain;
	case GPIO_OUTPUT_OPEN_DRAIN_PULL_UP:
		return flags | drain | up;
	case GPIO_OUTPUT:
	case GPIO_NONE:
		break;
	}
	return flags;
}

/* The line is gone with its chip. */
static void
gpio_line_lose(struct gpio_line *self)
{
	gpio_line_log(self, strerror(errno));
	gpio_line_drop(self);
}

/* Each edge is told, so that a short pulse is one; then what the line says counts, as
 * the kernel drops edges when too many come. That a chip is gone wakes nobody, so an
 * input is looked at from time to time. */
static void
gpio_line_edges(evutil_socket_t fd, short what, void *arg)
{
	struct gpiod_line_event events[GPIO_LINE_EVENTS_MAX];
	struct gpio_line *self = arg;
	int count = 0, level;

	if ((what & EV_READ) != 0)
		count =
		    gpiod_line_event_read_fd_multiple(fd, events, GPIO_LINE_EVENTS_MAX);
	if (count == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	for (int i = 0; i < count; i++) {
		self->level = events[i].event_type == GPIOD_LINE_EVENT_RISING_EDGE;
		self->told(self->arg, self->pin);
		/* Who was told may have done something else with the pin. */
		if (self->edges == NULL || event_get_fd(self->edges) != fd)
			return;
	}
	level = count == -1 ? -1 : gpiod_line_get_value(self->line);
	if (level == -1)
		gpio_line_lose(self);
	else
		self->level = level == 1;
	self->told(self->arg, self->pin);
}

/* Takes the line of the chip that is open: what is wrong, or NULL. */
static const char *
gpio_line_request(struct gpio_line *self)
{
	static const struct timeval look = { .tv_sec = GPIO_LINE_LOOK_S };
	char consumer[32];
	bool is_output = gpio_is_output(self->direction);
	const struct gpiod_line_request_config config = {
		.consumer = consumer,
		.request_type = is_output ? GPIOD_LINE_REQUEST_DIRECTION_OUTPUT
					  : GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES,
		.flags = gpio_line_flags(self),
	};
	int level;

	snprintf(consumer, sizeof consumer, "zentrid:%s", self->place.module);
	self->line = gpiod_chip_get_line(self->chip, self->place.line);
	if (self->line == NULL)
		return errno == EINVAL ? "the chip has no such line" : strerror(errno);
	if (gpiod_line_request(self->line, &config, self->level) == -1) {
		if (errno == ENXIO && !is_output)
			return "the chip tells no edges, so it can only be an output";
		return errno == EBUSY ? "something else has it" : strerror(errno);
	}
	if (is_output)
		return NULL;
	self->edges = xcheck(event_new(self->base, gpiod_line_event_get_fd(self->line),
	    EV_READ | EV_PERSIST, gpio_line_edges, self));
	event_add(self->edges, &look);
	level = gpiod_line_get_value(self->line);
	if (level == -1)
		return strerror(errno);
	self->level = level == 1;
	return NULL;
}

static void
gpio_line_take(struct gpio_line *self)
{
	const char *wrong;

	self->chip = gpiod_chip_open(self->place.chip);
	wrong = self->chip == NULL ? strerror(errno) : gpio_line_request(self);
	if (wrong == NULL)
		return;
	gpio_line_log(self, wrong);
	gpio_line_drop(self);
}

void
gpio_line_set(struct gpio_line *self, enum gpio_direction direction, bool level)
{
	bool is_same = direction == self->direction;

	if (is_same && (self->chip == NULL || level == self->level))
		return;
	if (is_same && !gpio_is_output(direction))
		return;
	self->level = level;
	if (is_same) {
		if (gpiod_line_set_value(self->line, level) == -1)
			gpio_line_lose(self);
		return;
	}
	gpio_line_drop(self);
	self->direction = direction;
	if (direction != GPIO_NONE)
		gpio_line_take(self);
}

bool
gpio_line_is_held(const struct gpio_line *self)
{
	return self != NULL && self->chip != NULL;
}

bool
gpio_line_level(const struct gpio_line *self)
{
	int level = self->edges != NULL ? -1 : gpiod_line_get_value(self->line);

	return level == -1 ? self->level : level == 1;
}
