#include "stream/multicast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "stream/tcp.h"

/* So that a flood leaves the loop to others: one may take milliseconds to read. */
#define MULTICAST_DATAGRAMS_A_TURN 4
#define MULTICAST_TTL 255 /* RFC 6762, 11 */

struct multicast {
	struct multicast_options options;
	uint16_t port;
	multicast_received *received;
	void *arg;
	/* Bound to the group alone, so that nothing else is heard by it; and to the
	 * address, which sends. Owned, with their sockets. */
	struct event *group, *own;
};

static int
multicast_set(int fd, int name, int value)
{
	return setsockopt(fd, IPPROTO_IP, name, &value, sizeof value);
}

static int
multicast_share(int fd, int is_shared)
{
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &is_shared, sizeof is_shared);
}

/* Binds a socket to a port that others may have too. One that is any free port is not
 * taken from those that others share. 0, or -1 and errno. */
static int
multicast_bind(int fd, struct in_addr address, uint16_t port)
{
	const struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(port)
	};

	if (multicast_share(fd, port != 0) == -1 ||
	    bind(fd, (const struct sockaddr *)&sin, sizeof sin) == -1)
		return -1;
	return multicast_share(fd, 1);
}

/* -1 and errno. */
static int
multicast_socket(struct in_addr address, uint16_t port)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved_errno;

	if (fd == -1)
		return -1;
	/* Else it would hear of groups that other sockets have joined. */
	if (multicast_set(fd, IP_MULTICAST_ALL, 0) == 0 &&
	    multicast_bind(fd, address, port) == 0)
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

static int
multicast_join(int fd, const struct multicast_options *options)
{
	const struct ip_mreq request = { .imr_multiaddr = options->group,
		.imr_interface = options->near };

	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
}

static int
multicast_aim(int fd, const struct multicast_options *options)
{
	if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &options->near,
		sizeof options->near) == -1 ||
	    multicast_set(fd, IP_MULTICAST_LOOP, 1) == -1 ||
	    multicast_set(fd, IP_MULTICAST_TTL, MULTICAST_TTL) == -1)
		return -1;
	return multicast_set(fd, IP_TTL, MULTICAST_TTL);
}

static void
multicast_readable(evutil_socket_t fd, short what, void *arg)
{
	uint8_t bytes[MULTICAST_DATAGRAM_MAX + 1]; /* one more shows what is too long */
	struct multicast *self = arg;
	bool to_group = fd == event_get_fd(self->group);

	(void)what;
	for (int i = 0; i < MULTICAST_DATAGRAMS_A_TURN; i++) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		ssize_t n = recvfrom(
		    fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);

		if (n == -1)
			break;
		if (n <= MULTICAST_DATAGRAM_MAX)
			self->received(self->arg, bytes, (size_t)n, &from, to_group);
	}
}

static struct event *
multicast_listen(struct event_base *base, struct multicast *self, int fd)
{
	struct event *event =
	    xcheck(event_new(base, fd, EV_READ | EV_PERSIST, multicast_readable, self));

	event_add(event, NULL);
	return event;
}

struct multicast *
multicast_open(struct event_base *base, const struct multicast_options *options,
    multicast_received *received, void *arg)
{
	int own = multicast_socket(options->address, options->port), group = -1;
	struct multicast *self = xcalloc(1, sizeof *self);
	int saved_errno;

	self->options = *options;
	self->received = received;
	self->arg = arg;
	if (own == -1 || multicast_aim(own, options) == -1)
		goto failed;
	self->port = tcp_port_near(own);
	group = multicast_socket(options->group, self->port);
	if (group == -1 || multicast_join(group, options) == -1)
		goto failed;
	self->own = multicast_listen(base, self, own);
	self->group = multicast_listen(base, self, group);
	return self;

failed:
	saved_errno = errno;
	if (own != -1)
		close(own);
	if (group != -1)
		close(group);
	free(self);
	errno = saved_errno;
	return NULL;
}

static void
multicast_forget(struct event *event)
{
	evutil_socket_t fd = event_get_fd(event);

	event_free(event);
	close(fd);
}

void
multicast_close(struct multicast *self)
{
	if (self == NULL)
		return;
	multicast_forget(self->own);
	multicast_forget(self->group);
	free(self);
}

int
multicast_fd(const struct multicast *self)
{
	return event_get_fd(self->own);
}

uint16_t
multicast_port(const struct multicast *self)
{
	return self->port;
}

int
multicast_send(const struct multicast *self, const uint8_t *bytes, size_t len,
    const struct sockaddr_in *to)
{
	const struct sockaddr_in group = { .sin_family = AF_INET,
		.sin_addr = self->options.group,
		.sin_port = htons(self->port) };
	const struct sockaddr_in *target = to == NULL ? &group : to;

	return sendto(event_get_fd(self->own), bytes, len, MSG_NOSIGNAL,
		   (const struct sockaddr *)target, sizeof *target) == -1
		   ? -1
		   : 0;
}
