#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device/wpa_text.h"

static void
test_value(void **state)
{
	static const char text[] = "bssid=1\nssid=a=b\nid=7\nlevel=-30\nlast=";
	char value[8];
	int64_t number = 0;

	(void)state;
	assert_true(wpa_text_value(text, "ssid", value, sizeof value));
	assert_string_equal(value, "a=b");
	assert_true(wpa_text_value(text, "last", value, sizeof value));
	assert_string_equal(value, "");
	assert_false(wpa_text_value(text, "sid", value, sizeof value));
	assert_false(wpa_text_value(text, "a", value, sizeof value));
	assert_false(wpa_text_value(text, "ssid", value, 3));
	assert_true(wpa_text_number(text, "level", -127, 0, &number));
	assert_int_equal(number, -30);
	assert_false(wpa_text_number(text, "id", 0, 6, &number));
	assert_false(wpa_text_number(text, "ssid", 0, 6, &number));
}

static void
test_ssid(void **state)
{
	static const struct {
		const char *escaped, *ssid; /* NULL: refused */
	} cases[] = {
		{ "field house", "field house" },
		{ "", "" },
		{ "a\\\\b\\\"c", "a\\b\"c" },
		{ "\\n\\r\\t\\e", "\n\r\t\033" },
		{ "\\xe2\\x98\\xBA", "\xE2\x98\xBA" },
		{ "\\x00\\x00\\x00", "" }, /* hidden, and its length shown */
		{ "a\\x00b", "" },
		{ "12345678901234567890123456789012",
		    "12345678901234567890123456789012" },
		{ "123456789012345678901234567890123", NULL },
		{ "\\", NULL },
		{ "\\q", NULL },
		{ "\\x4", NULL },
		{ "\\x4g", NULL },
	};
	char ssid[RADIO_SSID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int result = wpa_text_ssid(cases[i].escaped, ssid);

		assert_int_equal(result, cases[i].ssid == NULL ? -1 : 0);
		if (cases[i].ssid != NULL)
			assert_string_equal(ssid, cases[i].ssid);
	}
}

static void
test_security(void **state)
{
	static const struct {
		const char *flags;
		enum radio_security security;
	} cases[] = {
		{ "", RADIO_OPEN },
		{ "[ESS]", RADIO_OPEN },
		{ "[WPS][ESS]", RADIO_OPEN },
		{ "[WEP][ESS]", RADIO_WEP },
		{ "[WPA-PSK-TKIP][ESS]", RADIO_WPA_TKIP },
		{ "[WPA-PSK-CCMP][ESS]", RADIO_WPA_AES },
		{ "[WPA-PSK-CCMP+TKIP][ESS]", RADIO_WPA_AES },
		{ "[WPA2-PSK-CCMP][WPS][ESS]", RADIO_WPA2_AES },
		{ "[WPA2-PSK+SAE-CCMP][ESS]", RADIO_WPA2_AES },
		{ "[RSN-PSK-CCMP][ESS]", RADIO_WPA2_AES },
		{ "[WPA2-PSK-TKIP][ESS]", RADIO_WPA2_TKIP },
		{ "[WPA2-PSK-CCMP+TKIP][ESS]", RADIO_WPA2_MIXED },
		{ "[WPA-PSK-TKIP][WPA2-PSK-CCMP][ESS]", RADIO_WPA2_MIXED },
		{ "[WPA2-EAP-CCMP-preauth][ESS]", RADIO_WPA2_AES },
		/* What it is not. */
		{ "[XWPA2-PSK-TKIP][ESS][CCMP]", RADIO_OPEN },
		{ "[WPA2-PSK-", RADIO_WPA2_AES },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(wpa_text_security(cases[i].flags), cases[i].security);
}

static void
test_channels(void **state)
{
	(void)state;
	assert_int_equal(wpa_text_channel(2412), 1);
	assert_int_equal(wpa_text_channel(2437), 6);
	assert_int_equal(wpa_text_channel(2472), 13);
	assert_int_equal(wpa_text_channel(2484), 14);
	assert_int_equal(wpa_text_channel(2438), 0);
	assert_int_equal(wpa_text_channel(2477), 0);
	assert_int_equal(wpa_text_channel(5180), 0);
	assert_int_equal(wpa_text_channel(0), 0);
	assert_int_equal(wpa_text_channel(-1), 0);
	for (unsigned i = 1; i <= RADIO_CHANNEL_MAX; i++)
		assert_int_equal(wpa_text_channel(wpa_text_mhz(i)), i);
}

static void
test_bss(void **state)
{
	struct wpa_bss bss;

	(void)state;
	assert_int_equal(wpa_text_bss("id=12\nbssid=02:00:00:00:00:0a\nfreq=2437\n"
				      "level=-58\nage=3\n"
				      "ie=0004686f757301080c1218243048606c3000\n"
				      "flags=[WPA2-PSK-CCMP][ESS]\nssid=h\\x20s\n",
			     &bss),
	    0);
	assert_int_equal(bss.id, 12);
	assert_int_equal(bss.age_s, 3);
	assert_int_equal(bss.ap.channel, 6);
	assert_int_equal(bss.ap.rssi_dbm, -58);
	assert_int_equal(bss.ap.security, RADIO_WPA2_AES);
	assert_int_equal(bss.ap.bssid[5], 0x0A);
	assert_int_equal(bss.ap.rate_100kbps, 540);
	assert_string_equal(bss.ap.ssid, "h s");
	/* The elements of n, and those that end too early. */
	wpa_text_bss("id=1\nie=2d0100", &bss);
	assert_int_equal(bss.ap.rate_100kbps, RADIO_RATE_100KBPS);
	wpa_text_bss("id=1\nie=0104020b161", &bss);
	assert_int_equal(bss.ap.rate_100kbps, 110);
	/* Behind the last one; one in another band; one that cannot be read. */
	assert_int_equal(wpa_text_bss("", &bss), -1);
	assert_int_equal(wpa_text_bss("FAIL\n", &bss), -1);
	assert_int_equal(wpa_text_bss("id=1\nbssid=02:00:00:00:00:0a\nfreq=5180\n"
				      "flags=\nssid=x\n",
			     &bss),
	    0);
	assert_int_equal(bss.ap.channel, 0);
	assert_int_equal(wpa_text_bss("id=1\nbssid=02:00:00:00:00:0a\nfreq=2412\n"
				      "flags=\nssid=\\x4\n",
			     &bss),
	    0);
	assert_int_equal(bss.ap.channel, 0);
}

static void
test_status(void **state)
{
	static const struct {
		const char *text;
		enum radio_security security;
	} cases[] = {
		{ "pairwise_cipher=CCMP\ngroup_cipher=CCMP\nkey_mgmt=WPA2-PSK",
		    RADIO_WPA2_AES },
		{ "pairwise_cipher=CCMP\ngroup_cipher=CCMP\nkey_mgmt=SAE",
		    RADIO_WPA2_AES },
		{ "pairwise_cipher=CCMP\ngroup_cipher=TKIP\nkey_mgmt=WPA2-PSK",
		    RADIO_WPA2_MIXED },
		{ "pairwise_cipher=TKIP\ngroup_cipher=TKIP\nkey_mgmt=WPA2-PSK",
		    RADIO_WPA2_TKIP },
		{ "pairwise_cipher=TKIP\ngroup_cipher=TKIP\nkey_mgmt=WPA-PSK",
		    RADIO_WPA_TKIP },
		{ "pairwise_cipher=NONE\ngroup_cipher=NONE\nkey_mgmt=NONE",
		    RADIO_OPEN },
		{ "pairwise_cipher=NONE\ngroup_cipher=WEP-104\nkey_mgmt=NONE",
		    RADIO_WEP },
	};
	struct radio_ap ap = { .rssi_dbm = -5 };
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(text, sizeof text,
		    "bssid=02:00:00:00:00:0b\nfreq=2462\nssid=field house\n%s\n",
		    cases[i].text);
		assert_int_equal(wpa_text_status(text, &ap), 0);
		assert_int_equal(ap.security, cases[i].security);
	}
	assert_int_equal(ap.channel, 11);
	assert_int_equal(ap.rssi_dbm, -5);
	assert_string_equal(ap.ssid, "field house");
	assert_int_equal(wpa_text_status("wpa_state=DISCONNECTED\n", &ap), -1);
}

static void
test_credential(void **state)
{
	/* Network index, SSID, authentication, encryption, key, address. */
	static const char whole[] = "100e003010260001011045000568"
				    "6f757365"
				    "10030002002"
				    "0100f000200081027000870617373776f7264"
				    "102000060200000000011049000600372a000120";
	struct wpa_credential credential;
	char cut[sizeof whole];

	(void)state;
	assert_int_equal(wpa_text_credential(whole, &credential), 0);
	assert_string_equal(credential.ap.ssid, "house");
	assert_string_equal(credential.passkey, "password");
	assert_int_equal(credential.ap.security, RADIO_WPA2_AES);
	assert_int_equal(credential.ap.bssid[0], 2);
	/* Of one that is cut, nothing counts. */
	for (size_t len = 0; len < 2 * (4 + 0x30); len++) {
		memcpy(cut, whole, len);
		cut[len] = '\0';
		assert_int_equal(wpa_text_credential(cut, &credential), -1);
	}
	assert_int_equal(wpa_text_credential("1045000568", &credential), -1);
	/* Without a name; with a name of 33 bytes; with a zero in the key. */
	assert_int_equal(wpa_text_credential("100e0006100300020020", &credential), -1);
	assert_int_equal(
	    wpa_text_credential(
		"100e0025104500213131313131313131313131313131313131313131313131"
		"31313131313131313131",
		&credential),
	    -1);
	assert_int_equal(
	    wpa_text_credential("100e000d1045000131102700047061007a", &credential), -1);
	/* Open. */
	assert_int_equal(
	    wpa_text_credential("100e000b1045000131100300020001", &credential), 0);
	assert_string_equal(credential.passkey, "");
	assert_int_equal(credential.ap.security, RADIO_OPEN);
}

static void
test_events(void **state)
{
	static const struct {
		const char *line;
		enum wpa_event_kind kind;
		int64_t id;
	} cases[] = {
		{ "CTRL-EVENT-SCAN-STARTED id=1", WPA_EVENT_OTHER, -1 },
		{ "CTRL-EVENT-SCAN-RESULTS id=12", WPA_EVENT_SCANNED, 12 },
		{ "CTRL-EVENT-SCAN-RESULTS ", WPA_EVENT_SCANNED, -1 },
		{ "CTRL-EVENT-SCAN-FAILED ret=-16 retry=1", WPA_EVENT_SCAN_FAILED, -1 },
		{ "CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:00:00 completed "
		  "[id=3 id_str=zentrid]",
		    WPA_EVENT_CONNECTED, 3 },
		{ "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:00:00 reason=3 "
		  "locally_generated=1",
		    WPA_EVENT_DISCONNECTED, -1 },
		{ "CTRL-EVENT-NETWORK-NOT-FOUND ", WPA_EVENT_NOT_FOUND, -1 },
		{ "WPA: 4-Way Handshake failed - pre-shared key may be incorrect",
		    WPA_EVENT_WRONG_KEY, -1 },
		{ "CTRL-EVENT-SSID-TEMP-DISABLED id=4 ssid=\"x\" auth_failures=1 "
		  "duration=10 reason=WRONG_KEY",
		    WPA_EVENT_WRONG_KEY, 4 },
		{ "CTRL-EVENT-SSID-TEMP-DISABLED id=4 ssid=\"x reason=WRONG_KEY\" "
		  "auth_failures=1 duration=10 reason=CONN_FAILED",
		    WPA_EVENT_OTHER, 4 },
		{ "CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:00:00 status_code=17",
		    WPA_EVENT_FULL, -1 },
		{ "CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:00:00 status_code=1",
		    WPA_EVENT_OTHER, -1 },
		{ "CTRL-EVENT-AUTH-REJECT 02:00:00:00:00:00 auth_type=0 "
		  "auth_transaction=2 status_code=17 ie=",
		    WPA_EVENT_FULL, -1 },
		{ "CTRL-EVENT-AUTH-REJECT 02:00:00:00:00:00 auth_type=3 "
		  "auth_transaction=2 status_code=15",
		    WPA_EVENT_WRONG_KEY, -1 },
		{ "WPS-CRED-RECEIVED 100e", WPA_EVENT_CREDENTIAL, -1 },
		{ "WPS-OVERLAP-DETECTED ", WPA_EVENT_OVERLAP, -1 },
		{ "WPS-FAIL msg=8 config_error=18", WPA_EVENT_WPS_FAILED, -1 },
		{ "WPS-TIMEOUT ", WPA_EVENT_WPS_FAILED, -1 },
		{ "AP-STA-CONNECTED 02:00:00:00:00:01", WPA_EVENT_STATION_CAME, -1 },
		{ "AP-STA-CONNECTED 02:00:00:00:00:01 keyid=x", WPA_EVENT_STATION_CAME,
		    -1 },
		{ "AP-STA-DISCONNECTED 02:00:00:00:00:01", WPA_EVENT_STATION_LEFT, -1 },
		{ "AP-STA-CONNECTED 02:00:00:00:00", WPA_EVENT_OTHER, -1 },
		{ "AP-STA-CONNECTED 02:00:00:00:00:01:02:03:04", WPA_EVENT_OTHER, -1 },
		{ "", WPA_EVENT_OTHER, -1 },
	};
	struct wpa_event event;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		wpa_text_event(cases[i].line, &event);
		assert_int_equal(event.kind, cases[i].kind);
		assert_int_equal(event.id, cases[i].id);
	}
	wpa_text_event("AP-STA-CONNECTED 02:00:00:00:00:01", &event);
	assert_int_equal(event.mac[0] << 8 | event.mac[5], 0x0201);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_ssid),
		cmocka_unit_test(test_security),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_bss),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_credential),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
