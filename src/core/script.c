#include "core/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/event.h"
#include "core/module.h"
#include "core/session.h"
#include "store/flash.h"

struct script {
	struct session session;
	const char *name; /* borrowed */
	char *text; /* owned */
	const char *rest; /* of text, behind the line that runs */
	unsigned line; /* its number */
	bool tells_end;
	enum result result; /* of the last command */
	struct event *turn; /* owned; takes the next line */
};

/* Never called from inside the command that it answers. */
static void
script_turn(evutil_socket_t fd, short what, void *arg)
{
	struct script *self = arg;
	const char *line;
	size_t len;

	(void)fd;
	(void)what;
	if (self->result != RESULT_OK) {
		event_emit(self->session.module, EVENT_PROGRESS,
		    "%s failed in line %u: %s", self->name, self->line,
		    result_text(self->result));
		session_close(&self->session);
		return;
	}
	do {
		if (*self->rest == '\0') {
			if (self->tells_end)
				event_emit(self->session.module, EVENT_PROGRESS,
				    "%s done", self->name);
			session_close(&self->session);
			return;
		}
		line = self->rest;
		len = strcspn(line, "\r\n");
		self->rest += len;
		self->rest += *self->rest == '\r';
		self->rest += *self->rest == '\n';
		self->line++;
	} while (len == 0 || *line == '#');
	session_submit(&self->session, line, len, NULL, false);
}

static void
script_reply(struct session *session, const struct response *response)
{
	struct script *self = (struct script *)session;

	self->result = response->result;
	event_active(self->turn, EV_TIMEOUT, 0);
}

static void
script_free(struct session *session)
{
	struct script *self = (struct script *)session;

	event_free(self->turn);
	free(self->text);
	free(self);
}

static const struct session_ops script_ops = {
	.reply = script_reply,
	.free = script_free,
};

static int
script_begin(struct module *module, const char *name, const char *text, bool tells_end)
{
	const struct session *other;
	struct script *self;

	TAILQ_FOREACH (other, &module->sessions, entry) {
		if (other->kind == SESSION_SCRIPT)
			return -1;
	}
	self = xcalloc(1, sizeof *self);
	self->name = name;
	self->tells_end = tells_end;
	self->text = xstrdup(text);
	self->rest = self->text;
	self->turn = xcheck(event_new(module->base, -1, 0, script_turn, self));
	session_init(&self->session, module, SESSION_SCRIPT, &script_ops);
	event_active(self->turn, EV_TIMEOUT, 0);
	return 0;
}

int
script_start(struct module *module, const char *name, const char *text)
{
	return script_begin(module, name, text, false);
}

const char *
script_start_file(struct module *module, const char *file)
{
	const char *error = NULL;
	size_t len;
	char *text = flash_read(module->flash, file, SCRIPT_FILE_MAX, &len);

	if (text == NULL)
		return errno == ENOENT ? "File not found" : "File cannot be read";
	if (strlen(text) != len)
		error = "File is not text";
	else if (script_begin(module, "Setup script", text, true) == -1)
		error = "A script runs already";
	free(text);
	return error;
}
