#include "core/network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/event.h"
#include "core/indicator.h"
#include "core/net.h"
#include "core/network_state.h"
#include "core/setup.h"
#include "core/variable.h"
#include "device/host_address.h"

struct network_wait {
	struct module *module; /* borrowed */
	enum network_interface interface;
	bool is_due; /* is to be told now */
	network_waited *done;
	void *arg;
	TAILQ_ENTRY(network_wait) entry;
};

static const char *const network_names[NETWORK_INTERFACES] = { "default", "wlan",
	"softap" };

struct network *
network_get(struct module *module)
{
	if (module->network == NULL) {
		module->network = xcalloc(1, sizeof *module->network);
		TAILQ_INIT(&module->network->waits);
	}
	return module->network;
}

const char *
network_interface_name(enum network_interface interface)
{
	return network_names[interface];
}

const char *
network_state_name(enum network_state state)
{
	static const char *const names[] = { [NETWORK_DOWN] = "down",
		[NETWORK_JOINING] = "joining",
		[NETWORK_UP] = "up" };

	return names[state];
}

enum network_interface
network_interface(const struct module *module, const char *word)
{
	if (word == NULL || (strcmp(word, network_names[NETWORK_WLAN]) != 0 &&
				strcmp(word, network_names[NETWORK_SOFTAP]) != 0))
		word = variable_text(module, "network.default_interface");
	return strcmp(word, network_names[NETWORK_SOFTAP]) == 0 ? NETWORK_SOFTAP
								: NETWORK_WLAN;
}

enum network_interface
network_interface_of(const struct module *module, const char *variable)
{
	if (strchr(variable, '.') == NULL)
		return network_interface(module, variable);
	return network_interface(module,
	    variable_exists(module, variable) ? variable_text(module, variable) : NULL);
}

static enum network_interface
network_resolve(const struct module *module, enum network_interface interface)
{
	return interface == NETWORK_DEFAULT ? network_interface(module, NULL)
					    : interface;
}

enum network_state
network_state(const struct module *module, enum network_interface interface)
{
	if (module->network == NULL)
		return NETWORK_DOWN;
	return module->network->links[network_resolve(module, interface)].state;
}

const struct link_address *
network_address(const struct module *module, enum network_interface interface)
{
	const struct network_link *link;

	if (network_state(module, interface) != NETWORK_UP)
		return NULL;
	link = &module->network->links[network_resolve(module, interface)];
	return &link->address;
}

/* Chosen: the lamps are the radio's; that of wlan shows an error until the next
 * attempt. */
void
network_changed(struct module *module)
{
	static const uint8_t wlan[] = { [NETWORK_DOWN] = INDICATOR_WLAN_OFF,
		[NETWORK_JOINING] = INDICATOR_WLAN_CONNECTING,
		[NETWORK_UP] = INDICATOR_WLAN_CONNECTED };
	static const uint8_t softap[] = { [NETWORK_DOWN] = INDICATOR_SOFTAP_OFF,
		[NETWORK_JOINING] = INDICATOR_SOFTAP_STARTING,
		[NETWORK_UP] = INDICATOR_SOFTAP_UP };
	static const uint8_t network[] = { INDICATOR_NETWORK_DOWN,
		INDICATOR_NETWORK_DHCP, INDICATOR_NETWORK_UP };
	unsigned state = wlan[network_state(module, NETWORK_WLAN)];

	module_changed(module);
	if (module->network->radio == NULL)
		return;
	if (state == INDICATOR_WLAN_OFF && network_join_result(module) != WLAN_JOINED)
		state = INDICATOR_WLAN_ERROR;
	indicator_set(module, INDICATOR_WLAN, state);
	indicator_set(
	    module, INDICATOR_SOFTAP, softap[network_state(module, NETWORK_SOFTAP)]);
	indicator_set(module, INDICATOR_NETWORK, network[network_wlan_status(module)]);
}

static struct network_wait *
network_wait_due(const struct network *network, enum network_interface interface)
{
	struct network_wait *wait;

	TAILQ_FOREACH (wait, &network->waits, entry) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): none is freed */
		if (wait->is_due && wait->interface == interface)
			break;
	}
	return wait;
}

/* Tells those who wait for it. One of them may bring it down again, which ends the
 * waits of others, or begin to wait anew. */
static void
network_tell(struct module *module, enum network_interface interface, bool is_up)
{
	struct network_wait *wait;

	TAILQ_FOREACH (wait, &module->network->waits, entry)
		wait->is_due = wait->is_due || wait->interface == interface;
	while ((wait = network_wait_due(module->network, interface)) != NULL) {
		network_waited *done = wait->done;
		void *arg = wait->arg;

		network_wait_cancel(wait);
		done(arg, is_up);
	}
}

/* Reference: network notes, 8.1: [Associated] comes behind the lines of the services.
 * Chosen: the words for the soft AP, which has none on record. */
void
network_went_up(struct module *module, enum network_interface interface,
    const struct link_address *address)
{
	struct network_link *link = &module->network->links[interface];
	struct radio_ap ap;

	link->state = NETWORK_UP;
	if (interface == NETWORK_WLAN)
		module->network->signals.count = 0;
	link->address = *address;
	service_start_all(module, interface);
	if (network_access_point(module, interface, &ap) == 0) {
		if (interface == NETWORK_WLAN)
			event_emit(module, EVENT_ASSOCIATED, "%s", "");
		else
			event_emit(
			    module, EVENT_PROGRESS, "Soft AP started: %s", ap.ssid);
	}
	network_tell(module, interface, true);
	network_changed(module);
}

/* A command that waits behind one which ends here finds the interface down. */
void
network_went_down(struct module *module, enum network_interface interface)
{
	struct network_link *link = &module->network->links[interface];
	enum network_state before = link->state;
	bool held = module_hold(module);

	service_stop_all(module, interface);
	net_take_down(module, interface);
	link->state = NETWORK_DOWN;
	if (before == NETWORK_UP && module->network->radio != NULL) {
		if (interface == NETWORK_WLAN)
			event_emit(module, EVENT_DISASSOCIATED, "%s", "");
		else
			event_emit(module, EVENT_PROGRESS, "Soft AP stopped");
	}
	network_tell(module, interface, false);
	network_changed(module);
	module_release(module, held);
}

void
network_failed(struct module *module, enum network_interface interface, bool again)
{
	module->network->links[interface].state =
	    again ? NETWORK_JOINING : NETWORK_DOWN;
	network_tell(module, interface, false);
	network_changed(module);
}

static struct in_addr
network_configured_ip(const struct module *module)
{
	struct in_addr ip = { .s_addr = INADDR_ANY };

	inet_pton(AF_INET, module->own->network.address, &ip);
	return ip;
}

struct in_addr
network_host_ip(const struct module *module)
{
	return host_address_ip(network_configured_ip(module));
}

void
network_host_address(const struct module *module, struct link_address *address)
{
	struct host_address host;

	memset(address, 0, sizeof *address);
	host_address_describe(&host, network_configured_ip(module));
	address->ip = host.ip;
	address->netmask = host.netmask;
	address->gateway = host.gateway;
	address->dns = host.dns;
}

static const char *
network_bring_up_unless(
    struct module *module, enum network_interface interface, bool is_auto)
{
	struct network *network = network_get(module);
	struct network_link *link = &network->links[interface];
	struct link_address address;
	const char *error;

	if (link->state == NETWORK_UP)
		return NULL;
	if (network->radio == NULL) {
		if (interface == NETWORK_SOFTAP)
			return "No radio";
		network_host_address(module, &address);
		network_went_up(module, interface, &address);
		return NULL;
	}
	error = interface == NETWORK_WLAN ? network_join(module, is_auto)
					  : network_start_softap(module);
	if (error == NULL)
		link->state = NETWORK_JOINING;
	network_changed(module);
	return error;
}

const char *
network_bring_up(struct module *module, enum network_interface interface)
{
	return network_bring_up_unless(
	    module, network_resolve(module, interface), false);
}

void
network_rejoin(struct module *module)
{
	network_bring_up_unless(
	    module, NETWORK_WLAN, variable_is_on(module, "wlan.auto_join.enabled"));
}

void
network_bring_down(struct module *module, enum network_interface interface)
{
	struct network *network = network_get(module);
	bool held;

	interface = network_resolve(module, interface);
	if (interface == NETWORK_SOFTAP)
		network->softap_waits = false;
	if (network->links[interface].state == NETWORK_DOWN)
		return;
	held = module_hold(module);
	/* While there is still an address to say goodbye from. */
	if (network->interfaces[interface] != NULL) {
		service_stop_all(module, interface);
		net_take_down(module, interface);
	}
	if (network->radio != NULL && interface == NETWORK_WLAN)
		wlan_leave(network->wlan);
	else if (network->radio != NULL)
		softap_stop(network->softap);
	if (interface == NETWORK_SOFTAP)
		network_interface_drop(module, NETWORK_SOFTAP);
	network_went_down(module, interface);
	module_release(module, held);
}

static void
network_down_wlan(struct module *module)
{
	network_bring_down(module, NETWORK_WLAN);
	module_resume(module);
}

/* Web setup does not go on without its soft AP. */
static void
network_down_softap(struct module *module)
{
	setup_stop(module);
	network_bring_down(module, NETWORK_SOFTAP);
	module_resume(module);
}

/* What a service's variable says by now counts too, though its interface stayed up.
 * Reference: command notes, section 9 (network_restart): the answer comes before.
 * Chosen: so it is Success in any case, and a line tells why the interface stays down.
 */
static void
network_restart(struct module *module, enum network_interface interface)
{
	const char *error;

	network_bring_down(module, interface);
	error = network_bring_up(module, interface);
	if (error != NULL)
		event_emit(module, EVENT_PROGRESS, "%s", error);
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		if (network_state(module, i) == NETWORK_UP)
			service_start_all(module, i);
	}
	module_resume(module);
}

static void
network_restart_wlan(struct module *module)
{
	network_restart(module, NETWORK_WLAN);
}

static void
network_restart_softap(struct module *module)
{
	network_restart(module, NETWORK_SOFTAP);
}

const struct module_step *
network_step_down(enum network_interface interface)
{
	static const struct module_step steps[NETWORK_INTERFACES] = {
		[NETWORK_WLAN] = { MODULE_PAUSED, network_down_wlan },
		[NETWORK_SOFTAP] = { MODULE_PAUSED, network_down_softap },
	};

	return &steps[interface];
}

const struct module_step *
network_step_restart(enum network_interface interface)
{
	static const struct module_step steps[NETWORK_INTERFACES] = {
		[NETWORK_WLAN] = { MODULE_PAUSED, network_restart_wlan },
		[NETWORK_SOFTAP] = { MODULE_PAUSED, network_restart_softap },
	};

	return &steps[interface];
}

struct network_wait *
network_wait_start(struct module *module, enum network_interface interface,
    network_waited *done, void *arg)
{
	struct network_wait *wait = xcalloc(1, sizeof *wait);

	wait->module = module;
	wait->interface = network_resolve(module, interface);
	wait->done = done;
	wait->arg = arg;
	TAILQ_INSERT_TAIL(&network_get(module)->waits, wait, entry);
	return wait;
}

void
network_wait_cancel(struct network_wait *wait)
{
	TAILQ_REMOVE(&wait->module->network->waits, wait, entry);
	free(wait);
}

void
network_boot(struct module *module)
{
	network_get(module);
	if (module->network->radio == NULL) {
		network_bring_up(module, NETWORK_WLAN);
		return;
	}
	wlan_reset(module->network->wlan);
	if (variable_is_on(module, "softap.auto_start"))
		module->network->softap_waits =
		    network_bring_up(module, NETWORK_SOFTAP) != NULL;
	if (variable_is_on(module, "wlan.auto_join.enabled"))
		network_bring_up_unless(module, NETWORK_WLAN, true);
}

void
network_take_down(struct module *module)
{
	network_bring_down(module, NETWORK_SOFTAP);
	network_bring_down(module, NETWORK_WLAN);
}

void
network_vanish(struct module *module)
{
	struct network *network = module->network;

	if (network == NULL || network->radio == NULL)
		return;
	network->radio->ops->vanish(network->radio);
	network->softap_waits = false;
	wlan_leave(network->wlan);
	softap_stop(network->softap);
	network_interface_drop(module, NETWORK_SOFTAP);
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		/* Not up, so nothing is said of its end. */
		network->links[i].state = NETWORK_JOINING;
		network_went_down(module, i);
	}
}

void
network_free(struct module *module)
{
	struct network *network = module->network;

	if (network == NULL)
		return;
	wlan_free(network->wlan);
	softap_free(network->softap);
	dhcp_client_free(network->dhcp);
	network_interfaces_free(network);
	if (network->lease != NULL)
		event_free(network->lease);
	if (network->radio != NULL)
		network->radio->ops->free(network->radio);
	free(network->signals.dbm);
	free(network);
	module->network = NULL;
}
