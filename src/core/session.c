#include "core/session.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/line_editor.h"
#include "core/module.h"
#include "core/request.h"
#include "core/variable.h"

#define SESSION_CHUNK 4096 /* bytes of queued input looked at in one piece */
#define SESSION_PAYLOAD_TIMEOUT_MS 65535 /* for bus.command.write_timeout 0 */

void
session_init(struct session *session, struct module *module, enum session_kind kind,
    const struct session_ops *ops)
{
	session->ops = ops;
	session->module = module;
	session->kind = kind;
	TAILQ_INSERT_TAIL(&module->sessions, session, entry);
}

static void
session_echo(void *arg, const char *bytes, size_t len)
{
	struct session *session = arg;

	session->ops->echo(session, bytes, len);
}

static void
session_reply_result(struct session *session, enum result result)
{
	struct response response = { .result = result };

	if (result != RESULT_OK)
		response_line(&response, "%s", result_text(result));
	session->last_result = result;
	session->ops->reply(session, &response);
	response_clear(&response);
}

/* Gives the request its turn, or answers at once that too many wait. */
static void
session_run(struct session *session, struct request *request)
{
	session->current = request;
	if (module_submit(session->module, request) == -1) {
		session->current = NULL;
		request_free(request);
		session_reply_result(session, RESULT_FAILED);
	}
}

static void
session_payload_expired(evutil_socket_t fd, short what, void *arg)
{
	struct session *session = arg;

	(void)fd;
	(void)what;
	session->payload_missing = 0;
	request_cancel(session->current);
	session_reply_result(session, RESULT_FAILED);
	session_resume(session);
}

/* Reference: variable notes, bus.command.write_timeout: 25 s by default, and running
 * out is a failure. Chosen: it runs anew with each piece that arrives, since at 300
 * baud a whole file takes longer; 0 stands for the longest. */
static void
session_payload_wait(struct session *session)
{
	int64_t ms = variable_number(session->module, "bus.command.write_timeout");
	struct timeval timeout;

	if (ms <= 0)
		ms = SESSION_PAYLOAD_TIMEOUT_MS;
	timeout.tv_sec = (time_t)(ms / 1000);
	timeout.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	if (session->payload_timer == NULL)
		session->payload_timer = xcheck(event_new(
		    session->module->base, -1, 0, session_payload_expired, session));
	event_add(session->payload_timer, &timeout);
}

static size_t
session_take_payload(struct session *session, const char *bytes, size_t len)
{
	struct request *request = session->current;

	if (len > session->payload_missing)
		len = session->payload_missing;
	evbuffer_add(request->payload, bytes, len);
	session->payload_missing -= len;
	if (session->payload_missing == 0) {
		event_del(session->payload_timer);
		session_run(session, request);
	} else {
		session_payload_wait(session);
	}
	return len;
}

static bool
session_is_blank(const char *line, size_t len)
{
	while (len > 0 && line[len - 1] == ' ')
		len--;
	return len == 0;
}

/* A line that the command in hand has asked for. */
static void
session_answer(struct session *session, const char *line, size_t len)
{
	struct request *request = session->current;
	void (*answered)(void *op, const char *line, size_t len) = request->answered;

	request->answered = NULL;
	answered(request->op, line, len);
}

/* The line was given up: so is what asked for it. */
static void
session_drop_line(struct session *session)
{
	enum result result = RESULT_OK;

	if (session->current != NULL) {
		request_cancel(session->current);
		result = RESULT_FAILED;
	}
	session_reply_result(session, result);
	module_dispatch(session->module);
}

/* A line has ended. */
static void
session_take_line(struct session *session)
{
	struct request *request;
	enum result result;
	bool overlong;
	size_t len;
	const char *line = line_editor_text(session->editor, &len, &overlong);

	if (session->current != NULL) {
		session_answer(session, line, len);
		return;
	}
	if (overlong) {
		session_reply_result(session, RESULT_BUFFER_OVERFLOW);
		return;
	}
	if (session_is_blank(line, len)) {
		/* Chosen: an empty line answers the prompt alone, R000000 with headers.
		 */
		session_reply_result(session, RESULT_OK);
		return;
	}
	result = request_new(&request, session, line, len);
	if (result != RESULT_OK) {
		session_reply_result(session, result);
		return;
	}
	session->payload_missing = request_payload_length(request);
	if (session->payload_missing == 0) {
		session_run(session, request);
		return;
	}
	session->current = request;
	request->payload = xcheck(evbuffer_new());
	session_payload_wait(session);
}

/* Reference: serial and file notes, 4.1: while a remote terminal is connected, the
 * serial port's commands wait. */
static bool
session_has_parser(const struct session *session)
{
	return session->kind != SESSION_SERIAL || session->module->terminal == NULL;
}

/* Whether a command is under way that does not want to hear more. */
static bool
session_is_waiting(const struct session *session)
{
	return session->current != NULL && session->current->answered == NULL;
}

/* Takes what can be taken now and says how much that was. */
static size_t
session_take(struct session *session, const char *bytes, size_t len)
{
	size_t at = 0, taken;

	while (
	    at < len && !session->closed && session->module->state == MODULE_RUNNING) {
		enum line_status status;

		if (session->after_cr) {
			session->after_cr = false;
			if (bytes[at] == '\n') {
				at++;
				continue;
			}
		}
		if (session->payload_missing > 0) {
			at += session_take_payload(session, bytes + at, len - at);
			continue;
		}
		if (session_is_waiting(session) || !session_has_parser(session))
			break;
		if (session->editor == NULL)
			session->editor =
			    line_editor_new(SESSION_LINE_MAX, session_echo, session);
		status = line_editor_feed(session->editor, bytes + at, len - at,
		    session->ops->echo != NULL && session->module->console.echo,
		    &taken);
		at += taken;
		if (status == LINE_DONE) {
			session->after_cr = bytes[at - 1] == '\r';
			session_take_line(session);
		} else if (status == LINE_DROPPED) {
			session_drop_line(session);
		}
	}
	return at;
}

static void
session_drop_input(struct session *session)
{
	if (session->input != NULL)
		evbuffer_free(session->input);
	session->input = NULL;
}

void
session_resume(struct session *session)
{
	if (session->reading || session->closed || session->input == NULL)
		return;
	session->reading = true;
	while (session->input != NULL) {
		size_t len = evbuffer_get_length(session->input), taken;

		if (len > SESSION_CHUNK)
			len = SESSION_CHUNK;
		taken = session_take(session,
		    (const char *)evbuffer_pullup(session->input, (ev_ssize_t)len),
		    len);
		evbuffer_drain(session->input, taken);
		if (evbuffer_get_length(session->input) == 0)
			session_drop_input(session);
		if (taken < len)
			break;
	}
	session->reading = false;
	if (!session->closed && session->ops->drained != NULL &&
	    session_room(session) > 0)
		session->ops->drained(session);
}

/* A module that is off, asleep or going down does not listen. */
static bool
session_is_heard(const struct session *session)
{
	return session->module->state == MODULE_RUNNING ||
	       session->module->state == MODULE_PAUSED;
}

void
session_feed(struct session *session, const void *bytes, size_t len)
{
	size_t taken = 0;

	if (session->closed || !session_is_heard(session))
		return;
	if (session->input == NULL && !session->reading) {
		session->reading = true;
		taken = session_take(session, bytes, len);
		session->reading = false;
	}
	if (taken == len || !session_is_heard(session))
		return;
	if (session->input == NULL)
		session->input = xcheck(evbuffer_new());
	evbuffer_add(session->input, (const char *)bytes + taken, len - taken);
	session_resume(session);
}

size_t
session_input_length(const struct session *session)
{
	return session->input == NULL ? 0 : evbuffer_get_length(session->input);
}

/* Reference: variable notes, bus.command.rx_bufsize. Chosen: what a command has asked
 * for goes to it and needs no room. What is not heard is lost, so it needs none. */
size_t
session_room(const struct session *session)
{
	const struct module *module = session->module;
	size_t have = session_input_length(session), most = SESSION_INPUT_MAX;

	if (session->kind == SESSION_SERIAL && session_is_heard(session))
		most = module->console.receive_max;
	return session->payload_missing + (have < most ? most - have : 0);
}

/* Gives the request as much of the payload as its line says. Chosen: what is beyond is
 * ignored, and less than that fails. Takes payload. */
static bool
session_give_payload(struct request *request, struct evbuffer *payload)
{
	size_t wanted = request_payload_length(request);
	size_t len = payload == NULL ? 0 : evbuffer_get_length(payload);

	if (wanted > 0 && len >= wanted) {
		request->payload = xcheck(evbuffer_new());
		evbuffer_remove_buffer(payload, request->payload, wanted);
	}
	if (payload != NULL)
		evbuffer_free(payload);
	return len >= wanted;
}

void
session_submit(struct session *session, const char *line, size_t len,
    struct evbuffer *payload, bool quiet)
{
	struct request *request = NULL;
	enum result result = RESULT_OK;

	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	if (len > SESSION_LINE_MAX)
		result = RESULT_BUFFER_OVERFLOW;
	else if (memchr(line, '\r', len) != NULL || memchr(line, '\n', len) != NULL)
		result = RESULT_PARSE_ERROR;
	else if (!session_is_blank(line, len))
		result = request_new(&request, session, line, len);
	if (result != RESULT_OK || request == NULL) {
		if (payload != NULL)
			evbuffer_free(payload);
		session_reply_result(session, result);
		return;
	}
	request->quiet = quiet;
	if (!session_give_payload(request, payload)) {
		request_free(request);
		session_reply_result(session, RESULT_FAILED);
		return;
	}
	session_run(session, request);
}

/* Ends what is under way, without a reply. */
static void
session_stop(struct session *session)
{
	session->payload_missing = 0;
	if (session->payload_timer != NULL)
		event_free(session->payload_timer);
	session->payload_timer = NULL;
	if (session->current != NULL)
		request_cancel(session->current);
}

void
session_reset(struct session *session)
{
	session_stop(session);
	session->after_cr = false;
	session_drop_input(session);
	line_editor_free(session->editor);
	session->editor = NULL;
}

void
session_close(struct session *session)
{
	struct module *module = session->module;

	if (session->closed)
		return;
	session->closed = true;
	session_stop(session);
	module_reap(module, session);
	module_dispatch(module);
}

void
session_free(struct session *session)
{
	session_drop_input(session);
	line_editor_free(session->editor);
	session->ops->free(session);
}
