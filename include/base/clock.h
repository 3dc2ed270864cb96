#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of the monotonic clock; counts while the machine is suspended too, as a
 * module's uptime does. */
int64_t clock_monotonic_ms(void);

/* Microseconds of the same clock. */
int64_t clock_monotonic_us(void);

#endif
