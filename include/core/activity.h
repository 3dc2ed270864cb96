#ifndef CORE_ACTIVITY_H
#define CORE_ACTIVITY_H

#include <stddef.h>
#include <stdint.h>

#include "core/network.h"

struct module;
struct pins;

/* system.activity.*: pins that pulse while bytes cross the module's borders. Whatever
 * moves bytes notes it here; that costs next to nothing while no pin shows it. */
enum activity_way { ACTIVITY_RX, ACTIVITY_TX };

/* Over an interface; NETWORK_DEFAULT is taken for the one it stands for. */
void activity_note(struct module *, enum network_interface, enum activity_way);

/* Over the serial port, which is the UART that bus.data_bus names. */
void activity_note_serial(struct module *, enum activity_way);

/* Which kind of traffic a word such as "wlan_rx" names, on a module with so many UARTs;
 * -1: none. */
int activity_kind(const char *word, size_t len, unsigned uarts);

/* The rest is for core/pins.c. A set of kinds is one bit for each. */
extern const char activity_variable[];

/* The kinds that system.activity.gpio has for each pin. */
void activity_plan(const struct module *, uint8_t kinds[]);

/* Gives up the pins that the plan has nothing for, and then takes the others. */
void activity_release(struct pins *, const uint8_t kinds[]);
void activity_claim(struct pins *, const uint8_t kinds[]);
void activity_reset(struct pins *);

#endif
