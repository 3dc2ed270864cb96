#ifndef STREAM_DATAGRAM_H
#define STREAM_DATAGRAM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* UDP sockets that do not block. Each function gives a descriptor, or -1 and errno. */

/* Bound to an address, 0.0.0.0 for all of them, and a port, 0 for any free one. What it
 * sends to 255.255.255.255 leaves over the network of that address, wherever the routes
 * of this host lead. */
int datagram_open(struct in_addr address, uint16_t port, bool may_broadcast);

/* One that passes over datagrams of less than so many bytes. */
int datagram_open_at_least(struct in_addr address, uint16_t port, uint32_t least);

/* Hears what is sent to all on the network that the address belongs to, besides what is
 * sent to it, and sends to all there. On a network that cannot be sent to as a whole,
 * it hears only what is sent to the address. */
int datagram_open_for_all(struct in_addr address, uint16_t port);

#endif
