#include "core/pins.h"

#include <string.h>
#include <strings.h>

/* The words for a direction; the first of each is the normal one. Reference: command
 * notes, 4, and serial and file notes, 7.1. On the AMW007 `set gp i 0 out 1` is
 * followed by `get gp i 0` -> "output_open_drain 1", so that is what out means. Chosen:
 * in is input_highz, whose name a web app looks for in gpio.usage; output_low and
 * output_high are output with its level. */
static const struct pin_word pins_words[] = {
	{ "none", GPIO_NONE, -1 },
	{ "-1", GPIO_NONE, -1 },
	{ "input_highz", GPIO_INPUT_HIGH_Z, -1 },
	{ "in", GPIO_INPUT_HIGH_Z, -1 },
	{ "input", GPIO_INPUT_HIGH_Z, -1 },
	{ "input_pullup", GPIO_INPUT_PULL_UP, -1 },
	{ "input_pulldown", GPIO_INPUT_PULL_DOWN, -1 },
	{ "output_open_drain", GPIO_OUTPUT_OPEN_DRAIN, -1 },
	{ "out", GPIO_OUTPUT_OPEN_DRAIN, -1 },
	{ "ood", GPIO_OUTPUT_OPEN_DRAIN, -1 },
	{ "output_open_drain_pullup", GPIO_OUTPUT_OPEN_DRAIN_PULL_UP, -1 },
	{ "output", GPIO_OUTPUT, -1 },
	{ "output_low", GPIO_OUTPUT, 0 },
	{ "output_high", GPIO_OUTPUT, 1 },
};

#define PINS_WORDS (sizeof pins_words / sizeof pins_words[0])

const struct pin_word *
pins_word(const char *word, size_t len)
{
	for (size_t i = 0; i < PINS_WORDS; i++) {
		if (strlen(pins_words[i].word) == len &&
		    strncasecmp(pins_words[i].word, word, len) == 0)
			return &pins_words[i];
	}
	return NULL;
}

const char *
pins_direction_name(enum gpio_direction direction)
{
	for (size_t i = 0; i < PINS_WORDS; i++) {
		if (pins_words[i].direction == direction)
			return pins_words[i].word;
	}
	return "none";
}
