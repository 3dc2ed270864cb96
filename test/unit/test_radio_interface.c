#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "device/radio_interface.h"
#include "host_fixture.h"

/* The radio of real interfaces, beside programs that do as wpa_supplicant and hostapd
 * do: they take down what they are asked, and say what they are told to. The interface
 * is lo, which has a carrier. */

#define LO "lo"
#define WAIT_MS 5000

/* One of the two programs. */
struct peer {
	struct sockaddr_un own, client;
	socklen_t client_len;
	struct event *readable; /* with its socket; NULL: it is not there */
	struct evbuffer *asked; /* lines */
	struct {
		const char *request, *reply;
	} replies[8]; /* beyond "OK", the first that fits */
	size_t reply_count;
	unsigned next_network;
	const char *bss[4]; /* up to NULL */
};

struct rig {
	struct event_base *base;
	char directory[HOST_PATH_MAX];
	struct peer supplicant, hostapd;
	struct radio *radio;
	struct evbuffer *told;
};

static void
peer_send(const struct peer *peer, const char *text)
{
	/* Who asked may be gone by now. */
	(void)sendto(event_get_fd(peer->readable), text, strlen(text), 0,
	    (const struct sockaddr *)&peer->client, peer->client_len);
}

/* The networks of a scan, one after the other: "BSS FIRST", "BSS NEXT-1". */
static void
peer_send_bss(const struct peer *peer, const char *request)
{
	size_t i = strncmp(request, "BSS NEXT-", 9) == 0
		       ? (size_t)strtoul(request + 9, NULL, 10) + 1
		       : 0;

	peer_send(peer, peer->bss[i] == NULL ? "" : peer->bss[i]);
}

static void
peer_reply(struct peer *peer, const char *request)
{
	char number[16];

	for (size_t i = 0; i < peer->reply_count; i++) {
		if (strncmp(request, peer->replies[i].request,
			strlen(peer->replies[i].request)) == 0) {
			peer_send(peer, peer->replies[i].reply);
			return;
		}
	}
	if (strncmp(request, "BSS ", 4) == 0) {
		peer_send_bss(peer, request);
	} else if (strcmp(request, "ADD_NETWORK") == 0) {
		snprintf(number, sizeof number, "%u\n", peer->next_network++);
		peer_send(peer, number);
	} else {
		peer_send(peer, "OK\n");
	}
}

static void
peer_read(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;
	char request[600];
	ssize_t n;

	(void)what;
	peer->client_len = sizeof peer->client;
	n = recvfrom(fd, request, sizeof request - 1, 0,
	    (struct sockaddr *)&peer->client, &peer->client_len);
	assert_true(n > 0);
	request[n] = '\0';
	evbuffer_add_printf(peer->asked, "%s\n", request);
	peer_reply(peer, request);
}

static void
peer_open(struct rig *rig, struct peer *peer, const char *directory)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char path[HOST_PATH_MAX + 8];

	assert_true(fd != -1);
	peer->own.sun_family = AF_UNIX;
	snprintf(path, sizeof path, "%s/%s", rig->directory, directory);
	mkdir(path, 0700);
	snprintf(peer->own.sun_path, sizeof peer->own.sun_path, "%s/%s", path, LO);
	unlink(peer->own.sun_path);
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&peer->own, sizeof peer->own), 0);
	peer->readable =
	    event_new(rig->base, fd, EV_READ | EV_PERSIST, peer_read, peer);
	event_add(peer->readable, NULL);
	if (peer->asked == NULL)
		peer->asked = evbuffer_new();
}

static void
peer_close(struct peer *peer)
{
	if (peer->readable == NULL)
		return;
	close(event_get_fd(peer->readable));
	event_free(peer->readable);
	peer->readable = NULL;
}

/* What the radio tells */

static void
told_scanned(void *arg, const struct radio_ap *aps, size_t count)
{
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "scanned:");
	for (size_t i = 0; i < count; i++)
		evbuffer_add_printf(rig->told, " %s %u %d", aps[i].ssid, aps[i].channel,
		    aps[i].rssi_dbm);
	evbuffer_add_printf(rig->told, "\n");
}

static void
told_joined(void *arg, enum radio_result result)
{
	static const char *const words[] = { "OK", "NOT_FOUND", "WRONG_KEY", "FULL" };
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "joined: %s\n", words[result]);
}

static void
told_wps(void *arg, const struct radio_ap *ap, const char *passkey)
{
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "wps: %s %s\n", ap == NULL ? "-" : ap->ssid,
	    passkey == NULL ? "-" : passkey);
}

static void
told_lost(void *arg)
{
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "lost\n");
}

static void
told_came(void *arg, const uint8_t mac[MAC_OCTETS])
{
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "came %02x\n", mac[5]);
}

static void
told_left(void *arg, const uint8_t mac[MAC_OCTETS], bool silently)
{
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "left %02x%s\n", mac[5], silently ? "!" : "");
}

static void
told_host_gone(void *arg)
{
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "gone\n");
}

static void
told_host_came(void *arg)
{
	struct rig *rig = arg;

	evbuffer_add_printf(rig->told, "there\n");
}

static const struct radio_events told = {
	.lost = told_lost,
	.station_came = told_came,
	.station_left = told_left,
	.host_gone = told_host_gone,
	.host_came = told_host_came,
};

/* The loop runs until nothing more comes of it at once. */
static void
settle(struct rig *rig)
{
	for (unsigned i = 0; i < 100; i++)
		event_base_loop(rig->base, EVLOOP_NONBLOCK);
}

/* Takes what has come; borrowed until the next call. */
static const char *
take(struct evbuffer *buffer)
{
	static char text[4096];
	size_t len = evbuffer_get_length(buffer);

	assert_true(len < sizeof text);
	evbuffer_remove(buffer, text, len);
	text[len] = '\0';
	return text;
}

static void
expect(struct rig *rig, struct evbuffer *buffer, const char *text)
{
	settle(rig);
	assert_string_equal(take(buffer), text);
}

/* The loop runs until something has come. */
static void
expect_later(struct rig *rig, struct evbuffer *buffer, const char *text)
{
	int64_t end_ms = clock_monotonic_ms() + WAIT_MS;

	while (
	    evbuffer_get_length(buffer) < strlen(text) && clock_monotonic_ms() < end_ms)
		event_base_loop(rig->base, EVLOOP_ONCE);
	assert_string_equal(take(buffer), text);
}

static void
say(struct rig *rig, struct peer *peer, const char *line)
{
	peer_send(peer, line);
	settle(rig);
}

static void
answer(struct peer *peer, const char *request, const char *reply)
{
	peer->replies[peer->reply_count].request = request;
	peer->replies[peer->reply_count++].reply = reply;
}

static void
rig_open_radio(struct rig *rig)
{
	char paths[RADIO_AP + 1][HOST_PATH_MAX + 20];
	const struct radio_interface_options options = {
		.names = { LO, LO },
		.directories = { paths[RADIO_STATION], paths[RADIO_AP] },
	};

	snprintf(paths[RADIO_STATION], sizeof paths[0], "%s/wpa", rig->directory);
	snprintf(paths[RADIO_AP], sizeof paths[0], "%s/ap", rig->directory);
	rig->radio = radio_interface_new(rig->base, &options);
	assert_non_null(rig->radio);
	rig->radio->events = &told;
	rig->radio->arg = rig;
	settle(rig);
}

static int
rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	rig->base = event_base_new();
	rig->told = evbuffer_new();
	host_directory_make(rig->directory);
	peer_open(rig, &rig->supplicant, "wpa");
	peer_open(rig, &rig->hostapd, "ap");
	rig_open_radio(rig);
	assert_string_equal(take(rig->supplicant.asked), "ATTACH\nLIST_NETWORKS\n");
	assert_string_equal(take(rig->hostapd.asked), "ATTACH\nDISABLE\n");
	*state = rig;
	return 0;
}

static int
rig_teardown(void **state)
{
	struct rig *rig = *state;
	struct peer *peers[] = { &rig->supplicant, &rig->hostapd };

	if (rig->radio != NULL)
		rig->radio->ops->free(rig->radio);
	for (size_t i = 0; i < 2; i++) {
		peer_close(peers[i]);
		evbuffer_free(peers[i]->asked);
	}
	evbuffer_free(rig->told);
	event_base_free(rig->base);
	host_directory_remove(rig->directory);
	free(rig);
	return 0;
}

/* Scans */

#define SCAN_ALL                                                                       \
	"SCAN TYPE=ONLY freq=2412,2417,2422,2427,2432,2437,2442,2447,2452,2457,2462,"  \
	"2467,2472,2484 use_id=1"

static void
test_scan(void **state)
{
	struct rig *rig = *state;
	const struct radio_scan all = { .ssid = NULL };

	rig->supplicant.bss[0] = "id=0\nbssid=02:00:00:00:00:01\nfreq=2412\nlevel=-70\n"
				 "age=0\nflags=[ESS]\nssid=weak\n";
	rig->supplicant.bss[1] = "id=1\nbssid=02:00:00:00:00:02\nfreq=5180\nlevel=-20\n"
				 "age=0\nflags=[ESS]\nssid=five\n";
	rig->supplicant.bss[2] = "id=2\nbssid=02:00:00:00:00:03\nfreq=2462\nlevel=-40\n"
				 "age=1\nflags=[ESS]\nssid=strong\n";
	rig->supplicant.bss[3] = NULL;
	answer(&rig->supplicant, "SCAN ", "5\n");
	rig->radio->ops->scan(rig->radio, &all, told_scanned, rig);
	expect(rig, rig->supplicant.asked, SCAN_ALL "\n");
	/* One that it makes for itself. */
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-SCAN-RESULTS ");
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-SCAN-RESULTS id=4");
	expect(rig, rig->told, "");
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-SCAN-RESULTS id=5");
	expect(rig, rig->supplicant.asked,
	    "BSS FIRST MASK=0x1e87\nBSS NEXT-0 MASK=0x1e87\nBSS NEXT-1 MASK=0x1e87\n"
	    "BSS NEXT-2 MASK=0x1e87\n");
	expect(rig, rig->told, "scanned: strong 11 -40 weak 1 -70\n");
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-SCAN-RESULTS id=5");
	expect(rig, rig->told, "");
}

static void
test_scan_for_one(void **state)
{
	struct rig *rig = *state;
	const struct radio_scan one = { .ssid = "strong \"1\"", .channel = 11 };

	rig->supplicant.bss[0] = "id=0\nbssid=02:00:00:00:00:01\nfreq=2412\nlevel=-70\n"
				 "age=0\nflags=[ESS]\nssid=strong \\\"1\\\"\n";
	rig->supplicant.bss[1] = "id=1\nbssid=02:00:00:00:00:01\nfreq=2462\nlevel=-70\n"
				 "age=9\nflags=[ESS]\nssid=strong \\\"1\\\"\n";
	rig->supplicant.bss[2] = "id=2\nbssid=02:00:00:00:00:03\nfreq=2462\nlevel=-40\n"
				 "age=1\nflags=[ESS]\nssid=strong \\\"1\\\"\n";
	answer(&rig->supplicant, "SCAN ", "FAIL-BUSY\n");
	rig->radio->manner.is_passive = true;
	rig->radio->ops->scan(rig->radio, &one, told_scanned, rig);
	expect(rig, rig->supplicant.asked,
	    "SCAN TYPE=ONLY freq=2462 use_id=1 passive=1\n");
	rig->radio->manner.is_passive = false;
	/* Busy: it is asked again. */
	rig->supplicant.reply_count = 0;
	answer(&rig->supplicant, "SCAN ", "6\n");
	expect_later(rig, rig->supplicant.asked,
	    "SCAN TYPE=ONLY freq=2462 use_id=1 ssid 7374726f6e6720223122\n");
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-SCAN-FAILED ret=-16");
	expect_later(rig, rig->supplicant.asked,
	    "SCAN TYPE=ONLY freq=2462 use_id=1 ssid 7374726f6e6720223122\n");
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-SCAN-RESULTS id=6");
	/* Another channel, and one that was heard too long ago, do not count. */
	expect(rig, rig->told, "scanned: strong \"1\" 11 -40\n");
}

/* Joins */

#define SET_PLACE(n, channels)                                                         \
	"SET_NETWORK " n " id_str \"zentrid\"\n"                                       \
	"SET_NETWORK " n " ssid 686f757365\n"                                          \
	"SET_NETWORK " n " scan_ssid 1\n"                                              \
	"SET_NETWORK " n " freq_list " channels "\n"                                   \
	"SET_NETWORK " n " scan_freq " channels "\n"
#define SET_BSSID(n) "SET_NETWORK " n " bssid 02:00:00:00:00:01\n"
#define SET_WPA2(n)                                                                    \
	"SET_NETWORK " n " key_mgmt WPA-PSK\n"                                         \
	"SET_NETWORK " n " proto RSN\n"                                                \
	"SET_NETWORK " n " pairwise CCMP\n"                                            \
	"SET_NETWORK " n " ieee80211w 1\n"
#define SAE(n) "SET_NETWORK " n " key_mgmt WPA-PSK WPA-PSK-SHA256 SAE\n"
#define SELECT(n) "SELECT_NETWORK " n "\n"
#define CONNECTED(n)                                                                   \
	"<3>CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:00:01 completed [id=" n   \
	" id_str=zentrid]"
#define STATUS                                                                         \
	"bssid=02:00:00:00:00:01\nfreq=2437\nssid=house\nid=0\nmode=station\n"         \
	"pairwise_cipher=CCMP\ngroup_cipher=CCMP\nkey_mgmt=WPA2-PSK\n"

static const uint8_t bssid[MAC_OCTETS] = { 2, 0, 0, 0, 0, 1 };
static const struct radio_target house = { .ssid = "house",
	.bssid = bssid,
	.channel = 6,
	.security = RADIO_WPA2_AES,
	.passkey = "pass\"word\\" };

/* Joins the house as its network of that number. */
static void
join_house(struct rig *rig, const char *connected)
{
	answer(&rig->supplicant, "STATUS", STATUS);
	answer(&rig->supplicant, "SIGNAL_POLL", "RSSI=-58\nLINKSPEED=54\n");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	settle(rig);
	say(rig, &rig->supplicant, connected);
	expect(rig, rig->told, "joined: OK\n");
	take(rig->supplicant.asked);
}

static void
test_join(void **state)
{
	struct rig *rig = *state;
	struct radio_ap ap;

	answer(&rig->supplicant, "STATUS", STATUS);
	answer(&rig->supplicant, "SIGNAL_POLL", "RSSI=-58\nLINKSPEED=54\n");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	expect(rig, rig->supplicant.asked,
	    "ADD_NETWORK\n" SET_PLACE("0", "2437") SET_BSSID("0") SET_WPA2(
		"0") "SET_NETWORK 0 psk \"pass\"word\\\"\n" SAE("0") SELECT("0"));
	assert_int_equal(rig->radio->ops->joined(rig->radio, &ap), -1);
	/* Another network. */
	say(rig, &rig->supplicant, CONNECTED("7"));
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-DISCONNECTED bssid=x reason=3");
	expect(rig, rig->told, "");
	say(rig, &rig->supplicant, CONNECTED("0"));
	expect(rig, rig->supplicant.asked, "STATUS\nSIGNAL_POLL\n");
	expect(rig, rig->told, "joined: OK\n");
	assert_int_equal(rig->radio->ops->joined(rig->radio, &ap), 0);
	assert_string_equal(ap.ssid, "house");
	assert_int_equal(ap.channel, 6);
	assert_int_equal(ap.rssi_dbm, -58);
	assert_int_equal(ap.security, RADIO_WPA2_AES);
	assert_memory_equal(ap.bssid, bssid, MAC_OCTETS);
	/* The signal is measured from time to time. */
	rig->supplicant.reply_count = 0;
	answer(&rig->supplicant, "SIGNAL_POLL", "RSSI=-61\n");
	expect_later(rig, rig->supplicant.asked, "SIGNAL_POLL\n");
	settle(rig);
	assert_int_equal(rig->radio->ops->joined(rig->radio, &ap), 0);
	assert_int_equal(ap.rssi_dbm, -61);
	/* Lost, wpa_supplicant is not to join by itself. */
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-DISCONNECTED bssid=x reason=4");
	expect(rig, rig->told, "lost\n");
	expect(rig, rig->supplicant.asked, "DISCONNECT\nREMOVE_NETWORK 0\n");
	assert_int_equal(rig->radio->ops->joined(rig->radio, &ap), -1);
}

static void
test_leave(void **state)
{
	struct rig *rig = *state;

	join_house(rig, CONNECTED("0"));
	rig->radio->ops->leave(rig->radio);
	expect(rig, rig->supplicant.asked, "DISCONNECT\nREMOVE_NETWORK 0\n");
	say(rig, &rig->supplicant,
	    "<3>CTRL-EVENT-DISCONNECTED bssid=x reason=3 locally_generated=1");
	expect(rig, rig->told, "");
	/* Another join leaves too, as does the end. */
	join_house(rig, CONNECTED("1"));
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	settle(rig);
	assert_non_null(strstr(take(rig->supplicant.asked), "REMOVE_NETWORK 1\nADD"));
	rig->radio->ops->free(rig->radio);
	rig->radio = NULL;
	expect(rig, rig->supplicant.asked, "DISCONNECT\nREMOVE_NETWORK 2\nDETACH\n");
}

static void
test_results(void **state)
{
	static const struct {
		const char *line, *result;
	} cases[] = {
		{ "<3>CTRL-EVENT-NETWORK-NOT-FOUND ", "joined: NOT_FOUND\n" },
		{ "<4>WPA: 4-Way Handshake failed - pre-shared key may be incorrect",
		    "joined: WRONG_KEY\n" },
		{ "<3>CTRL-EVENT-SSID-TEMP-DISABLED id=3 ssid=\"house\" "
		  "auth_failures=1 duration=10 reason=WRONG_KEY",
		    "joined: WRONG_KEY\n" },
		{ "<3>CTRL-EVENT-ASSOC-REJECT bssid=x status_code=17",
		    "joined: FULL\n" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char end[80];

		rig->radio->ops->join(rig->radio, &house, told_joined, rig);
		settle(rig);
		take(rig->supplicant.asked);
		say(rig, &rig->supplicant, cases[i].line);
		expect(rig, rig->told, cases[i].result);
		snprintf(end, sizeof end, "DISCONNECT\nREMOVE_NETWORK %zu\n", i);
		expect(rig, rig->supplicant.asked, end);
	}
}

/* An event that comes before the network is selected speaks of another one. */
static void
test_event_before_select(void **state)
{
	struct rig *rig = *state;

	answer(&rig->supplicant, "ADD_NETWORK",
	    "<4>WPA: 4-Way Handshake failed - pre-shared key may be incorrect");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	settle(rig);
	say(rig, &rig->supplicant, "0\n");
	expect(rig, rig->told, "");
	say(rig, &rig->supplicant, CONNECTED("0"));
	settle(rig);
	assert_non_null(strstr(take(rig->supplicant.asked), "SIGNAL_POLL\n"));
}

static void
test_security(void **state)
{
	static const char all[] = "2412 2417 2422 2427 2432 2437 2442 2447 2452 2457 "
				  "2462 2467 2472 2484";
	static const struct {
		enum radio_security security;
		const char *passkey, *asked;
	} cases[] = {
		{ RADIO_OPEN, "", "key_mgmt NONE\n" },
		{ RADIO_SECURITY_ANY, "", "key_mgmt NONE\n" },
		{ RADIO_WEP, "0123456789",
		    "key_mgmt NONE\nauth_alg OPEN SHARED\nwep_key0 0123456789\n"
		    "wep_tx_keyidx 0\n" },
		{ RADIO_WPA_TKIP, "password",
		    "key_mgmt WPA-PSK\nproto WPA\npairwise TKIP\nieee80211w 1\n"
		    "psk \"password\"\nkey_mgmt WPA-PSK WPA-PSK-SHA256 SAE\n" },
		{ RADIO_SECURITY_ANY, "password",
		    "key_mgmt WPA-PSK\nproto WPA RSN\npairwise CCMP TKIP\n"
		    "ieee80211w 1\npsk \"password\"\n"
		    "key_mgmt WPA-PSK WPA-PSK-SHA256 SAE\n" },
		/* A key goes as it is; one is made of what cannot be said, the same as
		 * hashlib.pbkdf2_hmac("sha1", ...) of Python makes. */
		{ RADIO_WPA2_AES,
		    "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		    "key_mgmt WPA-PSK\nproto RSN\npairwise CCMP\nieee80211w 1\n"
		    "psk 0123456789abcdef0123456789abcdef0123456789abcdef"
		    "0123456789abcdef\n" },
		{ RADIO_WPA2_AES, "pass\nword",
		    "key_mgmt WPA-PSK\nproto RSN\npairwise CCMP\nieee80211w 1\n"
		    "psk "
		    "f2932e484fe8d3f052fe60ec196b3f512ed3a51aec27c4eef296b49c0827ff41"
		    "\n" },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct radio_target target = { .ssid = "\xFF\n\"",
			.security = cases[i].security,
			.passkey = cases[i].passkey };
		char asked[2048], line[300], *end = asked;
		const char *rest = cases[i].asked;

		end += sprintf(end, "ADD_NETWORK\n");
		snprintf(line, sizeof line,
		    "id_str \"zentrid\"\nssid ff0a22\nscan_ssid 1\n"
		    "freq_list %s\nscan_freq %s\n",
		    all, all);
		for (const char *from = line;; from = rest, rest = "") {
			for (; *from != '\0'; from += strcspn(from, "\n") + 1)
				end += sprintf(end, "SET_NETWORK %zu %.*s\n", i,
				    (int)strcspn(from, "\n"), from);
			if (*rest == '\0')
				break;
		}
		sprintf(end, "SELECT_NETWORK %zu\n", i);
		rig->radio->ops->join(rig->radio, &target, told_joined, rig);
		settle(rig);
		assert_string_equal(take(rig->supplicant.asked), asked);
		rig->radio->ops->cancel(rig->radio, rig);
		settle(rig);
		take(rig->supplicant.asked);
	}
}

/* What the daemon logs goes to a file from now on; the former place. */
static int
log_to_file(const char *path)
{
	int before = dup(STDERR_FILENO);

	assert_non_null(freopen(path, "w", stderr));
	return before;
}

/* The log, borrowed until the next call, which goes where it went before. */
static const char *
log_read(const char *path, int before)
{
	static char text[2048];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(before);
	return text;
}

static void
test_refused(void **state)
{
	const struct radio_ap_settings closed = {
		.ssid = "a b", .passkey = "pass word", .rate_100kbps = 110
	};
	const struct radio_target empty = {
		.ssid = "house", .security = RADIO_WPA2_AES, .passkey = ""
	};
	struct rig *rig = *state;
	char path[HOST_PATH_MAX + 8];
	const char *log;
	int before;

	snprintf(path, sizeof path, "%s/log", rig->directory);
	before = log_to_file(path);
	/* What cannot be the key of that network is not tried. */
	rig->radio->ops->join(rig->radio, &empty, told_joined, rig);
	expect(rig, rig->told, "joined: WRONG_KEY\n");
	answer(&rig->supplicant, "SET_NETWORK 1 psk", "FAIL\n");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	expect(rig, rig->told, "joined: WRONG_KEY\n");
	answer(&rig->supplicant, "SET_NETWORK 2 proto", "FAIL\n");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	expect(rig, rig->told, "joined: NOT_FOUND\n");
	answer(&rig->supplicant, "ADD_NETWORK", "FAIL\n");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	expect(rig, rig->told, "joined: NOT_FOUND\n");
	answer(&rig->hostapd, "SET wpa_passphrase", "FAIL\n");
	rig->radio->ops->host(rig->radio, &closed);
	settle(rig);
	/* The log names the settings, and no passkey. */
	log = log_read(path, before);
	assert_non_null(strstr(log, "refuses SET_NETWORK 1 psk\n"));
	assert_non_null(strstr(log, "refuses SET_NETWORK 2 proto\n"));
	assert_non_null(strstr(log, "refuses SET wpa_passphrase\n"));
	assert_null(strstr(log, "word"));
}

/* The network was asked for, and nobody wants it any more when it is there. */
static void
test_cancelled(void **state)
{
	struct rig *rig = *state;

	answer(&rig->supplicant, "ADD_NETWORK", "<3>nothing yet");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	settle(rig);
	rig->radio->ops->cancel(rig->radio, rig);
	say(rig, &rig->supplicant, "5\n");
	expect(rig, rig->supplicant.asked, "ADD_NETWORK\nREMOVE_NETWORK 5\n");
	expect(rig, rig->told, "");
}

/* Trying another network leaves the one that is joined for a moment. */
static void
test_verify(void **state)
{
	const struct radio_target other = {
		.ssid = "other", .security = RADIO_OPEN, .passkey = ""
	};
	struct rig *rig = *state;
	struct radio_ap ap;

	join_house(rig, CONNECTED("0"));
	rig->radio->ops->verify(rig->radio, &other, told_joined, rig);
	settle(rig);
	take(rig->supplicant.asked);
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-DISCONNECTED bssid=x reason=3");
	say(rig, &rig->supplicant, CONNECTED("1"));
	expect(rig, rig->told, "joined: OK\n");
	expect(rig, rig->supplicant.asked, "REMOVE_NETWORK 1\nSELECT_NETWORK 0\n");
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-DISCONNECTED bssid=x reason=3");
	say(rig, &rig->supplicant, CONNECTED("0"));
	expect(rig, rig->told, "");
	assert_int_equal(rig->radio->ops->joined(rig->radio, &ap), 0);
	assert_string_equal(ap.ssid, "house");
	/* A loss from here on is one. */
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-DISCONNECTED bssid=x reason=3");
	expect(rig, rig->told, "lost\n");
	take(rig->supplicant.asked);
	/* Without one that was joined, all is left. */
	rig->radio->ops->verify(rig->radio, &other, told_joined, rig);
	settle(rig);
	take(rig->supplicant.asked);
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-NETWORK-NOT-FOUND ");
	expect(rig, rig->told, "joined: NOT_FOUND\n");
	expect(rig, rig->supplicant.asked, "DISCONNECT\nREMOVE_NETWORK 2\n");
}

static void
test_wps(void **state)
{
	struct rig *rig = *state;

	rig->radio->ops->wps(rig->radio, NULL, told_wps, rig);
	expect(rig, rig->supplicant.asked, "SET wps_cred_processing 1\nWPS_PBC\n");
	say(rig, &rig->supplicant, "<3>WPS-TIMEOUT ");
	expect_later(
	    rig, rig->supplicant.asked, "SET wps_cred_processing 1\nWPS_PBC\n");
	say(rig, &rig->supplicant,
	    "<3>WPS-CRED-RECEIVED 100e001b104500056"
	    "86f757365100300020020"
	    "1027000870617373776f7264");
	expect(rig, rig->told, "wps: house password\n");
	expect(rig, rig->supplicant.asked, "WPS_CANCEL\nDISCONNECT\n");
	rig->radio->ops->wps(rig->radio, "12345670", told_wps, rig);
	expect(rig, rig->supplicant.asked,
	    "SET wps_cred_processing 1\nWPS_PIN any 12345670\n");
	say(rig, &rig->supplicant, "<3>WPS-OVERLAP-DETECTED ");
	expect(rig, rig->told, "wps: - -\n");
}

/* wpa_supplicant ends, and comes back with what a process before has left there. */
static void
test_restart(void **state)
{
	struct rig *rig = *state;

	join_house(rig, CONNECTED("0"));
	say(rig, &rig->supplicant, "<3>CTRL-EVENT-TERMINATING ");
	peer_close(&rig->supplicant);
	expect_later(rig, rig->told, "lost\n");
	assert_false(radio_is_wifi(rig->radio, RADIO_STATION));
	rig->supplicant.reply_count = 0;
	rig->supplicant.next_network = 0;
	peer_open(rig, &rig->supplicant, "wpa");
	answer(&rig->supplicant, "LIST_NETWORKS",
	    "network id / ssid / bssid / flags\n0\towner\tany\t\n4\tx\tany\t\n");
	answer(&rig->supplicant, "GET_NETWORK 0", "FAIL\n");
	answer(&rig->supplicant, "GET_NETWORK 4", "\"zentrid\"");
	expect_later(rig, rig->supplicant.asked,
	    "ATTACH\nLIST_NETWORKS\nGET_NETWORK 0 id_str\nGET_NETWORK 4 id_str\n"
	    "REMOVE_NETWORK 4\n");
	assert_true(radio_is_wifi(rig->radio, RADIO_STATION));
	join_house(rig, CONNECTED("0"));
}

/* Killed, it says nothing more. What it was asked is asked the next one. */
static void
test_killed(void **state)
{
	struct rig *rig = *state;
	const struct radio_scan one = { .ssid = "house" };

	answer(&rig->supplicant, "SCAN ", "5\n");
	rig->radio->ops->scan(rig->radio, &one, told_scanned, rig);
	settle(rig);
	peer_close(&rig->supplicant);
	/* Like a cable: the carrier leads to a network of whatever name. */
	expect_later(rig, rig->told, "scanned: house 1 -40\n");
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	expect(rig, rig->told, "joined: OK\n");
}

/* One that does not answer is not asked for ever. */
static void
test_silent(void **state)
{
	struct rig *rig = *state;

	event_del(rig->supplicant.readable);
	for (unsigned i = 0; radio_is_wifi(rig->radio, RADIO_STATION); i++) {
		assert_true(i < 100);
		rig->radio->ops->join(rig->radio, &house, told_joined, rig);
		settle(rig);
		rig->radio->ops->cancel(rig->radio, rig);
	}
}

/* The soft AP */

#define AP_RADIO(mode, channel, n)                                                     \
	"SET ignore_broadcast_ssid 0\nSET auth_algs 1\nSET hw_mode " mode              \
	"\nSET channel " channel "\nSET ieee80211n " n "\nSET wmm_enabled 1\n"

static void
test_softap(void **state)
{
	const struct radio_ap_settings open = {
		.ssid = "set me up", .passkey = "", .rate_100kbps = 110
	};
	const struct radio_ap_settings closed = { .ssid = "set me up",
		.passkey = "pass word",
		.channel = 11,
		.rate_100kbps = RADIO_RATE_100KBPS };
	struct radio_station stations[RADIO_STATIONS_MAX];
	struct rig *rig = *state;
	struct radio_ap ap;

	rig->radio->ops->host(rig->radio, &open);
	expect(rig, rig->hostapd.asked,
	    "DISABLE\nSET ssid2 736574206d65207570\n" AP_RADIO(
		"b", "1", "0") "SET wpa 0\nENABLE\n");
	rig->radio->ops->host(rig->radio, &closed);
	expect(rig, rig->hostapd.asked,
	    "DISABLE\nSET ssid2 736574206d65207570\n" AP_RADIO(
		"g", "11", "1") "SET ieee80211w 0\nSET wpa_key_mgmt WPA-PSK\nSET "
				"rsn_pairwise CCMP\n"
				"SET wpa_passphrase pass word\nSET wpa 2\nENABLE\n");
	assert_int_equal(rig->radio->ops->hosted(rig->radio, &ap), 0);
	assert_int_equal(ap.channel, 11);
	say(rig, &rig->hostapd, "<3>AP-STA-CONNECTED 02:00:00:00:00:05");
	say(rig, &rig->hostapd, "<3>AP-STA-CONNECTED 02:00:00:00:00:06");
	say(rig, &rig->hostapd, "<3>AP-STA-CONNECTED 02:00:00:00:00:05");
	say(rig, &rig->hostapd, "<3>AP-STA-DISCONNECTED 02:00:00:00:00:09");
	assert_int_equal(
	    rig->radio->ops->stations(rig->radio, stations, RADIO_STATIONS_MAX), 2);
	say(rig, &rig->hostapd, "<3>AP-STA-DISCONNECTED 02:00:00:00:00:05");
	expect(rig, rig->told, "came 05\ncame 06\nleft 05\n");
	assert_int_equal(
	    rig->radio->ops->stations(rig->radio, stations, RADIO_STATIONS_MAX), 1);
	assert_int_equal(stations[0].mac[5], 6);
	/* Its channel is that of the network that is joined. */
	answer(&rig->supplicant, "STATUS", STATUS);
	rig->radio->ops->join(rig->radio, &house, told_joined, rig);
	expect(rig, rig->told, "left 06\n");
	assert_non_null(strstr(take(rig->hostapd.asked), "SET channel 6\n"));
	say(rig, &rig->supplicant, CONNECTED("0"));
	expect(rig, rig->told, "joined: OK\n");
	expect(rig, rig->hostapd.asked, "");
	assert_int_equal(rig->radio->ops->hosted(rig->radio, &ap), 0);
	assert_int_equal(ap.channel, 6);
	/* Restarted, hostapd has it again, and its clients have to come again. */
	say(rig, &rig->hostapd, "<3>AP-STA-CONNECTED 02:00:00:00:00:06");
	say(rig, &rig->hostapd, "<3>CTRL-EVENT-TERMINATING ");
	peer_close(&rig->hostapd);
	take(rig->told);
	assert_int_equal(
	    rig->radio->ops->stations(rig->radio, stations, RADIO_STATIONS_MAX), 0);
	peer_open(rig, &rig->hostapd, "ap");
	expect_later(rig, rig->hostapd.asked,
	    "ATTACH\nDISABLE\nSET ssid2 736574206d65207570\n" AP_RADIO(
		"g", "6", "1") "SET ieee80211w 0\nSET wpa_key_mgmt WPA-PSK\nSET "
			       "rsn_pairwise CCMP\n"
			       "SET wpa_passphrase pass word\nSET wpa 2\nENABLE\n");
	rig->radio->ops->unhost(rig->radio);
	expect(rig, rig->hostapd.asked, "DISABLE\n");
	say(rig, &rig->hostapd, "<3>AP-STA-CONNECTED 02:00:00:00:00:05");
	expect(rig, rig->told, "");
}

/* An interface that cannot be looked at, for want of a descriptor, is not gone. */
static void
test_no_descriptor(void **state)
{
	struct rig *rig = *state;
	const struct radio_target target = { .ssid = "cable", .passkey = "" };
	const struct radio_interface_options options = { .names = { LO, LO },
		.directories = { "", "" } };
	const struct radio_scan all = { .ssid = NULL };
	struct rlimit limit, none;

	rig->radio->ops->free(rig->radio);
	rig->radio = radio_interface_new(rig->base, &options);
	rig->radio->events = &told;
	rig->radio->arg = rig;
	rig->radio->ops->join(rig->radio, &target, told_joined, rig);
	expect(rig, rig->told, "joined: OK\n");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rig->radio->ops->scan(rig->radio, &all, told_scanned, rig);
	settle(rig);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	expect(rig, rig->told, "scanned: cable 1 -40\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scan),
		TEST(test_scan_for_one),
		TEST(test_join),
		TEST(test_leave),
		TEST(test_results),
		TEST(test_event_before_select),
		TEST(test_security),
		TEST(test_refused),
		TEST(test_cancelled),
		TEST(test_verify),
		TEST(test_wps),
		TEST(test_restart),
		TEST(test_killed),
		TEST(test_silent),
		TEST(test_softap),
		TEST(test_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
