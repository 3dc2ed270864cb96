/* The bytes are an answer of a time server, whose nonce is put right unless
 * their count is odd. A time that is taken lies within the two eras. */

#include <string.h>

#include "fuzz.h"
#include "service/ntp_packet.h"

#define FUZZ_NTP_FIRST_US (-61505152LL * 1000000)
#define FUZZ_NTP_LAST_US (4233462144LL * 1000000)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint64_t nonce = 0x0123456789ABCDEF;
	const int64_t round_trip_us = 2000000;
	uint8_t bytes[256];
	enum ntp_verdict verdict;
	int64_t utc_us;

	if (size > sizeof bytes)
		return 0;
	memcpy(bytes, data, size);
	if (size % 2 == 0 && size >= 32)
		memcpy(bytes + 24, &nonce, sizeof nonce);
	verdict = ntp_answer(bytes, size, nonce, round_trip_us, &utc_us);
	FUZZ_REQUIRE(verdict <= NTP_REFUSED);
	if (verdict != NTP_NOT_OURS)
		FUZZ_REQUIRE(size >= NTP_PACKET_LEN &&
			     memcmp(bytes + 24, &nonce, sizeof nonce) == 0);
	if (verdict == NTP_GOOD)
		FUZZ_REQUIRE(utc_us >= FUZZ_NTP_FIRST_US &&
			     utc_us < FUZZ_NTP_LAST_US + round_trip_us / 2);
	return 0;
}
