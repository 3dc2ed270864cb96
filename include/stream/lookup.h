#ifndef STREAM_LOOKUP_H
#define STREAM_LOOKUP_H

#include <netinet/in.h>

struct event_base;
struct evdns_base;
struct lookup;

/* From a host name or dotted address to an IPv4 address, by DNS and the hosts file. */

/* Called once, from the loop: address is NULL on failure, and error then says why. */
typedef void lookup_done(void *arg, const struct in_addr *address, const char *error);

/* dns: NULL: only dotted addresses. The lookup belongs to itself; it is gone after
 * done, or after lookup_cancel(), and then done is never called. */
struct lookup *lookup_start(struct event_base *, struct evdns_base *dns,
    const char *host, lookup_done *, void *arg);
void lookup_cancel(struct lookup *);

#endif
