#include "var/table.h"

#include <stddef.h>

#include "var/check.h"
#include "var/choices.h"

/* Reference: variable notes, ntp.interface, names eth too; no module here has one. */
static const char *const ntp_interfaces[] = { "default", "wlan", "eth", "softap",
	NULL };

/* Reference: variable notes, ntp. */
const struct variable ntp_variables[] = {
	{ .name = "ntp.enabled",
	    .shortcut = "nt e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .initial = "1",
	    .help = "Keep the clock in step with a time server." },
	{ .name = "ntp.interface",
	    .shortcut = "nt f",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .initial = "default",
	    .choices = ntp_interfaces,
	    .help = "Interface on which the time server is asked." },
	{ .name = "ntp.interval",
	    .shortcut = "nt i",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .initial = "3600",
	    .min = 300,
	    .max = RANGE_16_BIT_MAX,
	    .help = "Seconds between two questions." },
	{ .name = "ntp.server",
	    .shortcut = "nt s",
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .initial = "pool.ntp.org",
	    .min = 1,
	    .max = LENGTH_HOST_MAX,
	    .check = check_host,
	    .help = "The time server, as name or address." },
	{ .name = NULL },
};
