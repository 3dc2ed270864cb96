#include "service/ntp_packet.h"

#include <string.h>

#define NTP_MODE_CLIENT 3
#define NTP_MODE_SERVER 4
#define NTP_VERSION 4
#define NTP_LEAP_UNKNOWN 3 /* the server's clock is not set */
#define NTP_STRATUM_MAX 15
#define NTP_1970 2208988800 /* seconds since 1900 */
#define NTP_ERA_S (1LL << 32)
#define NTP_US_PER_S 1000000
#define NTP_DISTANCE_MAX (16u << 16) /* seconds, 16.16. RFC 5905, 7.3 */

static uint32_t
ntp_get(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

/* RFC 4330, 3: times without the first bit are those from 2036 on. */
static int64_t
ntp_get_time_us(const uint8_t *bytes)
{
	int64_t seconds = (int64_t)ntp_get(bytes) - NTP_1970;
	uint64_t fraction = ntp_get(bytes + 4);

	if ((bytes[0] & 0x80) == 0)
		seconds += NTP_ERA_S;
	return seconds * NTP_US_PER_S + (int64_t)(fraction * NTP_US_PER_S >> 32);
}

void
ntp_question(uint8_t out[NTP_PACKET_LEN], uint64_t nonce)
{
	memset(out, 0, NTP_PACKET_LEN);
	out[0] = NTP_VERSION << 3 | NTP_MODE_CLIENT;
	memcpy(out + 40, &nonce, sizeof nonce);
}

/* RFC 4330, 8: a server of stratum 0 says by four letters what it wants. */
static enum ntp_verdict
ntp_kiss(const uint8_t *letters)
{
	if (memcmp(letters, "RATE", 4) == 0)
		return NTP_TOO_OFTEN;
	if (memcmp(letters, "DENY", 4) == 0 || memcmp(letters, "RSTR", 4) == 0)
		return NTP_REFUSED;
	return NTP_USELESS;
}

enum ntp_verdict
ntp_answer(const uint8_t *bytes, size_t len, uint64_t nonce, int64_t round_trip_us,
    int64_t *utc_us)
{
	static const uint8_t never[8] = { 0 };
	int64_t received_us, sent_us, way_us;
	unsigned version;

	if (len < NTP_PACKET_LEN || (bytes[0] & 7) != NTP_MODE_SERVER ||
	    memcmp(bytes + 24, &nonce, sizeof nonce) != 0)
		return NTP_NOT_OURS;
	version = bytes[0] >> 3 & 7;
	if (version == 0 || version > NTP_VERSION)
		return NTP_NOT_OURS;
	if (bytes[1] == 0)
		return ntp_kiss(bytes + 12);
	if (bytes[0] >> 6 == NTP_LEAP_UNKNOWN || bytes[1] > NTP_STRATUM_MAX ||
	    (uint64_t)ntp_get(bytes + 4) / 2 + ntp_get(bytes + 8) >= NTP_DISTANCE_MAX ||
	    memcmp(bytes + 32, never, sizeof never) == 0 ||
	    memcmp(bytes + 40, never, sizeof never) == 0)
		return NTP_USELESS;
	received_us = ntp_get_time_us(bytes + 32);
	sent_us = ntp_get_time_us(bytes + 40);
	if (sent_us < received_us)
		return NTP_USELESS;
	/* What the server did not spend of the time was spent on the way, half of it
	 * back. */
	way_us = round_trip_us - (sent_us - received_us);
	*utc_us = sent_us + (way_us > 0 ? way_us / 2 : 0);
	return NTP_GOOD;
}
