#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/indicator.h"
#include "core/pins.h"
#include "core/variable.h"
#include "device/gpio.h"
#include "module_fixture.h"
#include "store/nvm.h"

/* device/gpio.c: the wire. */

#define PINS 4

static const char owner[] = "someone";

struct counted {
	struct gpio_watch watch;
	unsigned changes, pin;
};

static void
counted_told(struct gpio_watch *watch, unsigned pin)
{
	struct counted *counted = (struct counted *)watch;

	counted->changes++;
	counted->pin = pin;
}

static void
test_levels(void **state)
{
	static const struct {
		enum gpio_direction direction;
		bool latch;
		enum gpio_drive drive;
		bool level;
	} wires[] = {
		{ GPIO_INPUT_PULL_UP, false, GPIO_DRIVE_RELEASED, true },
		{ GPIO_INPUT_PULL_UP, false, GPIO_DRIVE_LOW, false },
		{ GPIO_INPUT_PULL_DOWN, true, GPIO_DRIVE_RELEASED, false },
		{ GPIO_INPUT_PULL_DOWN, false, GPIO_DRIVE_HIGH, true },
		{ GPIO_INPUT_HIGH_Z, true, GPIO_DRIVE_RELEASED, false },
		{ GPIO_INPUT_HIGH_Z, false, GPIO_DRIVE_HIGH, true },
		{ GPIO_OUTPUT, true, GPIO_DRIVE_LOW, true },
		{ GPIO_OUTPUT, false, GPIO_DRIVE_HIGH, false },
		{ GPIO_OUTPUT_OPEN_DRAIN, true, GPIO_DRIVE_RELEASED, true },
		{ GPIO_OUTPUT_OPEN_DRAIN, true, GPIO_DRIVE_LOW, false },
		{ GPIO_OUTPUT_OPEN_DRAIN, false, GPIO_DRIVE_HIGH, false },
		{ GPIO_OUTPUT_OPEN_DRAIN_PULL_UP, true, GPIO_DRIVE_RELEASED, true },
		{ GPIO_OUTPUT_OPEN_DRAIN_PULL_UP, false, GPIO_DRIVE_HIGH, false },
		{ GPIO_NONE, true, GPIO_DRIVE_RELEASED, false },
		{ GPIO_NONE, false, GPIO_DRIVE_HIGH, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
		struct gpio *gpio = gpio_new(PINS);

		gpio_drive(gpio, 1, wires[i].drive);
		assert_int_equal(
		    gpio_claim(gpio, 1, owner, wires[i].direction, wires[i].latch), 0);
		assert_int_equal(gpio_level(gpio, 1), wires[i].level);
		assert_int_equal(gpio_look(gpio, 1).direction, wires[i].direction);
		assert_int_equal(gpio_look(gpio, 1).drive, wires[i].drive);
		gpio_free(gpio);
	}
	gpio_free(NULL);
}

static void
test_claims(void **state)
{
	struct gpio *gpio = gpio_new(PINS);

	(void)state;
	assert_int_equal(gpio_claim(gpio, 0, owner, GPIO_OUTPUT, true), 0);
	assert_int_equal(gpio_claim(gpio, 0, gpio_user, GPIO_OUTPUT, false), -1);
	assert_int_equal(errno, EBUSY);
	assert_true(gpio_level(gpio, 0));
	assert_int_equal(gpio_claim(gpio, 0, owner, GPIO_INPUT_HIGH_Z, false), 0);
	assert_int_equal(gpio_look(gpio, 0).direction, GPIO_INPUT_HIGH_Z);
	gpio_release(gpio, 0);
	assert_null(gpio_look(gpio, 0).owner);
	assert_int_equal(gpio_claim(gpio, 0, gpio_user, GPIO_OUTPUT, false), 0);
	assert_ptr_equal(gpio_look(gpio, 0).owner, gpio_user);
	gpio_free(gpio);
}

/* Numbers beyond the pins there are. */
static void
test_no_such_pin(void **state)
{
	static const struct gpio_signal signal = { .dac = 1 };
	struct gpio *gpio = gpio_new(PINS);

	(void)state;
	assert_int_equal(gpio_claim(gpio, PINS, owner, GPIO_OUTPUT, true), -1);
	assert_int_equal(errno, EINVAL);
	gpio_release(gpio, PINS);
	gpio_write(gpio, PINS, true);
	gpio_write_signal(gpio, PINS, &signal);
	gpio_drive(gpio, PINS, GPIO_DRIVE_HIGH);
	gpio_drive_voltage(gpio, PINS, 100);
	assert_false(gpio_level(gpio, PINS));
	assert_int_equal(gpio_voltage(gpio, PINS), 0);
	assert_int_equal(gpio_look(gpio, PINS).direction, GPIO_NONE);
	gpio_free(gpio);
	gpio = gpio_new(1000);
	assert_int_equal(gpio_count(gpio), GPIO_PINS_MAX);
	gpio_free(gpio);
}

static void
test_watch(void **state)
{
	static const struct gpio_signal signal = { .pwm_hz = 50, .pwm_percent = 10 };
	struct counted counted = { .watch = { .told = counted_told } };
	struct gpio *gpio = gpio_new(PINS);

	(void)state;
	gpio_watch(gpio, &counted.watch);
	gpio_claim(gpio, 2, owner, GPIO_OUTPUT, false);
	assert_int_equal(counted.changes, 1);
	assert_int_equal(counted.pin, 2);
	gpio_claim(gpio, 2, owner, GPIO_OUTPUT, false);
	gpio_write(gpio, 2, false);
	assert_int_equal(counted.changes, 1); /* nothing changed */
	gpio_write(gpio, 2, true);
	assert_int_equal(counted.changes, 2);
	gpio_drive(gpio, 2, GPIO_DRIVE_LOW);
	assert_int_equal(counted.changes, 3);
	assert_true(gpio_level(gpio, 2));
	gpio_write_signal(gpio, 2, &signal);
	assert_int_equal(counted.changes, 4);
	gpio_release(gpio, 2);
	assert_int_equal(counted.changes, 5);
	assert_int_equal(gpio_look(gpio, 2).signal.pwm_hz, 0);
	gpio_release(gpio, 2);
	assert_int_equal(counted.changes, 5);
	gpio_unwatch(gpio, &counted.watch);
	gpio_drive(gpio, 2, GPIO_DRIVE_HIGH);
	assert_int_equal(counted.changes, 5);
	gpio_free(gpio);
}

/* core/pins*.c and core/indicator.c: what a module has on its pins. */

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture_open(fixture, NULL);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

static enum result
set(struct module *module, const char *name, const char *index, const char *text)
{
	return variable_set(module,
	    catalog_variable(module->catalog, name, strlen(name)), index, text,
	    strlen(text));
}

/* Nothing is there before it is used. */
static void
test_nothing_at_first(void **state)
{
	struct fixture *fixture = *state;
	struct module *module = fixture->module;

	assert_null(module->pins);
	assert_int_equal(pins_find(module, PIN_INDICATOR_WLAN), -1);
	assert_false(pins_is_high(module, PIN_INDICATOR_WLAN));
	assert_false(pins_level(module, 0));
	pins_follow(module);
	pins_command_begins(module);
	pins_reset(module);
	assert_int_equal(indicator_apply(module), 0);
	assert_int_equal(pins_apply(module), 0);
	indicator_set(module, INDICATOR_WLAN, INDICATOR_WLAN_CONNECTED);
	module_boot(module);
	assert_int_equal(pins_find(module, PIN_INDICATOR_WLAN), 0);
	assert_int_equal(pins_find(module, PIN_INDICATOR_SOFTAP), 1);
	assert_int_equal(pins_find(module, PIN_INDICATOR_NETWORK), 4);
	assert_false(pins_level(module, 0));
}

static void
test_indicator_states(void **state)
{
	struct fixture *fixture = *state;
	struct module *module = fixture->module;

	module_boot(module);
	indicator_set(module, INDICATOR_WLAN, INDICATOR_WLAN_CONNECTED);
	assert_true(pins_level(module, 0));
	indicator_set(module, INDICATOR_WLAN, 4); /* there is none */
	assert_true(pins_level(module, 0));
	indicator_set(module, INDICATOR_SOFTAP, INDICATOR_SOFTAP_UP);
	assert_true(pins_level(module, 1));
	assert_int_equal(
	    event_base_get_num_events(fixture->base, EVENT_BASE_COUNT_ADDED),
	    0); /* static: no timer */

	/* A blink begins lit, goes on when its state is set again, and ends at once. */
	indicator_set(module, INDICATOR_WLAN, INDICATOR_WLAN_CONNECTING);
	assert_true(pins_level(module, 0));
	assert_int_equal(
	    event_base_get_num_events(fixture->base, EVENT_BASE_COUNT_ADDED), 1);
	event_base_loop(fixture->base, EVLOOP_ONCE);
	assert_false(pins_level(module, 0));
	indicator_set(module, INDICATOR_WLAN, INDICATOR_WLAN_CONNECTING);
	assert_false(pins_level(module, 0));
	event_base_loop(fixture->base, EVLOOP_ONCE);
	assert_true(pins_level(module, 0));
	assert_int_equal(set(module, "system.indicator.gpio", "wlan", "-1"), RESULT_OK);
	assert_int_equal(
	    event_base_get_num_events(fixture->base, EVENT_BASE_COUNT_ADDED), 0);
	assert_int_equal(set(module, "system.indicator.gpio", "wlan", "9"), RESULT_OK);
	assert_true(pins_level(module, 9));
	indicator_set(module, INDICATOR_WLAN, INDICATOR_WLAN_OFF);
	assert_false(pins_level(module, 9));
	assert_int_equal(set(module, "system.indicator.state", "wlan",
			     "static_on|static_off|static_off|static_off"),
	    RESULT_OK);
	assert_true(pins_level(module, 9));
	indicator_set(module, INDICATOR_WLAN, INDICATOR_WLAN_ERROR);
	assert_false(pins_level(module, 9));
}

/* Another pattern of the same state replaces a blink. */
static void
test_indicator_pattern_changes(void **state)
{
	struct fixture *fixture = *state;
	struct module *module = fixture->module;

	module_boot(module);
	indicator_set(module, INDICATOR_NETWORK, INDICATOR_NETWORK_DHCP);
	assert_true(pins_level(module, 4));
	event_base_loop(fixture->base, EVLOOP_ONCE);
	assert_false(pins_level(module, 4));
	indicator_set(module, INDICATOR_NETWORK, INDICATOR_NETWORK_UP);
	assert_true(pins_level(module, 4)); /* slow_blink begins anew */
	assert_int_equal(
	    event_base_get_num_events(fixture->base, EVENT_BASE_COUNT_ADDED), 1);
}

static void
test_status_pin_follows_the_network(void **state)
{
	struct fixture *fixture = *state;
	struct module *module = fixture->module;

	module_boot(module);
	assert_int_equal(
	    set(module, "wlan.network.status_gpio", NULL, "14"), RESULT_OK);
	assert_false(pins_level(module, 14));
	indicator_set(module, INDICATOR_NETWORK, INDICATOR_NETWORK_UP);
	fixture_turn(fixture);
	assert_true(pins_level(module, 14));
	assert_int_equal(pins_take_events(module), 0x02);
	indicator_set(module, INDICATOR_NETWORK, INDICATOR_NETWORK_DOWN);
	fixture_turn(fixture);
	assert_false(pins_level(module, 14));
	assert_int_equal(pins_take_events(module), 0);
}

/* Every function on every pin, against one that has it: one of both fails, and what
 * failed leaves all as it was. */
static void
test_conflicts(void **state)
{
	static const char *const names[] = { "tcp.server.connected_gpio",
		"tcp.server.data_gpio", "udp.server.data_gpio",
		"http.server.websocket_gpio", "ioconn.control_gpio",
		"ioconn.status_gpio", "wlan.network.status_gpio", "system.cmd.gpio",
		"system.oob.gpio" };
	struct fixture *fixture = *state;
	struct module *module = fixture->module;
	struct gpio *gpio;

	module_boot(module);
	gpio = pins_gpio(module);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(set(module, names[i], NULL, "1"), RESULT_OK);
		assert_string_equal(gpio_look(gpio, 1).owner, names[i]);
		for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
			if (j == i)
				continue;
			assert_int_equal(
			    set(module, names[j], NULL, "1"), RESULT_FAILED);
			assert_int_equal(variable_number(module, names[j]), -1);
			assert_string_equal(gpio_look(gpio, 1).owner, names[i]);
		}
		assert_int_equal(set(module, "gpio.init", "1", "in"), RESULT_FAILED);
		assert_int_equal(set(module, names[i], NULL, "-1"), RESULT_OK);
		assert_string_equal(
		    gpio_look(gpio, 1).owner, "system.indicator.softap");
	}
	/* Taken by hand. */
	gpio_claim(gpio, 8, gpio_user, GPIO_OUTPUT, true);
	assert_int_equal(set(module, "tcp.server.data_gpio", NULL, "8"), RESULT_FAILED);
	assert_true(gpio_level(gpio, 8));
	/* A pin that the module does not have is taken and never driven. */
	assert_int_equal(set(module, "tcp.server.data_gpio", NULL, "31"), RESULT_OK);
	assert_int_equal(pins_find(module, PIN_TCP_SERVER_DATA), -1);
}

/* The pin of STREAM mode is taken in that mode only. */
static void
test_command_pin_needs_stream_mode(void **state)
{
	struct fixture *fixture = *state;
	struct module *module = fixture->module;

	module_boot(module);
	assert_int_equal(pins_find(module, PIN_BUS_COMMAND), -1);
	assert_int_equal(set(module, "bus.mode", NULL, "stream"), RESULT_OK);
	nvm_commit(module->nvm);
	module_boot(module);
	assert_int_equal(pins_find(module, PIN_BUS_COMMAND), 0);
	assert_int_equal(pins_find(module, PIN_INDICATOR_WLAN), -1);
	gpio_drive(pins_gpio(module), 0, GPIO_DRIVE_HIGH);
	assert_true(pins_is_high(module, PIN_BUS_COMMAND));
	assert_int_equal(set(module, "bus.stream.cmd_gpio", NULL, "-1"), RESULT_OK);
	assert_int_equal(pins_find(module, PIN_INDICATOR_WLAN), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_no_such_pin),
		cmocka_unit_test(test_watch),
		cmocka_unit_test_setup_teardown(
		    test_nothing_at_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_indicator_states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_indicator_pattern_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_status_pin_follows_the_network, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_conflicts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_command_pin_needs_stream_mode, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("gpio", tests, NULL, NULL);
}
