#ifndef DEVICE_RADIO_INTERFACE_H
#define DEVICE_RADIO_INTERFACE_H

#include "device/radio.h"

/* The radio of a module whose networks are real interfaces of this host. Where
 * wpa_supplicant looks after the one for wlan, it does what the radio is asked for, and
 * so does hostapd for the soft AP. Elsewhere an interface is like a cable, or Wi-Fi
 * that others look after: joined is a network when its interface has a carrier,
 * whatever its name. */

struct radio_interface_options {
	const char *names[RADIO_AP + 1]; /* NULL: the module has none for that */
	/* Of wpa_supplicant's and of hostapd's control sockets; empty: they are none of
	 * its business. */
	const char *directories[RADIO_AP + 1];
};

struct event_base;

/* The texts are copied. NULL and errno: the kernel tells nothing of its interfaces. */
struct radio *radio_interface_new(
    struct event_base *, const struct radio_interface_options *);

#endif
