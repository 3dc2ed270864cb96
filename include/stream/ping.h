#ifndef STREAM_PING_H
#define STREAM_PING_H

#include <netinet/in.h>
#include <stdint.h>

struct event_base;
struct ping;

/* One echo of ICMP. RFC 792 */

/* Called once, from the loop: the microseconds until the echo came, or -1 and errno:
 * ETIMEDOUT when none did. */
typedef void ping_done(void *arg, int64_t round_trip_us);

/* from: 0.0.0.0: any. The ping is gone after done, or after ping_cancel(), and then
 * done is never called. NULL and errno when nothing can be sent; EPERM or EACCES when
 * this process may not.
 */
struct ping *ping_start(struct event_base *, struct in_addr from,
    struct in_addr address, unsigned timeout_ms, ping_done *, void *arg);
void ping_cancel(struct ping *);

#endif
