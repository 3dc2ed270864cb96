#include "core/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"

/* The last lines of a module; line n stands at (n - 1) % EVENT_RING_LINES. */
struct event_ring {
	char *lines[EVENT_RING_LINES]; /* owned; NULL while unused */
	uint64_t last; /* number of the newest line; they count from 1 */
};

/* Reference: serial and file notes, 3. "@t" is the module's own tag for the time.
 * Chosen: "@a" for the argument, and the words by which system.msg names them. */
static const struct {
	const char *name, *template;
} event_kinds[EVENT_TEMPLATES] = {
	[EVENT_READY] = { "ready", "[@tReady]" },
	[EVENT_ASSOCIATING] = { "associating", "[@tAssociating to @a]" },
	[EVENT_ASSOCIATED] = { "associated", "[@tAssociated]" },
	[EVENT_DISASSOCIATED] = { "disassociated", "[@tDisassociated]" },
	[EVENT_OPENING] = { "opening", "[@tOpening: @a]" },
	[EVENT_OPENED] = { "opened", "[@tOpened: @a]" },
	[EVENT_CLOSED] = { "closed", "[@tClosed: @a]" },
};

const char *
event_name(enum event_kind kind)
{
	return event_kinds[kind].name;
}

const char *
event_template(enum event_kind kind)
{
	return event_kinds[kind].template;
}

/* Chosen: the stamp needs a clock that was set and system.cmd.timestamp other than
 * none; its form is the known one, "2015-03-23 | 03:21:37: ". */
static void
event_stamp(const struct module *module, char *stamp, size_t size)
{
	time_t seconds;
	struct tm tm;

	stamp[0] = '\0';
	if (!module_clock_is_set(module) ||
	    strcmp(variable_text(module, "system.cmd.timestamp"), "none") == 0)
		return;
	seconds = (time_t)(module_clock_us(module) / 1000000) +
		  (time_t)module_zone_minutes(module) * 60;
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(stamp, size, "%Y-%m-%d | %H:%M:%S: ", &tm);
}

static void
event_expand(const struct module *module, enum event_kind kind, const char *argument,
    char *line, size_t size)
{
	const char *template =
	    variable_text_at(module, "system.msg", event_kinds[kind].name);
	char stamp[64];
	size_t len = 0;

	if (*template == '\0')
		template = event_kinds[kind].template;
	event_stamp(module, stamp, sizeof stamp);
	for (; *template != '\0' && len + 1 < size; template ++) {
		const char *text = NULL;

		if (template[0] == '@' && template[1] == 't')
			text = stamp;
		else if (template[0] == '@' && template[1] == 'a')
			text = argument;
		if (text == NULL) {
			line[len++] = *template;
			continue;
		}
		len += (size_t)snprintf(line + len, size - len, "%s", text);
		if (len >= size)
			len = size - 1;
		template ++;
	}
	line[len] = '\0';
}

static void
event_keep(struct module *module, const char *line)
{
	char **slot;

	if (module->events == NULL)
		module->events = xcalloc(1, sizeof *module->events);
	slot = &module->events->lines[module->events->last++ % EVENT_RING_LINES];
	free(*slot);
	*slot = xstrdup(line);
}

void
event_emit(struct module *module, enum event_kind kind, const char *fmt, ...)
{
	unsigned level = kind < EVENT_TEMPLATES ? 1 : 2;
	char argument[EVENT_LINE_MAX], line[EVENT_LINE_MAX];
	struct session *session, *next;
	va_list ap;

	if (module->running != NULL && module->running->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(argument, sizeof argument, fmt, ap);
	va_end(ap);
	if (kind < EVENT_TEMPLATES)
		event_expand(module, kind, argument, line, sizeof line);
	else
		snprintf(line, sizeof line, "%s", argument);

	event_keep(module, line);
	if (level > module->console.print_level)
		return;
	/* A session whose line breaks while it is written to leaves the list. */
	for (session = TAILQ_FIRST(&module->sessions); session != NULL;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		if (session->ops->notice != NULL && !session->closed)
			session->ops->notice(session, line);
	}
}

void
event_show(struct session *session, enum event_kind kind, const char *argument)
{
	char line[EVENT_LINE_MAX];

	event_expand(session->module, kind, argument, line, sizeof line);
	if (session->module->console.print_level > 0)
		session->ops->notice(session, line);
}

uint64_t
event_read(
    const struct module *module, uint64_t after_seq, event_reader *reader, void *arg)
{
	const struct event_ring *ring = module->events;

	if (ring == NULL)
		return 0;
	if (ring->last > EVENT_RING_LINES && after_seq < ring->last - EVENT_RING_LINES)
		after_seq = ring->last - EVENT_RING_LINES;
	while (after_seq < ring->last)
		reader(arg, ring->lines[after_seq++ % EVENT_RING_LINES]);
	return ring->last;
}

void
event_log_free(struct module *module)
{
	if (module->events == NULL)
		return;
	for (size_t i = 0; i < EVENT_RING_LINES; i++)
		free(module->events->lines[i]);
	free(module->events);
	module->events = NULL;
}
