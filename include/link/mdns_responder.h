#ifndef LINK_MDNS_RESPONDER_H
#define LINK_MDNS_RESPONDER_H

#include "link/mdns_records.h"

/* The responder of one module, without sockets and without timers: messages and the
 * time go in, messages come out. It finds out whether its name is free, says it,
 * defends it, and answers. RFC 6762 */

struct mdns_responder;

struct mdns_responder_options {
	const char *label; /* the name that it wants; copied */
	struct in_addr address; /* that the name stands for */
	uint16_t port; /* of the group: who sends from another is a plain DNS client */
};

struct mdns_responder_ops {
	/* A message leaves, to: NULL: to the group. */
	void (*send)(
	    void *arg, const uint8_t *bytes, size_t len, const struct sockaddr_in *to);
	/* Somebody else has the name that it wanted; this one is its own now. */
	void (*renamed)(void *arg, const char *label);
	uint32_t (*random)(void *arg);
};

/* Where a message came from. */
struct mdns_peer {
	struct sockaddr_in from;
	bool is_near; /* from the network that the address belongs to */
	bool to_group; /* else to the address alone */
};

/* ops are borrowed. It begins to look for its name. */
struct mdns_responder *mdns_responder_new(const struct mdns_responder_options *,
    const struct mdns_responder_ops *, void *arg, int64_t now_ms);
void mdns_responder_free(struct mdns_responder *); /* sends nothing; NULL is allowed */

/* What it offers from now on; what it offered before and is not among them ends. */
void mdns_responder_offer(
    struct mdns_responder *, const struct mdns_offer *, unsigned count, int64_t now_ms);

/* All that it has said is no more. */
void mdns_responder_goodbye(struct mdns_responder *);

void mdns_responder_receive(struct mdns_responder *, const uint8_t *bytes, size_t len,
    const struct mdns_peer *, int64_t now_ms);

/* The time has come that it wanted; in between it does nothing. */
void mdns_responder_tick(struct mdns_responder *, int64_t now_ms);
int64_t mdns_responder_next_ms(const struct mdns_responder *); /* INT64_MAX: never */

#endif
