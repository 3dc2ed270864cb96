#ifndef LINK_WLAN_H
#define LINK_WLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "device/radio.h"
#include "link/address.h"

/* The station side of a module: joins a network and gets an address.
 * Reference: network notes, 8.1, for the steps. */

#define WLAN_PASSKEY_MAX 64 /* bytes */

/* Chosen: the numbers of wlan.join.result, of which only the name is known. */
enum wlan_result {
	WLAN_JOINED,
	WLAN_NOT_FOUND,
	WLAN_WRONG_KEY,
	WLAN_TIMED_OUT, /* the access point does not answer */
	WLAN_FULL, /* it takes no more stations */
	WLAN_NO_ADDRESS, /* no DHCP server gave one */
	WLAN_NO_STATIC_ADDRESS /* there is none to use, or it cannot be set */
};

/* What can be said of a result: "Network not found". */
const char *wlan_result_text(enum wlan_result);

struct wlan_settings {
	char ssid[RADIO_SSID_MAX + 1];
	char passkey[WLAN_PASSKEY_MAX + 1];
	uint8_t bssid[MAC_OCTETS];
	bool has_bssid;
	enum radio_security security;
	unsigned scan_retries; /* of the probe */
	unsigned attempts; /* to associate, of one join */
	unsigned timeout_ms; /* of one attempt */
	unsigned joins; /* in all; 0: for ever */
	unsigned pause_ms; /* between two joins */
	bool has_dhcp;
	unsigned dhcp_timeout_ms;
	struct link_address address; /* without DHCP */
};

enum wlan_state {
	WLAN_IDLE,
	WLAN_STARTING,
	WLAN_PROBING,
	WLAN_ASSOCIATING,
	WLAN_ADDRESSING,
	WLAN_UP,
	WLAN_PAUSING /* until the next join */
};

enum wlan_news {
	WLAN_NEWS_ASSOCIATING, /* text: the SSID */
	WLAN_NEWS_PROBED, /* text: the security */
	WLAN_NEWS_DHCP,
	WLAN_NEWS_ADDRESS /* text: a.b.c.d */
};

/* All are called from the loop. */
struct wlan_ops {
	void (*news)(void *arg, enum wlan_news, const char *text);
	/* Asks for an address: wlan_addressed() answers, not from inside this call.
	 * forget() ends that, or gives the address back. */
	void (*obtain)(void *arg);
	void (*forget)(void *arg);
	void (*up)(void *arg, const struct link_address *);
	/* A join has failed; with again, the next one follows by itself. */
	void (*failed)(void *arg, enum wlan_result, bool again);
	void (*lost)(void *arg); /* it was up, and the network is gone */
};

struct event_base;
struct wlan;

struct wlan *wlan_new(
    struct event_base *, struct radio *, const struct wlan_ops *, void *arg);
void wlan_free(struct wlan *); /* leaves; NULL is allowed */

/* Begins to join, from anew if one is under way. The settings are copied. */
void wlan_join(struct wlan *, const struct wlan_settings *);

/* Leaves the network, or ends the attempt to join. No call follows. */
void wlan_leave(struct wlan *);

/* The module boots: the next join probes the network anew. */
void wlan_reset(struct wlan *);

/* The radio has lost the network. */
void wlan_lost(struct wlan *);

/* The answer to obtain(): NULL: there is none. */
void wlan_addressed(struct wlan *, const struct link_address *);

enum wlan_state wlan_state(const struct wlan *);
enum wlan_result wlan_result(const struct wlan *); /* of the last join */

/* What one join may take at most, with its address. */
unsigned wlan_timeout_ms(const struct wlan_settings *);

#endif
