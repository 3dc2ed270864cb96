#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "core/network_state.h"

/* Soft APs have addresses of their own, while the ports of their modules are this
 * host's: here is how one is found from the other. */

#define NETWORK_DNS_PORT 53

struct module *
network_host(const struct module *module)
{
	const struct radio *radio = network_radio(module), *peer;

	peer = radio == NULL ? NULL : radio->ops->access_point(radio);
	return peer == NULL ? NULL : peer->owner;
}

static bool
network_is_near(const struct link_address *address, struct in_addr other)
{
	return address != NULL &&
	       ((address->ip.s_addr ^ other.s_addr) & address->netmask.s_addr) == 0;
}

/* The module's own address on a soft AP that it is on, its own or one that it has
 * joined; NULL: it is on none over that interface. */
static const struct link_address *
network_softap_address(const struct module *module, unsigned interface)
{
	return interface == NETWORK_SOFTAP || network_host(module) != NULL
		   ? network_address(module, (enum network_interface)interface)
		   : NULL;
}

/* Likewise, on the soft AP that the other address belongs to. */
static const struct link_address *
network_softap_beside(const struct module *module, struct in_addr other)
{
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		const struct link_address *own = network_softap_address(module, i);

		if (network_is_near(own, other))
			return own;
	}
	return NULL;
}

static bool
network_has(const struct module *module, struct in_addr address)
{
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		const struct link_address *own = network_address(module, i);

		if (own != NULL && own->ip.s_addr == address.s_addr)
			return true;
	}
	return false;
}

/* The module that has the address on one of the networks that this one is in. */
static const struct module *
network_neighbour(const struct module *module, struct in_addr address)
{
	const struct radio *radio = network_radio(module), *peer;

	if (network_has(module, address))
		return module;
	for (unsigned role = RADIO_STATION; role <= RADIO_AP; role++) {
		peer = radio->ops->neighbour(radio, (enum radio_role)role, address);
		if (peer != NULL)
			return peer->owner;
	}
	return NULL;
}

/* Who has the address on a soft AP. 0 and NULL: it is on none; -1 and errno. */
static int
network_find_peer(
    const struct module *module, struct in_addr address, const struct module **peer)
{
	*peer = NULL;
	if (network_radio(module) == NULL ||
	    network_radio(module)->ops->interface != NULL)
		return 0;
	*peer = network_neighbour(module, address);
	if (*peer != NULL || network_softap_beside(module, address) == NULL)
		return 0;
	errno = EHOSTUNREACH;
	return -1;
}

int
network_route_address(const struct module *module, struct in_addr *address)
{
	const struct module *peer;

	if (network_find_peer(module, *address, &peer) == -1)
		return -1;
	if (peer != NULL)
		*address = network_host_ip(peer);
	return 0;
}

int
network_route(
    const struct module *module, const char *scheme, struct sockaddr_in *address)
{
	bool is_udp = strcmp(scheme, "udp") == 0;
	const struct module *peer;
	const struct listener *listener;

	if (network_find_peer(module, address->sin_addr, &peer) == -1)
		return -1;
	if (peer == NULL)
		return 0;
	/* An address of this host needs no change: its ports are where they say. */
	if (address->sin_addr.s_addr == network_host_ip(peer).s_addr)
		return 0;
	TAILQ_FOREACH (listener, &peer->listeners, entry) {
		if (listener->module_port != ntohs(address->sin_port) ||
		    is_udp != (strcmp(listener->scheme, "udp") == 0))
			continue;
		inet_pton(AF_INET, listener->address, &address->sin_addr);
		address->sin_port = htons(listener->port);
		return 0;
	}
	errno = ECONNREFUSED;
	return -1;
}

/* All of 127.0.0.0/8 is this host's, so an address on a soft AP has one there that
 * stands for it: with its last three octets. 127.0.0.1 is that of all programs, and
 * 0.0.0.0 comes instead. */
static struct in_addr
network_stand_in(struct in_addr address)
{
	uint32_t ip = INADDR_LOOPBACK & IN_CLASSA_NET;
	struct in_addr result;

	ip |= ntohl(address.s_addr) & ~IN_CLASSA_NET;
	result.s_addr = htonl(ip == INADDR_LOOPBACK ? INADDR_ANY : ip);
	return result;
}

int
network_route_tcp(
    const struct module *module, struct sockaddr_in *address, struct in_addr *local)
{
	const struct link_address *own = NULL;
	const struct module *peer;

	if (network_find_peer(module, address->sin_addr, &peer) == -1)
		return -1;
	if (peer != NULL)
		own = network_softap_beside(module, address->sin_addr);
	if (own != NULL)
		*local = network_stand_in(own->ip);
	return network_route(module, "tcp", address);
}

/* The address on a soft AP that the other one stands for, or the other one. */
static struct in_addr
network_stood_for(const struct module *module, struct in_addr other)
{
	uint32_t rest = ntohl(other.s_addr) & ~IN_CLASSA_NET;

	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		const struct link_address *own = network_softap_address(module, i);
		struct in_addr address;

		if (own == NULL)
			continue;
		address.s_addr = htonl((ntohl(own->ip.s_addr) & IN_CLASSA_NET) | rest);
		if (network_stand_in(address).s_addr == other.s_addr &&
		    network_neighbour(module, address) != NULL)
			return address;
	}
	return other;
}

void
network_name_far(const struct module *module, int fd, char *text, size_t size)
{
	struct sockaddr_in sin = { .sin_port = 0 };
	char address[INET_ADDRSTRLEN];
	socklen_t len = sizeof sin;

	text[0] = '\0';
	if (getpeername(fd, (struct sockaddr *)&sin, &len) == -1)
		return;
	if (network_radio(module) != NULL &&
	    network_radio(module)->ops->interface == NULL)
		sin.sin_addr = network_stood_for(module, sin.sin_addr);
	inet_ntop(AF_INET, &sin.sin_addr, address, sizeof address);
	snprintf(text, size, "%s:%u", address, ntohs(sin.sin_port));
}

bool
network_name_server(
    const struct module *module, unsigned position, struct sockaddr_in *server)
{
	const struct link_address *address = network_address(module, NETWORK_WLAN);
	bool is_real = module->network != NULL &&
		       module->network->interfaces[NETWORK_WLAN] != NULL;

	if (address == NULL || position > LINK_MORE_DNS ||
	    (!is_real && network_host(module) == NULL))
		return false;
	memset(server, 0, sizeof *server);
	server->sin_family = AF_INET;
	server->sin_addr =
	    position == 0 ? address->dns : address->more_dns[position - 1];
	server->sin_port = htons(NETWORK_DNS_PORT);
	if (is_real)
		return server->sin_addr.s_addr != 0;
	/* Without one there, it is asked in vain. */
	network_route(module, "udp", server);
	return position == 0;
}

struct in_addr
network_source_address(const struct module *module, enum network_interface interface)
{
	static const struct in_addr any = { .s_addr = INADDR_ANY };
	const struct link_address *address = network_address(module, interface);
	const struct radio *radio = network_radio(module);

	return address == NULL || radio == NULL || radio->ops->interface == NULL
		   ? any
		   : address->ip;
}

struct in_addr
network_bound_address(const struct module *module, enum network_interface interface)
{
	struct in_addr address = network_source_address(module, interface);

	if (address.s_addr == htonl(INADDR_ANY))
		inet_pton(AF_INET, module->own->network.address, &address);
	return address;
}
