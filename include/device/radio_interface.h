#ifndef DEVICE_RADIO_INTERFACE_H
#define DEVICE_RADIO_INTERFACE_H

#include "device/radio.h"

/* The radio of a module whose networks are real interfaces of this host: a cable, or a
 * station or an access point of Wi-Fi that other programs look after. Joined is a
 * network when its interface has a carrier, whatever its name. */

struct event_base;

/* The names are copied; NULL: the module has none for that. NULL and errno: the kernel
 * tells nothing of its interfaces. */
struct radio *radio_interface_new(
    struct event_base *, const char *wlan, const char *softap);

#endif
