#include "device/radio_interface_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"

/* Chosen: what an interface does not tell where only its carrier counts: a signal that
 * is good for all who look at it, and the first channel. */
#define INTERFACE_RSSI_DBM (-40)
#define INTERFACE_CHANNEL 1

#define INTERFACE_LOOK_S 1 /* until what could not be looked at is looked at again */

struct interface_radio *
radio_interface_of(struct radio *radio)
{
	return (struct interface_radio *)radio;
}

const struct interface_radio *
radio_interface_const(const struct radio *radio)
{
	return (const struct interface_radio *)radio;
}

bool
radio_interface_is_wifi(const struct radio *radio, enum radio_role role)
{
	const struct interface_radio *self = radio_interface_const(radio);

	return role == RADIO_STATION
		   ? self->supplicant != NULL && supplicant_is_there(self->supplicant)
		   : self->hostapd != NULL && hostapd_is_there(self->hostapd);
}

bool
radio_interface_has_carrier(const struct interface_radio *self, enum radio_role role)
{
	return self->links[role].has_carrier;
}

/* An interface that cannot be looked at, for want of a descriptor, is what it was: else
 * its network would end. */
static void
interface_look(struct interface_radio *self)
{
	static const struct timeval again = { .tv_sec = INTERFACE_LOOK_S };

	for (int i = RADIO_STATION; i <= RADIO_AP; i++) {
		struct netlink_link link;

		if (self->names[i][0] == '\0')
			continue;
		if (netlink_link_get(self->names[i], &link) == 0 || errno == ENODEV)
			self->links[i] = link;
		else
			event_add(self->work, &again);
	}
}

void
radio_interface_describe(
    const struct interface_radio *self, enum radio_role role, struct radio_ap *ap)
{
	memset(ap, 0, sizeof *ap);
	memcpy(ap->ssid, self->ssids[role], sizeof ap->ssid);
	ap->channel = INTERFACE_CHANNEL;
	ap->security = RADIO_OPEN;
	ap->rssi_dbm = INTERFACE_RSSI_DBM;
	ap->rate_100kbps = RADIO_RATE_100KBPS;
	if (role == RADIO_AP) {
		ap->channel = self->channel;
		ap->security = self->security;
		memcpy(ap->bssid, self->links[role].mac, MAC_OCTETS);
	}
}

void
radio_interface_work(const struct interface_radio *self)
{
	event_active(self->work, EV_TIMEOUT, 0);
}

static void
interface_changed(void *arg)
{
	radio_interface_work(arg);
}

void
radio_interface_tell_lost(struct interface_radio *self)
{
	self->joined = INTERFACE_ALONE;
	if (self->radio.events != NULL && self->radio.events->lost != NULL)
		self->radio.events->lost(self->radio.arg);
}

/* Reference: network notes, 8.3: both share a channel, and the station's wins. */
unsigned
radio_interface_channel(const struct interface_radio *self)
{
	struct radio_ap ap;

	if (self->joined == INTERFACE_BY_SUPPLICANT &&
	    supplicant_joined(self->supplicant, &ap) == 0 && ap.channel != 0)
		return ap.channel;
	return self->wanted_channel != 0 ? self->wanted_channel : INTERFACE_CHANNEL;
}

void
radio_interface_move(struct interface_radio *self, unsigned channel)
{
	if (!self->is_hosting || channel == 0)
		return;
	self->channel = channel;
	if (self->hostapd != NULL)
		hostapd_move(self->hostapd, channel);
}

/* Whether it told that the interface of the soft AP is gone, or there. */
static bool
interface_tell_host(struct interface_radio *self)
{
	const struct radio_events *events = self->radio.events;
	unsigned index = self->links[RADIO_AP].index;
	bool is_there = self->host_index == 0;

	if (index == self->host_index || events == NULL)
		return false;
	self->host_index = is_there ? index : 0;
	radio_interface_work(self);
	(is_there ? events->host_came : events->host_gone)(self->radio.arg);
	return true;
}

/* One thing at a time, since what is told may ask and cancel again. */
static void
interface_work(evutil_socket_t fd, short what, void *arg)
{
	struct interface_radio *self = arg;

	(void)fd;
	(void)what;
	interface_look(self);
	if (interface_tell_host(self))
		return;
	if (self->joined == INTERFACE_BY_CARRIER &&
	    !radio_interface_has_carrier(self, RADIO_STATION)) {
		radio_interface_work(self);
		radio_interface_tell_lost(self);
		return;
	}
	radio_interface_answer(self);
}

void
radio_interface_leave(struct radio *radio)
{
	struct interface_radio *self = radio_interface_of(radio);

	self->joined = INTERFACE_ALONE;
	if (self->supplicant != NULL)
		supplicant_leave(self->supplicant);
}

static int
interface_joined(const struct radio *radio, struct radio_ap *ap)
{
	const struct interface_radio *self = radio_interface_const(radio);

	if (self->joined == INTERFACE_BY_SUPPLICANT)
		return supplicant_joined(self->supplicant, ap);
	if (self->joined == INTERFACE_ALONE)
		return -1;
	radio_interface_describe(self, RADIO_STATION, ap);
	return 0;
}

static void
interface_host(struct radio *radio, const struct radio_ap_settings *settings)
{
	struct interface_radio *self = radio_interface_of(radio);
	struct radio_ap_settings settled = *settings;

	self->is_hosting = true;
	snprintf(
	    self->ssids[RADIO_AP], sizeof self->ssids[RADIO_AP], "%s", settings->ssid);
	self->wanted_channel = settings->channel;
	self->channel = settled.channel = radio_interface_channel(self);
	self->security = settings->passkey[0] == '\0' ? RADIO_OPEN : RADIO_WPA2_AES;
	if (self->hostapd != NULL)
		hostapd_host(self->hostapd, &settled);
}

static void
interface_unhost(struct radio *radio)
{
	struct interface_radio *self = radio_interface_of(radio);

	self->is_hosting = false;
	if (self->hostapd != NULL)
		hostapd_unhost(self->hostapd);
}

static void
interface_station_came(void *arg, const uint8_t mac[MAC_OCTETS])
{
	const struct interface_radio *self = arg;

	if (self->radio.events != NULL && self->radio.events->station_came != NULL)
		self->radio.events->station_came(self->radio.arg, mac);
}

static void
interface_station_left(void *arg, const uint8_t mac[MAC_OCTETS])
{
	const struct interface_radio *self = arg;

	if (self->radio.events != NULL && self->radio.events->station_left != NULL)
		self->radio.events->station_left(self->radio.arg, mac, false);
}

static const struct hostapd_ops interface_hostapd_ops = {
	.station_came = interface_station_came,
	.station_left = interface_station_left,
};

static int
interface_hosted(const struct radio *radio, struct radio_ap *ap)
{
	const struct interface_radio *self = radio_interface_const(radio);

	if (!self->is_hosting)
		return -1;
	radio_interface_describe(self, RADIO_AP, ap);
	return 0;
}

/* Behind a cable, who is there is known by who was given an address, above this layer.
 */
static size_t
interface_stations(
    const struct radio *radio, struct radio_station *stations, size_t max)
{
	const struct interface_radio *self = radio_interface_const(radio);

	return self->hostapd == NULL ? 0
				     : hostapd_stations(self->hostapd, stations, max);
}

static void
interface_set_address(struct radio *radio, enum radio_role role, struct in_addr address)
{
	(void)radio;
	(void)role;
	(void)address;
}

static struct radio *
interface_neighbour(
    const struct radio *radio, enum radio_role role, struct in_addr address)
{
	(void)radio;
	(void)role;
	(void)address;
	return NULL;
}

static struct radio *
interface_access_point(const struct radio *radio)
{
	(void)radio;
	return NULL;
}

static const char *
interface_name(const struct radio *radio, enum radio_role role)
{
	const char *name = radio_interface_const(radio)->names[role];

	return name[0] == '\0' ? NULL : name;
}

static void
interface_vanish(struct radio *radio)
{
	radio_interface_cancel(radio, NULL);
	radio_interface_leave(radio);
	interface_unhost(radio);
}

static void
interface_free(struct radio *radio)
{
	struct interface_radio *self = radio_interface_of(radio);

	interface_vanish(radio);
	supplicant_free(self->supplicant);
	hostapd_free(self->hostapd);
	netlink_watch_free(self->watch);
	event_free(self->work);
	free(self);
}

static const struct radio_ops interface_ops = {
	.scan = radio_interface_scan,
	.join = radio_interface_join,
	.verify = radio_interface_verify,
	.wps = radio_interface_wps,
	.cancel = radio_interface_cancel,
	.leave = radio_interface_leave,
	.vanish = interface_vanish,
	.joined = interface_joined,
	.host = interface_host,
	.unhost = interface_unhost,
	.hosted = interface_hosted,
	.stations = interface_stations,
	.set_address = interface_set_address,
	.neighbour = interface_neighbour,
	.access_point = interface_access_point,
	.interface = interface_name,
	.is_wifi = radio_interface_is_wifi,
	.free = interface_free,
};

static bool
interface_is_looked_after(
    const struct radio_interface_options *options, enum radio_role role)
{
	return options->names[role] != NULL && options->directories[role][0] != '\0';
}

struct radio *
radio_interface_new(
    struct event_base *base, const struct radio_interface_options *options)
{
	struct interface_radio *self = xcalloc(1, sizeof *self);

	self->radio.ops = &interface_ops;
	TAILQ_INIT(&self->questions);
	for (int i = RADIO_STATION; i <= RADIO_AP; i++)
		snprintf(self->names[i], sizeof self->names[i], "%s",
		    options->names[i] == NULL ? "" : options->names[i]);
	self->watch = netlink_watch_new(base, interface_changed, self);
	if (self->watch == NULL) {
		free(self);
		return NULL;
	}
	self->work = xcheck(event_new(base, -1, 0, interface_work, self));
	interface_look(self);
	self->host_index = self->links[RADIO_AP].index;
	if (interface_is_looked_after(options, RADIO_STATION))
		self->supplicant = supplicant_new(base,
		    options->directories[RADIO_STATION], self->names[RADIO_STATION],
		    &radio_interface_supplicant_ops, self);
	if (interface_is_looked_after(options, RADIO_AP))
		self->hostapd = hostapd_new(base, options->directories[RADIO_AP],
		    self->names[RADIO_AP], &interface_hostapd_ops, self);
	return &self->radio;
}
