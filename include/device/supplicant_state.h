#ifndef DEVICE_SUPPLICANT_STATE_H
#define DEVICE_SUPPLICANT_STATE_H

#include <event2/event.h>

#include "device/supplicant.h"
#include "device/wpa_control.h"
#include "device/wpa_text.h"

/* What src/device/supplicant*.c share. */

#define SUPPLICANT_RETRY_MS 500 /* until it is asked again what it refused */

/* What marks the networks that are set here, so that those of a process that was killed
 * are known: the id_str of wpa_supplicant.conf(5). */
#define SUPPLICANT_MARK "\"zentrid\""

enum supplicant_task {
	SUPPLICANT_IDLE,
	SUPPLICANT_SCAN,
	SUPPLICANT_JOIN,
	SUPPLICANT_VERIFY,
	SUPPLICANT_WPS
};

struct supplicant {
	char *interface; /* owned; for the log */
	const struct supplicant_ops *ops;
	void *arg;
	struct wpa_control *control; /* owned */
	bool is_ready;
	unsigned marks_left; /* networks of which it is asked whose they are */

	enum supplicant_task task;
	unsigned turn; /* the number of the task: answers to others count no more */
	struct event *retry; /* owned; of the task */

	/* A scan */
	const struct radio_scan *scan; /* borrowed */
	const struct radio_manner *manner; /* borrowed */
	int64_t begun_ms, scan_id; /* -1: none runs */
	unsigned looked_at; /* networks */
	struct radio_ap *found; /* owned; RADIO_SCAN_MAX of them, the strongest first */
	size_t count;

	/* A try to join, or to verify */
	const struct radio_target *target; /* borrowed */
	int64_t trial; /* the number of its network; -1: none */
	bool is_selected, is_connected;

	const char *pin; /* borrowed; of WPS; NULL: by push button */

	/* What is joined */
	int64_t network; /* its number; -1: none */
	struct radio_ap ap;
	bool is_returning; /* after it was left for a moment */
	struct event *link; /* owned; the signal, or the end of the way back */
};

/* Ends what is under way and begins something else. */
void supplicant_begin(struct supplicant *, enum supplicant_task);

/* No task is under way any more. */
void supplicant_end(struct supplicant *);

void supplicant_set_timer(struct event *, unsigned ms);

/* The signal of what is joined is measured from time to time. */
void supplicant_watch_signal(struct supplicant *);

/* Leaves the trial, and goes back to what was joined. */
void supplicant_drop_trial(struct supplicant *);
void supplicant_return(struct supplicant *);

/* The answers and events that concern these tasks. */
void supplicant_scan_retry(struct supplicant *);
void supplicant_scan_event(struct supplicant *, const struct wpa_event *);
void supplicant_join_event(struct supplicant *, const struct wpa_event *);

/* Whether it was joined, and is not only for a moment elsewhere. */
bool supplicant_is_at_home(const struct supplicant *);

/* Writes "2412 2417 ..." of the channels, of which there are some. */
#define SUPPLICANT_CHANNELS_TEXT (RADIO_CHANNEL_MAX * 5 + 1)
void supplicant_write_channels(
    char text[SUPPLICANT_CHANNELS_TEXT], unsigned channels, char between);

#endif
