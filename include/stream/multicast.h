#ifndef STREAM_MULTICAST_H
#define STREAM_MULTICAST_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct multicast;

/* Takes part in a group of UDP: hears what is sent to the group on the network of an
 * address, and what is sent to the address itself. Others on this host may do the same
 * at the same port. */

#define MULTICAST_DATAGRAM_MAX 9000 /* bytes; longer ones are passed over */

struct multicast_options {
	struct in_addr address; /* what is sent comes from it; 0.0.0.0: any one */
	struct in_addr near; /* an address of the network that the group is on */
	struct in_addr group;
	uint16_t port; /* 0: any free one */
};

/* Called from the loop; it does not close what it was called for. */
typedef void multicast_received(void *arg, const uint8_t *bytes, size_t len,
    const struct sockaddr_in *from, bool to_group);

/* NULL and errno: it cannot be. */
struct multicast *multicast_open(struct event_base *, const struct multicast_options *,
    multicast_received *, void *arg);
void multicast_close(struct multicast *); /* NULL is allowed */

int multicast_fd(const struct multicast *); /* borrowed; of the address */
uint16_t multicast_port(const struct multicast *);

/* to: NULL: the group. 0, or -1 and errno. */
int multicast_send(const struct multicast *, const uint8_t *bytes, size_t len,
    const struct sockaddr_in *to);

#endif
