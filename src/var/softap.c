#include "var/table.h"

#include <arpa/inet.h>

#include <event2/buffer.h>

#include "core/network.h"
#include "var/check.h"
#include "var/choices.h"

/* Chosen: the first letters of the 802.11 families that the radio knows. */
static const char *const softap_protocols[] = { "auto", "b", "g", "n", NULL };

static void
softap_info_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	check_put_interface(out, module, NETWORK_SOFTAP);
}

/* Chosen: the header; a client reads rows that begin with '#' and takes the fourth
 * field for the MAC. Reference: serial and file notes, 8. */
static void
softap_client_list_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	struct radio_station stations[RADIO_STATIONS_MAX];
	size_t count = network_clients(module, stations, RADIO_STATIONS_MAX);

	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "!  # IP               MAC\r\n");
	for (size_t i = 0; i < count; i++) {
		char address[INET_ADDRSTRLEN], mac[MAC_TEXT_SIZE];

		inet_ntop(AF_INET, &stations[i].address, address, sizeof address);
		mac_format(mac, stations[i].mac);
		evbuffer_add_printf(out, "# %2zu %-16s %s\r\n", i, address, mac);
	}
}

/* Reference: variable notes, softap. Chosen, where the record is silent:
 * captive_portal_enabled off: it is an addition of later firmware;
 * dns_server.url: any name will do that no public server has;
 * idle_timeout: the range and the unit; a client that answers is never dropped, as by
 * other access points, so 7 s harm nobody;
 * ssid "zentri": products are called after their maker, with digits of the MAC behind;
 * rate.protocol and static.netmask act as the channel and static.ip do. */
const struct variable softap_variables[] = {
	{ .name = "softap.auto_start",
	    .shortcut = "so a",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Bring the soft AP up at boot." },
	{ .name = "softap.captive_portal_enabled",
	    .shortcut = "so v",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .help = "Lead phones and computers on the soft AP to the root page." },
	{ .name = "softap.channel",
	    .shortcut = "so c",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .max = 13,
	    .help = "Radio channel; 0: the module chooses." },
	{ .name = "softap.client_list",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY,
	    .get = softap_client_list_get,
	    .help = "The clients that are connected." },
	{ .name = "softap.dhcp_server.enabled",
	    .shortcut = "so d e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "1",
	    .help = "Give addresses to the clients." },
	{ .name = "softap.dns_server.enabled",
	    .shortcut = "so n e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "1",
	    .help = "Answer the clients' name lookups." },
	{ .name = "softap.dns_server.url",
	    .shortcut = "so n u",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "zentri.softap",
	    .max = LENGTH_TEXT_MAX,
	    .check = check_hosts,
	    .help = "Host names that mean the module, separated by commas." },
	{ .name = "softap.idle_timeout",
	    .shortcut = "so t",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "7",
	    .max = RANGE_16_BIT_MAX,
	    .help =
		"Seconds after which a client that vanished is dropped; 0: never." },
	{ .name = "softap.info",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY,
	    .get = softap_info_get,
	    .help = "The state of the soft AP." },
	{ .name = "softap.passkey",
	    .shortcut = "so p",
	    .flags = VARIABLE_PERSISTED | VARIABLE_SECRET,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .max = LENGTH_PASSKEY_MAX,
	    .check = check_wpa_passkey,
	    .help = "WPA2 passphrase of the soft AP; empty: it is open." },
	{ .name = "softap.rate.protocol",
	    .shortcut = "so r p",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "auto",
	    .choices = softap_protocols,
	    .help = "The 802.11 family that the soft AP uses." },
	{ .name = "softap.ssid",
	    .shortcut = "so s",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "zentri",
	    .min = 1,
	    .max = LENGTH_SSID_MAX,
	    .help = "Name of the soft AP." },
	{ .name = "softap.static.ip",
	    .shortcut = "so s i",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "10.10.10.1",
	    .help = "Address of the module on the soft AP." },
	{ .name = "softap.static.netmask",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "255.255.255.0",
	    .help = "Netmask of the soft AP." },
	{ .name = NULL },
};
