#include "front/mode_pin.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/pins.h"

/* Chosen: a level counts when it has stood for so long, so that what a host wrote
 * before it moved the pin has arrived, and a button may bounce. Hosts wait 750 ms.
 * Reference: network notes, section 4. */
#define MODE_PIN_MS 100

struct mode_pin {
	struct gpio_watch watch;
	struct module *module; /* borrowed */
	mode_pin_changed *changed;
	void *arg;
	struct event *timer; /* owned; pending while a change is looked at */
	bool is_high; /* as it was taken last */
};

static void
mode_pin_wait(struct mode_pin *self)
{
	static const struct timeval time = { .tv_usec = MODE_PIN_MS * 1000 };

	event_add(self->timer, &time);
}

static void
mode_pin_look(evutil_socket_t fd, short what, void *arg)
{
	struct mode_pin *self = arg;
	bool is_high = pins_is_high(self->module, PIN_BUS_COMMAND);

	(void)fd;
	(void)what;
	/* At boot the level is taken anew. */
	if (is_high == self->is_high || self->module->state == MODULE_OFF ||
	    self->module->state == MODULE_ASLEEP)
		return;
	if (self->changed(self->arg, is_high))
		self->is_high = is_high;
	else
		mode_pin_wait(self);
}

/* Any pin: the variable may just have named another one. */
static void
mode_pin_told(struct gpio_watch *watch, unsigned pin)
{
	struct mode_pin *self = (struct mode_pin *)watch;
	int own = pins_find(self->module, PIN_BUS_COMMAND);

	if (own == -1 ? self->is_high : own == (int)pin)
		mode_pin_wait(self);
}

bool
mode_pin_take(struct mode_pin *self)
{
	event_del(self->timer);
	self->is_high = pins_is_high(self->module, PIN_BUS_COMMAND);
	return self->is_high;
}

bool
mode_pin_is_high(const struct mode_pin *self)
{
	return self->is_high;
}

struct mode_pin *
mode_pin_new(struct module *module, mode_pin_changed *changed, void *arg)
{
	struct mode_pin *self = xcalloc(1, sizeof *self);

	self->module = module;
	self->changed = changed;
	self->arg = arg;
	self->watch.told = mode_pin_told;
	self->timer = xcheck(event_new(module->base, -1, 0, mode_pin_look, self));
	gpio_watch(pins_gpio(module), &self->watch);
	return self;
}

void
mode_pin_free(struct mode_pin *self)
{
	if (self == NULL)
		return;
	gpio_unwatch(pins_gpio(self->module), &self->watch);
	event_free(self->timer);
	free(self);
}
