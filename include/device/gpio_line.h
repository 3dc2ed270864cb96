#ifndef DEVICE_GPIO_LINE_H
#define DEVICE_GPIO_LINE_H

#include <stdbool.h>

#include "device/gpio.h"

/* A line of a GPIO chip of this host, behind a pin. It is taken while the pin is in
 * use. What cannot be had, or is lost, is logged; the pin goes on in software then, and
 * the line is tried again when the pin is taken again. */

struct gpio_line;

/* told: the level has changed, or the line is lost; it comes from the loop, never from
 * inside of a call below. The texts of the place stay borrowed. */
struct gpio_line *gpio_line_new(struct event_base *, const struct gpio_place *,
    unsigned pin, void (*told)(void *arg, unsigned pin), void *arg);
void gpio_line_free(struct gpio_line *); /* NULL is allowed */

/* What the pin does now; GPIO_NONE gives the line back, as an input. */
void gpio_line_set(struct gpio_line *, enum gpio_direction, bool level);

/* Whether the line is taken; NULL is allowed. */
bool gpio_line_is_held(const struct gpio_line *);

/* The level of a line that is held, as the module sees it. */
bool gpio_line_level(const struct gpio_line *);

#endif
