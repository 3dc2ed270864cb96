#include "link/interface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "device/frames.h"
#include "device/netlink.h"
#include "link/dhcp_client.h"

struct interface {
	struct event_base *base; /* borrowed */
	char name[IF_NAMESIZE];
	const struct interface_ops *ops;
	void *arg;
	unsigned index; /* 0: it was not touched */
	struct frames *frames; /* owned; these two while it leases */
	struct dhcp_client *dhcp; /* owned */
	struct event *turn; /* owned; tells what there is to tell, and wakes dhcp */
	struct link_address address; /* ip 0: none */
	bool has_changed; /* to be set, or only to be told */
	const char *lost; /* why, to be told; static */
	const uint8_t *sender; /* of the message that dhcp looks at; NULL: none */
	uint8_t server_mac[MAC_OCTETS]; /* the way to who gave the address */
};

static void
interface_schedule(struct interface *self, int64_t ms)
{
	struct timeval timeout = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(self->turn, &timeout);
}

/* Sleeps until DHCP has something to do, or there is something to tell. */
static void
interface_wait(struct interface *self)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t due_ms = self->dhcp == NULL ? -1 : dhcp_client_due_ms(self->dhcp);

	if (self->has_changed || self->lost != NULL)
		interface_schedule(self, 0);
	else if (due_ms != -1)
		interface_schedule(self, due_ms > now_ms ? due_ms - now_ms : 0);
}

/* DHCP */

/* Until the interface has the address, and for what its server alone is to hear: the
 * kernel would have to ask for the server first, while the address goes away. */
static void
interface_dhcp_send(void *arg, const uint8_t *bytes, size_t len, struct in_addr to)
{
	struct interface *self = arg;
	const struct dhcp_lease *lease = dhcp_client_lease(self->dhcp);
	struct frames_target target = {
		.to = to,
		.from_port = DHCP_CLIENT_PORT,
		.to_port = DHCP_SERVER_PORT,
	};

	if (lease != NULL)
		target.from = lease->address;
	if (to.s_addr != htonl(INADDR_BROADCAST))
		target.mac = self->server_mac;
	/* What is lost is sent again. */
	(void)frames_send(self->frames, &target, bytes, len);
}

static void
interface_note_server(struct interface *self)
{
	if (self->sender != NULL)
		memcpy(self->server_mac, self->sender, MAC_OCTETS);
}

static void
interface_dhcp_probe(void *arg, struct in_addr address)
{
	struct interface *self = arg;

	interface_note_server(self);
	frames_probe(self->frames, address);
}

static void
interface_dhcp_bound(void *arg, const struct dhcp_lease *lease)
{
	struct interface *self = arg;
	struct link_address address = { .ip = lease->address,
		.netmask = lease->netmask,
		.gateway = lease->router };

	interface_note_server(self);
	if (lease->name_server_count > 0)
		address.dns = lease->name_servers[0];
	for (size_t i = 0; i < LINK_MORE_DNS && i + 1 < lease->name_server_count; i++)
		address.more_dns[i] = lease->name_servers[i + 1];
	/* A change of before may be waiting to be set. */
	if (memcmp(&address, &self->address, sizeof address) != 0)
		self->has_changed = true;
	self->address = address;
	self->ops->leased(self->arg, lease);
}

static void
interface_dhcp_refused(void *arg)
{
	struct interface *self = arg;

	self->ops->leased(self->arg, NULL);
}

static void
interface_dhcp_failed(void *arg, const char *why)
{
	struct interface *self = arg;

	self->lost = why;
}

static void
interface_dhcp_lost(void *arg, const char *why)
{
	interface_dhcp_refused(arg);
	interface_dhcp_failed(arg, why);
}

static uint32_t
interface_dhcp_random(void *arg)
{
	uint32_t number;

	(void)arg;
	evutil_secure_rng_get_bytes(&number, sizeof number);
	return number;
}

static const struct dhcp_client_ops interface_dhcp_ops = {
	.send = interface_dhcp_send,
	.probe = interface_dhcp_probe,
	.bound = interface_dhcp_bound,
	.lost = interface_dhcp_lost,
	.refused = interface_dhcp_refused,
	.failed = interface_dhcp_failed,
	.random = interface_dhcp_random,
};

static void
interface_frame_came(
    void *arg, const uint8_t *bytes, size_t len, const uint8_t sender[MAC_OCTETS])
{
	struct interface *self = arg;

	self->sender = sender;
	dhcp_client_receive(self->dhcp, bytes, len, clock_monotonic_ms());
	self->sender = NULL;
	interface_wait(self);
}

static void
interface_frame_probed(void *arg, bool is_in_use)
{
	struct interface *self = arg;

	dhcp_client_probed(self->dhcp, is_in_use, clock_monotonic_ms());
	interface_wait(self);
	if (is_in_use)
		self->ops->said(
		    self->arg, "DHCP: the offered address is in use by another host");
}

static const struct frames_ops interface_frames_ops = {
	.came = interface_frame_came,
	.probed = interface_frame_probed,
};

/* The address on the interface */

static int
interface_apply(const struct interface *self)
{
	const struct netlink_address address = { .ip = self->address.ip,
		.netmask = self->address.netmask,
		.gateway = self->address.gateway };

	if (netlink_clear(self->index) == -1)
		return -1;
	return netlink_address_set(self->index, &address);
}

static void
interface_lose(struct interface *self, const char *why)
{
	memset(&self->address, 0, sizeof self->address);
	self->has_changed = false;
	self->lost = NULL;
	if (self->frames != NULL)
		frames_hold_port(self->frames, self->address.ip);
	netlink_clear(self->index);
	self->ops->lost(self->arg, why);
}

static void
interface_turn(evutil_socket_t fd, short what, void *arg)
{
	struct interface *self = arg;

	(void)fd;
	(void)what;
	if (self->dhcp != NULL)
		dhcp_client_tick(self->dhcp, clock_monotonic_ms());
	if (self->lost == NULL && self->has_changed && self->dhcp != NULL &&
	    interface_apply(self) == -1)
		self->lost = strerror(errno);
	if (self->lost != NULL) {
		interface_lose(self, self->lost);
		return;
	}
	if (!self->has_changed) {
		interface_wait(self);
		return;
	}
	self->has_changed = false;
	if (self->frames != NULL) {
		frames_hold_port(self->frames, self->address.ip);
		frames_announce(self->frames, self->address.ip);
	}
	interface_wait(self);
	self->ops->addressed(self->arg, &self->address);
}

struct interface *
interface_new(struct event_base *base, const char *name,
    const struct interface_ops *ops, void *arg)
{
	struct interface *self = xcalloc(1, sizeof *self);
	struct netlink_link link;

	self->base = base;
	snprintf(self->name, sizeof self->name, "%s", name);
	self->ops = ops;
	self->arg = arg;
	self->turn = xcheck(event_new(base, -1, 0, interface_turn, self));
	if (netlink_link_get(name, &link) == 0)
		netlink_clear(link.index);
	return self;
}

void
interface_free(struct interface *self)
{
	if (self == NULL)
		return;
	interface_drop(self);
	event_free(self->turn);
	free(self);
}

/* Finds the interface, clean of what was left on it. */
static int
interface_begin(struct interface *self, struct netlink_link *link)
{
	interface_drop(self);
	if (netlink_link_get(self->name, link) == -1 ||
	    netlink_clear(link->index) == -1)
		return -1;
	self->index = link->index;
	return 0;
}

int
interface_set(struct interface *self, const struct link_address *address)
{
	uint32_t hosts = ~ntohl(address->netmask.s_addr);
	struct netlink_link link;

	if (address->ip.s_addr == 0 || hosts == UINT32_MAX ||
	    (hosts & (hosts + 1)) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (interface_begin(self, &link) == -1)
		return -1;
	self->address = *address;
	if (interface_apply(self) == -1) {
		int saved_errno = errno;

		interface_drop(self);
		errno = saved_errno;
		return -1;
	}
	self->has_changed = true;
	interface_wait(self);
	return 0;
}

int
interface_lease(
    struct interface *self, const char *host_name, const struct dhcp_lease *last)
{
	struct dhcp_client_options options = { .host_name = host_name };
	struct netlink_link link;

	if (interface_begin(self, &link) == -1)
		return -1;
	if (!link.is_ethernet) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	self->frames = frames_open(self->base, link.index, link.mac, DHCP_CLIENT_PORT,
	    &interface_frames_ops, self);
	if (self->frames == NULL)
		return -1;
	memcpy(options.mac, link.mac, MAC_OCTETS);
	self->dhcp = dhcp_client_new(&options, &interface_dhcp_ops, self);
	if (last != NULL)
		dhcp_client_restart(self->dhcp, last, clock_monotonic_ms());
	else
		dhcp_client_start(self->dhcp, clock_monotonic_ms());
	interface_wait(self);
	return 0;
}

const struct dhcp_lease *
interface_leased(const struct interface *self)
{
	return self->dhcp == NULL ? NULL : dhcp_client_lease(self->dhcp);
}

void
interface_keep(struct interface *self)
{
	dhcp_client_free(self->dhcp);
	self->dhcp = NULL;
}

void
interface_drop(struct interface *self)
{
	event_del(self->turn);
	if (self->dhcp != NULL)
		dhcp_client_release(self->dhcp);
	dhcp_client_free(self->dhcp);
	self->dhcp = NULL;
	frames_close(self->frames);
	self->frames = NULL;
	if (self->index != 0)
		netlink_clear(self->index);
	self->index = 0;
	memset(&self->address, 0, sizeof self->address);
	self->has_changed = false;
	self->lost = NULL;
}
