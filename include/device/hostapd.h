#ifndef DEVICE_HOSTAPD_H
#define DEVICE_HOSTAPD_H

#include <stdbool.h>
#include <stddef.h>

#include "device/radio.h"

/* The soft AP of one interface, as hostapd runs it. What hostapd.conf says of SSID,
 * security and channel counts no more; as long as there is no soft AP, hostapd's access
 * point is off. */

/* All are called from the loop. */
struct hostapd_ops {
	void (*station_came)(void *arg, const uint8_t mac[MAC_OCTETS]);
	/* Told while it is still among the stations. */
	void (*station_left)(void *arg, const uint8_t mac[MAC_OCTETS]);
};

struct event_base;
struct hostapd;

struct hostapd *hostapd_new(struct event_base *, const char *directory,
    const char *interface, const struct hostapd_ops *, void *arg);
void hostapd_free(struct hostapd *); /* the soft AP ends; NULL is allowed */

bool hostapd_is_there(const struct hostapd *);

/* Opens the soft AP, as soon as hostapd is there, and each time that it comes back. The
 * settings are copied; their channel is the one to be. */
void hostapd_host(struct hostapd *, const struct radio_ap_settings *);
void hostapd_unhost(struct hostapd *);

/* A soft AP that is open goes to that channel; its stations have to come again. */
void hostapd_move(struct hostapd *, unsigned channel);

size_t hostapd_stations(const struct hostapd *, struct radio_station *, size_t max);

#endif
