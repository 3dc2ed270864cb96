#include "device/hostapd.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "device/passkey.h"
#include "device/wpa_control.h"
#include "device/wpa_text.h"

struct hostapd {
	char *interface; /* owned; for the log */
	const struct hostapd_ops *ops;
	void *arg;
	struct wpa_control *control; /* owned */
	bool is_ready; /* hostapd is there */
	unsigned turn; /* of the settings */

	bool is_hosting;
	char ssid[RADIO_SSID_MAX + 1];
	char *passkey; /* owned; NULL: none so far */
	unsigned channel, rate_100kbps;

	uint8_t stations[RADIO_STATIONS_MAX][MAC_OCTETS];
	size_t count;
};

/* Stations */

static size_t
hostapd_find(const struct hostapd *self, const uint8_t mac[MAC_OCTETS])
{
	size_t i = 0;

	while (i < self->count && memcmp(self->stations[i], mac, MAC_OCTETS) != 0)
		i++;
	return i;
}

static void
hostapd_station_came(struct hostapd *self, const uint8_t mac[MAC_OCTETS])
{
	/* hostapd tells of each join, and of one that comes again too. */
	if (!self->is_hosting || hostapd_find(self, mac) < self->count ||
	    self->count == RADIO_STATIONS_MAX)
		return;
	memcpy(self->stations[self->count++], mac, MAC_OCTETS);
	self->ops->station_came(self->arg, mac);
}

static void
hostapd_station_left(struct hostapd *self, const uint8_t mac[MAC_OCTETS])
{
	size_t i = hostapd_find(self, mac);

	if (i == self->count)
		return;
	self->ops->station_left(self->arg, mac);
	self->count--;
	memmove(self->stations[i], self->stations[i + 1],
	    (self->count - i) * sizeof self->stations[i]);
}

static void
hostapd_drop_stations(struct hostapd *self)
{
	uint8_t mac[MAC_OCTETS];

	while (self->count > 0) {
		memcpy(mac, self->stations[0], sizeof mac);
		hostapd_station_left(self, mac);
	}
}

size_t
hostapd_stations(const struct hostapd *self, struct radio_station *stations, size_t max)
{
	size_t count = self->count < max ? self->count : max;

	memset(stations, 0, count * sizeof *stations);
	for (size_t i = 0; i < count; i++)
		memcpy(stations[i].mac, self->stations[i], MAC_OCTETS);
	return count;
}

/* Settings; hostapd.conf has their names. */

static void
hostapd_answered(void *arg, const struct wpa_answer *answer)
{
	const struct hostapd *self = arg;

	if (answer->turn == self->turn && !answer->is_ok)
		log_msg(
		    LOG_ERR, self->interface, "hostapd refuses %s", answer->request);
}

static void
hostapd_set(struct hostapd *self, const char *name, const char *value)
{
	wpa_control_ask(
	    self->control, hostapd_answered, self->turn, "SET %s %s", name, value);
}

/* Likewise supplicant_set_psk(): the key is made there, as long as it can be said. */
static void
hostapd_set_psk(struct hostapd *self)
{
	char digits[PASSKEY_OCTETS * 2 + 1] = "";
	uint8_t psk[PASSKEY_OCTETS];
	struct passkey_cache *cache;

	if (strlen(self->passkey) < PASSKEY_OCTETS * 2 &&
	    wpa_text_is_plain(self->passkey)) {
		hostapd_set(self, "wpa_passphrase", self->passkey);
		return;
	}
	cache = passkey_cache_new();
	if (passkey_psk(cache, self->ssid, self->passkey, psk) == 0)
		wpa_text_digits(digits, psk, sizeof psk);
	passkey_cache_free(cache);
	hostapd_set(self, "wpa_psk", digits);
	OPENSSL_cleanse(psk, sizeof psk);
	OPENSSL_cleanse(digits, sizeof digits);
}

/* Mbit/s of 802.11b and of g, beyond which it is n. */
#define HOSTAPD_B_100KBPS 110
#define HOSTAPD_G_100KBPS 540

static void
hostapd_set_radio(struct hostapd *self)
{
	char channel[8];

	snprintf(channel, sizeof channel, "%u", self->channel);
	hostapd_set(
	    self, "hw_mode", self->rate_100kbps <= HOSTAPD_B_100KBPS ? "b" : "g");
	hostapd_set(self, "channel", channel);
	hostapd_set(
	    self, "ieee80211n", self->rate_100kbps <= HOSTAPD_G_100KBPS ? "0" : "1");
	/* Without it there is no n. IEEE 802.11, 4.3.14 */
	hostapd_set(self, "wmm_enabled", "1");
}

static void
hostapd_open_softap(struct hostapd *self)
{
	char ssid[RADIO_SSID_MAX * 2 + 1];

	wpa_text_digits(ssid, self->ssid, strlen(self->ssid));
	hostapd_set(self, "ssid2", ssid);
	hostapd_set(self, "ignore_broadcast_ssid", "0");
	hostapd_set(self, "auth_algs", "1");
	hostapd_set_radio(self);
	if (self->passkey[0] == '\0') {
		hostapd_set(self, "wpa", "0");
	} else {
		hostapd_set(self, "ieee80211w", "0");
		hostapd_set(self, "wpa_key_mgmt", "WPA-PSK");
		hostapd_set(self, "rsn_pairwise", "CCMP");
		hostapd_set_psk(self);
		hostapd_set(self, "wpa", "2");
	}
	wpa_control_ask(self->control, hostapd_answered, self->turn, "ENABLE");
}

/* As it is to be: off, or on with its settings. That it was off before is no fault. */
static void
hostapd_apply(struct hostapd *self)
{
	self->turn++;
	if (!self->is_ready)
		return;
	wpa_control_ask(self->control, NULL, self->turn, "DISABLE");
	if (self->is_hosting)
		hostapd_open_softap(self);
}

static void
hostapd_forget_passkey(struct hostapd *self)
{
	if (self->passkey != NULL)
		OPENSSL_cleanse(self->passkey, strlen(self->passkey));
	free(self->passkey);
	self->passkey = NULL;
}

void
hostapd_host(struct hostapd *self, const struct radio_ap_settings *settings)
{
	hostapd_drop_stations(self);
	hostapd_forget_passkey(self);
	self->is_hosting = true;
	snprintf(self->ssid, sizeof self->ssid, "%s", settings->ssid);
	self->passkey = xstrdup(settings->passkey);
	self->channel = settings->channel;
	self->rate_100kbps = settings->rate_100kbps;
	hostapd_apply(self);
}

void
hostapd_unhost(struct hostapd *self)
{
	if (!self->is_hosting)
		return;
	hostapd_drop_stations(self);
	hostapd_forget_passkey(self);
	self->is_hosting = false;
	hostapd_apply(self);
}

void
hostapd_move(struct hostapd *self, unsigned channel)
{
	if (!self->is_hosting || self->channel == channel)
		return;
	hostapd_drop_stations(self);
	self->channel = channel;
	hostapd_apply(self);
}

/* The other side */

static void
hostapd_opened(void *arg)
{
	struct hostapd *self = arg;

	self->is_ready = true;
	hostapd_apply(self);
}

static void
hostapd_closed(void *arg)
{
	struct hostapd *self = arg;

	self->is_ready = false;
	hostapd_drop_stations(self);
}

static void
hostapd_event(void *arg, const char *line)
{
	struct hostapd *self = arg;
	struct wpa_event event;

	wpa_text_event(line, &event);
	if (event.kind == WPA_EVENT_STATION_CAME)
		hostapd_station_came(self, event.mac);
	else if (event.kind == WPA_EVENT_STATION_LEFT)
		hostapd_station_left(self, event.mac);
}

static const struct wpa_control_ops hostapd_control_ops = {
	.opened = hostapd_opened,
	.closed = hostapd_closed,
	.event = hostapd_event,
};

struct hostapd *
hostapd_new(struct event_base *base, const char *directory, const char *interface,
    const struct hostapd_ops *ops, void *arg)
{
	struct hostapd *self = xcalloc(1, sizeof *self);

	self->interface = xstrdup(interface);
	self->ops = ops;
	self->arg = arg;
	self->control =
	    wpa_control_new(base, directory, interface, &hostapd_control_ops, self);
	return self;
}

void
hostapd_free(struct hostapd *self)
{
	if (self == NULL)
		return;
	hostapd_unhost(self);
	wpa_control_free(self->control);
	free(self->interface);
	free(self);
}

bool
hostapd_is_there(const struct hostapd *self)
{
	return wpa_control_is_there(self->control);
}
