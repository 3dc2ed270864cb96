#include "device/wpa_text.h"

#include <string.h>

#include "base/number.h"

#define WPA_FIRST_MHZ 2412 /* channel 1. IEEE 802.11, 15.4.4.3 */
#define WPA_STEP_MHZ 5
#define WPA_LAST_MHZ 2484 /* channel 14, which stands alone */

#define WPA_NAME_MAX 32 /* bytes of the name in a line */
#define WPA_NUMBER_MAX 24 /* bytes of a number */
#define WPA_FLAGS_MAX 256

/* The place behind "name=" at the beginning of a line, or NULL. */
static const char *
wpa_text_find(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text != NULL && *text != '\0') {
		if (strncmp(text, name, len) == 0 && text[len] == '=')
			return text + len + 1;
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return NULL;
}

bool
wpa_text_value(const char *text, const char *name, char *value, size_t size)
{
	const char *found = wpa_text_find(text, name);
	size_t len;

	if (found == NULL)
		return false;
	len = strcspn(found, "\n");
	if (len >= size)
		return false;
	memcpy(value, found, len);
	value[len] = '\0';
	return true;
}

bool
wpa_text_number(
    const char *text, const char *name, int64_t min, int64_t max, int64_t *out)
{
	char value[WPA_NUMBER_MAX];

	return wpa_text_value(text, name, value, sizeof value) &&
	       number_parse(value, strlen(value), min, max, out) == 0;
}

/* The value of a hexadecimal digit, or -1. */
static int
wpa_text_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* The octet of two digits, or -1. */
static int
wpa_text_octet(const char *digits)
{
	int high = wpa_text_digit(digits[0]);
	int low = high == -1 ? -1 : wpa_text_digit(digits[1]);

	return low == -1 ? -1 : high << 4 | low;
}

/* The byte behind a backslash; *text is left behind it. -1: there is none. */
static int
wpa_text_escape(const char **text)
{
	static const char names[] = "\\\"nrte", bytes[] = "\\\"\n\r\t\033";
	const char *name;
	int octet;

	if (**text == 'x') {
		octet = wpa_text_octet(*text + 1);
		if (octet != -1)
			*text += 3;
		return octet;
	}
	name = **text == '\0' ? NULL : strchr(names, **text);
	if (name == NULL)
		return -1;
	(*text)++;
	return bytes[name - names];
}

int
wpa_text_ssid(const char *escaped, char ssid[RADIO_SSID_MAX + 1])
{
	bool is_hidden = false;
	size_t len = 0;

	while (*escaped != '\0') {
		int byte = (unsigned char)*escaped++;

		if (byte == '\\')
			byte = wpa_text_escape(&escaped);
		if (byte == -1 || len == RADIO_SSID_MAX)
			return -1;
		is_hidden |= byte == 0;
		ssid[len++] = (char)byte;
	}
	ssid[is_hidden ? 0 : len] = '\0';
	return 0;
}

/* Whether one of the flags begins with that word and speaks of the cipher. */
static bool
wpa_text_flag(const char *flags, const char *word, const char *cipher)
{
	size_t len = strlen(word);

	for (; (flags = strchr(flags, '[')) != NULL; flags++) {
		const char *found = strstr(flags, cipher);

		if (strncmp(flags + 1, word, len) == 0 && found != NULL &&
		    found < flags + strcspn(flags, "]"))
			return true;
	}
	return false;
}

enum radio_security
wpa_text_security(const char *flags)
{
	static const char *const newer[] = { "WPA2-", "WPA3-", "RSN-" };
	bool has_newer = false, has_aes = false, has_tkip = false;

	for (size_t i = 0; i < sizeof newer / sizeof newer[0]; i++) {
		has_newer |= wpa_text_flag(flags, newer[i], "");
		has_aes |= wpa_text_flag(flags, newer[i], "CCMP");
		has_tkip |= wpa_text_flag(flags, newer[i], "TKIP");
	}
	if (has_newer && (wpa_text_flag(flags, "WPA-", "") || (has_aes && has_tkip)))
		return RADIO_WPA2_MIXED;
	if (has_newer)
		return has_tkip ? RADIO_WPA2_TKIP : RADIO_WPA2_AES;
	if (wpa_text_flag(flags, "WPA-", ""))
		return wpa_text_flag(flags, "WPA-", "CCMP") ? RADIO_WPA_AES
							    : RADIO_WPA_TKIP;
	return strstr(flags, "[WEP") != NULL ? RADIO_WEP : RADIO_OPEN;
}

unsigned
wpa_text_channel(int64_t mhz)
{
	for (unsigned channel = 1; channel <= RADIO_CHANNEL_MAX; channel++) {
		if (wpa_text_mhz(channel) == mhz)
			return channel;
	}
	return 0;
}

unsigned
wpa_text_mhz(unsigned channel)
{
	return channel == RADIO_CHANNEL_MAX
		   ? WPA_LAST_MHZ
		   : WPA_FIRST_MHZ + (channel - 1) * WPA_STEP_MHZ;
}

/* The highest rate that the elements of a beacon name: the rates of b and g, and n as a
 * whole. IEEE 802.11, 9.4.2.3, 9.4.2.13 and 9.4.2.55 */
static unsigned
wpa_text_rate(const char *digits)
{
	enum { RATES = 1, HT = 45, MORE_RATES = 50 };
	unsigned rate = 0;
	int element, len;

	while ((element = wpa_text_octet(digits)) != -1 &&
	       (len = wpa_text_octet(digits + 2)) != -1) {
		digits += 4;
		for (; len > 0; len--, digits += 2) {
			int octet = wpa_text_octet(digits);

			if (octet == -1)
				return rate;
			if (element == HT)
				rate = RADIO_RATE_100KBPS;
			else if ((element == RATES || element == MORE_RATES) &&
				 (octet & 0x7F) * 5u > rate && (octet & 0x7F) <= 108)
				rate = (octet & 0x7F) * 5u;
		}
	}
	return rate;
}

int
wpa_text_bss(const char *text, struct wpa_bss *bss)
{
	char ssid[RADIO_SSID_MAX * 4 + 1], flags[WPA_FLAGS_MAX], mac[MAC_TEXT_SIZE];
	const char *elements = wpa_text_find(text, "ie");
	int64_t mhz = 0, level = 0;

	memset(bss, 0, sizeof *bss);
	if (!wpa_text_number(text, "id", 0, UINT32_MAX, &bss->id))
		return -1;
	wpa_text_number(text, "freq", 0, UINT32_MAX, &mhz);
	wpa_text_number(text, "level", -127, 0, &level);
	wpa_text_number(text, "age", 0, UINT32_MAX, &bss->age_s);
	bss->ap.channel = wpa_text_channel(mhz);
	bss->ap.rssi_dbm = (int)level;
	/* What cannot be read is passed over as if it were in another band. */
	if (!wpa_text_value(text, "ssid", ssid, sizeof ssid) ||
	    wpa_text_ssid(ssid, bss->ap.ssid) == -1 ||
	    !wpa_text_value(text, "bssid", mac, sizeof mac) ||
	    mac_parse(mac, bss->ap.bssid) == -1 ||
	    !wpa_text_value(text, "flags", flags, sizeof flags))
		bss->ap.channel = 0;
	else
		bss->ap.security = wpa_text_security(flags);
	if (elements != NULL)
		bss->ap.rate_100kbps = wpa_text_rate(elements);
	return 0;
}

/* From the words of STATUS, which are others than those of a scan. */
static enum radio_security
wpa_text_status_security(const char *text)
{
	char keys[WPA_NAME_MAX] = "", pairwise[WPA_NAME_MAX] = "",
	     group[WPA_NAME_MAX] = "";
	bool is_aes;

	wpa_text_value(text, "key_mgmt", keys, sizeof keys);
	wpa_text_value(text, "pairwise_cipher", pairwise, sizeof pairwise);
	wpa_text_value(text, "group_cipher", group, sizeof group);
	is_aes = strcmp(pairwise, "CCMP") == 0;
	if (strcmp(keys, "NONE") == 0)
		return strncmp(group, "WEP", 3) == 0 ? RADIO_WEP : RADIO_OPEN;
	if (strncmp(keys, "WPA-", 4) == 0)
		return is_aes ? RADIO_WPA_AES : RADIO_WPA_TKIP;
	if (is_aes)
		return strcmp(group, "TKIP") == 0 ? RADIO_WPA2_MIXED : RADIO_WPA2_AES;
	return RADIO_WPA2_TKIP;
}

int
wpa_text_status(const char *text, struct radio_ap *ap)
{
	char ssid[RADIO_SSID_MAX * 4 + 1], mac[MAC_TEXT_SIZE];
	int64_t mhz;

	if (!wpa_text_value(text, "ssid", ssid, sizeof ssid) ||
	    wpa_text_ssid(ssid, ap->ssid) == -1 ||
	    !wpa_text_value(text, "bssid", mac, sizeof mac) ||
	    mac_parse(mac, ap->bssid) == -1 ||
	    !wpa_text_number(text, "freq", 0, UINT32_MAX, &mhz))
		return -1;
	ap->channel = wpa_text_channel(mhz);
	ap->security = wpa_text_status_security(text);
	return 0;
}

/* One attribute of WPS: its number, its length, and the digits of its octets. */
struct wpa_attribute {
	unsigned number;
	size_t len;
	const char *digits;
};

/* 0, or -1: there is no whole one. *digits is left behind it. */
static int
wpa_text_attribute(const char **digits, struct wpa_attribute *attribute)
{
	unsigned head[4];

	for (unsigned i = 0; i < 4; i++) {
		int octet = wpa_text_octet(*digits);

		if (octet == -1)
			return -1;
		head[i] = (unsigned)octet;
		*digits += 2;
	}
	attribute->number = head[0] << 8 | head[1];
	attribute->len = (size_t)head[2] << 8 | head[3];
	attribute->digits = *digits;
	if (strspn(*digits, "0123456789abcdefABCDEF") < attribute->len * 2)
		return -1;
	*digits += attribute->len * 2;
	return 0;
}

/* Its octets as text. 0, or -1: too many, or a zero among them. */
static int
wpa_text_of_attribute(const struct wpa_attribute *attribute, char *text, size_t max)
{
	if (attribute->len > max)
		return -1;
	for (size_t i = 0; i < attribute->len; i++) {
		text[i] = (char)wpa_text_octet(attribute->digits + 2 * i);
		if (text[i] == '\0')
			return -1;
	}
	text[attribute->len] = '\0';
	return 0;
}

/* Wi-Fi Simple Configuration, 12: the numbers, and the bits of the ways to
 * authenticate. */
int
wpa_text_credential(const char *digits, struct wpa_credential *credential)
{
	enum {
		CREDENTIAL = 0x100E,
		AUTHENTICATION = 0x1003,
		KEY = 0x1027,
		ADDRESS = 0x1020,
		SSID = 0x1045,
		WPA_PSK = 0x02,
		WPA2_PSK = 0x20
	};
	struct wpa_attribute attribute;
	int ways = 0;

	memset(credential, 0, sizeof *credential);
	if (wpa_text_attribute(&digits, &attribute) == -1 ||
	    attribute.number != CREDENTIAL)
		return -1;
	/* What is in the credential follows; another one behind it counts for nothing.
	 */
	digits = attribute.digits;
	while (wpa_text_attribute(&digits, &attribute) == 0 &&
	       attribute.number != CREDENTIAL) {
		if (attribute.number == SSID) {
			if (wpa_text_of_attribute(
				&attribute, credential->ap.ssid, RADIO_SSID_MAX) == -1)
				return -1;
		} else if (attribute.number == KEY) {
			if (wpa_text_of_attribute(
				&attribute, credential->passkey, WPA_KEY_MAX) == -1)
				return -1;
		} else if (attribute.number == AUTHENTICATION && attribute.len == 2) {
			ways = wpa_text_octet(attribute.digits + 2);
		} else if (attribute.number == ADDRESS && attribute.len == MAC_OCTETS) {
			for (size_t i = 0; i < MAC_OCTETS; i++)
				credential->ap.bssid[i] =
				    (uint8_t)wpa_text_octet(attribute.digits + 2 * i);
		}
	}
	credential->ap.security = (ways & WPA2_PSK) != 0  ? RADIO_WPA2_AES
				  : (ways & WPA_PSK) != 0 ? RADIO_WPA_TKIP
							  : RADIO_OPEN;
	return credential->ap.ssid[0] == '\0' ? -1 : 0;
}

void
wpa_text_digits(char *digits, const void *octets, size_t count)
{
	static const char names[] = "0123456789abcdef";
	const uint8_t *octet = octets;

	for (size_t i = 0; i < count; i++) {
		*digits++ = names[octet[i] >> 4];
		*digits++ = names[octet[i] & 0x0F];
	}
	*digits = '\0';
}

bool
wpa_text_is_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == '\x7F')
			return false;
	}
	return true;
}

/* Events */

static const struct {
	const char *name;
	enum wpa_event_kind kind;
} wpa_events[] = {
	{ "CTRL-EVENT-SCAN-RESULTS", WPA_EVENT_SCANNED },
	{ "CTRL-EVENT-SCAN-FAILED", WPA_EVENT_SCAN_FAILED },
	{ "CTRL-EVENT-CONNECTED", WPA_EVENT_CONNECTED },
	{ "CTRL-EVENT-DISCONNECTED", WPA_EVENT_DISCONNECTED },
	{ "CTRL-EVENT-NETWORK-NOT-FOUND", WPA_EVENT_NOT_FOUND },
	{ "CTRL-EVENT-SSID-TEMP-DISABLED", WPA_EVENT_WRONG_KEY },
	{ "WPA: 4-Way Handshake failed", WPA_EVENT_WRONG_KEY },
	{ "CTRL-EVENT-ASSOC-REJECT", WPA_EVENT_FULL },
	{ "CTRL-EVENT-AUTH-REJECT", WPA_EVENT_FULL },
	{ "WPS-CRED-RECEIVED ", WPA_EVENT_CREDENTIAL },
	{ "WPS-OVERLAP-DETECTED", WPA_EVENT_OVERLAP },
	{ "WPS-FAIL", WPA_EVENT_WPS_FAILED },
	{ "WPS-TIMEOUT", WPA_EVENT_WPS_FAILED },
	{ "AP-STA-CONNECTED ", WPA_EVENT_STATION_CAME },
	{ "AP-STA-DISCONNECTED ", WPA_EVENT_STATION_LEFT },
};

/* The last " name=number" of a line, or -1: an SSID may stand before it, and hold
 * anything. */
static int64_t
wpa_text_last(const char *line, const char *name)
{
	const char *found = NULL, *next = line;
	int64_t number = -1;

	while ((next = strstr(next, name)) != NULL) {
		next += strlen(name);
		found = next;
	}
	if (found != NULL && number_parse(found, strspn(found, "0123456789"), 0,
				 UINT32_MAX, &number) == -1)
		number = -1;
	return number;
}

/* "id=5" at the beginning, or "... [id=5 id_str=...]" at the end. */
static int64_t
wpa_text_event_id(const char *rest)
{
	int64_t id = wpa_text_last(rest, "[id=");

	if (id == -1 && strncmp(rest, " id=", 4) == 0 &&
	    number_parse(
		rest + 4, strspn(rest + 4, "0123456789"), 0, UINT32_MAX, &id) == -1)
		id = -1;
	return id;
}

/* Of a refusal, why. IEEE 802.11, 9.4.1.9 */
static enum wpa_event_kind
wpa_text_refusal(const char *rest)
{
	enum { NO_MORE_STATIONS = 17, CHALLENGE_FAILURE = 15 };

	switch (wpa_text_last(rest, " status_code=")) {
	case NO_MORE_STATIONS:
		return WPA_EVENT_FULL;
	case CHALLENGE_FAILURE:
		return WPA_EVENT_WRONG_KEY;
	default:
		return WPA_EVENT_OTHER;
	}
}

void
wpa_text_event(const char *line, struct wpa_event *event)
{
	static const char wrong_key[] = " reason=WRONG_KEY";
	char mac[MAC_TEXT_SIZE] = "";
	size_t len;

	memset(event, 0, sizeof *event);
	event->id = -1;
	event->rest = "";
	for (size_t i = 0; i < sizeof wpa_events / sizeof wpa_events[0]; i++) {
		len = strlen(wpa_events[i].name);
		if (strncmp(line, wpa_events[i].name, len) != 0)
			continue;
		event->kind = wpa_events[i].kind;
		event->rest = line + len;
		break;
	}
	event->id = wpa_text_event_id(event->rest);
	len = strlen(event->rest);
	switch (event->kind) {
	case WPA_EVENT_FULL:
		event->kind = wpa_text_refusal(event->rest);
		break;
	case WPA_EVENT_WRONG_KEY:
		/* It is disabled for other reasons too. */
		if (event->id != -1 &&
		    (len < sizeof wrong_key - 1 ||
			strcmp(event->rest + len - (sizeof wrong_key - 1), wrong_key) !=
			    0))
			event->kind = WPA_EVENT_OTHER;
		break;
	case WPA_EVENT_STATION_CAME:
	case WPA_EVENT_STATION_LEFT:
		len = strcspn(event->rest, " ");
		if (len < sizeof mac)
			memcpy(mac, event->rest, len);
		if (mac_parse(mac, event->mac) == -1)
			event->kind = WPA_EVENT_OTHER;
		break;
	default:
		break;
	}
}
