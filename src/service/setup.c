#include "service/setup.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/pins.h"
#include "core/script.h"
#include "core/variable.h"

#define SETUP_HELD_S 3 /* Reference: network notes, 8.7 */

struct setup_service {
	struct gpio_watch watch;
	struct module *module; /* borrowed */
	struct event *held; /* owned; pending while the pin is held; NULL: no pin */
};

/* The variable's command, unless the profile lacks it or it is none. */
static void
setup_run_variable(struct module *module, const char *variable)
{
	const char *command = variable_text(module, variable);

	if (*command != '\0' && strcmp(command, "none") != 0)
		script_start(module, variable, command);
}

/* Reference: variable notes, setup.gpio.cmd: fixed where there is no such variable. */
static void
setup_pin_held(evutil_socket_t fd, short what, void *arg)
{
	static const char variable[] = "setup.gpio.cmd";
	const struct setup_service *self = arg;
	struct module *module = self->module;

	(void)fd;
	(void)what;
	if (variable_exists(module, variable))
		setup_run_variable(module, variable);
	else
		script_start(module, variable, "setup_web");
}

/* Let go too early, or now another pin's: that was not it until the next reset. */
static void
setup_pin_told(struct gpio_watch *watch, unsigned pin)
{
	const struct setup_service *self = (struct setup_service *)watch;

	(void)pin;
	if (self->held != NULL && !pins_is_high(self->module, PIN_SETUP))
		event_del(self->held);
}

/* Chosen: the pin is active when it is high, as the other control pins are. */
static void
setup_service_start(void *arg)
{
	static const struct timeval time = { .tv_sec = SETUP_HELD_S };
	struct setup_service *self = arg;
	struct module *module = self->module;

	if (pins_is_high(module, PIN_SETUP)) {
		self->held =
		    xcheck(event_new(module->base, -1, 0, setup_pin_held, self));
		event_add(self->held, &time);
		gpio_watch(pins_gpio(module), &self->watch);
	}
	if (variable_exists(module, "setup.auto.cmd") &&
	    *variable_text(module, "wlan.ssid") == '\0')
		setup_run_variable(module, "setup.auto.cmd");
}

static void
setup_service_stop(void *arg)
{
	struct setup_service *self = arg;

	if (self->held == NULL)
		return;
	gpio_unwatch(pins_gpio(self->module), &self->watch);
	event_free(self->held);
	self->held = NULL;
}

static void
setup_service_free(void *arg)
{
	free(arg);
}

static const struct service_ops setup_service_ops = {
	.name = "setup",
	.start = setup_service_start,
	.stop = setup_service_stop,
	.free = setup_service_free,
};

void
setup_attach(struct module *module)
{
	struct setup_service *self = xcalloc(1, sizeof *self);

	self->module = module;
	self->watch.told = setup_pin_told;
	module_add_service(module, &setup_service_ops, self);
}
