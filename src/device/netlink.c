#include "device/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include "base/xmalloc.h"

/* The mark: the protocol of an address, route or rule, which says who set it. Any
 * number that nobody else has. rtnetlink(7), RTPROT_*; addresses have it since
 * Linux 5.18. */
#define NETLINK_MARK 90
#ifndef IFA_PROTO /* of <linux/if_addr.h> since Linux 5.18 */
#define IFA_PROTO 11
#endif

#define NETLINK_TABLE 0x5A000000u /* and the index of the interface */
#define NETLINK_REQUEST_MAX                                                            \
	256 /* bytes of a request; ours have less than half of it                      \
	     */
#define NETLINK_ANSWER_MAX 32768 /* bytes at a time; what the kernel uses at most */
#define NETLINK_MARKED_MAX 64 /* things to be taken away at a time */
#define NETLINK_NEWS_A_TURN 64 /* so that many leave the loop to others */
#define NETLINK_PREFIX_BROADCAST_MAX 30 /* longer ones have no address for all */

/* One question to the kernel, and its answer. */
struct netlink_question {
	union {
		struct nlmsghdr header;
		char bytes[NETLINK_REQUEST_MAX];
	} request;
	mnl_cb_t answered; /* for each message of the answer; NULL: none is wanted */
	void *arg;
};

static void
netlink_begin(struct netlink_question *question, uint16_t type, uint16_t flags,
    const void *family, size_t len)
{
	struct nlmsghdr *header;

	memset(question, 0, sizeof *question);
	header = mnl_nlmsg_put_header(&question->request);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = 1;
	memcpy(mnl_nlmsg_put_extra_header(header, len), family, len);
}

static int
netlink_receive(struct mnl_socket *socket, struct netlink_question *question)
{
	char answer[NETLINK_ANSWER_MAX];
	int result = MNL_CB_OK;

	while (result == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(socket, answer, sizeof answer);

		if (n == -1)
			return -1;
		result = mnl_cb_run(answer, (size_t)n, 1, mnl_socket_get_portid(socket),
		    question->answered, question->arg);
	}
	return result == MNL_CB_ERROR ? -1 : 0;
}

static int
netlink_ask(struct netlink_question *question)
{
	struct mnl_socket *socket =
	    mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const struct nlmsghdr *header = &question->request.header;
	int result = -1, saved_errno;

	if (socket == NULL)
		return -1;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(socket, header, header->nlmsg_len) != -1)
		result = netlink_receive(socket, question);
	saved_errno = errno;
	mnl_socket_close(socket);
	errno = saved_errno;
	return result;
}

/* Interfaces */

static int
netlink_read_link(const struct nlmsghdr *header, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct nlattr *attribute; /* the macro wants it so */
	struct netlink_link *link = arg;
	uint8_t state = IF_OPER_UNKNOWN;

	link->index = (unsigned)info->ifi_index;
	link->is_ethernet = info->ifi_type == ARPHRD_ETHER;
	mnl_attr_for_each(attribute, header, sizeof *info)
	{
		if (mnl_attr_get_type(attribute) == IFLA_OPERSTATE &&
		    mnl_attr_get_payload_len(attribute) >= sizeof state)
			state = mnl_attr_get_u8(attribute);
		else if (mnl_attr_get_type(attribute) == IFLA_ADDRESS &&
			 mnl_attr_get_payload_len(attribute) == MAC_OCTETS)
			memcpy(link->mac, mnl_attr_get_payload(attribute), MAC_OCTETS);
	}
	/* A station of Wi-Fi is dormant, not up, until it may send. RFC 2863, 3.1.12 */
	link->has_carrier = (info->ifi_flags & IFF_UP) != 0 &&
			    (info->ifi_flags & IFF_LOWER_UP) != 0 &&
			    (state == IF_OPER_UP || state == IF_OPER_UNKNOWN);
	return MNL_CB_OK;
}

int
netlink_link_get(const char *name, struct netlink_link *link)
{
	const struct ifinfomsg family = { .ifi_family = AF_UNSPEC };
	struct netlink_question question;

	memset(link, 0, sizeof *link);
	netlink_begin(&question, RTM_GETLINK, NLM_F_ACK, &family, sizeof family);
	mnl_attr_put_strz(&question.request.header, IFLA_IFNAME, name);
	question.answered = netlink_read_link;
	question.arg = link;
	return netlink_ask(&question);
}

/* Addresses and routes */

static uint8_t
netlink_prefix(struct in_addr netmask)
{
	return (uint8_t)__builtin_popcount(netmask.s_addr);
}

static uint32_t
netlink_table(unsigned index)
{
	return NETLINK_TABLE + index;
}

static int
netlink_add_address(unsigned index, const struct netlink_address *address)
{
	const struct ifaddrmsg family = { .ifa_family = AF_INET,
		.ifa_prefixlen = netlink_prefix(address->netmask),
		.ifa_index = index };
	struct netlink_question question;
	struct nlmsghdr *header = &question.request.header;

	netlink_begin(&question, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
	    &family, sizeof family);
	mnl_attr_put_u32(header, IFA_LOCAL, address->ip.s_addr);
	mnl_attr_put_u32(header, IFA_ADDRESS, address->ip.s_addr);
	if (family.ifa_prefixlen <= NETLINK_PREFIX_BROADCAST_MAX)
		mnl_attr_put_u32(header, IFA_BROADCAST,
		    address->ip.s_addr | ~address->netmask.s_addr);
	mnl_attr_put_u8(header, IFA_PROTO, NETLINK_MARK);
	return netlink_ask(&question);
}

/* A route of the interface's table: to its network or, over the gateway, to all. */
static int
netlink_add_route(
    unsigned index, const struct netlink_address *address, bool to_network)
{
	const struct rtmsg family = { .rtm_family = AF_INET,
		.rtm_dst_len = to_network ? netlink_prefix(address->netmask) : 0,
		.rtm_protocol = NETLINK_MARK,
		.rtm_scope = to_network ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST };
	struct netlink_question question;
	struct nlmsghdr *header = &question.request.header;

	netlink_begin(&question, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK,
	    &family, sizeof family);
	mnl_attr_put_u32(header, RTA_TABLE, netlink_table(index));
	mnl_attr_put_u32(header, RTA_OIF, index);
	mnl_attr_put_u32(header, RTA_PREFSRC, address->ip.s_addr);
	if (to_network)
		mnl_attr_put_u32(
		    header, RTA_DST, address->ip.s_addr & address->netmask.s_addr);
	else
		mnl_attr_put_u32(header, RTA_GATEWAY, address->gateway.s_addr);
	return netlink_ask(&question);
}

/* What comes from the address looks into the interface's table first. */
static int
netlink_add_rule(unsigned index, struct in_addr from)
{
	const struct fib_rule_hdr family = {
		.family = AF_INET, .src_len = 32, .action = FR_ACT_TO_TBL
	};
	struct netlink_question question;
	struct nlmsghdr *header = &question.request.header;

	netlink_begin(&question, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK,
	    &family, sizeof family);
	mnl_attr_put_u32(header, FRA_SRC, from.s_addr);
	mnl_attr_put_u32(header, FRA_TABLE, netlink_table(index));
	mnl_attr_put_u8(header, FRA_PROTOCOL, NETLINK_MARK);
	return netlink_ask(&question);
}

int
netlink_address_set(unsigned index, const struct netlink_address *address)
{
	if (netlink_add_address(index, address) == -1 && errno != EEXIST)
		return -1;
	if (address->gateway.s_addr == 0)
		return 0;
	if (netlink_add_route(index, address, true) == -1 ||
	    netlink_add_route(index, address, false) == -1)
		return -1;
	return netlink_add_rule(index, address->ip) == -1 && errno != EEXIST ? -1 : 0;
}

/* What carries the mark. Each is told as a message that adds it, so one that removes it
 * has the same body. */
struct netlink_marked {
	unsigned index; /* of the interface; its table is netlink_table(index) */
	struct netlink_question removals[NETLINK_MARKED_MAX];
	size_t count;
};

/* The number in an attribute; otherwise if there is none. */
static uint32_t
netlink_number(
    const struct nlmsghdr *header, size_t offset, uint16_t type, uint32_t otherwise)
{
	struct nlattr *attribute; /* the macro wants it so */

	mnl_attr_for_each(attribute, header, offset)
	{
		if (mnl_attr_get_type(attribute) != type)
			continue;
		if (mnl_attr_get_payload_len(attribute) == 1)
			return mnl_attr_get_u8(attribute);
		if (mnl_attr_get_payload_len(attribute) == 4)
			return mnl_attr_get_u32(attribute);
	}
	return otherwise;
}

/* Whether the message, which tells one of them, is of something to be taken away. */
static bool
netlink_is_marked(const struct nlmsghdr *header, unsigned index)
{
	const void *family = mnl_nlmsg_get_payload(header);
	const struct ifaddrmsg *address = family;
	const struct rtmsg *route = family;
	uint32_t table;

	switch (header->nlmsg_type) {
	case RTM_NEWADDR:
		return address->ifa_index == index &&
		       netlink_number(header, sizeof *address, IFA_PROTO, 0) ==
			   NETLINK_MARK;
	case RTM_NEWROUTE:
		return route->rtm_protocol == NETLINK_MARK &&
		       netlink_number(header, sizeof *route, RTA_TABLE, 0) ==
			   netlink_table(index);
	case RTM_NEWRULE:
		table =
		    netlink_number(header, sizeof(struct fib_rule_hdr), FRA_TABLE, 0);
		return table == netlink_table(index) &&
		       netlink_number(header, sizeof(struct fib_rule_hdr), FRA_PROTOCOL,
			   0) == NETLINK_MARK;
	default:
		return false;
	}
}

static int
netlink_note_marked(const struct nlmsghdr *header, void *arg)
{
	struct netlink_marked *marked = arg;
	struct netlink_question *removal = &marked->removals[marked->count];

	if (marked->count == NETLINK_MARKED_MAX ||
	    header->nlmsg_len > sizeof removal->request ||
	    !netlink_is_marked(header, marked->index))
		return MNL_CB_OK;
	memset(removal, 0, sizeof *removal);
	memcpy(&removal->request, header, header->nlmsg_len);
	/* RTM_NEW and RTM_DEL of a kind are neighbours. */
	removal->request.header.nlmsg_type = header->nlmsg_type + 1;
	removal->request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	removal->request.header.nlmsg_seq = 1;
	removal->request.header.nlmsg_pid = 0;
	marked->count++;
	return MNL_CB_OK;
}

/* What is gone by itself, with its interface or address, is gone too. */
static int
netlink_clear_kind(uint16_t type, const void *family, size_t len, unsigned index)
{
	struct netlink_marked *marked = xcalloc(1, sizeof *marked);
	struct netlink_question question;
	int result, error = 0;

	marked->index = index;
	netlink_begin(&question, type, NLM_F_DUMP, family, len);
	question.answered = netlink_note_marked;
	question.arg = marked;
	result = netlink_ask(&question);
	if (result == -1)
		error = errno;
	for (size_t i = 0; i < marked->count; i++) {
		if (netlink_ask(&marked->removals[i]) == -1 && errno != ENOENT &&
		    errno != ESRCH && errno != EADDRNOTAVAIL && errno != ENODEV) {
			result = -1;
			error = errno;
		}
	}
	free(marked);
	errno = error;
	return result;
}

int
netlink_clear(unsigned index)
{
	const struct fib_rule_hdr rule = { .family = AF_INET };
	const struct rtmsg route = { .rtm_family = AF_INET };
	const struct ifaddrmsg address = { .ifa_family = AF_INET };

	if (netlink_clear_kind(RTM_GETRULE, &rule, sizeof rule, index) == -1 ||
	    netlink_clear_kind(RTM_GETROUTE, &route, sizeof route, index) == -1)
		return -1;
	return netlink_clear_kind(RTM_GETADDR, &address, sizeof address, index);
}

/* News */

struct netlink_watch {
	struct mnl_socket *socket; /* owned */
	struct event *readable; /* owned */
	void (*changed)(void *arg);
	void *arg;
};

/* What the news say is asked anew by whoever wants to know, so none can be missed. */
static void
netlink_readable(evutil_socket_t fd, short what, void *arg)
{
	const struct netlink_watch *watch = arg;
	char news[NETLINK_ANSWER_MAX];

	(void)fd;
	(void)what;
	for (int i = 0; i < NETLINK_NEWS_A_TURN; i++) {
		if (mnl_socket_recvfrom(watch->socket, news, sizeof news) == -1 &&
		    errno != ENOBUFS)
			break;
	}
	watch->changed(watch->arg);
}

struct netlink_watch *
netlink_watch_new(struct event_base *base, void (*changed)(void *arg), void *arg)
{
	struct mnl_socket *socket =
	    mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct netlink_watch *watch;
	int saved_errno;

	if (socket == NULL)
		return NULL;
	if (mnl_socket_bind(socket, RTMGRP_LINK, MNL_SOCKET_AUTOPID) == -1) {
		saved_errno = errno;
		mnl_socket_close(socket);
		errno = saved_errno;
		return NULL;
	}
	watch = xcalloc(1, sizeof *watch);
	watch->socket = socket;
	watch->changed = changed;
	watch->arg = arg;
	watch->readable = xcheck(event_new(base, mnl_socket_get_fd(socket),
	    EV_READ | EV_PERSIST, netlink_readable, watch));
	event_add(watch->readable, NULL);
	return watch;
}

void
netlink_watch_free(struct netlink_watch *watch)
{
	if (watch == NULL)
		return;
	event_free(watch->readable);
	mnl_socket_close(watch->socket);
	free(watch);
}
