/* The least a program can do to carry bytes between a pty and a TCP connection: an
 * epoll loop that reads here and writes there. The ceiling of the STREAM mode rows.
 * usage: bare_bridge     prints the path of the pty and the port, and serves one
 * client. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define BRIDGE_BYTES 65536 /* as socat and ser2net are given */

struct bridge_end {
	int fd;
	uint32_t events; /* what epoll was told last */
	size_t start, len; /* read here, and not yet written to the other end */
	char bytes[BRIDGE_BYTES];
};

static bool
bridge_flush(struct bridge_end *from, const struct bridge_end *to)
{
	ssize_t n = write(to->fd, from->bytes + from->start, from->len);

	if (n == -1)
		return errno == EAGAIN;
	from->start += (size_t)n;
	from->len -= (size_t)n;
	return true;
}

static bool
bridge_read(struct bridge_end *from, const struct bridge_end *to)
{
	ssize_t n = read(from->fd, from->bytes, sizeof from->bytes);

	if (n <= 0)
		return n == -1 && errno == EAGAIN;
	from->start = 0;
	from->len = (size_t)n;
	return bridge_flush(from, to);
}

/* An end is read when nothing read there waits, and written when something waits for
 * it. */
static bool
bridge_arm(int epoll, struct bridge_end *end, const struct bridge_end *other)
{
	uint32_t events =
	    (end->len == 0 ? EPOLLIN : 0u) | (other->len > 0 ? EPOLLOUT : 0u);
	struct epoll_event event = { .events = events, .data.ptr = end };

	if (events == end->events)
		return true;
	end->events = events;
	return epoll_ctl(epoll, EPOLL_CTL_MOD, end->fd, &event) == 0;
}

static bool
bridge_add(int epoll, struct bridge_end *end)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = end };

	end->events = EPOLLIN;
	return fcntl(end->fd, F_SETFL, O_NONBLOCK) == 0 &&
	       epoll_ctl(epoll, EPOLL_CTL_ADD, end->fd, &event) == 0;
}

int
main(void)
{
	static struct bridge_end ends[2];
	int slave, listener, epoll = epoll_create1(0);
	struct epoll_event event;
	unsigned port;

	ends[0].fd = bench_pty_new(&slave);
	listener = bench_tcp_listen(&port);
	if (ends[0].fd == -1 || listener == -1)
		return 2;
	printf("%s %u\n", ptsname(ends[0].fd), port);
	fflush(stdout);
	ends[1].fd = accept(listener, NULL, NULL);
	if (ends[1].fd == -1 || bench_tcp_no_delay(ends[1].fd) == -1 ||
	    !bridge_add(epoll, &ends[0]) || !bridge_add(epoll, &ends[1]))
		return 2;
	for (;;) {
		struct bridge_end *end, *other;

		if (epoll_wait(epoll, &event, 1, -1) != 1) {
			if (errno == EINTR) /* it was stopped, or traced */
				continue;
			return 1;
		}
		end = event.data.ptr;
		other = end == ends ? ends + 1 : ends;
		if (other->len > 0 && (event.events & EPOLLOUT) &&
		    !bridge_flush(other, end))
			return 0;
		if (end->len == 0 && (event.events & ~(uint32_t)EPOLLOUT) &&
		    !bridge_read(end, other))
			return 0;
		if (!bridge_arm(epoll, end, other) || !bridge_arm(epoll, other, end))
			return 1;
	}
}
