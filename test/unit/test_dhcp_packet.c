#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "link/dhcp_packet.h"

/* A discover up to its options. */
static const uint8_t head[240] = { 1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 9, 0x80,
	0, [24] = 10, 0, 0, 9, 0x4C, 0x55, 0xCC, 1, 2, 3, [236] = 99, 130, 83, 99 };

static int
parse_with(struct dhcp_packet *packet, const void *options, size_t len)
{
	uint8_t bytes[DHCP_PACKET_MAX];

	memcpy(bytes, head, sizeof head);
	memcpy(bytes + sizeof head, options, len);
	return dhcp_packet_parse(packet, bytes, sizeof head + len);
}

static void
test_fields(void **state)
{
	static const uint8_t options[] = { 0, 53, 1, 1, 0, 50, 4, 10, 0, 0, 7, 51, 4, 0,
		0, 14, 16, 255, 3, 4 };
	struct dhcp_packet packet;
	struct in_addr address;
	uint32_t number;

	(void)state;
	assert_int_equal(parse_with(&packet, options, sizeof options), 0);
	assert_false(packet.is_reply);
	assert_true(packet.wants_broadcast);
	assert_int_equal(packet.xid, 0x12345678);
	assert_int_equal(packet.seconds, 9);
	assert_int_equal(packet.relay.s_addr, inet_addr("10.0.0.9"));
	assert_memory_equal(packet.hardware, "\x4C\x55\xCC\1\2\3", 6);
	assert_int_equal(dhcp_packet_type(&packet), DHCP_DISCOVER);
	assert_true(dhcp_packet_address(&packet, DHCP_OPTION_REQUESTED, &address));
	assert_int_equal(address.s_addr, inet_addr("10.0.0.7"));
	assert_true(dhcp_packet_number(&packet, DHCP_OPTION_LEASE_TIME, &number));
	assert_int_equal(number, 3600);
	/* What stands behind the end option is none. */
	assert_false(dhcp_packet_address(&packet, DHCP_OPTION_ROUTER, &address));
	assert_false(dhcp_packet_number(&packet, DHCP_OPTION_TYPE, &number));
}

static void
test_malformed(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t len;
	} bad[] = { { { 53 }, 1 }, { { 53, 1 }, 2 }, { { 53, 2, 1 }, 3 },
		{ { 0, 0, 61, 255, 1, 1 }, 6 }, { { 52, 1, 1, 53, 9, 1 }, 6 } };
	struct dhcp_packet packet;
	uint8_t bytes[DHCP_PACKET_MAX + 1] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(parse_with(&packet, bad[i].bytes, bad[i].len), -1);
	/* No end option, no options at all, no type. */
	assert_int_equal(parse_with(&packet, "\x35\1\1", 3), 0);
	assert_int_equal(parse_with(&packet, "", 0), 0);
	assert_int_equal(dhcp_packet_type(&packet), DHCP_NO_TYPE);
	assert_int_equal(parse_with(&packet, "\x35\1\x09", 3), 0);
	assert_int_equal(dhcp_packet_type(&packet), DHCP_NO_TYPE);
	assert_int_equal(parse_with(&packet, "\x35\2\1\1", 4), 0);
	assert_int_equal(dhcp_packet_type(&packet), DHCP_NO_TYPE);

	memcpy(bytes, head, sizeof head);
	for (size_t len = 0; len < sizeof head; len++)
		assert_int_equal(dhcp_packet_parse(&packet, bytes, len), -1);
	assert_int_equal(dhcp_packet_parse(&packet, bytes, DHCP_PACKET_MAX), 0);
	assert_int_equal(dhcp_packet_parse(&packet, bytes, DHCP_PACKET_MAX + 1), -1);
	bytes[0] = 3;
	assert_int_equal(dhcp_packet_parse(&packet, bytes, sizeof head), -1);
	bytes[0] = 1;
	bytes[2] = 17;
	assert_int_equal(dhcp_packet_parse(&packet, bytes, sizeof head), -1);
	bytes[2] = 6;
	bytes[239]++;
	assert_int_equal(dhcp_packet_parse(&packet, bytes, sizeof head), -1);
}

/* Options in file and sname, and an option in three parts: joined in this order. */
static void
test_overload(void **state)
{
	uint8_t bytes[DHCP_PACKET_MAX] = { 0 };
	struct dhcp_packet packet;
	const uint8_t *found;
	size_t len;

	(void)state;
	memcpy(bytes, head, sizeof head);
	memcpy(bytes + 240, "\x34\1\3\x35\1\1\x3D\2ab\xFF", 11);
	memcpy(bytes + 108, "\x3D\2cd\xFF", 5);
	memcpy(bytes + 44, "\x3D\2ef\x0C\1h\xFF", 8);
	assert_int_equal(dhcp_packet_parse(&packet, bytes, 251), 0);
	found = dhcp_packet_option(&packet, DHCP_OPTION_CLIENT, &len);
	assert_int_equal(len, 6);
	assert_memory_equal(found, "abcdef", 6);
	assert_non_null(dhcp_packet_option(&packet, DHCP_OPTION_HOST_NAME, &len));

	/* Only file; then neither, for a word that means nothing. */
	bytes[242] = 1;
	assert_int_equal(dhcp_packet_parse(&packet, bytes, 251), 0);
	dhcp_packet_option(&packet, DHCP_OPTION_CLIENT, &len);
	assert_int_equal(len, 4);
	bytes[242] = 4;
	assert_int_equal(dhcp_packet_parse(&packet, bytes, 251), 0);
	dhcp_packet_option(&packet, DHCP_OPTION_CLIENT, &len);
	assert_int_equal(len, 2);

	/* A fault in such a field is one of the message. */
	bytes[242] = 1;
	memset(bytes + 108, 1, 128);
	bytes[108 + 127] = 53;
	bytes[108 + 126] = 0;
	assert_int_equal(dhcp_packet_parse(&packet, bytes, 251), -1);
}

static void
test_format(void **state)
{
	struct dhcp_packet packet = { .hardware_type = 1,
		.hardware_len = 6,
		.xid = 0xFFFFFFFF },
			   again;
	uint8_t bytes[DHCP_PACKET_MAX], large[700];
	const uint8_t *found;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (uint8_t)(i * 7);
	dhcp_packet_add_number(&packet, DHCP_OPTION_LEASE_TIME, 60);
	dhcp_packet_add_address(
	    &packet, DHCP_OPTION_ROUTER, (struct in_addr){ inet_addr("1.2.3.4") });
	dhcp_packet_add_address(&packet, DHCP_OPTION_NETMASK,
	    (struct in_addr){ inet_addr("255.255.255.0") });
	dhcp_packet_add_type(&packet, DHCP_ACK);
	assert_int_equal(dhcp_packet_add_type(&packet, DHCP_NAK), -1);
	len = dhcp_packet_format(&packet, bytes);
	assert_int_equal(len, 300);
	assert_memory_equal(bytes + 240,
	    "\x35\1\5\1\4\xFF\xFF\xFF\0\3\4\1\2\3\4\x33\4\0\0\0\x3C\xFF\0", 23);

	/* A long option goes in parts and comes back whole; so does an empty one. */
	assert_int_equal(dhcp_packet_add(&packet, 200, large, sizeof large), 0);
	assert_int_equal(dhcp_packet_add(&packet, 80, "", 0), 0);
	len = dhcp_packet_format(&packet, bytes);
	assert_int_equal(len, 240 + 21 + 2 + 700 + 6 + 1);
	assert_int_equal(dhcp_packet_parse(&again, bytes, len), 0);
	found = dhcp_packet_option(&again, 200, &len);
	assert_int_equal(len, sizeof large);
	assert_memory_equal(found, large, sizeof large);
	assert_non_null(dhcp_packet_option(&again, 80, &len));
	assert_int_equal(len, 0);

	/* No room: in the packet, and in what is written of it. */
	assert_int_equal(dhcp_packet_add(&packet, 201, large, sizeof large), 0);
	assert_int_equal(dhcp_packet_format(&packet, bytes), 0);
	assert_int_equal(dhcp_packet_add(&packet, 202, large, sizeof large), -1);
	assert_int_equal(dhcp_packet_add(&packet, DHCP_OPTION_PAD, large, 1), -1);
	assert_int_equal(dhcp_packet_add(&packet, DHCP_OPTION_END, large, 1), -1);
	assert_null(dhcp_packet_option(&packet, DHCP_OPTION_END, &len));
}

/* The last byte of the room is the end option. */
static void
test_format_exact(void **state)
{
	struct dhcp_packet packet = { .xid = 1 };
	uint8_t bytes[DHCP_PACKET_MAX], large[DHCP_PACKET_MAX] = { 0 };

	(void)state;
	/* 1472 - 240 - 1 = 1231 bytes: four parts of 257 and one of 203. */
	assert_int_equal(dhcp_packet_add(&packet, 200, large, 4 * 255 + 201), 0);
	assert_int_equal(dhcp_packet_format(&packet, bytes), DHCP_PACKET_MAX);
	memset(&packet, 0, sizeof packet);
	assert_int_equal(dhcp_packet_add(&packet, 200, large, 4 * 255 + 202), 0);
	assert_int_equal(dhcp_packet_format(&packet, bytes), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_overload),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
