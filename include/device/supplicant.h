#ifndef DEVICE_SUPPLICANT_H
#define DEVICE_SUPPLICANT_H

#include <stdbool.h>
#include <stddef.h>

#include "device/radio.h"

/* The station of one interface, as wpa_supplicant runs it. It does one thing at a time:
 * what is begun ends what was under way, of which no more is told. */

/* All are called from the loop. */
struct supplicant_ops {
	void (*came)(void *arg); /* wpa_supplicant is there and idle */
	/* It is gone, and with it the network that was joined and what was under way.
	 */
	void (*went)(void *arg);
	/* The answers, once for what was begun. */
	void (*scanned)(void *arg, const struct radio_ap *, size_t count);
	void (*tried)(void *arg, enum radio_result);
	void (*wps_given)(void *arg, const struct radio_ap *, const char *passkey);
	void (*lost)(void *arg); /* the network that was joined */
};

struct event_base;
struct supplicant;

struct supplicant *supplicant_new(struct event_base *, const char *directory,
    const char *interface, const struct supplicant_ops *, void *arg);
void supplicant_free(struct supplicant *); /* leaves; NULL is allowed */

/* There, or about to be: came() or went() follows. */
bool supplicant_is_there(const struct supplicant *);
bool supplicant_is_ready(const struct supplicant *); /* came() was called */

/* The texts and structs that these are given are borrowed until the answer or
 * supplicant_stop(). */
void supplicant_scan(
    struct supplicant *, const struct radio_scan *, const struct radio_manner *);

/* Leaves what was joined before and joins another network. */
void supplicant_join(struct supplicant *, const struct radio_target *);

/* Tries whether it could be joined, and goes back to what was joined. */
void supplicant_verify(struct supplicant *, const struct radio_target *);

/* Waits for who offers a key: by push button (NULL), or to who has typed the PIN. */
void supplicant_wps(struct supplicant *, const char *pin);

void supplicant_stop(struct supplicant *); /* what is under way */
void supplicant_leave(struct supplicant *);

/* The network that is joined, with the signal of a moment ago. 0, or -1. */
int supplicant_joined(const struct supplicant *, struct radio_ap *);

#endif
