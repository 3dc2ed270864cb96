#ifndef CORE_INDICATOR_H
#define CORE_INDICATOR_H

#include <stdbool.h>
#include <stddef.h>

struct module;

/* The three lamps of a module. Reference: network notes, 9. */
enum indicator { INDICATOR_WLAN, INDICATOR_NETWORK, INDICATOR_SOFTAP, INDICATORS };

/* What each can show: a pattern of system.indicator.state belongs to each state.
 * Chosen: those of softap, of which only the number is on record, are like those of
 * wlan, so that its factory pattern is lit while the soft AP is up. */
enum {
	INDICATOR_WLAN_OFF,
	INDICATOR_WLAN_ERROR,
	INDICATOR_WLAN_CONNECTING,
	INDICATOR_WLAN_CONNECTED
};
enum { INDICATOR_NETWORK_DOWN, INDICATOR_NETWORK_DHCP, INDICATOR_NETWORK_UP };
enum {
	INDICATOR_SOFTAP_OFF,
	INDICATOR_SOFTAP_ERROR,
	INDICATOR_SOFTAP_STARTING,
	INDICATOR_SOFTAP_UP
};

/* The factory values of the board. */
struct indicator_board {
	const char *name; /* index of system.indicator.*: "wlan" */
	const char *gpio, *state;
	unsigned states;
};

extern const struct indicator_board indicator_boards[INDICATORS];

/* The state that the indicator shows from now on; every one is 0 after boot. */
void indicator_set(struct module *, enum indicator, unsigned state);

/* Whether the word, of len bytes, is a pattern such as "fast_blink". */
bool indicator_is_pattern(const char *word, size_t len);

/* For the entry of system.indicator.state: shows the patterns as they are now. */
int indicator_apply(struct module *);

/* For core/: at boot and at the end of it. */
void indicator_reset(struct module *);

#endif
