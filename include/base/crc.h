#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

#define CRC16_START 0xFFFFu

/* The CRC-16 of the module's files, continued over len bytes from crc, which is
 * CRC16_START before the first: polynomial 0x1021, bits of each byte taken lowest
 * first, result not reflected. "123456789" gives 89F6. Reference: serial and file
 * notes, 6.6. */
uint16_t crc16(uint16_t crc, const void *bytes, size_t len);

/* Reads one as a host spells it: one to four hexadecimal digits, with or without 0x. 0,
 * or -1. Reference: serial and file notes, 6.6. */
int crc16_parse(const char *text, int32_t *crc);

#endif
