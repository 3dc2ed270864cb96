#include "var/check.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/mac.h"
#include "base/number.h"
#include "core/module.h"

#define CHECK_PASSPHRASE_MIN 8
#define CHECK_PASSPHRASE_MAX 63
#define CHECK_KEY_DIGITS 64
#define CHECK_WEP_40_LENGTH 5

void
check_put(struct value *value, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value->text, sizeof value->text, fmt, ap);
	va_end(ap);
	value->len = strlen(value->text);
}

/* Chosen: the layout; no source shows one. */
void
check_put_interface(
    struct evbuffer *out, const struct module *module, enum network_interface interface)
{
	const char *name = network_interface_name(interface);
	const struct link_address *address = network_address(module, interface);
	char ip[INET_ADDRSTRLEN], bssid[MAC_TEXT_SIZE];
	struct radio_ap ap;

	if (address == NULL || network_access_point(module, interface, &ap) == -1) {
		evbuffer_add_printf(out, "! Interface  Status\r\n# %-10s %s\r\n", name,
		    network_state_name(network_state(module, interface)));
		return;
	}
	inet_ntop(AF_INET, &address->ip, ip, sizeof ip);
	mac_format(bssid, ap.bssid);
	evbuffer_add_printf(out,
	    "! Interface  Status  IP              MAC (BSSID)       Ch RSSI Security   "
	    "Network (SSID)\r\n# %-10s up      %-15s %s %2u %4d %-10s %s\r\n",
	    name, ip, bssid, ap.channel, ap.rssi_dbm, radio_security_name(ap.security),
	    ap.ssid);
}

static char
check_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	return c;
}

/* Copies one item of a list in its normal spelling. */
static void
check_copy_item(char *item, const char *text, size_t len)
{
	size_t used = 0;

	while (len > 0 && text[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (used > 0 || text[i] != ' ')
			item[used++] = check_lower(text[i]);
	}
	item[used] = '\0';
}

int
check_list(const struct module *module, struct value *value, check_item *is_item)
{
	char list[VARIABLE_TEXT_MAX], item[VARIABLE_TEXT_MAX];
	const char *text = value->text;
	size_t used = 0;

	if (value->len == 0)
		return 0;
	for (;;) {
		size_t len = strcspn(text, ",");

		check_copy_item(item, text, len);
		if (!is_item(module, item))
			return -1;
		/* The list never grows, so it always fits. */
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
		    used == 0 ? "" : ",", item);
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	check_put(value, "%s", list);
	return 0;
}

bool
check_is_gpio(const struct module *module, const char *text)
{
	const char *digits = text + strlen("gpio");
	int64_t pin;

	if (strncmp(text, "gpio", strlen("gpio")) != 0 || *digits < '0' ||
	    *digits > '9' || strspn(digits, "0123456789") != strlen(digits))
		return false;
	return number_parse(digits, strlen(digits), 0,
		   (int64_t)module->profile->gpios - 1, &pin) == 0;
}

bool
check_is_host(const struct module *module, const char *text)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len = strlen(text);

	(void)module;
	return len > 0 && strspn(text, bytes) == len;
}

int
check_host(const struct module *module, const char *index, struct value *value)
{
	(void)index;
	return value->len == 0 || check_is_host(module, value->text) ? 0 : -1;
}

int
check_hosts(const struct module *module, const char *index, struct value *value)
{
	(void)index;
	return check_list(module, value, check_is_host);
}

/* Chosen: besides a WPA passphrase, a key in hexadecimal digits and a WEP key of 40
 * bits; the one of 104 bits has the length of a passphrase. The two characters "\0"
 * clear the passkey, as on the module's predecessors. Reference: variable notes,
 * softap.passkey. */
int
check_passkey(const struct module *module, const char *index, struct value *value)
{
	(void)module;
	(void)index;
	if (strcmp(value->text, "\\0") == 0)
		check_put(value, "%s", "");
	if (value->len == 0 || value->len == CHECK_WEP_40_LENGTH)
		return 0;
	if (value->len == CHECK_KEY_DIGITS)
		return strspn(value->text, "0123456789abcdefABCDEF") == value->len ? 0
										   : -1;
	return value->len >= CHECK_PASSPHRASE_MIN && value->len <= CHECK_PASSPHRASE_MAX
		   ? 0
		   : -1;
}

/* Reference: variable notes, softap.passkey: a soft AP has WPA2. */
int
check_wpa_passkey(const struct module *module, const char *index, struct value *value)
{
	if (check_passkey(module, index, value) == -1)
		return -1;
	return value->len == CHECK_WEP_40_LENGTH ? -1 : 0;
}
