#include "var/table.h"

#include <stddef.h>

#include "var/check.h"
#include "var/choices.h"

/* Reference: variable notes, ota. Chosen: in all profiles, for dfu_update and dms.* ask
 * the same server; no host, since the makers' servers are gone, and the port of HTTPS.
 */
const struct variable ota_variables[] = {
	{ .name = "ota.host",
	    .shortcut = "ot h",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_HOST_MAX,
	    .check = check_host,
	    .help = "Server for updates, as name or address." },
	{ .name = "ota.port",
	    .shortcut = "ot p",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "443",
	    .min = 1,
	    .max = RANGE_PORT_MAX,
	    .help = "Port of that server; https on 443, else http." },
	{ .name = NULL },
};
