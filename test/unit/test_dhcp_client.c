#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "base/log.h"
#include "link/dhcp_client.h"
#include "link/dhcp_server.h"

/* A client whose doings are written down. With a server, its messages go there and the
 * answers come back before the call returns. */
struct lab {
	struct dhcp_client *client;
	struct dhcp_server *server; /* NULL: the test answers */
	struct dhcp_packet sent;
	struct in_addr to;
	uint32_t random;
	int64_t now_ms;
	char notes[1024];
};

static const char *const type_names[] = { "?", "discover", "offer", "request",
	"decline", "ack", "nak", "release", "inform" };

static struct in_addr
at(const char *text)
{
	return (struct in_addr){ inet_addr(text) };
}

static void note(struct lab *lab, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct lab *lab, const char *fmt, ...)
{
	size_t used = strlen(lab->notes);
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(lab->notes + used, sizeof lab->notes - used, fmt, arguments);
	va_end(arguments);
}

/* What was noted since the last time. */
static void
expect(struct lab *lab, const char *notes)
{
	assert_string_equal(lab->notes, notes);
	lab->notes[0] = '\0';
}

static void
lab_send(void *arg, const uint8_t *bytes, size_t len, struct in_addr to)
{
	struct lab *lab = arg;
	struct dhcp_reply reply;

	assert_int_equal(dhcp_packet_parse(&lab->sent, bytes, len), 0);
	lab->to = to;
	note(
	    lab, "%s to %s\n", type_names[dhcp_packet_type(&lab->sent)], inet_ntoa(to));
	if (lab->server != NULL &&
	    dhcp_server_answer(lab->server, bytes, len, lab->now_ms, &reply))
		dhcp_client_receive(lab->client, reply.bytes, reply.len, lab->now_ms);
}

static void
lab_probe(void *arg, struct in_addr address)
{
	note(arg, "probe %s\n", inet_ntoa(address));
}

static void
lab_bound(void *arg, const struct dhcp_lease *lease)
{
	note(arg, "bound %s %u s\n", inet_ntoa(lease->address), lease->lease_s);
}

static void
lab_lost(void *arg, const char *why)
{
	note(arg, "lost: %s\n", why);
}

static void
lab_failed(void *arg, const char *why)
{
	note(arg, "failed: %s\n", why);
}

static void
lab_refused(void *arg)
{
	note(arg, "refused\n");
}

static uint32_t
lab_random(void *arg)
{
	struct lab *lab = arg;

	lab->random = lab->random * 1103515245u + 12345u;
	return lab->random;
}

static const struct dhcp_client_ops lab_ops = { .send = lab_send,
	.bound = lab_bound,
	.lost = lab_lost,
	.refused = lab_refused,
	.failed = lab_failed,
	.random = lab_random };
static const struct dhcp_client_ops lab_ops_probing = { .send = lab_send,
	.probe = lab_probe,
	.bound = lab_bound,
	.lost = lab_lost,
	.refused = lab_refused,
	.failed = lab_failed,
	.random = lab_random };

static void
lab_open(struct lab *lab, const struct dhcp_client_ops *ops, unsigned timeout_ms)
{
	struct dhcp_client_options options = { .mac = { 0x4C, 0x55, 0xCC, 1, 2, 3 },
		.host_name = "zentri",
		.timeout_ms = timeout_ms };

	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	memset(lab, 0, sizeof *lab);
	lab->now_ms = 1000000;
	lab->client = dhcp_client_new(&options, ops, lab);
	assert_int_equal(dhcp_client_due_ms(lab->client), -1);
}

static void
lab_serve(struct lab *lab, uint32_t lease_s)
{
	struct dhcp_server_options options = { .address = at("10.0.0.1"),
		.netmask = at("255.255.255.0"),
		.lease_s = lease_s };

	lab->server = dhcp_server_new(&options);
}

static void
lab_close(struct lab *lab)
{
	dhcp_client_free(lab->client);
	dhcp_server_free(lab->server);
}

/* Lets the time pass until the client is due, and no longer than it should be. */
static void
lab_wait(struct lab *lab, int64_t least_ms, int64_t most_ms)
{
	int64_t due_ms = dhcp_client_due_ms(lab->client);

	assert_in_range(due_ms - lab->now_ms, least_ms, most_ms);
	lab->now_ms = due_ms - 1;
	dhcp_client_tick(lab->client, lab->now_ms);
	assert_string_equal(lab->notes, "");
	lab->now_ms = due_ms;
	dhcp_client_tick(lab->client, lab->now_ms);
}

/* An answer to what was sent last, with the options that matter. */
static struct dhcp_packet
answer(const struct lab *lab, enum dhcp_type type, const char *address)
{
	struct dhcp_packet packet = { .is_reply = true,
		.hardware_type = 1,
		.hardware_len = 6,
		.xid = lab->sent.xid,
		.yours = at(address) };

	memcpy(packet.hardware, lab->sent.hardware, 6);
	dhcp_packet_add_type(&packet, type);
	return packet;
}

static void
lab_give(struct lab *lab, const struct dhcp_packet *packet)
{
	uint8_t bytes[DHCP_PACKET_MAX];
	size_t len = dhcp_packet_format(packet, bytes);

	dhcp_client_receive(lab->client, bytes, len, lab->now_ms);
}

static void
test_whole_life(void **state)
{
	struct lab lab;
	struct in_addr address;
	size_t len;

	(void)state;
	lab_open(&lab, &lab_ops, 30000);
	lab_serve(&lab, 3600);
	dhcp_client_start(lab.client, lab.now_ms);
	expect(&lab, "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "bound 10.0.0.2 3600 s\n");
	assert_memory_equal(
	    dhcp_packet_option(&lab.sent, DHCP_OPTION_HOST_NAME, &len), "zentri", 6);
	assert_memory_equal(dhcp_packet_option(&lab.sent, DHCP_OPTION_CLIENT, &len),
	    "\1\x4C\x55\xCC\1\2\3", 7);
	assert_int_equal(
	    dhcp_client_lease(lab.client)->router.s_addr, inet_addr("10.0.0.1"));

	/* Renewed at half its time, from its server, without the options of a first
	 * request. RFC 2131, 4.3.6 */
	lab_wait(&lab, 1800000, 1800000);
	expect(&lab, "request to 10.0.0.1\nbound 10.0.0.2 3600 s\n");
	assert_string_equal(inet_ntoa(lab.sent.client), "10.0.0.2");
	assert_false(dhcp_packet_address(&lab.sent, DHCP_OPTION_REQUESTED, &address));
	assert_false(dhcp_packet_address(&lab.sent, DHCP_OPTION_SERVER, &address));
	lab_wait(&lab, 1800000, 1800000);
	expect(&lab, "request to 10.0.0.1\nbound 10.0.0.2 3600 s\n");

	dhcp_client_release(lab.client);
	expect(&lab, "release to 10.0.0.1\n");
	assert_int_equal(dhcp_client_due_ms(lab.client), -1);
	assert_null(dhcp_client_lease(lab.client));
	dhcp_client_release(lab.client);
	expect(&lab, "");
	dhcp_client_start(lab.client, lab.now_ms);
	expect(&lab, "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "bound 10.0.0.2 3600 s\n");
	lab_close(&lab);
}

/* The server is gone: it is asked, then all are, then the address is lost. */
static void
test_lease_runs_out(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops, 30000);
	lab_serve(&lab, 1200);
	dhcp_client_start(lab.client, lab.now_ms);
	dhcp_server_free(lab.server);
	lab.server = NULL;
	lab.notes[0] = '\0';
	lab_wait(&lab, 600000, 600000);
	expect(&lab, "request to 10.0.0.1\n");
	lab_wait(&lab, 225000, 225000); /* half of what is left to rebinding */
	expect(&lab, "request to 10.0.0.1\n");
	lab_wait(&lab, 112500, 112500);
	expect(&lab, "request to 10.0.0.1\n");
	lab_wait(&lab, 60000, 60000); /* a minute at least */
	expect(&lab, "request to 10.0.0.1\n");
	lab_wait(&lab, 52500, 52500);
	expect(&lab, "request to 255.255.255.255\n");
	lab_wait(&lab, 75000, 75000);
	expect(&lab, "request to 255.255.255.255\n");
	assert_non_null(dhcp_client_lease(lab.client));
	lab_wait(&lab, 60000, 60000);
	expect(&lab, "request to 255.255.255.255\n");
	lab_wait(&lab, 15000, 15000);
	expect(&lab, "lost: the lease has run out\ndiscover to 255.255.255.255\n");
	assert_null(dhcp_client_lease(lab.client));
	/* It looks for another, and gives up in the end. */
	lab_wait(&lab, 3000, 5000);
	expect(&lab, "discover to 255.255.255.255\n");
	lab_wait(&lab, 7000, 9000);
	expect(&lab, "discover to 255.255.255.255\n");
	lab_wait(&lab, 15000, 17000);
	expect(&lab, "discover to 255.255.255.255\n");
	lab_wait(&lab, 1, 5000);
	expect(&lab, "failed: no DHCP server gave an address\n");
	assert_int_equal(dhcp_client_due_ms(lab.client), -1);
	lab_close(&lab);
}

/* 4, 8, 16, 32, 64, 64 s, give or take one, and not the same for all. */
static void
test_back_off(void **state)
{
	static const int64_t pauses[] = { 4, 8, 16, 32, 64, 64, 64 };
	bool is_exact = true;
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops, 0);
	dhcp_client_start(lab.client, lab.now_ms);
	for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
		expect(&lab, "discover to 255.255.255.255\n");
		if (dhcp_client_due_ms(lab.client) - lab.now_ms != pauses[i] * 1000)
			is_exact = false;
		lab_wait(&lab, pauses[i] * 1000 - 1000, pauses[i] * 1000 + 1000);
	}
	assert_false(is_exact);
	assert_true(lab.sent.seconds > 180);
	lab_close(&lab);
}

static void
test_answers_that_do_not_count(void **state)
{
	struct dhcp_packet good, bad;
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops, 0);
	dhcp_client_receive(lab.client, (const uint8_t *)"", 0, lab.now_ms);
	dhcp_client_start(lab.client, lab.now_ms);
	expect(&lab, "discover to 255.255.255.255\n");
	good = answer(&lab, DHCP_OFFER, "10.0.0.7");
	dhcp_packet_add_address(&good, DHCP_OPTION_SERVER, at("10.0.0.1"));
	bad = good; /* no time */
	lab_give(&lab, &bad);
	dhcp_packet_add_number(&good, DHCP_OPTION_LEASE_TIME, 100);
	bad = good;
	bad.xid++;
	lab_give(&lab, &bad);
	bad = good;
	bad.hardware[5]++;
	lab_give(&lab, &bad);
	bad = good;
	bad.is_reply = false;
	lab_give(&lab, &bad);
	for (unsigned i = 0; i < 4; i++) {
		static const char *const no_hosts[] = { "0.0.0.0", "127.0.0.1",
			"224.0.0.1", "255.255.255.255" };

		bad = good;
		bad.yours = at(no_hosts[i]);
		lab_give(&lab, &bad);
	}
	bad = answer(&lab, DHCP_ACK, "10.0.0.7");
	lab_give(&lab, &bad);
	bad = answer(&lab, DHCP_NAK, "0.0.0.0");
	lab_give(&lab, &bad);
	expect(&lab, "");
	lab_give(&lab, &good);
	expect(&lab, "request to 255.255.255.255\n");
	lab_give(&lab, &good); /* a second offer */
	bad = answer(&lab, DHCP_ACK, "10.0.0.8"); /* another address than asked for */
	dhcp_packet_add_address(&bad, DHCP_OPTION_SERVER, at("10.0.0.1"));
	dhcp_packet_add_number(&bad, DHCP_OPTION_LEASE_TIME, 100);
	lab_give(&lab, &bad);
	bad = answer(&lab, DHCP_NAK, "0.0.0.0"); /* of a server not asked */
	dhcp_packet_add_address(&bad, DHCP_OPTION_SERVER, at("10.0.0.99"));
	lab_give(&lab, &bad);
	expect(&lab, "");

	/* The request is not answered: four times, then another offer is looked for. */
	for (unsigned i = 1; i < 4; i++) {
		lab_wait(&lab, 3000, 33000);
		expect(&lab, "request to 255.255.255.255\n");
	}
	lab_wait(&lab, 31000, 33000);
	expect(&lab, "discover to 255.255.255.255\n");
	lab_close(&lab);
}

static void
test_lease_as_told(void **state)
{
	const struct dhcp_lease *lease;
	struct dhcp_packet packet;
	struct lab lab;
	uint8_t servers[5 * 4 + 2];

	(void)state;
	lab_open(&lab, &lab_ops, 0);
	dhcp_client_start(lab.client, lab.now_ms);
	for (unsigned i = 0; i < sizeof servers; i++)
		servers[i] = (uint8_t)(i + 1);
	for (unsigned i = 0; i < 2; i++) {
		packet = answer(&lab, i == 0 ? DHCP_OFFER : DHCP_ACK, "10.0.0.7");
		dhcp_packet_add_address(&packet, DHCP_OPTION_SERVER, at("10.0.0.1"));
		dhcp_packet_add_number(&packet, DHCP_OPTION_LEASE_TIME, UINT32_MAX);
		dhcp_packet_add_address(
		    &packet, DHCP_OPTION_NETMASK, at("255.0.255.0"));
		dhcp_packet_add_address(&packet, DHCP_OPTION_ROUTER, at("0.0.0.0"));
		dhcp_packet_add(
		    &packet, DHCP_OPTION_NAME_SERVER, servers, sizeof servers);
		lab_give(&lab, &packet);
	}
	lease = dhcp_client_lease(lab.client);
	assert_non_null(lease);
	assert_int_equal(lease->netmask.s_addr, inet_addr("255.255.255.0"));
	assert_int_equal(lease->router.s_addr, 0);
	assert_int_equal(lease->name_server_count, 4);
	assert_int_equal(lease->name_servers[3].s_addr, inet_addr("13.14.15.16"));
	assert_int_equal(dhcp_client_due_ms(lab.client), -1); /* for ever */
	lab_close(&lab);
}

/* Times that are out of order, or too short, are replaced. */
static void
test_times(void **state)
{
	static const struct {
		uint32_t lease, renew, rebind, then;
	} cases[] = { { 1000, 100, 200, 100 }, { 1000, 200, 100, 500 },
		{ 1000, 100, 1000, 500 }, { 1000, 0, 100, 500 }, { 1, 0, 0, 5 },
		{ 0, 0, 0, 5 },
		{ 4000000000u, 3999999998u, 3999999999u, 3999999998u } };
	struct dhcp_packet packet;
	struct lab lab;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		lab_open(&lab, &lab_ops, 0);
		dhcp_client_start(lab.client, lab.now_ms);
		for (unsigned j = 0; j < 2; j++) {
			packet =
			    answer(&lab, j == 0 ? DHCP_OFFER : DHCP_ACK, "10.0.0.7");
			dhcp_packet_add_address(
			    &packet, DHCP_OPTION_SERVER, at("10.0.0.1"));
			dhcp_packet_add_number(
			    &packet, DHCP_OPTION_LEASE_TIME, cases[i].lease);
			dhcp_packet_add_number(
			    &packet, DHCP_OPTION_RENEW_TIME, cases[i].renew);
			dhcp_packet_add_number(
			    &packet, DHCP_OPTION_REBIND_TIME, cases[i].rebind);
			lab_give(&lab, &packet);
		}
		assert_int_equal(dhcp_client_due_ms(lab.client) - lab.now_ms,
		    (int64_t)cases[i].then * 1000);
		lab_close(&lab);
	}
}

static void
test_refused_in_renewal(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops, 0);
	lab_serve(&lab, 1200);
	dhcp_client_start(lab.client, lab.now_ms);
	dhcp_server_free(lab.server);
	lab.server = NULL;
	/* A server that knows nothing, of another network. */
	{
		struct dhcp_server_options options = { .address = at("10.0.9.1"),
			.netmask = at("255.255.255.0"),
			.lease_s = 60 };
		lab.server = dhcp_server_new(&options);
	}
	lab.notes[0] = '\0';
	lab_wait(&lab, 600000, 600000);
	expect(&lab, "request to 10.0.0.1\n"); /* its refusal is not the server's */
	while (strcmp(lab.notes, "") == 0 && dhcp_client_lease(lab.client) != NULL) {
		lab.now_ms = dhcp_client_due_ms(lab.client);
		dhcp_client_tick(lab.client, lab.now_ms);
		if (strcmp(lab.notes, "request to 10.0.0.1\n") == 0)
			lab.notes[0] = '\0';
	}
	expect(&lab, "request to 255.255.255.255\n"
		     "lost: the server took the address back\n");
	lab_wait(&lab, 10000, 12000);
	expect(&lab, "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "bound 10.0.9.2 60 s\n");
	lab_close(&lab);
}

static void
test_conflict(void **state)
{
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops_probing, 0);
	lab_serve(&lab, 1200);
	dhcp_client_probed(lab.client, false, lab.now_ms);
	dhcp_client_start(lab.client, lab.now_ms);
	expect(&lab, "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "probe 10.0.0.2\n");
	assert_null(dhcp_client_lease(lab.client));
	dhcp_client_probed(lab.client, true, lab.now_ms);
	expect(&lab, "decline to 255.255.255.255\nrefused\n");
	lab_wait(&lab, 10000, 12000);
	expect(&lab, "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "probe 10.0.0.3\n");
	lab.now_ms += 5000;
	dhcp_client_probed(lab.client, false, lab.now_ms);
	expect(&lab, "bound 10.0.0.3 1200 s\n");
	/* The time counts from the request; a renewal asks nobody. */
	lab_wait(&lab, 595000, 595000);
	expect(&lab, "request to 10.0.0.1\nbound 10.0.0.3 1200 s\n");
	lab_close(&lab);
}

/* A lease of an earlier time, by another client with the same MAC. */
static void
test_comes_back(void **state)
{
	struct dhcp_lease lease;
	struct in_addr address;
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops_probing, 0);
	lab_serve(&lab, 1200);
	dhcp_client_start(lab.client, lab.now_ms);
	dhcp_client_probed(lab.client, false, lab.now_ms);
	lease = *dhcp_client_lease(lab.client);
	lab.notes[0] = '\0';
	lab.now_ms += 100000;
	dhcp_client_restart(lab.client, &lease, lab.now_ms);
	expect(&lab, "request to 255.255.255.255\nprobe 10.0.0.2\n");
	assert_null(dhcp_client_lease(lab.client));
	/* RFC 2131, 4.3.2: what is filled in, and what must not be. */
	assert_int_equal(lab.sent.client.s_addr, 0);
	assert_false(dhcp_packet_address(&lab.sent, DHCP_OPTION_SERVER, &address));
	assert_true(dhcp_packet_address(&lab.sent, DHCP_OPTION_REQUESTED, &address));
	assert_string_equal(inet_ntoa(address), "10.0.0.2");
	dhcp_client_probed(lab.client, false, lab.now_ms);
	expect(&lab, "bound 10.0.0.2 1200 s\n");
	lab_wait(&lab, 600000, 600000);
	expect(&lab, "request to 10.0.0.1\nbound 10.0.0.2 1200 s\n");
	/* Somebody else has it by now. */
	dhcp_client_restart(lab.client, &lease, lab.now_ms);
	expect(&lab, "request to 255.255.255.255\nprobe 10.0.0.2\n");
	dhcp_client_probed(lab.client, true, lab.now_ms);
	expect(&lab, "decline to 255.255.255.255\nrefused\n");
	lab_wait(&lab, 10000, 12000);
	expect(&lab, "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "probe 10.0.0.3\n");
	lab_close(&lab);
}

/* The lease is refused, here for another network: at once any other is asked for. */
static void
test_comes_back_elsewhere(void **state)
{
	const struct dhcp_lease lease = { .address = at("192.168.7.7"),
		.server = at("192.168.7.1") };
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops, 0);
	lab_serve(&lab, 1200);
	dhcp_client_restart(lab.client, &lease, lab.now_ms);
	expect(&lab, "request to 255.255.255.255\n"
		     "refused\n"
		     "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "bound 10.0.0.2 1200 s\n");
	lab_close(&lab);
}

/* Nobody knows of the lease: it is asked for twice, then any other is. */
static void
test_comes_back_unknown(void **state)
{
	const struct dhcp_lease lease = { .address = at("10.0.0.9"),
		.server = at("10.0.0.1") };
	struct dhcp_packet packet;
	struct lab lab;

	(void)state;
	lab_open(&lab, &lab_ops, 8000);
	lab_serve(&lab, 1200);
	dhcp_client_restart(lab.client, &lease, lab.now_ms);
	expect(&lab, "request to 255.255.255.255\n");
	lab_wait(&lab, 1000, 3000);
	expect(&lab, "request to 255.255.255.255\n");
	lab_wait(&lab, 3000, 5000);
	expect(&lab, "discover to 255.255.255.255\n"
		     "request to 255.255.255.255\n"
		     "bound 10.0.0.2 1200 s\n");

	/* With nobody at all, it ends when the time is up. An answer for another
	 * address than the one that was asked for does not count. */
	dhcp_server_free(lab.server);
	lab.server = NULL;
	dhcp_client_restart(lab.client, &lease, lab.now_ms);
	expect(&lab, "request to 255.255.255.255\n");
	packet = answer(&lab, DHCP_ACK, "10.0.0.8");
	dhcp_packet_add_address(&packet, DHCP_OPTION_SERVER, at("10.0.0.1"));
	dhcp_packet_add_number(&packet, DHCP_OPTION_LEASE_TIME, 100);
	lab_give(&lab, &packet);
	expect(&lab, "");
	lab_wait(&lab, 1000, 3000);
	expect(&lab, "request to 255.255.255.255\n");
	lab_wait(&lab, 3000, 5000);
	expect(&lab, "discover to 255.255.255.255\n");
	lab_wait(&lab, 0, 5000);
	expect(&lab, "failed: no DHCP server gave an address\n");
	/* Resting, it gives nothing back. */
	dhcp_client_release(lab.client);
	expect(&lab, "");
	lab_close(&lab);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_life),
		cmocka_unit_test(test_lease_runs_out),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_answers_that_do_not_count),
		cmocka_unit_test(test_lease_as_told),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_refused_in_renewal),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_comes_back_elsewhere),
		cmocka_unit_test(test_comes_back_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
