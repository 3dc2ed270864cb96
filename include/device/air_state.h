#ifndef DEVICE_AIR_STATE_H
#define DEVICE_AIR_STATE_H

#include <sys/queue.h>

#include "device/air.h"
#include "device/passkey.h"

/* What air.c and radio_simulated.c share. */

struct air_radio;
struct event;

TAILQ_HEAD(air_stations, air_radio);

/* A network: a given one, or the soft AP of a radio. */
struct air_bss {
	char ssid[RADIO_SSID_MAX + 1];
	uint8_t bssid[MAC_OCTETS];
	unsigned channel;
	enum radio_security security;
	char *passkey; /* owned */
	int rssi_dbm;
	unsigned rate_100kbps;
	bool is_hidden, is_on, has_wps;
	const struct radio *only; /* borrowed: who hears it; NULL: all */
	struct air_radio *host; /* whose soft AP it is; NULL: none's */
	struct air_stations stations;
	TAILQ_ENTRY(air_bss) entry;
};

enum air_request_kind { AIR_SCAN, AIR_JOIN, AIR_VERIFY, AIR_ADDRESS, AIR_WPS };

/* What a radio waits for. */
struct air_request {
	struct air_radio *radio; /* borrowed */
	enum air_request_kind kind;
	char ssid[RADIO_SSID_MAX + 1]; /* empty: any */
	uint8_t bssid[MAC_OCTETS];
	bool has_bssid;
	unsigned channel; /* 0: any */
	enum radio_security security;
	char *passkey; /* owned; or NULL */
	radio_scanned *scanned;
	radio_joined *joined;
	radio_addressed *addressed;
	radio_wps_given *wps_given;
	bool with_pin; /* of WPS */
	void *arg;
	int64_t due_us;
	bool is_unanswered; /* stays until it is cancelled */
	TAILQ_ENTRY(air_request) entry;
};

struct air_radio {
	struct radio radio;
	struct air *air; /* borrowed */
	uint8_t mac[MAC_OCTETS];
	struct air_bss *joined; /* NULL: none */
	struct air_bss own; /* its soft AP; in the air's list while is_hosting */
	bool is_hosting;
	bool has_lost; /* its network is gone; to be told */
	struct in_addr addresses[RADIO_AP + 1];
	TAILQ_ENTRY(air_radio) entry; /* in the stations of joined */
	TAILQ_ENTRY(air_radio) all; /* in the air's radios */
};

struct air {
	struct event_base *base; /* borrowed */
	struct event *work; /* owned; answers requests that are due */
	unsigned join_ms;
	struct passkey_cache *keys; /* owned */
	TAILQ_HEAD(, air_bss) networks;
	unsigned given; /* networks */
	TAILQ_HEAD(, air_request) requests;
	TAILQ_HEAD(, air_radio) radios;
	unsigned losses; /* radios with has_lost */
};

/* Has the work done after a time; 0: on the next turn of the loop. */
void air_schedule(struct air *, int64_t us);

/* The network is gone: who has joined it is told, from the loop. */
void air_drop_stations(struct air_bss *);

/* Removes the networks that only this radio hears. */
void air_remove_only(struct air *, const struct radio *);

/* How strong it is where a radio is; NULL: as it is given. */
int air_rssi_dbm(const struct air_bss *, const struct radio *);

bool air_is_heard(const struct air_bss *, const struct radio *);
void air_describe(const struct air_bss *, const struct radio *, struct radio_ap *);

#endif
