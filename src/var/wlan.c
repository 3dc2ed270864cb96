#include "var/table.h"

#include <arpa/inet.h>
#include <string.h>

#include <event2/buffer.h>

#include "core/module.h"
#include "core/network.h"
#include "core/pins.h"
#include "core/profile.h"
#include "var/check.h"
#include "var/choices.h"

static const char *const wlan_antennas[] = { "1", "2", "auto", NULL };
static const char *const wlan_scan_types[] = { "active", "passive", NULL };

/* Reference: network and HTTP notes, 8.1, for the kinds, and variable notes for auto
 * and for the spelling with an underline that one of them is read back with. */
static const char *const wlan_securities[] = { "auto", "open", "wep", "wpa_aes",
	"wpa_tkip", "wpa2_aes", "wpa2_mixed", "wpa2_tkip", NULL };

static void
wlan_mac_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add(out, module->mac, strlen(module->mac));
}

/* Chosen: always the same stars, so that they tell nothing of the passkey, not even
 * whether there is one. */
static void
wlan_passkey_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	const char *text = "********";

	(void)index;
	(void)modifier;
	if (!variable_is_on(module, "wlan.hide_passkey"))
		text = variable_text(module, "wlan.passkey");
	evbuffer_add(out, text, strlen(text));
}

static void
wlan_put_address(struct evbuffer *out, struct in_addr address)
{
	char text[INET_ADDRSTRLEN];

	evbuffer_add_printf(out, "%s", inet_ntop(AF_INET, &address, text, sizeof text));
}

/* Of the link, or what a module without one has for an address. */
static struct link_address
wlan_address(const struct module *module)
{
	static const struct link_address none = { .ip = { 0 } };
	const struct link_address *address = network_address(module, NETWORK_WLAN);

	return address == NULL ? none : *address;
}

static void
wlan_ip_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	wlan_put_address(out, wlan_address(module).ip);
}

static void
wlan_netmask_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	wlan_put_address(out, wlan_address(module).netmask);
}

static void
wlan_gateway_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	wlan_put_address(out, wlan_address(module).gateway);
}

static void
wlan_dns_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	wlan_put_address(out, wlan_address(module).dns);
}

static void
wlan_status_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "%u", network_wlan_status(module));
}

static void
wlan_result_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "%u", network_join_result(module));
}

static void
wlan_info_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	check_put_interface(out, module, NETWORK_WLAN);
}

/* Reference: variable notes, wlan; network and HTTP notes, 8.1. Chosen, where the
 * record is silent: auto_join.retry_delay 3 s and join.retries 3, which vendor code
 * sets; dhcp.cache_enabled off; dhcp.hostname as the soft AP's name; dhcp.timeout 20 s
 * and join.timeout 10 s, in milliseconds, which join.timeout is known to be in;
 * join.result 0 before the first join;
 * rssi_average 1, which is no averaging;
 * scan: 50 ms with probing, 150 ms without, all of the channels 1 to 13, two
 * repetitions, active, as Wi-Fi drivers do; tx_power 18 dBm, seen on a module, at
 * most 20. */
const struct variable wlan_variables[] = {
	{ .name = "wlan.antenna.select",
	    .shortcut = "wl a s",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .choices = wlan_antennas,
	    .apply = network_tune,
	    .help = "Antenna in use." },
	{ .name = "wlan.auto_join.enabled",
	    .shortcut = "wl o e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Join the network of wlan.ssid at boot." },
	{ .name = "wlan.auto_join.retries",
	    .shortcut = "wl o r",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "3",
	    .max = RANGE_8_BIT_MAX,
	    .help = "How often that is tried; 0: for ever." },
	{ .name = "wlan.auto_join.retry_delay",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "3",
	    .max = RANGE_16_BIT_MAX,
	    .help = "Seconds between two attempts." },
	{ .name = "wlan.bssid",
	    .type = VARIABLE_MAC,
	    .flags = VARIABLE_PERSISTED,
	    .help = "The only access point to join; empty: any." },
	{ .name = "wlan.dhcp.cache_enabled",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "0",
	    .apply = network_lease_tune,
	    .help =
		"Keep the address that DHCP gives, and ask for it at the next join." },
	{ .name = "wlan.dhcp.enabled",
	    .shortcut = "wl d e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "1",
	    .help = "Get the address by DHCP; off: wlan.static.* hold it." },
	{ .name = "wlan.dhcp.hostname",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "zentri",
	    .max = LENGTH_WORD_MAX,
	    .check = check_host,
	    .help = "Host name that is told to the DHCP server; empty: none." },
	{ .name = "wlan.dhcp.timeout",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "20000",
	    .min = 1,
	    .max = RANGE_16_BIT_MAX,
	    .help = "Milliseconds that DHCP may take." },
	{ .name = "wlan.hide_passkey",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .help = "Show stars instead of wlan.passkey." },
	{ .name = "wlan.info",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY,
	    .get = wlan_info_get,
	    .help = "The state of the wlan interface." },
	{ .name = "wlan.join.result",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_READONLY,
	    .max = RANGE_8_BIT_MAX,
	    .get = wlan_result_get,
	    .help = "How the last join ended; 0: well, or there was none; 1: not "
		    "found; 2: wrong "
		    "passkey; 3: no answer; 4: refused; 5: no address." },
	{ .name = "wlan.join.retries",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "3",
	    .min = 1,
	    .max = RANGE_8_BIT_MAX,
	    .help = "Attempts of one join." },
	{ .name = "wlan.join.timeout",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "10000",
	    .min = 1,
	    .max = RANGE_16_BIT_MAX,
	    .help = "Milliseconds that one attempt may take." },
	{ .name = "wlan.mac",
	    .shortcut = "wl m",
	    .type = VARIABLE_MAC,
	    .flags = VARIABLE_READONLY,
	    .get = wlan_mac_get,
	    .help = "MAC address of the module." },
	{ .name = "wlan.network.dns",
	    .flags = VARIABLE_READONLY,
	    .get = wlan_dns_get,
	    .help = "DNS servers in use." },
	{ .name = "wlan.network.gateway",
	    .shortcut = "wl n g",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_READONLY,
	    .get = wlan_gateway_get,
	    .help = "Gateway in use." },
	{ .name = "wlan.network.ip",
	    .shortcut = "wl n i",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_READONLY,
	    .get = wlan_ip_get,
	    .help = "Address in use; 0.0.0.0: none." },
	{ .name = "wlan.network.netmask",
	    .shortcut = "wl n n",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_READONLY,
	    .get = wlan_netmask_get,
	    .help = "Netmask in use." },
	{ .name = "wlan.network.status",
	    .shortcut = "wl n s",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_READONLY,
	    .max = 2,
	    .get = wlan_status_get,
	    .help = "State of the link; 0: down; 1: joined, without an address; 2: "
		    "joined." },
	{ .name = "wlan.network.status_gpio",
	    .shortcut = "wl n o",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "-1",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that is high while the network is up; -1: none." },
	{ .name = "wlan.passkey",
	    .shortcut = "wl p",
	    .flags = VARIABLE_PERSISTED | VARIABLE_SECRET,
	    .max = LENGTH_PASSKEY_MAX,
	    .check = check_passkey,
	    .get = wlan_passkey_get,
	    .help = "Passphrase of the network to join; empty: it is open." },
	{ .name = "wlan.rssi_average",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .min = 1,
	    .max = RANGE_8_BIT_MAX,
	    .help = "Measurements of the signal that are averaged." },
	{ .name = "wlan.scan.active_dwell",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "50",
	    .min = 1,
	    .max = RANGE_16_BIT_MAX,
	    .apply = network_tune,
	    .help = "Milliseconds on each channel of a scan that probes." },
	{ .name = "wlan.scan.channel_mask",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "8191",
	    .min = 1,
	    .max = 16383,
	    .apply = network_tune,
	    .help = "Channels to scan, one bit for each, channel 1 being bit 0." },
	{ .name = "wlan.scan.passive_dwell",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "150",
	    .min = 1,
	    .max = RANGE_16_BIT_MAX,
	    .apply = network_tune,
	    .help = "Milliseconds on each channel of a scan that listens." },
	{ .name = "wlan.scan.retries",
	    .shortcut = "wl s r",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "2",
	    .max = RANGE_8_BIT_MAX,
	    .help = "How often a scan is repeated." },
	{ .name = "wlan.scan.type",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "active",
	    .choices = wlan_scan_types,
	    .apply = network_tune,
	    .help = "Whether a scan probes or only listens." },
	{ .name = "wlan.security",
	    .shortcut = "wl c",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "auto",
	    .choices = wlan_securities,
	    .help = "Security of the network to join; auto: what it announces." },
	{ .name = "wlan.ssid",
	    .shortcut = "wl s",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_SSID_MAX,
	    .help = "Name of the network to join." },
	{ .name = "wlan.static.dns",
	    .shortcut = "wl t d",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0.0.0.0",
	    .help = "DNS server without DHCP." },
	{ .name = "wlan.static.gateway",
	    .shortcut = "wl t g",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0.0.0.0",
	    .help = "Gateway without DHCP." },
	{ .name = "wlan.static.ip",
	    .shortcut = "wl t i",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0.0.0.0",
	    .help = "Address without DHCP." },
	{ .name = "wlan.static.netmask",
	    .shortcut = "wl t n",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0.0.0.0",
	    .help = "Netmask without DHCP." },
	{ .name = "wlan.tx_power",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "18",
	    .max = 20,
	    .apply = network_tune,
	    .help = "Transmit power in dBm." },
	{ .name = NULL },
};
