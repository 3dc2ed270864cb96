#include "core/pins_state.h"

#include <stdlib.h>
#include <string.h>

#include "core/module.h"
#include "core/net.h"
#include "core/variable.h"
#include "stream/stream.h"

/* The functions that pins have, and what level each shows. */

/* Reference: variable notes, bus.stream.cmd_gpio: it leads out of STREAM mode, so
 * without that mode the pin, 0 by default, is free for others. */
static int
pin_bus_command(const struct module *module)
{
	return module->bus_mode == BUS_STREAM
		   ? (int)variable_number(module, "bus.stream.cmd_gpio")
		   : -1;
}

static bool
pin_has_flow_control(const struct module *module)
{
	return strcmp(variable_text_at(module, "uart.flow", "0"), "on") == 0;
}

static int
pin_uart_cts(const struct module *module)
{
	return pin_has_flow_control(module) ? module->profile->pin_cts : -1;
}

static int
pin_uart_rts(const struct module *module)
{
	return pin_has_flow_control(module) ? module->profile->pin_rts : -1;
}

/* Clients that are there: the log has not said [Closed] of them. */
static bool
pin_is_connected(const struct module *module, enum stream_kind kind)
{
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		const struct stream *stream = stream_get(module->streams, handle);

		if (stream != NULL && stream->ops->kind == kind && !stream->end_is_told)
			return true;
	}
	return false;
}

static bool
pin_is_readable(const struct stream *stream)
{
	return stream != NULL && stream->ops->poll(stream) == STREAM_READABLE;
}

/* Whether a stream of the kind has unread data; the UDP server's is not asked. */
static bool
pin_has_data(const struct module *module, enum stream_kind kind)
{
	const struct stream *server = net_udp_server(module);

	for (int handle = 0; handle < STREAM_MAX; handle++) {
		const struct stream *stream = stream_get(module->streams, handle);

		if (stream != NULL && stream != server && stream->ops->kind == kind &&
		    pin_is_readable(stream))
			return true;
	}
	return false;
}

static bool
pin_tcp_server_connected(struct module *module)
{
	return pin_is_connected(module, STREAM_KIND_TCP_SERVER);
}

static bool
pin_tcp_server_data(struct module *module)
{
	return pin_has_data(module, STREAM_KIND_TCP_SERVER);
}

static bool
pin_udp_server_data(struct module *module)
{
	return pin_is_readable(net_udp_server(module));
}

static bool
pin_websocket(struct module *module)
{
	return pin_is_connected(module, STREAM_KIND_WEBSOCKET);
}

static bool
pin_wlan_status(struct module *module)
{
	return pins_get(module)->indicators[INDICATOR_NETWORK].state ==
	       INDICATOR_NETWORK_UP;
}

/* Reference: serial and file notes, 2.3: a host takes the reply for complete when the
 * pin rises. Chosen: so it is low from the start of a command to the end of its reply.
 */
static bool
pin_command_done(struct module *module)
{
	return module->running == NULL;
}

/* What system.oob.* tells of, by bit. Reference: serial and file notes, 3. */
static unsigned
pin_events_now(struct module *module)
{
	const struct pins *pins = pins_get(module);
	unsigned now = 0;

	if ((pins->shown & (1u << PIN_IOCONN_STATUS)) != 0)
		now |= 0x01;
	if (pin_wlan_status(module))
		now |= 0x02;
	if (pin_tcp_server_connected(module))
		now |= 0x04;
	if (pin_tcp_server_data(module))
		now |= 0x08;
	if (pin_udp_server_data(module))
		now |= 0x10;
	if (pin_has_data(module, STREAM_KIND_TCP_CLIENT))
		now |= 0x20;
	if (pin_has_data(module, STREAM_KIND_UDP))
		now |= 0x40;
	return now;
}

/* Chosen, where only the names and the bits are on record: an event counts while it
 * lasts, and one of system.oob.rising_edge from its beginning until
 * system.oob.status is read. */
static unsigned
pin_events(struct module *module)
{
	struct pins *pins = pins_get(module);
	unsigned edges = (unsigned)variable_number(module, "system.oob.rising_edge");
	unsigned now = pin_events_now(module);

	pins->events_kept |= now & ~pins->events_before & edges;
	pins->events_kept &= edges;
	pins->events_before = now;
	return (now & ~edges) | pins->events_kept;
}

unsigned
pins_take_events(struct module *module)
{
	unsigned events = pin_events(module);

	pins_get(module)->events_kept = 0;
	pins_follow(module);
	return events;
}

static bool
pin_events_level(struct module *module)
{
	unsigned mask = (unsigned)variable_number(module, "system.oob.event_mask");
	bool is_active = (pin_events(module) & mask) != 0;

	return is_active == variable_is_on(module, "system.oob.level");
}

const struct pin_role pin_roles[PIN_FUNCTIONS] = {
	[PIN_BUS_COMMAND] = { .owner = "bus.stream.cmd_gpio",
	    .variable = "bus.stream.cmd_gpio",
	    .pin = pin_bus_command,
	    .direction = GPIO_INPUT_PULL_DOWN },
	[PIN_UART_CTS] = { .owner = "UART0 CTS",
	    .variable = "uart.flow",
	    .index = "0",
	    .pin = pin_uart_cts,
	    .direction = GPIO_INPUT_PULL_DOWN },
	[PIN_UART_RTS] = { .owner = "UART0 RTS",
	    .variable = "uart.flow",
	    .index = "0",
	    .pin = pin_uart_rts,
	    .direction = GPIO_OUTPUT },
	[PIN_TCP_SERVER_CONNECTED] = { .owner = "tcp.server.connected_gpio",
	    .variable = "tcp.server.connected_gpio",
	    .direction = GPIO_OUTPUT,
	    .level = pin_tcp_server_connected },
	[PIN_TCP_SERVER_DATA] = { .owner = "tcp.server.data_gpio",
	    .variable = "tcp.server.data_gpio",
	    .direction = GPIO_OUTPUT,
	    .level = pin_tcp_server_data },
	[PIN_UDP_SERVER_DATA] = { .owner = "udp.server.data_gpio",
	    .variable = "udp.server.data_gpio",
	    .direction = GPIO_OUTPUT,
	    .level = pin_udp_server_data },
	[PIN_WEBSOCKET] = { .owner = "http.server.websocket_gpio",
	    .variable = "http.server.websocket_gpio",
	    .direction = GPIO_OUTPUT,
	    .level = pin_websocket },
	[PIN_IOCONN_CONTROL] = { .owner = "ioconn.control_gpio",
	    .variable = "ioconn.control_gpio",
	    .direction = GPIO_INPUT_PULL_DOWN },
	[PIN_IOCONN_STATUS] = { .owner = "ioconn.status_gpio",
	    .variable = "ioconn.status_gpio",
	    .direction = GPIO_OUTPUT },
	[PIN_SETUP] = { .owner = "setup.gpio.control_gpio",
	    .variable = "setup.gpio.control_gpio",
	    .direction = GPIO_INPUT_PULL_DOWN },
	[PIN_WLAN_STATUS] = { .owner = "wlan.network.status_gpio",
	    .variable = "wlan.network.status_gpio",
	    .direction = GPIO_OUTPUT,
	    .level = pin_wlan_status },
	[PIN_COMMAND_DONE] = { .owner = "system.cmd.gpio",
	    .variable = "system.cmd.gpio",
	    .direction = GPIO_OUTPUT,
	    .level = pin_command_done },
	[PIN_EVENTS] = { .owner = "system.oob.gpio",
	    .variable = "system.oob.gpio",
	    .direction = GPIO_OUTPUT,
	    .level = pin_events_level },
	[PIN_INDICATOR_WLAN] = { .owner = "system.indicator.wlan",
	    .variable = "system.indicator.gpio",
	    .index = "wlan",
	    .direction = GPIO_OUTPUT },
	[PIN_INDICATOR_NETWORK] = { .owner = "system.indicator.network",
	    .variable = "system.indicator.gpio",
	    .index = "network",
	    .direction = GPIO_OUTPUT },
	[PIN_INDICATOR_SOFTAP] = { .owner = "system.indicator.softap",
	    .variable = "system.indicator.gpio",
	    .index = "softap",
	    .direction = GPIO_OUTPUT },
};

int
pin_role_wants(const struct module *module, const struct pin_role *role, bool *is_set)
{
	const char *text;
	long pin;

	*is_set = false;
	if (catalog_variable(module->catalog, role->variable, strlen(role->variable)) ==
	    NULL)
		return -1;
	*is_set = variable_is_set(module, role->variable, role->index);
	if (role->pin != NULL) {
		pin = role->pin(module);
	} else {
		text = variable_text_at(module, role->variable, role->index);
		/* An indicator's pin is empty while it is the board's. */
		for (unsigned i = 0; *text == '\0' && i < INDICATORS; i++) {
			*is_set = false;
			if (role->index != NULL &&
			    strcmp(indicator_boards[i].name, role->index) == 0)
				text = indicator_boards[i].gpio;
		}
		pin = strtol(text, NULL, 10);
	}
	/* The pins that the larger modules of the family have are not there. */
	return pin >= 0 && pin < (long)module->profile->gpios ? (int)pin : -1;
}
