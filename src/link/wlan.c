#include "link/wlan.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"

struct wlan {
	struct radio *radio; /* borrowed */
	const struct wlan_ops *ops;
	void *arg;
	struct event *timer; /* owned; the end of an attempt, DHCP or pause */
	enum wlan_state state;
	enum wlan_result result;
	struct wlan_settings settings;
	struct radio_ap ap; /* that the probe found, or that was joined before */
	bool has_ap; /* it is known: not behind a cable */
	bool is_known; /* it was joined before with these settings: no probe */
	unsigned scans_left, attempts_left, joins_done;
};

const char *
wlan_result_text(enum wlan_result result)
{
	static const char *const texts[] = { [WLAN_JOINED] = "Joined",
		[WLAN_NOT_FOUND] = "Network not found",
		[WLAN_WRONG_KEY] = "Wrong passkey",
		[WLAN_TIMED_OUT] = "Access point does not answer",
		[WLAN_FULL] = "Access point is full",
		[WLAN_NO_ADDRESS] = "No address from DHCP",
		[WLAN_NO_STATIC_ADDRESS] = "No valid address in wlan.static.ip" };

	return texts[result];
}

static void
wlan_set_timer(struct wlan *wlan, unsigned ms)
{
	struct timeval timeout = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(wlan->timer, &timeout);
}

/* Ends what is under way, and the join to the radio's network. */
static void
wlan_stop(struct wlan *wlan)
{
	event_del(wlan->timer);
	wlan->radio->ops->cancel(wlan->radio, wlan);
	if (wlan->state == WLAN_ADDRESSING || wlan->state == WLAN_UP)
		wlan->ops->forget(wlan->arg);
	if (wlan->state != WLAN_IDLE && wlan->state != WLAN_PAUSING)
		wlan->radio->ops->leave(wlan->radio);
	wlan->state = WLAN_IDLE;
}

static void
wlan_fail(struct wlan *wlan, enum wlan_result result)
{
	const struct wlan_settings *settings = &wlan->settings;
	bool again;

	wlan_stop(wlan);
	wlan->result = result;
	wlan->is_known = false;
	wlan->joins_done++;
	again = settings->joins == 0 || wlan->joins_done < settings->joins;
	if (again) {
		wlan->state = WLAN_PAUSING;
		wlan_set_timer(wlan, settings->pause_ms);
	}
	wlan->ops->failed(wlan->arg, result, again);
}

static void
wlan_go_up(struct wlan *wlan, const struct link_address *address)
{
	char text[INET_ADDRSTRLEN];

	event_del(wlan->timer);
	wlan->state = WLAN_UP;
	wlan->result = WLAN_JOINED;
	wlan->is_known = true;
	wlan->radio->ops->set_address(wlan->radio, RADIO_STATION, address->ip);
	inet_ntop(AF_INET, &address->ip, text, sizeof text);
	wlan->ops->news(wlan->arg, WLAN_NEWS_ADDRESS, text);
	wlan->ops->up(wlan->arg, address);
}

static void
wlan_fail_address(struct wlan *wlan)
{
	wlan_fail(
	    wlan, wlan->settings.has_dhcp ? WLAN_NO_ADDRESS : WLAN_NO_STATIC_ADDRESS);
}

/* Chosen: without an address, which the factory settings of wlan.static.* are, the join
 * fails: nothing could run over the network. */
static void
wlan_associated(struct wlan *wlan)
{
	if (!wlan->settings.has_dhcp && wlan->settings.address.ip.s_addr == 0) {
		wlan_fail_address(wlan);
		return;
	}
	if (!wlan->settings.has_dhcp && wlan->radio->ops->interface == NULL) {
		wlan_go_up(wlan, &wlan->settings.address);
		return;
	}
	wlan->state = WLAN_ADDRESSING;
	wlan_set_timer(wlan, wlan->settings.dhcp_timeout_ms);
	if (wlan->settings.has_dhcp)
		wlan->ops->news(wlan->arg, WLAN_NEWS_DHCP, "");
	wlan->ops->obtain(wlan->arg);
}

static void wlan_associate(struct wlan *wlan);
static void wlan_probe(struct wlan *wlan);

/* An attempt has failed: the next one, if there is one left. */
static void
wlan_try_again(struct wlan *wlan, enum wlan_result result)
{
	if (wlan->attempts_left == 0)
		wlan_fail(wlan, result);
	else
		wlan_associate(wlan);
}

static void
wlan_answered(void *arg, enum radio_result result)
{
	static const enum wlan_result results[] = { [RADIO_OK] = WLAN_JOINED,
		[RADIO_NOT_FOUND] = WLAN_NOT_FOUND,
		[RADIO_WRONG_KEY] = WLAN_WRONG_KEY,
		[RADIO_FULL] = WLAN_FULL };
	struct wlan *wlan = arg;

	event_del(wlan->timer);
	if (result == RADIO_OK) {
		wlan_associated(wlan);
	} else if (result == RADIO_NOT_FOUND && wlan->is_known) {
		/* Another access point may have its name by now. */
		wlan->is_known = false;
		wlan->attempts_left = wlan->settings.attempts;
		wlan_probe(wlan);
	} else {
		wlan_try_again(wlan, results[result]);
	}
}

static void
wlan_associate(struct wlan *wlan)
{
	const struct wlan_settings *settings = &wlan->settings;
	struct radio_target target = {
		.ssid = settings->ssid,
		.bssid = settings->has_bssid ? settings->bssid : NULL,
		.security = settings->security,
		.passkey = settings->passkey,
	};

	if (wlan->has_ap) {
		target.bssid = wlan->ap.bssid;
		target.channel = wlan->ap.channel;
		target.security = wlan->ap.security;
	}

	wlan->state = WLAN_ASSOCIATING;
	wlan->attempts_left--;
	wlan_set_timer(wlan, settings->timeout_ms);
	wlan->radio->ops->join(wlan->radio, &target, wlan_answered, wlan);
}

static bool
wlan_suits(const struct wlan *wlan, const struct radio_ap *ap)
{
	const struct wlan_settings *settings = &wlan->settings;

	if (settings->has_bssid && memcmp(ap->bssid, settings->bssid, MAC_OCTETS) != 0)
		return false;
	if (settings->security == RADIO_SECURITY_ANY ||
	    settings->security == ap->security)
		return true;
	return ap->security == RADIO_WPA2_MIXED &&
	       (settings->security == RADIO_WPA2_AES ||
		   settings->security == RADIO_WPA2_TKIP);
}

static void
wlan_probed(void *arg, const struct radio_ap *aps, size_t count)
{
	struct wlan *wlan = arg;

	for (size_t i = 0; i < count; i++) {
		if (!wlan_suits(wlan, &aps[i]))
			continue;
		wlan->ap = aps[i];
		wlan->has_ap = true;
		wlan->ops->news(
		    wlan->arg, WLAN_NEWS_PROBED, radio_security_name(aps[i].security));
		wlan_associate(wlan);
		return;
	}
	if (wlan->scans_left == 0)
		wlan_fail(wlan, WLAN_NOT_FOUND);
	else
		wlan_probe(wlan);
}

static void
wlan_probe(struct wlan *wlan)
{
	const struct radio_scan scan = { .ssid = wlan->settings.ssid };

	wlan->state = WLAN_PROBING;
	wlan->scans_left--;
	wlan->radio->ops->scan(wlan->radio, &scan, wlan_probed, wlan);
}

static void
wlan_begin(struct wlan *wlan)
{
	wlan->attempts_left = wlan->settings.attempts;
	wlan->scans_left = wlan->settings.scan_retries + 1;
	wlan->ops->news(wlan->arg, WLAN_NEWS_ASSOCIATING, wlan->settings.ssid);
	wlan->has_ap &= wlan->is_known;
	if (wlan->is_known || !radio_is_wifi(wlan->radio, RADIO_STATION))
		wlan_associate(wlan);
	else
		wlan_probe(wlan);
}

static void
wlan_time_is_up(evutil_socket_t fd, short what, void *arg)
{
	struct wlan *wlan = arg;

	(void)fd;
	(void)what;
	switch (wlan->state) {
	case WLAN_ASSOCIATING:
		wlan->radio->ops->cancel(wlan->radio, wlan);
		wlan_try_again(wlan, WLAN_TIMED_OUT);
		break;
	case WLAN_ADDRESSING:
		wlan_fail_address(wlan);
		break;
	case WLAN_STARTING:
	case WLAN_PAUSING:
		wlan_begin(wlan);
		break;
	default:
		break;
	}
}

struct wlan *
wlan_new(
    struct event_base *base, struct radio *radio, const struct wlan_ops *ops, void *arg)
{
	struct wlan *wlan = xcalloc(1, sizeof *wlan);

	wlan->radio = radio;
	wlan->ops = ops;
	wlan->arg = arg;
	wlan->timer = xcheck(event_new(base, -1, 0, wlan_time_is_up, wlan));
	return wlan;
}

void
wlan_free(struct wlan *wlan)
{
	if (wlan == NULL)
		return;
	wlan_stop(wlan);
	event_free(wlan->timer);
	free(wlan);
}

void
wlan_join(struct wlan *wlan, const struct wlan_settings *settings)
{
	const struct wlan_settings *before = &wlan->settings;

	wlan_stop(wlan);
	if (strcmp(settings->ssid, before->ssid) != 0 ||
	    settings->security != before->security ||
	    settings->has_bssid != before->has_bssid ||
	    memcmp(settings->bssid, before->bssid, MAC_OCTETS) != 0)
		wlan->is_known = false;
	wlan->settings = *settings;
	wlan->joins_done = 0;
	wlan->state = WLAN_STARTING;
	wlan_set_timer(wlan, 0);
}

void
wlan_leave(struct wlan *wlan)
{
	wlan_stop(wlan);
}

void
wlan_reset(struct wlan *wlan)
{
	wlan->is_known = false;
	wlan->result = WLAN_JOINED;
}

void
wlan_lost(struct wlan *wlan)
{
	enum wlan_state state = wlan->state;

	if (state != WLAN_UP && state != WLAN_ADDRESSING)
		return;
	event_del(wlan->timer);
	wlan->ops->forget(wlan->arg);
	wlan->state = WLAN_IDLE;
	if (state == WLAN_UP)
		wlan->ops->lost(wlan->arg);
	else
		wlan_try_again(wlan, WLAN_TIMED_OUT);
}

void
wlan_addressed(struct wlan *wlan, const struct link_address *address)
{
	if (wlan->state != WLAN_ADDRESSING)
		return;
	if (address == NULL)
		wlan_fail_address(wlan);
	else
		wlan_go_up(wlan, address);
}

enum wlan_state
wlan_state(const struct wlan *wlan)
{
	return wlan->state;
}

enum wlan_result
wlan_result(const struct wlan *wlan)
{
	return wlan->result;
}

unsigned
wlan_timeout_ms(const struct wlan_settings *settings)
{
	unsigned dhcp_ms = settings->has_dhcp ? settings->dhcp_timeout_ms : 0;

	return settings->attempts * settings->timeout_ms + dhcp_ms;
}
