#include "device/supplicant_state.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/number.h"
#include "device/passkey.h"

/* Joining a network, and trying whether it could be joined. Each time, a network of
 * wpa_supplicant's list is made, and removed at its end. wpa_supplicant.conf(5) has the
 * settings of one. */

static void
supplicant_tried(struct supplicant *self, enum radio_result result)
{
	bool is_join = self->task == SUPPLICANT_JOIN;

	supplicant_end(self);
	if (is_join && result == RADIO_OK) {
		self->network = self->trial;
		self->trial = -1;
		supplicant_watch_signal(self);
	} else {
		supplicant_drop_trial(self);
		supplicant_return(self);
	}
	self->ops->tried(self->arg, result);
}

static void
supplicant_set_answered(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;
	bool is_key = strstr(answer->request, " psk") != NULL ||
		      strstr(answer->request, " wep_key0") != NULL;

	if (answer->turn != self->turn || answer->is_ok)
		return;
	log_msg(LOG_ERR, self->interface, "wpa_supplicant refuses %s", answer->request);
	supplicant_tried(self, is_key ? RADIO_WRONG_KEY : RADIO_NOT_FOUND);
}

static void
supplicant_set(struct supplicant *self, const char *name, const char *value)
{
	wpa_control_ask(self->control, supplicant_set_answered, self->turn,
	    "SET_NETWORK %d %s %s", (int)self->trial, name, value);
}

/* What not every wpa_supplicant or driver can. */
static void
supplicant_set_if_possible(struct supplicant *self, const char *name, const char *value)
{
	wpa_control_ask(self->control, NULL, self->turn, "SET_NETWORK %d %s %s",
	    (int)self->trial, name, value);
}

static void
supplicant_set_wep(struct supplicant *self)
{
	char digits[PASSKEY_WEP_MAX * 2 + 1];
	uint8_t key[PASSKEY_WEP_MAX];

	wpa_text_digits(digits, key, passkey_wep(self->target->passkey, key));
	supplicant_set(self, "key_mgmt", "NONE");
	supplicant_set(self, "auth_alg", "OPEN SHARED");
	supplicant_set(self, "wep_key0", digits);
	supplicant_set(self, "wep_tx_keyidx", "0");
	OPENSSL_cleanse(key, sizeof key);
	OPENSSL_cleanse(digits, sizeof digits);
}

/* A passphrase goes there as it is, since making the key of it takes a while; the key
 * is made here only if the passphrase has bytes that cannot be said. */
static void
supplicant_set_psk(struct supplicant *self)
{
	const struct radio_target *target = self->target;
	size_t len = strlen(target->passkey);
	char text[PASSKEY_OCTETS * 2 + 3];
	uint8_t psk[PASSKEY_OCTETS];

	if (len < PASSKEY_OCTETS * 2 && wpa_text_is_plain(target->passkey)) {
		snprintf(text, sizeof text, "\"%s\"", target->passkey);
		supplicant_set(self, "psk", text);
		/* Chosen: WPA3, which the module knows nothing of, is joined too. */
		supplicant_set_if_possible(
		    self, "key_mgmt", "WPA-PSK WPA-PSK-SHA256 SAE");
	} else {
		struct passkey_cache *cache = passkey_cache_new();

		if (passkey_psk(cache, target->ssid, target->passkey, psk) == 0)
			wpa_text_digits(text, psk, PASSKEY_OCTETS);
		else
			text[0] = '\0';
		passkey_cache_free(cache);
		supplicant_set(self, "psk", text);
		OPENSSL_cleanse(psk, sizeof psk);
	}
	OPENSSL_cleanse(text, sizeof text);
}

static void
supplicant_set_wpa(struct supplicant *self)
{
	static const char both[] = "CCMP TKIP";
	static const struct {
		const char *proto, *pairwise;
	} ways[] = { [RADIO_WPA_AES] = { "WPA", "CCMP" },
		[RADIO_WPA_TKIP] = { "WPA", "TKIP" },
		[RADIO_WPA2_AES] = { "RSN", "CCMP" },
		[RADIO_WPA2_MIXED] = { "WPA RSN", both },
		[RADIO_WPA2_TKIP] = { "RSN", "TKIP" },
		[RADIO_SECURITY_ANY] = { "WPA RSN", both } };
	enum radio_security security = self->target->security;

	supplicant_set(self, "key_mgmt", "WPA-PSK");
	supplicant_set(self, "proto", ways[security].proto);
	supplicant_set(self, "pairwise", ways[security].pairwise);
	/* Management frames are protected where the access point can. */
	supplicant_set_if_possible(self, "ieee80211w", "1");
	supplicant_set_psk(self);
}

static void
supplicant_set_security(struct supplicant *self)
{
	const struct radio_target *target = self->target;

	if (target->security == RADIO_OPEN ||
	    (target->security == RADIO_SECURITY_ANY && target->passkey[0] == '\0'))
		supplicant_set(self, "key_mgmt", "NONE");
	else if (target->security == RADIO_WEP)
		supplicant_set_wep(self);
	else
		supplicant_set_wpa(self);
}

/* The module has no radio for other bands. */
static void
supplicant_set_place(struct supplicant *self)
{
	const struct radio_target *target = self->target;
	char ssid[RADIO_SSID_MAX * 2 + 1], channels[SUPPLICANT_CHANNELS_TEXT],
	    bssid[MAC_TEXT_SIZE];

	wpa_text_digits(ssid, target->ssid, strnlen(target->ssid, RADIO_SSID_MAX));
	supplicant_set(self, "ssid", ssid);
	supplicant_set(self, "scan_ssid", "1"); /* it may be hidden */
	supplicant_write_channels(channels,
	    target->channel == 0 ? RADIO_CHANNELS : 1u << (target->channel - 1), ' ');
	supplicant_set(self, "freq_list", channels);
	supplicant_set(self, "scan_freq", channels);
	if (target->bssid != NULL) {
		mac_format(bssid, target->bssid);
		supplicant_set(self, "bssid", bssid);
	}
}

static void
supplicant_selected(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;

	if (answer->turn != self->turn)
		return;
	/* Events before this one were of something else. */
	if (answer->is_ok)
		self->is_selected = true;
	else
		supplicant_tried(self, RADIO_NOT_FOUND);
}

static void
supplicant_added(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;
	const struct radio_target *target = self->target;
	int64_t id;

	if (number_parse(
		answer->text, strcspn(answer->text, "\n"), 0, INT32_MAX, &id) == -1) {
		if (answer->turn == self->turn)
			supplicant_tried(self, RADIO_NOT_FOUND);
		return;
	}
	if (answer->turn != self->turn) {
		wpa_control_ask(
		    self->control, NULL, self->turn, "REMOVE_NETWORK %d", (int)id);
		return;
	}
	self->trial = id;
	supplicant_set(self, "id_str", SUPPLICANT_MARK);
	if (target->security != RADIO_SECURITY_ANY &&
	    !passkey_suits(target->security, target->passkey)) {
		supplicant_tried(self, RADIO_WRONG_KEY);
		return;
	}
	supplicant_set_place(self);
	supplicant_set_security(self);
	wpa_control_ask(self->control, supplicant_selected, self->turn,
	    "SELECT_NETWORK %d", (int)id);
}

static void
supplicant_try(struct supplicant *self, const struct radio_target *target)
{
	self->target = target;
	self->is_selected = self->is_connected = false;
	wpa_control_ask(self->control, supplicant_added, self->turn, "ADD_NETWORK");
}

void
supplicant_join(struct supplicant *self, const struct radio_target *target)
{
	supplicant_leave(self);
	supplicant_begin(self, SUPPLICANT_JOIN);
	supplicant_try(self, target);
}

void
supplicant_verify(struct supplicant *self, const struct radio_target *target)
{
	supplicant_begin(self, SUPPLICANT_VERIFY);
	supplicant_try(self, target);
}

static void
supplicant_status_came(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;

	if (answer->turn != self->turn || !self->is_connected)
		return;
	memset(&self->ap, 0, sizeof self->ap);
	self->ap.rate_100kbps = RADIO_RATE_100KBPS;
	if (wpa_text_status(answer->text, &self->ap) == -1)
		self->is_connected = false;
}

static void
supplicant_signal_came(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;
	int64_t dbm;

	if (answer->turn != self->turn || !self->is_connected)
		return;
	if (wpa_text_number(answer->text, "RSSI", -127, 0, &dbm))
		self->ap.rssi_dbm = (int)dbm;
	supplicant_tried(self, RADIO_OK);
}

void
supplicant_join_event(struct supplicant *self, const struct wpa_event *event)
{
	if (!self->is_selected)
		return;
	switch (event->kind) {
	case WPA_EVENT_CONNECTED:
		if (event->id != self->trial)
			break;
		self->is_connected = true;
		if (self->task == SUPPLICANT_VERIFY) {
			supplicant_tried(self, RADIO_OK);
			break;
		}
		wpa_control_ask(
		    self->control, supplicant_status_came, self->turn, "STATUS");
		wpa_control_ask(
		    self->control, supplicant_signal_came, self->turn, "SIGNAL_POLL");
		break;
	case WPA_EVENT_DISCONNECTED:
		self->is_connected = false;
		break;
	case WPA_EVENT_NOT_FOUND:
		supplicant_tried(self, RADIO_NOT_FOUND);
		break;
	case WPA_EVENT_WRONG_KEY:
		supplicant_tried(self, RADIO_WRONG_KEY);
		break;
	case WPA_EVENT_FULL:
		supplicant_tried(self, RADIO_FULL);
		break;
	default:
		break;
	}
}
