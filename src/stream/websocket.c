#include "stream/websocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/xmalloc.h"
#include "stream/packet_buffer.h"
#include "stream/tcp.h"
#include "stream/websocket_frames.h"

/* It lives until the stream is closed and the connection is over, whichever comes last.
 * All work is done in one event: a bufferevent over TLS may call back from inside the
 * calls that are made to it. */
struct websocket {
	struct stream stream;
	struct bufferevent *bev; /* borrowed; NULL once given back or lost */
	websocket_done *done;
	void *arg;
	char *info; /* owned */
	struct websocket_frames *frames; /* owned */
	struct evbuffer *received; /* owned; messages to be read */
	struct event *work; /* owned */
	struct event *deadline; /* owned; armed while closing */
	bool stream_is_closed;
	bool close_is_sent; /* nothing may be sent behind it */
	bool deaf; /* what the peer sends from now on does not matter */
	bool gone; /* the peer is; its last bytes may still wait in the input */
	bool half_closed;
	bool ended; /* STREAM_EVENT_END was told */
	bool drained; /* all that was written has left */
	bool working; /* inside websocket_work(), which frees when all is over */
};

static void
websocket_free(struct websocket *self)
{
	event_free(self->work);
	event_free(self->deadline);
	websocket_frames_free(self->frames);
	evbuffer_free(self->received);
	free(self->info);
	free(self);
}

static struct evbuffer *
websocket_output(const struct websocket *self)
{
	return bufferevent_get_output(self->bev);
}

static void
websocket_wake(struct websocket *self)
{
	event_active(self->work, EV_TIMEOUT, 0);
}

/* Sends a close frame, unless one is on its way, and gives the rest a limit. */
static void
websocket_say_close(struct websocket *self, enum websocket_code code)
{
	struct timeval timeout = { .tv_sec = WEBSOCKET_CLOSE_MS / 1000,
		.tv_usec = WEBSOCKET_CLOSE_MS % 1000 * 1000 };

	if (!self->close_is_sent)
		websocket_frames_write_close(
		    self->frames, websocket_output(self), code);
	self->close_is_sent = true;
	if (!event_pending(self->deadline, EV_TIMEOUT, NULL))
		event_add(self->deadline, &timeout);
}

/* Whether more of what the peer sends may be looked at now. A peer that does not read
 * its pongs is not read either. */
static bool
websocket_may_read(const struct websocket *self)
{
	return evbuffer_get_length(self->received) <= WEBSOCKET_RECEIVE_MAX &&
	       packet_buffer_room(&self->stream) > 0 &&
	       (self->gone ||
		   evbuffer_get_length(websocket_output(self)) <= WEBSOCKET_SEND_MAX);
}

/* Looks at what has come in. Whether all of it is used up. */
static bool
websocket_receive(struct websocket *self)
{
	struct evbuffer *input = bufferevent_get_input(self->bev);
	const void *ping;
	size_t len;

	while (!self->deaf && websocket_may_read(self)) {
		switch (websocket_frames_read(self->frames, input)) {
		case WEBSOCKET_FOUND_NOTHING:
			return true;
		case WEBSOCKET_FOUND_MESSAGE:
			if (!self->stream_is_closed)
				evbuffer_add_buffer(self->received,
				    websocket_frames_message(self->frames));
			break;
		case WEBSOCKET_FOUND_PING:
			ping = websocket_frames_ping(self->frames, &len);
			if (!self->close_is_sent && !self->gone)
				websocket_frames_write(self->frames,
				    websocket_output(self), WEBSOCKET_PONG, ping, len);
			break;
		case WEBSOCKET_FOUND_CLOSE:
		case WEBSOCKET_FOUND_FAULT:
			self->deaf = true;
			websocket_say_close(self, websocket_frames_code(self->frames));
			break;
		}
	}
	if (self->deaf)
		evbuffer_drain(input, evbuffer_get_length(input));
	return self->deaf;
}

/* No more is sent, so the peer closes; closing here while it still sends would reset
 * the connection, and the close frame could get lost. */
static void
websocket_half_close(struct websocket *self)
{
	SSL *ssl = bufferevent_openssl_get_ssl(self->bev);

	self->half_closed = true;
	if (ssl != NULL) {
		SSL_shutdown(ssl);
		ERR_clear_error();
	}
	shutdown(bufferevent_getfd(self->bev), SHUT_WR);
}

static void
websocket_let_go(struct websocket *self)
{
	bufferevent_disable(self->bev, EV_READ | EV_WRITE);
	bufferevent_setcb(self->bev, NULL, NULL, NULL, NULL);
	self->bev = NULL;
	event_del(self->deadline);
}

/* Tells the watchers what has happened. Each of them may close the stream. */
static void
websocket_tell(struct websocket *self, bool has_data, bool has_room, bool at_end)
{
	if (has_data && !self->stream_is_closed)
		stream_tell(&self->stream, STREAM_EVENT_DATA);
	if (has_room && !self->stream_is_closed && !self->close_is_sent)
		stream_tell(&self->stream, STREAM_EVENT_ROOM);
	if (at_end && !self->ended) {
		self->ended = true;
		if (!self->stream_is_closed)
			stream_tell(&self->stream, STREAM_EVENT_END);
	}
}

static void
websocket_look_at_connection(struct websocket *self)
{
	size_t before = evbuffer_get_length(self->received);
	bool used_up = websocket_receive(self);
	bool drained =
	    self->drained && evbuffer_get_length(websocket_output(self)) == 0;

	self->drained = false;
	websocket_tell(self, evbuffer_get_length(self->received) > before, drained,
	    self->deaf || (self->gone && used_up));
	if (self->bev == NULL)
		return;
	if (self->gone && used_up) {
		websocket_let_go(self);
		self->done(self->arg);
		return;
	}
	if (self->deaf && !self->half_closed &&
	    evbuffer_get_length(websocket_output(self)) == 0)
		websocket_half_close(self);
	if (self->deaf || websocket_may_read(self))
		bufferevent_enable(self->bev, EV_READ);
	else
		bufferevent_disable(self->bev, EV_READ);
}

static void
websocket_work(evutil_socket_t fd, short what, void *arg)
{
	struct websocket *self = arg;

	(void)fd;
	(void)what;
	self->working = true;
	if (self->bev != NULL)
		websocket_look_at_connection(self);
	else
		websocket_tell(self, false, false, true);
	self->working = false;
	if (self->bev == NULL && self->stream_is_closed)
		websocket_free(self);
}

static void
websocket_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct websocket *self = arg;

	(void)fd;
	(void)what;
	self->deaf = true;
	self->gone = true;
	websocket_wake(self);
}

static void
websocket_readable(struct bufferevent *bev, void *arg)
{
	(void)bev;
	websocket_wake(arg);
}

static void
websocket_written(struct bufferevent *bev, void *arg)
{
	struct websocket *self = arg;

	(void)bev;
	self->drained = true;
	websocket_wake(self);
}

static void
websocket_event(struct bufferevent *bev, short what, void *arg)
{
	struct websocket *self = arg;

	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		self->gone = true;
	websocket_wake(self);
}

static ssize_t
websocket_read(struct stream *stream, void *buf, size_t len)
{
	struct websocket *self = (struct websocket *)stream;
	bool was_full = evbuffer_get_length(self->received) > WEBSOCKET_RECEIVE_MAX;
	int n = evbuffer_remove(self->received, buf, len);

	if (was_full && evbuffer_get_length(self->received) <= WEBSOCKET_RECEIVE_MAX)
		websocket_wake(self);
	return n;
}

static bool
websocket_has_room(const struct stream *stream, size_t len)
{
	const struct websocket *self = (const struct websocket *)stream;
	size_t queued;

	if (self->bev == NULL || self->close_is_sent || self->gone)
		return false;
	queued = evbuffer_get_length(websocket_output(self));
	return queued == 0 || queued + len <= WEBSOCKET_SEND_MAX;
}

static ssize_t
websocket_write(struct stream *stream, const void *buf, size_t len)
{
	struct websocket *self = (struct websocket *)stream;

	if (!websocket_has_room(stream, len)) {
		errno = self->bev == NULL || self->close_is_sent || self->gone ? EPIPE
									       : EAGAIN;
		return -1;
	}
	websocket_frames_write(
	    self->frames, websocket_output(self), WEBSOCKET_BINARY, buf, len);
	return (ssize_t)len;
}

static enum stream_status
websocket_poll(const struct stream *stream)
{
	const struct websocket *self = (const struct websocket *)stream;

	if (evbuffer_get_length(self->received) > 0)
		return STREAM_READABLE;
	return self->ended ? STREAM_CLOSED : STREAM_IDLE;
}

static void
websocket_info(const struct stream *stream, struct stream_info *info)
{
	const struct websocket *self = (const struct websocket *)stream;

	snprintf(info->text, sizeof info->text, "%s", self->info);
	info->waiting = evbuffer_get_length(self->received);
}

static void
websocket_held(const struct stream *stream, struct stream_held *held)
{
	const struct websocket *self = (const struct websocket *)stream;

	held->received = evbuffer_get_length(self->received);
	if (self->bev != NULL)
		held->sent = evbuffer_get_length(websocket_output(self)) +
			     tcp_unacknowledged(bufferevent_getfd(self->bev));
}

static void
websocket_resume(struct stream *stream)
{
	websocket_wake((struct websocket *)stream);
}

static void
websocket_close(struct stream *stream)
{
	struct websocket *self = (struct websocket *)stream;

	self->stream_is_closed = true;
	evbuffer_drain(self->received, evbuffer_get_length(self->received));
	if (self->bev != NULL) {
		websocket_say_close(self, WEBSOCKET_CODE_NORMAL);
		websocket_wake(self);
	} else if (!self->working) {
		websocket_free(self);
	}
}

static const struct stream_ops websocket_ops = {
	.type = "WEBS",
	.kind = STREAM_KIND_WEBSOCKET,
	.read = websocket_read,
	.write = websocket_write,
	.has_room = websocket_has_room,
	.poll = websocket_poll,
	.info = websocket_info,
	.close = websocket_close,
	.held = websocket_held,
	.resume = websocket_resume,
};

struct stream *
websocket_stream_new(
    struct bufferevent *bev, const char *info, websocket_done *done, void *arg)
{
	struct event_base *base = bufferevent_get_base(bev);
	struct websocket *self = xcalloc(1, sizeof *self);

	stream_init(&self->stream, &websocket_ops);
	self->bev = bev;
	self->done = done;
	self->arg = arg;
	self->info = xstrdup(info);
	self->frames = websocket_frames_new();
	self->received = xcheck(evbuffer_new());
	self->work = xcheck(event_new(base, -1, 0, websocket_work, self));
	self->deadline = xcheck(event_new(base, -1, 0, websocket_deadline, self));
	/* A WebSocket may be silent for as long as it likes. */
	bufferevent_set_timeouts(bev, NULL, NULL);
	bufferevent_setcb(
	    bev, websocket_readable, websocket_written, websocket_event, self);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	websocket_wake(self);
	return &self->stream;
}

/* A last try to get a close frame out, past the bufferevent, which ends here. */
static void
websocket_flush(struct websocket *self, bool was_empty)
{
	struct evbuffer *output = websocket_output(self);
	SSL *ssl = bufferevent_openssl_get_ssl(self->bev);
	unsigned char frame[WEBSOCKET_CONTROL_MAX];
	ev_ssize_t len;

	if (ssl == NULL) {
		evbuffer_unfreeze(output, 1);
		evbuffer_write(output, bufferevent_getfd(self->bev));
	} else if (was_empty) {
		len = evbuffer_copyout(output, frame, sizeof frame);
		if (len > 0)
			SSL_write(ssl, frame, (int)len);
		ERR_clear_error();
	}
}

void
websocket_lost(struct stream *stream)
{
	struct websocket *self = (struct websocket *)stream;
	bool was_empty = evbuffer_get_length(websocket_output(self)) == 0;

	if (!self->gone && !self->half_closed) {
		websocket_say_close(self, WEBSOCKET_CODE_GOING_AWAY);
		websocket_flush(self, was_empty);
	}
	websocket_let_go(self);
	if (!self->stream_is_closed)
		websocket_wake(self);
	else if (!self->working)
		websocket_free(self);
}
