/* The bytes are what a host types, behind three that choose the module: settings, size
 * of the pieces in which the rest arrives, profile and the kind of session. Whatever
 * they are, each line is answered once, and an idle module still answers the next one.
 */

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "cmd/table.h"
#include "core/catalog.h"
#include "core/module.h"
#include "core/session.h"
#include "fuzz.h"
#include "store/settings.h"
#include "var/table.h"

#define FUZZ_SESSION_CHOICES 3 /* bytes in front of the input */
#define FUZZ_SESSION_TURNS 8 /* of the loop, for what is under way at the end */

struct fuzz_session {
	struct session session;
	unsigned replies;
	enum result last_result;
	bool leaving; /* exit: the reply to it is the last */
};

static unsigned fuzz_session_live; /* sessions not freed yet */

static void
fuzz_session_reply(struct session *base, const struct response *response)
{
	struct fuzz_session *session = (struct fuzz_session *)base;

	FUZZ_REQUIRE(!base->closed);
	FUZZ_REQUIRE(
	    response->result >= RESULT_OK && response->result < (int)RESULT_COUNT);
	session->replies++;
	session->last_result = response->result;
	if (session->leaving)
		session_close(base);
}

static void
fuzz_session_notice(struct session *session, const char *line)
{
	FUZZ_REQUIRE(!session->closed && strlen(line) > 0);
}

static void
fuzz_session_echo(struct session *session, const char *bytes, size_t len)
{
	FUZZ_REQUIRE(!session->closed && session->module->console.echo);
	FUZZ_REQUIRE(len > 0 && bytes[0] != '\0');
}

static void
fuzz_session_booted(struct session *session)
{
	FUZZ_REQUIRE(!session->closed && session->current == NULL);
}

static int
fuzz_session_leave(struct session *session)
{
	((struct fuzz_session *)session)->leaving = true;
	return 0;
}

static void
fuzz_session_free(struct session *session)
{
	fuzz_session_live--;
	free(session);
}

static const struct session_ops fuzz_session_serial = {
	.reply = fuzz_session_reply,
	.notice = fuzz_session_notice,
	.echo = fuzz_session_echo,
	.booted = fuzz_session_booted,
	.free = fuzz_session_free,
};

static const struct session_ops fuzz_session_terminal = {
	.reply = fuzz_session_reply,
	.notice = fuzz_session_notice,
	.echo = fuzz_session_echo,
	.leave = fuzz_session_leave,
	.free = fuzz_session_free,
};

static const struct session_ops fuzz_session_plain = {
	.reply = fuzz_session_reply,
	.free = fuzz_session_free,
};

static struct fuzz_session *
fuzz_session_new(struct module *module, unsigned choice)
{
	static const struct {
		enum session_kind kind;
		const struct session_ops *ops;
	} kinds[] = { { SESSION_SERIAL, &fuzz_session_serial },
		{ SESSION_TERMINAL, &fuzz_session_terminal },
		{ SESSION_SCRIPT, &fuzz_session_plain },
		{ SESSION_REST, &fuzz_session_plain } };
	struct fuzz_session *session = calloc(1, sizeof *session);

	fuzz_session_live++;
	session_init(
	    &session->session, module, kinds[choice % 4].kind, kinds[choice % 4].ops);
	return session;
}

static bool
fuzz_session_is_idle(const struct fuzz_session *session)
{
	return session->session.module->state == MODULE_RUNNING &&
	       !session->session.closed && session->session.current == NULL;
}

/* A front end gives no more than this to a session that is behind. */
static void
fuzz_session_type(struct fuzz_session *session, const char *bytes, size_t len)
{
	if (!session->session.closed && session_room(&session->session) > 0)
		session_feed(&session->session, bytes, len);
}

/* The reaper frees a closed session on the next turn of the loop, so nobody may look at
 * it after that one. Says whether the session is still there. */
static bool
fuzz_session_turn(struct event_base *base, struct fuzz_session *session)
{
	bool closed = session->session.closed;

	event_base_loop(base, EVLOOP_NONBLOCK);
	return !closed && fuzz_session_live > 0;
}

/* One command with its payload, as REST gives it: the line, and what stands behind it.
 */
static void
fuzz_session_ask_once(struct fuzz_session *session, const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end == NULL ? size : (size_t)(end - data) + 1;
	struct evbuffer *payload = NULL;

	if (end != NULL) {
		payload = evbuffer_new();
		evbuffer_add(payload, data + len, size - len);
	}
	session_submit(&session->session, (const char *)data, len, payload, false);
	FUZZ_REQUIRE(session->replies == 1 || session->session.current != NULL);
}

static bool
fuzz_session_play(struct event_base *base, struct fuzz_session *session,
    const uint8_t *data, size_t size, size_t piece)
{
	bool alive = true;

	for (size_t at = 0; at < size && alive; at += piece) {
		size_t len = size - at < piece ? size - at : piece;

		fuzz_session_type(session, (const char *)data + at, len);
		alive = fuzz_session_turn(base, session);
	}
	for (unsigned i = 0; i < FUZZ_SESSION_TURNS && alive; i++)
		alive = fuzz_session_turn(base, session);
	return alive;
}

/* What was typed may have left half a line, and that line may be any command. */
static void
fuzz_session_ask_again(struct event_base *base, struct fuzz_session *session)
{
	unsigned replies;

	if (!fuzz_session_is_idle(session))
		return;
	if (!fuzz_session_play(base, session, (const uint8_t *)"\r\n", 2, 2) ||
	    !fuzz_session_is_idle(session))
		return;
	replies = session->replies;
	fuzz_session_type(session, "version\r\n", strlen("version\r\n"));
	FUZZ_REQUIRE(session->replies == replies + 1);
	FUZZ_REQUIRE(session->last_result == RESULT_OK);
}

static char fuzz_session_on[] = "1", fuzz_session_off[] = "0",
	    fuzz_session_all[] = "all", fuzz_session_echo_name[] = "system.cmd.echo",
	    fuzz_session_header_name[] = "system.cmd.header_enabled",
	    fuzz_session_prompt_name[] = "system.cmd.prompt_enabled",
	    fuzz_session_buffered_name[] = "system.cmd.buffered",
	    fuzz_session_level_name[] = "system.print_level";

static struct module *
fuzz_session_module(struct event_base *base, struct settings *settings, unsigned flags,
    unsigned position)
{
	static struct catalog *catalogs[PROFILE_COUNT];
	struct module_settings *own = settings->modules;
	struct module *module;

	position %= PROFILE_COUNT;
	if (catalogs[position] == NULL)
		catalogs[position] =
		    catalog_new(profile_at(position), command_tables, variable_tables);
	own->factory[0].value = (flags & 1) != 0 ? fuzz_session_off : fuzz_session_on;
	own->factory[1].value = (flags & 2) != 0 ? fuzz_session_on : fuzz_session_off;
	own->factory[2].value = (flags & 4) != 0 ? fuzz_session_off : fuzz_session_on;
	own->factory[3].value = (flags & 8) != 0 ? fuzz_session_on : fuzz_session_off;
	own->factory[4].value = (flags & 16) != 0 ? fuzz_session_all : fuzz_session_off;
	module = module_new(base, catalogs[position], settings, own);
	FUZZ_REQUIRE(module != NULL);
	return module;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct event_base *base;
	static struct settings_factory factory[] = {
		{ .name = fuzz_session_echo_name },
		{ .name = fuzz_session_header_name },
		{ .name = fuzz_session_prompt_name },
		{ .name = fuzz_session_buffered_name },
		{ .name = fuzz_session_level_name },
	};
	static char name[] = "m", mac[] = "4C:55:CC:10:09:42", directory[128];
	static char address[] = "127.0.0.1";
	static struct module_settings own = { .name = name,
		.network = { .address = address },
		.files_size = 1048576,
		.mac = mac,
		.factory = factory,
		.factory_count = sizeof factory / sizeof factory[0] };
	static struct settings settings = { .state_directory = directory,
		.runtime_directory = directory,
		.modules = &own,
		.module_count = 1 };
	struct fuzz_session *session;
	struct module *module;

	if (size < FUZZ_SESSION_CHOICES)
		return 0;
	if (base == NULL) {
		base = event_base_new();
		memcpy(directory, fuzz_directory(), strlen(fuzz_directory()) + 1);
	}
	module = fuzz_session_module(base, &settings, data[0], data[2] & 3);
	session = fuzz_session_new(module, data[2] >> 2);
	module_boot(module);
	if (session->session.kind == SESSION_REST) {
		fuzz_session_ask_once(
		    session, data + FUZZ_SESSION_CHOICES, size - FUZZ_SESSION_CHOICES);
		fuzz_session_play(base, session, NULL, 0, 1);
	} else if (fuzz_session_play(base, session, data + FUZZ_SESSION_CHOICES,
		       size - FUZZ_SESSION_CHOICES, data[1] == 0 ? size : data[1])) {
		fuzz_session_ask_again(base, session);
	}
	module_free(module);
	FUZZ_REQUIRE(fuzz_session_live == 0);
	fuzz_clean();
	return 0;
}
