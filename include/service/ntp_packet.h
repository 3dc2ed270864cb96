#ifndef SERVICE_NTP_PACKET_H
#define SERVICE_NTP_PACKET_H

#include <stddef.h>
#include <stdint.h>

/* What a client of NTP sends and takes. RFC 4330, RFC 5905. */

#define NTP_PACKET_LEN 48 /* without what may follow it */

enum ntp_verdict {
	NTP_NOT_OURS, /* no answer to our question: to be passed over */
	NTP_GOOD,
	NTP_USELESS, /* of a server that does not know the time */
	NTP_TOO_OFTEN, /* the server wants to be asked less often */
	NTP_REFUSED /* the server does not want to be asked */
};

/* Writes a question. The nonce, which must not be 0, stands where the time would: the
 * answer repeats it, and nobody else learns anything. */
void ntp_question(uint8_t out[NTP_PACKET_LEN], uint64_t nonce);

/* Reads what came round_trip_us after the question. With NTP_GOOD, *utc_us is what the
 * clock should be now: microseconds since 1970. */
enum ntp_verdict ntp_answer(const uint8_t *bytes, size_t len, uint64_t nonce,
    int64_t round_trip_us, int64_t *utc_us);

#endif
