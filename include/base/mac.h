#ifndef BASE_MAC_H
#define BASE_MAC_H

#include <stdint.h>

#define MAC_OCTETS 6
#define MAC_TEXT_SIZE 18 /* "AA:BB:CC:DD:EE:FF" and its NUL */

/* Reads a MAC address: twelve hexadecimal digits with ':', with '-' or with nothing
 * between the octets. 0, or -1. */
int mac_parse(const char *text, uint8_t octets[MAC_OCTETS]);

/* Writes it in upper case with colons. */
void mac_format(char text[MAC_TEXT_SIZE], const uint8_t octets[MAC_OCTETS]);

#endif
