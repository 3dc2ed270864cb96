#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <event2/event.h>

#include "device/frames.h"
#include "device/netlink.h"
#include "link/dhcp_client.h"
#include "link/interface.h"

/* The address of a real interface, without one: what the kernel and the DHCP client
 * would do is done here. */

static struct {
	char set[16]; /* the address on the interface; empty: none */
	char said[256]; /* what was told upward, in short */
	const struct frames_ops *frames_ops;
	void *frames_arg;
	const struct dhcp_client_ops *dhcp_ops;
	void *dhcp_arg;
	char asked[16]; /* the address that DHCP began with; empty: any */
	unsigned releases;
	struct event_base *base;
	struct interface *interface;
} rig;

/* device/netlink.h */

int
netlink_link_get(const char *name, struct netlink_link *link)
{
	(void)name;
	*link = (struct netlink_link){ .index = 7, .is_ethernet = true };
	return 0;
}

int
netlink_address_set(unsigned index, const struct netlink_address *address)
{
	assert_int_equal(index, 7);
	snprintf(rig.set, sizeof rig.set, "%s", inet_ntoa(address->ip));
	return 0;
}

int
netlink_clear(unsigned index)
{
	assert_int_equal(index, 7);
	rig.set[0] = '\0';
	return 0;
}

struct netlink_watch *
netlink_watch_new(struct event_base *base, void (*changed)(void *arg), void *arg)
{
	(void)base;
	(void)changed;
	(void)arg;
	return NULL;
}

void
netlink_watch_free(struct netlink_watch *watch)
{
	(void)watch;
}

/* device/frames.h */

struct frames {
	struct in_addr held;
};

struct frames *
frames_open(struct event_base *base, unsigned index, const uint8_t mac[MAC_OCTETS],
    uint16_t port, const struct frames_ops *ops, void *arg)
{
	(void)base;
	(void)index;
	(void)mac;
	(void)port;
	rig.frames_ops = ops;
	rig.frames_arg = arg;
	return calloc(1, sizeof(struct frames));
}

void
frames_close(struct frames *frames)
{
	free(frames);
}

int
frames_send(struct frames *frames, const struct frames_target *target,
    const uint8_t *bytes, size_t len)
{
	(void)frames;
	(void)target;
	(void)bytes;
	(void)len;
	return 0;
}

void
frames_probe(struct frames *frames, struct in_addr address)
{
	(void)frames;
	(void)address;
}

void
frames_announce(struct frames *frames, struct in_addr address)
{
	(void)frames;
	(void)address;
}

void
frames_hold_port(struct frames *frames, struct in_addr address)
{
	frames->held = address;
}

/* link/dhcp_client.h */

struct dhcp_client {
	struct dhcp_lease lease;
};

struct dhcp_client *
dhcp_client_new(const struct dhcp_client_options *options,
    const struct dhcp_client_ops *ops, void *arg)
{
	(void)options;
	rig.dhcp_ops = ops;
	rig.dhcp_arg = arg;
	return calloc(1, sizeof(struct dhcp_client));
}

void
dhcp_client_free(struct dhcp_client *client)
{
	free(client);
}

void
dhcp_client_start(struct dhcp_client *client, int64_t now_ms)
{
	(void)client;
	(void)now_ms;
	rig.asked[0] = '\0';
}

void
dhcp_client_restart(
    struct dhcp_client *client, const struct dhcp_lease *lease, int64_t now_ms)
{
	(void)client;
	(void)now_ms;
	snprintf(rig.asked, sizeof rig.asked, "%s", inet_ntoa(lease->address));
}

void
dhcp_client_release(struct dhcp_client *client)
{
	(void)client;
	rig.releases++;
}

void
dhcp_client_receive(
    struct dhcp_client *client, const uint8_t *bytes, size_t len, int64_t now_ms)
{
	const char *text = (const char *)bytes;

	(void)len;
	(void)now_ms;
	if (strcmp(text, "lost") == 0) {
		rig.dhcp_ops->lost(rig.dhcp_arg, "it says");
	} else if (strcmp(text, "refused") == 0) {
		rig.dhcp_ops->refused(rig.dhcp_arg);
	} else {
		client->lease.address.s_addr = inet_addr(text);
		client->lease.netmask.s_addr = inet_addr("255.255.255.0");
		rig.dhcp_ops->bound(rig.dhcp_arg, &client->lease);
	}
}

void
dhcp_client_probed(struct dhcp_client *client, bool is_in_use, int64_t now_ms)
{
	(void)client;
	(void)is_in_use;
	(void)now_ms;
}

int64_t
dhcp_client_due_ms(const struct dhcp_client *client)
{
	(void)client;
	return -1;
}

void
dhcp_client_tick(struct dhcp_client *client, int64_t now_ms)
{
	(void)client;
	(void)now_ms;
}

const struct dhcp_lease *
dhcp_client_lease(const struct dhcp_client *client)
{
	return &client->lease;
}

/* What is told */

static void
say(const char *what, const char *text)
{
	size_t len = strlen(rig.said);

	snprintf(rig.said + len, sizeof rig.said - len, "%s%s %s", len == 0 ? "" : ", ",
	    what, text);
}

static void
expect(const char *said)
{
	assert_string_equal(rig.said, said);
	rig.said[0] = '\0';
}

static void
told_addressed(void *arg, const struct link_address *address)
{
	assert_ptr_equal(arg, &rig);
	say("up", inet_ntoa(address->ip));
	assert_string_equal(rig.set, inet_ntoa(address->ip));
}

static void
told_lost(void *arg, const char *why)
{
	(void)arg;
	say("lost", why);
	interface_drop(rig.interface);
}

static void
told_line(void *arg, const char *line)
{
	(void)arg;
	say("line", line);
}

static void
told_leased(void *arg, const struct dhcp_lease *lease)
{
	(void)arg;
	say("lease", lease == NULL ? "-" : inet_ntoa(lease->address));
}

static const struct interface_ops told = { .addressed = told_addressed,
	.lost = told_lost,
	.said = told_line,
	.leased = told_leased };

static int
setup(void **state)
{
	memset(&rig, 0, sizeof rig);
	rig.base = event_base_new();
	rig.interface = interface_new(rig.base, "cable0", &told, &rig);
	*state = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	interface_free(rig.interface);
	event_base_free(rig.base);
	return 0;
}

static void
turn(void)
{
	event_base_loop(rig.base, EVLOOP_NONBLOCK);
}

/* A message comes in, which gives an address, or says that it is lost or refused. */
static void
frame(const char *text)
{
	static const uint8_t sender[MAC_OCTETS] = { 2 };

	rig.frames_ops->came(
	    rig.frames_arg, (const uint8_t *)text, strlen(text), sender);
}

/* What waits to be set on the interface is set, whatever comes before its turn. */
static void
test_two_in_one_turn(void **state)
{
	(void)state;
	assert_int_equal(interface_lease(rig.interface, "", NULL), 0);
	frame("10.0.0.2");
	expect("lease 10.0.0.2");
	turn();
	expect("up 10.0.0.2");
	/* A renewal that says nothing new. */
	frame("10.0.0.2");
	turn();
	expect("lease 10.0.0.2");
	frame("10.0.0.3");
	frame("10.0.0.3");
	turn();
	expect("lease 10.0.0.3, lease 10.0.0.3, up 10.0.0.3");
	assert_string_equal(rig.set, "10.0.0.3");
	frame("10.0.0.4");
	frame("10.0.0.3");
	turn();
	expect("lease 10.0.0.4, lease 10.0.0.3, up 10.0.0.3");
	/* What is lost is lost, though something else has come behind it. */
	frame("lost");
	frame("10.0.0.5");
	turn();
	expect("lease -, lease 10.0.0.5, lost it says");
	assert_string_equal(rig.set, "");
	assert_null(interface_leased(rig.interface));
	turn();
	expect("");
}

/* The lease of an earlier time, and what becomes of one at the end. */
static void
test_again(void **state)
{
	const struct dhcp_lease last = { .address = { inet_addr("10.0.0.9") } };

	(void)state;
	assert_int_equal(interface_lease(rig.interface, "", &last), 0);
	assert_string_equal(rig.asked, "10.0.0.9");
	frame("refused");
	expect("lease -");
	frame("10.0.0.2");
	turn();
	expect("lease 10.0.0.2, up 10.0.0.2");
	interface_keep(rig.interface);
	interface_drop(rig.interface);
	assert_string_equal(rig.set, "");
	assert_int_equal(rig.releases, 0);
	assert_int_equal(interface_lease(rig.interface, "", NULL), 0);
	assert_string_equal(rig.asked, "");
	interface_drop(rig.interface);
	assert_int_equal(rig.releases, 1);
	turn();
	expect("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_in_one_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_again, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
