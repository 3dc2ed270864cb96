#ifndef STREAM_UDP_H
#define STREAM_UDP_H

#include <netinet/in.h>

#include "stream/stream.h"

struct event_base;

/* Streams over UDP. Each write is one datagram; what is received is concatenated and
 * waits until it is read. Reference: network notes, 2.5. */

#define UDP_DATAGRAM_MAX 65507 /* RFC 768 over IPv4 */
#define UDP_RECEIVE_MAX                                                                \
	(64u * 1024) /* bytes that wait; what comes beyond is dropped                  \
		      */

struct udp_options {
	struct in_addr local; /* address to bind */
	uint16_t local_port; /* 0: any */
	struct sockaddr_in peer; /* family 0: none so far; address 0: one that is
				    looked up, for whom the place is kept */
	bool is_server; /* UDPS: takes datagrams of all, answers the last sender */
	bool lock_client; /* a server: only of the first one */
};

/* Opens the socket. For a client info is "host:port" as typed; copied. NULL and errno.
 */
struct stream *udp_stream_new(
    struct event_base *, const struct udp_options *, const char *info);

/* The address of the peer that was looked up; not used if a server has heard of another
 * one meanwhile. */
void udp_stream_found_peer(struct stream *, struct in_addr);

/* The port of the module's end. */
uint16_t udp_stream_port(const struct stream *);

/* One datagram of a server to a given peer. 0, or -1 and errno. */
int udp_stream_send(
    struct stream *, const struct sockaddr_in *, const void *buf, size_t len);

#endif
