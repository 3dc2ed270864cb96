#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "link/mdns_browser.h"

#define HTTP "_http._tcp.local."
#define KINDS "_services._dns-sd._udp.local."

struct lab {
	struct mdns_browser *browser;
	ldns_pkt *response; /* what is being made */
	ldns_pkt *asked; /* the last message that left */
	unsigned count; /* of messages that left */
	int64_t now_ms;
	struct mdns_found found[MDNS_FOUND_MAX];
};

static void
lab_send(void *arg, const uint8_t *bytes, size_t len)
{
	struct lab *lab = arg;

	ldns_pkt_free(lab->asked);
	lab->asked = mdns_packet_parse(bytes, len);
	assert_non_null(lab->asked);
	assert_false(ldns_pkt_qr(lab->asked));
	assert_in_range(len, 0, 1472);
	lab->count++;
}

static void
lab_pass(struct lab *lab, int64_t ms)
{
	int64_t end_ms = lab->now_ms + ms;

	while (mdns_browser_next_ms(lab->browser) <= end_ms) {
		if (mdns_browser_next_ms(lab->browser) > lab->now_ms)
			lab->now_ms = mdns_browser_next_ms(lab->browser);
		mdns_browser_tick(lab->browser, lab->now_ms);
	}
	lab->now_ms = end_ms;
}

static void
lab_open(struct lab *lab, const char *type)
{
	memset(lab, 0, sizeof *lab);
	lab->now_ms = 1000;
	lab->response = mdns_packet_new(true);
	lab->browser = mdns_browser_new(type, lab_send, lab, lab->now_ms);
	lab_pass(lab, 0);
	assert_int_equal(lab->count, 1);
}

static void
lab_close(struct lab *lab)
{
	mdns_browser_free(lab->browser);
	ldns_pkt_free(lab->response);
	ldns_pkt_free(lab->asked);
}

static void
lab_add(struct lab *lab, ldns_pkt_section section, const char *text)
{
	ldns_rr *rr;

	assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
	mdns_packet_add(lab->response, section, rr, ldns_rr_ttl(rr), true);
	ldns_rr_free(rr);
}

static void
lab_give(struct lab *lab)
{
	uint8_t bytes[MDNS_PACKET_MAX];
	size_t len = mdns_packet_format(lab->response, bytes);

	assert_int_not_equal(len, 0);
	ldns_pkt_free(lab->response);
	lab->response = mdns_packet_new(true);
	mdns_browser_receive(lab->browser, bytes, len, lab->now_ms);
}

static void
lab_tell(struct lab *lab, const char *text)
{
	lab_add(lab, LDNS_SECTION_ANSWER, text);
	lab_give(lab);
}

static bool
lab_has_asked(const struct lab *lab, const char *name, ldns_rr_type type)
{
	const ldns_rr_list *list = ldns_pkt_question(lab->asked);
	ldns_rdf *owner = mdns_name(name);
	bool is_found = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);

		is_found = is_found || (ldns_rr_get_type(rr) == type &&
					   mdns_is_name(ldns_rr_owner(rr), owner));
	}
	ldns_rdf_deep_free(owner);
	return is_found;
}

static size_t
lab_list(struct lab *lab)
{
	return mdns_browser_list(lab->browser, lab->found);
}

static void
assert_found(const struct mdns_found *found, const char *name, const char *type,
    const char *address, uint16_t port)
{
	assert_string_equal(found->name, name);
	assert_string_equal(found->type, type);
	assert_int_equal(found->address.s_addr, inet_addr(address));
	assert_int_equal(found->port, port);
}

static void
test_all_at_once(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, "_http._tcp");
	assert_true(lab_has_asked(&lab, HTTP, LDNS_RR_TYPE_PTR));
	assert_int_equal(ldns_pkt_qdcount(lab.asked), 1);
	/* The order of the records is no matter. */
	lab_add(&lab, LDNS_SECTION_ANSWER, HTTP " 4500 IN PTR My\\032Lamp." HTTP);
	lab_add(&lab, LDNS_SECTION_ADDITIONAL, "lamp.local. 120 IN A 10.0.0.7");
	lab_add(&lab, LDNS_SECTION_ADDITIONAL,
	    "my\\032lamp." HTTP " 120 IN SRV 0 0 80 Lamp.local.");
	lab_give(&lab);
	assert_int_equal(lab_list(&lab), 1);
	assert_found(&lab.found[0], "My Lamp", "_http._tcp", "10.0.0.7", 80);
	/* Asked again, it says what it has. */
	lab_pass(&lab, 999);
	assert_int_equal(lab.count, 1);
	lab_pass(&lab, 1);
	assert_int_equal(lab.count, 2);
	assert_int_equal(ldns_pkt_qdcount(lab.asked), 1);
	assert_int_equal(ldns_pkt_ancount(lab.asked), 1);
	lab_close(&lab);
}

static void
test_step_by_step(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, NULL);
	assert_true(lab_has_asked(&lab, KINDS, LDNS_RR_TYPE_PTR));
	lab_tell(&lab, KINDS " 4500 IN PTR " HTTP);
	lab_pass(&lab, 20);
	assert_true(lab_has_asked(&lab, HTTP, LDNS_RR_TYPE_PTR));
	lab_tell(&lab, HTTP " 4500 IN PTR a." HTTP);
	lab_pass(&lab, 20);
	assert_true(lab_has_asked(&lab, "a." HTTP, LDNS_RR_TYPE_SRV));
	assert_int_equal(lab_list(&lab), 0);
	lab_tell(&lab, "a." HTTP " 120 IN SRV 0 0 8080 host.local.");
	lab_pass(&lab, 20);
	assert_true(lab_has_asked(&lab, "host.local", LDNS_RR_TYPE_A));
	assert_int_equal(lab_list(&lab), 1);
	assert_found(&lab.found[0], "a", "_http._tcp", "0.0.0.0", 8080);
	lab_tell(&lab, "host.local. 120 IN A 10.0.0.8");
	assert_int_equal(lab_list(&lab), 1);
	assert_found(&lab.found[0], "a", "_http._tcp", "10.0.0.8", 8080);
	/* No question came twice within a second. */
	assert_int_equal(lab.count, 4);
	lab_pass(&lab, 900);
	assert_int_equal(lab.count, 4);
	lab_close(&lab);
}

static void
test_order_and_ends(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, NULL);
	lab_add(&lab, LDNS_SECTION_ANSWER, KINDS " 4500 IN PTR _ipp._tcp.local.");
	lab_add(&lab, LDNS_SECTION_ANSWER, KINDS " 4500 IN PTR " HTTP);
	lab_give(&lab);
	for (unsigned i = 0; i < 2; i++) {
		static const char *const names[] = { "b", "a" };
		char text[128];

		snprintf(text, sizeof text, HTTP " 4500 IN PTR %s." HTTP, names[i]);
		lab_tell(&lab, text);
		lab_tell(&lab, text);
		snprintf(text, sizeof text, "%s." HTTP " 120 IN SRV 0 0 80 h.local.",
		    names[i]);
		lab_tell(&lab, text);
	}
	lab_tell(&lab, "_ipp._tcp.local. 4500 IN PTR 0._ipp._tcp.local.");
	lab_tell(&lab, "0._ipp._tcp.local. 120 IN SRV 0 0 631 h.local.");
	assert_int_equal(lab_list(&lab), 3);
	assert_string_equal(lab.found[0].name, "a");
	assert_string_equal(lab.found[1].name, "b");
	assert_string_equal(lab.found[2].name, "0");
	/* Another host: its address is another one. */
	lab_tell(&lab, "h.local. 120 IN A 10.0.0.8");
	lab_tell(&lab, "a." HTTP " 120 IN SRV 0 0 81 other.local.");
	assert_int_equal(lab_list(&lab), 3);
	assert_found(&lab.found[0], "a", "_http._tcp", "0.0.0.0", 81);
	assert_found(&lab.found[1], "b", "_http._tcp", "10.0.0.8", 80);
	lab_tell(&lab, HTTP " 0 IN PTR a." HTTP);
	assert_int_equal(lab_list(&lab), 2);
	assert_string_equal(lab.found[0].name, "b");
	lab_close(&lab);
}

static void
test_what_is_none(void **state)
{
	static const char *const wrong[] = {
		/* Names of other kinds, or of none. */
		HTTP " 4500 IN PTR a._ipp._tcp.local.",
		HTTP " 4500 IN PTR a.b." HTTP,
		HTTP " 4500 IN PTR " HTTP,
		HTTP " 4500 IN PTR .",
		"_ipp._tcp.local. 4500 IN PTR a._ipp._tcp.local.",
		KINDS " 4500 IN PTR http._tcp.local.",
		KINDS " 4500 IN PTR _http._tcp.other.",
		KINDS " 4500 IN PTR a._http._tcp.local.",
		KINDS " 4500 IN PTR _tcp.local.",
		KINDS " 4500 IN PTR .",
		/* Goodbyes, and what was never asked for. */
		HTTP " 0 IN PTR a." HTTP,
		"a." HTTP " 120 IN SRV 0 0 80 h.local.",
		"h.local. 120 IN A 10.0.0.1",
		HTTP " 4500 CH PTR a." HTTP,
	};
	struct lab lab;

	(void)state;
	lab_open(&lab, NULL);
	lab_tell(&lab, KINDS " 4500 IN PTR " HTTP);
	lab_pass(&lab, 20);
	assert_int_equal(lab.count, 2);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		lab_tell(&lab, wrong[i]);
	lab_tell(&lab, "a." HTTP " 120 IN SRV 0 0 80 h.local.");
	lab_pass(&lab, 900);
	assert_int_equal(lab_list(&lab), 0);
	assert_int_equal(lab.count, 2);
	/* A question is no answer. */
	lab_add(&lab, LDNS_SECTION_ANSWER, HTTP " 4500 IN PTR a." HTTP);
	ldns_pkt_set_qr(lab.response, false);
	lab_give(&lab);
	lab_tell(&lab, "a." HTTP " 120 IN SRV 0 0 80 h.local.");
	assert_int_equal(lab_list(&lab), 0);
	lab_close(&lab);
}

static void
test_too_many(void **state)
{
	struct lab lab;
	char text[300];

	(void)state;
	lab_open(&lab, NULL);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(text, sizeof text, KINDS " 4500 IN PTR _k%u._udp.local.", i);
		lab_tell(&lab, text);
	}
	for (unsigned i = 0; i < 40; i++) {
		snprintf(text, sizeof text,
		    "_k1._udp.local. 4500 IN PTR "
		    "a-name-that-is-as-long-as-it-can-be-so-that-few-have-room-%u."
		    "_k1._udp.local.",
		    i);
		lab_tell(&lab, text);
	}
	/* They do not fit into one message, and leave in some. */
	lab_pass(&lab, 500);
	assert_in_range(lab.count, 3, 6);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(text, sizeof text,
		    "a-name-that-is-as-long-as-it-can-be-so-that-few-have-room-%u."
		    "_k1._udp.local. 120 IN SRV 0 0 1 h.local.",
		    i);
		lab_tell(&lab, text);
	}
	assert_int_equal(lab_list(&lab), MDNS_FOUND_MAX);
	lab_pass(&lab, 2000);
	lab_close(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_step_by_step),
		cmocka_unit_test(test_order_and_ends),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
