#include <errno.h>
#include <string.h>

#include <event2/event.h>

#include "base/log.h"
#include "core/event.h"
#include "core/net_state.h"
#include "core/network_state.h"
#include "core/variable.h"
#include "link/interface.h"

/* The addresses of a module whose networks are real interfaces of this host. */

static void
network_interface_addressed(void *arg, const struct link_address *address)
{
	struct module *module = arg;
	struct network *network = module->network;

	if (wlan_state(network->wlan) != WLAN_UP) {
		wlan_addressed(network->wlan, address);
		return;
	}
	/* A lease was renewed, and says something else. */
	network->links[NETWORK_WLAN].address = *address;
	if (module->net != NULL)
		module->net->dns_is_set = false;
	network_changed(module);
}

static void
network_interface_lost(void *arg, const char *why)
{
	struct module *module = arg;

	event_emit(module, EVENT_PROGRESS, "Address lost: %s", why);
	if (wlan_state(module->network->wlan) == WLAN_UP)
		network_lose_address(module);
	else
		wlan_addressed(module->network->wlan, NULL);
}

static void
network_interface_said(void *arg, const char *line)
{
	event_emit(arg, EVENT_PROGRESS, "%s", line);
}

static void
network_interface_leased(void *arg, const struct dhcp_lease *lease)
{
	network_lease_keep(arg, lease);
}

static const struct interface_ops network_wlan_interface_ops = {
	.addressed = network_interface_addressed,
	.lost = network_interface_lost,
	.said = network_interface_said,
	.leased = network_interface_leased,
};

/* The soft AP is up as soon as its address is set, and keeps it. */
static void
network_softap_addressed(void *arg, const struct link_address *address)
{
	(void)arg;
	(void)address;
}

static const struct interface_ops network_softap_interface_ops = {
	.addressed = network_softap_addressed,
};

void
network_interfaces_new(struct module *module)
{
	static const struct interface_ops *const ops[NETWORK_INTERFACES] = {
		[NETWORK_WLAN] = &network_wlan_interface_ops,
		[NETWORK_SOFTAP] = &network_softap_interface_ops,
	};
	static const enum radio_role roles[NETWORK_INTERFACES] = {
		[NETWORK_WLAN] = RADIO_STATION, [NETWORK_SOFTAP] = RADIO_AP
	};
	struct network *network = module->network;

	if (network->radio->ops->interface == NULL)
		return;
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		const char *name =
		    network->radio->ops->interface(network->radio, roles[i]);

		if (name != NULL)
			network->interfaces[i] =
			    interface_new(module->base, name, ops[i], module);
	}
}

void
network_interfaces_free(struct network *network)
{
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		interface_free(network->interfaces[i]);
		network->interfaces[i] = NULL;
	}
}

/* Why an address could not be had, in the log too: it is a matter of this host. */
static const char *
network_interface_error(const struct module *module, enum radio_role role)
{
	const struct radio *radio = module->network->radio;
	const char *why = strerror(errno);

	if (errno == EPERM || errno == EACCES)
		why = "not permitted; it takes CAP_NET_ADMIN and CAP_NET_RAW";
	else if (errno == ENODEV)
		why = "there is no such interface";
	else if (errno == EINVAL)
		why = "the static address or its netmask is not valid";
	else if (errno == EAFNOSUPPORT)
		why = "no DHCP but on Ethernet and Wi-Fi";
	log_msg(LOG_ERR, module->own->name, "%s gets no address: %s",
	    radio->ops->interface(radio, role), why);
	return why;
}

/* A failure is told from the loop, by network_lease(). */
void
network_interface_obtain(struct module *module)
{
	static const struct timeval now = { 0 };
	struct network *network = module->network;
	struct interface *interface = network->interfaces[NETWORK_WLAN];
	struct link_address address;
	struct dhcp_lease last;
	int result;

	if (variable_is_on(module, "wlan.dhcp.enabled")) {
		result = interface_lease(interface,
		    variable_text(module, "wlan.dhcp.hostname"),
		    network_lease_recall(module, &last) ? &last : NULL);
	} else {
		network_static_address(module, &address);
		result = interface_set(interface, &address);
	}
	if (result == 0)
		return;
	event_emit(module, EVENT_PROGRESS, "No address: %s",
	    network_interface_error(module, RADIO_STATION));
	event_add(network->lease, &now);
}

const char *
network_interface_host(struct module *module, const struct link_address *address)
{
	struct network *network = module->network;

	if (interface_set(network->interfaces[NETWORK_SOFTAP], address) == 0)
		return NULL;
	return network_interface_error(module, RADIO_AP);
}

void
network_interface_drop(const struct module *module, enum network_interface interface)
{
	struct interface *real = module->network->interfaces[interface];

	if (real == NULL)
		return;
	if (interface == NETWORK_WLAN && network_lease_stays(module))
		interface_keep(real);
	interface_drop(real);
}
