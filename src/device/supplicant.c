#include "device/supplicant.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/xmalloc.h"
#include "device/supplicant_state.h"

#define SUPPLICANT_SIGNAL_MS 1000 /* between two measurements of the signal */
#define SUPPLICANT_RETURN_MS 10000 /* to the network that was left for a moment */
#define SUPPLICANT_LIST_MAX 32 /* networks of its list that are looked at */

void
supplicant_set_timer(struct event *timer, unsigned ms)
{
	struct timeval timeout = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(timer, &timeout);
}

void
supplicant_end(struct supplicant *self)
{
	self->task = SUPPLICANT_IDLE;
	self->turn++;
	event_del(self->retry);
	free(self->found);
	self->found = NULL;
	self->count = 0;
}

void
supplicant_begin(struct supplicant *self, enum supplicant_task task)
{
	supplicant_stop(self);
	self->task = task;
}

bool
supplicant_is_at_home(const struct supplicant *self)
{
	return self->network != -1 && !self->is_returning &&
	       self->task != SUPPLICANT_VERIFY && self->task != SUPPLICANT_WPS;
}

/* The network that is joined */

void
supplicant_watch_signal(struct supplicant *self)
{
	supplicant_set_timer(self->link, SUPPLICANT_SIGNAL_MS);
}

static void
supplicant_measured(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;
	int64_t dbm;

	if (wpa_text_number(answer->text, "RSSI", -127, 0, &dbm))
		self->ap.rssi_dbm = (int)dbm;
}

/* The other side is not to join it again by itself: that is the module's decision. */
static void
supplicant_forget(struct supplicant *self)
{
	if (self->network == -1)
		return;
	wpa_control_ask(self->control, NULL, 0, "DISCONNECT");
	wpa_control_ask(
	    self->control, NULL, 0, "REMOVE_NETWORK %d", (int)self->network);
	self->network = -1;
	self->is_returning = false;
	event_del(self->link);
}

static void
supplicant_lose(struct supplicant *self)
{
	supplicant_forget(self);
	self->ops->lost(self->arg);
}

void
supplicant_return(struct supplicant *self)
{
	if (self->network == -1)
		return;
	wpa_control_ask(
	    self->control, NULL, 0, "SELECT_NETWORK %d", (int)self->network);
	self->is_returning = true;
	supplicant_set_timer(self->link, SUPPLICANT_RETURN_MS);
}

static void
supplicant_link(evutil_socket_t fd, short what, void *arg)
{
	struct supplicant *self = arg;

	(void)fd;
	(void)what;
	if (self->is_returning) {
		supplicant_lose(self);
		return;
	}
	if (supplicant_is_at_home(self))
		wpa_control_ask(self->control, supplicant_measured, 0, "SIGNAL_POLL");
	supplicant_watch_signal(self);
}

void
supplicant_drop_trial(struct supplicant *self)
{
	if (self->trial == -1)
		return;
	if (self->network == -1)
		wpa_control_ask(self->control, NULL, 0, "DISCONNECT");
	wpa_control_ask(self->control, NULL, 0, "REMOVE_NETWORK %d", (int)self->trial);
	self->trial = -1;
}

int
supplicant_joined(const struct supplicant *self, struct radio_ap *ap)
{
	if (self->network == -1)
		return -1;
	*ap = self->ap;
	return 0;
}

/* WPS */

static void
supplicant_wps_ask(struct supplicant *self)
{
	/* The key comes here instead of into its own list. */
	wpa_control_ask(self->control, NULL, 0, "SET wps_cred_processing 1");
	if (self->pin == NULL)
		wpa_control_ask(self->control, NULL, 0, "WPS_PBC");
	else
		wpa_control_ask(self->control, NULL, 0, "WPS_PIN any %s", self->pin);
}

void
supplicant_wps(struct supplicant *self, const char *pin)
{
	supplicant_begin(self, SUPPLICANT_WPS);
	self->pin = pin;
	supplicant_wps_ask(self);
}

static void
supplicant_wps_end(struct supplicant *self)
{
	wpa_control_ask(self->control, NULL, 0, "WPS_CANCEL");
	if (self->network == -1)
		wpa_control_ask(self->control, NULL, 0, "DISCONNECT");
	supplicant_return(self);
}

static void
supplicant_wps_event(struct supplicant *self, const struct wpa_event *event)
{
	struct wpa_credential credential;
	bool is_given = event->kind == WPA_EVENT_CREDENTIAL &&
			wpa_text_credential(event->rest, &credential) == 0;

	if (is_given || event->kind == WPA_EVENT_OVERLAP) {
		supplicant_end(self);
		supplicant_wps_end(self);
		self->ops->wps_given(self->arg, is_given ? &credential.ap : NULL,
		    is_given ? credential.passkey : NULL);
		explicit_bzero(&credential, sizeof credential);
	} else if (event->kind == WPA_EVENT_WPS_FAILED ||
		   event->kind == WPA_EVENT_CREDENTIAL) {
		/* Who asked may wait longer. */
		supplicant_set_timer(self->retry, SUPPLICANT_RETRY_MS);
	}
}

/* What is under way */

void
supplicant_stop(struct supplicant *self)
{
	enum supplicant_task task = self->task;

	supplicant_end(self);
	if (task == SUPPLICANT_JOIN || task == SUPPLICANT_VERIFY)
		supplicant_drop_trial(self);
	if (task == SUPPLICANT_VERIFY)
		supplicant_return(self);
	if (task == SUPPLICANT_WPS)
		supplicant_wps_end(self);
}

void
supplicant_leave(struct supplicant *self)
{
	if (self->task == SUPPLICANT_JOIN)
		supplicant_stop(self);
	supplicant_forget(self);
}

static void
supplicant_retry(evutil_socket_t fd, short what, void *arg)
{
	struct supplicant *self = arg;

	(void)fd;
	(void)what;
	if (self->task == SUPPLICANT_SCAN)
		supplicant_scan_retry(self);
	else if (self->task == SUPPLICANT_WPS)
		supplicant_wps_ask(self);
}

static void
supplicant_event(void *arg, const char *line)
{
	struct supplicant *self = arg;
	struct wpa_event event;

	wpa_text_event(line, &event);
	if (self->is_returning && event.kind == WPA_EVENT_CONNECTED &&
	    event.id == self->network) {
		self->is_returning = false;
		supplicant_watch_signal(self);
	} else if (event.kind == WPA_EVENT_DISCONNECTED &&
		   supplicant_is_at_home(self)) {
		supplicant_lose(self);
	} else if (self->task == SUPPLICANT_SCAN) {
		supplicant_scan_event(self, &event);
	} else if (self->task == SUPPLICANT_WPS) {
		supplicant_wps_event(self, &event);
	} else if (self->task != SUPPLICANT_IDLE) {
		supplicant_join_event(self, &event);
	}
}

/* The other side comes and goes. What a process before this one has left there is
 * removed first. */

static void
supplicant_come(struct supplicant *self)
{
	self->is_ready = true;
	self->ops->came(self->arg);
}

static void
supplicant_mark_came(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;

	/* The turn is the number of the network. */
	if (strncmp(answer->text, SUPPLICANT_MARK, strlen(SUPPLICANT_MARK)) == 0)
		wpa_control_ask(
		    self->control, NULL, 0, "REMOVE_NETWORK %u", answer->turn);
	if (--self->marks_left == 0)
		supplicant_come(self);
}

/* A line of names, and one for each network that begins with its number. */
static void
supplicant_list_came(void *arg, const struct wpa_answer *answer)
{
	struct supplicant *self = arg;
	const char *line = strchr(answer->text, '\n');
	int64_t id;

	while (line != NULL && self->marks_left < SUPPLICANT_LIST_MAX) {
		line++;
		if (number_parse(line, strcspn(line, "\t"), 0, INT32_MAX, &id) == 0) {
			self->marks_left++;
			wpa_control_ask(self->control, supplicant_mark_came,
			    (unsigned)id, "GET_NETWORK %d id_str", (int)id);
		}
		line = strchr(line, '\n');
	}
	if (self->marks_left == 0)
		supplicant_come(self);
}

static void
supplicant_opened(void *arg)
{
	struct supplicant *self = arg;

	self->marks_left = 0;
	wpa_control_ask(self->control, supplicant_list_came, 0, "LIST_NETWORKS");
}

static void
supplicant_closed(void *arg)
{
	struct supplicant *self = arg;

	supplicant_end(self);
	event_del(self->link);
	self->network = self->trial = -1;
	self->is_ready = self->is_returning = false;
	self->ops->went(self->arg);
}

static const struct wpa_control_ops supplicant_control_ops = {
	.opened = supplicant_opened,
	.closed = supplicant_closed,
	.event = supplicant_event,
};

struct supplicant *
supplicant_new(struct event_base *base, const char *directory, const char *interface,
    const struct supplicant_ops *ops, void *arg)
{
	struct supplicant *self = xcalloc(1, sizeof *self);

	self->interface = xstrdup(interface);
	self->ops = ops;
	self->arg = arg;
	self->network = self->trial = -1;
	self->retry = xcheck(event_new(base, -1, 0, supplicant_retry, self));
	self->link = xcheck(event_new(base, -1, 0, supplicant_link, self));
	self->control =
	    wpa_control_new(base, directory, interface, &supplicant_control_ops, self);
	return self;
}

void
supplicant_free(struct supplicant *self)
{
	if (self == NULL)
		return;
	supplicant_stop(self);
	supplicant_forget(self);
	wpa_control_free(self->control);
	event_free(self->retry);
	event_free(self->link);
	free(self->found);
	free(self->interface);
	free(self);
}

bool
supplicant_is_there(const struct supplicant *self)
{
	return wpa_control_is_there(self->control);
}

bool
supplicant_is_ready(const struct supplicant *self)
{
	return self->is_ready;
}
