/* Pins on lines of a chip that fails where the tests want it: libgpiod's functions as
 * gpio_line.c calls them are those of this file. The real thing is in test/vm. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <gpiod.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "device/gpio.h"

#define PIN 5
#define LINES 8

struct gpiod_line {
	unsigned offset;
};

struct gpiod_chip {
	struct gpiod_line line;
};

/* The only chip, and what is done with its line. */
static struct {
	int open_errno, request_errno, value_errno; /* 0: it works */
	unsigned chips; /* that are open */
	unsigned requests;
	int type, flags; /* of the last request */
	bool is_held, is_output;
	int wire; /* the level on it; what an output puts out, unless others are
		     stronger */
	int edges[2]; /* a pipe of struct gpiod_line_event */
} fake;

struct gpiod_chip *
gpiod_chip_open(const char *path)
{
	assert_string_equal(path, "/dev/chip");
	errno = fake.open_errno;
	if (errno != 0)
		return NULL;
	fake.chips++;
	return xcalloc(1, sizeof(struct gpiod_chip));
}

void
gpiod_chip_close(struct gpiod_chip *chip)
{
	fake.chips--;
	fake.is_held = false;
	free(chip);
}

struct gpiod_line *
gpiod_chip_get_line(struct gpiod_chip *chip, unsigned offset)
{
	chip->line.offset = offset;
	errno = EINVAL;
	return offset < LINES ? &chip->line : NULL;
}

int
gpiod_line_request(
    struct gpiod_line *line, const struct gpiod_line_request_config *config, int level)
{
	assert_int_equal(line->offset, 3);
	assert_false(fake.is_held);
	assert_string_equal(config->consumer, "zentrid:module");
	fake.requests++;
	errno = fake.request_errno;
	if (errno != 0)
		return -1;
	fake.type = config->request_type;
	fake.flags = config->flags;
	fake.is_held = true;
	fake.is_output = config->request_type == GPIOD_LINE_REQUEST_DIRECTION_OUTPUT;
	if (fake.is_output)
		fake.wire = level;
	return 0;
}

int
gpiod_line_get_value(struct gpiod_line *line)
{
	(void)line;
	assert_true(fake.is_held);
	errno = fake.value_errno;
	return errno != 0 ? -1 : fake.wire;
}

int
gpiod_line_set_value(struct gpiod_line *line, int level)
{
	(void)line;
	assert_true(fake.is_output);
	errno = fake.value_errno;
	if (errno != 0)
		return -1;
	fake.wire = level;
	return 0;
}

int
gpiod_line_set_direction_input(struct gpiod_line *line)
{
	(void)line;
	if (!fake.is_held)
		return -1;
	fake.is_output = false;
	return 0;
}

int
gpiod_line_event_get_fd(struct gpiod_line *line)
{
	(void)line;
	return fake.edges[0];
}

int
gpiod_line_event_read_fd_multiple(
    int fd, struct gpiod_line_event *events, unsigned count)
{
	ssize_t len;

	errno = fake.value_errno;
	if (errno != 0)
		return -1;
	len = read(fd, events, count * sizeof *events);
	return len == -1 ? -1 : (int)((size_t)len / sizeof *events);
}

struct fixture {
	struct event_base *base;
	struct gpio *gpio;
	struct gpio_watch watch;
	char told[64]; /* the levels of PIN that were told */
};

static void
fixture_told(struct gpio_watch *watch, unsigned pin)
{
	struct fixture *self =
	    (struct fixture *)((char *)watch - offsetof(struct fixture, watch));
	size_t len = strlen(self->told);

	assert_int_equal(pin, PIN);
	assert_true(len + 1 < sizeof self->told);
	self->told[len] = gpio_level(self->gpio, pin) ? '1' : '0';
}

static void
fixture_start(struct fixture *self, struct gpio_place place)
{
	memset(&fake, 0, sizeof fake);
	memset(self, 0, sizeof *self);
	assert_int_equal(pipe(fake.edges), 0);
	place.module = "module";
	place.chip = "/dev/chip";
	if (place.line == 0)
		place.line = 3;
	self->base = xcheck(event_base_new());
	self->gpio = gpio_new(22);
	self->watch.told = fixture_told;
	gpio_bind(self->gpio, PIN, self->base, &place);
	gpio_bind(self->gpio, 22, self->base, &place); /* there is no such pin */
	gpio_watch(self->gpio, &self->watch);
	assert_false(gpio_is_real(self->gpio, PIN));
	assert_false(gpio_is_real(self->gpio, 22));
}

static void
fixture_end(struct fixture *self)
{
	gpio_free(self->gpio);
	event_base_free(self->base);
	close(fake.edges[0]);
	close(fake.edges[1]);
	assert_int_equal(fake.chips, 0);
}

static void
fixture_claim(struct fixture *self, enum gpio_direction direction, bool level)
{
	assert_int_equal(gpio_claim(self->gpio, PIN, gpio_user, direction, level), 0);
}

/* Edges come, the last one being what is on the wire; the loop sees them at once. */
static void
fixture_edges(struct fixture *self, const char *levels)
{
	for (; *levels != '\0'; levels++) {
		const struct gpiod_line_event edge = {
			.event_type = *levels == '1' ? GPIOD_LINE_EVENT_RISING_EDGE
						     : GPIOD_LINE_EVENT_FALLING_EDGE,
		};

		fake.wire = *levels == '1';
		assert_int_equal(write(fake.edges[1], &edge, sizeof edge), sizeof edge);
	}
	event_base_loop(self->base, EVLOOP_ONCE);
}

static void
test_requests(void **state)
{
	enum {
		UP = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_UP,
		DOWN = GPIOD_LINE_REQUEST_FLAG_BIAS_PULL_DOWN,
		NONE = GPIOD_LINE_REQUEST_FLAG_BIAS_DISABLE,
		DRAIN = GPIOD_LINE_REQUEST_FLAG_OPEN_DRAIN,
		SOURCE = GPIOD_LINE_REQUEST_FLAG_OPEN_SOURCE,
		LOW = GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW,
	};
	static const struct {
		enum gpio_direction direction;
		int flags, turned, bare; /* with active_low; without pulls */
	} wanted[] = {
		{ GPIO_INPUT_PULL_UP, UP, LOW | DOWN, NONE },
		{ GPIO_INPUT_PULL_DOWN, DOWN, LOW | UP, NONE },
		{ GPIO_INPUT_HIGH_Z, NONE, LOW | NONE, NONE },
		{ GPIO_OUTPUT, 0, LOW, 0 },
		{ GPIO_OUTPUT_OPEN_DRAIN, DRAIN, LOW | SOURCE, DRAIN },
		{ GPIO_OUTPUT_OPEN_DRAIN_PULL_UP, DRAIN | UP, LOW | SOURCE | DOWN,
		    DRAIN | NONE },
	};
	static const struct gpio_place places[] = { { .line = 3 },
		{ .active_low = true }, { .no_pulls = true } };
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		const int flags[] = { wanted[i].flags, wanted[i].turned,
			wanted[i].bare };
		bool is_output = gpio_is_output(wanted[i].direction);

		for (size_t j = 0; j < sizeof places / sizeof places[0]; j++) {
			fixture_start(&fixture, places[j]);
			fixture_claim(&fixture, wanted[i].direction, true);
			assert_true(gpio_is_real(fixture.gpio, PIN));
			assert_int_equal(fake.flags, flags[j]);
			assert_int_equal(
			    fake.type, is_output ? GPIOD_LINE_REQUEST_DIRECTION_OUTPUT
						 : GPIOD_LINE_REQUEST_EVENT_BOTH_EDGES);
			assert_int_equal(fake.wire, is_output);
			gpio_release(fixture.gpio, PIN);
			assert_false(gpio_is_real(fixture.gpio, PIN));
			assert_int_equal(fake.chips, 0);
			assert_false(fake.is_output); /* nothing is driven */
			fixture_end(&fixture);
		}
	}
}

static void
test_edges(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_start(&fixture, (struct gpio_place){ .line = 3 });
	fixture_claim(&fixture, GPIO_INPUT_PULL_DOWN, false);
	assert_string_equal(fixture.told, "0");
	fixture_edges(&fixture, "1");
	fixture_edges(&fixture, "0");
	fixture_edges(&fixture, "101");
	assert_string_equal(fixture.told, "010101");
	/* One that was dropped: what is on the wire counts. */
	fixture_edges(&fixture, "0");
	fake.wire = 1;
	fixture_edges(&fixture, "");
	assert_string_equal(fixture.told, "01010101");
	/* What the world does elsewhere has no say. */
	gpio_drive(fixture.gpio, PIN, GPIO_DRIVE_LOW);
	assert_true(gpio_level(fixture.gpio, PIN));
	fixture_end(&fixture);
}

/* Others pull an open drain down: there is no edge for that. */
static void
test_open_drain(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_start(&fixture, (struct gpio_place){ .line = 3 });
	fixture_claim(&fixture, GPIO_OUTPUT_OPEN_DRAIN, true);
	assert_true(gpio_level(fixture.gpio, PIN));
	fake.wire = 0;
	assert_false(gpio_level(fixture.gpio, PIN));
	assert_false(gpio_look(fixture.gpio, PIN).level);
	gpio_write(fixture.gpio, PIN, false);
	fake.wire = 1; /* somebody is stronger, which does no good */
	assert_false(gpio_level(fixture.gpio, PIN));
	fixture_end(&fixture);
}

/* The pin goes on in software, and the line is tried again with the next claim only. */
static void
test_refused(void **state)
{
	static const int errors[] = { EBUSY, ENXIO, EPERM };
	struct fixture fixture;

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		fixture_start(&fixture, (struct gpio_place){ .line = 3 });
		fake.request_errno = errors[i];
		fixture_claim(&fixture, GPIO_INPUT_PULL_UP, false);
		assert_false(gpio_is_real(fixture.gpio, PIN));
		assert_true(gpio_level(fixture.gpio, PIN));
		assert_int_equal(fake.chips, 0);
		fixture_claim(&fixture, GPIO_OUTPUT, false);
		for (int level = 0; level < 4; level++)
			gpio_write(fixture.gpio, PIN, level % 2 != 0);
		assert_int_equal(fake.requests, 2);
		fake.request_errno = 0;
		fixture_claim(&fixture, GPIO_INPUT_HIGH_Z, false);
		assert_true(gpio_is_real(fixture.gpio, PIN));
		fixture_end(&fixture);
	}
}

static void
test_not_there(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_start(&fixture, (struct gpio_place){ .line = LINES });
	fixture_claim(&fixture, GPIO_OUTPUT, true);
	assert_false(gpio_is_real(fixture.gpio, PIN));
	fixture_end(&fixture);

	fixture_start(&fixture, (struct gpio_place){ .line = 3 });
	fake.open_errno = EACCES;
	fixture_claim(&fixture, GPIO_INPUT_PULL_UP, false);
	assert_true(gpio_level(fixture.gpio, PIN));
	/* Taken, and gone before its level is known. */
	fake.open_errno = 0;
	fake.value_errno = ENODEV;
	fixture_claim(&fixture, GPIO_INPUT_PULL_DOWN, false);
	assert_false(gpio_is_real(fixture.gpio, PIN));
	assert_int_equal(fake.requests, 1);
	fixture_end(&fixture);
}

static void
test_lost(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_start(&fixture, (struct gpio_place){ .line = 3 });
	fixture_claim(&fixture, GPIO_OUTPUT, false);
	fake.value_errno = ENODEV;
	gpio_write(fixture.gpio, PIN, true);
	assert_false(gpio_is_real(fixture.gpio, PIN));
	assert_true(gpio_level(fixture.gpio, PIN));
	assert_string_equal(fixture.told, "01");

	fake.value_errno = 0;
	fake.wire = 1;
	fixture_claim(&fixture, GPIO_INPUT_PULL_DOWN, false);
	assert_true(gpio_level(fixture.gpio, PIN));
	/* An edge that does not count for the moment, then the end. */
	fake.value_errno = EAGAIN;
	fixture_edges(&fixture, "1");
	assert_true(gpio_is_real(fixture.gpio, PIN));
	fake.value_errno = ENODEV;
	event_base_loop(fixture.base, EVLOOP_ONCE);
	assert_false(gpio_is_real(fixture.gpio, PIN));
	assert_false(gpio_level(fixture.gpio, PIN));
	fixture_end(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_open_drain),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_lost),
	};

	log_configure(LOG_FORMAT_TEXT, LOG_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
