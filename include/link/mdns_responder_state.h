#ifndef LINK_MDNS_RESPONDER_STATE_H
#define LINK_MDNS_RESPONDER_STATE_H

#include "link/mdns_responder.h"

/* What link/mdns_responder.c, which keeps the name, and link/mdns_answers.c, which
 * answers, share. */

#define MDNS_PENDING_MAX 16 /* answers that wait; more of them leave together */
#define MDNS_DIRECT_A_SECOND 64 /* answers to single hosts; no more are given */

enum mdns_phase {
	MDNS_PROBING, /* asks whether the names are free */
	MDNS_ANNOUNCING,
	MDNS_STANDING
};

/* Answers to a message that wait a little, for others of their kind. */
struct mdns_pending {
	struct in_addr from; /* who asked */
	uint32_t set;
	int64_t due_ms;
	int64_t gap_ms; /* least time since the group was told the same */
};

struct mdns_responder {
	const struct mdns_responder_ops *ops; /* borrowed */
	void *arg;
	struct in_addr address;
	uint16_t port;

	char wanted[MDNS_LABEL_MAX + 1], label[MDNS_LABEL_MAX + 1];
	char told[MDNS_LABEL_MAX + 1]; /* the label that renamed() told last */
	unsigned number; /* behind the label; 0: none */
	struct mdns_offer offers[MDNS_OFFERS_MAX];
	unsigned offer_count;
	struct mdns_records records;

	enum mdns_phase phase;
	unsigned step; /* probes or announcements that have left */
	int64_t next_ms; /* the next one; INT64_MAX: none */
	unsigned conflicts; /* in a row */
	int64_t conflict_ms; /* the last one */

	struct mdns_pending pending[MDNS_PENDING_MAX];
	unsigned pending_count;
	unsigned direct; /* answers to single hosts, in the second from: */
	int64_t direct_since_ms;
};

/* A random number below the limit, for pauses. */
unsigned mdns_random(const struct mdns_responder *, unsigned limit);

/* Sends a message, which it takes. */
void mdns_send(const struct mdns_responder *, ldns_pkt *, const struct sockaddr_in *to);

/* Sends a set, and what is behind it, to the group now. */
void mdns_tell_group(struct mdns_responder *, uint32_t set, int64_t now_ms);

/* A question has come; or what others say, which makes answers needless. */
void mdns_answer(struct mdns_responder *, const ldns_pkt *, const struct mdns_peer *,
    int64_t now_ms);
void mdns_heard(struct mdns_responder *, const ldns_rr *, int64_t now_ms);

/* The answers that are due. */
void mdns_answers_tick(struct mdns_responder *, int64_t now_ms);
int64_t mdns_answers_next_ms(const struct mdns_responder *);

#endif
