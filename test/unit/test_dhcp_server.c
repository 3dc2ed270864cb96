#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/log.h"
#include "link/dhcp_server.h"

#define LEASE_S 3600
#define OWN "10.10.10.1"

struct lab {
	struct dhcp_server *server;
	struct dhcp_packet query, answer;
	struct dhcp_reply reply;
	int64_t now_ms;
	unsigned changes;
};

static struct in_addr
at(const char *text)
{
	return (struct in_addr){ inet_addr(text) };
}

static void
lab_changed(void *arg)
{
	((struct lab *)arg)->changes++;
}

static void
lab_open(struct lab *lab, const char *address, const char *netmask)
{
	struct dhcp_server_options options = { .address = at(address),
		.netmask = at(netmask),
		.name_server = at(address),
		.lease_s = LEASE_S,
		.changed = lab_changed,
		.arg = lab };

	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	memset(lab, 0, sizeof *lab);
	lab->now_ms = 5000000;
	lab->server = dhcp_server_new(&options);
}

/* A message of a client that is named by the last octet of its MAC. */
static void
lab_begin(struct lab *lab, enum dhcp_type type, uint8_t client)
{
	memset(&lab->query, 0, sizeof lab->query);
	lab->query.hardware_type = 1;
	lab->query.hardware_len = 6;
	lab->query.hardware[5] = client;
	lab->query.xid = 0x1000u + client;
	dhcp_packet_add_type(&lab->query, type);
}

/* Sends it: the type of the answer, DHCP_NO_TYPE for none. */
static enum dhcp_type
lab_send(struct lab *lab)
{
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t len = dhcp_packet_format(&lab->query, bytes);

	memset(&lab->answer, 0, sizeof lab->answer);
	if (!dhcp_server_answer(lab->server, bytes, len, lab->now_ms, &lab->reply))
		return DHCP_NO_TYPE;
	assert_int_equal(
	    dhcp_packet_parse(&lab->answer, lab->reply.bytes, lab->reply.len), 0);
	assert_true(lab->answer.is_reply);
	assert_int_equal(lab->answer.xid, lab->query.xid);
	return dhcp_packet_type(&lab->answer);
}

static const char *
lab_address(const struct lab *lab)
{
	return inet_ntoa(lab->answer.yours);
}

static enum dhcp_type
lab_request(struct lab *lab, uint8_t client, const char *requested, const char *server)
{
	lab_begin(lab, DHCP_REQUEST, client);
	dhcp_packet_add_address(&lab->query, DHCP_OPTION_REQUESTED, at(requested));
	if (server != NULL)
		dhcp_packet_add_address(&lab->query, DHCP_OPTION_SERVER, at(server));
	return lab_send(lab);
}

static enum dhcp_type
lab_renew(struct lab *lab, uint8_t client, const char *address)
{
	lab_begin(lab, DHCP_REQUEST, client);
	lab->query.client = at(address);
	return lab_send(lab);
}

/* Discover and request; the address stays in the answer. */
static const char *
lab_lease(struct lab *lab, uint8_t client)
{
	char offered[16];

	lab_begin(lab, DHCP_DISCOVER, client);
	assert_int_equal(lab_send(lab), DHCP_OFFER);
	snprintf(offered, sizeof offered, "%s", lab_address(lab));
	assert_int_equal(lab_request(lab, client, offered, OWN), DHCP_ACK);
	assert_string_equal(lab_address(lab), offered);
	return lab_address(lab);
}

static void
lab_give_up(struct lab *lab, enum dhcp_type type, uint8_t client, const char *address)
{
	lab_begin(lab, type, client);
	if (type == DHCP_DECLINE)
		dhcp_packet_add_address(
		    &lab->query, DHCP_OPTION_REQUESTED, at(address));
	else
		lab->query.client = at(address);
	assert_int_equal(lab_send(lab), DHCP_NO_TYPE);
}

static unsigned
lab_bindings(const struct lab *lab)
{
	struct dhcp_binding binding;
	size_t position = 0;
	unsigned count = 0;

	while (dhcp_server_binding_next(lab->server, &position, lab->now_ms, &binding))
		count++;
	return count;
}

/* The first client gets the address behind the AP's, and keeps it. */
static void
test_lowest_first(void **state)
{
	struct lab lab;
	struct in_addr address;
	uint32_t number;

	(void)state;
	lab_open(&lab, OWN, "255.255.255.0");
	assert_string_equal(lab_lease(&lab, 1), "10.10.10.2");
	assert_true(dhcp_packet_address(&lab.answer, DHCP_OPTION_NETMASK, &address));
	assert_string_equal(inet_ntoa(address), "255.255.255.0");
	assert_true(dhcp_packet_address(&lab.answer, DHCP_OPTION_ROUTER, &address));
	assert_string_equal(inet_ntoa(address), OWN);
	assert_true(
	    dhcp_packet_address(&lab.answer, DHCP_OPTION_NAME_SERVER, &address));
	assert_string_equal(inet_ntoa(address), OWN);
	assert_true(dhcp_packet_address(&lab.answer, DHCP_OPTION_SERVER, &address));
	assert_string_equal(inet_ntoa(address), OWN);
	assert_true(dhcp_packet_number(&lab.answer, DHCP_OPTION_LEASE_TIME, &number));
	assert_int_equal(number, LEASE_S);
	assert_true(dhcp_packet_number(&lab.answer, DHCP_OPTION_RENEW_TIME, &number));
	assert_int_equal(number, LEASE_S / 2);
	assert_true(dhcp_packet_number(&lab.answer, DHCP_OPTION_REBIND_TIME, &number));
	assert_int_equal(number, LEASE_S / 8 * 7);
	assert_string_equal(lab_lease(&lab, 2), "10.10.10.3");
	assert_string_equal(lab_lease(&lab, 1), "10.10.10.2");
	assert_string_equal(lab_lease(&lab, 3), "10.10.10.4");
	assert_int_equal(lab_bindings(&lab), 3);
	assert_int_equal(lab.changes, 4);

	/* What is given back is the lowest again; who had it gets it back if it is
	 * free.
	 */
	lab_give_up(&lab, DHCP_RELEASE, 1, "10.10.10.2");
	assert_int_equal(lab_bindings(&lab), 2);
	assert_string_equal(lab_lease(&lab, 4), "10.10.10.2");
	lab_give_up(&lab, DHCP_RELEASE, 3, "10.10.10.4");
	assert_string_equal(lab_lease(&lab, 3), "10.10.10.4");
	dhcp_server_free(lab.server);
}

/* Behind the AP's address up to the last, then those below it. */
static void
test_order_and_full_pool(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, "10.0.0.5", "255.255.255.248");
	for (unsigned i = 0; i < 5; i++) {
		static const char *const order[] = { "10.0.0.6", "10.0.0.1", "10.0.0.2",
			"10.0.0.3", "10.0.0.4" };

		lab_begin(&lab, DHCP_DISCOVER, (uint8_t)(10 + i));
		assert_int_equal(lab_send(&lab), DHCP_OFFER);
		assert_string_equal(lab_address(&lab), order[i]);
		lab.now_ms += 10;
	}
	/* All are offered: the oldest offer gives way. */
	lab_begin(&lab, DHCP_DISCOVER, 20);
	assert_int_equal(lab_send(&lab), DHCP_OFFER);
	assert_string_equal(lab_address(&lab), "10.0.0.6");
	assert_int_equal(lab_request(&lab, 10, "10.0.0.6", "10.0.0.5"), DHCP_NAK);
	assert_int_equal(lab_request(&lab, 20, "10.0.0.6", "10.0.0.5"), DHCP_ACK);
	for (unsigned i = 1; i < 5; i++)
		assert_int_equal(lab_request(&lab, (uint8_t)(10 + i),
				     i == 1   ? "10.0.0.1"
				     : i == 2 ? "10.0.0.2"
				     : i == 3 ? "10.0.0.3"
					      : "10.0.0.4",
				     "10.0.0.5"),
		    DHCP_ACK);
	/* All are given. */
	lab_begin(&lab, DHCP_DISCOVER, 30);
	assert_int_equal(lab_send(&lab), DHCP_NO_TYPE);
	assert_int_equal(lab_renew(&lab, 30, "10.0.0.2"), DHCP_NAK);
	lab.now_ms += LEASE_S * 1000 + 1;
	lab_begin(&lab, DHCP_DISCOVER, 30);
	assert_int_equal(lab_send(&lab), DHCP_OFFER);
	dhcp_server_free(lab.server);
}

/* However large the network, so many addresses; however small, no fault. */
static void
test_sizes(void **state)
{
	static const struct {
		const char *address, *netmask;
		unsigned count;
	} cases[] = { { "10.10.10.1", "255.255.255.0", 253 },
		{ "10.10.10.254", "255.255.255.0", 253 },
		{ "10.0.0.1", "255.0.0.0", 253 }, { "10.0.0.1", "0.0.0.0", 253 },
		{ "10.0.0.1", "255.255.255.252", 1 },
		{ "10.0.0.0", "255.255.255.252", 0 },
		{ "10.0.0.3", "255.255.255.252", 0 },
		{ "10.0.0.1", "255.255.255.254", 0 },
		{ "10.0.0.1", "255.255.255.255", 0 },
		{ "10.0.0.1", "255.0.255.0", 0 } };
	struct lab lab;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		unsigned count = 0;

		lab_open(&lab, cases[i].address, cases[i].netmask);
		for (unsigned client = 0; client < 300; client++) {
			lab_begin(&lab, DHCP_REQUEST, 0);
			lab.query.hardware[4] = (uint8_t)(client >> 8);
			lab.query.hardware[5] = (uint8_t)client;
			lab.query.client.s_addr =
			    htonl((ntohl(inet_addr(cases[i].address)) &
				      ntohl(inet_addr(cases[i].netmask))) +
				  client);
			if (lab_send(&lab) == DHCP_ACK)
				count++;
		}
		assert_int_equal(lab_bindings(&lab), count);
		assert_true(count <= cases[i].count);
		if (cases[i].count < 253 || i < 2)
			assert_int_equal(count, cases[i].count);
		dhcp_server_free(lab.server);
	}
}

static void
test_renewal(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, OWN, "255.255.255.0");
	lab_lease(&lab, 1);
	lab.now_ms += LEASE_S * 1000 - 1;
	assert_int_equal(lab_renew(&lab, 1, "10.10.10.2"), DHCP_ACK);
	assert_string_equal(inet_ntoa(lab.reply.to), "10.10.10.2");
	assert_string_equal(inet_ntoa(lab.answer.client), "10.10.10.2");
	lab.now_ms += LEASE_S * 1000 - 1;
	assert_int_equal(lab_bindings(&lab), 1);
	lab.now_ms += 2;
	assert_int_equal(lab_bindings(&lab), 0);
	/* It has run out, and is free: it may have it again; another may not. */
	assert_int_equal(lab_renew(&lab, 1, "10.10.10.2"), DHCP_ACK);
	assert_int_equal(lab_renew(&lab, 2, "10.10.10.2"), DHCP_NAK);
	assert_int_equal(lab.reply.to.s_addr, 0xFFFFFFFF);
	assert_int_equal(lab.reply.port, 68);
	/* An address of another network, the AP's own, that of all. */
	assert_int_equal(lab_renew(&lab, 3, "192.168.1.7"), DHCP_NAK);
	assert_int_equal(lab_renew(&lab, 3, OWN), DHCP_NAK);
	assert_int_equal(lab_renew(&lab, 3, "10.10.10.255"), DHCP_NAK);
	assert_int_equal(lab_renew(&lab, 3, "10.10.10.0"), DHCP_NAK);
	/* Nothing asked for. */
	assert_int_equal(lab_renew(&lab, 3, "0.0.0.0"), DHCP_NO_TYPE);
	/* A client that moves lets go of what it had. */
	assert_int_equal(lab_renew(&lab, 1, "10.10.10.9"), DHCP_ACK);
	assert_int_equal(lab_bindings(&lab), 1);
	dhcp_server_free(lab.server);
}

static void
test_decline(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, OWN, "255.255.255.0");
	lab_lease(&lab, 1);
	lab_give_up(&lab, DHCP_DECLINE, 2, "10.10.10.2"); /* not its own */
	assert_int_equal(lab_bindings(&lab), 1);
	lab_give_up(&lab, DHCP_DECLINE, 1, "10.10.10.2");
	assert_int_equal(lab_bindings(&lab), 0);
	assert_string_equal(lab_lease(&lab, 1), "10.10.10.3");
	assert_int_equal(lab_renew(&lab, 2, "10.10.10.2"), DHCP_NAK);
	lab_give_up(&lab, DHCP_RELEASE, 1, "10.10.10.2"); /* rests all the same */
	assert_int_equal(lab_renew(&lab, 2, "10.10.10.2"), DHCP_NAK);
	lab.now_ms += 600001;
	assert_int_equal(lab_renew(&lab, 2, "10.10.10.2"), DHCP_ACK);
	lab_give_up(&lab, DHCP_RELEASE, 1, "10.10.10.2"); /* not its own */
	assert_int_equal(lab_renew(&lab, 2, "10.10.10.2"), DHCP_ACK);
	dhcp_server_free(lab.server);
}

static void
test_choice(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, OWN, "255.255.255.0");
	/* A wish, if it is free; else the lowest. */
	lab_begin(&lab, DHCP_DISCOVER, 1);
	dhcp_packet_add_address(&lab.query, DHCP_OPTION_REQUESTED, at("10.10.10.77"));
	assert_int_equal(lab_send(&lab), DHCP_OFFER);
	assert_string_equal(lab_address(&lab), "10.10.10.77");
	lab_begin(&lab, DHCP_DISCOVER, 2);
	dhcp_packet_add_address(&lab.query, DHCP_OPTION_REQUESTED, at("10.10.10.77"));
	assert_int_equal(lab_send(&lab), DHCP_OFFER);
	assert_string_equal(lab_address(&lab), "10.10.10.2");
	/* The client takes another server's offer: this one's is free at once. */
	assert_int_equal(
	    lab_request(&lab, 2, "172.16.0.9", "172.16.0.1"), DHCP_NO_TYPE);
	lab_begin(&lab, DHCP_DISCOVER, 3);
	assert_int_equal(lab_send(&lab), DHCP_OFFER);
	assert_string_equal(lab_address(&lab), "10.10.10.2");
	/* An offer that is not taken runs out. */
	lab.now_ms += 60001;
	lab_begin(&lab, DHCP_DISCOVER, 4);
	assert_int_equal(lab_send(&lab), DHCP_OFFER);
	assert_string_equal(lab_address(&lab), "10.10.10.2");

	/* Reserved for one client. */
	assert_int_equal(dhcp_server_reserve(lab.server,
			     (const uint8_t *)"\0\0\0\0\0\x09", at("10.10.10.3")),
	    0);
	assert_string_equal(lab_lease(&lab, 5), "10.10.10.4");
	assert_int_equal(lab_request(&lab, 5, "10.10.10.3", NULL), DHCP_NAK);
	assert_string_equal(lab_lease(&lab, 9), "10.10.10.3");
	assert_int_equal(dhcp_server_reserve(lab.server,
			     (const uint8_t *)"\0\0\0\0\0\x08", at("10.10.10.3")),
	    -1);
	assert_int_equal(
	    dhcp_server_reserve(lab.server, (const uint8_t *)"\0\0\0\0\0\x08", at(OWN)),
	    -1);

	/* A shorter time, and the shortest. */
	for (unsigned i = 0; i < 3; i++) {
		static const uint32_t wanted[] = { 600, 1, UINT32_MAX },
				      given[] = { 600, 60, LEASE_S };
		uint32_t number = 0;

		lab_begin(&lab, DHCP_DISCOVER, 5);
		dhcp_packet_add_number(&lab.query, DHCP_OPTION_LEASE_TIME, wanted[i]);
		assert_int_equal(lab_send(&lab), DHCP_OFFER);
		dhcp_packet_number(&lab.answer, DHCP_OPTION_LEASE_TIME, &number);
		assert_int_equal(number, given[i]);
	}
	dhcp_server_free(lab.server);
}

/* INIT-REBOOT: a client that comes back with an address. RFC 2131, 4.3.2 */
static void
test_coming_back(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, OWN, "255.255.255.0");
	lab_lease(&lab, 1);
	lab_lease(&lab, 2);
	/* Its own is confirmed, for a whole lease from now on. */
	lab.now_ms += LEASE_S * 1000 / 2;
	assert_int_equal(lab_request(&lab, 1, "10.10.10.2", NULL), DHCP_ACK);
	assert_string_equal(lab_address(&lab), "10.10.10.2");
	lab.now_ms += LEASE_S * 1000 / 2 + 1;
	assert_int_equal(lab_bindings(&lab), 1);
	/* It has run out, is free, and was this client's. */
	assert_int_equal(lab_request(&lab, 2, "10.10.10.3", NULL), DHCP_ACK);
	/* Another's, a free one, the server's, those of another network. */
	assert_int_equal(lab_request(&lab, 1, "10.10.10.3", NULL), DHCP_NAK);
	assert_int_equal(lab.reply.to.s_addr, 0xFFFFFFFF);
	assert_int_equal(lab_request(&lab, 1, "10.10.10.77", NULL), DHCP_NAK);
	assert_int_equal(lab_request(&lab, 1, OWN, NULL), DHCP_NAK);
	assert_int_equal(lab_request(&lab, 1, "192.168.1.7", NULL), DHCP_NAK);
	/* Of a client that nothing is known of, another server may know. */
	assert_int_equal(lab_request(&lab, 9, "10.10.10.2", NULL), DHCP_NO_TYPE);
	assert_int_equal(lab_request(&lab, 9, "10.10.10.77", NULL), DHCP_NO_TYPE);
	assert_int_equal(lab_request(&lab, 9, "192.168.1.7", NULL), DHCP_NAK);
	assert_int_equal(lab_bindings(&lab), 2);
	/* What was given back may be had again until another has it. */
	lab_give_up(&lab, DHCP_RELEASE, 1, "10.10.10.2");
	assert_int_equal(lab_request(&lab, 1, "10.10.10.2", NULL), DHCP_ACK);
	lab_give_up(&lab, DHCP_RELEASE, 1, "10.10.10.2");
	assert_string_equal(lab_lease(&lab, 3), "10.10.10.2");
	assert_int_equal(lab_request(&lab, 1, "10.10.10.2", NULL), DHCP_NO_TYPE);
	dhcp_server_free(lab.server);
}

/* Where answers go. RFC 2131, 4.1 */
static void
test_destinations(void **state)
{
	struct lab lab;
	size_t len;

	(void)state;
	lab_open(&lab, OWN, "255.255.255.0");
	lab_begin(&lab, DHCP_DISCOVER, 1);
	dhcp_packet_add(&lab.query, DHCP_OPTION_CLIENT, "\0id", 3);
	lab_send(&lab);
	assert_string_equal(inet_ntoa(lab.reply.to), "10.10.10.2");
	assert_int_equal(lab.reply.port, 68);
	assert_memory_equal(
	    dhcp_packet_option(&lab.answer, DHCP_OPTION_CLIENT, &len), "\0id", 3);
	lab_begin(&lab, DHCP_DISCOVER, 1);
	lab.query.wants_broadcast = true;
	lab_send(&lab);
	assert_int_equal(lab.reply.to.s_addr, 0xFFFFFFFF);
	assert_true(lab.answer.wants_broadcast);
	lab_begin(&lab, DHCP_DISCOVER, 1);
	lab.query.relay = at("10.10.10.99");
	lab_send(&lab);
	assert_string_equal(inet_ntoa(lab.reply.to), "10.10.10.99");
	assert_int_equal(lab.reply.port, 67);
	lab_begin(&lab, DHCP_REQUEST, 1);
	lab.query.relay = at("10.10.10.99");
	lab.query.client = at("9.9.9.9");
	assert_int_equal(lab_send(&lab), DHCP_NAK);
	assert_string_equal(inet_ntoa(lab.reply.to), "10.10.10.99");
	assert_true(lab.answer.wants_broadcast);

	/* One that has an address of its own asks for the rest. */
	lab_begin(&lab, DHCP_INFORM, 7);
	lab.query.client = at("10.10.10.200");
	assert_int_equal(lab_send(&lab), DHCP_ACK);
	assert_int_equal(lab.answer.yours.s_addr, 0);
	assert_string_equal(inet_ntoa(lab.reply.to), "10.10.10.200");
	assert_null(dhcp_packet_option(&lab.answer, DHCP_OPTION_LEASE_TIME, &len));
	assert_non_null(dhcp_packet_option(&lab.answer, DHCP_OPTION_ROUTER, &len));
	lab_begin(&lab, DHCP_INFORM, 7);
	assert_int_equal(lab_send(&lab), DHCP_NO_TYPE);
	assert_int_equal(lab_bindings(&lab), 0);

	/* What is none of its business. */
	lab_begin(&lab, DHCP_DISCOVER, 1);
	lab.query.is_reply = true;
	assert_int_equal(lab_send(&lab), DHCP_NO_TYPE);
	lab_begin(&lab, DHCP_DISCOVER, 1);
	lab.query.hardware_len = 16;
	assert_int_equal(lab_send(&lab), DHCP_NO_TYPE);
	lab_begin(&lab, DHCP_OFFER, 1);
	assert_int_equal(lab_send(&lab), DHCP_NO_TYPE);
	lab_begin(&lab, DHCP_NO_TYPE, 1);
	assert_int_equal(lab_send(&lab), DHCP_NO_TYPE);
	dhcp_server_free(lab.server);
}

static void
test_restore(void **state)
{
	struct dhcp_binding binding = { .mac = { 0, 0, 0, 0, 0, 1 },
		.address = at("10.10.10.40") };
	struct lab lab;

	(void)state;
	lab_open(&lab, OWN, "255.255.255.0");
	binding.until_ms = lab.now_ms + 10000;
	assert_int_equal(dhcp_server_restore(lab.server, &binding), 0);
	binding.mac[5] = 2;
	assert_int_equal(dhcp_server_restore(lab.server, &binding), -1);
	binding.address = at("10.10.11.1");
	assert_int_equal(dhcp_server_restore(lab.server, &binding), -1);
	assert_int_equal(lab_bindings(&lab), 1);
	assert_string_equal(lab_lease(&lab, 1), "10.10.10.40");
	assert_string_equal(lab_lease(&lab, 2), "10.10.10.2");
	dhcp_server_free(lab.server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lowest_first),
		cmocka_unit_test(test_order_and_full_pool),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_decline),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_coming_back),
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
