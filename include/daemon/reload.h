#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "store/settings.h"

/* SIGHUP: moves what can change while the modules run from fresh into current:
 * addresses and ports, which act at the next network restart, and factory defaults,
 * version and quirks, which act at the next boot. What needs a restart of the daemon is
 * logged. Both settings stay the caller's. */
void reload_settings(struct settings *current, struct settings *fresh);

#endif
