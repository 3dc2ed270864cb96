#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Checks text that comes in pieces: RFC 3629, without surrogates and overlong forms. */
struct utf8 { /* zeroed: at the start of a text */
	unsigned left; /* bytes that the character under way still needs */
	unsigned char low, high; /* the range of the next of them */
};

/* Whether the bytes go on well; after false the text is spoilt. */
bool utf8_take(struct utf8 *, const unsigned char *bytes, size_t len);

/* Whether the text may end here. */
bool utf8_is_complete(const struct utf8 *);

#endif
