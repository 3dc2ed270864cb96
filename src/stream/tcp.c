#include "stream/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"

#define TCP_BACKLOG 128 /* connections that the kernel queues */

struct tcp_stream {
	struct stream stream;
	int fd; /* owned */
	char *info; /* owned */
	struct event *readable; /* owned; armed until the end */
	struct event *hung_up; /* owned; armed until the end */
	struct event *writable; /* owned; armed while out holds bytes */
	struct event *idle; /* owned, or NULL: no limit */
	unsigned idle_timeout_s;
	int64_t moved_at_ms;
	struct evbuffer *out; /* owned; NULL while empty */
	bool drained; /* the last read found less than it asked for */
	bool ended; /* the peer is gone, or has been idle too long */
};

static int
tcp_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

int
tcp_prepare(int fd, const struct tcp_keepalive *keepalive)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
	    tcp_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)keepalive->idle_s) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)keepalive->interval_s) == -1 ||
	    tcp_set(fd, IPPROTO_TCP, TCP_KEEPCNT, (int)keepalive->count) == -1)
		return -1;
	return 0;
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

/* getsockname() or getpeername(). */
typedef int tcp_end_of(int fd, struct sockaddr *, socklen_t *);

static void
tcp_name(int fd, tcp_end_of *end, char *text, size_t size)
{
	struct sockaddr_in sin = { .sin_port = 0 };
	char address[INET_ADDRSTRLEN];
	socklen_t len = sizeof sin;

	text[0] = '\0';
	if (end(fd, (struct sockaddr *)&sin, &len) == 0 &&
	    inet_ntop(AF_INET, &sin.sin_addr, address, sizeof address) != NULL)
		snprintf(text, size, "%s:%u", address, ntohs(sin.sin_port));
}

void
tcp_name_near(int fd, char *text, size_t size)
{
	tcp_name(fd, getsockname, text, size);
}

void
tcp_name_far(int fd, char *text, size_t size)
{
	tcp_name(fd, getpeername, text, size);
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

static bool
tcp_has_unsent(const struct tcp_stream *self)
{
	return self->out != NULL && evbuffer_get_length(self->out) > 0;
}

/* The peer sends no more; what was written still leaves, for it may read on. */
static void
tcp_end(struct tcp_stream *self)
{
	if (self->ended)
		return;
	self->ended = true;
	event_del(self->readable);
	event_del(self->hung_up);
	stream_tell(&self->stream, STREAM_EVENT_END);
}

/* The peer takes no more either. */
static void
tcp_break(struct tcp_stream *self)
{
	event_del(self->writable);
	if (self->out != NULL)
		evbuffer_drain(self->out, evbuffer_get_length(self->out));
	if (self->ended)
		stream_tell(&self->stream, STREAM_EVENT_END);
	else
		tcp_end(self);
}

/* Bytes that wait in the kernel. */
static size_t
tcp_waiting(const struct tcp_stream *self)
{
	int waiting = 0;

	return ioctl(self->fd, FIONREAD, &waiting) == 0 && waiting > 0 ? (size_t)waiting
								       : 0;
}

/* Edge-triggered: data that nobody reads does not wake the loop again and again. */
static void
tcp_readable(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;
	char byte;
	ssize_t n;

	(void)what;
	self->moved_at_ms = clock_monotonic_ms();
	self->drained = false;
	stream_tell(&self->stream, STREAM_EVENT_DATA);
	/* An end or a reset wakes like data does; who has read has met it already. */
	if (self->drained)
		return;
	n = recv(fd, &byte, 1, MSG_PEEK);
	if (n == 0)
		tcp_end(self);
	else if (n == -1 && errno != EAGAIN && errno != EINTR)
		tcp_break(self);
}

static void
tcp_hung_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tcp_end(arg);
}

static void
tcp_writable(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;
	int n;

	(void)what;
	n = evbuffer_write(self->out, fd);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		tcp_break(self);
		return;
	}
	self->moved_at_ms = clock_monotonic_ms();
	if (tcp_has_unsent(self)) {
		event_add(self->writable, NULL);
		return;
	}
	/* With the last byte gone an ended stream is at its end. */
	stream_tell(&self->stream, self->ended ? STREAM_EVENT_END : STREAM_EVENT_ROOM);
}

static void
tcp_idle_wait(struct tcp_stream *self, int64_t ms)
{
	struct timeval timeout = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(self->idle, &timeout);
}

static void
tcp_idle(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;
	int64_t left_ms = self->moved_at_ms + (int64_t)self->idle_timeout_s * 1000 -
			  clock_monotonic_ms();

	(void)fd;
	(void)what;
	if (left_ms > 0) {
		tcp_idle_wait(self, left_ms);
		return;
	}
	shutdown(self->fd, SHUT_RDWR);
	tcp_break(self);
}

static ssize_t
tcp_read(struct stream *stream, void *buf, size_t len)
{
	struct tcp_stream *self = (struct tcp_stream *)stream;
	ssize_t n = recv(self->fd, buf, len, 0);

	if (n > 0)
		self->moved_at_ms = clock_monotonic_ms();
	if (n == (ssize_t)len)
		return n;
	self->drained = true;
	if ((n == 0 && len > 0) || (n == -1 && errno != EAGAIN && errno != EINTR))
		event_active(self->hung_up, EV_CLOSED, 0);
	return n < 0 ? 0 : n;
}

static bool
tcp_has_room(const struct stream *stream, size_t len)
{
	const struct tcp_stream *self = (const struct tcp_stream *)stream;
	size_t queued = self->out == NULL ? 0 : evbuffer_get_length(self->out);

	return !self->ended && (queued == 0 || queued + len <= TCP_SEND_MAX);
}

static ssize_t
tcp_write(struct stream *stream, const void *buf, size_t len)
{
	struct tcp_stream *self = (struct tcp_stream *)stream;
	ssize_t n = 0;

	if (self->ended || !tcp_has_room(stream, len)) {
		errno = self->ended ? EPIPE : EAGAIN;
		return -1;
	}
	self->moved_at_ms = clock_monotonic_ms();
	if (self->out == NULL || evbuffer_get_length(self->out) == 0) {
		n = send(self->fd, buf, len, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR) {
			event_active(self->hung_up, EV_CLOSED, 0);
			return -1;
		}
		if (n == (ssize_t)len)
			return n;
		if (n == -1)
			n = 0;
	}
	if (self->out == NULL)
		self->out = xcheck(evbuffer_new());
	evbuffer_add(self->out, (const char *)buf + n, len - (size_t)n);
	event_add(self->writable, NULL);
	return (ssize_t)len;
}

static enum stream_status
tcp_poll(const struct stream *stream)
{
	const struct tcp_stream *self = (const struct tcp_stream *)stream;
	char byte;
	ssize_t n = recv(self->fd, &byte, 1, MSG_PEEK);

	if (n > 0)
		return STREAM_READABLE;
	if (tcp_has_unsent(self))
		return STREAM_IDLE;
	return self->ended || n == 0 || (errno != EAGAIN && errno != EINTR)
		   ? STREAM_CLOSED
		   : STREAM_IDLE;
}

static void
tcp_info(const struct stream *stream, struct stream_info *info)
{
	const struct tcp_stream *self = (const struct tcp_stream *)stream;

	snprintf(info->text, sizeof info->text, "%s", self->info);
	info->waiting = tcp_waiting(self);
}

static void
tcp_close(struct stream *stream)
{
	struct tcp_stream *self = (struct tcp_stream *)stream;

	event_free(self->readable);
	event_free(self->hung_up);
	event_free(self->writable);
	if (self->idle != NULL)
		event_free(self->idle);
	if (self->out != NULL) {
		/* A last try; what the peer does not take now is lost. */
		evbuffer_write(self->out, self->fd);
		evbuffer_free(self->out);
	}
	close(self->fd);
	free(self->info);
	free(self);
}

static const struct stream_ops tcp_client_ops = {
	.type = "TCPC",
	.kind = STREAM_KIND_TCP_CLIENT,
	.read = tcp_read,
	.write = tcp_write,
	.has_room = tcp_has_room,
	.poll = tcp_poll,
	.info = tcp_info,
	.close = tcp_close,
};

static const struct stream_ops tcp_server_ops = {
	.type = "TCPS",
	.kind = STREAM_KIND_TCP_SERVER,
	.read = tcp_read,
	.write = tcp_write,
	.has_room = tcp_has_room,
	.poll = tcp_poll,
	.info = tcp_info,
	.close = tcp_close,
};

struct stream *
tcp_stream_new(struct event_base *base, int fd, bool is_accepted, const char *info,
    unsigned idle_timeout_s)
{
	struct tcp_stream *self = xcalloc(1, sizeof *self);

	stream_init(&self->stream, is_accepted ? &tcp_server_ops : &tcp_client_ops);
	self->fd = fd;
	self->info = xstrdup(info);
	self->readable = xcheck(
	    event_new(base, fd, EV_READ | EV_PERSIST | EV_ET, tcp_readable, self));
	self->hung_up =
	    xcheck(event_new(base, fd, EV_CLOSED | EV_ET, tcp_hung_up, self));
	self->writable =
	    xcheck(event_new(base, fd, EV_WRITE | EV_ET, tcp_writable, self));
	event_add(self->readable, NULL);
	event_add(self->hung_up, NULL);
	self->idle_timeout_s = idle_timeout_s;
	self->moved_at_ms = clock_monotonic_ms();
	if (idle_timeout_s > 0) {
		self->idle = xcheck(event_new(base, -1, 0, tcp_idle, self));
		tcp_idle_wait(self, (int64_t)idle_timeout_s * 1000);
	}
	return &self->stream;
}
