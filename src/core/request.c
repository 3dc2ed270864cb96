#include "core/request.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/catalog.h"
#include "core/module.h"
#include "core/pins.h"
#include "core/session.h"
#include "stream/stream.h"

enum result
request_new(struct request **out, struct session *session, const char *line, size_t len)
{
	const struct command *command = NULL;
	struct args *args = NULL;
	enum result result;

	result = args_parse(&args, line, len);
	if (result == RESULT_OK) {
		if (args->count > 0)
			command = catalog_command(session->module->catalog,
			    args->tokens[0].text, args->tokens[0].len);
		if (command == NULL || (command->denied & (1u << session->kind)) != 0)
			result = RESULT_UNKNOWN_COMMAND;
	}
	if (result == RESULT_OK)
		result = args_check(args, command->args);
	if (result != RESULT_OK) {
		args_free(args);
		return result;
	}
	*out = xcalloc(1, sizeof **out);
	(*out)->command = command;
	(*out)->session = session;
	(*out)->args = args;
	if (command->ready != NULL) {
		result = command->ready(*out);
		if (result != RESULT_OK)
			request_free(*out);
	}
	return result;
}

void
request_free(struct request *request)
{
	if (request == NULL)
		return;
	if (request->deadline != NULL)
		event_free(request->deadline);
	if (request->payload != NULL)
		evbuffer_free(request->payload);
	response_clear(&request->response);
	if (request->asking != NULL)
		event_free(request->asking);
	args_free(request->args);
	free(request);
}

size_t
request_payload_length(const struct request *request)
{
	const struct command *command = request->command;
	const char *action;

	if (command->payload == NULL ||
	    (command->payload_unless != NULL &&
		args_has(request->args, command->payload_unless)))
		return 0;
	if (command->payload_action != NULL) {
		action = args_text(request->args, command->args[0].name);
		if (action == NULL || strcmp(action, command->payload_action) != 0)
			return 0;
	}
	return (size_t)args_number(request->args, command->payload, 0);
}

/* Reference: command notes, 2.3: with system.cmd.buffered a long answer becomes a
 * stream of type CMD, and the reply is "<handle>,<length>". */
static enum result
request_buffer_response(struct request *request)
{
	struct module *module = request->session->module;
	struct response *response = &request->response;
	size_t len = evbuffer_get_length(response->body);
	struct stream *stream;
	int handle;

	if (module->streams == NULL)
		module->streams = stream_table_new();
	stream = stream_text_new(request->command->name, response->body);
	response->body = NULL;
	handle = stream_add(module->streams, stream);
	if (handle == -1) {
		stream->ops->close(stream);
		return RESULT_FAILED;
	}
	response_line(response, "%d,%zu", handle, len);
	return RESULT_OK;
}

void
request_complete(struct request *request, enum result result)
{
	struct session *session = request->session;
	struct module *module = session->module;
	struct response *response = &request->response;

	if (result == RESULT_OK && response->is_list && response->body != NULL &&
	    module->console.buffered)
		result = request_buffer_response(request);
	if (result != RESULT_OK && response->body == NULL)
		response_line(response, "%s", result_text(result));
	response->result = result;
	if (result == RESULT_OK && request->after != NULL)
		module_leave(module, request->after);

	session->last_result = result;
	session->current = NULL;
	session->ops->reply(session, response);
	if (module->running == request)
		module->running = NULL;
	request_free(request);
	pins_follow(module);
	session_resume(session);
	module_dispatch(module);
}

void
request_cancel(struct request *request)
{
	struct module *module = request->session->module;

	request->session->current = NULL;
	if (module->running == request) {
		module->running = NULL;
		pins_follow(module);
		if (request->cancel != NULL)
			request->cancel(request->op);
	} else if (request->queued) {
		TAILQ_REMOVE(&module->queue, request, entry);
		module->queue_length--;
	}
	request_free(request);
}

enum result
request_success(struct request *request)
{
	response_clear(&request->response);
	response_line(&request->response, "%s", result_text(RESULT_OK));
	return RESULT_OK;
}

enum result
request_fail(struct request *request, enum result result, const char *fmt, ...)
{
	va_list ap;

	response_clear(&request->response);
	va_start(ap, fmt);
	response_vline(&request->response, fmt, ap);
	va_end(ap);
	return result;
}

static void
request_expired(evutil_socket_t fd, short what, void *arg)
{
	struct request *request = arg;

	(void)fd;
	(void)what;
	request->cancel(request->op);
	request_finish(request, RESULT_FAILED);
}

enum result
request_defer(
    struct request *request, unsigned timeout_ms, void (*cancel)(void *op), void *op)
{
	struct timeval timeout = { .tv_sec = timeout_ms / 1000,
		.tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };

	request->cancel = cancel;
	request->op = op;
	request->deadline = xcheck(
	    event_new(request->session->module->base, -1, 0, request_expired, request));
	event_add(request->deadline, &timeout);
	return RESULT_PENDING;
}

void
request_finish(struct request *request, enum result result)
{
	request->cancel = NULL;
	request->op = NULL;
	request_complete(request, result);
}

void
request_continue(struct request *request, enum result (*run)(struct request *))
{
	enum result result;

	request->cancel = NULL;
	request->op = NULL;
	event_free(request->deadline);
	request->deadline = NULL;
	result = run(request);
	if (result != RESULT_PENDING)
		request_complete(request, result);
}

bool
request_can_ask(const struct request *request)
{
	const struct session *session = request->session;

	return session->ops->echo != NULL && !session->module->console.header;
}

static void
request_asks(evutil_socket_t fd, short what, void *arg)
{
	const struct request *request = arg;

	(void)fd;
	(void)what;
	session_resume(request->session);
}

void
request_ask(struct request *request, const char *text,
    void (*answered)(void *op, const char *line, size_t len))
{
	struct session *session = request->session;

	session->ops->echo(session, text, strlen(text));
	request->answered = answered;
	if (request->asking == NULL)
		request->asking = xcheck(
		    event_new(session->module->base, -1, 0, request_asks, request));
	event_active(request->asking, EV_TIMEOUT, 0);
}
