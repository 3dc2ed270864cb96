#include "core/pins_state.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/variable.h"

/* The pins of a module that sleeps, on profiles that have gpio.sleep and
 * system.wakeup.events. */

static const char pins_asleep[] = "gpio.sleep";
static const char pins_wakers[] = "system.wakeup.events";

static bool
pins_has(const struct module *module, const char *name)
{
	return catalog_variable(module->catalog, name, strlen(name)) != NULL;
}

/* Reference: variable notes, system.wakeup.events: "gpio22,gpio3". */
static bool
pins_is_waker(const struct module *module, unsigned pin)
{
	const char *list = variable_text(module, pins_wakers);
	char name[12];
	size_t len = (size_t)snprintf(name, sizeof name, "gpio%u", pin);

	while (*list != '\0') {
		size_t item = strcspn(list, ",");

		if (item == len && strncmp(list, name, len) == 0)
			return true;
		list += item;
		list += strspn(list, ",");
	}
	return false;
}

static void
pins_wake(evutil_socket_t fd, short what, void *arg)
{
	struct module *module = arg;

	(void)fd;
	(void)what;
	if (module->state == MODULE_ASLEEP)
		module_boot(module);
}

/* Chosen: the rise of a pin wakes. */
static void
pins_sleep_told(struct gpio_watch *watch, unsigned pin)
{
	struct pins *pins =
	    (struct pins *)((char *)watch - offsetof(struct pins, sleep_watch));

	if (gpio_level(pins->gpio, pin) && pins_is_waker(pins->module, pin))
		event_active(pins->waker, EV_TIMEOUT, 0);
}

void
pins_sleep(struct module *module)
{
	struct pins *pins;

	if (!pins_has(module, pins_asleep) || !pins_has(module, pins_wakers))
		return;
	pins = pins_get(module);
	for (unsigned pin = 0; pin < gpio_count(pins->gpio); pin++) {
		const struct pin_word *word;
		const char *text;
		char index[12];

		snprintf(index, sizeof index, "%u", pin);
		text = variable_text_at(module, pins_asleep, index);
		word = pins_word(text, strlen(text));
		if (word != NULL) /* not "default" */
			gpio_claim(pins->gpio, pin, pins_asleep, word->direction,
			    word->level == 1);
	}
	if (pins->waker == NULL)
		pins->waker = xcheck(event_new(module->base, -1, 0, pins_wake, module));
	pins->sleeps = true;
	pins->sleep_watch.told = pins_sleep_told;
	gpio_watch(pins->gpio, &pins->sleep_watch);
}

void
pins_sleep_ends(struct pins *pins)
{
	if (!pins->sleeps)
		return;
	pins->sleeps = false;
	gpio_unwatch(pins->gpio, &pins->sleep_watch);
	event_del(pins->waker);
}
