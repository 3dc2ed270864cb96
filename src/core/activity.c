#include "core/activity.h"

#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/pins_state.h"
#include "core/variable.h"

/* Chosen: a pulse that is seen, and as long a pause behind it, so that a lamp flickers
 * while traffic goes on. All pins of a module keep the same time. */
#define ACTIVITY_PULSE_MS 50

/* Each has two kinds, rx and tx. */
enum activity_medium {
	ACTIVITY_SOFTAP,
	ACTIVITY_WLAN,
	ACTIVITY_UART0,
	ACTIVITY_UART1,
	ACTIVITY_MEDIA
};

static const char *const activity_media[ACTIVITY_MEDIA] = { "softap_", "wlan_",
	"uart0_", "uart1_" };
static const char *const activity_ways[] = { "rx", "tx" };

const char activity_variable[] = "system.activity.gpio";

int
activity_kind(const char *word, size_t len, unsigned uarts)
{
	for (unsigned i = 0; i < ACTIVITY_UART0 + uarts && i < ACTIVITY_MEDIA; i++) {
		size_t prefix = strlen(activity_media[i]);

		if (len != prefix + 2 || strncmp(word, activity_media[i], prefix) != 0)
			continue;
		for (unsigned way = ACTIVITY_RX; way <= ACTIVITY_TX; way++) {
			if (strncmp(word + prefix, activity_ways[way], 2) == 0)
				return (int)(2 * i + way);
		}
	}
	return -1;
}

static uint8_t
activity_kinds(const struct module *module, const char *text)
{
	unsigned kinds = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		int kind = activity_kind(text, len, module->profile->uarts);

		if (kind != -1)
			kinds |= 1u << kind;
		text += len + (text[len] == ',');
	}
	return (uint8_t)kinds;
}

void
activity_plan(const struct module *module, uint8_t kinds[])
{
	bool exists = variable_exists(module, activity_variable);

	for (unsigned pin = 0; pin < module->profile->gpios; pin++) {
		char index[12];

		snprintf(index, sizeof index, "%u", pin);
		kinds[pin] =
		    exists ? activity_kinds(module,
				 variable_text_at(module, activity_variable, index))
			   : 0;
	}
}

/* Each pin as what is lit now says. */
static void
activity_show(struct pins *pins)
{
	bool active;

	if (pins->activity.watched == 0)
		return;
	active = variable_is_on(pins->module, "system.activity.gpio_level");
	for (unsigned pin = 0; pin < gpio_count(pins->gpio); pin++) {
		uint8_t kinds = pins->activity.kinds[pin];

		if (kinds != 0)
			gpio_write(pins->gpio, pin,
			    ((kinds & pins->activity.lit) != 0) == active);
	}
}

/* The end of a pulse, or of the pause behind it. */
static void
activity_turn(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pulse = { .tv_usec = ACTIVITY_PULSE_MS * 1000 };
	struct pins *pins = arg;
	uint8_t was_lit = pins->activity.lit;

	(void)fd;
	(void)what;
	/* What came during a pulse of its kind was shown by it. */
	pins->activity.noted &= (uint8_t)~was_lit;
	pins->activity.lit = was_lit != 0 ? 0 : pins->activity.noted;
	if (was_lit == 0)
		pins->activity.noted = 0;
	/* However late in a turn of the loop it begins, it lasts as long. */
	event_base_update_cache_time(pins->module->base);
	if (was_lit != 0 || pins->activity.lit != 0)
		event_add(pins->activity.timer, &pulse);
	activity_show(pins);
}

static void
activity_note_kind(struct module *module, enum activity_medium medium, unsigned way)
{
	struct pins *pins = module->pins;
	unsigned kind = 1u << (2 * (unsigned)medium + way);

	if ((pins->activity.watched & kind) == 0)
		return;
	pins->activity.noted |= (uint8_t)kind;
	if (pins->activity.timer == NULL)
		pins->activity.timer =
		    xcheck(event_new(module->base, -1, 0, activity_turn, pins));
	if (!event_pending(pins->activity.timer, EV_TIMEOUT, NULL))
		activity_turn(-1, 0, pins);
}

static bool
activity_is_watched(const struct module *module)
{
	return module->pins != NULL && module->pins->activity.watched != 0;
}

void
activity_note(
    struct module *module, enum network_interface interface, enum activity_way way)
{
	if (!activity_is_watched(module))
		return;
	if (interface == NETWORK_DEFAULT)
		interface = network_interface(module, NULL);
	activity_note_kind(
	    module, interface == NETWORK_SOFTAP ? ACTIVITY_SOFTAP : ACTIVITY_WLAN, way);
}

void
activity_note_serial(struct module *module, enum activity_way way)
{
	if (!activity_is_watched(module))
		return;
	activity_note_kind(module,
	    variable_exists(module, "bus.data_bus") &&
		    strcmp(variable_text(module, "bus.data_bus"), "uart1") == 0
		? ACTIVITY_UART1
		: ACTIVITY_UART0,
	    way);
}

void
activity_release(struct pins *pins, const uint8_t kinds[])
{
	for (unsigned pin = 0; pin < gpio_count(pins->gpio); pin++) {
		if (pins->activity.kinds[pin] != 0 && kinds[pin] == 0)
			gpio_release(pins->gpio, pin);
	}
}

void
activity_claim(struct pins *pins, const uint8_t kinds[])
{
	pins->activity.watched = 0;
	for (unsigned pin = 0; pin < gpio_count(pins->gpio); pin++) {
		if (kinds[pin] != 0 && pins->activity.kinds[pin] == 0)
			gpio_claim(pins->gpio, pin, activity_variable, GPIO_OUTPUT,
			    !variable_is_on(
				pins->module, "system.activity.gpio_level"));
		pins->activity.kinds[pin] = kinds[pin];
		pins->activity.watched |= kinds[pin];
	}
	activity_show(pins);
}

void
activity_reset(struct pins *pins)
{
	if (pins->activity.timer != NULL)
		event_free(pins->activity.timer);
	memset(&pins->activity, 0, sizeof pins->activity);
}
