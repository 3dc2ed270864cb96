#ifndef FRONT_MODE_PIN_H
#define FRONT_MODE_PIN_H

#include <stdbool.h>

struct module;

/* The pin of bus.stream.cmd_gpio: while it is high, the serial port carries commands.
 * Reference: network notes, section 4. */
struct mode_pin;

/* The pin has stood at its new level for a while. False when the change has to wait:
 * asked again soon. */
typedef bool mode_pin_changed(void *arg, bool is_high);

/* Watches from now on; the module is borrowed. */
struct mode_pin *mode_pin_new(struct module *, mode_pin_changed *, void *arg);
void mode_pin_free(struct mode_pin *); /* NULL is allowed */

/* Takes the level as it is, at boot, without a call; returns it. */
bool mode_pin_take(struct mode_pin *);

/* Whether commands are what the pin wants, as it was taken last. */
bool mode_pin_is_high(const struct mode_pin *);

#endif
