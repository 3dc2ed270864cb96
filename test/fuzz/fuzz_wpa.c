/* The bytes are what wpa_supplicant or hostapd says: an answer, of which all is read
 * that may be asked for, and lines of events. What is taken keeps to its bounds. */

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "device/wpa_text.h"
#include "fuzz.h"

static void
fuzz_wpa_ap(const struct radio_ap *ap)
{
	FUZZ_REQUIRE(strnlen(ap->ssid, sizeof ap->ssid) <= RADIO_SSID_MAX);
	FUZZ_REQUIRE(ap->channel <= RADIO_CHANNEL_MAX);
	FUZZ_REQUIRE(ap->security < RADIO_SECURITIES);
	FUZZ_REQUIRE(ap->rssi_dbm <= 0 && ap->rssi_dbm >= -127);
	FUZZ_REQUIRE(ap->rate_100kbps <= RADIO_RATE_100KBPS);
}

static void
fuzz_wpa_answer(const char *text)
{
	struct radio_ap ap = { .rssi_dbm = 0 };
	struct wpa_bss bss;

	if (wpa_text_bss(text, &bss) == 0) {
		fuzz_wpa_ap(&bss.ap);
		FUZZ_REQUIRE(bss.id >= 0 && bss.age_s >= 0);
	}
	if (wpa_text_status(text, &ap) == 0)
		fuzz_wpa_ap(&ap);
}

static void
fuzz_wpa_line(const char *line)
{
	struct wpa_credential credential;
	struct wpa_event event;

	wpa_text_event(line, &event);
	FUZZ_REQUIRE(event.kind <= WPA_EVENT_STATION_LEFT && event.id >= -1);
	FUZZ_REQUIRE(event.rest[0] == '\0' ||
		     (event.rest >= line && event.rest <= line + strlen(line)));
	if (wpa_text_credential(event.rest, &credential) == 0) {
		fuzz_wpa_ap(&credential.ap);
		FUZZ_REQUIRE(credential.ap.ssid[0] != '\0');
		FUZZ_REQUIRE(strnlen(credential.passkey, sizeof credential.passkey) <=
			     WPA_KEY_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup(data, size), *line = text, *end;

	fuzz_wpa_answer(text);
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		fuzz_wpa_line(line);
		line = end + 1;
	}
	fuzz_wpa_line(line);
	free(text);
	return 0;
}
