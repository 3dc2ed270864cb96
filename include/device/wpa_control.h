#ifndef DEVICE_WPA_CONTROL_H
#define DEVICE_WPA_CONTROL_H

#include <stdbool.h>

/* The control socket of wpa_supplicant or hostapd for one interface: requests one after
 * the other, their answers, and events. The other side may be gone and come back at any
 * time. Nothing here waits. */

struct wpa_answer {
	unsigned turn; /* as given with the request */
	const char *request; /* without the value that it sets */
	const char *text;
	bool is_ok; /* the text is "OK" */
};

/* From the loop, once a request. Never, when the other side goes before. */
typedef void wpa_answered(void *arg, const struct wpa_answer *);

/* All are called from the loop. */
struct wpa_control_ops {
	void (*opened)(void *arg); /* the other side is there, and tells its events */
	void (*closed)(void *arg); /* no more; what was asked is forgotten */
	void (*event)(void *arg, const char *line); /* without its "<3>" */
};

struct event_base;
struct wpa_control;

/* Looks for DIRECTORY/INTERFACE at once and from then on. A path that is too long for
 * an address is never there. */
struct wpa_control *wpa_control_new(struct event_base *, const char *directory,
    const char *interface, const struct wpa_control_ops *, void *arg);
/* What was asked is said still, and not answered. NULL is allowed. */
void wpa_control_free(struct wpa_control *);

/* The socket is there, and so, it seems, is who answers: opened() was called or will
 * be, or closed(). */
bool wpa_control_is_there(const struct wpa_control *);

/* Asks; answered may be NULL. Without the other side, nothing happens. */
void wpa_control_ask(struct wpa_control *self, wpa_answered *answered, unsigned turn,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
