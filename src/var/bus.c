#include "var/table.h"

#include <stddef.h>

#include "core/module.h"
#include "core/pins.h"
#include "core/profile.h"
#include "var/choices.h"

static const char *const bus_modes[] = { "command", "stream", NULL };
static int
bus_receive_apply(struct module *module)
{
	module->console.receive_max =
	    (size_t)variable_number(module, "bus.command.rx_bufsize");
	return 0;
}

static const char *const bus_uarts[] = { "uart0", "uart1", NULL };

/* Reference: variable notes, bus; serial and file notes, 2.8 and 4.1. Chosen, where the
 * record is silent:
 * write_check_enabled off, as on firmware that did not have it;
 * read_timeout 0 where stream_read is known to give what is there at once, 100 on the
 * firmware whose documentation says so;
 * data_bus and log_bus uart0, the only one that every module has; the serial port is
 * the UART of data_bus, whichever that is;
 * flush_count 256, the receive buffer of command mode, at most what that can be set to;
 * flush_reset on, since host code that wants it off says so;
 * flush_time 100, which the dump of a product shows. */
const struct variable bus_variables[] = {
	{ .name = "bus.command.read_timeout",
	    .shortcut = "bu c t",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .differs = { PROFILE_WZ_3, "100" },
	    .max = RANGE_16_BIT_MAX,
	    .help = "Milliseconds that stream_read waits for what it asks for at most; "
		    "0: it gives what is there." },
	{ .name = "bus.command.rx_bufsize",
	    .shortcut = "bu c r",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "256",
	    .min = 256,
	    .max = 10000,
	    .apply = bus_receive_apply,
	    .help =
		"Bytes of the serial receive buffer: what comes while a command runs "
		"is kept, and beyond that the port is not read. In stream mode it has "
		"at least bus.stream.flush_count bytes." },
	{ .name = "bus.command.write_check_enabled",
	    .shortcut = "bu c c",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .help =
		"Whether stream_write is refused at once, with code 9, when the stream "
		"lacks room." },
	{ .name = "bus.command.write_timeout",
	    .shortcut = "bu c w",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "25000",
	    .max = RANGE_16_BIT_MAX,
	    .help = "Milliseconds that a command waits for its payload at most." },
	{ .name = "bus.data_bus",
	    .shortcut = "bu d",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "uart0",
	    .choices = bus_uarts,
	    .help = "UART for commands and data." },
	{ .name = "bus.log_bus",
	    .shortcut = "bu l",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "uart0",
	    .choices = bus_uarts,
	    .help = "UART for log lines." },
	{ .name = "bus.mode",
	    .shortcut = "bu m",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_REBOOT,
	    .initial = "command",
	    .choices = bus_modes,
	    .help =
		"Whether the serial bus carries commands or the bytes of a stream." },
	{ .name = "bus.stream.cmd_gpio",
	    .shortcut = "bu s g",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that leads from stream mode to command mode while it is high; "
		    "-1: none." },
	{ .name = "bus.stream.cmd_seq",
	    .shortcut = "bu s s",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "$$$",
	    .max = 15,
	    .help =
		"Bytes that lead from stream mode to command mode; empty: none do." },
	{ .name = "bus.stream.flush_count",
	    .shortcut = "bu s c",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "256",
	    .min = 16,
	    .max = 10000,
	    .help = "Serial bytes that are collected in stream mode before they are "
		    "sent." },
	{ .name = "bus.stream.flush_reset",
	    .shortcut = "bu s r",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .help =
		"Whether each byte starts the time of bus.stream.flush_time anew." },
	{ .name = "bus.stream.flush_time",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "100",
	    .max = RANGE_16_BIT_MAX,
	    .help = "Milliseconds after which collected bytes are sent." },
	{ .name = NULL },
};
