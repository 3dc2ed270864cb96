#include "device/radio_interface.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "device/netlink.h"

/* Chosen: what a radio would measure and an interface does not tell: a signal that is
 * good for all who look at it, and the first channel. */
#define INTERFACE_RSSI_DBM (-40)
#define INTERFACE_CHANNEL 1

/* What is to be answered. A question to join waits for the carrier. */
struct interface_question {
	radio_scanned *scanned; /* NULL: joined */
	radio_joined *joined;
	bool is_join; /* and not only a try */
	void *arg;
	char ssid[RADIO_SSID_MAX + 1];
	TAILQ_ENTRY(interface_question) entry;
};

struct interface_radio {
	struct radio radio;
	char names[RADIO_AP + 1][IFNAMSIZ]; /* empty: none */
	struct netlink_watch *watch; /* owned */
	struct event *work; /* owned; looks at the interface and answers */
	TAILQ_HEAD(, interface_question) questions;
	bool is_joined, is_hosting;
	unsigned host_index; /* of the soft AP's interface; 0: there is none */
	char ssids[RADIO_AP + 1][RADIO_SSID_MAX + 1];
	unsigned channel; /* of the soft AP */
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

static void
interface_answer(struct interface_radio *self, struct interface_question *question)
{
	struct interface_question answered = *question;
	struct radio_ap ap;

	TAILQ_REMOVE(&self->questions, question, entry);
	free(question);
	interface_describe(self, RADIO_STATION, &ap);
	memcpy(ap.ssid, answered.ssid, sizeof ap.ssid);
	if (answered.scanned != NULL) {
		answered.scanned(answered.arg, &ap,
		    interface_has_carrier(self, RADIO_STATION) ? 1 : 0);
		return;
	}
	if (answered.is_join) {
		self->is_joined = true;
		memcpy(self->ssids[RADIO_STATION], answered.ssid, sizeof answered.ssid);
	}
	answered.joined(answered.arg, RADIO_OK);
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
	if (self->is_joined && !has_carrier) {
		self->is_joined = false;
		interface_work_now(self);
		if (self->radio.events != NULL && self->radio.events->lost != NULL)
			self->radio.events->lost(self->radio.arg);
		return;
	}
	TAILQ_FOREACH (question, &self->questions, entry) {
		if (!has_carrier && question->scanned == NULL)
			continue;
		interface_work_now(self);
		interface_answer(self, question);
		return;
	}
}

static struct interface_question *
interface_ask(struct radio *radio, const char *ssid, void *arg)
{
	struct interface_radio *self = interface_self(radio);
	struct interface_question *question = xcalloc(1, sizeof *question);

	question->arg = arg;
	if (ssid != NULL)
		memcpy(question->ssid, ssid, strnlen(ssid, RADIO_SSID_MAX));
	TAILQ_INSERT_TAIL(&self->questions, question, entry);
	interface_work_now(self);
	return question;
}

/* Chosen: a scan finds the network that the cable leads to. */
static void
interface_scan(struct radio *radio, const struct radio_scan *scan,
    radio_scanned *scanned, void *arg)
{
	const char *ssid = scan->ssid != NULL
			       ? scan->ssid
			       : interface_self(radio)->ssids[RADIO_STATION];

	interface_ask(radio, ssid, arg)->scanned = scanned;
}

static void
interface_leave(struct radio *radio)
{
	interface_self(radio)->is_joined = false;
}

static void
interface_join(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	struct interface_question *question;

	interface_leave(radio);
	question = interface_ask(radio, target->ssid, arg);
	question->joined = joined;
	question->is_join = true;
}

static void
interface_verify(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	interface_ask(radio, target->ssid, arg)->joined = joined;
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
		TAILQ_REMOVE(&self->questions, question, entry);
		free(question);
	}
}

static int
interface_joined(const struct radio *radio, struct radio_ap *ap)
{
	const struct interface_radio *self = interface_const(radio);

	if (!self->is_joined)
		return -1;
	interface_describe(self, RADIO_STATION, ap);
	return 0;
}

static void
interface_host(struct radio *radio, const struct radio_ap_settings *settings)
{
	struct interface_radio *self = interface_self(radio);

	self->is_hosting = true;
	snprintf(
	    self->ssids[RADIO_AP], sizeof self->ssids[RADIO_AP], "%s", settings->ssid);
	self->channel = settings->channel == 0 ? INTERFACE_CHANNEL : settings->channel;
	self->security = settings->passkey[0] == '\0' ? RADIO_OPEN : RADIO_WPA2_AES;
}

static void
interface_unhost(struct radio *radio)
{
	interface_self(radio)->is_hosting = false;
}

static int
interface_hosted(const struct radio *radio, struct radio_ap *ap)
{
	const struct interface_radio *self = interface_const(radio);

	if (!self->is_hosting)
		return -1;
	interface_describe(self, RADIO_AP, ap);
	return 0;
}

/* Who is there is known by who was given an address, above this layer. */
static size_t
interface_stations(
    const struct radio *radio, struct radio_station *stations, size_t max)
{
	(void)radio;
	(void)stations;
	(void)max;
	return 0;
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
	netlink_watch_free(self->watch);
	event_free(self->work);
	free(self);
}

static const struct radio_ops interface_ops = {
	.scan = interface_scan,
	.join = interface_join,
	.verify = interface_verify,
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
	.free = interface_free,
};

struct radio *
radio_interface_new(struct event_base *base, const char *wlan, const char *softap)
{
	struct interface_radio *self = xcalloc(1, sizeof *self);
	const char *const names[] = { [RADIO_STATION] = wlan, [RADIO_AP] = softap };

	self->radio.ops = &interface_ops;
	TAILQ_INIT(&self->questions);
	for (int i = RADIO_STATION; i <= RADIO_AP; i++)
		snprintf(self->names[i], sizeof self->names[i], "%s",
		    names[i] == NULL ? "" : names[i]);
	self->watch = netlink_watch_new(base, interface_changed, self);
	if (self->watch == NULL) {
		free(self);
		return NULL;
	}
	self->work = xcheck(event_new(base, -1, 0, interface_work, self));
	self->host_index = interface_index(self, RADIO_AP);
	return &self->radio;
}
