#ifndef LINK_DHCP_PACKET_H
#define LINK_DHCP_PACKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Messages of DHCP as bytes and as fields. RFC 2131, 2; options: RFC 2132, RFC 3396. */

#define DHCP_PACKET_MAX 1472 /* bytes: a UDP datagram in one frame of Ethernet */
#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

enum dhcp_type { /* of DHCP_OPTION_TYPE */
	DHCP_NO_TYPE = 0, /* plain BOOTP, or a number that is none */
	DHCP_DISCOVER,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM
};

enum dhcp_option {
	DHCP_OPTION_PAD = 0,
	DHCP_OPTION_NETMASK = 1,
	DHCP_OPTION_ROUTER = 3,
	DHCP_OPTION_NAME_SERVER = 6,
	DHCP_OPTION_HOST_NAME = 12,
	DHCP_OPTION_REQUESTED = 50, /* an address */
	DHCP_OPTION_LEASE_TIME = 51,
	DHCP_OPTION_OVERLOAD = 52, /* sname and file hold options too */
	DHCP_OPTION_TYPE = 53,
	DHCP_OPTION_SERVER = 54,
	DHCP_OPTION_WANTED = 55, /* codes of options */
	DHCP_OPTION_MESSAGE = 56,
	DHCP_OPTION_SIZE_MAX = 57,
	DHCP_OPTION_RENEW_TIME = 58,
	DHCP_OPTION_REBIND_TIME = 59,
	DHCP_OPTION_CLIENT = 61,
	DHCP_OPTION_END = 255
};

struct dhcp_packet {
	bool is_reply; /* of a server */
	bool wants_broadcast; /* the client cannot take unicast yet */
	uint8_t hardware_type, hardware_len, hops;
	uint8_t hardware[16]; /* chaddr */
	uint32_t xid;
	uint16_t seconds;
	struct in_addr client, yours, next_server, relay; /* ciaddr to giaddr */
	struct {
		uint16_t offset, len; /* in bytes[]; parts of a long one are joined */
		bool is_there;
	} options[DHCP_OPTION_END];
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t used; /* of bytes[] */
};

/* Reads a message. 0, or -1 when it is none: cut off, an option that runs past its
 * field, no magic cookie. */
int dhcp_packet_parse(struct dhcp_packet *, const uint8_t *bytes, size_t len);

/* Writes it, padded to what BOOTP relays want. The length, or 0 when it has no room. */
size_t dhcp_packet_format(const struct dhcp_packet *, uint8_t out[DHCP_PACKET_MAX]);

/* Adds an option. 0, or -1: it is there already, or there is no room. */
int dhcp_packet_add(
    struct dhcp_packet *, enum dhcp_option, const void *bytes, size_t len);
int dhcp_packet_add_number(struct dhcp_packet *, enum dhcp_option, uint32_t);
int dhcp_packet_add_address(struct dhcp_packet *, enum dhcp_option, struct in_addr);
int dhcp_packet_add_type(struct dhcp_packet *, enum dhcp_type);

/* The bytes of an option, borrowed, and their count; NULL: it is not there. */
const uint8_t *dhcp_packet_option(
    const struct dhcp_packet *, enum dhcp_option, size_t *len);

/* The first address, or the number, that an option holds. False when there is none. */
bool dhcp_packet_address(
    const struct dhcp_packet *, enum dhcp_option, struct in_addr *);
bool dhcp_packet_number(const struct dhcp_packet *, enum dhcp_option, uint32_t *);

enum dhcp_type dhcp_packet_type(const struct dhcp_packet *);

#endif
