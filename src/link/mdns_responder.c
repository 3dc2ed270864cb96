#include "link/mdns_responder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "link/mdns_responder_state.h"

/* RFC 6762, 8.1 */
#define MDNS_PROBES 3
#define MDNS_PROBE_MS 250
#define MDNS_CONFLICTS_MAX 15 /* in a row; then each costs the pause */
#define MDNS_CONFLICTS_MS 10000 /* without one that end the row */
#define MDNS_CONFLICT_PAUSE_MS 5000
#define MDNS_DEFER_MS 1000 /* RFC 6762, 8.2 */

/* RFC 6762, 8.3 */
#define MDNS_ANNOUNCEMENTS 2
#define MDNS_ANNOUNCEMENT_MS 1000

#define MDNS_NUMBER_MAX 9999 /* behind a label; then it starts anew */

unsigned
mdns_random(const struct mdns_responder *self, unsigned limit)
{
	return self->ops->random(self->arg) % limit;
}

void
mdns_send(
    const struct mdns_responder *self, ldns_pkt *packet, const struct sockaddr_in *to)
{
	uint8_t bytes[MDNS_PACKET_MAX];
	size_t len = mdns_packet_format(packet, bytes);

	ldns_pkt_free(packet);
	if (len > 0)
		self->ops->send(self->arg, bytes, len, to);
}

/* Looks anew whether the names are free, after a pause. */
static void
mdns_probe_from(struct mdns_responder *self, int64_t start_ms)
{
	self->phase = MDNS_PROBING;
	self->step = 0;
	self->next_ms = start_ms;
	self->pending_count = 0;
}

static void
mdns_rebuild(struct mdns_responder *self)
{
	mdns_records_clear(&self->records);
	mdns_records_build(&self->records, self->label, self->address, self->offers,
	    self->offer_count);
}

struct mdns_responder *
mdns_responder_new(const struct mdns_responder_options *options,
    const struct mdns_responder_ops *ops, void *arg, int64_t now_ms)
{
	struct mdns_responder *self = xcalloc(1, sizeof *self);

	self->ops = ops;
	self->arg = arg;
	self->address = options->address;
	self->port = options->port;
	snprintf(self->wanted, sizeof self->wanted, "%s", options->label);
	snprintf(self->label, sizeof self->label, "%s", options->label);
	snprintf(self->told, sizeof self->told, "%s", options->label);
	mdns_rebuild(self);
	mdns_probe_from(self, now_ms + mdns_random(self, MDNS_PROBE_MS + 1));
	return self;
}

void
mdns_responder_free(struct mdns_responder *self)
{
	if (self == NULL)
		return;
	mdns_records_clear(&self->records);
	free(self);
}

/* Of what was never said nothing need be taken back. */
static void
mdns_say_goodbye(struct mdns_responder *self, uint32_t set)
{
	ldns_pkt *packet;

	for (unsigned i = 0; i < self->records.count; i++) {
		if (self->records.list[i].sent_ms == 0)
			set &= ~(UINT32_C(1) << i);
	}
	if (set == 0)
		return;
	packet = mdns_packet_new(true);
	mdns_records_add(
	    &self->records, set, packet, LDNS_SECTION_ANSWER, MDNS_GOODBYE);
	mdns_send(self, packet, NULL);
}

void
mdns_responder_goodbye(struct mdns_responder *self)
{
	mdns_say_goodbye(self, mdns_records_positive(&self->records));
}

/* The records that the other set has not. */
static uint32_t
mdns_gone(const struct mdns_records *before, const struct mdns_records *now)
{
	uint32_t gone = mdns_records_positive(before);

	for (unsigned i = 0; i < before->count; i++) {
		if (mdns_records_same(now, before->list[i].rr) != 0)
			gone &= ~(UINT32_C(1) << i);
	}
	return gone;
}

/* What was said of a record counts for the one that takes its place. */
static void
mdns_inherit(struct mdns_records *records, const struct mdns_records *before)
{
	for (unsigned i = 0; i < before->count; i++) {
		uint32_t same = mdns_records_same(records, before->list[i].rr);

		for (unsigned j = 0; j < records->count; j++) {
			if ((same & UINT32_C(1) << j) != 0)
				records->list[j].sent_ms = before->list[i].sent_ms;
		}
	}
}

void
mdns_responder_offer(struct mdns_responder *self, const struct mdns_offer *offers,
    unsigned count, int64_t now_ms)
{
	struct mdns_records records;

	if (count == self->offer_count &&
	    (count == 0 || memcmp(offers, self->offers, count * sizeof *offers) == 0))
		return;
	memcpy(self->offers, offers, count * sizeof *offers);
	self->offer_count = count;
	mdns_records_build(
	    &records, self->label, self->address, self->offers, self->offer_count);
	mdns_say_goodbye(self, mdns_gone(&self->records, &records));
	mdns_inherit(&records, &self->records);
	mdns_records_clear(&self->records);
	self->records = records;
	if (self->phase != MDNS_PROBING || self->step > 0)
		mdns_probe_from(self, now_ms);
}

/* Chosen: "name-2", as others do it. A label that has no room for the number loses its
 * end. */
static void
mdns_rename(struct mdns_responder *self)
{
	char number[8];
	int len;

	self->number = self->number == 0 ? 2 : self->number + 1;
	if (self->number > MDNS_NUMBER_MAX)
		self->number = 2;
	len = snprintf(number, sizeof number, "-%u", self->number);
	snprintf(self->label, sizeof self->label, "%.*s%s", MDNS_LABEL_MAX - len,
	    self->wanted, number);
	mdns_rebuild(self);
}

/* Somebody else has one of the names. One that stands is looked at anew first; the one
 * who is there then keeps it. RFC 6762, 9 */
static void
mdns_conflict(struct mdns_responder *self, int64_t now_ms)
{
	int64_t pause_ms = 0;

	if (now_ms - self->conflict_ms > MDNS_CONFLICTS_MS)
		self->conflicts = 0;
	self->conflict_ms = now_ms;
	if (++self->conflicts >= MDNS_CONFLICTS_MAX)
		pause_ms = MDNS_CONFLICT_PAUSE_MS;
	if (self->phase == MDNS_PROBING)
		mdns_rename(self);
	mdns_probe_from(self, now_ms + pause_ms);
}

/* Whether the record says that a name of this one's is somebody else's. While the names
 * are looked at, any record of them does. */
static bool
mdns_is_conflict(const struct mdns_responder *self, const ldns_rr *rr)
{
	ldns_rr_type type = ldns_rr_get_type(rr);
	uint32_t claimed = mdns_records_claimed(&self->records);

	if (mdns_class(rr) != LDNS_RR_CLASS_IN || ldns_rr_ttl(rr) == 0 ||
	    type == LDNS_RR_TYPE_NSEC ||
	    (self->phase == MDNS_PROBING && self->step == 0))
		return false;
	if (mdns_records_named(&self->records, claimed, ldns_rr_owner(rr),
		self->phase == MDNS_PROBING ? LDNS_RR_TYPE_ANY : type) == 0)
		return false;
	return mdns_records_same(&self->records, rr) == 0;
}

/* True: there was a conflict, and the records are others now. */
static bool
mdns_listen_to(struct mdns_responder *self, const ldns_rr_list *list, int64_t now_ms)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);

		if (mdns_is_conflict(self, rr)) {
			mdns_conflict(self, now_ms);
			return true;
		}
		if (self->phase != MDNS_PROBING)
			mdns_heard(self, rr, now_ms);
	}
	return false;
}

struct mdns_proposal {
	const ldns_rr *rr; /* borrowed */
};

static int
mdns_sort(const void *a, const void *b)
{
	const struct mdns_proposal *left = a, *right = b;

	return mdns_compare_data(left->rr, right->rr);
}

/* Two sets of records for the same name: which one comes later in the order, by the
 * first that differs. RFC 6762, 8.2.1 */
static int
mdns_compare_sets(struct mdns_proposal *own, size_t own_count,
    struct mdns_proposal *other, size_t other_count)
{
	qsort(own, own_count, sizeof *own, mdns_sort);
	qsort(other, other_count, sizeof *other, mdns_sort);
	for (size_t i = 0; i < own_count && i < other_count; i++) {
		int order = mdns_compare_data(own[i].rr, other[i].rr);

		if (order != 0)
			return order;
	}
	return (own_count > other_count) - (own_count < other_count);
}

/* Whether the one who looks at the same name has more right to it. */
static bool
mdns_loses_name(const struct mdns_responder *self, const ldns_rdf *name,
    const ldns_rr_list *proposed)
{
	struct mdns_proposal own[MDNS_OWN_MAX] = { { NULL } };
	struct mdns_proposal other[MDNS_RECORDS_MAX] = { { NULL } };
	size_t own_count = 0, other_count = 0;
	uint32_t set = mdns_records_named(&self->records,
	    mdns_records_claimed(&self->records), name, LDNS_RR_TYPE_ANY);

	for (unsigned i = 0; i < self->records.count; i++) {
		if ((set & UINT32_C(1) << i) != 0)
			own[own_count++].rr = self->records.list[i].rr;
	}
	for (size_t i = 0; i < ldns_rr_list_rr_count(proposed); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(proposed, i);

		if (mdns_is_name(ldns_rr_owner(rr), name))
			other[other_count++].rr = rr;
	}
	return own_count > 0 && other_count > 0 &&
	       mdns_compare_sets(own, own_count, other, other_count) < 0;
}

/* Somebody looks at names, perhaps at the same ones. Who loses waits, and then finds
 * the name taken, or free. */
static void
mdns_compete(struct mdns_responder *self, const ldns_pkt *query, int64_t now_ms)
{
	const ldns_rr_list *proposed = ldns_pkt_authority(query);
	uint32_t left = mdns_records_claimed(&self->records);

	for (unsigned i = 0; i < self->records.count; i++) {
		const ldns_rdf *name = ldns_rr_owner(self->records.list[i].rr);

		if ((left & UINT32_C(1) << i) == 0)
			continue;
		if (mdns_loses_name(self, name, proposed)) {
			mdns_probe_from(self, now_ms + MDNS_DEFER_MS);
			return;
		}
		left &=
		    ~mdns_records_named(&self->records, left, name, LDNS_RR_TYPE_ANY);
	}
}

/* RFC 6762, 11: responses come from the port of the group, and from near it. */
static void
mdns_take_response(struct mdns_responder *self, const ldns_pkt *response,
    const struct mdns_peer *peer, int64_t now_ms)
{
	if (ntohs(peer->from.sin_port) != self->port ||
	    (!peer->to_group && !peer->is_near))
		return;
	if (!mdns_listen_to(self, ldns_pkt_answer(response), now_ms))
		mdns_listen_to(self, ldns_pkt_additional(response), now_ms);
}

void
mdns_responder_receive(struct mdns_responder *self, const uint8_t *bytes, size_t len,
    const struct mdns_peer *peer, int64_t now_ms)
{
	ldns_pkt *packet = mdns_packet_parse(bytes, len);

	if (packet == NULL)
		return;
	if (ldns_pkt_qr(packet))
		mdns_take_response(self, packet, peer, now_ms);
	else if (self->phase == MDNS_PROBING)
		mdns_compete(self, packet, now_ms);
	else
		mdns_answer(self, packet, peer, now_ms);
	ldns_pkt_free(packet);
	mdns_responder_tick(self, now_ms);
}

/* Chosen: not with the wish for direct answers, which would go to any one of the
 * programs that share the port on this host. */
static void
mdns_probe(struct mdns_responder *self)
{
	uint32_t left = mdns_records_claimed(&self->records);
	ldns_pkt *packet = mdns_packet_new(false);

	mdns_records_add(
	    &self->records, left, packet, LDNS_SECTION_AUTHORITY, MDNS_PROPOSED);
	for (unsigned i = 0; i < self->records.count; i++) {
		const ldns_rdf *name = ldns_rr_owner(self->records.list[i].rr);

		if ((left & UINT32_C(1) << i) == 0)
			continue;
		mdns_packet_ask(packet, name, LDNS_RR_TYPE_ANY);
		left &=
		    ~mdns_records_named(&self->records, left, name, LDNS_RR_TYPE_ANY);
	}
	mdns_send(self, packet, NULL);
}

static void
mdns_tell_name(struct mdns_responder *self)
{
	if (strcmp(self->label, self->told) == 0)
		return;
	snprintf(self->told, sizeof self->told, "%s", self->label);
	self->ops->renamed(self->arg, self->told);
}

static void
mdns_step(struct mdns_responder *self, int64_t now_ms)
{
	if (self->phase == MDNS_PROBING && self->step < MDNS_PROBES) {
		mdns_probe(self);
		self->step++;
		self->next_ms = now_ms + MDNS_PROBE_MS;
		return;
	}
	if (self->phase == MDNS_PROBING) {
		self->phase = MDNS_ANNOUNCING;
		self->step = 0;
		mdns_tell_name(self);
	}
	mdns_tell_group(self, mdns_records_positive(&self->records), now_ms);
	self->next_ms = now_ms + MDNS_ANNOUNCEMENT_MS;
	if (++self->step == MDNS_ANNOUNCEMENTS) {
		self->phase = MDNS_STANDING;
		self->next_ms = INT64_MAX;
	}
}

void
mdns_responder_tick(struct mdns_responder *self, int64_t now_ms)
{
	if (self->next_ms <= now_ms)
		mdns_step(self, now_ms);
	mdns_answers_tick(self, now_ms);
}

int64_t
mdns_responder_next_ms(const struct mdns_responder *self)
{
	int64_t next_ms = mdns_answers_next_ms(self);

	return next_ms < self->next_ms ? next_ms : self->next_ms;
}
