#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "module_fixture.h"
#include "service/ntp_packet.h"

#define NONCE 0x0123456789ABCDEF
#define Y2026_S 1790000000

static void
put(uint8_t *bytes, uint32_t number)
{
	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* A good answer: received at Y2026_S and a half, sent 20 ms later. */
static void
good_answer(uint8_t bytes[NTP_PACKET_LEN])
{
	uint64_t nonce = NONCE;

	memset(bytes, 0, NTP_PACKET_LEN);
	bytes[0] = 4 << 3 | 4;
	bytes[1] = 2;
	memcpy(bytes + 24, &nonce, sizeof nonce);
	put(bytes + 32, (uint32_t)(Y2026_S + 2208988800));
	put(bytes + 36, 0x80000000);
	put(bytes + 40, (uint32_t)(Y2026_S + 2208988800));
	put(bytes + 44, 0x80000000 + 0x051EB852);
}

static enum ntp_verdict
judge(const uint8_t bytes[NTP_PACKET_LEN], int64_t *utc_us)
{
	return ntp_answer(bytes, NTP_PACKET_LEN, NONCE, 120000, utc_us);
}

static void
test_question(void **state)
{
	uint8_t bytes[NTP_PACKET_LEN];
	uint64_t nonce = NONCE;

	(void)state;
	ntp_question(bytes, nonce);
	assert_int_equal(bytes[0], 0x23); /* version 4, client */
	for (size_t i = 1; i < 40; i++)
		assert_int_equal(bytes[i], 0);
	assert_memory_equal(bytes + 40, &nonce, sizeof nonce);
}

/* Half of what the answer spent on its way is added. */
static void
test_round_trip(void **state)
{
	uint8_t bytes[NTP_PACKET_LEN];
	int64_t utc_us, sent_us = Y2026_S * 1000000LL + 519999;

	(void)state;
	good_answer(bytes);
	assert_int_equal(judge(bytes, &utc_us), NTP_GOOD);
	assert_in_range(utc_us, sent_us + 49999, sent_us + 50001);
	/* The server claims more than there was. */
	assert_int_equal(
	    ntp_answer(bytes, NTP_PACKET_LEN, NONCE, 10, &utc_us), NTP_GOOD);
	assert_in_range(utc_us, sent_us - 1, sent_us + 1);
}

static void
test_eras(void **state)
{
	static const struct {
		uint32_t seconds;
		int64_t since_1970;
	} cases[] = { { 0x80000000, -61505152 }, { 0xFFFFFFFF, 2085978495 },
		{ 0, 2085978496 }, { 1, 2085978497 }, { 0x7FFFFFFF, 4233462143 } };
	uint8_t bytes[NTP_PACKET_LEN];
	int64_t utc_us;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		good_answer(bytes);
		for (unsigned at = 32; at <= 40; at += 8) {
			put(bytes + at, cases[i].seconds);
			put(bytes + at + 4, 0x80000000);
		}
		assert_int_equal(
		    ntp_answer(bytes, NTP_PACKET_LEN, NONCE, 0, &utc_us), NTP_GOOD);
		assert_int_equal(utc_us, cases[i].since_1970 * 1000000 + 500000);
	}
	/* From one era into the next between two times. */
	good_answer(bytes);
	put(bytes + 32, 0xFFFFFFFF);
	put(bytes + 40, 0);
	assert_int_equal(judge(bytes, &utc_us), NTP_GOOD);
}

static void
test_not_ours(void **state)
{
	uint8_t bytes[NTP_PACKET_LEN];
	int64_t utc_us;

	(void)state;
	good_answer(bytes);
	for (size_t len = 0; len < NTP_PACKET_LEN; len++)
		assert_int_equal(
		    ntp_answer(bytes, len, NONCE, 0, &utc_us), NTP_NOT_OURS);
	for (size_t i = 24; i < 32; i++) {
		bytes[i] ^= 1;
		assert_int_equal(judge(bytes, &utc_us), NTP_NOT_OURS);
		bytes[i] ^= 1;
	}
	for (uint8_t mode = 0; mode < 8; mode++) {
		bytes[0] = (uint8_t)(4 << 3 | mode);
		assert_int_equal(
		    judge(bytes, &utc_us), mode == 4 ? NTP_GOOD : NTP_NOT_OURS);
	}
	for (uint8_t version = 0; version < 8; version++) {
		bytes[0] = (uint8_t)(version << 3 | 4);
		assert_int_equal(judge(bytes, &utc_us),
		    version >= 1 && version <= 4 ? NTP_GOOD : NTP_NOT_OURS);
	}
}

static void
test_useless(void **state)
{
	uint8_t bytes[NTP_PACKET_LEN];
	int64_t utc_us;

	(void)state;
	good_answer(bytes);
	bytes[0] |= 3 << 6;
	assert_int_equal(judge(bytes, &utc_us), NTP_USELESS);
	for (unsigned stratum = 1; stratum < 256; stratum++) {
		good_answer(bytes);
		bytes[1] = (uint8_t)stratum;
		assert_int_equal(
		    judge(bytes, &utc_us), stratum < 16 ? NTP_GOOD : NTP_USELESS);
	}
	good_answer(bytes);
	memset(bytes + 40, 0, 8);
	assert_int_equal(judge(bytes, &utc_us), NTP_USELESS);
	good_answer(bytes);
	memset(bytes + 32, 0, 8);
	assert_int_equal(judge(bytes, &utc_us), NTP_USELESS);
	good_answer(bytes);
	bytes[47]--;
	put(bytes + 36, 0xFFFFFFFF); /* sent before it came */
	assert_int_equal(judge(bytes, &utc_us), NTP_USELESS);
	good_answer(bytes);
	put(bytes + 8, 16u << 16); /* off by up to 16 s */
	assert_int_equal(judge(bytes, &utc_us), NTP_USELESS);
	put(bytes + 8, (16u << 16) - 1);
	assert_int_equal(judge(bytes, &utc_us), NTP_GOOD);
	put(bytes + 4, 0xFFFFFFFF);
	assert_int_equal(judge(bytes, &utc_us), NTP_USELESS);

	good_answer(bytes);
	bytes[1] = 0;
	assert_int_equal(judge(bytes, &utc_us), NTP_USELESS);
	memcpy(bytes + 12, "RATE", 4);
	assert_int_equal(judge(bytes, &utc_us), NTP_TOO_OFTEN);
	memcpy(bytes + 12, "DENY", 4);
	assert_int_equal(judge(bytes, &utc_us), NTP_REFUSED);
	memcpy(bytes + 12, "RSTR", 4);
	assert_int_equal(judge(bytes, &utc_us), NTP_REFUSED);
	bytes[24] ^= 1; /* of somebody who saw no question */
	assert_int_equal(judge(bytes, &utc_us), NTP_NOT_OURS);
}

/* A clock that goes is never set back by a little; by much it is. */
static void
test_follow(void **state)
{
	const int64_t start_us = Y2026_S * 1000000LL;
	struct fixture fixture;
	struct module *module;
	int64_t clock_us;

	(void)state;
	fixture_open(&fixture, NULL);
	module = fixture.module;
	module_boot(module);
	assert_false(module_clock_is_set(module));
	module_clock_follow(module, start_us);
	assert_true(module_clock_is_set(module));
	assert_in_range(module_clock_us(module), start_us, start_us + 1000000);
	module_clock_follow(module, start_us + 60000000); /* forward: at once */
	assert_in_range(
	    module_clock_us(module), start_us + 60000000, start_us + 61000000);

	clock_us = module_clock_us(module);
	module_clock_follow(module, clock_us - 1000000);
	assert_true(module_clock_us(module) >= clock_us);
	/* 10 s later it has lost half a second, and after 20 s the whole. */
	module->clock_ahead_at_us -= 10000000;
	module->clock_offset_us += 10000000;
	assert_in_range(
	    module_clock_us(module), clock_us + 9500000, clock_us + 9600000);
	module->clock_ahead_at_us -= 20000000;
	module->clock_offset_us += 20000000;
	assert_in_range(
	    module_clock_us(module), clock_us + 29000000, clock_us + 29100000);
	/* Again on the way: what was lost so far stays lost. */
	module_clock_follow(module, module_clock_us(module) - 100000);
	assert_in_range(
	    module_clock_us(module), clock_us + 29000000, clock_us + 29100000);

	clock_us = module_clock_us(module);
	module_clock_follow(module, clock_us - 2100000);
	assert_in_range(
	    module_clock_us(module), clock_us - 2100000, clock_us - 2000000);
	fixture_close(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_eras),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_useless),
		cmocka_unit_test(test_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
