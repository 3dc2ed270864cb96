#include "var/table.h"

#include <stddef.h>

#include "core/profile.h"

/* Names that firmware before or after the profile's has for one of its variables, with
 * the shortcuts of their time. Reference: variable notes, section 4. */
const struct variable name_variables[] = {
	/* Renamed by Gecko OS 2.0. */
	{ .name = "broadcast.udp.remote_port",
	    .same_as = "broadcast.udp.port",
	    .profiles = PROFILE_ZENTRIOS },
	{ .name = "broadcast.udp.port",
	    .same_as = "broadcast.udp.remote_port",
	    .profiles = PROFILE_GECKO_OS_2 },
	{ .name = "system.cmd.format",
	    .shortcut = "sy c f",
	    .same_as = "system.cmd.mode",
	    .profiles = PROFILE_ZENTRIOS },
	{ .name = "system.cmd.mode",
	    .shortcut = "sy c m",
	    .same_as = "system.cmd.format",
	    .profiles = PROFILE_GECKO_OS_2 },

	/* Of WiConnect, the firmware before ZentriOS. */
	{ .name = "network.dhcp.enabled",
	    .shortcut = "ne d e",
	    .same_as = "wlan.dhcp.enabled" },
	{ .name = "network.gateway",
	    .shortcut = "ne g",
	    .same_as = "wlan.network.gateway" },
	{ .name = "network.ip", .shortcut = "ne i", .same_as = "wlan.network.ip" },
	{ .name = "network.netmask",
	    .shortcut = "ne n",
	    .same_as = "wlan.network.netmask" },
	{ .name = "softap.gateway", .same_as = "softap.static.ip" },
	{ .name = "softap.url", .same_as = "softap.dns_server.url" },
	{ .name = "static.dns", .shortcut = "st d", .same_as = "wlan.static.dns" },
	{ .name = "static.gateway",
	    .shortcut = "st g",
	    .same_as = "wlan.static.gateway" },
	{ .name = "static.ip", .shortcut = "st i", .same_as = "wlan.static.ip" },
	{ .name = "static.netmask",
	    .shortcut = "st n",
	    .same_as = "wlan.static.netmask" },

	/* Reference: serial and file notes, 4.1: Gecko OS 4 spells it so. */
	{ .name = "bus.stream.flush_time_reset", .same_as = "bus.stream.flush_reset" },
	/* Reference: serial and file notes, 5.6. */
	{ .name = "system.safemode", .same_as = "system.safemode.status" },
	{ .name = NULL },
};
