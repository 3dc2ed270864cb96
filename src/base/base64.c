#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/xmalloc.h"

char *
base64_encode(const void *bytes, size_t len)
{
	char *text;

	if (len > BASE64_INPUT_MAX) {
		errno = EINVAL;
		return NULL;
	}
	text = xmalloc((len + 2) / 3 * 4 + 1);
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	return text;
}

char *
base64_decode(const char *text, size_t len, size_t *out_len)
{
	size_t padding = 0;
	char *bytes;

	if (len % 4 != 0 || len > BASE64_INPUT_MAX)
		goto malformed;
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	/* EVP_DecodeBlock() takes padding anywhere, and passes over white space at both
	 * ends, which makes it decode less. */
	if (len > 0 && memchr(text, '=', len - padding) != NULL)
		goto malformed;
	bytes = xmalloc(len / 4 * 3 + 1);
	if (len > 0 &&
	    EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text,
		(int)len) != (int)(len / 4 * 3)) {
		free(bytes);
		goto malformed;
	}
	*out_len = len / 4 * 3 - padding;
	bytes[*out_len] = '\0';
	return bytes;

malformed:
	errno = EINVAL;
	return NULL;
}
