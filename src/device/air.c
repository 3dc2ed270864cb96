#include "device/air.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/crc.h"
#include "base/xmalloc.h"
#include "device/air_state.h"

/* What a scan has found, the strongest first. */
struct air_found {
	struct radio_ap aps[RADIO_SCAN_MAX];
	size_t count;
};

void
air_schedule(struct air *air, int64_t us)
{
	struct timeval timeout = { .tv_sec = (time_t)(us / 1000000),
		.tv_usec = (suseconds_t)(us % 1000000) };

	event_add(air->work, &timeout);
}

int
air_rssi_dbm(const struct air_bss *bss, const struct radio *radio)
{
	int dbm = bss->rssi_dbm;

	if (bss->host != NULL)
		dbm +=
		    bss->host->radio.manner.power_db + bss->host->radio.manner.gain_db;
	return radio == NULL ? dbm : dbm + radio->manner.gain_db;
}

bool
air_is_heard(const struct air_bss *bss, const struct radio *radio)
{
	return bss->is_on && air_rssi_dbm(bss, radio) >= AIR_RSSI_HEARD_DBM &&
	       (bss->only == NULL || bss->only == radio) &&
	       (bss->host == NULL || &bss->host->radio != radio);
}

/* Reference: network notes, 8.3: a soft AP is where the network is that its radio has
 * joined. */
static unsigned
air_channel(const struct air_bss *bss)
{
	const struct air_bss *joined = bss->host == NULL ? NULL : bss->host->joined;

	return joined == NULL ? bss->channel : joined->channel;
}

void
air_describe(const struct air_bss *bss, const struct radio *radio, struct radio_ap *ap)
{
	memset(ap, 0, sizeof *ap);
	memcpy(ap->ssid, bss->ssid, sizeof ap->ssid);
	memcpy(ap->bssid, bss->bssid, sizeof ap->bssid);
	ap->channel = air_channel(bss);
	ap->security = bss->security;
	ap->rssi_dbm = air_rssi_dbm(bss, radio);
	ap->rate_100kbps = bss->rate_100kbps;
}

/* What a security takes for a request. A mixed network takes each of its own. */
static bool
air_has_security(const struct air_bss *bss, enum radio_security wanted)
{
	return wanted == RADIO_SECURITY_ANY || wanted == bss->security ||
	       (bss->security == RADIO_WPA2_MIXED &&
		   (wanted == RADIO_WPA2_AES || wanted == RADIO_WPA2_TKIP));
}

static bool
air_matches(const struct air_bss *bss, const struct air_request *request)
{
	return air_is_heard(bss, &request->radio->radio) &&
	       (request->ssid[0] == '\0' || strcmp(bss->ssid, request->ssid) == 0) &&
	       (!request->has_bssid ||
		   memcmp(bss->bssid, request->bssid, MAC_OCTETS) == 0) &&
	       (request->channel == 0 || air_channel(bss) == request->channel) &&
	       air_has_security(bss, request->security);
}

/* Whether a scan comes upon it: a hidden network answers only who calls it by name. */
static bool
air_scan_finds(const struct air_bss *bss, const struct air_request *request)
{
	const struct radio_manner *manner = &request->radio->radio.manner;

	if (bss->channel != 0 && (manner->channels & (1u << (bss->channel - 1))) == 0)
		return false;
	return air_matches(bss, request) &&
	       (!bss->is_hidden || request->ssid[0] == '\0' || !manner->is_passive);
}

static void
air_answer_scan(struct air *air, const struct air_request *request)
{
	struct air_found *found = xcalloc(1, sizeof *found);
	const struct air_bss *bss;

	TAILQ_FOREACH (bss, &air->networks, entry) {
		struct radio_ap ap;

		if (!air_scan_finds(bss, request))
			continue;
		air_describe(bss, &request->radio->radio, &ap);
		if (bss->is_hidden && request->ssid[0] == '\0')
			ap.ssid[0] = '\0';
		radio_insert(found->aps, &found->count, &ap);
	}
	request->scanned(request->arg, found->aps, found->count);
	free(found);
}

/* Whether the passkey opens the network, as its access point finds out. */
static bool
air_key_fits(struct air *air, const struct air_bss *bss, const char *passkey)
{
	uint8_t given[PASSKEY_OCTETS], wanted[PASSKEY_OCTETS];
	unsigned len;

	if (bss->security == RADIO_OPEN)
		return true;
	if (bss->security == RADIO_WEP) {
		len = passkey_wep(passkey, given);
		return len != 0 && passkey_wep(bss->passkey, wanted) == len &&
		       passkey_equal(given, wanted, len);
	}
	return passkey_psk(air->keys, bss->ssid, passkey, given) == 0 &&
	       passkey_psk(air->keys, bss->ssid, bss->passkey, wanted) == 0 &&
	       passkey_equal(given, wanted, PASSKEY_OCTETS);
}

static unsigned
air_station_count(const struct air_bss *bss)
{
	const struct air_radio *station;
	unsigned count = 0;

	TAILQ_FOREACH (station, &bss->stations, entry)
		count++;
	return count;
}

static void
air_let_in(struct air_bss *bss, struct air_radio *radio)
{
	const struct radio *host;

	radio->joined = bss;
	TAILQ_INSERT_TAIL(&bss->stations, radio, entry);
	if (bss->host == NULL)
		return;
	host = &bss->host->radio;
	if (host->events != NULL && host->events->station_came != NULL)
		host->events->station_came(host->arg, radio->mac);
}

static enum radio_result
air_try(struct air *air, const struct air_request *request, struct air_bss *bss)
{
	if (!air_key_fits(air, bss, request->passkey == NULL ? "" : request->passkey))
		return RADIO_WRONG_KEY;
	if (request->kind == AIR_VERIFY)
		return RADIO_OK;
	if (bss->host != NULL && air_station_count(bss) >= RADIO_STATIONS_MAX)
		return RADIO_FULL;
	air_let_in(bss, request->radio);
	return RADIO_OK;
}

/* The strongest network that it can be. */
static struct air_bss *
air_choose(struct air *air, const struct air_request *request)
{
	struct air_bss *bss, *best = NULL;

	TAILQ_FOREACH (bss, &air->networks, entry) {
		if (air_matches(bss, request) &&
		    (best == NULL || air_rssi_dbm(bss, &request->radio->radio) >
					 air_rssi_dbm(best, &request->radio->radio)))
			best = bss;
	}
	return best;
}

static void
air_request_free(struct air *air, struct air_request *request)
{
	TAILQ_REMOVE(&air->requests, request, entry);
	free(request->passkey);
	free(request);
}

/* A network has come or has changed: who waits for WPS looks again. */
static void
air_retry_wps(struct air *air)
{
	struct air_request *request;

	TAILQ_FOREACH (request, &air->requests, entry) {
		if (request->kind == AIR_WPS)
			request->is_unanswered = false;
	}
	air_schedule(air, 0);
}

/* Until a network offers it, the request waits. With a PIN, it is the strongest that
 * was told it; the button on two of them at once leaves open which is meant. */
static void
air_answer_wps(struct air *air, struct air_request *request)
{
	const struct radio *radio = &request->radio->radio;
	const struct air_bss *bss, *best = NULL;
	struct air_request asked = *request;
	unsigned count = 0;
	struct radio_ap ap;

	TAILQ_FOREACH (bss, &air->networks, entry) {
		if (!bss->has_wps || !air_is_heard(bss, radio))
			continue;
		count++;
		if (best == NULL ||
		    air_rssi_dbm(bss, radio) > air_rssi_dbm(best, radio))
			best = bss;
	}
	if (best == NULL) {
		request->is_unanswered = true;
		return;
	}
	air_request_free(air, request);
	air_describe(best, radio, &ap);
	if (count > 1 && !asked.with_pin)
		asked.wps_given(asked.arg, NULL, NULL);
	else
		asked.wps_given(asked.arg, &ap, best->passkey);
}

/* The request may be gone afterwards, and others with it: who is told may cancel. */
static void
air_answer(struct air *air, struct air_request *request)
{
	struct air_request asked = *request;
	enum radio_result result = RADIO_NOT_FOUND;
	struct air_bss *bss;

	if (request->kind == AIR_WPS) {
		air_answer_wps(air, request);
		return;
	}
	if (request->kind == AIR_JOIN || request->kind == AIR_VERIFY) {
		bss = air_choose(air, request);
		if (bss != NULL &&
		    air_rssi_dbm(bss, &request->radio->radio) < AIR_RSSI_ANSWERED_DBM) {
			request->is_unanswered = true;
			return;
		}
		if (bss != NULL)
			result = air_try(air, request, bss);
	}
	air_request_free(air, request);
	if (asked.kind == AIR_SCAN)
		air_answer_scan(air, &asked);
	else if (asked.kind == AIR_ADDRESS)
		asked.addressed(asked.arg);
	else
		asked.joined(asked.arg, result);
}

static bool
air_tell_one_loss(struct air *air)
{
	struct air_radio *radio;

	if (air->losses == 0)
		return false;
	TAILQ_FOREACH (radio, &air->radios, all) {
		if (!radio->has_lost)
			continue;
		radio->has_lost = false;
		air->losses--;
		if (radio->radio.events != NULL && radio->radio.events->lost != NULL)
			radio->radio.events->lost(radio->radio.arg);
		return true;
	}
	return false;
}

/* Answers what is due, a few milliseconds of it at a time, so that a thousand modules
 * that join at once do not hold up the loop. */
static void
air_work(evutil_socket_t fd, short what, void *arg)
{
	struct air *air = arg;
	int64_t now = clock_monotonic_us(), end = now + (int64_t)AIR_WORK_MS * 1000,
		next;
	struct air_request *request;

	(void)fd;
	(void)what;
	for (; now < end; now = clock_monotonic_us()) {
		if (air_tell_one_loss(air))
			continue;
		next = -1;
		TAILQ_FOREACH (request, &air->requests, entry) {
			if (request->is_unanswered)
				continue;
			if (request->due_us <= now)
				break;
			if (next == -1 || request->due_us < next)
				next = request->due_us;
		}
		if (request == NULL) {
			if (next != -1)
				air_schedule(air, next - now);
			return;
		}
		air_answer(air, request);
	}
	air_schedule(air, 0);
}

void
air_drop_stations(struct air_bss *bss)
{
	struct air_radio *radio;

	while ((radio = TAILQ_FIRST(&bss->stations)) != NULL) {
		TAILQ_REMOVE(&bss->stations, radio, entry);
		radio->joined = NULL;
		radio->has_lost = true;
		radio->air->losses++;
		air_schedule(radio->air, 0);
	}
}

struct air *
air_new(struct event_base *base, unsigned join_ms)
{
	struct air *air = xcalloc(1, sizeof *air);

	air->base = base;
	air->join_ms = join_ms;
	air->keys = passkey_cache_new();
	air->work = xcheck(event_new(base, -1, 0, air_work, air));
	TAILQ_INIT(&air->networks);
	TAILQ_INIT(&air->requests);
	TAILQ_INIT(&air->radios);
	return air;
}

static void
air_remove_one(struct air *air, struct air_bss *bss)
{
	air_drop_stations(bss);
	TAILQ_REMOVE(&air->networks, bss, entry);
	air->given--;
	free(bss->passkey);
	free(bss);
}

void
air_remove_only(struct air *air, const struct radio *radio)
{
	struct air_bss *bss, *next;

	for (bss = TAILQ_FIRST(&air->networks); bss != NULL; bss = next) {
		next = TAILQ_NEXT(bss, entry);
		if (bss->only == radio)
			air_remove_one(air, bss);
	}
}

void
air_free(struct air *air)
{
	struct air_bss *bss, *next;

	if (air == NULL)
		return;
	for (bss = TAILQ_FIRST(&air->networks); bss != NULL; bss = next) {
		next = TAILQ_NEXT(bss, entry);
		air_remove_one(air, bss);
	}
	event_free(air->work);
	passkey_cache_free(air->keys);
	free(air);
}

static bool
air_has_bssid(const struct air *air, const uint8_t bssid[MAC_OCTETS])
{
	const struct air_bss *bss;

	TAILQ_FOREACH (bss, &air->networks, entry) {
		if (memcmp(bss->bssid, bssid, MAC_OCTETS) == 0)
			return true;
	}
	return false;
}

/* Locally administered, the same each time, and that of no other network. */
static void
air_make_bssid(const struct air *air, struct air_bss *bss)
{
	uint16_t crc = crc16(CRC16_START, bss->ssid, strlen(bss->ssid));
	unsigned number = air->given;

	bss->bssid[0] = 0x02;
	bss->bssid[4] = (uint8_t)(crc >> 8);
	bss->bssid[5] = (uint8_t)crc;
	do {
		bss->bssid[2] = (uint8_t)(number >> 8);
		bss->bssid[3] = (uint8_t)number;
		number++;
	} while (air_has_bssid(air, bss->bssid));
}

int
air_add(struct air *air, const struct air_network *network, const struct radio *only)
{
	struct air_bss *bss;

	if (air->given == AIR_NETWORKS_MAX || network->ssid[0] == '\0' ||
	    strlen(network->ssid) > RADIO_SSID_MAX ||
	    !passkey_suits(network->security, network->passkey))
		return -1;
	bss = xcalloc(1, sizeof *bss);
	memcpy(bss->ssid, network->ssid, strlen(network->ssid));
	if (network->bssid != NULL)
		memcpy(bss->bssid, network->bssid, MAC_OCTETS);
	else
		air_make_bssid(air, bss);
	bss->channel = network->channel;
	bss->security = network->security;
	bss->passkey = xstrdup(network->passkey);
	bss->rssi_dbm = network->rssi_dbm;
	bss->rate_100kbps = RADIO_RATE_100KBPS;
	bss->is_hidden = network->is_hidden;
	bss->has_wps = network->has_wps;
	bss->is_on = true;
	bss->only = only;
	TAILQ_INIT(&bss->stations);
	TAILQ_INSERT_TAIL(&air->networks, bss, entry);
	air->given++;
	air_retry_wps(air);
	return 0;
}

/* Calls change for each given network of that name. */
static unsigned
air_change(struct air *air, const char *ssid,
    void (*change)(struct air *, struct air_bss *, int), int value)
{
	struct air_bss *bss, *next;
	unsigned count = 0;

	for (bss = TAILQ_FIRST(&air->networks); bss != NULL; bss = next) {
		next = TAILQ_NEXT(bss, entry);
		if (bss->host != NULL || strcmp(bss->ssid, ssid) != 0)
			continue;
		count++;
		change(air, bss, value);
	}
	return count;
}

static void
air_change_removed(struct air *air, struct air_bss *bss, int value)
{
	(void)value;
	air_remove_one(air, bss);
}

static void
air_change_on(struct air *air, struct air_bss *bss, int on)
{
	bss->is_on = on != 0;
	if (!bss->is_on)
		air_drop_stations(bss);
	air_retry_wps(air);
}

static void
air_change_wps(struct air *air, struct air_bss *bss, int on)
{
	bss->has_wps = on != 0;
	air_retry_wps(air);
}

static void
air_change_rssi(struct air *air, struct air_bss *bss, int rssi_dbm)
{
	(void)air;
	bss->rssi_dbm = rssi_dbm;
	if (rssi_dbm < AIR_RSSI_HEARD_DBM)
		air_drop_stations(bss);
}

unsigned
air_remove(struct air *air, const char *ssid)
{
	return air_change(air, ssid, air_change_removed, 0);
}

unsigned
air_switch(struct air *air, const char *ssid, bool on)
{
	return air_change(air, ssid, air_change_on, on);
}

unsigned
air_switch_wps(struct air *air, const char *ssid, bool on)
{
	return air_change(air, ssid, air_change_wps, on);
}

unsigned
air_set_rssi(struct air *air, const char *ssid, int rssi_dbm)
{
	return air_change(air, ssid, air_change_rssi, rssi_dbm);
}

/* Chosen: the access point starts anew with its new passkey, as routers do. */
int
air_set_passkey(struct air *air, const char *ssid, const char *passkey)
{
	struct air_bss *bss;
	int count = 0;

	TAILQ_FOREACH (bss, &air->networks, entry) {
		if (bss->host == NULL && strcmp(bss->ssid, ssid) == 0 &&
		    !passkey_suits(bss->security, passkey))
			return -1;
	}
	TAILQ_FOREACH (bss, &air->networks, entry) {
		if (bss->host != NULL || strcmp(bss->ssid, ssid) != 0)
			continue;
		free(bss->passkey);
		bss->passkey = xstrdup(passkey);
		air_drop_stations(bss);
		count++;
	}
	return count;
}

void
air_each(const struct air *air, air_reader *reader, void *arg)
{
	const struct air_bss *bss;

	TAILQ_FOREACH (bss, &air->networks, entry) {
		struct radio_ap ap;

		air_describe(bss, NULL, &ap);
		reader(arg, &ap, bss->is_on, bss->is_hidden);
	}
}
