#ifndef DEVICE_WPA_TEXT_H
#define DEVICE_WPA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/radio.h"

/* The text that wpa_supplicant and hostapd speak on their control sockets (wpa_ctrl.h
 * of theirs). Some of it comes from the air, so all of it is checked. */

/* Copies the value of a line "name=value". False: there is no such line, or its value
 * has no room. */
bool wpa_text_value(const char *text, const char *name, char *value, size_t size);

/* The same for a number. */
bool wpa_text_number(
    const char *text, const char *name, int64_t min, int64_t max, int64_t *out);

/* Reads an SSID with its escapes. Empty stands for a hidden one, which access points
 * send as zeros too. 0, or -1: it is none. */
int wpa_text_ssid(const char *escaped, char ssid[RADIO_SSID_MAX + 1]);

/* "[WPA2-PSK-CCMP][ESS]" */
enum radio_security wpa_text_security(const char *flags);

/* Of the band at 2.4 GHz; 0: no channel of it. */
unsigned wpa_text_channel(int64_t mhz);
unsigned wpa_text_mhz(unsigned channel);

/* A network as BSS tells of it; SIGNAL_POLL and STATUS have names of their own. */
struct wpa_bss {
	struct radio_ap ap;
	int64_t id; /* for the question for the next one */
	int64_t age_s; /* since it was heard */
};
#define WPA_BSS_MASK 0x1E87 /* the parts of it that are read */

/* 0, or -1: there is no network in it. A network of another band has channel 0. */
int wpa_text_bss(const char *text, struct wpa_bss *);

/* What STATUS tells of the network that is joined; the signal stays as it is. */
int wpa_text_status(const char *text, struct radio_ap *);

/* What WPS has brought. */
#define WPA_KEY_MAX 64 /* bytes */
struct wpa_credential {
	struct radio_ap ap; /* SSID, BSSID and security */
	char passkey[WPA_KEY_MAX + 1]; /* empty: open */
};

/* From hexadecimal digits. 0, or -1: there is none in it that a station could use. */
int wpa_text_credential(const char *digits, struct wpa_credential *);

/* Writes two digits an octet, and a NUL. */
void wpa_text_digits(char *digits, const void *octets, size_t count);

/* Whether it may stand between quotation marks, where control bytes may not. */
bool wpa_text_is_plain(const char *text);

enum wpa_event_kind {
	WPA_EVENT_OTHER, /* of no interest */
	WPA_EVENT_SCANNED,
	WPA_EVENT_SCAN_FAILED,
	WPA_EVENT_CONNECTED,
	WPA_EVENT_DISCONNECTED,
	WPA_EVENT_NOT_FOUND,
	WPA_EVENT_WRONG_KEY,
	WPA_EVENT_FULL,
	WPA_EVENT_CREDENTIAL,
	WPA_EVENT_OVERLAP, /* two access points offer WPS */
	WPA_EVENT_WPS_FAILED,
	WPA_EVENT_STATION_CAME,
	WPA_EVENT_STATION_LEFT
};

struct wpa_event {
	enum wpa_event_kind kind;
	int64_t id; /* of a network or a scan; -1: it says none */
	uint8_t mac[MAC_OCTETS]; /* of a station */
	const char *rest; /* borrowed: what stands behind the name */
};

/* A line without its "<3>". */
void wpa_text_event(const char *line, struct wpa_event *);

#endif
