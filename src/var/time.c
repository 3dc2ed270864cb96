#include "var/table.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include <event2/buffer.h>

#include "base/clock.h"
#include "base/number.h"
#include "core/module.h"
#include "var/check.h"

#define TIME_US_PER_S 1000000
#define TIME_ZONE_HOURS_MAX 12

static bool
time_is(const char *modifier, const char *word)
{
	return modifier != NULL && strcasecmp(modifier, word) == 0;
}

/* Writes milliseconds as such or as whole seconds. */
static void
time_print_ms(struct evbuffer *out, int64_t ms, const char *modifier)
{
	evbuffer_add_printf(
	    out, "%jd", (intmax_t)(time_is(modifier, "ms") ? ms : ms / 1000));
}

/* Reference: variable notes, time.rtc: "2014-03-23T08:13:07.010248Z". */
static void
time_print_utc(struct evbuffer *out, int64_t utc_us)
{
	time_t seconds = (time_t)(utc_us / TIME_US_PER_S);
	char text[32];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	evbuffer_add_printf(out, "%s.%06dZ", text, (int)(utc_us % TIME_US_PER_S));
}

/* The local clock; "utc" gives the time of day in UTC. Chosen: a zone west of Greenwich
 * does not lead before 1970 while the clock was never set. */
static void
time_rtc_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	int64_t utc_us = module_clock_us(module), local_us;

	(void)index;
	if (time_is(modifier, "utc")) {
		time_print_utc(out, utc_us);
		return;
	}
	local_us = utc_us + (int64_t)module_zone_minutes(module) * 60 * TIME_US_PER_S;
	time_print_ms(out, local_us < 0 ? 0 : local_us / 1000, modifier);
}

/* Chosen: what is given is UTC, as all seconds since 1970 that a host knows are. */
static int
time_rtc_set(struct module *module, const char *index, const struct value *value)
{
	(void)index;
	module_clock_set(module, value->number * TIME_US_PER_S);
	return 0;
}

static void
time_uptime_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	time_print_ms(out, clock_monotonic_ms() - module->booted_at_ms, modifier);
}

static void
time_last_set_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	if (module->clock_set_at_ms == -1)
		evbuffer_add_printf(out, "-1");
	else
		time_print_ms(
		    out, clock_monotonic_ms() - module->clock_set_at_ms, modifier);
}

/* Reference: variable notes, time.zone: [+|-]H[:30], from -12:30 to 12:30. Chosen: kept
 * without plus sign and leading zeros; two digits of hours and ":00" are taken too. */
static int
time_zone_check(const struct module *module, const char *index, struct value *value)
{
	const char *text = value->text, *rest;
	bool west = *text == '-', half;
	int64_t hours;
	size_t len;

	(void)module;
	(void)index;
	if (*text == '-' || *text == '+')
		text++;
	len = strspn(text, "0123456789");
	rest = text + len;
	half = strcmp(rest, ":30") == 0;
	if ((!half && *rest != '\0' && strcmp(rest, ":00") != 0) || len > 2 ||
	    number_parse(text, len, 0, TIME_ZONE_HOURS_MAX, &hours) == -1)
		return -1;
	check_put(value, "%s%d%s", west && (hours > 0 || half) ? "-" : "", (int)hours,
	    half ? ":30" : "");
	return 0;
}

static const char *const time_ms[] = { "ms", NULL };
static const char *const time_ms_utc[] = { "ms", "utc", NULL };

/* Reference: variable notes, time. */
const struct variable time_variables[] = {
	{ .name = "time.last_set",
	    .shortcut = "ti l",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_READONLY,
	    .min = -1,
	    .max = INT64_MAX,
	    .modifiers = time_ms,
	    .get = time_last_set_get,
	    .help =
		"Seconds since the clock was set, with ms milliseconds; -1: never." },
	{ .name = "time.rtc",
	    .shortcut = "ti r",
	    .type = VARIABLE_INT,
	    .max = UINT32_MAX,
	    .modifiers = time_ms_utc,
	    .get = time_rtc_get,
	    .set = time_rtc_set,
	    .help =
		"Clock: seconds since 1970 in the module's zone, with ms milliseconds, "
		"with utc date and time in UTC; it is set to seconds of UTC." },
	{ .name = "time.uptime",
	    .shortcut = "ti u",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_READONLY,
	    .max = INT64_MAX,
	    .modifiers = time_ms,
	    .get = time_uptime_get,
	    .help = "Seconds since the module started, with ms milliseconds." },
	{ .name = "time.zone",
	    .shortcut = "ti z",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .min = 1,
	    .max = 6,
	    .check = time_zone_check,
	    .help = "Hours east of Greenwich, as [+|-]H[:30] from -12:30 to 12:30." },
	{ .name = NULL },
};
