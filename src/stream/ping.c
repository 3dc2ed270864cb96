#include "stream/ping.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netinet/ip_icmp.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/clock.h"
#include "base/xmalloc.h"

#define PING_DATA_LEN 32 /* random, so that the echo is known by it */
#define PING_LEN (ICMP_MINLEN + PING_DATA_LEN)
#define PING_PACKET_MAX 576 /* bytes that are looked at; an echo is shorter */
#define PING_PACKETS_A_TURN 32 /* so that a flood leaves the loop to others */

struct ping {
	bool is_raw; /* packets come with their IP header */
	ping_done *done;
	void *arg;
	int64_t sent_us, timeout_us;
	struct event *readable; /* owned, with its socket; the time-out too */
	unsigned char data[PING_DATA_LEN];
};

static void
ping_free(struct ping *ping)
{
	evutil_socket_t fd = event_get_fd(ping->readable);

	event_free(ping->readable);
	close(fd);
	free(ping);
}

static void
ping_finish(struct ping *ping, int64_t round_trip_us, int error)
{
	ping_done *done = ping->done;
	void *arg = ping->arg;

	ping_free(ping);
	errno = error;
	done(arg, round_trip_us);
}

/* RFC 1071 */
static uint16_t
ping_checksum(const unsigned char *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum > UINT16_MAX)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Whether the packet is the echo; the socket takes only those of the host. */
static bool
ping_is_echo(const struct ping *ping, const unsigned char *packet, size_t len)
{
	size_t header = 0;

	if (ping->is_raw)
		header = len == 0 ? 0 : (size_t)(packet[0] & 0xF) * 4;
	return len >= header + PING_LEN && packet[header] == ICMP_ECHOREPLY &&
	       memcmp(packet + header + ICMP_MINLEN, ping->data, PING_DATA_LEN) == 0;
}

static void
ping_readable(evutil_socket_t fd, short what, void *arg)
{
	unsigned char packet[PING_PACKET_MAX];
	struct ping *ping = arg;

	for (int i = 0; i < PING_PACKETS_A_TURN; i++) {
		ssize_t n = recv(fd, packet, sizeof packet, 0);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n == -1) {
			ping_finish(ping, -1, errno);
			return;
		}
		if (ping_is_echo(ping, packet, (size_t)n)) {
			ping_finish(ping, clock_monotonic_us() - ping->sent_us, 0);
			return;
		}
	}
	/* What others send puts the time-out of the event off. */
	if ((what & EV_TIMEOUT) != 0 ||
	    clock_monotonic_us() - ping->sent_us >= ping->timeout_us)
		ping_finish(ping, -1, ETIMEDOUT);
}

/* A socket for echoes needs no privileges where net.ipv4.ping_group_range has the
 * group; a raw one needs CAP_NET_RAW. */
static int
ping_open(struct ping *ping)
{
	int type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(AF_INET, type, IPPROTO_ICMP), denied = errno;

	if (fd != -1)
		return fd;
	type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
	fd = socket(AF_INET, type, IPPROTO_ICMP);
	ping->is_raw = true;
	if (fd == -1)
		errno = denied;
	return fd;
}

static int
ping_send(struct ping *ping, int fd, struct in_addr from, struct in_addr address)
{
	const struct sockaddr_in near = { .sin_family = AF_INET, .sin_addr = from };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = address };
	unsigned char packet[PING_LEN] = { ICMP_ECHO };
	uint16_t sum;

	evutil_secure_rng_get_bytes(ping->data, sizeof ping->data);
	memcpy(packet + 4, ping->data, 2); /* which of this host's pings; any will do */
	memcpy(packet + ICMP_MINLEN, ping->data, PING_DATA_LEN);
	sum = htons(ping_checksum(packet, sizeof packet));
	memcpy(packet + 2, &sum, sizeof sum);
	ping->sent_us = clock_monotonic_us();
	if (bind(fd, (const struct sockaddr *)&near, sizeof near) == -1 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof to) == -1)
		return -1;
	return send(fd, packet, sizeof packet, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

struct ping *
ping_start(struct event_base *base, struct in_addr from, struct in_addr address,
    unsigned timeout_ms, ping_done *done, void *arg)
{
	struct timeval timeout = { .tv_sec = timeout_ms / 1000,
		.tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };
	struct ping *ping = xcalloc(1, sizeof *ping);
	int fd = ping_open(ping), saved_errno;

	if (fd == -1 || ping_send(ping, fd, from, address) == -1) {
		saved_errno = errno;
		if (fd != -1)
			close(fd);
		free(ping);
		errno = saved_errno;
		return NULL;
	}
	ping->done = done;
	ping->arg = arg;
	ping->timeout_us = (int64_t)timeout_ms * 1000;
	ping->readable =
	    xcheck(event_new(base, fd, EV_READ | EV_PERSIST, ping_readable, ping));
	event_add(ping->readable, &timeout);
	return ping;
}

void
ping_cancel(struct ping *ping)
{
	ping_free(ping);
}
