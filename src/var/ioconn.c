#include "var/table.h"

#include <stddef.h>

#include "core/pins.h"
#include "var/check.h"
#include "var/choices.h"

static const char *const ioconn_protocols[] = { "udp", "tcp", "tls", NULL };

/* Reference: variable notes, ioconn. Chosen: remote_port 3000, as the other connections
 * have it. */
const struct variable ioconn_variables[] = {
	{ .name = "ioconn.control_gpio",
	    .shortcut = "io c",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "-1",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that opens the connection when it rises and closes it when it "
		    "falls; -1: none, it is opened with the network." },
	{ .name = "ioconn.enabled",
	    .shortcut = "io e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Whether a pin opens and closes a connection." },
	{ .name = "ioconn.local_port",
	    .shortcut = "io l",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .max = RANGE_PORT_MAX,
	    .help = "Local port of that connection; 0: any." },
	{ .name = "ioconn.protocol",
	    .shortcut = "io p",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "tcp",
	    .choices = ioconn_protocols,
	    .help = "Protocol of that connection." },
	{ .name = "ioconn.remote_host",
	    .shortcut = "io h",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_HOST_MAX,
	    .check = check_host,
	    .help = "Host that it leads to, as name or address." },
	{ .name = "ioconn.remote_port",
	    .shortcut = "io r",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "3000",
	    .min = 1,
	    .max = RANGE_PORT_MAX,
	    .help = "Port that it leads to." },
	{ .name = "ioconn.status_gpio",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "-1",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that shows whether it is open; -1: none." },
	{ .name = NULL },
};
