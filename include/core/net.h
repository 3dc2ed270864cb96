#ifndef CORE_NET_H
#define CORE_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/network.h"
#include "stream/packet_buffer.h"
#include "stream/stream.h"

struct module;

/* The sockets of a module: what opens them by hand (the commands) and by itself (auto
 * connect) comes here. Events, limits of the profile and variables are looked after. */

enum net_protocol { NET_TCP, NET_TLS, NET_UDP };

#define NET_PROTOCOLS (NET_UDP + 1)

#define NET_HOST_MAX 253 /* bytes of a host name. RFC 1035, 2.3.4 */

struct net_target {
	enum net_protocol protocol;
	enum network_interface interface; /* over which it is reached */
	const char *host; /* copied */
	uint16_t port, local_port; /* local_port 0: any */
	const char *
	    ca_file; /* TLS; borrowed at the start; NULL: as network.tls.ca_cert says */
};

struct net_open;

/* Called once, from the loop, with the new stream's handle, or -1. */
typedef void net_opened(void *arg, int handle);

/* Opens a client stream: looks the host up, connects, tries again as tcp.client.retries
 * says. It is gone after opened(), or after net_open_cancel(), and then opened() is
 * never called. NULL when the profile's limit is reached or nothing may be opened now.
 */
struct net_open *net_open_start(
    struct module *, const struct net_target *, net_opened *, void *arg);
void net_open_cancel(struct net_open *);

/* The time that opening may take in all, for a deadline. */
unsigned net_open_timeout_ms(const struct module *, enum net_protocol);

/* What a TCP client speaks: TLS with tcp.client.tls_enabled. */
enum net_protocol net_tcp_client(const struct module *);

struct net_lookup;
typedef void net_looked_up(void *arg, const char *address); /* NULL: not found */
struct net_lookup *net_lookup_start(
    struct module *, const char *host, net_looked_up *, void *arg);
void net_lookup_cancel(struct net_lookup *);

/* The server of a protocol, one each. That of TLS has the certificate of HTTPS and,
 * else, the settings of the TCP server; the limits of clients are for both together.
 * Starts on a module port, over an interface: 0, or -1 when it runs already or cannot
 * be had, which is logged and said in an event. */
int net_server_start(
    struct module *, enum net_protocol, enum network_interface, uint16_t port);
void net_server_stop(struct module *, enum net_protocol); /* closes its streams too */
uint16_t net_server_port(const struct module *, enum net_protocol); /* 0: not running */

/* The UDP server's stream, borrowed, or NULL. */
struct stream *net_udp_server(const struct module *);

/* Whether the profile's limits leave room for one more stream of the kind. What takes
 * its time to open asks twice: at its start and, through net_add_stream(), at its end.
 */
bool net_has_room(const struct module *, enum stream_kind);

/* Puts a stream into the module's table, takes it, and says [Opened]. Its end is said
 * too, and with stream.auto_close it closes itself when it is read to its end. The
 * handle, or -1 when there is no room: the stream is closed then. */
int net_add_stream(struct module *, struct stream *);

/* The same for a stream that ends when the interface goes down. */
int net_add_stream_over(struct module *, enum network_interface, struct stream *);

/* As the stream's own has_room and write, but within the packet buffer of the module,
 * too, and what is written is seen. */
bool net_stream_has_room(const struct stream *, size_t len);
ssize_t net_stream_write(struct module *, struct stream *, const void *buf, size_t len);

/* For core/: the packet buffer as network.buffer.* says, at boot. */
void net_boot(struct module *);

/* network.buffer.used, in percent; for a profile that has it. */
struct stream_held net_buffer_used(const struct module *);

/* After a read: closes the stream if it is at its end and stream.auto_close says so; a
 * file's does so in any case, also after a write. Reference: serial and file notes,
 * 6.5. */
void net_stream_was_read(struct module *, int handle);

/* Ends the servers, opens and streams of an interface, when it goes down; with
 * NETWORK_DEFAULT, of all. */
void net_take_down(struct module *, enum network_interface);
void net_free(struct module *); /* for the end of the module */

#endif
