#ifndef DEVICE_RADIO_H
#define DEVICE_RADIO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac.h"

/* What a Wi-Fi backend does for one module: as a station it scans and joins, and beside
 * that it can be an access point. radio_simulated.c is one backend,
 * radio_interface.c the other. */

#define RADIO_SSID_MAX 32 /* bytes. IEEE 802.11, 9.4.2.2 */
#define RADIO_SCAN_MAX 64 /* networks that one scan tells of, the strongest */
#define RADIO_CHANNEL_MAX 14
#define RADIO_STATIONS_MAX 32 /* clients of one soft AP */

/* Reference: network notes, 8.1, for the numbers, which network_verify takes, and the
 * words, which a scan prints. */
enum radio_security {
	RADIO_OPEN,
	RADIO_WEP,
	RADIO_WPA_AES,
	RADIO_WPA_TKIP,
	RADIO_WPA2_AES,
	RADIO_WPA2_MIXED,
	RADIO_WPA2_TKIP,
	RADIO_SECURITIES,
	RADIO_SECURITY_ANY = RADIO_SECURITIES /* what the network announces */
};

/* "WPA2-AES"; and back, in any case, with '-' or '_': RADIO_SECURITY_ANY for "auto",
 * -1 for what is none. */
const char *radio_security_name(enum radio_security);
int radio_security_parse(const char *text);

/* One network, as it is heard. */
struct radio_ap {
	char ssid[RADIO_SSID_MAX + 1]; /* empty: hidden */
	uint8_t bssid[MAC_OCTETS];
	unsigned channel;
	enum radio_security security;
	int rssi_dbm;
	unsigned rate_100kbps; /* the highest */
};

/* Which networks a scan is for. */
struct radio_scan {
	const char *ssid; /* one by name, which finds hidden ones too; NULL: all */
	unsigned channel; /* 0: all */
};

/* What to join. */
struct radio_target {
	const char *ssid;
	const uint8_t *bssid; /* NULL: any */
	unsigned channel; /* 0: any */
	enum radio_security security;
	const char *passkey; /* passphrase, key in hexadecimal digits, or empty */
};

/* The soft AP: open with an empty passkey, else WPA2-AES. */
struct radio_ap_settings {
	const char *ssid, *passkey;
	unsigned channel; /* 0: that of the network that is joined, else any */
	unsigned rate_100kbps; /* the highest */
};

enum radio_result {
	RADIO_OK,
	RADIO_NOT_FOUND, /* no such network is heard */
	RADIO_WRONG_KEY,
	RADIO_FULL /* the access point takes no more stations */
};

/* A client of the soft AP. */
struct radio_station {
	uint8_t mac[MAC_OCTETS];
	struct in_addr address; /* 0.0.0.0: none so far */
};

/* What the radio can be, each with an address of its own. */
enum radio_role { RADIO_STATION, RADIO_AP };

struct radio;

/* Each is called once, from the loop. The networks of a scan are borrowed for the call,
 * strongest first. */
typedef void radio_scanned(void *arg, const struct radio_ap *, size_t count);
typedef void radio_joined(void *arg, enum radio_result);
typedef void radio_addressed(void *arg);

/* The network that gives its key by WPS, and the key, borrowed for the call; NULL: more
 * than one offers it at once, so nobody knows which is meant. */
typedef void radio_wps_given(void *arg, const struct radio_ap *, const char *passkey);

struct radio_ops {
	void (*scan)(
	    struct radio *, const struct radio_scan *, radio_scanned *, void *arg);
	/* Leaves what was joined before. An access point that is too far away never
	 * answers. */
	void (*join)(
	    struct radio *, const struct radio_target *, radio_joined *, void *arg);
	/* Tries the same and joins nothing. */
	void (*verify)(
	    struct radio *, const struct radio_target *, radio_joined *, void *arg);
	/* Waits for a network that offers its key (Wi-Fi Protected Setup): by push
	 * button (NULL), or to who has typed the PIN there. */
	void (*wps)(struct radio *, const char *pin, radio_wps_given *, void *arg);
	/* Asks the joined network, which is no soft AP, for an address; it is this
	 * host's. NULL with interface(). */
	void (*ask_address)(struct radio *, radio_addressed *, void *arg);
	void (*cancel)(struct radio *, void *arg); /* the call for arg never comes */
	void (*leave)(struct radio *);
	void (*vanish)(struct radio *); /* leaves all without a word */
	/* The network that is joined, with its signal now. 0, or -1 when there is none.
	 */
	int (*joined)(const struct radio *, struct radio_ap *);
	/* Opens the soft AP, or ends it, which its stations notice. */
	void (*host)(struct radio *, const struct radio_ap_settings *);
	void (*unhost)(struct radio *);
	int (*hosted)(const struct radio *, struct radio_ap *); /* likewise */
	size_t (*stations)(const struct radio *, struct radio_station *, size_t max);
	/* The address by which others on the network reach it; 0.0.0.0: none. */
	void (*set_address)(struct radio *, enum radio_role, struct in_addr);
	/* Who has the address on the network of that role; NULL: nobody who is
	 * simulated. */
	struct radio *(*neighbour)(
	    const struct radio *, enum radio_role, struct in_addr);
	/* The radio whose soft AP is joined; NULL: none, or no soft AP. */
	struct radio *(*access_point)(const struct radio *);
	/* The interface of this host that it is, in that role; NULL: it has none for
	 * that. Without this function, the radio is simulated. With it, all who are
	 * there are reached by their addresses. */
	const char *(*interface)(const struct radio *, enum radio_role);
	/* Whether it is Wi-Fi in that role now, with networks that have names, and
	 * stations; or else like a cable. NULL: always. */
	bool (*is_wifi)(const struct radio *, enum radio_role);
	void (*free)(struct radio *);
};

/* What the radio tells of itself, from the loop; each may be NULL. */
struct radio_events {
	void (*lost)(void *arg); /* the joined network is gone */
	void (*station_came)(void *arg, const uint8_t mac[MAC_OCTETS]);
	/* Told while it is still among the stations. */
	void (*station_left)(void *arg, const uint8_t mac[MAC_OCTETS], bool silently);
	/* The interface of this host that is the soft AP's is gone, and one with its
	 * name is there. Another one is told as both. */
	void (*host_gone)(void *arg);
	void (*host_came)(void *arg);
};

/* How a radio sends and listens. */
struct radio_manner {
	bool is_passive; /* it listens instead of probing: hidden networks stay so */
	unsigned dwell_ms; /* on each channel of a scan */
	unsigned channels; /* that it scans: bit 0 is channel 1 */
	int power_db; /* of what it sends, beyond RADIO_POWER_DBM */
	int gain_db; /* of its antenna, for what it hears and sends */
};
#define RADIO_POWER_DBM 18
#define RADIO_RATE_100KBPS 722 /* 802.11n in 20 MHz */
#define RADIO_CHANNELS ((1u << RADIO_CHANNEL_MAX) - 1)

struct radio { /* first member of each backend's own struct */
	const struct radio_ops *ops;
	const struct radio_events *events; /* NULL: nobody listens */
	void *arg; /* of the events */
	void *owner; /* borrowed: whose radio it is */
	struct radio_manner manner; /* set by its owner */
};

/* Puts a network into a list of at most RADIO_SCAN_MAX, the strongest first; the
 * weakest gives way. */
void radio_insert(struct radio_ap aps[], size_t *count, const struct radio_ap *);

bool radio_is_wifi(const struct radio *, enum radio_role);

#endif
