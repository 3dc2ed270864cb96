#ifndef CORE_POWERSAVE_H
#define CORE_POWERSAVE_H

#include <stdint.h>
#include <sys/time.h>

struct module;

/* The wait before something that is done again and again is done next, and when that
 * is, in due_ms, which is 0 before the first time. Chosen, for system.powersave.mode,
 * which on the module lets an idle processor rest: the modules of this process do such
 * things at the same moments, the multiples of their periods, so that it wakes once for
 * all of them; the wait is a quarter of the period at least. Without that mode each has
 * its own moments, a period apart. */
struct timeval powersave_wait(
    const struct module *, unsigned period_ms, int64_t *due_ms);

#endif
