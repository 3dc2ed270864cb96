#include "device/radio.h"

#include <string.h>
#include <strings.h>

static const char *const radio_securities[RADIO_SECURITIES] = {
	[RADIO_OPEN] = "Open",
	[RADIO_WEP] = "WEP",
	[RADIO_WPA_AES] = "WPA-AES",
	[RADIO_WPA_TKIP] = "WPA-TKIP",
	[RADIO_WPA2_AES] = "WPA2-AES",
	[RADIO_WPA2_MIXED] = "WPA2-Mixed",
	[RADIO_WPA2_TKIP] = "WPA2-TKIP",
};

const char *
radio_security_name(enum radio_security security)
{
	return security < RADIO_SECURITIES ? radio_securities[security] : "auto";
}

int
radio_security_parse(const char *text)
{
	if (strcasecmp(text, "auto") == 0)
		return RADIO_SECURITY_ANY;
	for (int i = 0; i < RADIO_SECURITIES; i++) {
		const char *name = radio_securities[i], *given = text;

		while (*name != '\0' && (strncasecmp(name, given, 1) == 0 ||
					    (*name == '-' && *given == '_'))) {
			name++;
			given++;
		}
		if (*name == '\0' && *given == '\0')
			return i;
	}
	return -1;
}

bool
radio_is_wifi(const struct radio *radio, enum radio_role role)
{
	return radio->ops->is_wifi == NULL || radio->ops->is_wifi(radio, role);
}

void
radio_insert(struct radio_ap aps[], size_t *count, const struct radio_ap *ap)
{
	size_t at = *count;

	while (at > 0 && aps[at - 1].rssi_dbm < ap->rssi_dbm)
		at--;
	if (at == RADIO_SCAN_MAX)
		return;
	if (*count < RADIO_SCAN_MAX)
		++*count;
	memmove(&aps[at + 1], &aps[at], (*count - at - 1) * sizeof *ap);
	aps[at] = *ap;
}
