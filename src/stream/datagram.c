#include "stream/datagram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>

#define DATAGRAM_UDP_HEADER_LEN 8 /* RFC 768 */

static bool
datagram_is_of(const struct ifaddrs *entry, struct in_addr address)
{
	struct sockaddr_in sin;

	if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != AF_INET)
		return false;
	memcpy(&sin, entry->ifa_addr, sizeof sin);
	return sin.sin_addr.s_addr == address.s_addr;
}

/* The interface that has the address and can send to all. False: there is none. */
static bool
datagram_find_interface(char name[IF_NAMESIZE], struct in_addr address)
{
	struct ifaddrs *list, *entry;
	bool is_found = false;

	if (getifaddrs(&list) == -1)
		return false;
	for (entry = list; entry != NULL && !is_found; entry = entry->ifa_next) {
		is_found = (entry->ifa_flags & IFF_BROADCAST) != 0 &&
			   datagram_is_of(entry, address);
		if (is_found)
			snprintf(name, IF_NAMESIZE, "%s", entry->ifa_name);
	}
	freeifaddrs(list);
	return is_found;
}

/* The kernel drops what is shorter. */
static int
datagram_drop_short(int fd, uint32_t least)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(
		    BPF_JMP | BPF_JGE | BPF_K, DATAGRAM_UDP_HEADER_LEN + least, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog filter = { .len = sizeof steps / sizeof steps[0],
		.filter = steps };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

static int
datagram_new(bool may_broadcast)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = may_broadcast;

	if (fd != -1)
		setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	return fd;
}

/* Binds a new socket, unless it was not made (fd -1) or not set up (result -1). */
static int
datagram_bind(int fd, int result, struct in_addr address, uint16_t port)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port)
	};
	int saved_errno;

	if (fd == -1 ||
	    (result == 0 && bind(fd, (struct sockaddr *)&sin, sizeof sin) == 0))
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

int
datagram_open(struct in_addr address, uint16_t port, bool may_broadcast)
{
	return datagram_bind(datagram_new(may_broadcast), 0, address, port);
}

int
datagram_open_at_least(struct in_addr address, uint16_t port, uint32_t least)
{
	int fd = datagram_new(false);

	return datagram_bind(
	    fd, fd == -1 ? -1 : datagram_drop_short(fd, least), address, port);
}

int
datagram_open_for_all(struct in_addr address, uint16_t port)
{
	static const struct in_addr any = { .s_addr = INADDR_ANY };
	char name[IF_NAMESIZE];
	int fd;

	if (!datagram_find_interface(name, address))
		return datagram_open(address, port, true);
	fd = datagram_new(true);
	return datagram_bind(fd,
	    fd == -1 ? -1
		     : setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
			   (socklen_t)strlen(name)),
	    any, port);
}
