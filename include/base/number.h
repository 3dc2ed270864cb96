#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Reads a whole number out of len bytes: decimal, with an optional sign, or hexadecimal
 * after "0x". Nothing may stand before or behind it. 0, or -1 and errno: EINVAL when it
 * is no number, ERANGE when it lies outside min to max. */
int number_parse(const char *text, size_t len, int64_t min, int64_t max, int64_t *out);

#endif
