#ifndef VAR_CHOICES_H
#define VAR_CHOICES_H

#include "core/variable.h"

/* Choices, indexes and limits that the tables of several roots share. */

extern const char *const choices_interface[]; /* default, wlan, softap */

/* The pins of the module, "gpio5" in a listing. */
extern const struct variable_index index_gpio;

/* A pin; -1: none. Chosen: up to 31 on every profile, so that settings made for a
 * larger module of the family are taken; a pin that is not there is never driven. */
#define RANGE_GPIO_MIN (-1)
#define RANGE_GPIO_MAX 31

#define RANGE_PORT_MAX 65535
#define RANGE_16_BIT_MAX 65535
#define RANGE_8_BIT_MAX 255

/* Chosen, for seconds without a documented maximum: 32 bits of milliseconds. */
#define RANGE_SECONDS_MAX 4294967

#define LENGTH_SSID_MAX 32 /* IEEE 802.11, 9.4.2.2 */
#define LENGTH_PASSKEY_MAX 64 /* 63 characters, or a key of 64 hexadecimal digits */
#define LENGTH_HOST_MAX 253 /* RFC 1035, 2.3.4, as text */

/* Chosen: the longest name of the family. Reference: serial and file notes, 6.1. */
#define LENGTH_FILE_NAME_MAX 95

/* Chosen, for texts without a documented maximum. */
#define LENGTH_WORD_MAX 64
#define LENGTH_TEXT_MAX 255

#endif
