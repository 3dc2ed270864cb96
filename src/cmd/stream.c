#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/number.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/module.h"
#include "core/net.h"
#include "core/request.h"
#include "core/session.h"
#include "core/stream_wait.h"
#include "core/variable.h"
#include "stream/stream.h"

/* Chosen: the most that one stream_read gives; clients ask for up to 1440, and more is
 * cut silently. Reference: command notes, section 6. */
#define STREAM_READ_MAX 16384

#define STREAM_READ_DEADLINE_MS                                                        \
	70000 /* beyond the longest bus.command.read_timeout                           \
	       */
#define STREAM_WRITE_TIMEOUT_MS 65535 /* for bus.command.write_timeout 0 */

/* The stream that the argument "handle" names, or NULL. */
static struct stream *
stream_of(const struct request *request)
{
	return stream_get(request->session->module->streams,
	    (int)args_number(request->args, "handle", -1));
}

/* Reference: command notes, section 6: rows "# %u %s  %s", handles never padded. */
static enum result
stream_list_run(struct request *request)
{
	struct stream_table *streams = request->session->module->streams;

	request->response.is_list = true;
	response_line(&request->response, "! # Type  Info");
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		struct stream *stream = stream_get(streams, handle);
		struct stream_info info;

		if (stream == NULL ||
		    (args_has(request->args, "handle") &&
			args_number(request->args, "handle", -1) != handle))
			continue;
		stream->ops->info(stream, &info);
		response_line(&request->response, "# %d %s  %s", handle,
		    stream->ops->type, info.text);
	}
	return RESULT_OK;
}

/* Reference: network notes, 2.4. Chosen: -r lists only the streams with data to read.
 */
static enum result
stream_poll_all(struct request *request)
{
	struct stream_table *streams = request->session->module->streams;
	struct evbuffer *body = response_body(&request->response);

	for (int handle = 0; handle < STREAM_MAX; handle++) {
		struct stream *stream = stream_get(streams, handle);
		enum stream_status status;
		struct stream_info info;

		if (stream == NULL)
			continue;
		status = stream->ops->poll(stream);
		if (args_has(request->args, "r") && status != STREAM_READABLE)
			continue;
		if (evbuffer_get_length(body) > 0)
			evbuffer_add(body, "|", 1);
		evbuffer_add_printf(body, "%d,%d", handle, (int)status);
		if (args_has(request->args, "c")) {
			stream->ops->info(stream, &info);
			evbuffer_add_printf(body, ",%zu", info.waiting);
		}
	}
	if (evbuffer_get_length(body) == 0)
		evbuffer_add_printf(body, "None");
	evbuffer_add(body, "\r\n", 2);
	return RESULT_OK;
}

static enum result
stream_poll_run(struct request *request)
{
	const char *which = args_text(request->args, "handle|all");
	struct stream *stream;
	int64_t handle;

	if (strcmp(which, "all") == 0)
		return stream_poll_all(request);
	if (number_parse(which, strlen(which), 0, STREAM_MAX - 1, &handle) == -1)
		return RESULT_INVALID_ARGUMENT;
	stream = stream_get(request->session->module->streams, (int)handle);
	if (stream == NULL)
		return RESULT_FAILED;
	response_line(&request->response, "%d", (int)stream->ops->poll(stream));
	return RESULT_OK;
}

/* Bytes that a stream_read asks for. */
static size_t
stream_read_size(const struct request *request)
{
	size_t wanted = (size_t)args_number(request->args, "size", 0);

	return wanted < STREAM_READ_MAX ? wanted : STREAM_READ_MAX;
}

/* Reference: command notes, section 6: what is there now, then a CRLF that is no stream
 * data; nothing at all when nothing waits. */
static enum result
stream_read_now(struct request *request, struct stream *stream)
{
	struct evbuffer *body;
	char bytes[STREAM_READ_MAX];
	ssize_t n = stream->ops->read(stream, bytes, stream_read_size(request));

	if (n < 0)
		return RESULT_FAILED;
	if (n > 0) {
		body = response_body(&request->response);
		evbuffer_add(body, bytes, (size_t)n);
		evbuffer_add(body, "\r\n", 2);
	}
	net_stream_was_read(request->session->module, stream->handle);
	return RESULT_OK;
}

/* Whether more than there is may still come, and is asked for. A datagram is whole when
 * it is there, and what is no socket gives all it has. */
static bool
stream_read_lacks(const struct request *request, const struct stream *stream)
{
	size_t wanted = stream_read_size(request);
	struct stream_info info;

	switch (stream->ops->kind) {
	case STREAM_KIND_TEXT:
	case STREAM_KIND_FILE:
	case STREAM_KIND_HTTP:
		return false;
	default:
		break;
	}
	if (stream->has_ended || stream->ops->poll(stream) == STREAM_CLOSED)
		return false;
	stream->ops->info(stream, &info);
	return info.waiting <
	       (stream->ops->kind == STREAM_KIND_UDP && wanted > 0 ? 1 : wanted);
}

static enum result
stream_read_look(struct request *request, struct stream *stream, bool is_over)
{
	return !is_over && stream_read_lacks(request, stream)
		   ? RESULT_PENDING
		   : stream_read_now(request, stream);
}

/* Reference: serial and file notes, 2.8, for the time-out, which is a success. */
static enum result
stream_read_run(struct request *request)
{
	struct module *module = request->session->module;
	int64_t ms = variable_number(module, "bus.command.read_timeout");
	struct stream *stream = stream_of(request);

	if (stream == NULL)
		return RESULT_FAILED;
	if (ms == 0 || !stream_read_lacks(request, stream))
		return stream_read_now(request, stream);
	return stream_wait(
	    request, stream, stream_read_look, (unsigned)ms, STREAM_READ_DEADLINE_MS);
}

/* Reference: serial and file notes, 2.8: with bus.command.write_check_enabled a lack of
 * room is answered before any data is read. */
static enum result
stream_write_ready(struct request *request)
{
	const struct stream *stream = stream_of(request);

	if (!variable_is_on(
		request->session->module, "bus.command.write_check_enabled") ||
	    stream == NULL)
		return RESULT_OK;
	return net_stream_has_room(stream, request_payload_length(request))
		   ? RESULT_OK
		   : RESULT_BOUNDS_ERROR;
}

/* Writes the payload. RESULT_PENDING when there is no room now. */
static enum result
stream_write_payload(struct request *request, struct stream *stream)
{
	size_t size = request_payload_length(request);
	const unsigned char *bytes =
	    request->payload == NULL
		? (const unsigned char *)""
		: evbuffer_pullup(request->payload, (ev_ssize_t)size);

	if (net_stream_write(request->session->module, stream, bytes, size) ==
	    (ssize_t)size)
		return request_success(request);
	if (errno == EMSGSIZE)
		return RESULT_BOUNDS_ERROR;
	return errno == EAGAIN ? RESULT_PENDING : RESULT_FAILED;
}

static enum result
stream_write_look(struct request *request, struct stream *stream, bool is_over)
{
	return is_over ? RESULT_FAILED : stream_write_payload(request, stream);
}

/* Chosen: a peer that takes no data is waited for as long as a host that sends none. */
static unsigned
stream_write_timeout_ms(const struct request *request)
{
	int64_t ms =
	    variable_number(request->session->module, "bus.command.write_timeout");

	return ms <= 0 ? STREAM_WRITE_TIMEOUT_MS : (unsigned)ms;
}

static enum result
stream_write_run(struct request *request)
{
	struct stream *stream = stream_of(request);
	enum result result;

	if (stream == NULL)
		return RESULT_FAILED;
	result = stream_write_payload(request, stream);
	if (result != RESULT_PENDING) {
		/* The last byte of a file closes its stream. */
		net_stream_was_read(request->session->module, stream->handle);
		return result;
	}
	return stream_wait(
	    request, stream, stream_write_look, 0, stream_write_timeout_ms(request));
}

static enum result
stream_close_run(struct request *request)
{
	const char *which = args_text(request->args, "handle|all");
	struct stream_table *streams = request->session->module->streams;
	int64_t handle;

	if (strcmp(which, "all") == 0) {
		for (int i = 0; i < STREAM_MAX; i++)
			stream_close(streams, i);
		return request_success(request);
	}
	if (number_parse(which, strlen(which), 0, STREAM_MAX - 1, &handle) == -1)
		return RESULT_INVALID_ARGUMENT;
	if (stream_get(streams, (int)handle) == NULL)
		return RESULT_FAILED;
	stream_close(streams, (int)handle);
	return request_success(request);
}

static const struct arg_spec list_args[] = {
	{ .name = "handle",
	    .type = ARG_NUMBER,
	    .optional = true,
	    .max = STREAM_MAX - 1 },
	{ .name = NULL },
};

static const struct arg_spec poll_args[] = {
	{ .name = "r", .type = ARG_OPTION },
	{ .name = "c", .type = ARG_OPTION },
	{ .name = "handle|all" },
	{ .name = NULL },
};

static const struct arg_spec read_args[] = {
	{ .name = "handle", .type = ARG_NUMBER, .max = STREAM_MAX - 1 },
	{ .name = "size", .type = ARG_NUMBER, .max = INT32_MAX },
	{ .name = NULL },
};

static const struct arg_spec write_args[] = {
	{ .name = "handle", .type = ARG_NUMBER, .max = STREAM_MAX - 1 },
	{ .name = "size", .type = ARG_NUMBER, .max = SESSION_PAYLOAD_MAX },
	{ .name = NULL },
};

static const struct arg_spec close_args[] = {
	{ .name = "handle|all" },
	{ .name = NULL },
};

const struct command stream_commands[] = {
	{ .name = "stream_close",
	    .alias = "close",
	    .args = close_args,
	    .run = stream_close_run,
	    .help = "Close one stream, or all." },
	{ .name = "stream_list",
	    .alias = "list",
	    .args = list_args,
	    .run = stream_list_run,
	    .help = "List the open streams." },
	{ .name = "stream_poll",
	    .alias = "poll",
	    .args = poll_args,
	    .run = stream_poll_run,
	    .help = "Say whether a stream has data (1), none (0) or is closed (2)." },
	{ .name = "stream_read",
	    .alias = "read",
	    .args = read_args,
	    .run = stream_read_run,
	    .help = "Read from a stream." },
	{ .name = "stream_write",
	    .alias = "write",
	    .args = write_args,
	    .payload = "size",
	    .ready = stream_write_ready,
	    .run = stream_write_run,
	    .help = "Write the bytes that follow the command to a stream." },
	{ .name = NULL },
};
