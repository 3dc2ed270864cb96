#include "core/profile.h"

#include <stddef.h>
#include <string.h>

/* Reference: command notes, section 3 (version) and variable notes, section 4 hold the
 * banners, all read from real modules. Chosen: wl-1.0 uses the banner of the oldest
 * ZentriOS-WL module on record, a 1.2, since none of a 1.0 is. The AMW007 has one UART
 * and, by its evaluation boards and host drivers, pins 0 to 21, of which flow control
 * has 6 and 7 (serial and file notes, 7.1). Streams: network notes, 2.1; ZentriOS-WL
 * has one TCP client and one UDP stream, its sisters 8 of any kind. Files: serial and
 * file notes, 2.9 and 6.1. */
static const struct profile profiles[PROFILE_COUNT] = {
	{ .name = "wl-1.0",
	    .bit = PROFILE_WL_1_0,
	    .version = "ZENTRI-AMW007-1.2.0.10, 2017-07-28T07:43:27Z, "
		       "ZentriOS-WL-1.2.0.10, Board:N/A",
	    .build_number = "16eee81",
	    .uarts = 1,
	    .gpios = 22,
	    .pin_cts = 6,
	    .pin_rts = 7,
	    .connections = 8,
	    .tcp_clients = 1,
	    .udp_streams = 1,
	    .announcement_line_end = "\r\n",
	    .files = 32,
	    .file_streams = 18 },
	{ .name = "wl-1.5",
	    .bit = PROFILE_WL_1_5,
	    .version = "ZENTRI-AMW007-1.5.0.13, 2018-09-03T06:06:14Z, "
		       "ZentriOS-WL-1.5.0.13, Board:AMW007-E03.2",
	    .build_number = "16eee81",
	    .uarts = 1,
	    .gpios = 22,
	    .pin_cts = 6,
	    .pin_rts = 7,
	    .connections = 8,
	    .tcp_clients = 1,
	    .udp_streams = 1,
	    .announcement_line_end = "\r\n",
	    .files = 32,
	    .file_streams = 18 },
	{ .name = "gecko-os-2",
	    .bit = PROFILE_GECKO_OS_2,
	    .version = "SILABS-AMW007-2.1.5, Gecko OS-2.1.5, AMW007-W00001",
	    .build_number = "16eee81",
	    .uarts = 1,
	    .gpios = 22,
	    .pin_cts = 6,
	    .pin_rts = 7,
	    .connections = 8,
	    .tcp_clients = 8,
	    .udp_streams = 8,
	    .announcement_line_end = "",
	    .files = 32,
	    .file_streams = 18 },
	{ .name = "wz-3",
	    .bit = PROFILE_WZ_3,
	    .version = "EMWERK-JB_1_1-1.4.0.28, 2021-04-27T20:39:50Z, "
		       "ZentriOS-WZ-3.6.4.0",
	    .build_number = "16eee81",
	    .uarts = 2,
	    .gpios = 23,
	    .pin_cts = -1,
	    .pin_rts = -1,
	    .connections = 8,
	    .tcp_clients = 8,
	    .udp_streams = 8,
	    .announcement_line_end = "",
	    .files = 32,
	    .file_streams = 18 },
};

const struct profile *
profile_get(const char *name)
{
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	}
	return NULL;
}

const struct profile *
profile_at(unsigned position)
{
	return position < PROFILE_COUNT ? &profiles[position] : NULL;
}
