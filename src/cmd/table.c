#include "cmd/table.h"

#include <stddef.h>

const struct command *const command_tables[] = {
	file_commands,
	gpio_commands,
	help_commands,
	http_commands,
	mdns_commands,
	network_commands,
	ping_commands,
	setup_commands,
	socket_commands,
	stream_commands,
	system_commands,
	uart_commands,
	update_commands,
	variable_commands,
	wlan_commands,
	wps_commands,
	NULL,
};
