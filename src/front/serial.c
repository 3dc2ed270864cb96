#include "front/serial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/session.h"
#include "core/variable.h"
#include "device/serial_line.h"
#include "front/bridge.h"
#include "front/console_port.h"
#include "front/mode_pin.h"

#define SERIAL_REOPEN_MS 1000 /* between two looks for a tty that is gone */
#define SERIAL_DRAIN_MS 5 /* between two looks whether the output has left */
#define SERIAL_DRAIN_TRIES 400

struct serial {
	struct console_port port; /* its fd is the line's */
	struct serial_line line;
	const char *device; /* borrowed from the settings; NULL: a pty */
	struct event
	    *timer; /* owned: looks for the tty, or for the end of the output */
	struct bridge
	    *bridge; /* owned: STREAM mode; NULL before the first boot into it */
	struct mode_pin *mode_pin; /* owned; likewise */
	unsigned drain_tries;
	bool away_logged;
};

static void serial_set_timer(struct serial *, unsigned ms);

static void
serial_log(const struct serial *serial, int priority, const char *what)
{
	log_msg(priority, serial->port.session.module->own->name,
	    "serial port %s: %s: %s", serial->line.name, what,
	    errno == 0 ? "end of file" : strerror(errno));
}

/* The tty has vanished: what was to go there is lost, as on a cable that was pulled. */
static void
serial_lost(struct console_port *port)
{
	struct serial *serial = (struct serial *)port;

	serial_log(serial, LOG_WARNING, "gone");
	serial->line.fd = -1;
	serial_line_close(&serial->line);
	serial->away_logged = true;
	serial_set_timer(serial, SERIAL_REOPEN_MS);
}

static void
serial_input(struct console_port *port, const char *bytes, size_t len)
{
	struct serial *serial = (struct serial *)port;
	size_t taken = 0;

	if (port->session.bus_mode == BUS_STREAM)
		taken = bridge_input(serial->bridge, bytes, len);
	if (taken < len)
		session_feed(&port->session, bytes + taken, len - taken);
}

static size_t
serial_room(const struct console_port *port)
{
	return port->session.bus_mode == BUS_STREAM
		   ? bridge_room(((const struct serial *)port)->bridge)
		   : session_room(&port->session);
}

static void
serial_moved(struct console_port *port, enum activity_way way)
{
	activity_note_serial(port->session.module, way);
}

static void
serial_sent(struct console_port *port)
{
	struct serial *serial = (struct serial *)port;

	if (serial->bridge != NULL)
		bridge_sent(serial->bridge);
}

static const struct console_port_ops serial_port_ops = {
	.input = serial_input,
	.room = serial_room,
	.moved = serial_moved,
	.sent = serial_sent,
	.lost = serial_lost,
};

/* Reference: serial and file notes, 4.2: uart.* of the module's first UART. */
static int
serial_configure(const struct serial *serial)
{
	const struct module *module = serial->port.session.module;
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
	int result = serial->device == NULL
			 ? serial_line_open_pty(&serial->line)
			 : serial_line_open_tty(&serial->line, serial->device);

	if (result == 0)
		console_port_open(&serial->port, serial->line.fd);
	return result;
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
	log_msg(LOG_INFO, serial->port.session.module->own->name,
	    "serial port %s: open", serial->line.name);
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
		    serial->port.session.module->base, -1, 0, serial_timer, serial));
	event_add(serial->timer, &timeout);
}

/* The pin of bus.stream.cmd_gpio leads out of STREAM mode or back. What the host wrote
 * before belongs to the mode there was, so it is taken first; a command that runs ends
 * before the stream goes on, and what is typed of the next one is forgotten. */
static bool
serial_pin_changed(void *arg, bool is_high)
{
	struct serial *serial = arg;
	struct session *session = &serial->port.session;

	if (is_high == (session->bus_mode == BUS_COMMAND))
		return true;
	console_port_pull(&serial->port);
	if (is_high) {
		if (session->bus_mode == BUS_STREAM)
			bridge_break(serial->bridge);
		return true;
	}
	if (session->current != NULL || session_input_length(session) > 0)
		return false;
	session_reset(session);
	session->bus_mode = BUS_STREAM;
	bridge_start(serial->bridge);
	return true;
}

/* Reference: serial and file notes, 4.1: bus.mode acts at boot. */
static void
serial_booted(struct session *session)
{
	struct serial *serial = (struct serial *)session;

	serial_configure(serial);
	session->bus_mode = session->module->bus_mode;
	if (session->bus_mode == BUS_STREAM && serial->bridge == NULL) {
		serial->bridge = bridge_new(&serial->port);
		serial->mode_pin =
		    mode_pin_new(session->module, serial_pin_changed, serial);
	}
	if (serial->mode_pin != NULL && mode_pin_take(serial->mode_pin))
		session->bus_mode = BUS_COMMAND;
	if (session->bus_mode == BUS_STREAM) {
		bridge_start(serial->bridge);
	} else {
		if (serial->bridge != NULL)
			bridge_stop(serial->bridge);
		console_port_prompt(session);
	}
	console_port_drained(session);
}

static void
serial_stream_added(struct session *session, struct stream *stream)
{
	struct serial *serial = (struct serial *)session;

	if (serial->bridge != NULL)
		bridge_offer(serial->bridge, stream);
}

/* Back to STREAM mode after its break sequence. */
static int
serial_leave(struct session *session)
{
	struct serial *serial = (struct serial *)session;

	if (session->module->bus_mode != BUS_STREAM ||
	    mode_pin_is_high(serial->mode_pin))
		return -1;
	session->bus_mode = BUS_STREAM;
	bridge_start(serial->bridge);
	return 0;
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
serial_free(struct session *session)
{
	struct serial *serial = (struct serial *)session;

	bridge_free(serial->bridge);
	mode_pin_free(serial->mode_pin);
	console_port_clear(&serial->port);
	serial->line.fd = -1;
	serial_line_close(&serial->line);
	if (serial->timer != NULL)
		event_free(serial->timer);
	if (session->module->tty_link != NULL)
		unlink(session->module->tty_link);
	free(serial);
}

/* Reference: serial and file notes, 2.6: where there is one UART only, log lines share
 * it. Chosen: the port is the UART for commands and data; lines that go to another one
 * are not to be seen here. */
static void
serial_notice(struct session *session, const char *line)
{
	const struct module *module = session->module;
	const char *data = variable_exists(module, "bus.data_bus")
			       ? variable_text(module, "bus.data_bus")
			       : "uart0";

	if (module->profile->uarts == 1 ||
	    strcmp(variable_text(module, "bus.log_bus"), data) == 0)
		console_port_notice(session, line);
}

static const struct session_ops serial_ops = {
	.reply = console_port_reply,
	.notice = serial_notice,
	.echo = console_port_echo,
	.booted = serial_booted,
	.retune = serial_retune,
	.leave = serial_leave,
	.stream_added = serial_stream_added,
	.drained = console_port_drained,
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

	serial->port.ops = &serial_port_ops;
	serial->port.fd = serial->line.fd = serial->line.slave = -1;
	serial->device = own->serial_device;
	session_init(&serial->port.session, module, SESSION_SERIAL, &serial_ops);
	if (serial->device != NULL) {
		module->tty = xstrdup(serial->device);
		snprintf(
		    serial->line.name, sizeof serial->line.name, "%s", serial->device);
		serial_timer(-1, 0, serial);
		return 0;
	}
	if (serial_open_line(serial) == -1) {
		log_msg(LOG_ERR, own->name, "no pty: %s", strerror(errno));
		session_close(&serial->port.session);
		return -1;
	}
	module->tty = xstrdup(serial->line.name);
	module->tty_link = xasprintf("%s/%s", directory, own->serial_link);
	if (serial_link(module->tty_link, module->tty) == -1)
		log_msg(LOG_ERR, own->name, "cannot make %s: %s", module->tty_link,
		    strerror(errno));
	return 0;
}
