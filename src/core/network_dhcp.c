#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "core/network_state.h"
#include "core/variable.h"
#include "link/dhcp_server.h"

/* How a station gets its address: on another module's soft AP from the DHCP server
 * there, in messages through the simulated air; on a network that is given, it is this
 * host's. */

static void
network_schedule_lease(struct network *network, int64_t ms)
{
	struct timeval timeout = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(network->lease, &timeout);
}

/* Reaches the server at once, and its answer is here before this returns. */
static void
network_dhcp_send(void *arg, const uint8_t *bytes, size_t len, struct in_addr to)
{
	const struct module *module = arg, *host = network_host(module);
	struct dhcp_reply reply;

	(void)to; /* there is no other server on the network */
	if (host != NULL && host->dhcp_server != NULL &&
	    dhcp_server_answer(
		host->dhcp_server, bytes, len, clock_monotonic_ms(), &reply))
		dhcp_client_receive(module->network->dhcp, reply.bytes, reply.len,
		    clock_monotonic_ms());
}

static void
network_dhcp_bound(void *arg, const struct dhcp_lease *lease)
{
	struct module *module = arg;
	struct link_address *leased = &module->network->leased;

	leased->ip = lease->address;
	leased->netmask = lease->netmask;
	leased->gateway = lease->router;
	leased->dns.s_addr = 0;
	if (lease->name_server_count > 0)
		leased->dns = lease->name_servers[0];
	network_lease_keep(module, lease);
	network_schedule_lease(module->network, 0);
}

static void
network_dhcp_refused(void *arg)
{
	network_lease_keep(arg, NULL);
}

/* Told from the loop, by network_lease(), since the client may not end in here. */
static void
network_dhcp_failed(void *arg, const char *why)
{
	const struct module *module = arg;

	(void)why;
	module->network->leased.ip.s_addr = 0;
	network_schedule_lease(module->network, 0);
}

static void
network_dhcp_lost(void *arg, const char *why)
{
	network_dhcp_refused(arg);
	network_dhcp_failed(arg, why);
}

static uint32_t
network_dhcp_random(void *arg)
{
	uint32_t number;

	(void)arg;
	evutil_secure_rng_get_bytes(&number, sizeof number);
	return number;
}

static const struct dhcp_client_ops network_dhcp_ops = {
	.send = network_dhcp_send,
	.bound = network_dhcp_bound,
	.lost = network_dhcp_lost,
	.refused = network_dhcp_refused,
	.failed = network_dhcp_failed,
	.random = network_dhcp_random,
};

static void
network_start_dhcp(struct module *module)
{
	struct dhcp_client_options options = { .host_name = variable_text(
						   module, "wlan.dhcp.hostname") };
	struct dhcp_lease last;

	mac_parse(module->mac, options.mac);
	module->network->dhcp = dhcp_client_new(&options, &network_dhcp_ops, module);
	if (network_lease_recall(module, &last))
		dhcp_client_restart(module->network->dhcp, &last, clock_monotonic_ms());
	else
		dhcp_client_start(module->network->dhcp, clock_monotonic_ms());
}

/* Hands on what the client has, and wakes it when it is due. */
static void
network_follow_dhcp(struct module *module)
{
	struct network *network = module->network;
	int64_t now = clock_monotonic_ms(), due;

	due = dhcp_client_due_ms(network->dhcp);
	if (due != -1 && due <= now) {
		dhcp_client_tick(network->dhcp, now);
		due = dhcp_client_due_ms(network->dhcp);
	}
	if (due != -1)
		network_schedule_lease(network, due > now ? due - now : 0);
	if (network->leased.ip.s_addr != 0)
		wlan_addressed(network->wlan, &network->leased);
	else if (wlan_state(network->wlan) == WLAN_UP)
		network_lose_address(module);
}

void
network_lease(evutil_socket_t fd, short what, void *arg)
{
	struct module *module = arg;

	(void)fd;
	(void)what;
	if (module->network->interfaces[NETWORK_WLAN] != NULL) {
		wlan_addressed(module->network->wlan, NULL);
		return;
	}
	if (module->network->dhcp == NULL)
		network_start_dhcp(module);
	network_follow_dhcp(module);
}

static void
network_addressed(void *arg)
{
	const struct module *module = arg;
	struct link_address address;

	network_host_address(module, &address);
	wlan_addressed(module->network->wlan, &address);
}

void
network_obtain(void *arg)
{
	struct module *module = arg;
	struct radio *radio = module->network->radio;

	module->network->leased.ip.s_addr = 0;
	if (radio->ops->interface != NULL)
		network_interface_obtain(module);
	else if (network_host(module) == NULL)
		radio->ops->ask_address(radio, network_addressed, module);
	else
		network_schedule_lease(module->network, 0);
}

void
network_forget(void *arg)
{
	struct module *module = arg;
	struct network *network = module->network;

	event_del(network->lease);
	network_lease_end(module);
	network_interface_drop(module, NETWORK_WLAN);
	network->radio->ops->cancel(network->radio, module);
	if (network->dhcp != NULL && !network_lease_stays(module))
		dhcp_client_release(network->dhcp);
	dhcp_client_free(network->dhcp);
	network->dhcp = NULL;
	network->leased.ip.s_addr = 0;
}
