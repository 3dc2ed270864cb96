#include "base/mac.h"

#include <ctype.h>
#include <stdio.h>

#include "base/number.h"

int
mac_parse(const char *text, uint8_t octets[MAC_OCTETS])
{
	char hex[5] = "0x", separator = '\0';
	int64_t number;

	if (text[0] != '\0' && text[1] != '\0' && (text[2] == ':' || text[2] == '-'))
		separator = text[2];
	for (int i = 0; i < MAC_OCTETS; i++) {
		if (i > 0 && separator != '\0' && *text++ != separator)
			return -1;
		if (!isxdigit((unsigned char)text[0]) ||
		    !isxdigit((unsigned char)text[1]))
			return -1;
		hex[2] = text[0];
		hex[3] = text[1];
		if (number_parse(hex, 4, 0, 0xFF, &number) == -1)
			return -1;
		octets[i] = (uint8_t)number;
		text += 2;
	}
	return *text == '\0' ? 0 : -1;
}

void
mac_format(char text[MAC_TEXT_SIZE], const uint8_t octets[MAC_OCTETS])
{
	snprintf(text, MAC_TEXT_SIZE, "%02X:%02X:%02X:%02X:%02X:%02X", octets[0],
	    octets[1], octets[2], octets[3], octets[4], octets[5]);
}
