#include "device/supplicant_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/xmalloc.h"

/* Scans. How long a channel is listened to is the driver's own affair. */

/* Chosen: of a scan, with all tries to begin it; then what is known already has to do.
 */
#define SUPPLICANT_SCAN_MS 12000
#define SUPPLICANT_LOOKED_AT_MAX 256 /* networks */

void
supplicant_write_channels(
    char text[SUPPLICANT_CHANNELS_TEXT], unsigned channels, char between)
{
	char *end = text;

	for (unsigned i = 1; i <= RADIO_CHANNEL_MAX; i++) {
		if ((channels & 1u << (i - 1)) != 0)
			end += snprintf(end, 6, "%u%c", wpa_text_mhz(i), between);
	}
	end[-1] = '\0';
}

static unsigned
supplicant_scan_channels(const struct supplicant *self)
{
	unsigned channels = self->manner->channels & RADIO_CHANNELS;

	if (self->scan->channel != 0)
		return 1u << (self->scan->channel - 1);
	return channels != 0 ? channels : RADIO_CHANNELS;
}

static void
supplicant_scan_end(struct supplicant *self)
{
	struct radio_ap *found = self->found;
	size_t count = self->count;

	self->found = NULL;
	self->count = 0;
	supplicant_end(self);
	self->ops->scanned(self->arg, found, count);
	free(found);
}

/* What is not heard any more stays known for a while. */
static bool
supplicant_scan_wants(const struct supplicant *self, const struct wpa_bss *bss)
{
	int64_t elapsed_s = (clock_monotonic_ms() - self->begun_ms) / 1000 + 1;

	return bss->ap.channel != 0 && bss->age_s <= elapsed_s &&
	       (supplicant_scan_channels(self) & 1u << (bss->ap.channel - 1)) != 0 &&
	       (self->scan->ssid == NULL ||
		   strcmp(self->scan->ssid, bss->ap.ssid) == 0);
}

static void
supplicant_scan_looked(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;
	struct wpa_bss bss;

	if (answer->turn != self->turn)
		return;
	/* Behind the last one, the answer is empty. */
	if (wpa_text_bss(answer->text, &bss) == -1 ||
	    ++self->looked_at > SUPPLICANT_LOOKED_AT_MAX) {
		supplicant_scan_end(self);
		return;
	}
	if (supplicant_scan_wants(self, &bss))
		radio_insert(self->found, &self->count, &bss.ap);
	wpa_control_ask(self->control, supplicant_scan_looked, self->turn,
	    "BSS NEXT-%u MASK=0x%x", (unsigned)bss.id, WPA_BSS_MASK);
}

/* One answer has no room for all, so they are asked for one by one. */
static void
supplicant_scan_look(struct supplicant *self)
{
	event_del(self->retry);
	self->scan_id = -1;
	self->found = xcalloc(RADIO_SCAN_MAX, sizeof *self->found);
	wpa_control_ask(self->control, supplicant_scan_looked, self->turn,
	    "BSS FIRST MASK=0x%x", WPA_BSS_MASK);
}

/* Its number, or why not: it is busy, for example with a scan of its own. */
static void
supplicant_scan_begun(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;

	if (answer->turn != self->turn)
		return;
	if (number_parse(answer->text, strcspn(answer->text, "\n"), 0, UINT32_MAX,
		&self->scan_id) == 0) {
		supplicant_set_timer(self->retry, SUPPLICANT_SCAN_MS);
		return;
	}
	self->scan_id = -1;
	supplicant_set_timer(self->retry, SUPPLICANT_RETRY_MS);
}

static void
supplicant_scan_ask(struct supplicant *self)
{
	char channels[SUPPLICANT_CHANNELS_TEXT], ssid[RADIO_SSID_MAX * 2 + 1] = "";
	bool is_passive = self->manner->is_passive;

	supplicant_write_channels(channels, supplicant_scan_channels(self), ',');
	/* Who listens only asks for no name. */
	if (self->scan->ssid != NULL && !is_passive)
		wpa_text_digits(ssid, self->scan->ssid, strlen(self->scan->ssid));
	wpa_control_ask(self->control, supplicant_scan_begun, self->turn,
	    "SCAN TYPE=ONLY freq=%s use_id=1%s%s%s", channels,
	    is_passive ? " passive=1" : "", ssid[0] == '\0' ? "" : " ssid ", ssid);
}

void
supplicant_scan(struct supplicant *self, const struct radio_scan *scan,
    const struct radio_manner *manner)
{
	supplicant_begin(self, SUPPLICANT_SCAN);
	self->scan = scan;
	self->manner = manner;
	self->begun_ms = clock_monotonic_ms();
	self->scan_id = -1;
	self->looked_at = 0;
	supplicant_scan_ask(self);
}

void
supplicant_scan_retry(struct supplicant *self)
{
	if (self->scan_id != -1 ||
	    clock_monotonic_ms() - self->begun_ms > SUPPLICANT_SCAN_MS)
		supplicant_scan_look(self);
	else
		supplicant_scan_ask(self);
}

void
supplicant_scan_event(struct supplicant *self, const struct wpa_event *event)
{
	if (self->scan_id == -1)
		return;
	if (event->kind == WPA_EVENT_SCANNED && event->id == self->scan_id) {
		supplicant_scan_look(self);
	} else if (event->kind == WPA_EVENT_SCAN_FAILED) {
		self->scan_id = -1;
		supplicant_set_timer(self->retry, SUPPLICANT_RETRY_MS);
	}
}
