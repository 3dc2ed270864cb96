#include "core/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/network_state.h"
#include "core/setup.h"
#include "core/variable.h"
#include "link/dhcp_server.h"

/* The links of a module with a radio: from the variables to the state machines of
 * link/, and from those to lines and states. */

/* Chosen: more than the attempts and DHCP themselves take, for a probe and the turn of
 * others. */
#define NETWORK_MARGIN_MS 5000

/* Between two joins, however little wlan.auto_join.retry_delay says: without a pause a
 * network that is not there would keep the loop busy. */
#define NETWORK_PAUSE_LEAST_MS 100

/* For text of a bounded variable. */
static void
network_copy_text(char *to, size_t size, const struct module *module, const char *name)
{
	snprintf(to, size, "%s", variable_text(module, name));
}

static struct in_addr
network_ipv4(const struct module *module, const char *name)
{
	struct in_addr address = { 0 };

	inet_pton(AF_INET, variable_text(module, name), &address);
	return address;
}

void
network_static_address(const struct module *module, struct link_address *address)
{
	memset(address, 0, sizeof *address);
	address->ip = network_ipv4(module, "wlan.static.ip");
	address->netmask = network_ipv4(module, "wlan.static.netmask");
	address->gateway = network_ipv4(module, "wlan.static.gateway");
	address->dns = network_ipv4(module, "wlan.static.dns");
}

static void
network_read_wlan(
    const struct module *module, bool is_auto, struct wlan_settings *settings)
{
	memset(settings, 0, sizeof *settings);
	network_copy_text(settings->ssid, sizeof settings->ssid, module, "wlan.ssid");
	network_copy_text(
	    settings->passkey, sizeof settings->passkey, module, "wlan.passkey");
	settings->has_bssid =
	    mac_parse(variable_text(module, "wlan.bssid"), settings->bssid) == 0;
	settings->security = (enum radio_security)radio_security_parse(
	    variable_text(module, "wlan.security"));
	settings->scan_retries = (unsigned)variable_number(module, "wlan.scan.retries");
	settings->attempts = (unsigned)variable_number(module, "wlan.join.retries");
	settings->timeout_ms = (unsigned)variable_number(module, "wlan.join.timeout");
	settings->joins =
	    is_auto ? (unsigned)variable_number(module, "wlan.auto_join.retries") : 1;
	settings->pause_ms =
	    (unsigned)variable_number(module, "wlan.auto_join.retry_delay") * 1000;
	if (settings->pause_ms < NETWORK_PAUSE_LEAST_MS)
		settings->pause_ms = NETWORK_PAUSE_LEAST_MS;
	settings->has_dhcp = variable_is_on(module, "wlan.dhcp.enabled");
	settings->dhcp_timeout_ms =
	    (unsigned)variable_number(module, "wlan.dhcp.timeout");
	network_static_address(module, &settings->address);
}

/* Reference: command notes, section 9 (network_up): refused without an SSID; the words
 * are likely, not known. */
const char *
network_join(struct module *module, bool is_auto)
{
	const struct radio *radio = module->network->radio;
	struct wlan *wlan = module->network->wlan;
	struct wlan_settings settings;
	const char *name = "";

	if (radio->ops->interface != NULL) {
		name = radio->ops->interface(radio, RADIO_STATION);
		if (name == NULL)
			return "No interface for wlan";
	}
	if (radio_is_wifi(radio, RADIO_STATION) &&
	    *variable_text(module, "wlan.ssid") == '\0')
		return "SSID not set";
	/* In the pause of an auto join, the next attempt comes at once. */
	if (wlan_state(wlan) == WLAN_PAUSING)
		is_auto = true;
	else if (wlan_state(wlan) != WLAN_IDLE)
		return NULL;
	network_read_wlan(module, is_auto, &settings);
	/* Chosen: a network without a name is called after its interface. */
	if (settings.ssid[0] == '\0')
		snprintf(settings.ssid, sizeof settings.ssid, "%s", name);
	wlan_join(wlan, &settings);
	return NULL;
}

static void
network_wlan_news(void *arg, enum wlan_news news, const char *text)
{
	struct module *module = arg;

	/* Reference: network notes, 8.1. */
	switch (news) {
	case WLAN_NEWS_ASSOCIATING:
		event_emit(module, EVENT_ASSOCIATING, "%s", text);
		break;
	case WLAN_NEWS_PROBED:
		event_emit(
		    module, EVENT_PROGRESS, "Security type from probe: %s", text);
		break;
	case WLAN_NEWS_DHCP:
		event_emit(module, EVENT_PROGRESS, "Obtaining IPv4 address via DHCP");
		network_changed(module);
		break;
	case WLAN_NEWS_ADDRESS:
		event_emit(module, EVENT_PROGRESS, "IPv4 address: %s", text);
		break;
	}
}

static void
network_wlan_up(void *arg, const struct link_address *address)
{
	network_went_up(arg, NETWORK_WLAN, address);
}

/* Reference: network notes, 8.1: "Join failed" is known; the line with the reason is
 * not. */
static void
network_wlan_failed(void *arg, enum wlan_result result, bool again)
{
	struct module *module = arg;

	event_emit(module, EVENT_PROGRESS, "%s", wlan_result_text(result));
	event_emit(module, EVENT_PROGRESS, "Join failed");
	network_failed(module, NETWORK_WLAN, again);
}

/* Chosen: a lost network is joined again where it would be joined at boot. */
static void
network_wlan_lost(void *arg)
{
	struct module *module = arg;
	bool held = module_hold(module);

	network_went_down(module, NETWORK_WLAN);
	if (network_state(module, NETWORK_WLAN) == NETWORK_DOWN &&
	    variable_is_on(module, "wlan.auto_join.enabled") &&
	    network_join(module, true) == NULL)
		network_failed(module, NETWORK_WLAN, true);
	module_release(module, held);
}

void
network_lose_address(struct module *module)
{
	wlan_leave(module->network->wlan);
	network_wlan_lost(module);
}

static const struct wlan_ops network_wlan_ops = {
	.news = network_wlan_news,
	.obtain = network_obtain,
	.forget = network_forget,
	.up = network_wlan_up,
	.failed = network_wlan_failed,
	.lost = network_wlan_lost,
};

const char *
network_start_softap(struct module *module)
{
	struct network *network = module->network;
	const struct setup *setup = module->setup;
	/* Clients reach no other network through it, and the module none of theirs. */
	const struct link_address address = { .ip = network_ipv4(
						  module, "softap.static.ip"),
		.netmask = network_ipv4(module, "softap.static.netmask") };
	const struct softap_settings settings = {
		.ap = { .ssid = setup != NULL ? setup->ssid
					      : variable_text(module, "softap.ssid"),
		    .passkey = setup != NULL ? setup->passkey
					     : variable_text(module, "softap.passkey"),
		    .channel = (unsigned)variable_number(module, "softap.channel"),
		    .rate_100kbps = network_softap_rate(module) },
		.address = { .ip = network_ipv4(module, "softap.static.ip"),
		    .netmask = network_ipv4(module, "softap.static.netmask"),
		    .gateway = network_ipv4(module, "softap.static.ip"),
		    .dns = network_ipv4(module, "softap.static.ip") },
		.idle_timeout_s =
		    (unsigned)variable_number(module, "softap.idle_timeout"),
	};
	const char *error = NULL;

	if (network->links[NETWORK_SOFTAP].state != NETWORK_DOWN)
		return NULL;
	network->softap_waits = false;
	if (network->interfaces[NETWORK_SOFTAP] != NULL)
		error = network_interface_host(module, &address);
	else if (network->radio->ops->interface != NULL)
		error = "No interface for softap";
	if (error == NULL)
		softap_start(network->softap, &settings);
	return error;
}

static void
network_softap_up(void *arg, const struct link_address *address)
{
	network_went_up(arg, NETWORK_SOFTAP, address);
}

static void
network_softap_changed(void *arg)
{
	network_changed(arg);
}

static const struct softap_ops network_softap_ops = {
	.up = network_softap_up,
	.changed = network_softap_changed,
};

static void
network_radio_lost(void *arg)
{
	const struct module *module = arg;

	wlan_lost(module->network->wlan);
}

static void
network_radio_station_came(void *arg, const uint8_t mac[MAC_OCTETS])
{
	const struct module *module = arg;

	softap_station_came(module->network->softap, mac);
}

static void
network_radio_station_left(void *arg, const uint8_t mac[MAC_OCTETS], bool silently)
{
	const struct module *module = arg;

	softap_station_left(module->network->softap, mac, silently);
}

/* Its services go with the addresses that the interface had. */
static void
network_radio_host_gone(void *arg)
{
	struct module *module = arg;

	if (network_state(module, NETWORK_SOFTAP) == NETWORK_DOWN)
		return;
	log_msg(LOG_WARNING, module->own->name,
	    "the interface of softap is gone; it starts again when there is one");
	network_bring_down(module, NETWORK_SOFTAP);
	module->network->softap_waits = true;
}

static void
network_radio_host_came(void *arg)
{
	struct module *module = arg;

	/* One that goes again at once is waited for, too. */
	if (module->network->softap_waits)
		module->network->softap_waits =
		    network_bring_up(module, NETWORK_SOFTAP) != NULL;
}

static const struct radio_events network_radio_events = {
	.lost = network_radio_lost,
	.station_came = network_radio_station_came,
	.station_left = network_radio_station_left,
	.host_gone = network_radio_host_gone,
	.host_came = network_radio_host_came,
};

void
network_attach(struct module *module, struct radio *radio)
{
	struct network *network = network_get(module);

	network->radio = radio;
	radio->events = &network_radio_events;
	radio->arg = radio->owner = module;
	network->wlan = wlan_new(module->base, radio, &network_wlan_ops, module);
	network->softap = softap_new(module->base, radio, &network_softap_ops, module);
	network->lease = xcheck(event_new(module->base, -1, 0, network_lease, module));
	network_interfaces_new(module);
}

int
network_access_point(
    const struct module *module, enum network_interface interface, struct radio_ap *ap)
{
	const struct radio *radio = network_radio(module);

	if (radio == NULL || network_state(module, interface) != NETWORK_UP)
		return -1;
	if (interface == NETWORK_SOFTAP)
		return radio->ops->hosted(radio, ap);
	if (radio->ops->joined(radio, ap) == -1)
		return -1;
	ap->rssi_dbm = network_average(module, ap->rssi_dbm);
	return 0;
}

/* Reference: variable notes, wlan.network.status: 2 is up. Chosen: 1 without an
 * address.
 */
unsigned
network_wlan_status(const struct module *module)
{
	if (network_state(module, NETWORK_WLAN) == NETWORK_UP)
		return 2;
	return network_radio(module) != NULL &&
	       wlan_state(module->network->wlan) == WLAN_ADDRESSING;
}

unsigned
network_join_result(const struct module *module)
{
	return network_radio(module) == NULL
		   ? 0
		   : (unsigned)wlan_result(module->network->wlan);
}

/* Behind a cable those are known that were given an address. */
static size_t
network_leased_clients(
    const struct module *module, struct radio_station *stations, size_t max)
{
	int64_t now_ms = clock_monotonic_ms();
	size_t position = 0, count = 0;
	struct dhcp_binding binding;

	while (count < max && module->dhcp_server != NULL &&
	       dhcp_server_binding_next(
		   module->dhcp_server, &position, now_ms, &binding)) {
		memcpy(stations[count].mac, binding.mac, MAC_OCTETS);
		stations[count++].address = binding.address;
	}
	return count;
}

/* The addresses of those whose radio does not know them. */
static void
network_find_addresses(
    const struct module *module, struct radio_station *stations, size_t count)
{
	struct radio_station leased[RADIO_STATIONS_MAX];
	size_t leases = network_leased_clients(module, leased, RADIO_STATIONS_MAX);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < leases; j++) {
			if (memcmp(stations[i].mac, leased[j].mac, MAC_OCTETS) == 0)
				stations[i].address = leased[j].address;
		}
	}
}

size_t
network_clients(const struct module *module, struct radio_station *stations, size_t max)
{
	const struct radio *radio = network_radio(module);
	size_t count;

	if (radio == NULL)
		return 0;
	if (!radio_is_wifi(radio, RADIO_AP))
		return network_leased_clients(module, stations, max);
	count = softap_clients(module->network->softap, stations, max);
	if (module->network->interfaces[NETWORK_SOFTAP] != NULL)
		network_find_addresses(module, stations, count);
	return count;
}

struct radio *
network_radio(const struct module *module)
{
	return module->network == NULL ? NULL : module->network->radio;
}

unsigned
network_timeout_ms(const struct module *module, enum network_interface interface)
{
	struct wlan_settings settings;
	unsigned scan_ms = 0;

	(void)interface;
	network_read_wlan(module, false, &settings);
	if (network_radio(module) != NULL)
		scan_ms = network_radio(module)->manner.dwell_ms * RADIO_CHANNEL_MAX;
	return wlan_timeout_ms(&settings) + (settings.scan_retries + 1) * scan_ms +
	       NETWORK_MARGIN_MS;
}
