#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/mac.h"
#include "core/network.h"
#include "core/request.h"
#include "core/setup.h"
#include "device/air.h"
#include "module_fixture.h"

/* What takes minutes otherwise: the deadlines of setup and WPS. */

struct rig {
	struct fixture fixture;
	struct air *air;
	struct captured *serial;
};

static void
rig_open(struct rig *rig)
{
	uint8_t mac[MAC_OCTETS];

	fixture_open(&rig->fixture, NULL);
	rig->air = air_new(rig->fixture.base, 0);
	assert_int_equal(mac_parse(rig->fixture.module->mac, mac), 0);
	network_attach(rig->fixture.module, air_radio_new(rig->air, mac));
	rig->serial = captured_open(&rig->fixture, NULL);
	module_boot(rig->fixture.module);
	fixture_turn(&rig->fixture);
	captured_take(rig->serial);
}

static void
rig_close(struct rig *rig)
{
	fixture_close(&rig->fixture);
	air_free(rig->air);
}

static void
test_wps_times_out(void **state)
{
	const struct air_network late = { .ssid = "late",
		.channel = 1,
		.passkey = "",
		.rssi_dbm = AIR_RSSI_DBM,
		.has_wps = true };
	struct timeval left, now;
	struct request *request;
	struct rig rig;

	(void)state;
	rig_open(&rig);
	captured_type(rig.serial, "wps\r");
	fixture_turn(&rig.fixture);
	request = rig.fixture.module->running;
	assert_non_null(request);
	assert_true(event_pending(request->deadline, EV_TIMEOUT, &left));
	event_base_gettimeofday_cached(rig.fixture.base, &now);
	assert_in_range(left.tv_sec - now.tv_sec, 115, 121);
	captured_take(rig.serial);
	event_active(request->deadline, EV_TIMEOUT, 0);
	fixture_turn(&rig.fixture);
	assert_non_null(strstr(captured_take(rig.serial), "Command failed"));
	/* The one that comes now is nobody's any more. */
	assert_int_equal(air_add(rig.air, &late, NULL), 0);
	fixture_turn(&rig.fixture);
	assert_string_equal(captured_take(rig.serial), "");
	rig_close(&rig);
}

static void
count_waited(void *arg, bool is_up)
{
	(void)is_up;
	++*(unsigned *)arg;
}

/* Without a server for its page there is no setup; others who wait for the soft AP are
 * told of it once, and are not in the way. */
static void
test_setup_needs_a_server(void **state)
{
	unsigned waited = 0;
	const char *text;
	struct rig rig;

	(void)state;
	rig_open(&rig);
	captured_type(rig.serial, "setup web\r");
	while (network_state(rig.fixture.module, NETWORK_SOFTAP) != NETWORK_JOINING)
		event_base_loop(rig.fixture.base, EVLOOP_ONCE);
	for (unsigned i = 0; i < 2; i++)
		network_wait_start(
		    rig.fixture.module, NETWORK_SOFTAP, count_waited, &waited);
	fixture_turn(&rig.fixture);
	assert_int_equal(waited, 2);
	text = captured_take(rig.serial);
	assert_non_null(strstr(text, "In progress"));
	assert_non_null(strstr(text, "Web setup failed"));
	assert_null(strstr(text, "Web setup started"));
	assert_null(rig.fixture.module->setup);
	assert_int_equal(
	    network_state(rig.fixture.module, NETWORK_SOFTAP), NETWORK_DOWN);
	rig_close(&rig);
}

/* Nor without a radio, which a module of the host has not. */
static void
test_setup_needs_a_radio(void **state)
{
	struct captured *serial;
	struct fixture fixture;

	(void)state;
	fixture_open(&fixture, NULL);
	serial = captured_open(&fixture, NULL);
	module_boot(fixture.module);
	fixture_turn(&fixture);
	captured_take(serial);
	captured_type(serial, "setup web\r");
	fixture_turn(&fixture);
	assert_non_null(strstr(captured_take(serial), "No radio"));
	captured_type(serial, "wps\r");
	fixture_turn(&fixture);
	assert_non_null(strstr(captured_take(serial), "Command failed"));
	fixture_close(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wps_times_out),
		cmocka_unit_test(test_setup_needs_a_server),
		cmocka_unit_test(test_setup_needs_a_radio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
