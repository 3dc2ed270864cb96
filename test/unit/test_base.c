#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mac.h"
#include "base/number.h"

static void
test_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max, value;
		int error;
	} cases[] = {
		{ "0", 0, 10, 0, 0 },
		{ "10", 0, 10, 10, 0 },
		{ "+7", 0, 10, 7, 0 },
		{ "-7", -10, 10, -7, 0 },
		{ "0xff", 0, 255, 255, 0 },
		{ "0XFF", 0, 255, 255, 0 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, 0 },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, 0 },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, 0, ERANGE },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, 0, ERANGE },
		{ "18446744073709551617", 0, 10, 0, ERANGE },
		{ "11", 0, 10, 0, ERANGE },
		{ "-1", 0, 10, 0, ERANGE },
		{ "", 0, 10, 0, EINVAL },
		{ "-", 0, 10, 0, EINVAL },
		{ "0x", 0, 10, 0, EINVAL },
		{ "1 ", 0, 10, 0, EINVAL },
		{ " 1", 0, 10, 0, EINVAL },
		{ "1a", 0, 10, 0, EINVAL },
		{ "-0x1", -10, 10, 0, EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t value = 0;
		int result = number_parse(cases[i].text, strlen(cases[i].text),
		    cases[i].min, cases[i].max, &value);

		if (cases[i].error == 0) {
			assert_int_equal(result, 0);
			assert_true(value == cases[i].value);
		} else {
			assert_int_equal(result, -1);
			assert_int_equal(errno, cases[i].error);
		}
	}
}

/* Each byte at each place of a text: only those of the alphabet are taken. */
static void
test_base64_bytes(void **state)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)state;
	for (size_t place = 0; place < 16; place++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[] = "Zm9vYmFyZm9vYmFy", *bytes;
			size_t len;

			text[place] = (char)byte;
			bytes = base64_decode(text, 16, &len);
			if ((byte == 0 || strchr(alphabet, byte) == NULL) &&
			    (place < 15 || byte != '=')) {
				assert_null(bytes);
			} else {
				assert_non_null(bytes);
				assert_int_equal(len, byte == '=' ? 11 : 12);
			}
			free(bytes);
		}
	}
}

static void
test_base64(void **state)
{
	/* RFC 4648, section 10. */
	static const char *const vectors[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	static const char *const bad[] = { "Z", "Zg",
		"Zg=", "Z===", "====", "Zg==Zg==", "Z=g=", "    ", "    Zm9v",
		"Zm9v    ", "Zm9v\r\n\r\n", "Zm 9", "Zm9v\n", "Zm9!", "Zm9\xC3" };
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		char *text = base64_encode(vectors[i][0], strlen(vectors[i][0]));
		char *bytes = base64_decode(text, strlen(text), &len);

		assert_string_equal(text, vectors[i][1]);
		assert_int_equal(len, strlen(vectors[i][0]));
		assert_string_equal(bytes, vectors[i][0]);
		free(text);
		free(bytes);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_null(base64_decode(bad[i], strlen(bad[i]), &len));
}

static void
test_mac(void **state)
{
	static const char *const good[] = { "4c:55:CC:10:09:42", "4C-55-cc-10-09-42",
		"4C55CC100942" };
	static const char *const bad[] = { "", "4", "4C:55:CC:10:09",
		"4C:55:CC:10:09:4", "4C:55:CC:10:09:42:", "4C:55-CC:10:09:42",
		"4C:55:CC:10:09:4G", "+C:55:CC:10:09:42", "4C55CC10094",
		"4C 55 CC 10 09 42" };
	char text[MAC_TEXT_SIZE];
	uint8_t octets[MAC_OCTETS];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(mac_parse(good[i], octets), 0);
		mac_format(text, octets);
		assert_string_equal(text, "4C:55:CC:10:09:42");
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(mac_parse(bad[i], octets), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_bytes),
		cmocka_unit_test(test_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
