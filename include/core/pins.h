#ifndef CORE_PINS_H
#define CORE_PINS_H

#include <stdbool.h>
#include <stddef.h>

#include "device/gpio.h"

struct module;

/* What hangs on the pins of a module. A variable names the pin of each function; its
 * pin is claimed when the variable is applied. A pin that the board gives a function by
 * default goes to whatever is set on it instead; two that are set cannot share one. */
enum pin_function {
	PIN_BUS_COMMAND, /* bus.stream.cmd_gpio */
	PIN_UART_CTS, /* uart.flow */
	PIN_UART_RTS,
	PIN_TCP_SERVER_CONNECTED,
	PIN_TCP_SERVER_DATA,
	PIN_UDP_SERVER_DATA,
	PIN_WEBSOCKET,
	PIN_IOCONN_CONTROL,
	PIN_IOCONN_STATUS,
	PIN_SETUP, /* setup.gpio.control_gpio */
	PIN_WLAN_STATUS,
	PIN_COMMAND_DONE, /* system.cmd.gpio */
	PIN_EVENTS, /* system.oob.gpio */
	PIN_INDICATOR_WLAN, /* in the order of enum indicator */
	PIN_INDICATOR_NETWORK,
	PIN_INDICATOR_SOFTAP,
	PIN_FUNCTIONS
};

/* The pins, made on first use; borrowed. */
struct gpio *pins_gpio(struct module *);

/* The pin of a function; -1: none. */
int pins_find(const struct module *, enum pin_function);

/* The level of an input's pin; low when the function has none. */
bool pins_is_high(const struct module *, enum pin_function);

/* The level of any pin of the module. */
bool pins_level(const struct module *, unsigned pin);

/* For the entries of variables that name pins: claims and releases as they now say.
 * While the module is off it does nothing; pins_boot() follows. 0, or -1 when two would
 * share a pin: nothing has changed then. */
int pins_apply(struct module *);

/* For core/: all pins as the variables say, at boot; what cannot be had is logged. */
void pins_boot(struct module *);
void pins_reset(struct module *); /* the module goes down: nothing is driven */
void pins_sleep(struct module *); /* ... and sleeps: gpio.sleep, system.wakeup.events */
void pins_free(struct module *);

/* Something happened that a pin may show: unread data, a client, the end of a command.
 * The pins follow on the next turn of the loop. Costs nothing without such pins. */
void pins_follow(struct module *);

/* Sets the level of a function that is not followed by itself. */
void pins_show(struct module *, enum pin_function, bool level);

/* For core/: a command begins; pins_follow() ends it. */
void pins_command_begins(struct module *);

/* system.oob.status: which events there are, one bit each, and forgets those that are
 * kept until they are read. */
unsigned pins_take_events(struct module *);

/* A direction as gpio_dir and gpio.init take it. */
struct pin_word {
	const char *word;
	enum gpio_direction direction;
	signed char level; /* that the word itself says; -1: none */
};

/* In any case of letters; NULL: no such word. */
const struct pin_word *pins_word(const char *word, size_t len);

/* The word that the module itself uses: "input_highz". */
const char *pins_direction_name(enum gpio_direction);

#endif
