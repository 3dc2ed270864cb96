#ifndef CORE_NET_STATE_H
#define CORE_NET_STATE_H

#include <stdbool.h>
#include <sys/queue.h>

#include <openssl/types.h>

#include "core/activity.h"
#include "core/module.h"
#include "core/net.h"
#include "stream/http.h"
#include "stream/tcp.h"

struct evdns_base;
struct event;

/* What core/net_*.c share of a module's sockets. */

/* Time that resolving may take: what net_dns() sets. */
#define NET_DNS_ATTEMPTS 3
#define NET_DNS_TIMEOUT_S 2
#define NET_DNS_MS ((NET_DNS_ATTEMPTS * NET_DNS_TIMEOUT_S + 1) * 1000)

/* First member of what is under way and ends when the network goes down. */
struct net_job {
	/* Ends it as failed; it leaves the list. */
	void (*give_up)(struct net_job *);
	enum network_interface interface; /* over which it goes */
	TAILQ_ENTRY(net_job) entry;
};

struct net_server {
	struct stream *stream; /* the UDP server's, in the table; NULL: none */
	struct net_lookup *lookup; /* owned: of the UDP server's remote host */
	enum network_interface interface;
	uint16_t port; /* of the module; 0: not running */
	SSL_CTX *tls; /* owned; NULL: none, or not running */
	uint32_t clients; /* TCP and TLS: a bit for the handle of each stream */
	struct listener listener; /* as status.json shows it */
};

struct net {
	struct evdns_base *dns; /* owned; NULL before the first name */
	bool dns_is_set; /* else it learns of its name servers before the next name */
	struct event *reaper; /* owned; closes streams at their end */
	struct event *room; /* owned; lets the servers take their next client */
	TAILQ_HEAD(, net_open) opens; /* under way */
	TAILQ_HEAD(, net_greeting) greetings; /* clients whose handshake is under way */
	unsigned greeting_count;
	TAILQ_HEAD(, net_job) jobs; /* requests over HTTP */
	struct stream_lingering
	    lingering[NETWORK_INTERFACES]; /* streams that go on without a handle */
	struct packet_buffer *buffer; /* owned; NULL: the profile has none */
	struct net_server servers[NET_PROTOCOLS];
	enum network_interface
	    interfaces[STREAM_MAX]; /* of each stream; NETWORK_DEFAULT: of none */
};

/* The module's sockets, made on first use. */
struct net *net_get(struct module *);

/* The stream moves bytes. What has no interface is a file, or of the web server, which
 * sees to it. */
void net_note(struct module *, const struct stream *, enum activity_way);

/* How its TCP connections find dead peers. Chosen: without tcp.keepalive.enabled too,
 * only slowly, so that a vanished peer never holds its place for ever. */
struct tcp_keepalive net_keepalive(const struct module *);

/* The resolver, for as long as the module runs; NULL when it cannot be made. */
struct evdns_base *net_dns(struct module *);

/* network.tls.handshake_timeout. */
unsigned net_handshake_ms(const struct module *);

/* A stream is about to be closed: its server may take the next client. */
void net_server_stream_gone(struct module *, const struct stream *);

/* After a change of the streams: whether the servers take clients. */
void net_server_update(struct module *);

/* Of an interface; NETWORK_DEFAULT: all. */
void net_open_cancel_all(struct module *, enum network_interface);

#endif
