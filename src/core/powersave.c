#include "core/powersave.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "core/variable.h"

static const char powersave_mode[] = "system.powersave.mode";

struct timeval
powersave_wait(const struct module *module, unsigned period_ms)
{
	unsigned wait_ms = period_ms;

	if (variable_exists(module, powersave_mode) &&
	    strcmp(variable_text(module, powersave_mode), "on") == 0) {
		wait_ms -= (unsigned)(clock_monotonic_ms() % (int64_t)period_ms);
		if (wait_ms < period_ms / 4)
			wait_ms += period_ms;
	}
	return (struct timeval){ .tv_sec = wait_ms / 1000,
		.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000 };
}
