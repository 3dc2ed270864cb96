#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device/frames.h"

#define IP_LEN 20
#define UDP_LEN 8
#define BODY_LEN 5
#define PACKET_LEN (IP_LEN + UDP_LEN + BODY_LEN)

static const uint8_t body_bytes[BODY_LEN] = { 1, 2, 3, 4, 5 };

/* A packet that is as it should be. */
static void
packet_fill(uint8_t packet[PACKET_LEN])
{
	memset(packet, 0, PACKET_LEN);
	packet[0] = 0x45;
	packet[3] = PACKET_LEN;
	packet[IP_LEN + 5] = UDP_LEN + BODY_LEN;
	memcpy(packet + IP_LEN + UDP_LEN, body_bytes, sizeof body_bytes);
}

/* What is found in a packet that is all there is of the memory: the length, or -1. */
static int
found(const uint8_t *packet, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	size_t body_len = SIZE_MAX;
	const uint8_t *body;
	int result = -1;

	memcpy(copy, packet, len);
	body = frames_body(copy, len, &body_len);
	if (body != NULL) {
		assert_true(body >= copy + IP_LEN + UDP_LEN);
		assert_true(body_len <= len);
		assert_true(body + body_len <= copy + len);
		result = (int)body_len;
	}
	free(copy);
	return result;
}

static void
test_good(void **state)
{
	uint8_t packet[PACKET_LEN + 7], *longer;
	const uint8_t *body;
	size_t len;

	(void)state;
	packet_fill(packet);
	body = frames_body(packet, PACKET_LEN, &len);
	assert_ptr_equal(body, packet + IP_LEN + UDP_LEN);
	assert_int_equal(len, BODY_LEN);
	/* Short frames are padded, and so may the datagram be in its packet. */
	memset(packet + PACKET_LEN, 0xEE, 7);
	assert_int_equal(found(packet, sizeof packet), BODY_LEN);
	packet[IP_LEN + 5] -= 2;
	assert_int_equal(found(packet, sizeof packet), BODY_LEN - 2);
	packet[IP_LEN + 5] = UDP_LEN;
	assert_int_equal(found(packet, sizeof packet), 0);
	/* Options of IP come before it. */
	longer = calloc(1, 60 + UDP_LEN + BODY_LEN);
	longer[0] = 0x4F;
	longer[3] = 60 + UDP_LEN + BODY_LEN;
	longer[60 + 5] = UDP_LEN + BODY_LEN;
	assert_int_equal(found(longer, 60 + UDP_LEN + BODY_LEN), BODY_LEN);
	free(longer);
}

/* One thing at a time is not as it should be. */
static void
test_bad(void **state)
{
	static const struct {
		size_t at;
		uint8_t high, low; /* of the two bytes there */
	} cases[] = {
		{ 0, 0x65, 0 }, /* IPv6 */
		{ 0, 0x40, 0 },
		{ 0, 0x44, 0 }, /* a header that is too short */
		{ 0, 0x4F, 0 },
		{ 0, 0x47, 0 }, /* one that runs past the packet */
		{ 2, 0, 0 },
		{ 2, 0, IP_LEN },
		{ 2, 0, IP_LEN + UDP_LEN - 1 },
		{ 2, 0, PACKET_LEN + 1 },
		{ 2, 0xFF, 0xFF },
		{ 2, 1, PACKET_LEN },
		{ IP_LEN + 4, 0, 0 },
		{ IP_LEN + 4, 0, UDP_LEN - 1 },
		{ IP_LEN + 4, 0, UDP_LEN + BODY_LEN + 1 },
		{ IP_LEN + 4, 0xFF, 0xFF },
		{ IP_LEN + 4, 1, UDP_LEN + BODY_LEN },
	};
	uint8_t packet[PACKET_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		packet_fill(packet);
		packet[cases[i].at] = cases[i].high;
		packet[cases[i].at + 1] = cases[i].low;
		assert_int_equal(found(packet, PACKET_LEN), -1);
	}
	/* The datagram is longer than what the packet says of itself, though the frame
	 * has as many bytes. */
	packet_fill(packet);
	packet[3]--;
	assert_int_equal(found(packet, PACKET_LEN), -1);
}

static void
test_cut_off(void **state)
{
	uint8_t packet[PACKET_LEN];

	(void)state;
	packet_fill(packet);
	for (size_t len = 0; len < PACKET_LEN; len++)
		assert_int_equal(found(packet, len), -1);
}

/* Whatever the lengths say, nothing outside the packet is handed on. */
static void
test_all_lengths(void **state)
{
	uint8_t packet[PACKET_LEN];

	(void)state;
	packet_fill(packet);
	for (unsigned header = 0; header < 16; header++) {
		for (unsigned total = 0; total < PACKET_LEN + 4; total++) {
			for (unsigned udp = 0; udp < PACKET_LEN + 4; udp++) {
				packet[0] = (uint8_t)(0x40 | header);
				packet[3] = (uint8_t)total;
				packet[header * 4 + 5 < PACKET_LEN ? header * 4 + 5
								   : IP_LEN + 5] =
				    (uint8_t)udp;
				found(packet, PACKET_LEN);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_all_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
