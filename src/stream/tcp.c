#include "stream/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#define TCP_BACKLOG 128 /* connections that the kernel queues */

static int
tcp_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

int
tcp_prepare(int fd, const struct tcp_keepalive *keepalive)
{
	int flags = fcntl(fd, F_GETFL);

	/* The kernel makes twice the number of it, for its own part; what a window is
	 * offers about the number itself. */
	if (keepalive->receive_max > 0 &&
	    tcp_set(fd, SOL_SOCKET, SO_RCVBUF, (int)keepalive->receive_max) == -1)
		return -1;
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
	    tcp_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)keepalive->idle_s) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)keepalive->interval_s) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_KEEPCNT, (int)keepalive->count) == -1)
		return -1;
	return 0;
}

size_t
tcp_unacknowledged(int fd)
{
	int bytes = 0;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

int
tcp_listen(const char *address, uint16_t port, const struct tcp_keepalive *keepalive)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved_errno;

	if (fd == -1)
		return -1;
	/* On Linux the accepted sockets inherit all of this. */
	if (inet_pton(AF_INET, address, &sin.sin_addr) == 1 &&
	    tcp_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == 0 &&
	    tcp_prepare(fd, keepalive) == 0 &&
	    bind(fd, (struct sockaddr *)&sin, sizeof sin) == 0 &&
	    listen(fd, TCP_BACKLOG) == 0)
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

uint16_t
tcp_port_near(int fd)
{
	struct sockaddr_in sin = { .sin_port = 0 };
	socklen_t len = sizeof sin;

	if (getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		return 0;
	return ntohs(sin.sin_port);
}
