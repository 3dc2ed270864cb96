#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "stream/packet_buffer.h"
#include "stream/tcp.h"
#include "stream/tcp_wire.h"

#define TCP_PIECE 16384 /* bytes sent at a time of what waits; one record of TLS */

struct tcp_stream {
	struct stream stream;
	struct tcp_wire *wire; /* plain, or owned */
	struct tcp_wire plain;
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
	bool end_is_said; /* while it lingers: all has left */
};

static bool
tcp_has_unsent(const struct tcp_stream *self)
{
	return self->out != NULL && evbuffer_get_length(self->out) > 0;
}

static bool
tcp_is_passing(ssize_t n)
{
	return n == -1 && (errno == EAGAIN || errno == EINTR);
}

static ssize_t
tcp_plain_receive(struct tcp_wire *wire, void *buf, size_t len)
{
	return recv(wire->fd, buf, len, 0);
}

static ssize_t
tcp_plain_send(struct tcp_wire *wire, const void *buf, size_t len)
{
	return send(wire->fd, buf, len, MSG_NOSIGNAL);
}

static ssize_t
tcp_plain_look(struct tcp_wire *wire)
{
	char byte;

	return recv(wire->fd, &byte, 1, MSG_PEEK);
}

/* Bytes that wait in the kernel. */
static size_t
tcp_plain_waiting(struct tcp_wire *wire)
{
	int waiting = 0;

	return ioctl(wire->fd, FIONREAD, &waiting) == 0 && waiting > 0 ? (size_t)waiting
								       : 0;
}

static void
tcp_plain_nothing(struct tcp_wire *wire)
{
	(void)wire;
}

static const struct tcp_wire_ops tcp_plain_ops = {
	.receive = tcp_plain_receive,
	.send = tcp_plain_send,
	.look = tcp_plain_look,
	.waiting = tcp_plain_waiting,
	.say_end = tcp_plain_nothing,
	.free = tcp_plain_nothing,
};

/* Sends what waits, as far as it goes. 0, or -1 and errno. */
static int
tcp_flush(struct tcp_stream *self)
{
	size_t len;

	while ((len = evbuffer_get_length(self->out)) > 0) {
		size_t piece = len < TCP_PIECE ? len : TCP_PIECE;
		ssize_t n = self->wire->ops->send(
		    self->wire, evbuffer_pullup(self->out, (ev_ssize_t)piece), piece);

		if (n <= 0)
			return -1;
		evbuffer_drain(self->out, (size_t)n);
	}
	return 0;
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

/* The end of TLS is a record like others: it may have been read along with the data,
 * and nothing wakes the loop for it any more. */
static void
tcp_note_end(struct tcp_stream *self)
{
	self->stream.fault = self->wire->fault;
	if (self->wire->is_over && !self->ended)
		event_active(self->hung_up, EV_CLOSED, 0);
}

static ssize_t
tcp_look(struct tcp_stream *self)
{
	ssize_t n = self->wire->ops->look(self->wire);

	tcp_note_end(self);
	if (self->wire->wants_write)
		event_add(self->writable, NULL);
	return n;
}

/* A look at TLS takes bytes out of the kernel, which then wakes the loop for them no
 * more. So it is woken here, unless it is the loop that looks. */
static void
tcp_wake(struct tcp_stream *self)
{
	bool has_news = self->wire->has_news;

	self->wire->has_news = false;
	if (has_news && !self->ended)
		event_active(self->readable, EV_READ, 0);
}

/* Edge-triggered: data that nobody reads does not wake the loop again and again. */
static void
tcp_readable(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;
	ssize_t n = 1;

	(void)fd;
	(void)what;
	self->moved_at_ms = clock_monotonic_ms();
	self->drained = false;
	/* What woke it may be a part of a record, or a record without data. */
	if (self->wire->ops->is_secure)
		n = tcp_look(self);
	self->wire->has_news = false;
	if (n > 0) {
		stream_tell(&self->stream, STREAM_EVENT_DATA);
		/* An end or a reset wakes like data does; who has read has met it. */
		if (self->drained)
			return;
		n = tcp_look(self);
		tcp_wake(self);
	}
	if (n == 0)
		tcp_end(self);
	else if (n == -1 && !tcp_is_passing(n))
		tcp_break(self);
}

static void
tcp_hung_up(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;

	(void)fd;
	(void)what;
	if (self->wire->ops->is_secure)
		tcp_look(self); /* why, perhaps */
	tcp_end(self);
}

static void
tcp_writable(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;

	(void)what;
	if (self->wire->wants_write) {
		self->wire->wants_write = false;
		tcp_readable(fd, EV_READ, self);
	}
	if (self->out == NULL)
		return;
	if (tcp_flush(self) == -1 && !tcp_is_passing(-1)) {
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
	if (!tcp_has_unsent(self))
		self->wire->ops->say_end(self->wire);
	shutdown(self->wire->fd, SHUT_RDWR);
	tcp_break(self);
}

static ssize_t
tcp_read(struct stream *stream, void *buf, size_t len)
{
	struct tcp_stream *self = (struct tcp_stream *)stream;
	ssize_t n = self->wire->ops->receive(self->wire, buf, len);

	if (n > 0)
		self->moved_at_ms = clock_monotonic_ms();
	if (n < (ssize_t)len)
		self->drained = true;
	if ((n == 0 && len > 0) || (n == -1 && !tcp_is_passing(n)))
		event_active(self->hung_up, EV_CLOSED, 0);
	tcp_note_end(self);
	if (self->wire->wants_write)
		event_add(self->writable, NULL);
	tcp_wake(self);
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
		n = self->wire->ops->send(self->wire, buf, len);
		if (n == -1 && !tcp_is_passing(n)) {
			self->stream.fault = self->wire->fault;
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
	/* To look is to decrypt, which changes nothing that can be seen. */
	struct tcp_stream *self = (struct tcp_stream *)(uintptr_t)stream;
	ssize_t n = tcp_look(self);

	tcp_wake(self);
	if (n > 0)
		return STREAM_READABLE;
	if (tcp_has_unsent(self))
		return STREAM_IDLE;
	return self->ended || !tcp_is_passing(n) ? STREAM_CLOSED : STREAM_IDLE;
}

/* Bytes to receive that are known of. */
static size_t
tcp_waiting(const struct stream *stream)
{
	struct tcp_stream *self = (struct tcp_stream *)(uintptr_t)stream;
	size_t waiting = self->wire->ops->waiting(self->wire);

	tcp_note_end(self);
	if (self->wire->wants_write)
		event_add(self->writable, NULL);
	tcp_wake(self);
	return waiting;
}

static void
tcp_info(const struct stream *stream, struct stream_info *info)
{
	const struct tcp_stream *self = (const struct tcp_stream *)stream;

	snprintf(info->text, sizeof info->text, "%s", self->info);
	info->waiting = tcp_waiting(stream);
}

/* What waits in the kernel of the module counts as kept by it. */
static void
tcp_held(const struct stream *stream, struct stream_held *held)
{
	const struct tcp_stream *self = (const struct tcp_stream *)stream;

	held->received = tcp_plain_waiting(self->wire);
	if (self->wire->ops->is_secure)
		held->received += tcp_waiting(stream);
	held->sent = tcp_unacknowledged(self->wire->fd);
	if (self->out != NULL)
		held->sent += evbuffer_get_length(self->out);
}

static void
tcp_free(struct tcp_stream *self)
{
	event_free(self->readable);
	event_free(self->hung_up);
	event_free(self->writable);
	if (self->idle != NULL)
		event_free(self->idle);
	if (self->out != NULL)
		evbuffer_free(self->out);
	close(self->wire->fd);
	self->wire->ops->free(self->wire);
	free(self->info);
	free(self);
}

/* The end of what lingers too long: a last try. */
static void
tcp_drop(struct stream *stream)
{
	struct tcp_stream *self = (struct tcp_stream *)stream;

	if (tcp_has_unsent(self))
		tcp_flush(self);
	tcp_free(self);
}

static void
tcp_linger_over(struct tcp_stream *self)
{
	stream_linger_over(&self->stream);
	tcp_free(self);
}

static void
tcp_linger_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tcp_linger_over(arg);
}

/* The last byte has left. The peer's end, for which tcp_linger_read() waits, says that
 * it has come. */
static void
tcp_linger_sent(struct tcp_stream *self)
{
	self->end_is_said = true;
	self->wire->ops->say_end(self->wire);
	if (self->ended)
		tcp_linger_over(self);
	else
		shutdown(self->wire->fd, SHUT_WR);
}

static void
tcp_linger_write(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;

	(void)fd;
	(void)what;
	if (self->wire->wants_write) {
		self->wire->wants_write = false;
		event_add(self->readable, NULL);
	}
	if (self->end_is_said)
		return;
	if (!tcp_has_unsent(self) || tcp_flush(self) == 0)
		tcp_linger_sent(self);
	else if (tcp_is_passing(-1))
		event_add(self->writable, NULL);
	else
		tcp_linger_over(self);
}

/* What the peer still sends is read and dropped: unread, it would make close() a reset,
 * and the peer lose what is on its way to it. */
static void
tcp_linger_read(evutil_socket_t fd, short what, void *arg)
{
	struct tcp_stream *self = arg;
	char bytes[TCP_PIECE];
	ssize_t n = self->wire->ops->receive(self->wire, bytes, sizeof bytes);

	(void)fd;
	(void)what;
	if (tcp_is_passing(n) && self->wire->wants_write) {
		event_del(self->readable);
		event_add(self->writable, NULL);
		return;
	}
	if (n > 0 || tcp_is_passing(n))
		return;
	if (n == 0 && !self->end_is_said) {
		self->ended = true;
		event_del(self->readable);
		return;
	}
	tcp_linger_over(self);
}

/* Whether bytes that were written would be lost if it were closed now. */
static bool
tcp_has_to_linger(struct tcp_stream *self)
{
	return tcp_has_unsent(self) || (tcp_plain_waiting(self->wire) > 0 &&
					   tcp_unacknowledged(self->wire->fd) > 0);
}

/* Chosen: as with the TCP stack of an operating system, closing comes after all that
 * was written. */
static void
tcp_linger(struct tcp_stream *self)
{
	struct event_base *base = event_get_base(self->readable);
	int fd = self->wire->fd;
	struct timeval timeout = { .tv_sec = TCP_LINGER_MS / 1000,
		.tv_usec = TCP_LINGER_MS % 1000 * 1000 };

	event_del(self->readable);
	event_del(self->hung_up);
	event_del(self->writable);
	if (self->idle != NULL)
		event_free(self->idle);
	self->idle = xcheck(event_new(base, -1, 0, tcp_linger_late, self));
	event_add(self->idle, &timeout);
	event_assign(
	    self->readable, base, fd, EV_READ | EV_PERSIST, tcp_linger_read, self);
	event_assign(self->writable, base, fd, EV_WRITE, tcp_linger_write, self);
	/* An end that is known may have bytes before it that nobody has read. */
	self->ended = self->wire->is_over;
	if (!self->ended)
		event_add(self->readable, NULL);
	event_add(self->writable, NULL);
}

static void
tcp_close(struct stream *stream)
{
	struct tcp_stream *self = (struct tcp_stream *)stream;

	if (tcp_has_unsent(self))
		tcp_flush(self);
	if (tcp_has_to_linger(self) && stream_linger(stream)) {
		tcp_linger(self);
		return;
	}
	if (!tcp_has_unsent(self))
		self->wire->ops->say_end(self->wire);
	tcp_free(self);
}

#define TCP_STREAM_OPS(TYPE, KIND)                                                     \
	{                                                                              \
		.type = (TYPE), .kind = (KIND), .read = tcp_read, .write = tcp_write,  \
		.has_room = tcp_has_room, .poll = tcp_poll, .info = tcp_info,          \
		.close = tcp_close, .drop = tcp_drop, .held = tcp_held                 \
	}

/* By tcp_wire_ops.is_secure and by whether the connection was accepted. */
static const struct stream_ops tcp_stream_ops[2][2] = {
	{ TCP_STREAM_OPS("TCPC", STREAM_KIND_TCP_CLIENT),
	    TCP_STREAM_OPS("TCPS", STREAM_KIND_TCP_SERVER) },
	{ TCP_STREAM_OPS("TLSC", STREAM_KIND_TCP_CLIENT),
	    TCP_STREAM_OPS("TLSS", STREAM_KIND_TCP_SERVER) },
};

static void
tcp_stream_start(struct tcp_stream *self, struct event_base *base, bool is_accepted,
    const char *info, unsigned idle_timeout_s)
{
	int fd = self->wire->fd;

	stream_init(
	    &self->stream, &tcp_stream_ops[self->wire->ops->is_secure][is_accepted]);
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
}

struct stream *
tcp_stream_new(struct event_base *base, int fd, bool is_accepted, const char *info,
    unsigned idle_timeout_s)
{
	struct tcp_stream *self = xcalloc(1, sizeof *self);

	self->plain.ops = &tcp_plain_ops;
	self->plain.fd = fd;
	self->wire = &self->plain;
	tcp_stream_start(self, base, is_accepted, info, idle_timeout_s);
	return &self->stream;
}

struct stream *
tcp_stream_over(struct event_base *base, struct tcp_wire *wire, bool is_accepted,
    const char *info, unsigned idle_timeout_s)
{
	struct tcp_stream *self = xcalloc(1, sizeof *self);

	self->wire = wire;
	tcp_stream_start(self, base, is_accepted, info, idle_timeout_s);
	return &self->stream;
}
