#include "core/indicator.h"

#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/pins_state.h"
#include "core/powersave.h"
#include "core/variable.h"

/* Reference: network notes, 9, for the pins and for the number of states and the
 * examples of wlan and network. Chosen: those examples as the factory values, and for
 * softap the pattern that vendor code sets. */
const struct indicator_board indicator_boards[INDICATORS] = {
	[INDICATOR_WLAN] = { "wlan", "0",
	    "static_off|fast_blink|medium_blink|static_on", 4 },
	[INDICATOR_NETWORK] = { "network", "4", "static_off|fast_blink|slow_blink", 3 },
	[INDICATOR_SOFTAP] = { "softap", "1",
	    "static_off|static_off|static_off|static_on", 4 },
};

/* Chosen, since no period is on record: slow 1 Hz, medium 2 Hz, fast 5 Hz. */
static const struct indicator_pattern {
	const char *word;
	unsigned half_period_ms; /* 0: it does not blink */
	bool is_lit; /* at its start */
} indicator_patterns[] = {
	{ "static_off", 0, false },
	{ "static_on", 0, true },
	{ "slow_blink", 500, true },
	{ "medium_blink", 250, true },
	{ "fast_blink", 100, true },
};

static const struct indicator_pattern *
indicator_pattern(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof indicator_patterns / sizeof indicator_patterns[0];
	     i++) {
		if (strlen(indicator_patterns[i].word) == len &&
		    strncmp(indicator_patterns[i].word, word, len) == 0)
			return &indicator_patterns[i];
	}
	return NULL;
}

bool
indicator_is_pattern(const char *word, size_t len)
{
	return indicator_pattern(word, len) != NULL;
}

/* The pattern of the state that the indicator is in. */
static const struct indicator_pattern *
indicator_now(const struct module *module, enum indicator which)
{
	const struct indicator_board *board = &indicator_boards[which];
	const char *text =
	    variable_text_at(module, "system.indicator.state", board->name);
	const struct indicator_pattern *pattern;

	if (*text == '\0')
		text = board->state;
	for (unsigned i = 0; i < module->pins->indicators[which].state; i++) {
		text += strcspn(text, "|");
		if (*text == '|')
			text++;
	}
	pattern = indicator_pattern(text, strcspn(text, "|"));
	return pattern == NULL ? &indicator_patterns[0] : pattern;
}

static void
indicator_light(struct pins_indicator *self, bool is_lit)
{
	const struct pins *pins = self->module->pins;
	unsigned which = (unsigned)(self - pins->indicators);

	self->is_lit = is_lit;
	pins_show(
	    self->module, (enum pin_function)(PIN_INDICATOR_WLAN + which), is_lit);
}

static void
indicator_blink(evutil_socket_t fd, short what, void *arg)
{
	struct pins_indicator *self = arg;
	struct timeval wait =
	    powersave_wait(self->module, self->period_ms, &self->due_ms);

	(void)fd;
	(void)what;
	event_add(self->timer, &wait);
	indicator_light(self, !self->is_lit);
}

static void
indicator_rest(struct pins_indicator *self)
{
	if (self->timer != NULL)
		event_free(self->timer);
	self->timer = NULL;
	self->period_ms = 0;
}

/* A blink that goes on is left alone; without a pin there is none. */
static void
indicator_update(struct module *module, enum indicator which)
{
	struct pins_indicator *self = &module->pins->indicators[which];
	const struct indicator_pattern *pattern = indicator_now(module, which);
	struct timeval wait;

	if (pattern->half_period_ms == 0 ||
	    module->pins->at[PIN_INDICATOR_WLAN + which] == -1) {
		indicator_rest(self);
		indicator_light(self, pattern->is_lit);
		return;
	}
	if (self->period_ms == pattern->half_period_ms)
		return;
	indicator_rest(self);
	self->period_ms = pattern->half_period_ms;
	self->timer = xcheck(event_new(module->base, -1, 0, indicator_blink, self));
	indicator_light(self, pattern->is_lit);
	self->due_ms = 0;
	wait = powersave_wait(module, self->period_ms, &self->due_ms);
	event_add(self->timer, &wait);
}

void
indicator_set(struct module *module, enum indicator which, unsigned state)
{
	struct pins *pins = pins_get(module);

	if (module->state == MODULE_OFF || state >= indicator_boards[which].states)
		return;
	pins->indicators[which].state = (uint8_t)state;
	indicator_update(module, which);
	pins_follow(module);
}

int
indicator_apply(struct module *module)
{
	for (unsigned i = 0; module->pins != NULL && i < INDICATORS; i++)
		indicator_update(module, (enum indicator)i);
	return 0;
}

void
indicator_reset(struct module *module)
{
	for (unsigned i = 0; i < INDICATORS; i++) {
		struct pins_indicator *self = &module->pins->indicators[i];

		indicator_rest(self);
		self->state = 0;
		self->is_lit = false;
	}
}
