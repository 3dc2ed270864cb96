#ifndef LINK_DHCP_CLIENT_H
#define LINK_DHCP_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mac.h"
#include "link/dhcp_packet.h"

/* A DHCP client without a socket and without a timer: messages go in and out, and the
 * time is given. RFC 2131, 4.4. */

struct dhcp_client;

#define DHCP_NAME_SERVERS_MAX 4 /* that a lease keeps; the rest is left out */
#define DHCP_FOR_EVER UINT32_MAX /* seconds of a lease that does not end */
#define DHCP_HOST_NAME_MAX 63 /* bytes. RFC 1035, 2.3.4 */

struct dhcp_lease {
	struct in_addr address, netmask, server;
	struct in_addr router; /* 0: none */
	struct in_addr name_servers[DHCP_NAME_SERVERS_MAX];
	size_t name_server_count;
	uint32_t lease_s, renew_s, rebind_s; /* from when it was asked for */
};

/* What the client does and says. None of these may free the client; bound(), lost(),
 * refused() and failed() come out of dhcp_client_receive(), _probed() and _tick() only.
 */
struct dhcp_client_ops {
	/* Sends a message from port 68 to port 67 of an address, 255.255.255.255 for
	 * all. What cannot be sent is lost, and sent again later. The answer may come
	 * to dhcp_client_receive() before this returns. */
	void (*send)(void *arg, const uint8_t *bytes, size_t len, struct in_addr to);
	/* Asks the network whether somebody has the address already; answered by
	 * dhcp_client_probed(). NULL: it is not asked. */
	void (*probe)(void *arg, struct in_addr address);
	/* The lease holds from now on; again after each renewal. Borrowed. */
	void (*bound)(void *arg, const struct dhcp_lease *);
	/* The address may not be used any longer; the client goes on asking. */
	void (*lost)(void *arg, const char *why);
	/* The address that it was restarted with is not to be had; it goes on asking
	 * for another. NULL: nobody wants to know. */
	void (*refused)(void *arg);
	/* It has given up and rests until it is started again. */
	void (*failed)(void *arg, const char *why);
	uint32_t (*random)(void *arg);
};

struct dhcp_client_options {
	uint8_t mac[MAC_OCTETS];
	const char *host_name; /* copied; NULL or empty: none is told */
	unsigned timeout_ms; /* to get an address within; 0: it asks for ever */
};

struct dhcp_client *dhcp_client_new(
    const struct dhcp_client_options *, const struct dhcp_client_ops *, void *arg);
void dhcp_client_free(struct dhcp_client *); /* says nothing; NULL is allowed */

/* Begins to ask for an address. */
void dhcp_client_start(struct dhcp_client *, int64_t now_ms);

/* Begins to ask whether the lease of an earlier time still holds, and for any address
 * when it does not. RFC 2131, 3.2 */
void dhcp_client_restart(
    struct dhcp_client *, const struct dhcp_lease *, int64_t now_ms);

/* Gives the address back, if it has one, and rests. */
void dhcp_client_release(struct dhcp_client *);

/* A message came in; what is none of its own is passed over. */
void dhcp_client_receive(
    struct dhcp_client *, const uint8_t *bytes, size_t len, int64_t now_ms);

/* The answer to ops->probe(); an address in use is declined. */
void dhcp_client_probed(struct dhcp_client *, bool is_in_use, int64_t now_ms);

/* When dhcp_client_tick() is due; -1: not at all. It changes with every call above. */
int64_t dhcp_client_due_ms(const struct dhcp_client *);
void dhcp_client_tick(struct dhcp_client *, int64_t now_ms);

/* The lease that holds, borrowed, or NULL. */
const struct dhcp_lease *dhcp_client_lease(const struct dhcp_client *);

#endif
