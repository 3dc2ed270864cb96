#include "module_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "base/log.h"
#include "cmd/table.h"
#include "front/console.h"
#include "var/table.h"

void
fixture_open(struct fixture *fixture, const struct command *const *commands)
{
	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	memset(fixture, 0, sizeof *fixture);
	host_directory_make(fixture->directory);
	fixture->own.name = (char *)(uintptr_t) "unit";
	fixture->own.mac = (char *)(uintptr_t) "4C:55:CC:10:09:42";
	fixture->own.network.address = (char *)(uintptr_t) "127.0.0.1";
	fixture->settings.state_directory = fixture->directory;
	fixture->settings.runtime_directory = fixture->directory;
	fixture->settings.modules = &fixture->own;
	fixture->settings.module_count = 1;
	fixture->base = event_base_new();
	fixture->catalog = catalog_new(profile_get("wl-1.0"),
	    commands == NULL ? command_tables : commands, variable_tables);
	fixture->module = module_new(
	    fixture->base, fixture->catalog, &fixture->settings, &fixture->own);
	assert_non_null(fixture->module);
}

void
fixture_close(struct fixture *fixture)
{
	module_free(fixture->module);
	catalog_free(fixture->catalog);
	event_base_free(fixture->base);
	host_directory_remove(fixture->directory);
}

void
fixture_turn(struct fixture *fixture)
{
	event_base_loop(fixture->base, EVLOOP_NONBLOCK);
}

static void
captured_reply(struct session *session, const struct response *response)
{
	struct captured *captured = (struct captured *)session;

	captured->replies++;
	console_reply(session->module, response, captured->out);
}

static void
captured_notice(struct session *session, const char *line)
{
	console_notice(session->module, line, ((struct captured *)session)->out);
}

static void
captured_echo(struct session *session, const char *bytes, size_t len)
{
	evbuffer_add(((struct captured *)session)->out, bytes, len);
}

static void
captured_booted(struct session *session)
{
	console_prompt(session->module, ((struct captured *)session)->out);
}

static void
captured_drained(struct session *session)
{
	((struct captured *)session)->drained++;
}

static void
captured_free(struct session *session)
{
	struct captured *captured = (struct captured *)session;

	if (captured->freed != NULL)
		*captured->freed = true;
	evbuffer_free(captured->out);
	free(captured);
}

static const struct session_ops captured_ops = {
	.reply = captured_reply,
	.notice = captured_notice,
	.echo = captured_echo,
	.booted = captured_booted,
	.drained = captured_drained,
	.free = captured_free,
};

struct captured *
captured_open(struct fixture *fixture, bool *freed)
{
	struct captured *captured = calloc(1, sizeof *captured);

	captured->out = evbuffer_new();
	captured->freed = freed;
	session_init(
	    &captured->session, fixture->module, SESSION_SERIAL, &captured_ops);
	return captured;
}

const char *
captured_take(struct captured *captured)
{
	static char text[65536];
	int n = evbuffer_remove(captured->out, text, sizeof text - 1);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

void
captured_type(struct captured *captured, const char *text)
{
	session_feed(&captured->session, text, strlen(text));
}
