#include "front/console_port.h"

#include <errno.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "front/console.h"

#define CONSOLE_PAGE 2048 /* bytes; a longer read may have left some behind */

static struct evbuffer *
console_port_output(struct console_port *port)
{
	if (port->out == NULL)
		port->out = xcheck(evbuffer_new());
	return port->out;
}

size_t
console_port_waiting(const struct console_port *port)
{
	return port->out == NULL ? 0 : evbuffer_get_length(port->out);
}

static void
console_port_moved(struct console_port *port, enum activity_way way)
{
	if (port->ops->moved != NULL)
		port->ops->moved(port, way);
}

static size_t
console_port_room(const struct console_port *port)
{
	return port->ops->room == NULL ? session_room(&port->session)
				       : port->ops->room(port);
}

/* Reads on unless the other side does not read, or has sent more than is taken. */
static void
console_port_read_on(struct console_port *port)
{
	if (port->readable == NULL)
		return;
	if (port->held || console_port_waiting(port) >= CONSOLE_OUTPUT_MAX ||
	    console_port_room(port) == 0)
		event_del(port->readable);
	else
		event_add(port->readable, NULL);
}

static void
console_port_lose(struct console_port *port, int error)
{
	console_port_close(port);
	errno = error;
	port->ops->lost(port);
}

/* A write that fails ends the port on the next turn of the loop: the end cancels the
 * session's command, which may be the one that writes. */
static void
console_port_flush(struct console_port *port)
{
	if (port->corked || port->out == NULL)
		return;
	if (port->fd == -1 || port->broken != 0) {
		evbuffer_drain(port->out, evbuffer_get_length(port->out));
		return;
	}
	while (evbuffer_get_length(port->out) > 0) {
		int n = evbuffer_write(port->out, port->fd);

		if (n > 0)
			console_port_moved(port, ACTIVITY_TX);
		if (n > 0 || (n == -1 && errno == EINTR))
			continue;
		if (n == -1 && errno != EAGAIN) {
			port->broken = errno;
			evbuffer_drain(port->out, evbuffer_get_length(port->out));
			event_active(port->writable, EV_WRITE, 0);
			return;
		}
		event_add(port->writable, NULL);
		return;
	}
	if (port->lost_lines > 0)
		log_msg(LOG_INFO, port->session.module->own->name,
		    "%lu log lines dropped while nobody read them", port->lost_lines);
	port->lost_lines = 0;
}

static void
console_port_tell_sent(struct console_port *port)
{
	if (port->fd != -1 && port->broken == 0 && console_port_waiting(port) == 0 &&
	    port->ops->sent != NULL)
		port->ops->sent(port);
}

/* A tty gives a page at a time; taken together, several pages cost one write where they
 * go. Stops at the first read that is short, so that a few bytes do not wait for more.
 */
static ssize_t
console_port_read(int fd, char *bytes, size_t size)
{
	ssize_t n = read(fd, bytes, size), more = n;
	size_t have = n > 0 ? (size_t)n : 0;

	while (more >= CONSOLE_PAGE && have < size) {
		more = read(fd, bytes + have, size - have);
		if (more > 0)
			have += (size_t)more;
	}
	return have > 0 ? (ssize_t)have : n;
}

static void
console_port_take(struct console_port *port, const char *bytes, size_t len)
{
	console_port_moved(port, ACTIVITY_RX);
	port->corked = true;
	port->ops->input(port, bytes, len);
	port->corked = false;
	if (console_port_waiting(port) > 0) {
		console_port_flush(port);
		console_port_tell_sent(port);
	}
}

static void
console_port_readable(evutil_socket_t fd, short what, void *arg)
{
	struct console_port *port = arg;
	char bytes[CONSOLE_READ_SIZE];
	size_t room = console_port_room(port);
	ssize_t n;

	(void)what;
	if (room == 0) {
		console_port_read_on(port);
		return;
	}
	n = console_port_read(fd, bytes, room < sizeof bytes ? room : sizeof bytes);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		console_port_lose(port, n == 0 ? 0 : errno);
		return;
	}
	console_port_take(port, bytes, (size_t)n);
	if (console_port_waiting(port) >= CONSOLE_OUTPUT_MAX ||
	    console_port_room(port) == 0)
		console_port_read_on(port);
}

static void
console_port_writable(evutil_socket_t fd, short what, void *arg)
{
	struct console_port *port = arg;
	bool was_full = console_port_waiting(port) >= CONSOLE_OUTPUT_MAX;

	(void)fd;
	(void)what;
	if (port->broken != 0) {
		console_port_lose(port, port->broken);
		return;
	}
	console_port_flush(port);
	if (was_full && console_port_waiting(port) < CONSOLE_OUTPUT_MAX)
		console_port_read_on(port);
	console_port_tell_sent(port);
}

void
console_port_open(struct console_port *port, int fd)
{
	struct event_base *base = port->session.module->base;

	port->fd = fd;
	port->broken = 0;
	port->readable = xcheck(
	    event_new(base, fd, EV_READ | EV_PERSIST, console_port_readable, port));
	port->writable =
	    xcheck(event_new(base, fd, EV_WRITE, console_port_writable, port));
	console_port_read_on(port);
}

void
console_port_close(struct console_port *port)
{
	if (port->readable != NULL)
		event_free(port->readable);
	if (port->writable != NULL)
		event_free(port->writable);
	port->readable = port->writable = NULL;
	if (port->fd != -1)
		close(port->fd);
	port->fd = -1;
	if (port->out != NULL)
		evbuffer_drain(port->out, evbuffer_get_length(port->out));
}

void
console_port_clear(struct console_port *port)
{
	console_port_close(port);
	if (port->out != NULL)
		evbuffer_free(port->out);
	port->out = NULL;
}

void
console_port_write(struct console_port *port, const void *bytes, size_t len)
{
	ssize_t n = 0;

	/* Straight to the descriptor when nothing waits before it. */
	if (port->fd != -1 && !port->corked && console_port_waiting(port) == 0) {
		n = write(port->fd, bytes, len);
		if (n > 0)
			console_port_moved(port, ACTIVITY_TX);
		if (n == (ssize_t)len)
			return;
		if (n == -1)
			n = 0; /* the flush meets the error again */
	}
	evbuffer_add(
	    console_port_output(port), (const char *)bytes + n, len - (size_t)n);
	console_port_flush(port);
}

void
console_port_pull(struct console_port *port)
{
	char bytes[CONSOLE_READ_SIZE];
	size_t taken = 0;
	ssize_t n = 1;

	/* An end or an error is met again by whoever reads next. */
	while (port->fd != -1 && n > 0 && taken < CONSOLE_PULL_MAX) {
		n = console_port_read(port->fd, bytes, sizeof bytes);
		if (n > 0) {
			console_port_take(port, bytes, (size_t)n);
			taken += (size_t)n;
		}
	}
}

void
console_port_hold(struct console_port *port, bool held)
{
	if (port->held == held)
		return;
	port->held = held;
	console_port_read_on(port);
}

void
console_port_reply(struct session *session, const struct response *response)
{
	struct console_port *port = (struct console_port *)session;

	console_reply(session->module, response, console_port_output(port));
	console_port_flush(port);
}

void
console_port_notice(struct session *session, const char *line)
{
	struct console_port *port = (struct console_port *)session;

	if (console_port_waiting(port) >= CONSOLE_LOG_MAX) {
		port->lost_lines++;
		return;
	}
	console_notice(session->module, line, console_port_output(port));
	console_port_flush(port);
}

void
console_port_echo(struct session *session, const char *bytes, size_t len)
{
	struct console_port *port = (struct console_port *)session;

	evbuffer_add(console_port_output(port), bytes, len);
	console_port_flush(port);
}

void
console_port_drained(struct session *session)
{
	console_port_read_on((struct console_port *)session);
}

void
console_port_prompt(struct session *session)
{
	struct console_port *port = (struct console_port *)session;

	console_prompt(session->module, console_port_output(port));
	console_port_flush(port);
}
