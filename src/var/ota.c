#include "var/table.h"

#include <stddef.h>

#include "core/profile.h"
#include "var/check.h"
#include "var/choices.h"

/* Reference: variable notes, ota. Chosen: no host, since the update servers are gone,
 * and the port of HTTPS. */
const struct variable ota_variables[] = {
	{ .name = "ota.host",
	    .shortcut = "ot h",
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .profiles = PROFILE_WZ_3,
	    .max = LENGTH_HOST_MAX,
	    .check = check_host,
	    .help = "Server for updates, as name or address." },
	{ .name = "ota.port",
	    .shortcut = "ot p",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .profiles = PROFILE_WZ_3,
	    .initial = "443",
	    .min = 1,
	    .max = RANGE_PORT_MAX,
	    .help = "Port of that server." },
	{ .name = NULL },
};
