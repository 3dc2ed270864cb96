#include "stream/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "stream/lookup.h"

struct connect {
	struct event_base *base; /* borrowed */
	struct connect_options options; /* without the host */
	const struct connect_ops *ops;
	void *arg;
	struct lookup *lookup; /* its own; NULL once it has answered */
	struct event *event; /* owned: the handshake's end, or its time-out */
	int fd; /* owned; -1: none */
};

static void
connect_free(struct connect *self)
{
	if (self->lookup != NULL)
		lookup_cancel(self->lookup);
	if (self->event != NULL)
		event_free(self->event);
	if (self->fd != -1)
		close(self->fd);
	free(self);
}

static void
connect_finish(struct connect *self, const char *error)
{
	const struct connect_ops *ops = self->ops;
	void *arg = self->arg;
	int fd = error == NULL ? self->fd : -1;

	if (error == NULL)
		self->fd = -1;
	connect_free(self);
	ops->done(arg, fd, error);
}

const char *
connect_error(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connection refused";
	case ETIMEDOUT:
		return "timed out";
	case ECONNRESET:
		return "connection reset";
	case EHOSTUNREACH:
	case ENETUNREACH:
		return "unreachable";
	case EADDRINUSE:
		return "local port in use";
	default:
		return strerror(error);
	}
}

static void
connect_ended(evutil_socket_t fd, short what, void *arg)
{
	struct connect *self = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	if ((what & EV_TIMEOUT) != 0)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	connect_finish(self, error == 0 ? NULL : connect_error(error));
}

static int
connect_open_socket(struct connect *self)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = self->options.local,
		.sin_port = htons(self->options.local_port) };
	int on = 1;

	self->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (self->fd == -1 || tcp_prepare(self->fd, &self->options.keepalive) == -1)
		return -1;
	if (self->options.local_port == 0 &&
	    self->options.local.s_addr == htonl(INADDR_ANY))
		return 0;
	/* Any port will do then, also one that goes to another peer already. */
	if (self->options.local_port == 0)
		setsockopt(
		    self->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	else if (setsockopt(self->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1)
		return -1;
	return bind(self->fd, (struct sockaddr *)&sin, sizeof sin);
}

static void
connect_looked_up(void *arg, const struct in_addr *address, const char *error)
{
	struct connect *self = arg;
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(self->options.port) };
	struct timeval timeout = { .tv_sec = self->options.timeout_ms / 1000,
		.tv_usec = (suseconds_t)(self->options.timeout_ms % 1000) * 1000 };

	self->lookup = NULL;
	if (address == NULL) {
		connect_finish(self, error);
		return;
	}
	sin.sin_addr = *address;
	if (self->ops->connecting(self->arg, &sin, &self->options.local) == -1 ||
	    connect_open_socket(self) == -1 ||
	    (connect(self->fd, (struct sockaddr *)&sin, sizeof sin) == -1 &&
		errno != EINPROGRESS)) {
		connect_finish(self, connect_error(errno));
		return;
	}
	self->event =
	    xcheck(event_new(self->base, self->fd, EV_WRITE, connect_ended, self));
	event_add(self->event, self->options.timeout_ms == 0 ? NULL : &timeout);
}

struct connect *
connect_start(struct event_base *base, struct evdns_base *dns,
    const struct connect_options *options, const struct connect_ops *ops, void *arg)
{
	struct connect *self = xcalloc(1, sizeof *self);

	self->base = base;
	self->options = *options;
	self->options.host = NULL;
	self->ops = ops;
	self->arg = arg;
	self->fd = -1;
	self->lookup = lookup_start(base, dns, options->host, connect_looked_up, self);
	return self;
}

void
connect_cancel(struct connect *self)
{
	connect_free(self);
}
