#include "link/dhcp_client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define DHCP_RETRY_FIRST_MS 4000 /* RFC 2131, 4.1: doubled each time, give or take */
#define DHCP_RETRY_MOST_MS 64000
#define DHCP_JITTER_MS 1000
#define DHCP_REQUESTS_MAX 4 /* for one offer; then another is looked for */
/* Chosen: for a lease of an earlier time, sooner and fewer than for an offer, since a
 * server that knows of it answers at once, and one that does not is silent for good. */
#define DHCP_RESTART_MS 2000
#define DHCP_RESTARTS_MAX 2
#define DHCP_AGAIN_MS 11000 /* RFC 2131, 3.1.5: 10 s or more after a conflict */
#define DHCP_RENEW_LEAST_MS 60000 /* RFC 2131, 4.4.5: between two requests */
#define DHCP_LEASE_LEAST_S 10 /* shorter ones are taken for so long */

enum dhcp_client_state {
	DHCP_CLIENT_RESTING,
	DHCP_CLIENT_WAITING, /* until it begins again */
	DHCP_CLIENT_SELECTING, /* discover was sent */
	DHCP_CLIENT_REBOOTING, /* the lease of an earlier time is asked for */
	DHCP_CLIENT_REQUESTING, /* an offer is */
	DHCP_CLIENT_PROBING, /* whether somebody has the address */
	DHCP_CLIENT_BOUND,
	DHCP_CLIENT_RENEWING, /* asks its server */
	DHCP_CLIENT_REBINDING /* asks all servers */
};

struct dhcp_client {
	struct dhcp_client_options options; /* host_name: its own */
	const struct dhcp_client_ops *ops;
	void *arg;
	enum dhcp_client_state state;
	uint32_t xid;
	unsigned tries; /* messages sent in this state */
	int64_t started_ms; /* when it began to look for an address */
	int64_t asked_ms; /* when what comes was asked for */
	int64_t leased_ms; /* when the lease was: it counts from there */
	int64_t due_ms;
	struct dhcp_lease lease; /* offered, then bound */
};

struct dhcp_client *
dhcp_client_new(const struct dhcp_client_options *options,
    const struct dhcp_client_ops *ops, void *arg)
{
	struct dhcp_client *client = xcalloc(1, sizeof *client);

	client->options = *options;
	client->options.host_name =
	    xstrdup(options->host_name == NULL ? "" : options->host_name);
	client->ops = ops;
	client->arg = arg;
	client->due_ms = -1;
	return client;
}

void
dhcp_client_free(struct dhcp_client *client)
{
	if (client == NULL)
		return;
	free((char *)(uintptr_t)client->options.host_name);
	free(client);
}

/* Whether it has an address that holds. */
static bool
dhcp_client_is_bound(const struct dhcp_client *client)
{
	return client->state >= DHCP_CLIENT_BOUND;
}

/* Whether it asks for an address that it does not have. */
static bool
dhcp_client_is_new(const struct dhcp_client *client)
{
	return client->state == DHCP_CLIENT_REBOOTING ||
	       client->state == DHCP_CLIENT_REQUESTING;
}

const struct dhcp_lease *
dhcp_client_lease(const struct dhcp_client *client)
{
	return dhcp_client_is_bound(client) ? &client->lease : NULL;
}

int64_t
dhcp_client_due_ms(const struct dhcp_client *client)
{
	return client->due_ms;
}

/* Begins a message; seconds since the search began. RFC 2131, 2 */
static void
dhcp_client_begin(const struct dhcp_client *client, struct dhcp_packet *packet,
    enum dhcp_type type, int64_t now_ms)
{
	uint8_t id[1 + MAC_OCTETS] = { 1 };
	int64_t seconds = (now_ms - client->started_ms) / 1000;

	memset(packet, 0, sizeof *packet);
	packet->hardware_type = 1;
	packet->hardware_len = MAC_OCTETS;
	memcpy(packet->hardware, client->options.mac, MAC_OCTETS);
	packet->xid = client->xid;
	packet->seconds = (uint16_t)(seconds < UINT16_MAX ? seconds : UINT16_MAX);
	memcpy(id + 1, client->options.mac, MAC_OCTETS);
	dhcp_packet_add_type(packet, type);
	dhcp_packet_add(packet, DHCP_OPTION_CLIENT, id, sizeof id);
}

static void
dhcp_client_send(const struct dhcp_client *client, const struct dhcp_packet *packet,
    struct in_addr to)
{
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t len = dhcp_packet_format(packet, bytes);

	if (len > 0)
		client->ops->send(client->arg, bytes, len, to);
}

static const struct in_addr dhcp_to_all = { .s_addr = 0xFFFFFFFF };

/* What discover and request have besides. */
static void
dhcp_client_add_wishes(const struct dhcp_client *client, struct dhcp_packet *packet)
{
	static const uint8_t wanted[] = { DHCP_OPTION_NETMASK, DHCP_OPTION_ROUTER,
		DHCP_OPTION_NAME_SERVER };
	const uint8_t size[2] = { DHCP_PACKET_MAX >> 8, DHCP_PACKET_MAX & 0xFF };
	size_t len = strnlen(client->options.host_name, DHCP_HOST_NAME_MAX);

	dhcp_packet_add(packet, DHCP_OPTION_WANTED, wanted, sizeof wanted);
	dhcp_packet_add(packet, DHCP_OPTION_SIZE_MAX, size, sizeof size);
	if (len > 0)
		dhcp_packet_add(
		    packet, DHCP_OPTION_HOST_NAME, client->options.host_name, len);
}

/* A time around ms, so that clients which start together do not stay together. */
static int64_t
dhcp_client_jitter(const struct dhcp_client *client, int64_t ms)
{
	return ms - DHCP_JITTER_MS +
	       (int64_t)(client->ops->random(client->arg) % (2 * DHCP_JITTER_MS + 1));
}

/* Sets the next tick, or the end of the search if that is sooner. */
static void
dhcp_client_set_due(struct dhcp_client *client, int64_t due_ms)
{
	int64_t end_ms = client->started_ms + client->options.timeout_ms;

	client->due_ms =
	    client->options.timeout_ms != 0 && end_ms < due_ms ? end_ms : due_ms;
}

/* Waits for an answer to what is about to be sent. */
static void
dhcp_client_wait(struct dhcp_client *client, int64_t now_ms)
{
	int64_t ms = client->state == DHCP_CLIENT_REBOOTING ? DHCP_RESTART_MS
							    : DHCP_RETRY_FIRST_MS;

	for (unsigned i = 1; i < client->tries && ms < DHCP_RETRY_MOST_MS; i++)
		ms *= 2;
	dhcp_client_set_due(client, now_ms + dhcp_client_jitter(client, ms));
}

static void
dhcp_client_discover(struct dhcp_client *client, int64_t now_ms)
{
	struct dhcp_packet packet;

	if (client->state != DHCP_CLIENT_SELECTING) {
		client->state = DHCP_CLIENT_SELECTING;
		client->xid = client->ops->random(client->arg);
		client->tries = 0;
	}
	client->tries++;
	dhcp_client_begin(client, &packet, DHCP_DISCOVER, now_ms);
	dhcp_client_add_wishes(client, &packet);
	dhcp_client_wait(client, now_ms);
	dhcp_client_send(client, &packet, dhcp_to_all);
}

/* Asks for what was offered, or for more time. RFC 2131, 4.3.6 says what is in it. */
static void
dhcp_client_request(struct dhcp_client *client, int64_t now_ms)
{
	struct dhcp_packet packet;

	client->tries++;
	dhcp_client_begin(client, &packet, DHCP_REQUEST, now_ms);
	if (dhcp_client_is_new(client)) {
		dhcp_client_wait(client, now_ms);
		dhcp_packet_add_address(
		    &packet, DHCP_OPTION_REQUESTED, client->lease.address);
	} else {
		packet.client = client->lease.address;
	}
	if (client->state == DHCP_CLIENT_REQUESTING)
		dhcp_packet_add_address(
		    &packet, DHCP_OPTION_SERVER, client->lease.server);
	dhcp_client_add_wishes(client, &packet);
	dhcp_client_send(client, &packet,
	    client->state == DHCP_CLIENT_RENEWING ? client->lease.server : dhcp_to_all);
}

/* Begins again after a while; what was had is gone. */
static void
dhcp_client_begin_again(struct dhcp_client *client, int64_t now_ms, const char *lost)
{
	bool was_bound = dhcp_client_is_bound(client);

	if (was_bound)
		client->started_ms = now_ms;
	client->state = DHCP_CLIENT_WAITING;
	dhcp_client_set_due(client, now_ms + dhcp_client_jitter(client, DHCP_AGAIN_MS));
	if (was_bound)
		client->ops->lost(client->arg, lost);
}

void
dhcp_client_start(struct dhcp_client *client, int64_t now_ms)
{
	client->state = DHCP_CLIENT_RESTING;
	client->started_ms = now_ms;
	dhcp_client_discover(client, now_ms);
}

void
dhcp_client_restart(
    struct dhcp_client *client, const struct dhcp_lease *lease, int64_t now_ms)
{
	client->lease = *lease;
	client->state = DHCP_CLIENT_REBOOTING;
	client->xid = client->ops->random(client->arg);
	client->started_ms = client->asked_ms = now_ms;
	client->tries = 0;
	dhcp_client_request(client, now_ms);
}

void
dhcp_client_release(struct dhcp_client *client)
{
	struct dhcp_packet packet;

	if (dhcp_client_is_bound(client)) {
		client->xid = client->ops->random(client->arg);
		dhcp_client_begin(client, &packet, DHCP_RELEASE, client->started_ms);
		packet.client = client->lease.address;
		dhcp_packet_add_address(
		    &packet, DHCP_OPTION_SERVER, client->lease.server);
		dhcp_client_send(client, &packet, client->lease.server);
	}
	client->state = DHCP_CLIENT_RESTING;
	client->due_ms = -1;
}

/* Whether a host can have the address. */
static bool
dhcp_is_host(struct in_addr address)
{
	uint32_t first = ntohl(address.s_addr) >> 24;

	return first != 0 && first != 127 && first < 224;
}

static bool
dhcp_is_netmask(struct in_addr netmask)
{
	uint32_t hosts = ~ntohl(netmask.s_addr);

	return (hosts & (hosts + 1)) == 0 && hosts != UINT32_MAX;
}

/* RFC 2131, 4.4.5: the times, where the server says none that go in order. */
static void
dhcp_lease_read_times(struct dhcp_lease *lease, const struct dhcp_packet *packet)
{
	if (lease->lease_s == DHCP_FOR_EVER)
		return;
	if (lease->lease_s < DHCP_LEASE_LEAST_S)
		lease->lease_s = DHCP_LEASE_LEAST_S;
	if (!dhcp_packet_number(packet, DHCP_OPTION_RENEW_TIME, &lease->renew_s) ||
	    !dhcp_packet_number(packet, DHCP_OPTION_REBIND_TIME, &lease->rebind_s) ||
	    lease->renew_s == 0 || lease->renew_s >= lease->rebind_s ||
	    lease->rebind_s >= lease->lease_s) {
		lease->renew_s = lease->lease_s / 2;
		lease->rebind_s = lease->lease_s - lease->lease_s / 8;
	}
}

/* Reads an offer or an acknowledgement. False: something needed is missing or no use.
 */
static bool
dhcp_lease_read(struct dhcp_lease *lease, const struct dhcp_packet *packet)
{
	const uint8_t *bytes;
	size_t len;

	memset(lease, 0, sizeof *lease);
	lease->address = packet->yours;
	if (!dhcp_is_host(lease->address) ||
	    !dhcp_packet_address(packet, DHCP_OPTION_SERVER, &lease->server) ||
	    !dhcp_is_host(lease->server) ||
	    !dhcp_packet_number(packet, DHCP_OPTION_LEASE_TIME, &lease->lease_s))
		return false;
	/* Chosen: without a netmask, the one that nearly all such networks have. */
	if (!dhcp_packet_address(packet, DHCP_OPTION_NETMASK, &lease->netmask) ||
	    !dhcp_is_netmask(lease->netmask))
		lease->netmask.s_addr = htonl(0xFFFFFF00);
	if (dhcp_packet_address(packet, DHCP_OPTION_ROUTER, &lease->router) &&
	    !dhcp_is_host(lease->router))
		lease->router.s_addr = 0;
	bytes = dhcp_packet_option(packet, DHCP_OPTION_NAME_SERVER, &len);
	while (bytes != NULL && len >= 4 &&
	       lease->name_server_count < DHCP_NAME_SERVERS_MAX) {
		memcpy(&lease->name_servers[lease->name_server_count++], bytes, 4);
		bytes += 4;
		len -= 4;
	}
	dhcp_lease_read_times(lease, packet);
	return true;
}

/* The time at which the lease is as old as seconds. */
static int64_t
dhcp_lease_at_ms(const struct dhcp_client *client, uint32_t seconds)
{
	return client->leased_ms + (int64_t)seconds * 1000;
}

static void
dhcp_client_bind(struct dhcp_client *client)
{
	client->state = DHCP_CLIENT_BOUND;
	client->leased_ms = client->asked_ms;
	client->due_ms = client->lease.lease_s == DHCP_FOR_EVER
			     ? -1
			     : dhcp_lease_at_ms(client, client->lease.renew_s);
	client->ops->bound(client->arg, &client->lease);
}

static void
dhcp_client_offered(
    struct dhcp_client *client, const struct dhcp_packet *packet, int64_t now_ms)
{
	struct dhcp_lease lease;

	if (!dhcp_lease_read(&lease, packet))
		return;
	client->lease = lease;
	client->state = DHCP_CLIENT_REQUESTING;
	client->asked_ms = now_ms;
	client->tries = 0;
	dhcp_client_request(client, now_ms);
}

static void
dhcp_client_acknowledged(struct dhcp_client *client, const struct dhcp_packet *packet)
{
	bool is_new = dhcp_client_is_new(client);
	struct dhcp_lease lease;

	if (!dhcp_lease_read(&lease, packet) ||
	    lease.address.s_addr != client->lease.address.s_addr)
		return;
	client->lease = lease;
	if (!is_new || client->ops->probe == NULL) {
		dhcp_client_bind(client);
		return;
	}
	client->state = DHCP_CLIENT_PROBING;
	client->due_ms = -1;
	client->ops->probe(client->arg, lease.address);
}

static void
dhcp_client_tell_refused(const struct dhcp_client *client)
{
	if (client->ops->refused != NULL)
		client->ops->refused(client->arg);
}

/* A refusal counts only from the server that was asked; in rebinding, from any. */
static void
dhcp_client_refused(
    struct dhcp_client *client, const struct dhcp_packet *packet, int64_t now_ms)
{
	struct in_addr server;

	if (client->state == DHCP_CLIENT_REBOOTING) {
		/* First, since what is sent may be answered at once. */
		dhcp_client_tell_refused(client);
		dhcp_client_discover(client, now_ms);
		return;
	}
	if (dhcp_packet_address(packet, DHCP_OPTION_SERVER, &server) &&
	    server.s_addr != client->lease.server.s_addr &&
	    client->state != DHCP_CLIENT_REBINDING)
		return;
	dhcp_client_begin_again(client, now_ms, "the server took the address back");
}

void
dhcp_client_receive(
    struct dhcp_client *client, const uint8_t *bytes, size_t len, int64_t now_ms)
{
	bool is_asking = dhcp_client_is_new(client) ||
			 client->state == DHCP_CLIENT_RENEWING ||
			 client->state == DHCP_CLIENT_REBINDING;
	struct dhcp_packet packet;
	enum dhcp_type type;

	if ((!is_asking && client->state != DHCP_CLIENT_SELECTING) ||
	    dhcp_packet_parse(&packet, bytes, len) == -1 || !packet.is_reply ||
	    packet.xid != client->xid || packet.hardware_len != MAC_OCTETS ||
	    memcmp(packet.hardware, client->options.mac, MAC_OCTETS) != 0)
		return;
	type = dhcp_packet_type(&packet);
	if (type == DHCP_OFFER && client->state == DHCP_CLIENT_SELECTING)
		dhcp_client_offered(client, &packet, now_ms);
	else if (type == DHCP_ACK && is_asking)
		dhcp_client_acknowledged(client, &packet);
	else if (type == DHCP_NAK && is_asking)
		dhcp_client_refused(client, &packet, now_ms);
}

void
dhcp_client_probed(struct dhcp_client *client, bool is_in_use, int64_t now_ms)
{
	struct dhcp_packet packet;

	if (client->state != DHCP_CLIENT_PROBING)
		return;
	if (!is_in_use) {
		dhcp_client_bind(client);
		return;
	}
	dhcp_client_begin(client, &packet, DHCP_DECLINE, client->started_ms);
	dhcp_packet_add_address(&packet, DHCP_OPTION_REQUESTED, client->lease.address);
	dhcp_packet_add_address(&packet, DHCP_OPTION_SERVER, client->lease.server);
	dhcp_client_send(client, &packet, dhcp_to_all);
	dhcp_client_begin_again(client, now_ms, "");
	dhcp_client_tell_refused(client);
}

/* RFC 2131, 4.4.5: half the time that is left, and a minute at least. */
static void
dhcp_client_extend(struct dhcp_client *client, int64_t now_ms)
{
	int64_t end_ms = dhcp_lease_at_ms(client, client->state == DHCP_CLIENT_RENEWING
						      ? client->lease.rebind_s
						      : client->lease.lease_s);
	int64_t pause_ms = (end_ms - now_ms) / 2;

	if (pause_ms < DHCP_RENEW_LEAST_MS)
		pause_ms = DHCP_RENEW_LEAST_MS;
	client->due_ms = end_ms - now_ms < pause_ms ? end_ms : now_ms + pause_ms;
	dhcp_client_request(client, now_ms);
}

/* In a lease: renewal, then rebinding, then its end. */
static void
dhcp_client_tick_bound(struct dhcp_client *client, int64_t now_ms)
{
	if (now_ms >= dhcp_lease_at_ms(client, client->lease.lease_s)) {
		dhcp_client_begin_again(client, now_ms, "the lease has run out");
		/* Unless it was stopped, or started, by who was told. */
		if (client->state == DHCP_CLIENT_WAITING)
			dhcp_client_discover(client, now_ms);
		return;
	}
	if (client->state == DHCP_CLIENT_BOUND) {
		client->xid = client->ops->random(client->arg);
		client->asked_ms = now_ms;
		client->tries = 0;
		client->state = DHCP_CLIENT_RENEWING;
	}
	if (now_ms >= dhcp_lease_at_ms(client, client->lease.rebind_s))
		client->state = DHCP_CLIENT_REBINDING;
	dhcp_client_extend(client, now_ms);
}

void
dhcp_client_tick(struct dhcp_client *client, int64_t now_ms)
{
	if (client->due_ms == -1 || now_ms < client->due_ms)
		return;
	if (dhcp_client_is_bound(client)) {
		dhcp_client_tick_bound(client, now_ms);
		return;
	}
	if (client->options.timeout_ms != 0 &&
	    now_ms - client->started_ms >= client->options.timeout_ms) {
		client->state = DHCP_CLIENT_RESTING;
		client->due_ms = -1;
		client->ops->failed(client->arg, "no DHCP server gave an address");
		return;
	}
	if (dhcp_client_is_new(client) &&
	    client->tries < (client->state == DHCP_CLIENT_REBOOTING
				    ? DHCP_RESTARTS_MAX
				    : DHCP_REQUESTS_MAX))
		dhcp_client_request(client, now_ms);
	else
		dhcp_client_discover(client, now_ms);
}
