#include "base/utf8.h"

/* RFC 3629, section 4: how long a character is and the range of its second byte follow
 * from its first. */
static bool
utf8_start(struct utf8 *utf8, unsigned char byte)
{
	utf8->low = 0x80;
	utf8->high = 0xBF;
	if (byte >= 0xC2 && byte <= 0xDF) {
		utf8->left = 1;
	} else if (byte >= 0xE0 && byte <= 0xEF) {
		utf8->left = 2;
		if (byte == 0xE0)
			utf8->low = 0xA0;
		else if (byte == 0xED)
			utf8->high = 0x9F;
	} else if (byte >= 0xF0 && byte <= 0xF4) {
		utf8->left = 3;
		if (byte == 0xF0)
			utf8->low = 0x90;
		else if (byte == 0xF4)
			utf8->high = 0x8F;
	} else {
		return false;
	}
	return true;
}

bool
utf8_take(struct utf8 *utf8, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (utf8->left == 0) {
			if (bytes[i] >= 0x80 && !utf8_start(utf8, bytes[i]))
				return false;
			continue;
		}
		if (bytes[i] < utf8->low || bytes[i] > utf8->high)
			return false;
		utf8->low = 0x80;
		utf8->high = 0xBF;
		utf8->left--;
	}
	return true;
}

bool
utf8_is_complete(const struct utf8 *utf8)
{
	return utf8->left == 0;
}
