#include "device/air.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "device/air_state.h"

/* One module's radio in the simulated air. */

static struct air_radio *
simulated(struct radio *radio)
{
	return (struct air_radio *)radio;
}

static const struct air_radio *
simulated_const(const struct radio *radio)
{
	return (const struct air_radio *)radio;
}

/* The time of a scan: that on each of its channels. */
static int64_t
simulated_scan_us(const struct radio *radio, unsigned channel)
{
	const struct radio_manner *manner = &radio->manner;
	unsigned channels =
	    channel == 0 ? (unsigned)__builtin_popcount(manner->channels) : 1;

	return (int64_t)channels * manner->dwell_ms * 1000;
}

static struct air_request *
simulated_request(struct radio *radio, enum air_request_kind kind, const char *ssid,
    unsigned channel, void *arg)
{
	struct air_request *request = xcalloc(1, sizeof *request);
	struct air *air = simulated(radio)->air;
	bool is_join = kind == AIR_JOIN || kind == AIR_VERIFY;
	int64_t delay_us = is_join ? (int64_t)air->join_ms * 1000 : 0;

	if (kind == AIR_SCAN)
		delay_us = simulated_scan_us(radio, channel);

	request->radio = simulated(radio);
	request->kind = kind;
	if (ssid != NULL)
		memcpy(request->ssid, ssid, strnlen(ssid, RADIO_SSID_MAX));
	request->channel = channel;
	request->security = RADIO_SECURITY_ANY;
	request->arg = arg;
	request->due_us = clock_monotonic_us() + delay_us;
	TAILQ_INSERT_TAIL(&air->requests, request, entry);
	/* The work finds out by itself how long there is to wait. */
	air_schedule(air, 0);
	return request;
}

static void
simulated_scan(struct radio *radio, const struct radio_scan *scan,
    radio_scanned *scanned, void *arg)
{
	struct air_request *request =
	    simulated_request(radio, AIR_SCAN, scan->ssid, scan->channel, arg);

	request->scanned = scanned;
}

static void
simulated_leave_network(struct air_radio *self, bool silently)
{
	struct air_bss *bss = self->joined;
	const struct radio *host;

	if (self->has_lost) {
		self->has_lost = false;
		self->air->losses--;
	}
	if (bss == NULL)
		return;
	host = bss->host == NULL ? NULL : &bss->host->radio;
	if (host != NULL && host->events != NULL && host->events->station_left != NULL)
		host->events->station_left(host->arg, self->mac, silently);
	self->joined = NULL;
	TAILQ_REMOVE(&bss->stations, self, entry);
}

static void
simulated_leave(struct radio *radio)
{
	simulated_leave_network(simulated(radio), false);
	simulated(radio)->addresses[RADIO_STATION].s_addr = 0;
}

static void
simulated_ask_to_join(struct radio *radio, enum air_request_kind kind,
    const struct radio_target *target, radio_joined *joined, void *arg)
{
	struct air_request *request =
	    simulated_request(radio, kind, target->ssid, target->channel, arg);

	request->has_bssid = target->bssid != NULL;
	if (request->has_bssid)
		memcpy(request->bssid, target->bssid, MAC_OCTETS);
	request->security = target->security;
	request->passkey = xstrdup(target->passkey);
	request->joined = joined;
}

static void
simulated_join(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	simulated_leave(radio);
	simulated_ask_to_join(radio, AIR_JOIN, target, joined, arg);
}

static void
simulated_verify(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	simulated_ask_to_join(radio, AIR_VERIFY, target, joined, arg);
}

static void
simulated_ask_address(struct radio *radio, radio_addressed *addressed, void *arg)
{
	simulated_request(radio, AIR_ADDRESS, NULL, 0, arg)->addressed = addressed;
}

static void
simulated_wps(struct radio *radio, const char *pin, radio_wps_given *given, void *arg)
{
	struct air_request *request = simulated_request(radio, AIR_WPS, NULL, 0, arg);

	request->with_pin = pin != NULL;
	request->wps_given = given;
}

/* Of one operation; NULL: of all. */
static void
simulated_cancel(struct radio *radio, void *arg)
{
	struct air *air = simulated(radio)->air;
	struct air_request *request, *next;

	for (request = TAILQ_FIRST(&air->requests); request != NULL; request = next) {
		next = TAILQ_NEXT(request, entry);
		if (request->radio != simulated(radio) ||
		    (arg != NULL && request->arg != arg))
			continue;
		TAILQ_REMOVE(&air->requests, request, entry);
		free(request->passkey);
		free(request);
	}
}

static int
simulated_joined(const struct radio *radio, struct radio_ap *ap)
{
	const struct air_radio *self = simulated_const(radio);

	if (self->joined == NULL)
		return -1;
	air_describe(self->joined, radio, ap);
	return 0;
}

static void
simulated_unhost(struct radio *radio)
{
	struct air_radio *self = simulated(radio);

	if (!self->is_hosting)
		return;
	self->is_hosting = false;
	self->addresses[RADIO_AP].s_addr = 0;
	TAILQ_REMOVE(&self->air->networks, &self->own, entry);
	air_drop_stations(&self->own);
	free(self->own.passkey);
	self->own.passkey = NULL;
}

/* Reference: network notes, 8.3: both share a channel, and the station's wins. Chosen:
 * channel 1 without either. */
static unsigned
simulated_channel(const struct air_radio *self, unsigned wanted)
{
	if (self->joined != NULL)
		return self->joined->channel;
	return wanted == 0 ? 1 : wanted;
}

static void
simulated_host(struct radio *radio, const struct radio_ap_settings *settings)
{
	struct air_radio *self = simulated(radio);
	struct air_bss *own = &self->own;

	simulated_unhost(radio);
	memset(own, 0, sizeof *own);
	memcpy(own->ssid, settings->ssid, strnlen(settings->ssid, RADIO_SSID_MAX));
	memcpy(own->bssid, self->mac, MAC_OCTETS);
	own->bssid[0] |= 0x02; /* Reference: network notes, 6.2: 4C becomes 4E */
	own->channel = simulated_channel(self, settings->channel);
	own->security = settings->passkey[0] == '\0' ? RADIO_OPEN : RADIO_WPA2_AES;
	own->passkey = xstrdup(settings->passkey);
	own->rssi_dbm = AIR_RSSI_SOFTAP_DBM;
	own->rate_100kbps = settings->rate_100kbps;
	own->is_on = true;
	own->host = self;
	TAILQ_INIT(&own->stations);
	TAILQ_INSERT_TAIL(&self->air->networks, own, entry);
	self->is_hosting = true;
}

static int
simulated_hosted(const struct radio *radio, struct radio_ap *ap)
{
	const struct air_radio *self = simulated_const(radio);

	if (!self->is_hosting)
		return -1;
	air_describe(&self->own, NULL, ap);
	return 0;
}

static size_t
simulated_stations(
    const struct radio *radio, struct radio_station *stations, size_t max)
{
	const struct air_radio *self = simulated_const(radio), *station;
	size_t count = 0;

	if (!self->is_hosting)
		return 0;
	TAILQ_FOREACH (station, &self->own.stations, entry) {
		if (count == max)
			break;
		memcpy(stations[count].mac, station->mac, MAC_OCTETS);
		stations[count].address = station->addresses[RADIO_STATION];
		count++;
	}
	return count;
}

static void
simulated_set_address(struct radio *radio, enum radio_role role, struct in_addr address)
{
	simulated(radio)->addresses[role] = address;
}

static struct radio *
simulated_neighbour(
    const struct radio *radio, enum radio_role role, struct in_addr address)
{
	const struct air_radio *self = simulated_const(radio);
	const struct air_bss *bss = role == RADIO_AP ? &self->own : self->joined;
	struct air_radio *station;

	if (bss == NULL || (role == RADIO_AP && !self->is_hosting) ||
	    address.s_addr == 0)
		return NULL;
	if (bss->host != NULL && bss->host != self &&
	    bss->host->addresses[RADIO_AP].s_addr == address.s_addr)
		return &bss->host->radio;
	TAILQ_FOREACH (station, &bss->stations, entry) {
		if (station != self &&
		    station->addresses[RADIO_STATION].s_addr == address.s_addr)
			return &station->radio;
	}
	return NULL;
}

static struct radio *
simulated_access_point(const struct radio *radio)
{
	const struct air_radio *self = simulated_const(radio);

	return self->joined == NULL || self->joined->host == NULL
		   ? NULL
		   : &self->joined->host->radio;
}

static void
simulated_vanish(struct radio *radio)
{
	simulated_cancel(radio, NULL);
	simulated_leave_network(simulated(radio), true);
	simulated(radio)->addresses[RADIO_STATION].s_addr = 0;
	simulated_unhost(radio);
}

static void
simulated_free(struct radio *radio)
{
	struct air_radio *self = simulated(radio);

	simulated_vanish(radio);
	air_remove_only(self->air, radio);
	TAILQ_REMOVE(&self->air->radios, self, all);
	free(self);
}

static const struct radio_ops simulated_ops = {
	.scan = simulated_scan,
	.join = simulated_join,
	.verify = simulated_verify,
	.wps = simulated_wps,
	.ask_address = simulated_ask_address,
	.cancel = simulated_cancel,
	.leave = simulated_leave,
	.vanish = simulated_vanish,
	.joined = simulated_joined,
	.host = simulated_host,
	.unhost = simulated_unhost,
	.hosted = simulated_hosted,
	.stations = simulated_stations,
	.set_address = simulated_set_address,
	.neighbour = simulated_neighbour,
	.access_point = simulated_access_point,
	.free = simulated_free,
};

struct radio *
air_radio_new(struct air *air, const uint8_t mac[MAC_OCTETS])
{
	struct air_radio *self = xcalloc(1, sizeof *self);

	self->radio.ops = &simulated_ops;
	self->radio.manner.channels = RADIO_CHANNELS;
	self->air = air;
	memcpy(self->mac, mac, MAC_OCTETS);
	TAILQ_INSERT_TAIL(&air->radios, self, all);
	return &self->radio;
}
