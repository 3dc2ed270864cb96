#include "var/table.h"

#include <stddef.h>

#include "var/choices.h"

/* Reference: variable notes, remote_terminal. Chosen: a timeout of 0 means never, and
 * the length of the password. */
const struct variable remote_terminal_variables[] = {
	{ .name = "remote_terminal.enabled",
	    .shortcut = "re e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Offer the command line over TCP." },
	{ .name = "remote_terminal.interface",
	    .shortcut = "re i",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "default",
	    .choices = choices_interface,
	    .help = "Interface that it listens on." },
	{ .name = "remote_terminal.password",
	    .shortcut = "re w",
	    .flags = VARIABLE_PERSISTED | VARIABLE_SECRET,
	    .max = LENGTH_WORD_MAX,
	    .help = "Password that it asks for; empty: none." },
	{ .name = "remote_terminal.port",
	    .shortcut = "re p",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "2000",
	    .min = 1,
	    .max = RANGE_PORT_MAX,
	    .help = "TCP port that it listens on." },
	{ .name = "remote_terminal.timeout",
	    .shortcut = "re t",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "60",
	    .max = RANGE_SECONDS_MAX,
	    .help = "Idle seconds after which a client is dropped; 0: never." },
	{ .name = NULL },
};
