#include "var/table.h"

#include <string.h>

#include "core/module.h"
#include "core/profile.h"
#include "core/service.h"
#include "var/check.h"
#include "var/choices.h"

/* Reference: variable notes, broadcast.data. What it can hold besides pins. */
static bool
broadcast_is_item(const struct module *module, const char *item)
{
	static const char *const items[] = { "bssid", "channel", "ip", "mac",
		"remote_terminal_port", "rssi", "ssid", "time", "uuid", "version" };

	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		if (strcmp(items[i], item) == 0)
			return true;
	}
	return check_is_gpio(module, item);
}

static int
broadcast_data_check(
    const struct module *module, const char *index, struct value *value)
{
	(void)index;
	return check_list(module, value, broadcast_is_item);
}

/* Reference: variable notes, broadcast.http.host: host[:port], behind an optional
 * scheme. Chosen: all is taken but what would break a request line. */
static int
broadcast_host_check(
    const struct module *module, const char *index, struct value *value)
{
	(void)module;
	(void)index;
	return strchr(value->text, ' ') == NULL ? 0 : -1;
}

/* Begins anew with what they say now. */
static int
broadcast_apply(struct module *module)
{
	service_restart(module, "broadcast");
	return 0;
}

/* The name of this one changed with Gecko OS 2.0; see names.c. */
#define BROADCAST_UDP_PORT                                                             \
	.type = VARIABLE_INT, .flags = VARIABLE_PERSISTED, .initial = "55555",         \
	.min = 1, .max = RANGE_PORT_MAX,                                               \
	.help = "UDP port that the announcement is sent to."

/* Reference: variable notes, broadcast. Chosen: the range of the interval. */
const struct variable broadcast_variables[] = {
	{ .name = "broadcast.data",
	    .shortcut = "br d",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "mac,bssid,channel,ip,ssid,rssi,remote_terminal_port,time,uuid,"
		       "version",
	    .min = 1,
	    .max = LENGTH_TEXT_MAX,
	    .check = broadcast_data_check,
	    .help =
		"What an announcement holds, in this order: bssid, channel, gpioN, ip, "
		"mac, remote_terminal_port, rssi, ssid, time, uuid, version." },
	{ .name = "broadcast.http.host",
	    .shortcut = "br h h",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_TEXT_MAX,
	    .check = broadcast_host_check,
	    .apply = broadcast_apply,
	    .help =
		"Host that gets the announcement by HTTP POST, as host[:port], with "
		"https:// before it for TLS; empty: none." },
	{ .name = "broadcast.interface",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "default",
	    .choices = choices_interface,
	    .apply = broadcast_apply,
	    .help = "Interface on which announcements leave." },
	{ .name = "broadcast.interval",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "10",
	    .max = RANGE_16_BIT_MAX,
	    .apply = broadcast_apply,
	    .help = "Seconds between two announcements; 0: none are sent." },
	{ .name = "broadcast.udp.ip",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "255.255.255.255",
	    .help = "Address that the announcement is sent to." },
	{ .name = "broadcast.udp.port",
	    .profiles = PROFILE_ZENTRIOS,
	    BROADCAST_UDP_PORT },
	{ .name = "broadcast.udp.remote_port",
	    .profiles = PROFILE_GECKO_OS_2,
	    BROADCAST_UDP_PORT },
	{ .name = NULL },
};
