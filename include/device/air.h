#ifndef DEVICE_AIR_H
#define DEVICE_AIR_H

#include <stdbool.h>
#include <stdint.h>

#include "device/radio.h"

/* The simulated air: networks that are given, and the soft APs of the modules in it.
 * Each module has a radio in it. Passphrases are checked for real. */

#define AIR_NETWORKS_MAX 1024 /* given networks; soft APs come in addition */
#define AIR_WORK_MS 3 /* that answering may keep the loop at a time */
#define AIR_RSSI_HEARD_DBM (-95) /* weaker ones are not heard at all */
#define AIR_RSSI_ANSWERED_DBM (-90) /* weaker ones never answer who joins */
#define AIR_RSSI_DBM (-48) /* of a network, unless given */
#define AIR_RSSI_SOFTAP_DBM (-40)

struct air;
struct event_base;

/* Of the radios' join, before it is answered. */
struct air *air_new(struct event_base *, unsigned join_ms);
void air_free(struct air *); /* after its radios; NULL is allowed */

/* A given network. */
struct air_network {
	const char *ssid; /* 1 to RADIO_SSID_MAX bytes */
	const uint8_t *bssid; /* NULL: made from the SSID */
	unsigned channel;
	enum radio_security security; /* none but those named */
	const char *passkey; /* empty for an open one */
	int rssi_dbm;
	bool is_hidden;
	bool has_wps; /* gives its passkey to who asks by WPS */
};

/* Adds one that all radios hear, or only one does. Copies. 0, or -1 when there are
 * AIR_NETWORKS_MAX already or the passkey is none for that security. */
int air_add(struct air *, const struct air_network *, const struct radio *only);

/* For test rigs, of all given networks with that name: how many there are. What makes a
 * network end, or a new passkey, is noticed by who has joined it. */
unsigned air_remove(struct air *, const char *ssid);
unsigned air_switch(struct air *, const char *ssid, bool on);
unsigned air_set_rssi(struct air *, const char *ssid, int rssi_dbm);
/* -1 when the passkey is none for the security of one; nothing is changed then. */
int air_set_passkey(struct air *, const char *ssid, const char *passkey);

unsigned air_switch_wps(struct air *, const char *ssid, bool on);

/* Calls reader for each given network and each soft AP. */
typedef void air_reader(void *arg, const struct radio_ap *, bool is_on, bool is_hidden);
void air_each(const struct air *, air_reader *, void *arg);

/* A radio in the air, which its ops->free() takes out of it. mac: of the station; the
 * soft AP's has the locally administered bit set too. */
struct radio *air_radio_new(struct air *, const uint8_t mac[MAC_OCTETS]);

#endif
