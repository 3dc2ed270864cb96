#include "stream/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "stream/datagram.h"
#include "stream/packet_buffer.h"
#include "stream/tcp.h"

#define UDP_DATAGRAMS_A_TURN 32 /* so that a flood leaves the loop to others */

struct udp_stream {
	struct stream stream;
	int fd; /* owned */
	char *info; /* owned */
	bool lock_client;
	struct sockaddr_in peer; /* family 0: none so far */
	struct event *readable; /* owned */
	struct evbuffer *in; /* owned */
	unsigned long dropped; /* datagrams, for want of room */
};

static bool
udp_is_peer(const struct udp_stream *self, const struct sockaddr_in *from)
{
	return self->peer.sin_addr.s_addr == from->sin_addr.s_addr &&
	       (self->peer.sin_port == 0 || self->peer.sin_port == from->sin_port);
}

/* Whether there is somebody to send to. */
static bool
udp_has_peer(const struct udp_stream *self)
{
	return self->peer.sin_port != 0 && self->peer.sin_addr.s_addr != INADDR_ANY;
}

static bool
udp_is_server(const struct udp_stream *self)
{
	return strcmp(self->stream.ops->type, "UDPS") == 0;
}

/* Takes one datagram from the socket. False when none waits. */
static bool
udp_receive(struct udp_stream *self, bool *was_empty)
{
	size_t room = UDP_RECEIVE_MAX - evbuffer_get_length(self->in), shared;
	char bytes[UDP_DATAGRAM_MAX];
	struct sockaddr_in from = { .sin_family = AF_UNSPEC };
	socklen_t from_len = sizeof from;
	ssize_t n = recvfrom(
	    self->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);

	/* An ICMP error of an earlier datagram is reported here and means nothing more.
	 */
	if (n == -1)
		return errno != EAGAIN && errno != EINTR;
	if (self->peer.sin_family != 0 && !udp_is_peer(self, &from) &&
	    (self->lock_client || !udp_is_server(self)))
		return true;
	if (udp_is_server(self))
		self->peer = from;
	shared = packet_buffer_room(&self->stream);
	if ((size_t)n > (shared < room ? shared : room)) {
		if (self->dropped++ == 0)
			log_msg(LOG_INFO, "udp",
			    "%s: datagrams dropped, nobody reads them", self->info);
		return true;
	}
	*was_empty = evbuffer_get_length(self->in) == 0;
	evbuffer_add(self->in, bytes, (size_t)n);
	return true;
}

static void
udp_readable(evutil_socket_t fd, short what, void *arg)
{
	struct udp_stream *self = arg;
	bool was_empty = false;

	(void)fd;
	(void)what;
	for (int i = 0; i < UDP_DATAGRAMS_A_TURN; i++) {
		if (!udp_receive(self, &was_empty))
			break;
	}
	if (evbuffer_get_length(self->in) > 0)
		stream_tell(&self->stream, STREAM_EVENT_DATA);
}

static ssize_t
udp_read(struct stream *stream, void *buf, size_t len)
{
	return evbuffer_remove(((struct udp_stream *)stream)->in, buf, len);
}

int
udp_stream_send(
    struct stream *stream, const struct sockaddr_in *peer, const void *buf, size_t len)
{
	const struct udp_stream *self = (const struct udp_stream *)stream;
	ssize_t n;

	if (len > UDP_DATAGRAM_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	n = sendto(self->fd, buf, len, MSG_NOSIGNAL, (const struct sockaddr *)peer,
	    sizeof *peer);
	/* A socket without room drops the datagram, as the network might; so does a
	 * peer that refused an earlier one. */
	if (n == -1 && errno != EAGAIN && errno != ECONNREFUSED && errno != ENOBUFS)
		return -1;
	return 0;
}

static ssize_t
udp_write(struct stream *stream, const void *buf, size_t len)
{
	const struct udp_stream *self = (const struct udp_stream *)stream;

	if (!udp_has_peer(self)) {
		errno = EPIPE;
		return -1;
	}
	return udp_stream_send(stream, &self->peer, buf, len) == 0 ? (ssize_t)len : -1;
}

static bool
udp_has_room(const struct stream *stream, size_t len)
{
	const struct udp_stream *self = (const struct udp_stream *)stream;

	return udp_has_peer(self) && len <= UDP_DATAGRAM_MAX;
}

static enum stream_status
udp_poll(const struct stream *stream)
{
	const struct udp_stream *self = (const struct udp_stream *)stream;

	return evbuffer_get_length(self->in) > 0 ? STREAM_READABLE : STREAM_IDLE;
}

/* Reference: network notes, 2.2: a client as "host:port (local port)"; a server with
 * two addresses and three blanks between them. */
static void
udp_info(const struct stream *stream, struct stream_info *info)
{
	const struct udp_stream *self = (const struct udp_stream *)stream;
	char far[INET_ADDRSTRLEN] = "0.0.0.0";

	info->waiting = evbuffer_get_length(self->in);
	if (!udp_is_server(self)) {
		snprintf(info->text, sizeof info->text, "%s (%u)", self->info,
		    tcp_port_near(self->fd));
		return;
	}
	if (self->peer.sin_family != 0)
		inet_ntop(AF_INET, &self->peer.sin_addr, far, sizeof far);
	snprintf(info->text, sizeof info->text, "%s   %s:%u", self->info, far,
	    ntohs(self->peer.sin_port));
}

static void
udp_held(const struct stream *stream, struct stream_held *held)
{
	const struct udp_stream *self = (const struct udp_stream *)stream;

	held->received = evbuffer_get_length(self->in);
	held->sent = tcp_unacknowledged(self->fd);
}

static void
udp_close(struct stream *stream)
{
	struct udp_stream *self = (struct udp_stream *)stream;

	if (self->readable != NULL)
		event_free(self->readable);
	evbuffer_free(self->in);
	if (self->fd != -1)
		close(self->fd);
	free(self->info);
	free(self);
}

static const struct stream_ops udp_client_ops = {
	.type = "UDPC",
	.kind = STREAM_KIND_UDP,
	.read = udp_read,
	.write = udp_write,
	.has_room = udp_has_room,
	.poll = udp_poll,
	.info = udp_info,
	.close = udp_close,
	.held = udp_held,
};

static const struct stream_ops udp_server_ops = {
	.type = "UDPS",
	.kind = STREAM_KIND_UDP,
	.read = udp_read,
	.write = udp_write,
	.has_room = udp_has_room,
	.poll = udp_poll,
	.info = udp_info,
	.close = udp_close,
	.held = udp_held,
};

void
udp_stream_found_peer(struct stream *stream, struct in_addr address)
{
	struct udp_stream *self = (struct udp_stream *)stream;

	if (self->peer.sin_addr.s_addr == INADDR_ANY)
		self->peer.sin_addr = address;
}

uint16_t
udp_stream_port(const struct stream *stream)
{
	return tcp_port_near(((const struct udp_stream *)stream)->fd);
}

struct stream *
udp_stream_new(
    struct event_base *base, const struct udp_options *options, const char *info)
{
	struct udp_stream *self = xcalloc(1, sizeof *self);

	stream_init(
	    &self->stream, options->is_server ? &udp_server_ops : &udp_client_ops);
	self->info = xstrdup(info);
	self->in = xcheck(evbuffer_new());
	self->peer = options->peer;
	self->lock_client = options->lock_client;
	self->fd =
	    datagram_open(options->local, options->local_port, !options->is_server);
	if (self->fd == -1) {
		int saved_errno = errno;

		udp_close(&self->stream);
		errno = saved_errno;
		return NULL;
	}
	self->readable =
	    xcheck(event_new(base, self->fd, EV_READ | EV_PERSIST, udp_readable, self));
	event_add(self->readable, NULL);
	return &self->stream;
}
