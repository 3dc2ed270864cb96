#include "device/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

#include "base/xmalloc.h"

#define FRAMES_A_TURN 32 /* so that a flood leaves the loop to others */
#define FRAMES_TTL 64
#define FRAMES_HEADERS_LEN (sizeof(struct iphdr) + sizeof(struct udphdr))
/* Chosen: RFC 5227 asks three times, seconds apart; that is long for who waits. */
#define FRAMES_PROBES 3
#define FRAMES_PROBE_MS 200

/* RFC 826, for Ethernet and IPv4 */
struct frames_arp {
	struct arphdr header;
	uint8_t sender_mac[MAC_OCTETS];
	uint8_t sender_ip[4];
	uint8_t target_mac[MAC_OCTETS];
	uint8_t target_ip[4];
};

struct frames {
	unsigned index; /* of the interface */
	uint8_t mac[MAC_OCTETS];
	uint16_t port;
	const struct frames_ops *ops;
	void *arg;
	struct event *datagrams; /* owned, with its socket */
	struct event *arp; /* owned, with its socket; NULL unless it asks */
	struct event *timer; /* owned; the next probe */
	struct in_addr probed;
	unsigned probes_left;
	int held_port; /* owned; -1: none */
	uint16_t ip_id; /* of the next datagram */
};

/* Has the kernel pass only UDP to the port, and no fragments. */
static int
frames_filter_port(int fd, uint16_t port)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9), /* protocol */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* flags and offset */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IP_MF | IP_OFFMASK, 4, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* length of the header */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2), /* port, behind it */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = { .len = sizeof steps / sizeof steps[0],
		.filter = steps };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

/* A socket for one protocol over the interface, without the frames' headers. It hears
 * nothing before it is bound, so the filter sees all. */
static int
frames_socket(unsigned index, uint16_t protocol, uint16_t port)
{
	const struct sockaddr_ll near = { .sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)index };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved_errno;

	if (fd == -1)
		return -1;
	if ((port == 0 || frames_filter_port(fd, port) == 0) &&
	    bind(fd, (const struct sockaddr *)&near, sizeof near) == 0)
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

const uint8_t *
frames_body(const uint8_t *packet, size_t len, size_t *body_len)
{
	size_t header, total, udp;

	if (len < sizeof(struct iphdr) || packet[0] >> 4 != IPVERSION)
		return NULL;
	header = (size_t)(packet[0] & 0xF) * 4;
	total = (size_t)packet[2] << 8 | packet[3];
	if (header < sizeof(struct iphdr) || total > len ||
	    total < header + sizeof(struct udphdr))
		return NULL;
	udp = (size_t)packet[header + 4] << 8 | packet[header + 5];
	if (udp < sizeof(struct udphdr) || udp > total - header)
		return NULL;
	*body_len = udp - sizeof(struct udphdr);
	return packet + header + sizeof(struct udphdr);
}

static void
frames_datagram(evutil_socket_t fd, short what, void *arg)
{
	/* One more shows what is too long. */
	uint8_t packet[FRAMES_HEADERS_LEN + FRAMES_DATAGRAM_MAX + 1];
	struct sockaddr_ll from = { .sll_halen = 0 };
	socklen_t from_len = sizeof from;
	const struct frames *frames = arg;
	ssize_t n =
	    recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &from_len);
	const uint8_t *body;
	size_t len;

	(void)what;
	/* One at a time: each may be the last. */
	if (n == -1 || (size_t)n == sizeof packet ||
	    from.sll_pkttype == PACKET_OUTGOING || from.sll_pkttype == PACKET_OTHERHOST)
		return;
	body = frames_body(packet, (size_t)n, &len);
	if (body != NULL)
		frames->ops->came(frames->arg, body, len, from.sll_addr);
}

static void
frames_close_event(struct event *event)
{
	evutil_socket_t fd;

	if (event == NULL)
		return;
	fd = event_get_fd(event);
	event_free(event);
	close(fd);
}

/* Ends a question without an answer. */
static void
frames_probe_stop(struct frames *frames)
{
	frames_close_event(frames->arp);
	frames->arp = NULL;
	event_del(frames->timer);
}

static void
frames_probe_end(struct frames *frames, bool is_in_use)
{
	frames_probe_stop(frames);
	frames->ops->probed(frames->arg, is_in_use);
}

/* RFC 5227, 2.1.1: a host that has the address, or another one that is asking. */
static bool
frames_has_conflict(const struct frames *frames, const struct frames_arp *arp)
{
	static const uint8_t none[4] = { 0 };
	bool is_own = memcmp(arp->sender_mac, frames->mac, MAC_OCTETS) == 0;

	if (is_own || ntohs(arp->header.ar_pro) != ETH_P_IP ||
	    arp->header.ar_hln != MAC_OCTETS || arp->header.ar_pln != sizeof none)
		return false;
	if (memcmp(arp->sender_ip, &frames->probed, sizeof none) == 0)
		return true;
	return ntohs(arp->header.ar_op) == ARPOP_REQUEST &&
	       memcmp(arp->sender_ip, none, sizeof none) == 0 &&
	       memcmp(arp->target_ip, &frames->probed, sizeof none) == 0;
}

static void
frames_arp(evutil_socket_t fd, short what, void *arg)
{
	struct frames *frames = arg;
	struct frames_arp arp;

	(void)what;
	for (int i = 0; i < FRAMES_A_TURN; i++) {
		ssize_t n = recv(fd, &arp, sizeof arp, 0);

		if (n == -1)
			break;
		if (n == sizeof arp && frames_has_conflict(frames, &arp)) {
			frames_probe_end(frames, true);
			return;
		}
	}
}

/* A question for the address, from itself or from nobody. */
static void
frames_send_arp(struct frames *frames, struct in_addr from, struct in_addr target)
{
	struct frames_arp arp = { .header = { .ar_hrd = htons(ARPHRD_ETHER),
				      .ar_pro = htons(ETH_P_IP),
				      .ar_hln = MAC_OCTETS,
				      .ar_pln = sizeof from,
				      .ar_op = htons(ARPOP_REQUEST) } };
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = (int)frames->index,
		.sll_halen = MAC_OCTETS };

	memset(to.sll_addr, 0xFF, MAC_OCTETS);
	memcpy(arp.sender_mac, frames->mac, MAC_OCTETS);
	memcpy(arp.sender_ip, &from, sizeof from);
	memcpy(arp.target_ip, &target, sizeof target);
	/* What is lost is asked again, and an announcement is only a courtesy. */
	(void)sendto(event_get_fd(frames->datagrams), &arp, sizeof arp, MSG_NOSIGNAL,
	    (const struct sockaddr *)&to, sizeof to);
}

static void
frames_next_probe(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pause = { .tv_usec = FRAMES_PROBE_MS * 1000 };
	static const struct in_addr nobody = { 0 };
	struct frames *frames = arg;

	(void)fd;
	(void)what;
	if (frames->probes_left == 0) {
		frames_probe_end(frames, false);
		return;
	}
	frames->probes_left--;
	frames_send_arp(frames, nobody, frames->probed);
	event_add(frames->timer, &pause);
}

void
frames_probe(struct frames *frames, struct in_addr address)
{
	static const struct timeval now = { 0 };
	int fd = frames_socket(frames->index, ETH_P_ARP, 0);

	frames_probe_stop(frames);
	frames->probed = address;
	/* Chosen: where nobody can be asked, nobody has it. */
	frames->probes_left = fd == -1 ? 0 : FRAMES_PROBES;
	if (fd != -1) {
		frames->arp = xcheck(event_new(event_get_base(frames->datagrams), fd,
		    EV_READ | EV_PERSIST, frames_arp, frames));
		event_add(frames->arp, NULL);
	}
	event_add(frames->timer, &now);
}

void
frames_announce(struct frames *frames, struct in_addr address)
{
	frames_send_arp(frames, address, address);
}

/* RFC 1071, over bytes in network order; sum is that of what came before. */
static uint32_t
frames_sum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (len % 2 == 1)
		sum += (uint32_t)bytes[len - 1] << 8;
	return sum;
}

static uint16_t
frames_checksum(uint32_t sum)
{
	while (sum > UINT16_MAX)
		sum = (sum & UINT16_MAX) + (sum >> 16);
	return htons((uint16_t)~sum);
}

int
frames_send(struct frames *frames, const struct frames_target *target,
    const uint8_t *bytes, size_t len)
{
	uint8_t packet[FRAMES_HEADERS_LEN + FRAMES_DATAGRAM_MAX] = { 0 };
	uint16_t udp_len = (uint16_t)(sizeof(struct udphdr) + len);
	struct iphdr ip = { .version = IPVERSION,
		.ihl = sizeof(struct iphdr) / 4,
		.tot_len = htons((uint16_t)(FRAMES_HEADERS_LEN + len)),
		.id = htons(frames->ip_id++),
		.ttl = FRAMES_TTL,
		.protocol = IPPROTO_UDP,
		.saddr = target->from.s_addr,
		.daddr = target->to.s_addr };
	struct udphdr udp = { .source = htons(target->from_port),
		.dest = htons(target->to_port),
		.len = htons(udp_len) };
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_ifindex = (int)frames->index,
		.sll_halen = MAC_OCTETS };
	uint32_t sum;

	if (len > FRAMES_DATAGRAM_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	memcpy(packet, &ip, sizeof ip);
	memcpy(packet + sizeof ip, &udp, sizeof udp);
	memcpy(packet + FRAMES_HEADERS_LEN, bytes, len);
	/* RFC 768: with the addresses, the protocol and the length; never 0. */
	sum = frames_sum(packet + offsetof(struct iphdr, saddr),
	    sizeof ip.saddr + sizeof ip.daddr, IPPROTO_UDP + udp_len);
	udp.check = frames_checksum(frames_sum(packet + sizeof ip, udp_len, sum));
	if (udp.check == 0)
		udp.check = UINT16_MAX;
	ip.check = frames_checksum(frames_sum(packet, sizeof ip, 0));
	memcpy(packet, &ip, sizeof ip);
	memcpy(packet + sizeof ip, &udp, sizeof udp);
	if (target->mac == NULL)
		memset(to.sll_addr, 0xFF, MAC_OCTETS);
	else
		memcpy(to.sll_addr, target->mac, MAC_OCTETS);
	return sendto(event_get_fd(frames->datagrams), packet, FRAMES_HEADERS_LEN + len,
		   MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) == -1
		   ? -1
		   : 0;
}

void
frames_hold_port(struct frames *frames, struct in_addr address)
{
	struct sock_filter nothing[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	const struct sock_fprog filter = { .len = 1, .filter = nothing };
	const struct sockaddr_in near = { .sin_family = AF_INET,
		.sin_addr = address,
		.sin_port = htons(frames->port) };

	if (frames->held_port != -1)
		close(frames->held_port);
	frames->held_port = -1;
	if (address.s_addr == 0)
		return;
	frames->held_port = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* If somebody has the port already, the kernel does not answer either. */
	if (frames->held_port == -1 ||
	    setsockopt(frames->held_port, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		sizeof filter) == -1 ||
	    bind(frames->held_port, (const struct sockaddr *)&near, sizeof near) == -1)
		return;
}

struct frames *
frames_open(struct event_base *base, unsigned index, const uint8_t mac[MAC_OCTETS],
    uint16_t port, const struct frames_ops *ops, void *arg)
{
	int datagrams = frames_socket(index, ETH_P_IP, port);
	struct frames *frames;

	if (datagrams == -1)
		return NULL;
	frames = xcalloc(1, sizeof *frames);
	frames->index = index;
	memcpy(frames->mac, mac, MAC_OCTETS);
	frames->port = port;
	frames->ops = ops;
	frames->arg = arg;
	frames->held_port = -1;
	frames->datagrams = xcheck(
	    event_new(base, datagrams, EV_READ | EV_PERSIST, frames_datagram, frames));
	frames->timer = xcheck(event_new(base, -1, 0, frames_next_probe, frames));
	event_add(frames->datagrams, NULL);
	return frames;
}

void
frames_close(struct frames *frames)
{
	if (frames == NULL)
		return;
	frames_hold_port(frames, (struct in_addr){ 0 });
	frames_probe_stop(frames);
	frames_close_event(frames->datagrams);
	event_free(frames->timer);
	free(frames);
}
