#ifndef CORE_POWERSAVE_H
#define CORE_POWERSAVE_H

#include <sys/time.h>

struct module;

/* The wait before something that is done again and again is done next. Chosen, for
 * system.powersave.mode, which on the module lets an idle processor rest: the modules
 * of this process do such things at the same moments, the multiples of their periods,
 * so that it wakes once for all of them. Without that mode it is the period. It never
 * is less than a quarter of that. */
struct timeval powersave_wait(const struct module *, unsigned period_ms);

#endif
