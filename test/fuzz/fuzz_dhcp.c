/* The bytes are DHCP messages: two of length, then so many. Each is read, written and
 * read again, given to a server and, as if meant for it, to a client; leases and
 * answers keep to what they promise. */

#include <arpa/inet.h>
#include <string.h>

#include "base/log.h"
#include "fuzz.h"
#include "link/dhcp_client.h"
#include "link/dhcp_server.h"

struct fuzz_dhcp {
	struct dhcp_client *client;
	struct dhcp_server *server;
	uint32_t xid; /* of what the client sent last */
	int64_t now_ms;
	bool is_bound;
};

static void
fuzz_dhcp_send(void *arg, const uint8_t *bytes, size_t len, struct in_addr to)
{
	struct fuzz_dhcp *fuzz = arg;
	struct dhcp_packet packet;

	FUZZ_REQUIRE(to.s_addr != 0);
	FUZZ_REQUIRE(dhcp_packet_parse(&packet, bytes, len) == 0);
	FUZZ_REQUIRE(dhcp_packet_type(&packet) != DHCP_NO_TYPE && !packet.is_reply);
	fuzz->xid = packet.xid;
}

static void
fuzz_dhcp_bound(void *arg, const struct dhcp_lease *lease)
{
	struct fuzz_dhcp *fuzz = arg;

	FUZZ_REQUIRE(lease->address.s_addr != 0 && lease->server.s_addr != 0);
	FUZZ_REQUIRE(lease->lease_s == DHCP_FOR_EVER ||
		     (lease->renew_s > 0 && lease->renew_s < lease->rebind_s &&
			 lease->rebind_s < lease->lease_s));
	FUZZ_REQUIRE(lease->name_server_count <= DHCP_NAME_SERVERS_MAX);
	fuzz->is_bound = true;
}

static void
fuzz_dhcp_lost(void *arg, const char *why)
{
	struct fuzz_dhcp *fuzz = arg;

	FUZZ_REQUIRE(fuzz->is_bound && *why != '\0');
	fuzz->is_bound = false;
}

static void
fuzz_dhcp_failed(void *arg, const char *why)
{
	const struct fuzz_dhcp *fuzz = arg;

	FUZZ_REQUIRE(!fuzz->is_bound && *why != '\0');
}

static uint32_t
fuzz_dhcp_random(void *arg)
{
	return (uint32_t)((struct fuzz_dhcp *)arg)->now_ms * 2654435761u;
}

static const struct dhcp_client_ops fuzz_dhcp_ops = { .send = fuzz_dhcp_send,
	.bound = fuzz_dhcp_bound,
	.lost = fuzz_dhcp_lost,
	.failed = fuzz_dhcp_failed,
	.random = fuzz_dhcp_random };

/* Written and read again, the options are the same. */
static void
fuzz_dhcp_again(const struct dhcp_packet *packet)
{
	uint8_t bytes[DHCP_PACKET_MAX];
	struct dhcp_packet again;
	size_t len = dhcp_packet_format(packet, bytes), other_len;

	if (len == 0)
		return;
	FUZZ_REQUIRE(dhcp_packet_parse(&again, bytes, len) == 0);
	for (unsigned i = 1; i < DHCP_OPTION_END; i++) {
		const uint8_t *option =
		    dhcp_packet_option(packet, (enum dhcp_option)i, &len);
		const uint8_t *other =
		    dhcp_packet_option(&again, (enum dhcp_option)i, &other_len);

		if (i == DHCP_OPTION_OVERLOAD)
			continue;
		FUZZ_REQUIRE((option == NULL) == (other == NULL));
		FUZZ_REQUIRE(option == NULL || other == NULL ||
			     (len == other_len && memcmp(option, other, len) == 0));
	}
}

static void
fuzz_dhcp_serve(struct fuzz_dhcp *fuzz, const uint8_t *bytes, size_t len)
{
	struct dhcp_binding binding;
	struct dhcp_packet packet;
	struct dhcp_reply reply;
	size_t position = 0;
	unsigned count = 0;

	if (dhcp_server_answer(fuzz->server, bytes, len, fuzz->now_ms, &reply)) {
		FUZZ_REQUIRE(dhcp_packet_parse(&packet, reply.bytes, reply.len) == 0);
		FUZZ_REQUIRE(packet.is_reply && reply.to.s_addr != 0);
		FUZZ_REQUIRE(packet.yours.s_addr == 0 ||
			     ntohl(packet.yours.s_addr) >> 4 == 0x0A000000u >> 4);
	}
	while (
	    dhcp_server_binding_next(fuzz->server, &position, fuzz->now_ms, &binding))
		count++;
	FUZZ_REQUIRE(count <= 13);
}

static void
fuzz_dhcp_message(struct fuzz_dhcp *fuzz, const uint8_t *bytes, size_t len)
{
	static const uint8_t mac[MAC_OCTETS] = { 0x4C, 0x55, 0xCC, 1, 2, 3 };
	uint8_t mine[DHCP_PACKET_MAX];
	struct dhcp_packet packet;

	if (dhcp_packet_parse(&packet, bytes, len) == 0)
		fuzz_dhcp_again(&packet);
	fuzz_dhcp_serve(fuzz, bytes, len);
	if (len < 34 || len > sizeof mine)
		return;
	memcpy(mine, bytes, len);
	for (unsigned i = 0; i < 4; i++)
		mine[4 + i] = (uint8_t)(fuzz->xid >> (24 - 8 * i));
	memcpy(mine + 28, mac, sizeof mac);
	dhcp_client_receive(fuzz->client, mine, len, fuzz->now_ms);
	FUZZ_REQUIRE((dhcp_client_lease(fuzz->client) != NULL) == fuzz->is_bound);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dhcp_server_options server = {
		.address.s_addr = htonl(0x0A000001),
		.netmask.s_addr = htonl(0xFFFFFFF0),
		.lease_s = 3600,
	};
	const struct dhcp_client_options client = {
		.mac = { 0x4C, 0x55, 0xCC, 1, 2, 3 },
		.timeout_ms = 60000,
	};
	struct fuzz_dhcp fuzz = { .now_ms = 1000 };

	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	fuzz.server = dhcp_server_new(&server);
	fuzz.client = dhcp_client_new(&client, &fuzz_dhcp_ops, &fuzz);
	dhcp_client_start(fuzz.client, fuzz.now_ms);
	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		fuzz_dhcp_message(&fuzz, data, len);
		data += len;
		size -= len;
		fuzz.now_ms += 7000;
		dhcp_client_tick(fuzz.client, fuzz.now_ms);
	}
	dhcp_client_release(fuzz.client);
	dhcp_client_free(fuzz.client);
	dhcp_server_free(fuzz.server);
	return 0;
}
