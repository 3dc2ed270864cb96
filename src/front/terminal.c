#include "front/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/module.h"
#include "core/variable.h"
#include "front/console_port.h"
#include "front/telnet.h"

/* Chosen: without this a client that knows no password could keep others out. */
#define TERMINAL_LOGIN_MS 60000
#define TERMINAL_SERVICE "remote_terminal"
#define TERMINAL_PASSWORD_MAX 128 /* bytes typed for a password */

struct terminal {
	struct console_port port;
	struct terminal_service *service; /* borrowed */
	enum telnet_state telnet;
	bool is_in; /* the password, if any, was right */
	bool is_leaving; /* exit: closes when the answer is out */
	char password[TERMINAL_PASSWORD_MAX]; /* what was typed so far */
	size_t password_len;
	struct event *idle; /* owned; not armed: no limit */
	int64_t moved_at_ms;
	int64_t idle_ms;
};

struct terminal_service {
	struct module *module; /* borrowed */
	struct listener listener;
	struct terminal *client; /* the session's own; NULL: none */
};

static void
terminal_end(struct terminal *terminal)
{
	struct module *module = terminal->port.session.module;
	struct session *serial;

	if (terminal->service->client == terminal)
		terminal->service->client = NULL;
	if (module->terminal == &terminal->port.session)
		module->terminal = NULL;
	session_close(&terminal->port.session);
	TAILQ_FOREACH (serial, &module->sessions, entry) {
		if (serial->kind == SESSION_SERIAL)
			break;
	}
	/* The parser is the serial port's again. */
	if (serial != NULL)
		session_resume(serial);
}

static void
terminal_wait_idle(struct terminal *terminal, int64_t ms)
{
	struct timeval timeout = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(terminal->idle, &timeout);
}

/* Chosen: a client that has been idle too long is dropped without a word. */
static void
terminal_idle(evutil_socket_t fd, short what, void *arg)
{
	struct terminal *terminal = arg;
	int64_t left_ms =
	    terminal->moved_at_ms + terminal->idle_ms - clock_monotonic_ms();

	(void)fd;
	(void)what;
	if (left_ms > 0)
		terminal_wait_idle(terminal, left_ms);
	else
		terminal_end(terminal);
}

/* 0: no limit. */
static void
terminal_limit_idle(struct terminal *terminal, int64_t ms)
{
	terminal->idle_ms = ms;
	if (ms > 0)
		terminal_wait_idle(terminal, ms);
	else
		event_del(terminal->idle);
}

/* Reference: network notes, section 5: the ready line, then the prompt. */
static void
terminal_welcome(struct terminal *terminal)
{
	struct session *session = &terminal->port.session;

	terminal->is_in = true;
	session->module->terminal = session;
	terminal_limit_idle(terminal,
	    variable_number(session->module, "remote_terminal.timeout") * 1000);
	event_show(session, EVENT_READY, "");
	console_port_prompt(session);
}

static bool
terminal_password_is_right(const struct terminal *terminal)
{
	const char *wanted =
	    variable_text(terminal->port.session.module, "remote_terminal.password");
	char padded[TERMINAL_PASSWORD_MAX] = "", given[TERMINAL_PASSWORD_MAX] = "";

	snprintf(padded, sizeof padded, "%s", wanted);
	memcpy(given, terminal->password, terminal->password_len);
	return CRYPTO_memcmp(padded, given, sizeof given) == 0;
}

/* Chosen: the dialogue; the record only says that there is a password. Takes what
 * belongs to the password and returns how much that is. */
static size_t
terminal_take_password(struct terminal *terminal, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\r' || bytes[i] == '\n') {
			if (bytes[i] == '\n' && terminal->password_len == 0)
				continue; /* of the CR LF that ended something before */
			console_port_write(&terminal->port, "\r\n", 2);
			if (!terminal_password_is_right(terminal)) {
				terminal_end(terminal);
				return len;
			}
			terminal->port.session.after_cr = bytes[i] == '\r';
			terminal_welcome(terminal);
			return i + 1;
		}
		if (terminal->password_len < sizeof terminal->password - 1)
			terminal->password[terminal->password_len++] = bytes[i];
	}
	return len;
}

static void
terminal_input(struct console_port *port, const char *bytes, size_t len)
{
	struct terminal *terminal = (struct terminal *)port;
	char data[CONSOLE_READ_SIZE];
	size_t taken = 0;

	terminal->moved_at_ms = clock_monotonic_ms();
	memcpy(data, bytes, len);
	len = telnet_filter(&terminal->telnet, data, len);
	if (!terminal->is_in)
		taken = terminal_take_password(terminal, data, len);
	if (taken < len)
		session_feed(&port->session, data + taken, len - taken);
}

static void
terminal_lost(struct console_port *port)
{
	terminal_end((struct terminal *)port);
}

static void
terminal_moved(struct console_port *port, enum activity_way way)
{
	struct module *module = port->session.module;

	activity_note(module, service_interface(module, TERMINAL_SERVICE), way);
}

static const struct console_port_ops terminal_port_ops = {
	.input = terminal_input,
	.moved = terminal_moved,
	.lost = terminal_lost,
};

static void
terminal_notice(struct session *session, const char *line)
{
	if (((struct terminal *)session)->is_in)
		console_port_notice(session, line);
}

static int
terminal_leave(struct session *session)
{
	((struct terminal *)session)->is_leaving = true;
	return 0;
}

static void
terminal_reply(struct session *session, const struct response *response)
{
	struct terminal *terminal = (struct terminal *)session;

	terminal->moved_at_ms = clock_monotonic_ms();
	if (terminal->is_leaving)
		terminal_end(terminal);
	else
		console_port_reply(session, response);
}

static void
terminal_free(struct session *session)
{
	struct terminal *terminal = (struct terminal *)session;

	if (terminal->service->client == terminal)
		terminal->service->client = NULL;
	if (session->module->terminal == session)
		session->module->terminal = NULL;
	console_port_clear(&terminal->port);
	event_free(terminal->idle);
	OPENSSL_cleanse(terminal->password, sizeof terminal->password);
	free(terminal);
}

static const struct session_ops terminal_ops = {
	.reply = terminal_reply,
	.notice = terminal_notice,
	.echo = console_port_echo,
	.leave = terminal_leave,
	.drained = console_port_drained,
	.free = terminal_free,
};

/* One client at a time. Chosen: another one is let in and sent away. A client that is
 * dead is found by keepalive and makes room. */
static void
terminal_accepted(struct evconnlistener *accepting, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct terminal_service *service = arg;
	struct module *module = service->module;
	struct terminal *terminal;

	(void)accepting;
	(void)address;
	(void)len;
	if (service->client != NULL) {
		close(fd);
		return;
	}
	terminal = xcalloc(1, sizeof *terminal);
	terminal->service = service;
	terminal->port.ops = &terminal_port_ops;
	terminal->port.fd = -1;
	session_init(&terminal->port.session, module, SESSION_TERMINAL, &terminal_ops);
	service->client = terminal;
	terminal->moved_at_ms = clock_monotonic_ms();
	terminal->idle =
	    xcheck(event_new(module->base, -1, 0, terminal_idle, terminal));
	terminal_limit_idle(terminal, TERMINAL_LOGIN_MS);
	console_port_open(&terminal->port, fd);
	if (*variable_text(module, "remote_terminal.password") == '\0')
		terminal_welcome(terminal);
	else
		console_port_write(&terminal->port, "Password: ", 10);
}

static void
terminal_service_start(void *arg)
{
	struct terminal_service *service = arg;
	struct module *module = service->module;
	struct listener *listener = &service->listener;

	if (!variable_is_on(module, "remote_terminal.enabled"))
		return;
	listener_set(listener, module, "remote_terminal", "tcp",
	    (uint16_t)variable_number(module, "remote_terminal.port"));
	if (listener_accept(listener, module, terminal_accepted, service) == -1)
		return;
	listener_warn_if_open(listener, module,
	    *variable_text(module, "remote_terminal.password") != '\0',
	    "remote_terminal.password");
}

static void
terminal_service_stop(void *arg)
{
	struct terminal_service *service = arg;

	listener_close(&service->listener);
	if (service->client != NULL)
		terminal_end(service->client);
}

static void
terminal_service_free(void *arg)
{
	free(arg);
}

static const struct service_ops terminal_service_ops = {
	.name = TERMINAL_SERVICE,
	.interface = "remote_terminal.interface",
	.start = terminal_service_start,
	.stop = terminal_service_stop,
	.free = terminal_service_free,
};

void
terminal_attach(struct module *module)
{
	struct terminal_service *service = xcalloc(1, sizeof *service);

	service->module = module;
	module_add_service(module, &terminal_service_ops, service);
}
