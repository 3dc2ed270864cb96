#ifndef DEVICE_FRAMES_H
#define DEVICE_FRAMES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac.h"

/* Raw frames of one Ethernet interface: UDP for who has no address so far, and the
 * question whether somebody has an address already. */

#define FRAMES_DATAGRAM_MAX 1472 /* bytes of UDP in one frame */

/* Both are called from the loop; in each, the frames may be freed. */
struct frames_ops {
	/* A datagram came in for the port. What its checksum says is not asked: between
	 * virtual interfaces it may be left out, and frames have one of their own. */
	void (*came)(void *arg, const uint8_t *bytes, size_t len,
	    const uint8_t sender[MAC_OCTETS]);
	/* The answer to frames_probe(). */
	void (*probed)(void *arg, bool is_in_use);
};

struct event_base;
struct frames;

/* NULL and errno: the interface is gone, or this process may not (CAP_NET_RAW). */
struct frames *frames_open(struct event_base *, unsigned index,
    const uint8_t mac[MAC_OCTETS], uint16_t port, const struct frames_ops *, void *arg);
void frames_close(struct frames *); /* NULL is allowed */

struct frames_target {
	struct in_addr from, to;
	uint16_t from_port, to_port;
	const uint8_t *mac; /* NULL: to all */
};

/* Sends one datagram. 0, or -1 and errno. */
int frames_send(
    struct frames *, const struct frames_target *, const uint8_t *bytes, size_t len);

/* What the UDP datagram in an IPv4 packet holds, borrowed, and its length. NULL: there
 * is none, or a length does not fit. Protocol, port and fragments are not looked at. */
const uint8_t *frames_body(const uint8_t *packet, size_t len, size_t *body_len);

/* Asks whether somebody has the address; again from anew if it was asking. */
void frames_probe(struct frames *, struct in_addr);

/* Tells all that the address is here. */
void frames_announce(struct frames *, struct in_addr);

/* Keeps the kernel from answering for the port that nobody has it, while the interface
 * has the address; until frames_close() or the next call; 0.0.0.0: no longer. */
void frames_hold_port(struct frames *, struct in_addr);

#endif
