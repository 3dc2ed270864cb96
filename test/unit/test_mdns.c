#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "link/mdns_responder.h"

#define OWN "192.168.1.7"
#define PEER "192.168.1.9"
#define HOST "zentri.local."
#define HTTP "_http._tcp.local."
#define NAME "zentri._http._tcp.local."
#define KINDS "_services._dns-sd._udp.local."
#define SENT_MAX 32

struct lab {
	struct mdns_responder *responder;
	ldns_pkt *query; /* what is being made */
	struct {
		ldns_pkt *packet;
		struct sockaddr_in to;
		bool to_group;
		int64_t at_ms;
	} sent[SENT_MAX];
	unsigned count; /* of sent */
	struct mdns_peer peer;
	int64_t now_ms;
	uint32_t random;
	char name[MDNS_LABEL_MAX + 1]; /* that renamed() told */
};

static void
lab_send(void *arg, const uint8_t *bytes, size_t len, const struct sockaddr_in *to)
{
	struct lab *lab = arg;

	assert_in_range(lab->count, 0, SENT_MAX - 1);
	lab->sent[lab->count].packet = mdns_packet_parse(bytes, len);
	assert_non_null(lab->sent[lab->count].packet);
	lab->sent[lab->count].to_group = to == NULL;
	if (to != NULL)
		lab->sent[lab->count].to = *to;
	lab->sent[lab->count++].at_ms = lab->now_ms;
}

static void
lab_renamed(void *arg, const char *label)
{
	snprintf(
	    ((struct lab *)arg)->name, sizeof((struct lab *)arg)->name, "%s", label);
}

static uint32_t
lab_random(void *arg)
{
	return ((struct lab *)arg)->random;
}

static const struct mdns_responder_ops lab_ops = {
	.send = lab_send, .renamed = lab_renamed, .random = lab_random
};

static struct mdns_offer
lab_offer(const char *type, uint16_t port)
{
	struct mdns_offer offer = { .port = port };

	snprintf(offer.type, sizeof offer.type, "%s", type);
	snprintf(offer.texts[0], sizeof offer.texts[0], "path=/");
	return offer;
}

static void
lab_forget_sent(struct lab *lab)
{
	while (lab->count > 0)
		ldns_pkt_free(lab->sent[--lab->count].packet);
}

/* The time goes on, and what is due happens when it is. */
static void
lab_pass(struct lab *lab, int64_t ms)
{
	int64_t end_ms = lab->now_ms + ms;

	while (mdns_responder_next_ms(lab->responder) <= end_ms) {
		if (mdns_responder_next_ms(lab->responder) > lab->now_ms)
			lab->now_ms = mdns_responder_next_ms(lab->responder);
		mdns_responder_tick(lab->responder, lab->now_ms);
	}
	lab->now_ms = end_ms;
}

static void
lab_start(struct lab *lab, const char *label)
{
	const struct mdns_responder_options options = {
		.label = label, .address.s_addr = inet_addr(OWN), .port = MDNS_PORT
	};
	const struct mdns_offer offer = lab_offer("_http._tcp", 8080);

	memset(lab, 0, sizeof *lab);
	lab->now_ms = 5000000;
	lab->random = 100;
	lab->peer.from.sin_family = AF_INET;
	lab->peer.from.sin_addr.s_addr = inet_addr(PEER);
	lab->peer.from.sin_port = htons(MDNS_PORT);
	lab->peer.is_near = lab->peer.to_group = true;
	lab->query = mdns_packet_new(false);
	lab->responder = mdns_responder_new(&options, &lab_ops, lab, lab->now_ms);
	mdns_responder_offer(lab->responder, &offer, 1, lab->now_ms);
}

/* One whose name is its own, long after it has said so. */
static void
lab_open(struct lab *lab)
{
	lab_start(lab, "zentri");
	lab_pass(lab, 60000);
	lab_forget_sent(lab);
}

static void
lab_close(struct lab *lab)
{
	lab_forget_sent(lab);
	ldns_pkt_free(lab->query);
	mdns_responder_free(lab->responder);
}

/* Adds to the message that is being made. */
static void
lab_ask(struct lab *lab, const char *name, ldns_rr_type type)
{
	ldns_rdf *owner = mdns_name(name);

	mdns_packet_ask(lab->query, owner, type);
	ldns_rdf_deep_free(owner);
}

static void
lab_ask_class(struct lab *lab, const char *name, ldns_rr_type type, unsigned class)
{
	const ldns_rr_list *questions = ldns_pkt_question(lab->query);

	lab_ask(lab, name, type);
	ldns_rr_set_class(
	    ldns_rr_list_rr(questions, ldns_rr_list_rr_count(questions) - 1),
	    (ldns_rr_class) class);
}

static void
lab_add(struct lab *lab, ldns_pkt_section section, const char *text)
{
	ldns_rr *rr;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	mdns_packet_add(lab->query, section, rr, ldns_rr_ttl(rr), false);
	ldns_rr_free(rr);
}

/* Gives it to the responder, and forgets it. */
static void
lab_give(struct lab *lab)
{
	uint8_t bytes[MDNS_PACKET_MAX];
	size_t len = mdns_packet_format(lab->query, bytes);

	assert_int_not_equal(len, 0);
	ldns_pkt_free(lab->query);
	lab->query = mdns_packet_new(false);
	mdns_responder_receive(lab->responder, bytes, len, &lab->peer, lab->now_ms);
}

/* Gives it as a response. */
static void
lab_tell(struct lab *lab, const char *text)
{
	lab_add(lab, LDNS_SECTION_ANSWER, text);
	ldns_pkt_set_qr(lab->query, true);
	lab_give(lab);
}

/* The record of that name and type in a section of what was sent; NULL: none. */
static const ldns_rr *
lab_find(const struct lab *lab, unsigned position, ldns_pkt_section section,
    const char *name, ldns_rr_type type)
{
	ldns_rdf *owner = mdns_name(name);
	const ldns_rr *found = NULL;
	const ldns_rr_list *list;

	assert_in_range(position, 0, lab->count - 1);
	list = section == LDNS_SECTION_ANSWER
		   ? ldns_pkt_answer(lab->sent[position].packet)
	       : section == LDNS_SECTION_ADDITIONAL
		   ? ldns_pkt_additional(lab->sent[position].packet)
	       : section == LDNS_SECTION_AUTHORITY
		   ? ldns_pkt_authority(lab->sent[position].packet)
		   : ldns_pkt_question(lab->sent[position].packet);
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);

		if (ldns_rr_get_type(rr) == type &&
		    mdns_is_name(ldns_rr_owner(rr), owner))
			found = rr;
	}
	ldns_rdf_deep_free(owner);
	return found;
}

static const ldns_rr *
lab_answer(
    const struct lab *lab, unsigned position, const char *name, ldns_rr_type type)
{
	const ldns_rr *rr = lab_find(lab, position, LDNS_SECTION_ANSWER, name, type);

	assert_non_null(rr);
	return rr;
}

static void
assert_data(const ldns_rr *rr, const char *expected)
{
	ldns_buffer *buffer = ldns_buffer_new(LDNS_MIN_BUFLEN);
	char *text;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		if (i > 0)
			ldns_buffer_printf(buffer, " ");
		ldns_rdf2buffer_str(buffer, ldns_rr_rdf(rr, i));
	}
	text = ldns_buffer_export2str(buffer);
	assert_string_equal(text, expected);
	LDNS_FREE(text);
	ldns_buffer_free(buffer);
}

static void
assert_record(const ldns_rr *rr, uint32_t ttl_s, bool has_flag, const char *data)
{
	assert_int_equal(ldns_rr_ttl(rr), ttl_s);
	assert_int_equal(mdns_has_flag(rr), has_flag);
	assert_int_equal(mdns_class(rr), LDNS_RR_CLASS_IN);
	assert_data(rr, data);
}

static void
test_probes(void **state)
{
	struct lab lab;

	(void)state;
	lab_start(&lab, "zentri");
	lab_pass(&lab, 99);
	assert_int_equal(lab.count, 0);
	lab_pass(&lab, 750);
	assert_int_equal(lab.count, 3);
	for (unsigned i = 0; i < 3; i++) {
		const ldns_pkt *probe = lab.sent[i].packet;

		assert_true(lab.sent[i].to_group);
		assert_int_equal(lab.sent[i].at_ms, 5000100 + 250 * i);
		assert_false(ldns_pkt_qr(probe));
		assert_int_equal(ldns_pkt_qdcount(probe), 2);
		assert_int_equal(ldns_pkt_nscount(probe), 3);
		assert_non_null(
		    lab_find(&lab, i, LDNS_SECTION_QUESTION, HOST, LDNS_RR_TYPE_ANY));
		assert_non_null(
		    lab_find(&lab, i, LDNS_SECTION_QUESTION, NAME, LDNS_RR_TYPE_ANY));
		assert_record(
		    lab_find(&lab, i, LDNS_SECTION_AUTHORITY, HOST, LDNS_RR_TYPE_A),
		    120, false, OWN);
	}
	lab_close(&lab);
}

static void
test_announcements(void **state)
{
	struct lab lab;

	(void)state;
	lab_start(&lab, "zentri");
	lab_pass(&lab, 60000);
	assert_int_equal(lab.count, 5);
	for (unsigned i = 3; i < 5; i++) {
		const ldns_pkt *packet = lab.sent[i].packet;

		assert_true(lab.sent[i].to_group);
		assert_int_equal(lab.sent[i].at_ms, 5000850 + 1000 * (i - 3));
		assert_true(ldns_pkt_qr(packet));
		assert_int_equal(ldns_pkt_qdcount(packet), 0);
		assert_int_equal(ldns_pkt_id(packet), 0);
		assert_record(
		    lab_answer(&lab, i, HOST, LDNS_RR_TYPE_A), 120, true, OWN);
		assert_record(lab_answer(&lab, i, NAME, LDNS_RR_TYPE_SRV), 120, true,
		    "0 0 8080 " HOST);
		assert_record(lab_answer(&lab, i, NAME, LDNS_RR_TYPE_TXT), 4500, true,
		    "\"path=/\"");
		assert_record(
		    lab_answer(&lab, i, HTTP, LDNS_RR_TYPE_PTR), 4500, false, NAME);
		assert_record(
		    lab_answer(&lab, i, KINDS, LDNS_RR_TYPE_PTR), 4500, false, HTTP);
	}
	assert_string_equal(lab.name, "");
	assert_int_equal(mdns_responder_next_ms(lab.responder), INT64_MAX);
	lab_close(&lab);
}

static void
test_no_answer_before_the_name_is_its_own(void **state)
{
	struct lab lab;

	(void)state;
	lab_start(&lab, "zentri");
	lab_pass(&lab, 700);
	lab_forget_sent(&lab);
	lab_ask(&lab, HOST, LDNS_RR_TYPE_A);
	lab_give(&lab);
	lab_pass(&lab, 100);
	assert_int_equal(lab.count, 0);
	lab_close(&lab);
}

static void
test_address(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	lab_ask(&lab, "ZENTRI.Local", LDNS_RR_TYPE_A);
	lab_give(&lab);
	/* One that nobody else can give leaves at once. */
	assert_int_equal(lab.count, 1);
	assert_true(lab.sent[0].to_group);
	assert_int_equal(ldns_pkt_qdcount(lab.sent[0].packet), 0);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 1);
	assert_record(lab_answer(&lab, 0, HOST, LDNS_RR_TYPE_A), 120, true, OWN);
	assert_record(
	    lab_find(&lab, 0, LDNS_SECTION_ADDITIONAL, HOST, LDNS_RR_TYPE_NSEC), 120,
	    true, HOST " A ");
	lab_close(&lab);
}

static void
test_pointers(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	lab_ask(&lab, HTTP, LDNS_RR_TYPE_PTR);
	lab_give(&lab);
	lab_pass(&lab, 119);
	assert_int_equal(lab.count, 0);
	lab_pass(&lab, 1);
	assert_int_equal(lab.count, 1);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 1);
	assert_data(lab_answer(&lab, 0, HTTP, LDNS_RR_TYPE_PTR), NAME);
	/* And what will be asked next. */
	assert_int_equal(ldns_pkt_arcount(lab.sent[0].packet), 5);
	assert_non_null(
	    lab_find(&lab, 0, LDNS_SECTION_ADDITIONAL, NAME, LDNS_RR_TYPE_SRV));
	assert_non_null(
	    lab_find(&lab, 0, LDNS_SECTION_ADDITIONAL, NAME, LDNS_RR_TYPE_TXT));
	assert_non_null(
	    lab_find(&lab, 0, LDNS_SECTION_ADDITIONAL, HOST, LDNS_RR_TYPE_A));
	assert_record(
	    lab_find(&lab, 0, LDNS_SECTION_ADDITIONAL, NAME, LDNS_RR_TYPE_NSEC), 120,
	    true, NAME " TXT SRV ");
	lab_forget_sent(&lab);
	lab_pass(&lab, 5000);
	lab_ask(&lab, KINDS, LDNS_RR_TYPE_PTR);
	lab_give(&lab);
	lab_pass(&lab, 120);
	assert_data(lab_answer(&lab, 0, KINDS, LDNS_RR_TYPE_PTR), HTTP);
	lab_close(&lab);
}

static void
test_what_there_is_not(void **state)
{
	static const struct {
		const char *name;
		ldns_rr_type type;
		unsigned class;
	} silent[] = { { "other.local", LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN },
		{ "_ipp._tcp.local", LDNS_RR_TYPE_PTR, LDNS_RR_CLASS_IN },
		{ HTTP, LDNS_RR_TYPE_SRV, LDNS_RR_CLASS_IN },
		{ HOST, LDNS_RR_TYPE_A, LDNS_RR_CLASS_CH } };
	struct lab lab;

	(void)state;
	lab_open(&lab);
	lab_ask(&lab, HOST, LDNS_RR_TYPE_AAAA);
	lab_give(&lab);
	assert_int_equal(lab.count, 1);
	assert_record(
	    lab_answer(&lab, 0, HOST, LDNS_RR_TYPE_NSEC), 120, true, HOST " A ");
	lab_forget_sent(&lab);
	lab_pass(&lab, 5000);
	for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
		lab_ask_class(&lab, silent[i].name, silent[i].type, silent[i].class);
		lab_give(&lab);
	}
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 0);
	lab_ask_class(&lab, HOST, LDNS_RR_TYPE_ANY, LDNS_RR_CLASS_ANY);
	lab_give(&lab);
	assert_data(lab_answer(&lab, 0, HOST, LDNS_RR_TYPE_A), OWN);
	lab_close(&lab);
}

static void
test_known_answers(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	lab_ask(&lab, HTTP, LDNS_RR_TYPE_PTR);
	lab_add(&lab, LDNS_SECTION_ANSWER, HTTP " 2250 IN PTR " NAME);
	lab_give(&lab);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 0);
	/* What it has for less than half of the time is said; so is another one. */
	lab_ask(&lab, HTTP, LDNS_RR_TYPE_PTR);
	lab_add(&lab, LDNS_SECTION_ANSWER, HTTP " 2249 IN PTR " NAME);
	lab_add(&lab, LDNS_SECTION_ANSWER, HTTP " 4500 IN PTR other." HTTP);
	lab_give(&lab);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 1);
	lab_close(&lab);
}

static void
test_known_answers_in_many_messages(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	lab_ask(&lab, HTTP, LDNS_RR_TYPE_PTR);
	lab_ask(&lab, HOST, LDNS_RR_TYPE_A);
	ldns_pkt_set_tc(lab.query, true);
	lab_give(&lab);
	lab_pass(&lab, 399);
	assert_int_equal(lab.count, 0);
	/* What another one has does not matter. */
	lab.peer.from.sin_addr.s_addr = inet_addr("192.168.1.10");
	lab_add(&lab, LDNS_SECTION_ANSWER, HOST " 120 IN A " OWN);
	lab_give(&lab);
	lab.peer.from.sin_addr.s_addr = inet_addr(PEER);
	lab_add(&lab, LDNS_SECTION_ANSWER, HTTP " 4500 IN PTR " NAME);
	lab_give(&lab);
	lab_pass(&lab, 101);
	assert_int_equal(lab.count, 1);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 1);
	lab_answer(&lab, 0, HOST, LDNS_RR_TYPE_A);
	lab_close(&lab);
}

static void
test_direct_answers(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	/* The group has not heard it for a quarter of its time. */
	lab_ask_class(&lab, HOST, LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN | MDNS_CLASS_FLAG);
	lab_give(&lab);
	assert_int_equal(lab.count, 1);
	assert_true(lab.sent[0].to_group);
	lab_ask_class(&lab, HOST, LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN | MDNS_CLASS_FLAG);
	lab_give(&lab);
	assert_int_equal(lab.count, 2);
	assert_false(lab.sent[1].to_group);
	assert_int_equal(lab.sent[1].to.sin_addr.s_addr, inet_addr(PEER));
	assert_int_equal(ntohs(lab.sent[1].to.sin_port), MDNS_PORT);
	assert_record(lab_answer(&lab, 1, HOST, LDNS_RR_TYPE_A), 120, true, OWN);
	/* From afar, it is a question like any other, and has to wait for its time. */
	lab.peer.is_near = false;
	lab_ask_class(&lab, HOST, LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN | MDNS_CLASS_FLAG);
	lab_give(&lab);
	assert_int_equal(lab.count, 2);
	lab_pass(&lab, 1000);
	assert_int_equal(lab.count, 3);
	assert_true(lab.sent[2].to_group);
	lab_close(&lab);
}

static void
test_plain_clients(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	lab.peer.from.sin_port = htons(40000);
	for (int to_group = 0; to_group < 2; to_group++) {
		lab.peer.to_group = to_group;
		ldns_pkt_set_id(lab.query, 0x1234);
		lab_ask(&lab, HTTP, LDNS_RR_TYPE_PTR);
		lab_give(&lab);
		assert_int_equal(lab.count, 1);
		assert_false(lab.sent[0].to_group);
		assert_int_equal(ntohs(lab.sent[0].to.sin_port), 40000);
		assert_int_equal(ldns_pkt_id(lab.sent[0].packet), 0x1234);
		assert_int_equal(ldns_pkt_qdcount(lab.sent[0].packet), 1);
		assert_record(
		    lab_answer(&lab, 0, HTTP, LDNS_RR_TYPE_PTR), 10, false, NAME);
		assert_record(
		    lab_find(&lab, 0, LDNS_SECTION_ADDITIONAL, HOST, LDNS_RR_TYPE_A),
		    10, false, OWN);
		assert_null(lab_find(
		    &lab, 0, LDNS_SECTION_ADDITIONAL, HOST, LDNS_RR_TYPE_NSEC));
		lab_forget_sent(&lab);
	}
	/* Of its own name it says that there is nothing; of others it says nothing. */
	lab_ask(&lab, HOST, LDNS_RR_TYPE_AAAA);
	lab_give(&lab);
	assert_int_equal(lab.count, 1);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 0);
	lab_ask(&lab, "other.local", LDNS_RR_TYPE_A);
	lab_give(&lab);
	lab.peer.is_near = false;
	lab_ask(&lab, HOST, LDNS_RR_TYPE_A);
	lab_give(&lab);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 1);
	lab_close(&lab);
}

static void
test_flood_of_plain_questions(void **state)
{
	struct lab lab;
	unsigned answered = 0;

	(void)state;
	lab_open(&lab);
	lab.peer.from.sin_port = htons(40000);
	for (unsigned i = 0; i < 1000; i++) {
		lab_ask(&lab, HOST, LDNS_RR_TYPE_A);
		lab_give(&lab);
		answered += lab.count;
		lab_forget_sent(&lab);
	}
	assert_int_equal(answered, 64);
	lab_pass(&lab, 1000);
	lab_ask(&lab, HOST, LDNS_RR_TYPE_A);
	lab_give(&lab);
	assert_int_equal(lab.count, 1);
	lab_close(&lab);
}

static void
test_the_group_is_told_once_a_second(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	for (unsigned i = 0; i < 40; i++) {
		lab_ask(&lab, HOST, LDNS_RR_TYPE_A);
		lab_give(&lab);
		lab_pass(&lab, 50);
	}
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 3);
	assert_int_equal(lab.sent[1].at_ms - lab.sent[0].at_ms, 1000);
	assert_int_equal(lab.sent[2].at_ms - lab.sent[1].at_ms, 1000);
	/* A name is defended sooner. */
	lab_forget_sent(&lab);
	for (unsigned i = 0; i < 3; i++) {
		lab_ask(&lab, HOST, LDNS_RR_TYPE_ANY);
		lab_add(&lab, LDNS_SECTION_AUTHORITY, HOST " 120 IN A " PEER);
		lab_give(&lab);
		lab_pass(&lab, 250);
	}
	assert_int_equal(lab.count, 3);
	lab_close(&lab);
}

static void
test_what_others_say_need_not_be_said(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	lab_ask(&lab, KINDS, LDNS_RR_TYPE_PTR);
	lab_give(&lab);
	lab_tell(&lab, KINDS " 4500 IN PTR " HTTP);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 0);
	/* One who leaves takes it from the others' memory. */
	lab_tell(&lab, KINDS " 0 IN PTR " HTTP);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 1);
	assert_record(lab_answer(&lab, 0, KINDS, LDNS_RR_TYPE_PTR), 4500, false, HTTP);
	lab_close(&lab);
}

static void
test_taken_name(void **state)
{
	static const char *const taken[] = { HOST " 120 IN A " PEER,
		HOST " 120 IN AAAA fe80::1", NAME " 120 IN SRV 0 0 80 other.local." };

	(void)state;
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
		struct lab lab;

		lab_start(&lab, "zentri");
		lab_pass(&lab, 300);
		lab_forget_sent(&lab);
		lab_tell(&lab, taken[i]);
		/* It looks at another name, from the beginning. */
		lab_pass(&lab, 749);
		assert_int_equal(lab.count, 3);
		assert_non_null(lab_find(&lab, 0, LDNS_SECTION_QUESTION,
		    "zentri-2.local.", LDNS_RR_TYPE_ANY));
		assert_non_null(lab_find(&lab, 0, LDNS_SECTION_QUESTION,
		    "zentri-2._http._tcp.local.", LDNS_RR_TYPE_ANY));
		assert_string_equal(lab.name, "");
		lab_pass(&lab, 1);
		assert_string_equal(lab.name, "zentri-2");
		lab_answer(&lab, 3, "zentri-2.local.", LDNS_RR_TYPE_A);
		lab_close(&lab);
	}
}

static void
test_no_conflict(void **state)
{
	struct lab lab;

	(void)state;
	lab_start(&lab, "zentri");
	lab_pass(&lab, 300);
	lab_tell(&lab, HOST " 120 IN A " OWN); /* itself, perhaps */
	lab_tell(&lab, HOST " 0 IN A " PEER); /* who leaves */
	lab_tell(&lab, "zentri2.local. 120 IN A " PEER);
	lab_tell(&lab, HTTP " 120 IN PTR other." HTTP);
	lab.peer.from.sin_port = htons(40000);
	lab_tell(&lab, HOST " 120 IN A " PEER); /* no responder */
	lab.peer.from.sin_port = htons(MDNS_PORT);
	lab.peer.is_near = lab.peer.to_group = false;
	lab_tell(&lab, HOST " 120 IN A " PEER); /* from afar */
	lab_pass(&lab, 60000);
	assert_int_equal(lab.count, 5);
	lab_answer(&lab, 3, HOST, LDNS_RR_TYPE_A);
	lab_close(&lab);
}

static void
test_longest_name(void **state)
{
	char label[MDNS_LABEL_MAX + 1], expected[MDNS_LABEL_MAX + 1];
	struct lab lab;

	(void)state;
	memset(label, 'n', MDNS_LABEL_MAX);
	label[MDNS_LABEL_MAX] = '\0';
	snprintf(expected, sizeof expected, "%.61s-2", label);
	lab_start(&lab, label);
	lab_pass(&lab, 300);
	lab_add(&lab, LDNS_SECTION_ANSWER,
	    "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.local. "
	    "120 "
	    "IN A " PEER);
	ldns_pkt_set_qr(lab.query, true);
	lab_give(&lab);
	lab_pass(&lab, 800);
	assert_string_equal(lab.name, expected);
	lab_close(&lab);
}

static void
test_conflict_of_a_name_that_stands(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	/* Another type of the same name is no matter. */
	lab_tell(&lab, HOST " 120 IN AAAA fe80::1");
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 0);
	/* It looks whether somebody is there; nobody is. */
	lab_tell(&lab, HOST " 120 IN A " PEER);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 5);
	lab_answer(&lab, 3, HOST, LDNS_RR_TYPE_A);
	lab_forget_sent(&lab);
	/* Somebody is. */
	lab_tell(&lab, HOST " 120 IN A " PEER);
	lab_pass(&lab, 100);
	assert_int_equal(lab.count, 1);
	lab_tell(&lab, HOST " 120 IN A " PEER);
	lab_pass(&lab, 5000);
	assert_string_equal(lab.name, "zentri-2");
	lab_close(&lab);
}

static void
test_endless_conflicts(void **state)
{
	struct lab lab;
	unsigned probes = 0;

	(void)state;
	lab_start(&lab, "zentri");
	for (unsigned i = 0; i < 10000; i++) {
		char text[128];

		if (lab.count > 0) {
			const ldns_rr_list *list =
			    ldns_pkt_question(lab.sent[0].packet);
			char *name =
			    ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(list, 0)));

			snprintf(text, sizeof text, "%s 120 IN A " PEER, name);
			LDNS_FREE(name);
			lab_forget_sent(&lab);
			probes++;
			lab_tell(&lab, text);
		}
		lab_pass(&lab, 10);
	}
	/* In 100 s: some at once, and then one in five seconds. */
	assert_in_range(probes, 20, 50);
	lab_close(&lab);
}

static void
test_two_look_at_the_same_name(void **state)
{
	/* By address, 7 comes before 9 and behind 5. */
	static const struct {
		const char *other, *more;
		bool loses;
	} cases[] = { { HOST " 120 IN A " PEER, NULL, true },
		{ HOST " 120 IN A 192.168.1.5", NULL, false },
		{ HOST " 120 IN A " OWN, NULL, false },
		{ HOST " 120 IN A " OWN, HOST " 120 IN AAAA fe80::1", true },
		{ HOST " 120 IN AAAA fe80::1", HOST " 120 IN A 192.168.1.5", false },
		{ "other.local. 120 IN A " PEER, NULL, false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lab lab;

		lab_start(&lab, "zentri");
		lab_pass(&lab, 300);
		lab_forget_sent(&lab);
		lab_ask(&lab, HOST, LDNS_RR_TYPE_ANY);
		lab_add(&lab, LDNS_SECTION_AUTHORITY, cases[i].other);
		if (cases[i].more != NULL)
			lab_add(&lab, LDNS_SECTION_AUTHORITY, cases[i].more);
		lab_give(&lab);
		lab_pass(&lab, 999);
		if (cases[i].loses)
			assert_int_equal(lab.count, 0);
		else
			assert_int_not_equal(lab.count, 0);
		lab_pass(&lab, 60000);
		/* Nobody else is there after all. */
		assert_string_equal(lab.name, "");
		lab_close(&lab);
	}
}

static void
test_goodbye(void **state)
{
	struct lab lab;

	(void)state;
	lab_start(&lab, "zentri");
	lab_pass(&lab, 500);
	lab_forget_sent(&lab);
	/* Nothing has been said. */
	mdns_responder_goodbye(lab.responder);
	assert_int_equal(lab.count, 0);
	lab_close(&lab);

	lab_open(&lab);
	mdns_responder_goodbye(lab.responder);
	assert_int_equal(lab.count, 1);
	assert_true(lab.sent[0].to_group);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 5);
	assert_record(lab_answer(&lab, 0, HOST, LDNS_RR_TYPE_A), 0, true, OWN);
	assert_record(lab_answer(&lab, 0, HTTP, LDNS_RR_TYPE_PTR), 0, false, NAME);
	lab_close(&lab);
}

static void
test_other_offers(void **state)
{
	struct mdns_offer offers[] = { lab_offer("_http._tcp", 8080),
		lab_offer("_telnet._tcp", 2000) };
	struct lab lab;

	(void)state;
	lab_open(&lab);
	mdns_responder_offer(lab.responder, offers, 1, lab.now_ms);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 0);
	/* Another port: the old one is taken back, the rest stays. */
	offers[0].port = 8081;
	mdns_responder_offer(lab.responder, offers, 2, lab.now_ms);
	assert_int_equal(lab.count, 1);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 1);
	assert_record(
	    lab_answer(&lab, 0, NAME, LDNS_RR_TYPE_SRV), 0, true, "0 0 8080 " HOST);
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 6);
	assert_data(lab_answer(&lab, 4, NAME, LDNS_RR_TYPE_SRV), "0 0 8081 " HOST);
	assert_data(lab_answer(&lab, 4, "zentri._telnet._tcp.local.", LDNS_RR_TYPE_SRV),
	    "0 0 2000 " HOST);
	lab_forget_sent(&lab);
	/* None: the name alone is left. What was said of it is not forgotten. */
	mdns_responder_offer(lab.responder, offers, 0, lab.now_ms);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 8);
	mdns_responder_goodbye(lab.responder);
	assert_int_equal(lab.count, 2);
	assert_record(lab_answer(&lab, 1, HOST, LDNS_RR_TYPE_A), 0, true, OWN);
	lab_close(&lab);
}

static void
test_more_questions_than_can_wait(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab);
	for (unsigned i = 0; i < 100; i++) {
		lab.peer.from.sin_addr.s_addr = htonl(0xC0A80100 + i);
		lab_ask(&lab, i % 2 == 0 ? HTTP : KINDS, LDNS_RR_TYPE_PTR);
		ldns_pkt_set_tc(lab.query, true);
		lab_give(&lab);
	}
	lab_pass(&lab, 5000);
	assert_int_equal(lab.count, 1);
	assert_int_equal(ldns_pkt_ancount(lab.sent[0].packet), 2);
	lab_close(&lab);
}

static void
test_nonsense(void **state)
{
	static const struct {
		uint8_t bytes[40];
		size_t len;
	} bad[] = {
		{ { 0 }, 0 },
		{ { 0 }, 11 },
		/* More records than there are, and than are looked at. */
		{ { 0, 0, 0, 0, 0, 1 }, 12 },
		{ { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 40 },
		/* Another operation, an error. */
		{ { 0, 0, 0x28, 0 }, 12 },
		{ { 0, 0, 0x80, 3 }, 12 },
		/* A name that points at itself, or out of the message. */
		{ { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC0, 12, 0, 1, 0, 1 }, 18 },
		{ { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xC1, 0, 0, 1, 0, 1 }, 18 },
		{ { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 'a', 0, 0, 1, 0, 1 }, 19 },
	};
	uint8_t long_one[MDNS_PACKET_MAX + 1] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_null(mdns_packet_parse(bad[i].bytes, bad[i].len));
	assert_null(mdns_packet_parse(long_one, sizeof long_one));
	/* So many questions are there, each of 5 bytes. */
	for (unsigned count = MDNS_RECORDS_MAX; count <= MDNS_RECORDS_MAX + 1;
	     count++) {
		ldns_pkt *packet;

		long_one[4] = (uint8_t)(count >> 8);
		long_one[5] = (uint8_t)count;
		packet = mdns_packet_parse(long_one, 12 + count * 5);
		assert_int_equal(packet != NULL, count == MDNS_RECORDS_MAX);
		ldns_pkt_free(packet);
	}
	memset(long_one, 0, sizeof long_one);
	for (size_t len = 12; len <= MDNS_PACKET_MAX; len += 749) {
		ldns_pkt *packet = mdns_packet_parse(long_one, len);

		assert_non_null(packet);
		ldns_pkt_free(packet);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_announcements),
		cmocka_unit_test(test_no_answer_before_the_name_is_its_own),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_what_there_is_not),
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_known_answers_in_many_messages),
		cmocka_unit_test(test_direct_answers),
		cmocka_unit_test(test_plain_clients),
		cmocka_unit_test(test_flood_of_plain_questions),
		cmocka_unit_test(test_the_group_is_told_once_a_second),
		cmocka_unit_test(test_what_others_say_need_not_be_said),
		cmocka_unit_test(test_taken_name),
		cmocka_unit_test(test_no_conflict),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_conflict_of_a_name_that_stands),
		cmocka_unit_test(test_endless_conflicts),
		cmocka_unit_test(test_two_look_at_the_same_name),
		cmocka_unit_test(test_goodbye),
		cmocka_unit_test(test_other_offers),
		cmocka_unit_test(test_more_questions_than_can_wait),
		cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
