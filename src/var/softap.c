#include "var/table.h"

#include <stddef.h>

#include <event2/buffer.h>

#include "var/check.h"
#include "var/choices.h"

/* Chosen: the first letters of the 802.11 families that the radio knows. */
static const char *const softap_protocols[] = { "auto", "b", "g", "n", NULL };

/* Chosen: the layout; no source shows one. */
static void
softap_info_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)module;
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "! Interface  Status\r\n# softap     down\r\n");
}

/* Chosen: the header; a client reads rows that begin with '#' and takes the fourth
 * field for the MAC. Reference: serial and file notes, 8. */
static void
softap_client_list_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)module;
	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "!  # IP               MAC\r\n");
}

/* Reference: variable notes, softap. Chosen, where the record is silent:
 * captive_portal_enabled off: it is an addition of later firmware;
 * dns_server.url: any name will do that no public server has;
 * idle_timeout: the range;
 * ssid "zentri": products are called after their maker, with digits of the MAC behind;
 * rate.protocol and static.netmask act as the channel and static.ip do. */
const struct variable softap_variables[] = {
	{ .name = "softap.auto_start",
	    .shortcut = "so a",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Bring the soft AP up at boot." },
	{ .name = "softap.captive_portal_enabled",
	    .shortcut = "so v",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .initial = "0",
	    .help = "Lead phones and computers on the soft AP to the root page." },
	{ .name = "softap.channel",
	    .shortcut = "so c",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .max = 13,
	    .help = "Radio channel; 0: the module chooses." },
	{ .name = "softap.client_list",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY | VARIABLE_LATER,
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
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "7",
	    .max = RANGE_16_BIT_MAX,
	    .help = "Time after which an idle client is dropped." },
	{ .name = "softap.info",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY | VARIABLE_LATER,
	    .get = softap_info_get,
	    .help = "The state of the soft AP." },
	{ .name = "softap.passkey",
	    .shortcut = "so p",
	    .flags = VARIABLE_PERSISTED | VARIABLE_SECRET | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .max = LENGTH_PASSKEY_MAX,
	    .check = check_passkey,
	    .help = "WPA2 passphrase of the soft AP; empty: it is open." },
	{ .name = "softap.rate.protocol",
	    .shortcut = "so r p",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "auto",
	    .choices = softap_protocols,
	    .help = "The 802.11 family that the soft AP uses." },
	{ .name = "softap.ssid",
	    .shortcut = "so s",
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "zentri",
	    .min = 1,
	    .max = LENGTH_SSID_MAX,
	    .help = "Name of the soft AP." },
	{ .name = "softap.static.ip",
	    .shortcut = "so s i",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "10.10.10.1",
	    .help = "Address of the module on the soft AP." },
	{ .name = "softap.static.netmask",
	    .type = VARIABLE_IPV4,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "255.255.255.0",
	    .help = "Netmask of the soft AP." },
	{ .name = NULL },
};
