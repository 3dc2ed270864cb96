#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/crc.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/event.h"
#include "core/http_client.h"
#include "core/module.h"
#include "core/request.h"
#include "core/session.h"
#include "core/stream_wait.h"
#include "store/flash.h"

/* The HTTP client. Reference: command notes, section 8. */

#define HTTP_DEADLINE_MS 2000 /* behind the limits of the request itself */
#define HTTP_TYPE_MAX 255 /* bytes of a content type */

static const char *const http_interfaces[] = { "wlan", "softap", NULL };

/* What a command waits for: a client that opens a stream, or a file. */
struct http_wait {
	struct request *request;
	struct http_client *client; /* its own */
	struct http_file *file; /* its own */
};

static void
http_wait_cancel(void *op)
{
	struct http_wait *self = op;

	if (self->client != NULL)
		http_client_cancel(self->client);
	if (self->file != NULL)
		http_file_cancel(self->file);
	free(self);
}

/* Reads the URL of the arguments. RESULT_OK, or the code; then there is nothing to
 * clear. */
static enum result
http_take_url(const struct request *request, struct http_url *url)
{
	const char *error;

	return http_url_parse(url, args_text(request->args, "url"), &error) == 0
		   ? RESULT_OK
		   : RESULT_INVALID_ARGUMENT;
}

static enum network_interface
http_interface(const struct request *request)
{
	return network_interface(
	    request->session->module, args_text(request->args, "interface"));
}

static void
http_opened(void *arg, int handle)
{
	struct http_wait *self = arg;
	struct request *request = self->request;

	free(self);
	if (handle != -1)
		response_line(&request->response, "%d", handle);
	request_finish(request, handle == -1 ? RESULT_FAILED : RESULT_OK);
}

static enum result
http_open(struct request *request, const struct http_client_plan *plan)
{
	struct module *module = request->session->module;
	struct http_wait *self;
	struct http_url url;
	enum result result = http_take_url(request, &url);

	if (result != RESULT_OK)
		return result;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->client = http_client_start(module, &url, plan, http_opened, self);
	if (self->client == NULL) {
		free(self);
		return RESULT_FAILED;
	}
	return request_defer(request, http_client_timeout_ms(module) + HTTP_DEADLINE_MS,
	    http_wait_cancel, self);
}

static enum result
http_get_run(struct request *request)
{
	const struct http_client_plan plan = { .method = HTTP_GET,
		.interface = http_interface(request),
		.stream.is_held = args_has(request->args, "o") };

	return http_open(request, &plan);
}

static enum result
http_head_run(struct request *request)
{
	const struct http_client_plan plan = { .method = HTTP_HEAD,
		.interface = http_interface(request),
		.stream.is_held = args_has(request->args, "o") };

	return http_open(request, &plan);
}

/* Chosen: with -o the body is counted, so a length given as well says nothing. */
static enum result
http_post_run(struct request *request)
{
	struct http_client_plan plan = { .method = HTTP_POST,
		.interface = http_interface(request),
		.type = args_text(request->args, "type"),
		.stream.is_held = args_has(request->args, "o"),
		.stream.length = args_number(request->args, "length", 0) };

	if (plan.type != NULL && !http_exchange_is_value(plan.type))
		return RESULT_INVALID_ARGUMENT;
	if (plan.stream.is_held)
		plan.stream.body = HTTP_BODY_KEPT;
	else if (plan.stream.length > 0)
		plan.stream.body = HTTP_BODY_LIVE;
	return http_open(request, &plan);
}

/* The request of the argument "handle", or NULL. */
static struct stream *
http_stream_of(const struct request *request)
{
	struct stream *stream = stream_get(request->session->module->streams,
	    (int)args_number(request->args, "handle", -1));

	return stream != NULL && http_stream_is(stream) ? stream : NULL;
}

/* Chosen: a value may have blanks without standing in quotes. */
static enum result
http_add_header_run(struct request *request)
{
	struct stream *stream = http_stream_of(request);
	const struct token *words;
	struct evbuffer *value;
	size_t count;
	int result;

	words = args_rest(request->args, &count);
	if (count == 0)
		return RESULT_TOO_FEW_ARGUMENTS;
	if (stream == NULL)
		return RESULT_FAILED;
	value = xcheck(evbuffer_new());
	for (size_t i = 0; i < count; i++)
		evbuffer_add_printf(value, "%s%s", i == 0 ? "" : " ", words[i].text);
	evbuffer_add(value, "", 1);
	result = http_stream_add_field(stream, args_text(request->args, "key"),
	    (const char *)evbuffer_pullup(value, -1));
	evbuffer_free(value);
	if (result == 0)
		return request_success(request);
	if (errno == EINVAL)
		return RESULT_INVALID_ARGUMENT;
	return errno == EMSGSIZE ? RESULT_BOUNDS_ERROR : RESULT_FAILED;
}

/* Answers the status. From now on the stream may close itself at its end. */
static enum result
http_status_answer(struct request *request, struct stream *stream)
{
	response_line(&request->response, "%d", http_stream_status(stream));
	stream->unseen = false;
	return RESULT_OK;
}

/* Waits for the header of the answer. */
static enum result
http_status_look(struct request *request, struct stream *stream, bool is_over)
{
	if (http_stream_status(stream) != 0)
		return http_status_answer(request, stream);
	return is_over ? RESULT_FAILED : RESULT_PENDING;
}

static enum result
http_read_status_run(struct request *request)
{
	struct module *module = request->session->module;
	struct stream *stream = http_stream_of(request);

	if (stream == NULL || http_stream_has_failed(stream))
		return RESULT_FAILED;
	if (http_stream_status(stream) != 0) {
		http_status_answer(request, stream);
		net_stream_was_read(module, stream->handle);
		return RESULT_OK;
	}
	if (http_stream_send(stream) == -1) {
		event_emit(
		    module, EVENT_PROGRESS, "Request failed: the body is not complete");
		return RESULT_FAILED;
	}
	return stream_wait(request, stream, http_status_look, 0,
	    http_client_timeout_ms(module) + HTTP_DEADLINE_MS);
}

static void
http_file_ended(void *arg, bool is_well)
{
	struct http_wait *self = arg;
	struct request *request = self->request;

	free(self);
	request_finish(request, is_well ? request_success(request) : RESULT_FAILED);
}

static enum result
http_file_wait(struct http_wait *self)
{
	if (self->file != NULL)
		return request_defer(self->request, HTTP_FILE_MS + HTTP_DEADLINE_MS,
		    http_wait_cancel, self);
	free(self);
	return RESULT_FAILED;
}

static enum result
http_download_run(struct request *request)
{
	struct http_download_plan plan = { .interface = http_interface(request),
		.name = args_text(request->args, "filename"),
		.crc = -1,
		.is_unprotected = args_has(request->args, "u") };
	const char *crc = args_text(request->args, "crc");
	struct http_wait *self;
	struct http_url url;
	enum result result;

	if (crc != NULL && crc16_parse(crc, &plan.crc) == -1)
		return RESULT_INVALID_ARGUMENT;
	result = http_take_url(request, &url);
	if (result != RESULT_OK)
		return result;
	if (plan.name == NULL)
		plan.name = url.file;
	if (!flash_is_name(plan.name)) {
		http_url_clear(&url);
		return RESULT_INVALID_ARGUMENT;
	}
	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->file = http_download_start(
	    request->session->module, &url, &plan, http_file_ended, self);
	return http_file_wait(self);
}

static enum result
http_upload_run(struct request *request)
{
	struct http_upload_plan plan = { .interface = http_interface(request),
		.name = args_text(request->args, "filename"),
		.remote_name = args_text(request->args, "remote_name"),
		.is_raw = args_has(request->args, "r") };
	struct http_wait *self;
	struct http_url url;
	enum result result = http_take_url(request, &url);

	if (result != RESULT_OK)
		return result;
	if (plan.remote_name == NULL)
		plan.remote_name = plan.name;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->file = http_upload_start(
	    request->session->module, &url, &plan, http_file_ended, self);
	return http_file_wait(self);
}

static const struct arg_spec get_args[] = {
	{ .name = "interface", .type = ARG_OPTION_CHOICE, .choices = http_interfaces },
	{ .name = "o", .type = ARG_OPTION },
	{ .name = "url", .min = 1, .max = HTTP_URL_MAX },
	{ .name = NULL },
};

static const struct arg_spec post_args[] = {
	{ .name = "interface", .type = ARG_OPTION_CHOICE, .choices = http_interfaces },
	{ .name = "o", .type = ARG_OPTION },
	{ .name = "length", .type = ARG_OPTION_NUMBER, .max = INT32_MAX },
	{ .name = "url", .min = 1, .max = HTTP_URL_MAX },
	{ .name = "type", .optional = true, .min = 1, .max = HTTP_TYPE_MAX },
	{ .name = NULL },
};

static const struct arg_spec header_args[] = {
	{ .name = "handle", .type = ARG_NUMBER, .max = STREAM_MAX - 1 },
	{ .name = "key", .min = 1, .max = HTTP_FIELDS_MAX },
	{ .name = "<value>", .type = ARG_REST },
	{ .name = NULL },
};

static const struct arg_spec status_args[] = {
	{ .name = "handle", .type = ARG_NUMBER, .max = STREAM_MAX - 1 },
	{ .name = NULL },
};

static const struct arg_spec download_args[] = {
	{ .name = "interface", .type = ARG_OPTION_CHOICE, .choices = http_interfaces },
	{ .name = "crc", .type = ARG_OPTION_TEXT, .min = 1, .max = 6 },
	{ .name = "u", .type = ARG_OPTION },
	{ .name = "url", .min = 1, .max = HTTP_URL_MAX },
	{ .name = "filename", .optional = true, .min = 1, .max = FLASH_NAME_MAX },
	{ .name = NULL },
};

static const struct arg_spec upload_args[] = {
	{ .name = "interface", .type = ARG_OPTION_CHOICE, .choices = http_interfaces },
	{ .name = "r", .type = ARG_OPTION },
	{ .name = "url", .min = 1, .max = HTTP_URL_MAX },
	{ .name = "filename", .min = 1, .max = FLASH_NAME_MAX },
	{ .name = "remote_name", .optional = true, .min = 1, .max = FLASH_NAME_MAX },
	{ .name = NULL },
};

const struct command http_commands[] = {
	{ .name = "http_add_header",
	    .alias = "had",
	    .args = header_args,
	    .run = http_add_header_run,
	    .help = "Add a field to the header of a request that was not sent yet." },
	{ .name = "http_download",
	    .alias = "hdo",
	    .args = download_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = http_download_run,
	    .help = "Fetch a file; -c checks its CRC, -u has it served without a "
		    "login." },
	{ .name = "http_get",
	    .alias = "hge",
	    .args = get_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = http_get_run,
	    .help = "Get what a URL names; answers the stream handle. -o waits for "
		    "http_read_status." },
	{ .name = "http_head",
	    .alias = "hhe",
	    .args = get_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = http_head_run,
	    .help = "As http_get, for the status only." },
	{ .name = "http_post",
	    .alias = "hpo",
	    .args = post_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = http_post_run,
	    .help = "Post to a URL; answers the stream handle. The body is written to "
		    "the stream, with -o until http_read_status, or as many bytes as "
		    "-l says." },
	{ .name = "http_read_status",
	    .alias = "hre",
	    .other_name = "http_read",
	    .args = status_args,
	    .run = http_read_status_run,
	    .help = "Complete a request and answer its HTTP status." },
	{ .name = "http_upload",
	    .alias = "hup",
	    .args = upload_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = http_upload_run,
	    .help = "Post a file as a form, or with -r as it is." },
	{ .name = NULL },
};
