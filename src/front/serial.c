#include "front/serial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/session.h"
#include "core/variable.h"
#include "device/serial_line.h"
#include "front/console.h"

#define SERIAL_READ_SIZE 4096 /* bytes taken from the line in one piece */
#define SERIAL_LOG_MAX                                                                 \
	(16u * 1024) /* waiting output beyond which log lines are lost                 \
		      */
#define SERIAL_OUTPUT_MAX (64u * 1024) /* ... beyond which no command is taken */
#define SERIAL_REOPEN_MS 1000 /* between two looks for a tty that is gone */
#define SERIAL_DRAIN_MS 5 /* between two looks whether the output has left */
#define SERIAL_DRAIN_TRIES 400

struct serial {
	struct session session;
	struct serial_line line;
	const char *device; /* borrowed from the settings; NULL: a pty */
	struct event *readable, *writable; /* owned; NULL while the line is closed */
	struct event
	    *timer; /* owned: looks for the tty, or for the end of the output */
	struct evbuffer *out; /* owned; NULL while empty and idle */
	unsigned long lost_lines; /* log lines dropped since the output got through */
	unsigned drain_tries;
	bool corked; /* output is collected until the end of a callback */
	bool away_logged;
};

static void serial_set_timer(struct serial *, unsigned ms);

static void
serial_log(const struct serial *serial, int priority, const char *what)
{
	log_msg(priority, serial->session.module->own->name, "serial port %s: %s: %s",
	    serial->line.name, what, strerror(errno));
}

static void
serial_forget_line(struct serial *serial)
{
	if (serial->readable != NULL)
		event_free(serial->readable);
	if (serial->writable != NULL)
		event_free(serial->writable);
	serial->readable = serial->writable = NULL;
	serial_line_close(&serial->line);
}

/* The tty has vanished: what was to go there is lost, as on a cable that was pulled. */
static void
serial_lose_line(struct serial *serial)
{
	serial_log(serial, LOG_WARNING, "gone");
	serial_forget_line(serial);
	if (serial->out != NULL)
		evbuffer_drain(serial->out, evbuffer_get_length(serial->out));
	serial->away_logged = true;
	serial_set_timer(serial, SERIAL_REOPEN_MS);
}

static bool
serial_is_full(const struct serial *serial)
{
	return serial->out != NULL &&
	       evbuffer_get_length(serial->out) >= SERIAL_OUTPUT_MAX;
}

/* Reads on unless the host does not read, or has sent more than the session takes. */
static void
serial_read_on(struct serial *serial)
{
	if (serial->readable == NULL)
		return;
	if (serial_is_full(serial) ||
	    session_input_length(&serial->session) >= SESSION_INPUT_MAX)
		event_del(serial->readable);
	else
		event_add(serial->readable, NULL);
}

static void
serial_flush(struct serial *serial)
{
	if (serial->corked || serial->out == NULL)
		return;
	if (serial->line.fd == -1) {
		evbuffer_drain(serial->out, evbuffer_get_length(serial->out));
		return;
	}
	while (evbuffer_get_length(serial->out) > 0) {
		int n = evbuffer_write(serial->out, serial->line.fd);

		if (n > 0)
			continue;
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno != EAGAIN) {
			serial_lose_line(serial);
			return;
		}
		event_add(serial->writable, NULL);
		return;
	}
	if (serial->lost_lines > 0)
		log_msg(LOG_INFO, serial->session.module->own->name,
		    "serial port %s: %lu log lines dropped while no host read",
		    serial->line.name, serial->lost_lines);
	serial->lost_lines = 0;
}

static struct evbuffer *
serial_output(struct serial *serial)
{
	if (serial->out == NULL)
		serial->out = xcheck(evbuffer_new());
	return serial->out;
}

static void
serial_readable(evutil_socket_t fd, short what, void *arg)
{
	struct serial *serial = arg;
	char bytes[SERIAL_READ_SIZE];
	ssize_t n = read(fd, bytes, sizeof bytes);

	(void)what;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		serial_lose_line(serial);
		return;
	}
	serial->corked = true;
	session_feed(&serial->session, bytes, (size_t)n);
	serial->corked = false;
	serial_flush(serial);
	if (serial_is_full(serial) ||
	    session_input_length(&serial->session) >= SESSION_INPUT_MAX)
		serial_read_on(serial);
}

static void
serial_writable(evutil_socket_t fd, short what, void *arg)
{
	struct serial *serial = arg;
	bool was_full = serial_is_full(serial);

	(void)fd;
	(void)what;
	serial_flush(serial);
	if (was_full && !serial_is_full(serial))
		serial_read_on(serial);
}

/* Reference: serial and file notes, 4.2: uart.* of the module's first UART. */
static int
serial_configure(const struct serial *serial)
{
	const struct module *module = serial->session.module;
	const char *parity = variable_text_at(module, "uart.parity", "0");
	struct serial_settings settings = {
		/* "9600", or "250000 raw": strtoul stops at the blank. */
		.baud = (unsigned)strtoul(
		    variable_text_at(module, "uart.baud", "0"), NULL, 10),
		.data_bits = (unsigned)variable_number_at(module, "uart.data", "0"),
		.stop_bits = (unsigned)variable_number_at(module, "uart.stop", "0"),
		.parity = strcmp(parity, "even") == 0  ? SERIAL_PARITY_EVEN
			  : strcmp(parity, "odd") == 0 ? SERIAL_PARITY_ODD
						       : SERIAL_PARITY_NONE,
		.flow_control =
		    strcmp(variable_text_at(module, "uart.flow", "0"), "on") == 0,
	};

	if (serial->line.fd == -1)
		return 0;
	if (serial_line_configure(&serial->line, &settings) == -1) {
		serial_log(serial, LOG_WARNING, "cannot be set up as uart.* says");
		return -1;
	}
	return 0;
}

static int
serial_open_line(struct serial *serial)
{
	struct event_base *base = serial->session.module->base;
	int result;

	result = serial->device == NULL
		     ? serial_line_open_pty(&serial->line)
		     : serial_line_open_tty(&serial->line, serial->device);
	if (result == -1)
		return -1;
	serial->readable = xcheck(event_new(
	    base, serial->line.fd, EV_READ | EV_PERSIST, serial_readable, serial));
	serial->writable =
	    xcheck(event_new(base, serial->line.fd, EV_WRITE, serial_writable, serial));
	event_add(serial->readable, NULL);
	return 0;
}

/* Looks for a tty that is away, or switches the settings when the output has left. */
static void
serial_timer(evutil_socket_t fd, short what, void *arg)
{
	struct serial *serial = arg;

	(void)fd;
	(void)what;
	if (serial->line.fd != -1) {
		if (serial->drain_tries > 0 && !serial_line_is_sent(&serial->line)) {
			serial->drain_tries--;
			serial_set_timer(serial, SERIAL_DRAIN_MS);
			return;
		}
		serial_configure(serial);
		return;
	}
	if (serial_open_line(serial) == -1) {
		if (!serial->away_logged)
			serial_log(
			    serial, LOG_WARNING, "cannot be opened; waiting for it");
		serial->away_logged = true;
		serial_set_timer(serial, SERIAL_REOPEN_MS);
		return;
	}
	log_msg(LOG_INFO, serial->session.module->own->name, "serial port %s: open",
	    serial->line.name);
	serial->away_logged = false;
	serial_configure(serial);
}

static void
serial_set_timer(struct serial *serial, unsigned ms)
{
	struct timeval timeout = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (serial->timer == NULL)
		serial->timer = xcheck(event_new(
		    serial->session.module->base, -1, 0, serial_timer, serial));
	event_add(serial->timer, &timeout);
}

static void
serial_reply(struct session *session, const struct response *response)
{
	struct serial *serial = (struct serial *)session;

	console_reply(session->module, response, serial_output(serial));
	serial_flush(serial);
}

static void
serial_notice(struct session *session, const char *line)
{
	struct serial *serial = (struct serial *)session;
	struct evbuffer *out = serial_output(serial);

	if (evbuffer_get_length(out) >= SERIAL_LOG_MAX) {
		serial->lost_lines++;
		return;
	}
	console_notice(session->module, line, out);
	serial_flush(serial);
}

static void
serial_echo(struct session *session, const char *bytes, size_t len)
{
	struct serial *serial = (struct serial *)session;

	evbuffer_add(serial_output(serial), bytes, len);
	serial_flush(serial);
}

static void
serial_booted(struct session *session)
{
	struct serial *serial = (struct serial *)session;

	serial_configure(serial);
	console_prompt(session->module, serial_output(serial));
	serial_flush(serial);
	serial_read_on(serial);
}

/* The answer to uart_update leaves at the old rate first. */
static void
serial_retune(struct session *session)
{
	struct serial *serial = (struct serial *)session;

	if (serial->line.fd == -1)
		return;
	serial->drain_tries = SERIAL_DRAIN_TRIES;
	serial_timer(-1, 0, serial);
}

static void
serial_drained(struct session *session)
{
	serial_read_on((struct serial *)session);
}

static void
serial_free(struct session *session)
{
	struct serial *serial = (struct serial *)session;

	serial_forget_line(serial);
	if (serial->timer != NULL)
		event_free(serial->timer);
	if (serial->out != NULL)
		evbuffer_free(serial->out);
	if (session->module->tty_link != NULL)
		unlink(session->module->tty_link);
	free(serial);
}

static const struct session_ops serial_ops = {
	.reply = serial_reply,
	.notice = serial_notice,
	.echo = serial_echo,
	.booted = serial_booted,
	.retune = serial_retune,
	.drained = serial_drained,
	.free = serial_free,
};

/* Points the stable path at the pty; whoever looks sees the old target or the new. */
static int
serial_link(const char *path, const char *target)
{
	char *temporary = xasprintf("%s.new", path);
	int result = -1;

	if ((unlink(temporary) == 0 || errno == ENOENT) &&
	    symlink(target, temporary) == 0)
		result = rename(temporary, path);
	free(temporary);
	return result;
}

int
serial_attach(struct module *module, const char *directory)
{
	const struct module_settings *own = module->own;
	struct serial *serial = xcalloc(1, sizeof *serial);

	serial->line.fd = serial->line.slave = -1;
	serial->device = own->serial_device;
	session_init(&serial->session, module, SESSION_SERIAL, &serial_ops);
	if (serial->device != NULL) {
		module->tty = xstrdup(serial->device);
		snprintf(
		    serial->line.name, sizeof serial->line.name, "%s", serial->device);
		serial_timer(-1, 0, serial);
		return 0;
	}
	if (serial_open_line(serial) == -1) {
		log_msg(LOG_ERR, own->name, "no pty: %s", strerror(errno));
		session_close(&serial->session);
		return -1;
	}
	module->tty = xstrdup(serial->line.name);
	module->tty_link = xasprintf("%s/%s", directory, own->serial_link);
	if (serial_link(module->tty_link, module->tty) == -1)
		log_msg(LOG_ERR, own->name, "cannot make %s: %s", module->tty_link,
		    strerror(errno));
	return 0;
}
