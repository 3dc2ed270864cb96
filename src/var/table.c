#include "var/table.h"

#include <stddef.h>

const struct variable *const variable_tables[] = {
	broadcast_variables,
	bus_variables,
	dms_variables,
	email_variables,
	gpio_variables,
	http_variables,
	ioconn_variables,
	mdns_variables,
	name_variables,
	network_variables,
	ntp_variables,
	ota_variables,
	remote_terminal_variables,
	setup_variables,
	softap_variables,
	stream_variables,
	system_variables,
	tcp_variables,
	time_variables,
	uart_variables,
	udp_variables,
	wlan_variables,
	NULL,
};
