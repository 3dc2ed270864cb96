#include "base/number.h"

#include <errno.h>
#include <stdbool.h>

static int
number_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

int
number_parse(const char *text, size_t len, int64_t min, int64_t max, int64_t *out)
{
	bool negative = false, overflow = false;
	int64_t value = 0;
	int base = 10;
	size_t i = 0;

	if (len > 0 && (text[0] == '-' || text[0] == '+')) {
		negative = text[0] == '-';
		i = 1;
	} else if (len > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		i = 2;
	}
	if (i == len) {
		errno = EINVAL;
		return -1;
	}
	for (; i < len; i++) {
		int digit = number_digit(text[i]);

		if (digit >= base) {
			errno = EINVAL;
			return -1;
		}
		/* Built below zero, where INT64_MIN fits too. */
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_sub_overflow(value, digit, &value))
			overflow = true;
	}
	if (!negative && !overflow)
		overflow = __builtin_sub_overflow(0, value, &value);
	if (overflow || value < min || value > max) {
		errno = ERANGE;
		return -1;
	}
	*out = value;
	return 0;
}
