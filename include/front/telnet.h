#ifndef FRONT_TELNET_H
#define FRONT_TELNET_H

#include <stddef.h>

/* Takes the Telnet commands out of what a client sends (RFC 854): options are not
 * answered, 0xFF 0xFF is one byte 0xFF, and a command may be split over packets. */

enum telnet_state {
	TELNET_DATA,
	TELNET_IAC, /* 0xFF came */
	TELNET_OPTION, /* WILL, WONT, DO or DONT came; the option follows */
	TELNET_SUB, /* inside a subnegotiation */
	TELNET_SUB_IAC /* 0xFF came inside one */
};

/* Moves the data among len bytes to their front and returns how many they are. */
size_t telnet_filter(enum telnet_state *, char *bytes, size_t len);

#endif
