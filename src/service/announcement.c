#include "service/announcement.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <jansson.h>

#include "base/mac.h"
#include "base/number.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/pins.h"
#include "core/variable.h"

/* Bytes of one item of broadcast.data; its check has let no longer one in. */
#define ANNOUNCEMENT_ITEM_MAX 32

/* What an item is called; its value belongs to who asks for it. */
struct announcement_item {
	const char *name;
	json_t *(*value)(struct module *, enum network_interface);
};

/* Text as JSON. An SSID may hold bytes that are no UTF-8; '?' stands for these. */
static json_t *
announcement_text(const char *text)
{
	json_t *value = json_string(text);
	char *plain;

	if (value != NULL)
		return value;
	plain = xstrdup(text);
	for (char *at = plain; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	}
	value = json_string(plain);
	free(plain);
	return value;
}

/* Of the network that the module has joined, or of its soft AP; zeros and no name while
 * there is no radio. */
static struct radio_ap
announcement_network(const struct module *module, enum network_interface interface)
{
	struct radio_ap ap;

	if (network_access_point(module, interface, &ap) == -1)
		memset(&ap, 0, sizeof ap);
	return ap;
}

static json_t *
announcement_bssid(struct module *module, enum network_interface interface)
{
	struct radio_ap ap = announcement_network(module, interface);
	char text[MAC_TEXT_SIZE];

	mac_format(text, ap.bssid);
	return json_string(text);
}

static json_t *
announcement_channel(struct module *module, enum network_interface interface)
{
	return json_integer(announcement_network(module, interface).channel);
}

static json_t *
announcement_ip(struct module *module, enum network_interface interface)
{
	const struct link_address *address = network_address(module, interface);
	char text[INET_ADDRSTRLEN] = "0.0.0.0";

	if (address != NULL)
		inet_ntop(AF_INET, &address->ip, text, sizeof text);
	return json_string(text);
}

/* Reference: network notes, 6.2: the station's, over the soft AP too. */
static json_t *
announcement_mac(struct module *module, enum network_interface interface)
{
	(void)interface;
	return json_string(module->mac);
}

static json_t *
announcement_terminal_port(struct module *module, enum network_interface interface)
{
	(void)interface;
	return json_integer(variable_number(module, "remote_terminal.port"));
}

static json_t *
announcement_rssi(struct module *module, enum network_interface interface)
{
	return json_integer(announcement_network(module, interface).rssi_dbm);
}

static json_t *
announcement_ssid(struct module *module, enum network_interface interface)
{
	return announcement_text(announcement_network(module, interface).ssid);
}

/* Reference: network notes, 6.2: milliseconds. */
static json_t *
announcement_time(struct module *module, enum network_interface interface)
{
	(void)interface;
	return json_integer(module_clock_us(module) / 1000);
}

static json_t *
announcement_uuid(struct module *module, enum network_interface interface)
{
	(void)interface;
	return json_string(module->uuid);
}

/* Reference: network notes, 6.2: without the board, if that stands behind it. */
static json_t *
announcement_version(struct module *module, enum network_interface interface)
{
	const char *version = module_version(module);
	const char *board = strstr(version, ", Board:");
	char *text = board == NULL ? xstrdup(version)
				   : xmemdup(version, (size_t)(board - version));
	json_t *value = announcement_text(text);

	(void)interface;
	free(text);
	return value;
}

static const struct announcement_item announcement_items[] = {
	{ "bssid", announcement_bssid },
	{ "channel", announcement_channel },
	{ "ip", announcement_ip },
	{ "mac", announcement_mac },
	{ "remote_terminal_port", announcement_terminal_port },
	{ "rssi", announcement_rssi },
	{ "ssid", announcement_ssid },
	{ "time", announcement_time },
	{ "uuid", announcement_uuid },
	{ "version", announcement_version },
};

/* The value of an item: one of the table, or a pin: "gpio3". */
static json_t *
announcement_value(
    struct module *module, enum network_interface interface, const char *name)
{
	const char *digits = name + strlen("gpio");
	int64_t pin;

	for (size_t i = 0; i < sizeof announcement_items / sizeof announcement_items[0];
	     i++) {
		if (strcmp(announcement_items[i].name, name) == 0)
			return announcement_items[i].value(module, interface);
	}
	if (strncmp(name, "gpio", strlen("gpio")) != 0 ||
	    number_parse(digits, strlen(digits), 0, module->profile->gpios - 1, &pin) ==
		-1)
		return NULL;
	return json_integer(pins_level(module, (unsigned)pin));
}

void
announcement_write(
    struct module *module, enum network_interface interface, struct evbuffer *out)
{
	const char *list = variable_text(module, "broadcast.data");
	const char *line_end = module->profile->announcement_line_end, *before = "{";

	while (*list != '\0') {
		size_t len = strcspn(list, ",");
		char name[ANNOUNCEMENT_ITEM_MAX + 1], *text;
		json_t *value;

		snprintf(name, sizeof name, "%.*s", (int)len, list);
		list += len + (list[len] == ',');
		value = announcement_value(module, interface, name);
		text = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY);
		if (text != NULL) {
			evbuffer_add_printf(out, "%s\"%s\":%s", before, name, text);
			before = *line_end == '\0' ? "," : ",\r\n";
		}
		free(text);
		json_decref(value);
	}
	evbuffer_add_printf(out, "%s%s}", *before == '{' ? "{" : "", line_end);
}
