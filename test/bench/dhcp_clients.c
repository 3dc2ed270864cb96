/* Measures a DHCP server from the other end of a cable: many clients without addresses,
 * some of them under way at a time, each with its whole exchange: discover, offer,
 * request, ack.
 * usage: dhcp_clients INTERFACE     prints "ready"; then for each line "MILLISECONDS"
 * of its input the exchanges a second. Fails at an answer that is wrong or missing. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench.h"

#define DHCP_CLIENTS 200 /* fewer than a network of 24 bits has addresses */
#define DHCP_UNDER_WAY 16
#define DHCP_MS_MAX 30000
#define DHCP_PATIENCE_S 5 /* for an answer; none is lost on a cable */
#define DHCP_OPTIONS 240 /* RFC 2131, 2: where they begin, behind the cookie */
#define DHCP_MESSAGE 300 /* RFC 1542, 2.1: the least that is sent */
#define DHCP_MESSAGE_MAX 1500
#define DHCP_YOURS 16
#define DHCP_COOKIE UINT32_C(0x63825363)
#define DHCP_XID UINT32_C(0x5a000000) /* the client's number is added */

enum { DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_ACK = 5 }; /* RFC 2132, 9.6 */
enum { DHCP_OPTION_REQUESTED = 50, DHCP_OPTION_TYPE = 53, DHCP_OPTION_SERVER = 54 };

struct dhcp_client {
	int awaited; /* type of the answer; 0: none */
	uint32_t address; /* what was offered; as it stands in messages */
};

struct dhcp_load {
	int fd;
	struct dhcp_client clients[DHCP_CLIENTS];
	uint32_t next; /* client whose turn it is */
};

static void
dhcp_put(uint8_t *bytes, uint32_t number)
{
	number = htonl(number);
	memcpy(bytes, &number, sizeof number);
}

static uint32_t
dhcp_get(const uint8_t *bytes)
{
	uint32_t number;

	memcpy(&number, bytes, sizeof number);
	return ntohl(number);
}

/* server: as it stands in messages, for a request. */
static bool
dhcp_send(struct dhcp_load *load, uint32_t number, uint8_t type, uint32_t server)
{
	struct sockaddr_in all = { .sin_family = AF_INET,
		.sin_port = htons(67),
		.sin_addr.s_addr = htonl(INADDR_BROADCAST) };
	/* Ethernet; the answer is to go to all, as the client has no address. */
	uint8_t bytes[DHCP_MESSAGE] = { 1, 1, 6, 0 }, *at = bytes + DHCP_OPTIONS;
	static const uint8_t wanted[] = { 55, 4, 1, 3, 6, 51 };

	dhcp_put(bytes + 4, DHCP_XID + number);
	bytes[10] = 0x80;
	bytes[28] = 2; /* a MAC address of nobody's */
	dhcp_put(bytes + 30, number);
	dhcp_put(bytes + DHCP_OPTIONS - 4, DHCP_COOKIE);
	*at++ = DHCP_OPTION_TYPE;
	*at++ = 1;
	*at++ = type;
	if (type == DHCP_REQUEST) {
		*at++ = DHCP_OPTION_REQUESTED;
		*at++ = 4;
		dhcp_put(at, load->clients[number].address);
		at += 4;
		*at++ = DHCP_OPTION_SERVER;
		*at++ = 4;
		dhcp_put(at, server);
		at += 4;
	}
	memcpy(at, wanted, sizeof wanted);
	at[sizeof wanted] = 255;
	load->clients[number].awaited = type == DHCP_DISCOVER ? DHCP_OFFER : DHCP_ACK;
	return sendto(load->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&all,
		   sizeof all) == (ssize_t)sizeof bytes;
}

/* The number in an option of at most four bytes. */
static bool
dhcp_option(const uint8_t *bytes, size_t len, uint8_t option, uint32_t *number)
{
	for (size_t at = DHCP_OPTIONS; at + 1 < len && bytes[at] != 255;) {
		size_t size = bytes[at + 1];

		if (bytes[at] == 0) {
			at++;
			continue;
		}
		if (at + 2 + size > len)
			return false;
		if (bytes[at] == option && size <= 4) {
			*number = 0;
			for (size_t i = 0; i < size; i++)
				*number = *number << 8 | bytes[at + 2 + i];
			return true;
		}
		at += 2 + size;
	}
	return false;
}

/* No two clients have the same address. */
static bool
dhcp_is_unique(const struct dhcp_load *load, uint32_t number, uint32_t address)
{
	for (uint32_t i = 0; i < DHCP_CLIENTS; i++) {
		if (i != number && load->clients[i].address == address)
			return false;
	}
	return address != 0;
}

static bool
dhcp_begin(struct dhcp_load *load)
{
	while (load->clients[load->next].awaited != 0)
		load->next = (load->next + 1) % DHCP_CLIENTS;
	return dhcp_send(load, load->next, DHCP_DISCOVER, 0);
}

/* Takes an answer and goes on. *ended: an exchange came to its end. */
static bool
dhcp_turn(struct dhcp_load *load, bool *ended)
{
	uint8_t bytes[DHCP_MESSAGE_MAX];
	ssize_t n = recv(load->fd, bytes, sizeof bytes, 0);
	uint32_t number, type, server, address;
	struct dhcp_client *client;

	*ended = false;
	if (n < DHCP_OPTIONS)
		return false;
	number = dhcp_get(bytes + 4) - DHCP_XID;
	if (bytes[0] != 2 || number >= DHCP_CLIENTS || dhcp_get(bytes + 30) != number ||
	    !dhcp_option(bytes, (size_t)n, DHCP_OPTION_TYPE, &type) ||
	    !dhcp_option(bytes, (size_t)n, DHCP_OPTION_SERVER, &server))
		return false;
	client = &load->clients[number];
	address = dhcp_get(bytes + DHCP_YOURS);
	if (client->awaited == 0 || type != (uint32_t)client->awaited)
		return false;
	if (type == DHCP_OFFER) {
		if (address != client->address &&
		    !dhcp_is_unique(load, number, address))
			return false;
		client->address = address;
		return dhcp_send(load, number, DHCP_REQUEST, server);
	}
	client->awaited = 0;
	*ended = true;
	return address == client->address;
}

static bool
dhcp_measure(struct dhcp_load *load, int64_t duration_ns)
{
	int64_t start = bench_now_ns(), passed;
	long under_way = 0, exchanges = 0;
	bool ended;

	for (; under_way < DHCP_UNDER_WAY; under_way++) {
		if (!dhcp_begin(load))
			return false;
	}
	/* Those under way at the end come to theirs. */
	for (; under_way > 0; under_way -= ended) {
		if (!dhcp_turn(load, &ended))
			return false;
		if (!ended)
			continue;
		exchanges++;
		if (bench_now_ns() - start >= duration_ns)
			continue;
		under_way++;
		if (!dhcp_begin(load))
			return false;
	}
	passed = bench_now_ns() - start;
	printf("%.0f\n", (double)exchanges * 1e9 / (double)passed);
	fflush(stdout);
	return true;
}

static int
dhcp_open(const char *interface)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(68) };
	struct timeval patience = { .tv_sec = DHCP_PATIENCE_S };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
		(socklen_t)strlen(interface)) == -1 ||
	    bind(fd, (struct sockaddr *)&own, sizeof own) == -1)
		return -1;
	return fd;
}

int
main(int argc, char **argv)
{
	static struct dhcp_load load;
	char line[64];

	if (argc != 2)
		return 2;
	load.fd = dhcp_open(argv[1]);
	if (load.fd == -1) {
		fprintf(stderr, "dhcp_clients: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		long ms = strtol(line, NULL, 10);

		if (ms < 1 || ms > DHCP_MS_MAX)
			return 2;
		if (!dhcp_measure(&load, ms * INT64_C(1000000))) {
			fputs("dhcp_clients: another answer than expected, or none\n",
			    stderr);
			return 1;
		}
	}
	return 0;
}
