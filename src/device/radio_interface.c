#include "device/radio_interface.h"

#include <net/if.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "device/hostapd.h"
#include "device/netlink.h"
#include "device/supplicant.h"

/* Chosen: what an interface does not tell where only its carrier counts: a signal that
 * is good for all who look at it, and the first channel. */
#define INTERFACE_RSSI_DBM (-40)
#define INTERFACE_CHANNEL 1

enum interface_kind { INTERFACE_SCAN, INTERFACE_JOIN, INTERFACE_VERIFY, INTERFACE_WPS };

/* What is to be answered. It is wpa_supplicant's turn to answer the one that is asked;
 * without wpa_supplicant, a question to join waits for the carrier. */
struct interface_question {
	enum interface_kind kind;
	radio_scanned *scanned;
	radio_joined *joined;
	radio_wps_given *given;
	void *arg;
	/* The texts are owned, or stand here. */
	struct radio_scan scan;
	struct radio_target target;
	char ssid[RADIO_SSID_MAX + 1]; /* empty: none is asked for */
	uint8_t bssid[MAC_OCTETS];
	char *passkey; /* owned; NULL: none */
	char *pin; /* owned; NULL: none */
	bool is_joined; /* as wpa_supplicant says; the carrier is to follow */
	TAILQ_ENTRY(interface_question) entry;
};

enum interface_joined {
	INTERFACE_ALONE,
	INTERFACE_BY_CARRIER,
	INTERFACE_BY_SUPPLICANT
};

struct interface_radio {
	struct radio radio;
	char names[RADIO_AP + 1][IFNAMSIZ]; /* empty: none */
	struct netlink_watch *watch; /* owned */
	struct supplicant *supplicant; /* owned; NULL: it is none of its business */
	struct hostapd *hostapd; /* owned; likewise */
	struct event *work; /* owned; looks at the interface and answers */
	TAILQ_HEAD(, interface_question) questions;
	struct interface_question *asked; /* one of them, or NULL */
	enum interface_joined joined;
	bool is_hosting;
	unsigned host_index; /* of the soft AP's interface; 0: there is none */
	char ssids[RADIO_AP + 1][RADIO_SSID_MAX + 1];
	unsigned wanted_channel, channel; /* of the soft AP; wanted 0: any */
	enum radio_security security; /* likewise */
};

static struct interface_radio *
interface_self(struct radio *radio)
{
	return (struct interface_radio *)radio;
}

static const struct interface_radio *
interface_const(const struct radio *radio)
{
	return (const struct interface_radio *)radio;
}

static bool
interface_is_wifi(const struct radio *radio, enum radio_role role)
{
	const struct interface_radio *self = interface_const(radio);

	return role == RADIO_STATION
		   ? self->supplicant != NULL && supplicant_is_there(self->supplicant)
		   : self->hostapd != NULL && hostapd_is_there(self->hostapd);
}

static bool
interface_has_carrier(const struct interface_radio *self, enum radio_role role)
{
	struct netlink_link link;

	return self->names[role][0] != '\0' &&
	       netlink_link_get(self->names[role], &link) == 0 && link.has_carrier;
}

static void
interface_describe(
    const struct interface_radio *self, enum radio_role role, struct radio_ap *ap)
{
	struct netlink_link link;

	memset(ap, 0, sizeof *ap);
	memcpy(ap->ssid, self->ssids[role], sizeof ap->ssid);
	ap->channel = INTERFACE_CHANNEL;
	ap->security = RADIO_OPEN;
	ap->rssi_dbm = INTERFACE_RSSI_DBM;
	ap->rate_100kbps = RADIO_RATE_100KBPS;
	if (role == RADIO_AP) {
		ap->channel = self->channel;
		ap->security = self->security;
		if (netlink_link_get(self->names[role], &link) == 0)
			memcpy(ap->bssid, link.mac, MAC_OCTETS);
	}
}

static void
interface_work_now(const struct interface_radio *self)
{
	event_active(self->work, EV_TIMEOUT, 0);
}

static void
interface_changed(void *arg)
{
	interface_work_now(arg);
}

/* Takes it out of the row; it is the caller's. */
static void
interface_take(struct interface_radio *self, struct interface_question *question)
{
	TAILQ_REMOVE(&self->questions, question, entry);
	if (self->asked == question)
		self->asked = NULL;
}

static void
interface_free_question(struct interface_question *question)
{
	if (question->passkey != NULL)
		OPENSSL_cleanse(question->passkey, strlen(question->passkey));
	free(question->passkey);
	free(question->pin);
	free(question);
}

static void
interface_tell_lost(struct interface_radio *self)
{
	self->joined = INTERFACE_ALONE;
	if (self->radio.events != NULL && self->radio.events->lost != NULL)
		self->radio.events->lost(self->radio.arg);
}

static void
interface_answer_joined(struct interface_radio *self,
    struct interface_question *question, enum radio_result result)
{
	radio_joined *joined = question->joined;
	void *arg = question->arg;

	interface_take(self, question);
	if (result == RADIO_OK && question->kind == INTERFACE_JOIN) {
		self->joined = question->is_joined ? INTERFACE_BY_SUPPLICANT
						   : INTERFACE_BY_CARRIER;
		memcpy(
		    self->ssids[RADIO_STATION], question->ssid, sizeof question->ssid);
	}
	interface_free_question(question);
	joined(arg, result);
}

/* Without wpa_supplicant. Chosen: a scan finds the network that the cable leads to. */
static void
interface_answer_scan(struct interface_radio *self, struct interface_question *question)
{
	size_t count = interface_has_carrier(self, RADIO_STATION) ? 1 : 0;
	radio_scanned *scanned = question->scanned;
	void *arg = question->arg;
	struct radio_ap ap;

	interface_describe(self, RADIO_STATION, &ap);
	if (question->ssid[0] != '\0')
		memcpy(ap.ssid, question->ssid, sizeof ap.ssid);
	interface_take(self, question);
	interface_free_question(question);
	scanned(arg, &ap, count);
}

/* Reference: network notes, 8.3: both share a channel, and the station's wins. */
static unsigned
interface_channel(const struct interface_radio *self)
{
	struct radio_ap ap;

	if (self->joined == INTERFACE_BY_SUPPLICANT &&
	    supplicant_joined(self->supplicant, &ap) == 0 && ap.channel != 0)
		return ap.channel;
	return self->wanted_channel != 0 ? self->wanted_channel : INTERFACE_CHANNEL;
}

static void
interface_move(struct interface_radio *self, unsigned channel)
{
	if (!self->is_hosting || channel == 0)
		return;
	self->channel = channel;
	if (self->hostapd != NULL)
		hostapd_move(self->hostapd, channel);
}

static void
interface_ask_supplicant(
    struct interface_radio *self, struct interface_question *question)
{
	self->asked = question;
	switch (question->kind) {
	case INTERFACE_SCAN:
		supplicant_scan(self->supplicant, &question->scan, &self->radio.manner);
		break;
	case INTERFACE_JOIN:
		/* One piece of hardware may be able to do one channel only. */
		interface_move(self, question->target.channel);
		supplicant_join(self->supplicant, &question->target);
		break;
	case INTERFACE_VERIFY:
		supplicant_verify(self->supplicant, &question->target);
		break;
	case INTERFACE_WPS:
		supplicant_wps(self->supplicant, question->pin);
		break;
	}
}

/* wpa_supplicant answers */

static void
interface_supplicant_scanned(void *arg, const struct radio_ap *aps, size_t count)
{
	struct interface_radio *self = arg;
	struct interface_question *question = self->asked;
	radio_scanned *scanned = question->scanned;
	void *scanned_arg = question->arg;

	interface_take(self, question);
	interface_free_question(question);
	interface_work_now(self);
	scanned(scanned_arg, aps, count);
}

static void
interface_supplicant_tried(void *arg, enum radio_result result)
{
	struct interface_radio *self = arg;
	struct interface_question *question = self->asked;

	interface_work_now(self);
	if (question->kind == INTERFACE_JOIN && result == RADIO_OK)
		question->is_joined = true;
	else
		interface_answer_joined(self, question, result);
}

static void
interface_supplicant_wps(void *arg, const struct radio_ap *ap, const char *passkey)
{
	struct interface_radio *self = arg;
	struct interface_question *question = self->asked;
	radio_wps_given *given = question->given;
	void *given_arg = question->arg;

	interface_take(self, question);
	interface_free_question(question);
	interface_work_now(self);
	given(given_arg, ap, passkey);
}

/* What it was asked is asked again: another one, or the carrier. */
static void
interface_ask_again(struct interface_radio *self)
{
	if (self->asked != NULL)
		self->asked->is_joined = false;
	self->asked = NULL;
	interface_work_now(self);
}

static void
interface_supplicant_lost(void *arg)
{
	struct interface_radio *self = arg;

	if (self->asked != NULL && self->asked->is_joined)
		interface_ask_again(self);
	else if (self->joined == INTERFACE_BY_SUPPLICANT)
		interface_tell_lost(self);
}

static void
interface_supplicant_came(void *arg)
{
	interface_work_now(arg);
}

static void
interface_supplicant_went(void *arg)
{
	struct interface_radio *self = arg;

	interface_ask_again(self);
	if (self->joined == INTERFACE_BY_SUPPLICANT)
		interface_tell_lost(self);
}

static const struct supplicant_ops interface_supplicant_ops = {
	.came = interface_supplicant_came,
	.went = interface_supplicant_went,
	.scanned = interface_supplicant_scanned,
	.tried = interface_supplicant_tried,
	.wps_given = interface_supplicant_wps,
	.lost = interface_supplicant_lost,
};

/* Gives it one question at a time, the first one first. */
static void
interface_work_with_supplicant(struct interface_radio *self, bool has_carrier)
{
	struct interface_question *asked = self->asked;

	if (asked != NULL && asked->is_joined && has_carrier) {
		interface_work_now(self);
		interface_answer_joined(self, asked, RADIO_OK);
		interface_move(self, interface_channel(self));
	} else if (asked == NULL && supplicant_is_ready(self->supplicant) &&
		   !TAILQ_EMPTY(&self->questions)) {
		interface_ask_supplicant(self, TAILQ_FIRST(&self->questions));
	}
}

static unsigned
interface_index(const struct interface_radio *self, enum radio_role role)
{
	struct netlink_link link;

	return self->names[role][0] != '\0' &&
		       netlink_link_get(self->names[role], &link) == 0
		   ? link.index
		   : 0;
}

/* Whether it told that the interface of the soft AP is gone, or there. */
static bool
interface_tell_host(struct interface_radio *self)
{
	const struct radio_events *events = self->radio.events;
	unsigned index = interface_index(self, RADIO_AP);
	bool is_there = self->host_index == 0;

	if (index == self->host_index || events == NULL)
		return false;
	self->host_index = is_there ? index : 0;
	interface_work_now(self);
	(is_there ? events->host_came : events->host_gone)(self->radio.arg);
	return true;
}

/* One thing at a time, since what is told may ask and cancel again. */
static void
interface_work(evutil_socket_t fd, short what, void *arg)
{
	struct interface_radio *self = arg;
	bool has_carrier = interface_has_carrier(self, RADIO_STATION);
	struct interface_question *question;

	(void)fd;
	(void)what;
	if (interface_tell_host(self))
		return;
	if (self->joined == INTERFACE_BY_CARRIER && !has_carrier) {
		interface_work_now(self);
		interface_tell_lost(self);
		return;
	}
	if (interface_is_wifi(&self->radio, RADIO_STATION)) {
		interface_work_with_supplicant(self, has_carrier);
		return;
	}
	TAILQ_FOREACH (question, &self->questions, entry) {
		if (question->kind != INTERFACE_SCAN &&
		    (!has_carrier || question->kind == INTERFACE_WPS))
			continue;
		interface_work_now(self);
		if (question->kind == INTERFACE_SCAN)
			interface_answer_scan(self, question);
		else
			interface_answer_joined(self, question, RADIO_OK);
		return;
	}
}

static struct interface_question *
interface_ask(
    struct radio *radio, enum interface_kind kind, const char *ssid, void *arg)
{
	struct interface_radio *self = interface_self(radio);
	struct interface_question *question = xcalloc(1, sizeof *question);

	question->kind = kind;
	question->arg = arg;
	if (ssid != NULL)
		memcpy(question->ssid, ssid, strnlen(ssid, RADIO_SSID_MAX));
	TAILQ_INSERT_TAIL(&self->questions, question, entry);
	interface_work_now(self);
	return question;
}

static void
interface_scan(struct radio *radio, const struct radio_scan *scan,
    radio_scanned *scanned, void *arg)
{
	struct interface_question *question =
	    interface_ask(radio, INTERFACE_SCAN, scan->ssid, arg);

	question->scan = *scan;
	if (scan->ssid != NULL)
		question->scan.ssid = question->ssid;
	question->scanned = scanned;
}

static void
interface_ask_to_join(struct radio *radio, enum interface_kind kind,
    const struct radio_target *target, radio_joined *joined, void *arg)
{
	struct interface_question *question =
	    interface_ask(radio, kind, target->ssid, arg);

	question->target = *target;
	question->target.ssid = question->ssid;
	question->target.passkey = question->passkey = xstrdup(target->passkey);
	if (target->bssid != NULL) {
		memcpy(question->bssid, target->bssid, MAC_OCTETS);
		question->target.bssid = question->bssid;
	}
	question->joined = joined;
}

static void
interface_leave(struct radio *radio)
{
	struct interface_radio *self = interface_self(radio);

	self->joined = INTERFACE_ALONE;
	if (self->supplicant != NULL)
		supplicant_leave(self->supplicant);
}

static void
interface_join(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	interface_leave(radio);
	interface_ask_to_join(radio, INTERFACE_JOIN, target, joined, arg);
}

static void
interface_verify(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	interface_ask_to_join(radio, INTERFACE_VERIFY, target, joined, arg);
}

static void
interface_wps(struct radio *radio, const char *pin, radio_wps_given *given, void *arg)
{
	struct interface_question *question =
	    interface_ask(radio, INTERFACE_WPS, NULL, arg);

	question->pin = pin == NULL ? NULL : xstrdup(pin);
	question->given = given;
}

/* Of one operation; NULL: of all. */
static void
interface_cancel(struct radio *radio, void *arg)
{
	struct interface_radio *self = interface_self(radio);
	struct interface_question *question, *next;

	for (question = TAILQ_FIRST(&self->questions); question != NULL;
	     question = next) {
		next = TAILQ_NEXT(question, entry);
		if (arg != NULL && question->arg != arg)
			continue;
		if (question->is_joined)
			supplicant_leave(self->supplicant);
		else if (question == self->asked)
			supplicant_stop(self->supplicant);
		interface_take(self, question);
		interface_free_question(question);
		interface_work_now(self);
	}
}

static int
interface_joined(const struct radio *radio, struct radio_ap *ap)
{
	const struct interface_radio *self = interface_const(radio);

	if (self->joined == INTERFACE_BY_SUPPLICANT)
		return supplicant_joined(self->supplicant, ap);
	if (self->joined == INTERFACE_ALONE)
		return -1;
	interface_describe(self, RADIO_STATION, ap);
	return 0;
}

static void
interface_host(struct radio *radio, const struct radio_ap_settings *settings)
{
	struct interface_radio *self = interface_self(radio);
	struct radio_ap_settings settled = *settings;

	self->is_hosting = true;
	snprintf(
	    self->ssids[RADIO_AP], sizeof self->ssids[RADIO_AP], "%s", settings->ssid);
	self->wanted_channel = settings->channel;
	self->channel = settled.channel = interface_channel(self);
	self->security = settings->passkey[0] == '\0' ? RADIO_OPEN : RADIO_WPA2_AES;
	if (self->hostapd != NULL)
		hostapd_host(self->hostapd, &settled);
}

static void
interface_unhost(struct radio *radio)
{
	struct interface_radio *self = interface_self(radio);

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
	const struct interface_radio *self = interface_const(radio);

	if (!self->is_hosting)
		return -1;
	interface_describe(self, RADIO_AP, ap);
	return 0;
}

/* Behind a cable, who is there is known by who was given an address, above this layer.
 */
static size_t
interface_stations(
    const struct radio *radio, struct radio_station *stations, size_t max)
{
	const struct interface_radio *self = interface_const(radio);

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
	const char *name = interface_const(radio)->names[role];

	return name[0] == '\0' ? NULL : name;
}

static void
interface_vanish(struct radio *radio)
{
	interface_cancel(radio, NULL);
	interface_leave(radio);
	interface_unhost(radio);
}

static void
interface_free(struct radio *radio)
{
	struct interface_radio *self = interface_self(radio);

	interface_vanish(radio);
	supplicant_free(self->supplicant);
	hostapd_free(self->hostapd);
	netlink_watch_free(self->watch);
	event_free(self->work);
	free(self);
}

static const struct radio_ops interface_ops = {
	.scan = interface_scan,
	.join = interface_join,
	.verify = interface_verify,
	.wps = interface_wps,
	.cancel = interface_cancel,
	.leave = interface_leave,
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
	.is_wifi = interface_is_wifi,
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
	self->host_index = interface_index(self, RADIO_AP);
	if (interface_is_looked_after(options, RADIO_STATION))
		self->supplicant =
		    supplicant_new(base, options->directories[RADIO_STATION],
			self->names[RADIO_STATION], &interface_supplicant_ops, self);
	if (interface_is_looked_after(options, RADIO_AP))
		self->hostapd = hostapd_new(base, options->directories[RADIO_AP],
		    self->names[RADIO_AP], &interface_hostapd_ops, self);
	return &self->radio;
}
