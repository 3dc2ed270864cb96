#ifndef LINK_DHCP_SERVER_H
#define LINK_DHCP_SERVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac.h"
#include "link/dhcp_packet.h"

/* The DHCP server of a soft AP, without a socket: messages go in and answers come out,
 * and the time is given. RFC 2131, 4.3. It is the only server of its network, so it
 * answers for all addresses there. */

struct dhcp_server;

#define DHCP_SERVER_ADDRESSES_MAX 253 /* that one server gives */

struct dhcp_server_options {
	struct in_addr address, netmask; /* of the soft AP, which is the router too */
	struct in_addr name_server; /* 0: none */
	uint32_t lease_s; /* the longest time that an address is given for */
	/* The bindings changed, and may be kept. Called by dhcp_server_answer(). May be
	 * NULL. */
	void (*changed)(void *arg);
	void *arg;
};

struct dhcp_reply {
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t len;
	/* A relay, a client that has an address, 255.255.255.255, or the address that
	 * the client is about to get: a sender that cannot reach it sends to all. */
	struct in_addr to;
	uint16_t port;
};

/* An address that is given. */
struct dhcp_binding {
	uint8_t mac[MAC_OCTETS];
	struct in_addr address;
	int64_t until_ms;
};

/* The addresses that it gives are those behind its own, lowest first, then those below
 * it. */
struct dhcp_server *dhcp_server_new(const struct dhcp_server_options *);
void dhcp_server_free(struct dhcp_server *); /* NULL is allowed */

/* Takes a message. True: reply is to be sent. */
bool dhcp_server_answer(struct dhcp_server *, const uint8_t *bytes, size_t len,
    int64_t now_ms, struct dhcp_reply *reply);

/* Keeps an address for one client alone. 0, or -1: it is not to be given, or taken. */
int dhcp_server_reserve(
    struct dhcp_server *, const uint8_t mac[MAC_OCTETS], struct in_addr address);

/* Takes over a binding of an earlier time. -1: it has no place here any more. */
int dhcp_server_restore(struct dhcp_server *, const struct dhcp_binding *);

/* The next binding that holds now, from *position on, which starts at 0; false: no
 * more. */
bool dhcp_server_binding_next(const struct dhcp_server *, size_t *position,
    int64_t now_ms, struct dhcp_binding *);

#endif
