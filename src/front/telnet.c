#include "front/telnet.h"

#define TELNET_SE 240
#define TELNET_SB 250
#define TELNET_WILL 251
#define TELNET_DONT 254
#define TELNET_IAC_BYTE 255

static enum telnet_state
telnet_after_iac(unsigned char byte)
{
	if (byte >= TELNET_WILL && byte <= TELNET_DONT)
		return TELNET_OPTION;
	return byte == TELNET_SB ? TELNET_SUB : TELNET_DATA;
}

size_t
telnet_filter(enum telnet_state *state, char *bytes, size_t len)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		switch (*state) {
		case TELNET_DATA:
			if (byte == TELNET_IAC_BYTE)
				*state = TELNET_IAC;
			else
				bytes[kept++] = bytes[i];
			break;
		case TELNET_IAC:
			if (byte == TELNET_IAC_BYTE)
				bytes[kept++] = bytes[i];
			*state = telnet_after_iac(byte);
			break;
		case TELNET_OPTION:
			*state = TELNET_DATA;
			break;
		case TELNET_SUB:
			if (byte == TELNET_IAC_BYTE)
				*state = TELNET_SUB_IAC;
			break;
		case TELNET_SUB_IAC:
			*state = byte == TELNET_SE ? TELNET_DATA : TELNET_SUB;
			break;
		}
	}
	return kept;
}
