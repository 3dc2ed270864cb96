#ifndef DEVICE_GPIO_H
#define DEVICE_GPIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* The pins of one module: who has each, which way it works, and the level on its wire,
 * which the module and the world outside both have a say in. */

#define GPIO_PINS_MAX 32

/* Reference: serial and file notes, 7.1: the numbers that gpios_dir takes. */
enum gpio_direction {
	GPIO_INPUT_PULL_UP,
	GPIO_INPUT_PULL_DOWN,
	GPIO_INPUT_HIGH_Z,
	GPIO_OUTPUT, /* push-pull */
	GPIO_OUTPUT_OPEN_DRAIN,
	GPIO_OUTPUT_OPEN_DRAIN_PULL_UP,
	GPIO_NONE /* not in use */
};

/* What the world outside puts on a wire. */
enum gpio_drive { GPIO_DRIVE_LOW, GPIO_DRIVE_HIGH, GPIO_DRIVE_RELEASED };

/* What a pin puts out that is not simply high or low. */
struct gpio_signal {
	uint32_t pwm_hz; /* 0: no PWM */
	uint8_t pwm_percent; /* of each period that is high */
	uint8_t dac; /* 0 to 255 */
};

struct gpio_state {
	const char *owner; /* NULL: none */
	enum gpio_direction direction;
	bool level; /* on the wire */
	enum gpio_drive drive;
	struct gpio_signal signal;
};

struct event_base;
struct gpio;

/* A line of a GPIO chip of this host. */
struct gpio_place {
	const char *module; /* for the log */
	const char *chip; /* path */
	unsigned line; /* of the chip, from 0 */
	bool active_low; /* the line is low when the pin is high */
	bool no_pulls; /* the board has resistors of its own */
};

/* The owner of a pin that the module's user has taken, not one of its functions. */
extern const char gpio_user[];

struct gpio *gpio_new(unsigned pins); /* at most GPIO_PINS_MAX; all unused */
void gpio_free(struct gpio *); /* NULL is allowed */

/* Puts a pin that is not in use on a line of this host for good: then the world outside
 * is what is wired to the line. The texts of the place stay borrowed. */
void gpio_bind(
    struct gpio *, unsigned pin, struct event_base *, const struct gpio_place *);

/* Whether a pin is in use and on its line; gpio_drive() does nothing there. */
bool gpio_is_real(const struct gpio *, unsigned pin);

/* The functions below take any pin number: one that is not there is never driven and
 * reads as unused. */

/* Takes a pin; the level is what an output begins with. The owner's text stays
 * borrowed. Who has it already may take it again, with another direction. 0, or -1 and
 * errno: EBUSY when it has another owner, EINVAL when there is no such pin. */
int gpio_claim(
    struct gpio *, unsigned pin, const char *owner, enum gpio_direction, bool level);
void gpio_release(struct gpio *, unsigned pin);

/* What an output puts out; an open drain only pulls low. */
void gpio_write(struct gpio *, unsigned pin, bool level);
void gpio_write_signal(struct gpio *, unsigned pin, const struct gpio_signal *);

bool gpio_level(const struct gpio *, unsigned pin);
struct gpio_state gpio_look(const struct gpio *, unsigned pin);
unsigned gpio_count(const struct gpio *);

/* The world outside: a button, a sensor, a voltage. It outlives claims. */
void gpio_drive(struct gpio *, unsigned pin, enum gpio_drive);
void gpio_drive_voltage(struct gpio *, unsigned pin, uint16_t millivolts);
uint16_t gpio_voltage(const struct gpio *, unsigned pin);

/* Told of each change of what gpio_look() gives, from inside the call that made it: the
 * watcher must neither change pins nor unwatch there. */
struct gpio_watch {
	void (*told)(struct gpio_watch *, unsigned pin);
	TAILQ_ENTRY(gpio_watch) entry;
};

void gpio_watch(struct gpio *, struct gpio_watch *);
void gpio_unwatch(struct gpio *, struct gpio_watch *);

bool gpio_is_output(enum gpio_direction);

#endif
