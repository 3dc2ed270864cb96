#ifndef DEVICE_RADIO_INTERFACE_STATE_H
#define DEVICE_RADIO_INTERFACE_STATE_H

#include <net/if.h>
#include <sys/queue.h>

#include "device/hostapd.h"
#include "device/netlink.h"
#include "device/radio_interface.h"
#include "device/supplicant.h"

/* What src/device/radio_interface*.c share: radio_interface.c has the interfaces and
 * the soft AP, radio_interface_questions.c what the station is asked for. */

struct event;
struct interface_question;
struct netlink_watch;

enum interface_joined {
	INTERFACE_ALONE,
	INTERFACE_BY_CARRIER,
	INTERFACE_BY_SUPPLICANT
};

struct interface_radio {
	struct radio radio;
	char names[RADIO_AP + 1][IFNAMSIZ]; /* empty: none */
	struct netlink_link links[RADIO_AP + 1]; /* when last seen; index 0: gone */
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

struct interface_radio *radio_interface_of(struct radio *);
const struct interface_radio *radio_interface_const(const struct radio *);

bool radio_interface_is_wifi(const struct radio *, enum radio_role);
bool radio_interface_has_carrier(const struct interface_radio *, enum radio_role);
void radio_interface_describe(
    const struct interface_radio *, enum radio_role, struct radio_ap *);

/* Looks at the interface, and at what is to be answered, on the next turn of the loop.
 */
void radio_interface_work(const struct interface_radio *);

void radio_interface_tell_lost(struct interface_radio *);
void radio_interface_leave(struct radio *);

/* The channel that the soft AP is to have, and its way there; 0: none. */
unsigned radio_interface_channel(const struct interface_radio *);
void radio_interface_move(struct interface_radio *, unsigned channel);

/* The questions: they wait in a row. These are of struct radio_ops. */
void radio_interface_scan(
    struct radio *, const struct radio_scan *, radio_scanned *, void *arg);
void radio_interface_join(
    struct radio *, const struct radio_target *, radio_joined *, void *arg);
void radio_interface_verify(
    struct radio *, const struct radio_target *, radio_joined *, void *arg);
void radio_interface_wps(struct radio *, const char *pin, radio_wps_given *, void *arg);
void radio_interface_cancel(struct radio *, void *arg);

/* Answers one of them, or has it asked, if it is time for that. */
void radio_interface_answer(struct interface_radio *);

extern const struct supplicant_ops radio_interface_supplicant_ops;

#endif
