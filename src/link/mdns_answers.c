#include <string.h>

#include "link/mdns_responder_state.h"

/* RFC 6762, 6: how long shared answers wait for others of their kind, and for the rest
 * of a long message; how often a record may be told to the group. */
#define MDNS_WAIT_LEAST_MS 20
#define MDNS_WAIT_RANGE_MS 101
#define MDNS_WAIT_MORE_MS 400
#define MDNS_GAP_MS 1000
#define MDNS_GAP_DEFENCE_MS 250

static size_t
mdns_count(const ldns_rr_list *list)
{
	return ldns_rr_list_rr_count(list);
}

/* Those that were told to the group within the time. */
static uint32_t
mdns_told_within(
    const struct mdns_responder *self, uint32_t set, int64_t ms, int64_t now_ms)
{
	uint32_t told = 0;

	for (unsigned i = 0; i < self->records.count; i++) {
		const struct mdns_record *record = &self->records.list[i];

		if (record->sent_ms != 0 && now_ms - record->sent_ms < ms)
			told |= UINT32_C(1) << i;
	}
	return told & set;
}

/* RFC 6762, 5.4: answers that the group has not heard for a quarter of their time. */
static uint32_t
mdns_stale(const struct mdns_responder *self, uint32_t set, int64_t now_ms)
{
	uint32_t fresh = 0;

	for (unsigned i = 0; i < self->records.count; i++) {
		int64_t quarter_ms =
		    (int64_t)ldns_rr_ttl(self->records.list[i].rr) * 1000 / 4;

		fresh |= mdns_told_within(self, UINT32_C(1) << i, quarter_ms, now_ms);
	}
	return set & ~fresh;
}

static void
mdns_forget_pending(struct mdns_responder *self, uint32_t set)
{
	for (unsigned i = 0; i < self->pending_count; i++)
		self->pending[i].set &= ~set;
}

static void
mdns_pend(struct mdns_responder *self, const struct mdns_pending *pending)
{
	if (self->pending_count < MDNS_PENDING_MAX)
		self->pending[self->pending_count++] = *pending;
	else
		self->pending[MDNS_PENDING_MAX - 1].set |= pending->set;
}

void
mdns_tell_group(struct mdns_responder *self, uint32_t set, int64_t now_ms)
{
	uint32_t behind = mdns_records_behind(&self->records, set);
	ldns_pkt *packet = mdns_packet_new(true);

	mdns_records_add(
	    &self->records, set, packet, LDNS_SECTION_ANSWER, MDNS_TO_GROUP);
	mdns_records_add(
	    &self->records, behind, packet, LDNS_SECTION_ADDITIONAL, MDNS_TO_GROUP);
	for (unsigned i = 0; i < self->records.count; i++) {
		if (((set | behind) & UINT32_C(1) << i) != 0)
			self->records.list[i].sent_ms = now_ms;
	}
	/* Who waits for the same has it by this. */
	mdns_forget_pending(self, set);
	mdns_send(self, packet, NULL);
}

/* Whether one more may leave for a single host: a flood of questions with the address
 * of somebody else would be turned on him. */
static bool
mdns_may_answer_directly(struct mdns_responder *self, int64_t now_ms)
{
	if (now_ms - self->direct_since_ms >= 1000) {
		self->direct_since_ms = now_ms;
		self->direct = 0;
	}
	return self->direct++ < MDNS_DIRECT_A_SECOND;
}

static void
mdns_answer_directly(struct mdns_responder *self, const ldns_pkt *query, uint32_t set,
    const struct sockaddr_in *to, int64_t now_ms)
{
	uint32_t behind = mdns_records_behind(&self->records, set);
	bool is_plain = ntohs(to->sin_port) != self->port;
	enum mdns_manner manner = is_plain ? MDNS_TO_PLAIN_CLIENT : MDNS_TO_GROUP;
	const ldns_rr_list *questions = ldns_pkt_question(query);
	ldns_pkt *packet;

	if (!mdns_may_answer_directly(self, now_ms))
		return;
	packet = mdns_packet_new(true);
	if (is_plain) {
		/* RFC 6762, 6.7: as any other name server answers. */
		set &= mdns_records_positive(&self->records);
		behind &= mdns_records_positive(&self->records);
		ldns_pkt_set_id(packet, ldns_pkt_id(query));
		for (size_t i = 0; i < mdns_count(questions); i++) {
			const ldns_rr *question = ldns_rr_list_rr(questions, i);

			mdns_packet_ask(packet, ldns_rr_owner(question),
			    ldns_rr_get_type(question));
		}
	}
	mdns_records_add(&self->records, set, packet, LDNS_SECTION_ANSWER, manner);
	mdns_records_add(
	    &self->records, behind, packet, LDNS_SECTION_ADDITIONAL, manner);
	mdns_send(self, packet, to);
}

/* What the one who asks has already, for half of its time at least. RFC 6762, 7.1 */
static uint32_t
mdns_known(const struct mdns_responder *self, const ldns_pkt *query)
{
	const ldns_rr_list *answers = ldns_pkt_answer(query);
	uint32_t known = 0;

	for (size_t i = 0; i < mdns_count(answers); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answers, i);
		uint32_t same = mdns_records_same(&self->records, rr);

		for (unsigned j = 0; j < self->records.count; j++) {
			const ldns_rr *own = self->records.list[j].rr;

			if ((same & UINT32_C(1) << j) != 0 &&
			    ldns_rr_ttl(rr) >= ldns_rr_ttl(own) / 2)
				known |= UINT32_C(1) << j;
		}
	}
	return known;
}

/* More of what the last message of the same host said that it has. RFC 6762, 7.2 */
static void
mdns_known_more(struct mdns_responder *self, const ldns_pkt *query,
    const struct mdns_peer *peer, int64_t now_ms)
{
	uint32_t known = mdns_known(self, query);

	for (unsigned i = 0; i < self->pending_count; i++) {
		struct mdns_pending *pending = &self->pending[i];

		if (pending->from.s_addr != peer->from.sin_addr.s_addr)
			continue;
		pending->set &= ~known;
		if (ldns_pkt_tc(query))
			pending->due_ms = now_ms + MDNS_WAIT_MORE_MS +
					  mdns_random(self, MDNS_WAIT_RANGE_MS);
	}
}

static void
mdns_answer_group(struct mdns_responder *self, const ldns_pkt *query, uint32_t set,
    const struct mdns_peer *peer, int64_t now_ms)
{
	uint32_t unique = mdns_records_claimed(&self->records) |
			  mdns_records_negative(&self->records);
	bool is_probe = mdns_count(ldns_pkt_authority(query)) > 0;
	struct mdns_pending pending = { .from = peer->from.sin_addr,
		.set = set,
		.due_ms = now_ms,
		.gap_ms = is_probe ? MDNS_GAP_DEFENCE_MS : MDNS_GAP_MS };

	if (ldns_pkt_tc(query))
		pending.due_ms +=
		    MDNS_WAIT_MORE_MS + mdns_random(self, MDNS_WAIT_RANGE_MS);
	else if (!is_probe &&
		 ((set & ~unique) != 0 || mdns_count(ldns_pkt_question(query)) > 1))
		pending.due_ms +=
		    MDNS_WAIT_LEAST_MS + mdns_random(self, MDNS_WAIT_RANGE_MS);
	mdns_pend(self, &pending);
}

void
mdns_answer(struct mdns_responder *self, const ldns_pkt *query,
    const struct mdns_peer *peer, int64_t now_ms)
{
	const ldns_rr_list *questions = ldns_pkt_question(query);
	bool is_plain = ntohs(peer->from.sin_port) != self->port;
	uint32_t group = 0, direct = 0, known;

	if (self->phase == MDNS_PROBING ||
	    ((is_plain || !peer->to_group) && !peer->is_near))
		return;
	if (mdns_count(questions) == 0 && !is_plain) {
		mdns_known_more(self, query, peer, now_ms);
		return;
	}
	for (size_t i = 0; i < mdns_count(questions); i++) {
		const ldns_rr *question = ldns_rr_list_rr(questions, i);
		uint32_t set = mdns_records_for(&self->records, question);

		if (is_plain || !peer->to_group ||
		    (mdns_has_flag(question) && peer->is_near))
			direct |= set;
		else
			group |= set;
	}
	if (!is_plain) {
		known = mdns_known(self, query);
		direct &= ~known;
		group &= ~known;
	}
	if (!is_plain && peer->to_group) {
		group |= mdns_stale(self, direct, now_ms);
		direct &= ~group;
	}
	if (direct != 0)
		mdns_answer_directly(self, query, direct, &peer->from, now_ms);
	if (group != 0)
		mdns_answer_group(self, query, group, peer, now_ms);
}

/* RFC 6762, 7.4: what others have just answered, one need not; 6.6: what they say ends
 * soon, and does not, is said again. */
void
mdns_heard(struct mdns_responder *self, const ldns_rr *rr, int64_t now_ms)
{
	uint32_t same = mdns_records_same(&self->records, rr);
	struct mdns_pending pending = { .due_ms = now_ms + MDNS_WAIT_LEAST_MS,
		.gap_ms = MDNS_GAP_MS };

	for (unsigned i = 0; i < self->records.count; i++) {
		uint32_t ttl_s = ldns_rr_ttl(self->records.list[i].rr);
		uint32_t bit = UINT32_C(1) << i;

		if ((same & bit) == 0)
			continue;
		if (ldns_rr_ttl(rr) >= ttl_s)
			mdns_forget_pending(self, bit);
		else if (ldns_rr_ttl(rr) < ttl_s / 2)
			pending.set |= bit;
	}
	pending.due_ms += mdns_random(self, MDNS_WAIT_RANGE_MS);
	if (pending.set != 0)
		mdns_pend(self, &pending);
}

/* The time from which on all of a set may be told again. */
static int64_t
mdns_allowed_ms(const struct mdns_responder *self, uint32_t set, int64_t gap_ms)
{
	int64_t latest_ms = 0;

	for (unsigned i = 0; i < self->records.count; i++) {
		if ((set & UINT32_C(1) << i) != 0 &&
		    self->records.list[i].sent_ms > latest_ms)
			latest_ms = self->records.list[i].sent_ms;
	}
	return latest_ms + gap_ms;
}

/* Takes what is due out of the row. What was told too short a time ago stays. */
static uint32_t
mdns_take_due(struct mdns_responder *self, int64_t now_ms)
{
	unsigned kept = 0;
	uint32_t due = 0;

	for (unsigned i = 0; i < self->pending_count; i++) {
		struct mdns_pending pending = self->pending[i];

		if (pending.due_ms <= now_ms) {
			uint32_t early =
			    mdns_told_within(self, pending.set, pending.gap_ms, now_ms);

			due |= pending.set & ~early;
			pending.set = early;
			pending.due_ms = mdns_allowed_ms(self, early, pending.gap_ms);
		}
		if (pending.set != 0)
			self->pending[kept++] = pending;
	}
	self->pending_count = kept;
	return due;
}

void
mdns_answers_tick(struct mdns_responder *self, int64_t now_ms)
{
	uint32_t due = mdns_take_due(self, now_ms);

	if (due != 0)
		mdns_tell_group(self, due, now_ms);
}

int64_t
mdns_answers_next_ms(const struct mdns_responder *self)
{
	int64_t next_ms = INT64_MAX;

	for (unsigned i = 0; i < self->pending_count; i++) {
		if (self->pending[i].due_ms < next_ms)
			next_ms = self->pending[i].due_ms;
	}
	return next_ms;
}
