#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

/* Standard alphabet with '=' padding (RFC 4648, section 4); the work is OpenSSL's. */

/* The largest input; a caller bounds its data far below this. */
#define BASE64_INPUT_MAX (64u * 1024 * 1024)

/* A NUL-terminated text, owned by the caller; NULL and errno EINVAL when the input is
 * larger than BASE64_INPUT_MAX. */
char *base64_encode(const void *bytes, size_t len);

/* The bytes, owned by the caller, their count in *out_len and a NUL behind them; NULL
 * and errno EINVAL when the text is not well-formed: a byte outside the alphabet, a
 * length that is no multiple of four, or padding that is not at the end. */
char *base64_decode(const char *text, size_t len, size_t *out_len);

#endif
