#include "core/powersave.h"

#include <string.h>

#include "base/clock.h"
#include "core/variable.h"

static const char powersave_mode[] = "system.powersave.mode";

struct timeval
powersave_wait(const struct module *module, unsigned period_ms, int64_t *due_ms)
{
	int64_t period = (int64_t)period_ms, now_ms = clock_monotonic_ms(), wait_ms;

	if (variable_exists(module, powersave_mode) &&
	    strcmp(variable_text(module, powersave_mode), "on") == 0) {
		wait_ms = period - now_ms % period;
		if (wait_ms < period / 4)
			wait_ms += period;
	} else {
		/* A late one puts those behind it off only when it is very late. */
		wait_ms = *due_ms + period - now_ms;
		if (wait_ms <= 0 || wait_ms > 2 * period)
			wait_ms = period;
	}
	*due_ms = now_ms + wait_ms;
	return (struct timeval){ .tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000 };
}
