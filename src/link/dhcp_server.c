#include "link/dhcp_server.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xmalloc.h"

#define DHCP_HARDWARE_ETHERNET 1
#define DHCP_OFFER_MS 60000 /* that an offer waits for its request */
#define DHCP_DECLINED_MS 600000 /* that an address rests which is in use elsewhere */
#define DHCP_LEASE_LEAST_S 60 /* however little a client asks for */

enum dhcp_slot_state {
	DHCP_SLOT_FREE,
	DHCP_SLOT_OFFERED,
	DHCP_SLOT_BOUND,
	DHCP_SLOT_DECLINED
};

/* An address of the pool. */
struct dhcp_slot {
	enum dhcp_slot_state state;
	bool is_reserved, had_client;
	uint8_t mac[MAC_OCTETS]; /* whose it is, was last, or is kept for */
	int64_t until_ms;
};

struct dhcp_server {
	struct dhcp_server_options options;
	uint32_t own, network, netmask; /* in host order */
	struct dhcp_slot *slots; /* owned; in the order in which they are given */
	size_t count;
	bool is_full; /* so that this is logged once */
};

/* The addresses behind the server's own, then those in front of it. */
static uint32_t
dhcp_slot_address(const struct dhcp_server *server, size_t slot)
{
	uint32_t behind = (server->network | ~server->netmask) - 1 - server->own;

	return slot < behind ? server->own + 1 + (uint32_t)slot
			     : server->network + 1 + (uint32_t)slot - behind;
}

static struct in_addr
dhcp_slot_in_addr(const struct dhcp_server *server, const struct dhcp_slot *slot)
{
	struct in_addr address = { .s_addr = htonl(dhcp_slot_address(
				       server, (size_t)(slot - server->slots))) };

	return address;
}

/* NULL: no address of the pool. */
static struct dhcp_slot *
dhcp_slot_of(const struct dhcp_server *server, struct in_addr address)
{
	for (size_t i = 0; i < server->count; i++) {
		if (dhcp_slot_address(server, i) == ntohl(address.s_addr))
			return &server->slots[i];
	}
	return NULL;
}

struct dhcp_server *
dhcp_server_new(const struct dhcp_server_options *options)
{
	struct dhcp_server *server = xcalloc(1, sizeof *server);
	uint32_t hosts;

	server->options = *options;
	server->own = ntohl(options->address.s_addr);
	server->netmask = ntohl(options->netmask.s_addr);
	server->network = server->own & server->netmask;
	/* The addresses of the network, of all, and of the server are not to be given.
	 */
	hosts = ~server->netmask;
	if (hosts >= 3 && (hosts & (hosts + 1)) == 0 &&
	    server->own != server->network && server->own != (server->network | hosts))
		server->count = hosts - 2;
	if (server->count > DHCP_SERVER_ADDRESSES_MAX)
		server->count = DHCP_SERVER_ADDRESSES_MAX;
	server->slots = xcalloc(server->count + 1, sizeof *server->slots);
	return server;
}

void
dhcp_server_free(struct dhcp_server *server)
{
	if (server == NULL)
		return;
	free(server->slots);
	free(server);
}

static bool
dhcp_slot_is_of(const struct dhcp_slot *slot, const uint8_t mac[MAC_OCTETS])
{
	return memcmp(slot->mac, mac, MAC_OCTETS) == 0;
}

/* Whether another client could have it. */
static bool
dhcp_slot_is_free(const struct dhcp_slot *slot)
{
	return slot->state == DHCP_SLOT_FREE && !slot->is_reserved;
}

static bool
dhcp_slot_is_free_for(const struct dhcp_slot *slot, const uint8_t mac[MAC_OCTETS])
{
	if (slot->state == DHCP_SLOT_DECLINED)
		return false;
	if (slot->is_reserved || slot->state != DHCP_SLOT_FREE)
		return dhcp_slot_is_of(slot, mac);
	return true;
}

static void
dhcp_server_expire(struct dhcp_server *server, int64_t now_ms)
{
	for (size_t i = 0; i < server->count; i++) {
		struct dhcp_slot *slot = &server->slots[i];

		if (slot->state != DHCP_SLOT_FREE && slot->until_ms <= now_ms)
			slot->state = DHCP_SLOT_FREE;
	}
}

static void
dhcp_server_changed(const struct dhcp_server *server)
{
	if (server->options.changed != NULL)
		server->options.changed(server->options.arg);
}

/* What the client has, what is kept for it, or what it had before. Chosen: clients are
 * told apart by MAC, as the soft AP does, not by the client identifier. */
static struct dhcp_slot *
dhcp_server_slot_of_client(const struct dhcp_server *server, const uint8_t *mac)
{
	struct dhcp_slot *found = NULL;

	for (size_t i = 0; i < server->count; i++) {
		struct dhcp_slot *slot = &server->slots[i];

		if (!(slot->had_client || slot->is_reserved) ||
		    slot->state == DHCP_SLOT_DECLINED || !dhcp_slot_is_of(slot, mac))
			continue;
		if (slot->is_reserved)
			return slot;
		if (found == NULL || slot->state != DHCP_SLOT_FREE)
			found = slot;
	}
	return found;
}

/* RFC 2131, 4.3.1: what the client has or had, what it asks for, or another. When all
 * are given, the oldest offer that nobody took gives way. */
static struct dhcp_slot *
dhcp_server_choose(const struct dhcp_server *server, const struct dhcp_packet *packet)
{
	struct dhcp_slot *slot = dhcp_server_slot_of_client(server, packet->hardware);
	struct in_addr requested;

	if (slot != NULL)
		return slot;
	if (dhcp_packet_address(packet, DHCP_OPTION_REQUESTED, &requested)) {
		slot = dhcp_slot_of(server, requested);
		if (slot != NULL && dhcp_slot_is_free(slot))
			return slot;
	}
	for (size_t i = 0; i < server->count; i++) {
		if (dhcp_slot_is_free(&server->slots[i]))
			return &server->slots[i];
	}
	slot = NULL;
	for (size_t i = 0; i < server->count; i++) {
		struct dhcp_slot *other = &server->slots[i];

		if (other->state == DHCP_SLOT_OFFERED && !other->is_reserved &&
		    (slot == NULL || other->until_ms < slot->until_ms))
			slot = other;
	}
	return slot;
}

static void
dhcp_slot_give(struct dhcp_slot *slot, enum dhcp_slot_state state, const uint8_t *mac,
    int64_t until_ms)
{
	slot->state = state;
	slot->had_client = true;
	slot->until_ms = until_ms;
	memcpy(slot->mac, mac, MAC_OCTETS);
}

/* The seconds that the client gets: what it asks for, within bounds. */
static uint32_t
dhcp_server_lease_s(const struct dhcp_server *server, const struct dhcp_packet *packet)
{
	uint32_t wanted;

	if (!dhcp_packet_number(packet, DHCP_OPTION_LEASE_TIME, &wanted) ||
	    wanted > server->options.lease_s)
		return server->options.lease_s;
	return wanted < DHCP_LEASE_LEAST_S ? DHCP_LEASE_LEAST_S : wanted;
}

/* RFC 2131, 4.1: where an answer goes. */
static void
dhcp_reply_address(struct dhcp_reply *reply, const struct dhcp_packet *query,
    const struct dhcp_packet *answer)
{
	reply->port = DHCP_CLIENT_PORT;
	reply->to.s_addr = htonl(INADDR_BROADCAST);
	if (query->relay.s_addr != 0) {
		reply->to = query->relay;
		reply->port = DHCP_SERVER_PORT;
	} else if (dhcp_packet_type(answer) == DHCP_NAK) {
		return;
	} else if (query->client.s_addr != 0) {
		reply->to = query->client;
	} else if (!query->wants_broadcast && answer->yours.s_addr != 0) {
		reply->to = answer->yours;
	}
}

/* Makes an answer; address 0: without one, and without a lease. */
static bool
dhcp_server_reply(const struct dhcp_server *server, const struct dhcp_packet *query,
    enum dhcp_type type, struct in_addr address, struct dhcp_reply *reply)
{
	struct dhcp_packet answer = { .is_reply = true };
	uint32_t lease_s = dhcp_server_lease_s(server, query);
	const uint8_t *client;
	size_t len;

	answer.hardware_type = query->hardware_type;
	answer.hardware_len = query->hardware_len;
	memcpy(answer.hardware, query->hardware, sizeof answer.hardware);
	answer.xid = query->xid;
	answer.relay = query->relay;
	/* RFC 2131, 4.3.2: a relay sends a refusal to all. */
	answer.wants_broadcast =
	    query->wants_broadcast || (type == DHCP_NAK && query->relay.s_addr != 0);
	answer.yours = address;
	dhcp_packet_add_type(&answer, type);
	dhcp_packet_add_address(&answer, DHCP_OPTION_SERVER, server->options.address);
	client = dhcp_packet_option(query, DHCP_OPTION_CLIENT, &len);
	if (client != NULL && len <= DHCP_OPTION_END) /* RFC 6842 */
		dhcp_packet_add(&answer, DHCP_OPTION_CLIENT, client, len);
	if (type != DHCP_NAK) {
		if (query->client.s_addr != 0)
			answer.client = query->client;
		dhcp_packet_add_address(
		    &answer, DHCP_OPTION_NETMASK, server->options.netmask);
		dhcp_packet_add_address(
		    &answer, DHCP_OPTION_ROUTER, server->options.address);
		if (server->options.name_server.s_addr != 0)
			dhcp_packet_add_address(&answer, DHCP_OPTION_NAME_SERVER,
			    server->options.name_server);
	}
	if (address.s_addr != 0) {
		dhcp_packet_add_number(&answer, DHCP_OPTION_LEASE_TIME, lease_s);
		dhcp_packet_add_number(&answer, DHCP_OPTION_RENEW_TIME, lease_s / 2);
		dhcp_packet_add_number(
		    &answer, DHCP_OPTION_REBIND_TIME, lease_s - lease_s / 8);
	}
	reply->len = dhcp_packet_format(&answer, reply->bytes);
	dhcp_reply_address(reply, query, &answer);
	return reply->len > 0;
}

static bool
dhcp_server_refuse(const struct dhcp_server *server, const struct dhcp_packet *query,
    struct dhcp_reply *reply)
{
	static const struct in_addr none = { 0 };

	return dhcp_server_reply(server, query, DHCP_NAK, none, reply);
}

static bool
dhcp_server_discover(struct dhcp_server *server, const struct dhcp_packet *query,
    int64_t now_ms, struct dhcp_reply *reply)
{
	struct dhcp_slot *slot = dhcp_server_choose(server, query);

	if (slot == NULL) {
		if (!server->is_full)
			log_msg(LOG_WARNING, "dhcp", "no address is left to give");
		server->is_full = true;
		return false;
	}
	server->is_full = false;
	if (slot->state != DHCP_SLOT_BOUND)
		dhcp_slot_give(
		    slot, DHCP_SLOT_OFFERED, query->hardware, now_ms + DHCP_OFFER_MS);
	return dhcp_server_reply(
	    server, query, DHCP_OFFER, dhcp_slot_in_addr(server, slot), reply);
}

/* Lets go of what the client has besides keep (NULL: all of it). */
static void
dhcp_server_drop(
    struct dhcp_server *server, const uint8_t *mac, const struct dhcp_slot *keep)
{
	for (size_t i = 0; i < server->count; i++) {
		struct dhcp_slot *slot = &server->slots[i];

		if (slot != keep && dhcp_slot_is_of(slot, mac) &&
		    (slot->state == DHCP_SLOT_OFFERED ||
			slot->state == DHCP_SLOT_BOUND))
			slot->state = DHCP_SLOT_FREE;
	}
}

/* Notes that the client has the address from now on. */
static bool
dhcp_server_bind(struct dhcp_server *server, const struct dhcp_packet *query,
    struct dhcp_slot *slot, int64_t now_ms, struct dhcp_reply *reply)
{
	dhcp_server_drop(server, query->hardware, slot);
	dhcp_slot_give(slot, DHCP_SLOT_BOUND, query->hardware,
	    now_ms + (int64_t)dhcp_server_lease_s(server, query) * 1000);
	dhcp_server_changed(server);
	return dhcp_server_reply(
	    server, query, DHCP_ACK, dhcp_slot_in_addr(server, slot), reply);
}

/* RFC 2131, 4.3.2, INIT-REBOOT: a client that comes back and asks whether an address of
 * an earlier time still holds. To one that nothing is known of, only what is wrong on
 * this network is said. */
static bool
dhcp_server_confirm(struct dhcp_server *server, const struct dhcp_packet *query,
    struct in_addr wanted, int64_t now_ms, struct dhcp_reply *reply)
{
	const struct dhcp_slot *known =
	    dhcp_server_slot_of_client(server, query->hardware);
	struct dhcp_slot *slot = dhcp_slot_of(server, wanted);

	if ((ntohl(wanted.s_addr) & server->netmask) != server->network)
		return dhcp_server_refuse(server, query, reply);
	if (known == NULL)
		return false;
	if (slot != known || !dhcp_slot_is_free_for(slot, query->hardware))
		return dhcp_server_refuse(server, query, reply);
	return dhcp_server_bind(server, query, slot, now_ms, reply);
}

/* RFC 2131, 4.3.2. Chosen: an address that nothing is known of is given to who uses it
 * and wants to keep it, if it is free: the server may have lost its memory. */
static bool
dhcp_server_request(struct dhcp_server *server, const struct dhcp_packet *query,
    int64_t now_ms, struct dhcp_reply *reply)
{
	struct in_addr wanted = query->client, chosen;
	struct dhcp_slot *slot;
	bool asks = dhcp_packet_address(query, DHCP_OPTION_REQUESTED, &wanted);
	bool chooses = dhcp_packet_address(query, DHCP_OPTION_SERVER, &chosen);

	if (chooses && chosen.s_addr != server->options.address.s_addr) {
		dhcp_server_drop(server, query->hardware, NULL);
		return false;
	}
	if (!asks && wanted.s_addr == 0)
		return false;
	if (asks && !chooses && query->client.s_addr == 0)
		return dhcp_server_confirm(server, query, wanted, now_ms, reply);
	slot = dhcp_slot_of(server, wanted);
	if (slot == NULL || !dhcp_slot_is_free_for(slot, query->hardware))
		return dhcp_server_refuse(server, query, reply);
	return dhcp_server_bind(server, query, slot, now_ms, reply);
}

/* RFC 2131, 4.3.3 and 4.3.4: the address is in use elsewhere, or given back. Only the
 * client that has it is believed. */
static void
dhcp_server_give_up(
    struct dhcp_server *server, const struct dhcp_packet *query, int64_t now_ms)
{
	bool declines = dhcp_packet_type(query) == DHCP_DECLINE;
	struct in_addr address = query->client;
	struct dhcp_slot *slot;

	if (declines && !dhcp_packet_address(query, DHCP_OPTION_REQUESTED, &address))
		return;
	slot = dhcp_slot_of(server, address);
	if (slot == NULL || slot->state == DHCP_SLOT_FREE ||
	    slot->state == DHCP_SLOT_DECLINED ||
	    !dhcp_slot_is_of(slot, query->hardware))
		return;
	slot->state = declines ? DHCP_SLOT_DECLINED : DHCP_SLOT_FREE;
	slot->until_ms = now_ms + DHCP_DECLINED_MS;
	dhcp_server_changed(server);
}

bool
dhcp_server_answer(struct dhcp_server *server, const uint8_t *bytes, size_t len,
    int64_t now_ms, struct dhcp_reply *reply)
{
	static const struct in_addr none = { 0 };
	struct dhcp_packet query;

	if (dhcp_packet_parse(&query, bytes, len) == -1 || query.is_reply ||
	    query.hardware_type != DHCP_HARDWARE_ETHERNET ||
	    query.hardware_len != MAC_OCTETS)
		return false;
	dhcp_server_expire(server, now_ms);
	switch (dhcp_packet_type(&query)) {
	case DHCP_DISCOVER:
		return dhcp_server_discover(server, &query, now_ms, reply);
	case DHCP_REQUEST:
		return dhcp_server_request(server, &query, now_ms, reply);
	case DHCP_DECLINE:
	case DHCP_RELEASE:
		dhcp_server_give_up(server, &query, now_ms);
		return false;
	case DHCP_INFORM:
		return query.client.s_addr != 0 &&
		       dhcp_server_reply(server, &query, DHCP_ACK, none, reply);
	default:
		return false;
	}
}

int
dhcp_server_reserve(
    struct dhcp_server *server, const uint8_t mac[MAC_OCTETS], struct in_addr address)
{
	struct dhcp_slot *slot = dhcp_slot_of(server, address);

	if (slot == NULL || !dhcp_slot_is_free_for(slot, mac))
		return -1;
	slot->is_reserved = true;
	memcpy(slot->mac, mac, MAC_OCTETS);
	return 0;
}

int
dhcp_server_restore(struct dhcp_server *server, const struct dhcp_binding *binding)
{
	struct dhcp_slot *slot = dhcp_slot_of(server, binding->address);

	if (slot == NULL || !dhcp_slot_is_free_for(slot, binding->mac))
		return -1;
	dhcp_slot_give(slot, DHCP_SLOT_BOUND, binding->mac, binding->until_ms);
	return 0;
}

bool
dhcp_server_binding_next(const struct dhcp_server *server, size_t *position,
    int64_t now_ms, struct dhcp_binding *binding)
{
	for (size_t i = *position; i < server->count; i++) {
		const struct dhcp_slot *slot = &server->slots[i];

		if (slot->state != DHCP_SLOT_BOUND || slot->until_ms <= now_ms)
			continue;
		memcpy(binding->mac, slot->mac, MAC_OCTETS);
		binding->address = dhcp_slot_in_addr(server, slot);
		binding->until_ms = slot->until_ms;
		*position = i + 1;
		return true;
	}
	return false;
}
