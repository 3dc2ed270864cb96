#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

/* Which module, and which firmware on it, is imitated. Entries of the command and
 * variable tables carry a mask of these bits; no command asks for the profile. */
enum profile_bit {
	PROFILE_WL_1_0 = 1u << 0,
	PROFILE_WL_1_5 = 1u << 1,
	PROFILE_GECKO_OS_2 = 1u << 2,
	PROFILE_WZ_3 = 1u << 3,
	PROFILE_WL = PROFILE_WL_1_0 | PROFILE_WL_1_5,
	PROFILE_ZENTRIOS = PROFILE_WL | PROFILE_WZ_3,
	PROFILE_ALL = PROFILE_ZENTRIOS | PROFILE_GECKO_OS_2
};

#define PROFILE_COUNT 4

struct profile {
	const char *name; /* "wl-1.0" */
	const char *version; /* the banner, system.version */
	const char *build_number;
	enum profile_bit bit;
	unsigned uarts; /* serial ports that uart.* knows */
	unsigned gpios; /* pins, numbered from 0 */
	int pin_cts, pin_rts; /* of UART 0, with flow control; -1: not on record */
	/* Streams on sockets at a time, in all and of a kind. */
	unsigned connections, tcp_clients, udp_streams;
	const char *announcement_line_end; /* between its members; empty: one line */
	unsigned files, file_streams; /* in the flash; open at a time */
};

/* The profile of that name, or at a position below PROFILE_COUNT; NULL if none. */
const struct profile *profile_get(const char *name);
const struct profile *profile_at(unsigned position);

#endif
