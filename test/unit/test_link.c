#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>

#include "base/clock.h"
#include "device/air.h"
#include "link/softap.h"
#include "link/wlan.h"

/* The simulated air, and the state machines on top of it. */

#define STATIONS 3
#define QUIET_MS 50 /* longer than a key takes, on a busy machine too */

static const uint8_t bssid[MAC_OCTETS] = { 0xB6, 0xB9, 0x8A, 0x62, 0x3C, 0xE9 };

struct station {
	struct radio *radio;
	struct wlan *wlan;
	struct softap *softap;
	char said[512]; /* the news, in short */
	struct link_address given; /* by obtain(); ip 0: no answer */
	bool answers_no;
	bool wants_address;
};

struct rig {
	struct event_base *base;
	struct air *air;
	struct station stations[STATIONS];
};

static void
say(struct station *station, const char *what, const char *text)
{
	size_t len = strlen(station->said);

	snprintf(station->said + len, sizeof station->said - len, "%s%s%s",
	    len == 0 ? "" : " ", what, text);
}

static void
told_news(void *arg, enum wlan_news news, const char *text)
{
	static const char *const words[] = { "to:", "is:", "dhcp", "ip:" };

	say(arg, words[news], text);
}

static void
told_obtain(void *arg)
{
	((struct station *)arg)->wants_address = true;
}

static void
told_forget(void *arg)
{
	((struct station *)arg)->wants_address = false;
}

static void
told_up(void *arg, const struct link_address *address)
{
	(void)address;
	say(arg, "up", "");
}

static void
told_failed(void *arg, enum wlan_result result, bool again)
{
	char text[16];

	snprintf(text, sizeof text, "%d%s", (int)result, again ? "+" : "");
	say(arg, "failed:", text);
}

static void
told_lost(void *arg)
{
	say(arg, "lost", "");
}

static const struct wlan_ops wlan_told = { told_news, told_obtain, told_forget, told_up,
	told_failed, told_lost };

static void
told_softap_up(void *arg, const struct link_address *address)
{
	(void)address;
	say(arg, "ap", "");
}

static void
told_changed(void *arg)
{
	say(arg, "clients", "");
}

static const struct softap_ops softap_told = { told_softap_up, told_changed };

static void
heard_lost(void *arg)
{
	wlan_lost(((struct station *)arg)->wlan);
}

static void
heard_came(void *arg, const uint8_t mac[MAC_OCTETS])
{
	softap_station_came(((struct station *)arg)->softap, mac);
}

static void
heard_left(void *arg, const uint8_t mac[MAC_OCTETS], bool silently)
{
	softap_station_left(((struct station *)arg)->softap, mac, silently);
}

static const struct radio_events heard = {
	.lost = heard_lost, .station_came = heard_came, .station_left = heard_left
};

static void
add(struct rig *rig, const char *ssid, enum radio_security security,
    const char *passkey, int rssi_dbm, bool is_hidden)
{
	const struct air_network network = { .ssid = ssid,
		.bssid = bssid,
		.channel = 6,
		.security = security,
		.passkey = passkey,
		.rssi_dbm = rssi_dbm,
		.is_hidden = is_hidden };

	assert_int_equal(air_add(rig->air, &network, NULL), 0);
}

static int
setup(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	*state = rig;
	rig->base = event_base_new();
	rig->air = air_new(rig->base, 0);
	add(rig, "lab", RADIO_WPA2_AES, "password", -48, false);
	add(rig, "open", RADIO_OPEN, "", -60, false);
	add(rig, "old", RADIO_WEP, "abcde", -70, false);
	add(rig, "mixed", RADIO_WPA2_MIXED, "password", -50, false);
	add(rig, "secret", RADIO_WPA2_AES, "password", -40, true);
	add(rig, "far", RADIO_OPEN, "", AIR_RSSI_ANSWERED_DBM - 1, false);
	add(rig, "gone", RADIO_OPEN, "", AIR_RSSI_HEARD_DBM - 1, false);
	for (unsigned i = 0; i < STATIONS; i++) {
		const uint8_t mac[MAC_OCTETS] = { 0x4C, 0, 0, 0, 0, (uint8_t)i };
		struct station *station = &rig->stations[i];

		station->radio = air_radio_new(rig->air, mac);
		station->radio->events = &heard;
		station->radio->arg = station->radio->owner = station;
		station->wlan =
		    wlan_new(rig->base, station->radio, &wlan_told, station);
		station->softap =
		    softap_new(rig->base, station->radio, &softap_told, station);
	}
	return 0;
}

static int
teardown(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < STATIONS; i++) {
		wlan_free(rig->stations[i].wlan);
		softap_free(rig->stations[i].softap);
		rig->stations[i].radio->ops->free(rig->stations[i].radio);
	}
	air_free(rig->air);
	event_base_free(rig->base);
	free(rig);
	return 0;
}

/* Gives the stations the addresses that they want. */
static void
give_addresses(struct rig *rig)
{
	for (unsigned n = 0; n < STATIONS; n++) {
		struct station *station = &rig->stations[n];

		if (!station->wants_address ||
		    (station->given.ip.s_addr == 0 && !station->answers_no))
			continue;
		station->wants_address = false;
		wlan_addressed(
		    station->wlan, station->answers_no ? NULL : &station->given);
	}
}

/* Whether a copy that memcpy() made, padding and all, still is one. */
static bool
is_copy(const void *copy, const void *original, size_t len)
{
	return memcmp(copy, original, len) == 0;
}

/* Runs the loop until nothing has happened for a while. */
static void
run(struct rig *rig)
{
	struct station before[STATIONS];
	int64_t quiet_at = clock_monotonic_ms() + QUIET_MS;

	memcpy(before, rig->stations, sizeof before);
	while (clock_monotonic_ms() < quiet_at) {
		event_base_loop(rig->base, EVLOOP_NONBLOCK);
		give_addresses(rig);
		if (!is_copy(before, rig->stations, sizeof before))
			quiet_at = clock_monotonic_ms() + QUIET_MS;
		memcpy(before, rig->stations, sizeof before);
	}
}

/* Runs the loop until the station has said this in all. */
static void
run_until(struct rig *rig, const struct station *station, const char *said)
{
	int64_t end = clock_monotonic_ms() + 5000;

	while (strcmp(station->said, said) != 0 && clock_monotonic_ms() < end)
		event_base_loop(rig->base, EVLOOP_ONCE);
	assert_string_equal(station->said, said);
}

static struct wlan_settings
settings_for(const char *ssid, const char *passkey)
{
	struct wlan_settings settings = { .security = RADIO_SECURITY_ANY,
		.attempts = 2,
		.timeout_ms = 60000,
		.joins = 1,
		.has_dhcp = true,
		.dhcp_timeout_ms = 60000 };

	snprintf(settings.ssid, sizeof settings.ssid, "%s", ssid);
	snprintf(settings.passkey, sizeof settings.passkey, "%s", passkey);
	return settings;
}

/* Joins and returns what was said. */
static const char *
join(struct rig *rig, const struct wlan_settings *settings)
{
	struct station *station = &rig->stations[0];

	inet_pton(AF_INET, "10.0.0.2", &station->given.ip);
	station->said[0] = '\0';
	wlan_join(station->wlan, settings);
	run(rig);
	return station->said;
}

static void
test_join(void **state)
{
	struct wlan_settings settings = settings_for("lab", "password");
	struct rig *rig = *state;
	struct radio *radio = rig->stations[0].radio;
	struct radio_ap ap;

	assert_string_equal(
	    join(rig, &settings), "to:lab is:WPA2-AES dhcp ip:10.0.0.2 up");
	assert_int_equal(wlan_state(rig->stations[0].wlan), WLAN_UP);
	assert_int_equal(radio->ops->joined(radio, &ap), 0);
	assert_string_equal(ap.ssid, "lab");
	assert_int_equal(ap.rssi_dbm, -48);
	assert_int_equal(ap.channel, 6);
	/* Joined before, it is not probed again; with other settings it is. */
	assert_string_equal(join(rig, &settings), "to:lab dhcp ip:10.0.0.2 up");
	settings = settings_for("open", "");
	assert_string_equal(
	    join(rig, &settings), "to:open is:Open dhcp ip:10.0.0.2 up");
	wlan_leave(rig->stations[0].wlan);
	assert_int_equal(radio->ops->joined(radio, &ap), -1);
	assert_int_equal(wlan_state(rig->stations[0].wlan), WLAN_IDLE);
}

static void
test_keys(void **state)
{
	static const struct {
		const char *ssid, *passkey, *said;
	} cases[] = {
		{ "lab", "passwore", "to:lab is:WPA2-AES failed:2" },
		{ "lab", "", "to:lab is:WPA2-AES failed:2" },
		/* What PBKDF2 makes of "password", by another implementation. */
		{ "lab", "PSK", "to:lab is:WPA2-AES dhcp ip:10.0.0.2 up" },
		{ "old", "abcde", "to:old is:WEP dhcp ip:10.0.0.2 up" },
		{ "old", "6162636465", "to:old is:WEP dhcp ip:10.0.0.2 up" },
		{ "old", "abcdf", "to:old is:WEP failed:2" },
		{ "old", "password", "to:old is:WEP failed:2" },
		{ "open", "unneeded", "to:open is:Open dhcp ip:10.0.0.2 up" },
		{ "secret", "password", "to:secret is:WPA2-AES dhcp ip:10.0.0.2 up" },
		{ "none", "", "to:none failed:1" },
		{ "gone", "", "to:gone failed:1" },
	};
	static const char psk[] =
	    "b64a18fa455a8c117eb0089cead7246e1b91f564205e535c342e088d18dfbaa0";

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wlan_settings settings = settings_for(cases[i].ssid,
		    strcmp(cases[i].passkey, "PSK") == 0 ? psk : cases[i].passkey);

		wlan_reset(((struct rig *)*state)->stations[0].wlan);
		assert_string_equal(join(*state, &settings), cases[i].said);
		wlan_leave(((struct rig *)*state)->stations[0].wlan);
	}
}

static void
test_security(void **state)
{
	struct wlan_settings settings = settings_for("mixed", "password");

	settings.security = RADIO_WPA2_TKIP;
	assert_string_equal(
	    join(*state, &settings), "to:mixed is:WPA2-Mixed dhcp ip:10.0.0.2 up");
	settings.security = RADIO_WEP;
	assert_string_equal(join(*state, &settings), "to:mixed failed:1");
	settings.security = RADIO_SECURITY_ANY;
	settings.has_bssid = true;
	memcpy(settings.bssid, "\x02\x00\x00\x00\x00\x01", MAC_OCTETS);
	assert_string_equal(join(*state, &settings), "to:mixed failed:1");
	memcpy(settings.bssid, bssid, MAC_OCTETS);
	assert_string_equal(
	    join(*state, &settings), "to:mixed is:WPA2-Mixed dhcp ip:10.0.0.2 up");
}

static void
test_static_address(void **state)
{
	struct wlan_settings settings = settings_for("lab", "password");

	settings.has_dhcp = false;
	inet_pton(AF_INET, "192.0.2.7", &settings.address.ip);
	assert_string_equal(
	    join(*state, &settings), "to:lab is:WPA2-AES ip:192.0.2.7 up");
}

static void
test_time_outs(void **state)
{
	struct rig *rig = *state;
	struct station *station = &rig->stations[0];
	struct wlan_settings settings = settings_for("far", "");

	/* Both attempts are made, then it gives up. */
	settings.timeout_ms = 500;
	join(rig, &settings);
	run_until(rig, station, "to:far is:Open failed:3");
	settings = settings_for("open", "");
	settings.dhcp_timeout_ms = 500;
	station->answers_no = true;
	assert_string_equal(join(rig, &settings), "to:open is:Open dhcp failed:5");
	station->answers_no = false;
	station->said[0] = '\0';
	station->given.ip.s_addr = 0;
	wlan_join(station->wlan, &settings);
	run_until(rig, station, "to:open is:Open dhcp failed:5");
	assert_false(station->wants_address);
}

static void
test_joins_again(void **state)
{
	struct rig *rig = *state;
	struct station *station = &rig->stations[0];
	struct wlan_settings settings = settings_for("none", "");

	settings.joins = 3;
	settings.pause_ms = 5;
	join(rig, &settings);
	run_until(rig, station, "to:none failed:1+ to:none failed:1+ to:none failed:1");
	/* For ever, and the network appears. */
	settings.joins = 0;
	join(rig, &settings);
	assert_int_equal(wlan_state(station->wlan), WLAN_PAUSING);
	add(rig, "none", RADIO_OPEN, "", -50, false);
	while (wlan_state(station->wlan) != WLAN_ADDRESSING)
		event_base_loop(rig->base, EVLOOP_ONCE);
	run(rig);
	assert_int_equal(wlan_state(station->wlan), WLAN_UP);
}

static void
test_loss(void **state)
{
	struct wlan_settings settings = settings_for("lab", "password");
	struct rig *rig = *state;
	struct station *station = &rig->stations[0];

	join(rig, &settings);
	station->said[0] = '\0';
	assert_int_equal(air_switch(rig->air, "lab", false), 1);
	run(rig);
	assert_string_equal(station->said, "lost");
	assert_string_equal(join(rig, &settings), "to:lab failed:1");
	air_switch(rig->air, "lab", true);
	join(rig, &settings);
	station->said[0] = '\0';
	assert_int_equal(air_set_rssi(rig->air, "lab", AIR_RSSI_HEARD_DBM), 1);
	run(rig);
	assert_string_equal(station->said, "");
	air_set_rssi(rig->air, "lab", AIR_RSSI_HEARD_DBM - 1);
	run(rig);
	assert_string_equal(station->said, "lost");
	air_set_rssi(rig->air, "lab", -48);
	join(rig, &settings);
	station->said[0] = '\0';
	assert_int_equal(air_set_passkey(rig->air, "lab", "short"), -1);
	assert_int_equal(air_set_passkey(rig->air, "lab", "longenough"), 1);
	assert_int_equal(air_set_passkey(rig->air, "nowhere", "longenough"), 0);
	run(rig);
	assert_string_equal(station->said, "lost");
	assert_string_equal(join(rig, &settings), "to:lab failed:2");
	settings = settings_for("lab", "longenough");
	join(rig, &settings);
	station->said[0] = '\0';
	assert_int_equal(air_remove(rig->air, "lab"), 1);
	run(rig);
	assert_string_equal(station->said, "lost");
	assert_int_equal(air_remove(rig->air, "lab"), 0);
}

/* While it waits for its address. */
static void
test_loss_on_the_way(void **state)
{
	struct wlan_settings settings = settings_for("lab", "password");
	struct rig *rig = *state;
	struct station *station = &rig->stations[0];

	wlan_join(station->wlan, &settings);
	run(rig);
	assert_int_equal(wlan_state(station->wlan), WLAN_ADDRESSING);
	air_switch(rig->air, "lab", false);
	run(rig);
	assert_string_equal(station->said, "to:lab is:WPA2-AES dhcp failed:1");
	/* A leave in each state ends everything. */
	air_switch(rig->air, "lab", true);
	wlan_join(station->wlan, &settings);
	wlan_leave(station->wlan);
	run(rig);
	assert_int_equal(wlan_state(station->wlan), WLAN_IDLE);
}

static void
scanned(void *arg, const struct radio_ap *aps, size_t count)
{
	char *text = arg;

	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), 256 - strlen(text), "[%s]", aps[i].ssid);
}

static const char *
scan(struct rig *rig, const char *ssid, unsigned channel)
{
	const struct radio_scan asked = { .ssid = ssid, .channel = channel };
	struct radio *radio = rig->stations[0].radio;
	static char text[256];

	text[0] = '\0';
	radio->ops->scan(radio, &asked, scanned, text);
	run(rig);
	return text;
}

static void
test_scan(void **state)
{
	struct rig *rig = *state;

	/* The strongest first; a hidden one has no name unless it is called. */
	assert_string_equal(scan(rig, NULL, 0), "[][lab][mixed][open][old][far]");
	assert_string_equal(scan(rig, "secret", 0), "[secret]");
	assert_string_equal(scan(rig, "lab", 6), "[lab]");
	assert_string_equal(scan(rig, NULL, 7), "");
	assert_string_equal(scan(rig, "none", 0), "");
	for (unsigned i = 0; i < 2 * RADIO_SCAN_MAX; i++)
		add(rig, "x", RADIO_OPEN, "", -80, false);
	assert_int_equal(strncmp(scan(rig, "x", 0), "[x][x]", 6), 0);
}

static void
start_softap(struct rig *rig, struct station *station, const char *netmask)
{
	struct softap_settings settings = {
		.ap = { .ssid = "zentri", .passkey = "password" }, .idle_timeout_s = 1
	};

	inet_pton(AF_INET, "10.10.10.1", &settings.address.ip);
	inet_pton(AF_INET, netmask, &settings.address.netmask);
	softap_start(station->softap, &settings);
	run(rig);
}

static void
test_one_channel(void **state)
{
	struct wlan_settings settings = settings_for("lab", "password");
	struct rig *rig = *state;
	struct station *ap = &rig->stations[1];

	start_softap(rig, ap, "255.255.255.0");
	assert_string_equal(scan(rig, "zentri", 1), "[zentri]");
	settings.has_dhcp = false;
	inet_pton(AF_INET, "192.168.1.7", &settings.address.ip);
	wlan_join(ap->wlan, &settings);
	run(rig);
	assert_string_equal(scan(rig, "zentri", 1), "");
	assert_string_equal(scan(rig, "zentri", 6), "[zentri]");
	wlan_leave(ap->wlan);
	assert_string_equal(scan(rig, "zentri", 1), "[zentri]");
}

static void
check_clients(const struct station *station, const char *expected)
{
	struct radio_station clients[RADIO_STATIONS_MAX];
	size_t count = softap_clients(station->softap, clients, RADIO_STATIONS_MAX);
	char text[256] = "";

	for (size_t i = 0; i < count; i++) {
		char address[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &clients[i].address, address, sizeof address);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%u=%s ",
		    clients[i].mac[5], address);
	}
	assert_string_equal(text, expected);
}

static void
test_softap(void **state)
{
	struct wlan_settings settings = settings_for("zentri", "password");
	struct rig *rig = *state;
	struct station *ap = &rig->stations[0], *first = &rig->stations[1],
		       *second = &rig->stations[2];
	struct link_address address = { .ip = { 0 } };

	start_softap(rig, ap, "255.255.255.0");
	assert_string_equal(ap->said, "ap");
	wlan_join(first->wlan, &settings);
	run(rig);
	assert_string_equal(first->said, "to:zentri is:WPA2-AES dhcp");
	inet_pton(AF_INET, "10.10.10.2", &address.ip);
	inet_pton(AF_INET, "10.10.10.1", &address.gateway);
	check_clients(ap, "1=0.0.0.0 ");
	wlan_addressed(first->wlan, &address);
	check_clients(ap, "1=10.10.10.2 ");
	assert_ptr_equal(first->radio->ops->access_point(first->radio), ap->radio);
	assert_ptr_equal(
	    ap->radio->ops->neighbour(ap->radio, RADIO_AP, address.ip), first->radio);
	assert_ptr_equal(
	    first->radio->ops->neighbour(first->radio, RADIO_STATION, address.gateway),
	    ap->radio);
	settings.has_dhcp = false;
	inet_pton(AF_INET, "10.10.10.3", &settings.address.ip);
	wlan_join(second->wlan, &settings);
	run(rig);
	check_clients(ap, "1=10.10.10.2 2=10.10.10.3 ");
	/* Who leaves is out; who vanishes stays for a while. */
	wlan_leave(first->wlan);
	check_clients(ap, "2=10.10.10.3 ");
	ap->said[0] = '\0';
	second->radio->ops->vanish(second->radio);
	check_clients(ap, "2=10.10.10.3 ");
	run_until(rig, ap, "clients");
	check_clients(ap, "");
	/* Its end is noticed by who has joined. */
	settings.has_dhcp = false;
	wlan_join(first->wlan, &settings);
	run(rig);
	first->said[0] = '\0';
	softap_stop(ap->softap);
	run(rig);
	assert_string_equal(first->said, "lost");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_join, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_security, setup, teardown),
		cmocka_unit_test_setup_teardown(test_static_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_outs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_joins_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loss_on_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_channel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_softap, setup, teardown),
	};

	return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
