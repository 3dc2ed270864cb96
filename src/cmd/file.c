#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/crc.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/event.h"
#include "core/module.h"
#include "core/net.h"
#include "core/request.h"
#include "core/session.h"
#include "store/flash.h"
#include "stream/file.h"

#define FILE_PIECE 16384 /* bytes written at a time */
#define FILE_PIECES_A_TURN 8 /* then the loop goes on with other things */
#define FILE_WRITE_TIMEOUT_MS 60000

/* A command on a file failed for a reason that its issuer cannot see. */
static enum result
file_failed(const struct request *request, const char *name)
{
	log_msg(LOG_NOTICE, request->session->module->own->name, "%s %s: %s",
	    request->command->name, name, strerror(errno));
	return RESULT_FAILED;
}

/* What the arguments of file_create say. RESULT_OK, or the code. */
static enum result
file_plan(const struct request *request, struct flash_plan *plan)
{
	const struct args *args = request->args;
	const char *crc = args_text(args, "crc");
	char version[FLASH_VERSION_SIZE];

	*plan = (struct flash_plan){ .name = args_text(args, "filename"),
		.version = args_text(args, "version"),
		.type = (uint8_t)args_number(args, "type", FLASH_TYPE_MISCELLANEOUS),
		.flags = FLASH_VALID | FLASH_USER,
		.size = (uint32_t)args_number(args, "size", 0),
		.crc = -1 };
	if (args_has(args, "e"))
		plan->flags |= FLASH_ESSENTIAL;
	if (args_has(args, "u"))
		plan->flags |= FLASH_UNPROTECTED;
	if (!flash_is_name(plan->name) ||
	    (plan->version != NULL &&
		flash_parse_version(plan->version, version) == -1) ||
	    (crc != NULL && crc16_parse(crc, &plan->crc) == -1))
		return RESULT_INVALID_ARGUMENT;
	return RESULT_OK;
}

/* Reference: serial and file notes, 2.9: as many file streams as the profile says. */
static bool
file_stream_fits(const struct module *module)
{
	return stream_count(module->streams, STREAM_KIND_FILE) <
	       module->profile->file_streams;
}

/* Says [Opened] and answers the handle. Takes the stream. */
static enum result
file_answer_stream(struct request *request, struct stream *stream)
{
	int handle = net_add_stream(request->session->module, stream);

	if (handle == -1)
		return RESULT_FAILED;
	response_line(&request->response, "%d", handle);
	return RESULT_OK;
}

static void
file_created(void *arg)
{
	event_emit(arg, EVENT_PROGRESS, "File created");
}

/* A file whose bytes came with the command. */
struct file_write {
	struct request *request;
	struct flash_draft *draft; /* owned */
	struct event *turn; /* owned */
};

static void
file_write_cancel(void *op)
{
	struct file_write *self = op;

	flash_draft_discard(self->draft);
	event_free(self->turn);
	free(self);
}

/* The last byte is written. */
static enum result
file_write_end(struct request *request, struct flash_draft *draft)
{
	const char *name = args_text(request->args, "filename");

	if (flash_draft_commit(draft) == -1)
		return file_failed(request, name);
	file_created(request->session->module);
	return request_success(request);
}

/* Writes some of the payload. RESULT_PENDING while there is more. The draft is gone
 * with any other result. */
static enum result
file_write_some(struct request *request, struct flash_draft *draft)
{
	char piece[FILE_PIECE];

	for (int i = 0; i < FILE_PIECES_A_TURN; i++) {
		int n;

		if (flash_draft_missing(draft) == 0)
			return file_write_end(request, draft);
		n = evbuffer_remove(request->payload, piece, sizeof piece);
		if (n <= 0 || flash_draft_write(draft, piece, (size_t)n) == -1) {
			flash_draft_discard(draft);
			return file_failed(
			    request, args_text(request->args, "filename"));
		}
	}
	return RESULT_PENDING;
}

static void
file_write_turn(evutil_socket_t fd, short what, void *arg)
{
	struct file_write *self = arg;
	struct request *request = self->request;
	enum result result = file_write_some(request, self->draft);

	(void)fd;
	(void)what;
	if (result == RESULT_PENDING) {
		event_active(self->turn, EV_TIMEOUT, 0);
		return;
	}
	self->draft = NULL;
	file_write_cancel(self);
	request_finish(request, result);
}

static enum result
file_write(struct request *request, struct flash_draft *draft)
{
	enum result result = file_write_some(request, draft);
	struct file_write *self;

	if (result != RESULT_PENDING)
		return result;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->draft = draft;
	self->turn = xcheck(
	    event_new(request->session->module->base, -1, 0, file_write_turn, self));
	event_active(self->turn, EV_TIMEOUT, 0);
	return request_defer(request, FILE_WRITE_TIMEOUT_MS, file_write_cancel, self);
}

/* More than a session takes must not be waited for. */
static enum result
file_create_ready(struct request *request)
{
	return request_payload_length(request) > SESSION_PAYLOAD_MAX
		   ? RESULT_INVALID_ARGUMENT
		   : RESULT_OK;
}

static enum result
file_create_run(struct request *request)
{
	struct module *module = request->session->module;
	struct flash_draft *draft;
	struct flash_plan plan;
	enum result result;

	result = file_plan(request, &plan);
	if (result != RESULT_OK)
		return result;
	if (args_has(request->args, "o") && !file_stream_fits(module))
		return RESULT_FAILED;
	draft = flash_create(module->flash, &plan);
	if (draft == NULL)
		return file_failed(request, plan.name);
	if (!args_has(request->args, "o"))
		return file_write(request, draft);
	return file_answer_stream(
	    request, file_stream_create(draft, file_created, module));
}

/* The file that the argument names, or NULL. */
static const struct flash_file *
file_of(const struct request *request)
{
	return flash_find(
	    request->session->module->flash, args_text(request->args, "filename"));
}

static enum result
file_open_run(struct request *request)
{
	struct module *module = request->session->module;
	const struct flash_file *file = file_of(request);
	struct stream *stream;

	if (file == NULL || !file_stream_fits(module))
		return RESULT_FAILED;
	stream = file_stream_open(module->flash, file);
	if (stream == NULL)
		return file_failed(request, file->name);
	return file_answer_stream(request, stream);
}

static enum result
file_delete_run(struct request *request)
{
	struct module *module = request->session->module;
	const char *name = args_text(request->args, "filename");

	if (file_of(request) == NULL)
		return RESULT_FAILED;
	if (flash_delete(module->flash, name) == -1)
		return file_failed(request, name);
	event_emit(module, EVENT_PROGRESS, "File deleted");
	return request_success(request);
}

/* Reference: serial and file notes, 6.5: the size and a comma come first. Chosen: the
 * rest, which is not on record: version, type, flags and CRC. */
static enum result
file_stat_run(struct request *request)
{
	const struct flash_file *file = file_of(request);

	if (file == NULL)
		return RESULT_FAILED;
	response_line(&request->response, "%ju,%s,%02X,%04X,%04X",
	    (uintmax_t)file->size, file->version, file->type, file->flags, file->crc);
	return RESULT_OK;
}

/* Reference: command notes, section 5 (ls). All files lie in the extended flash, "e";
 * "Hnd" is the first block. */
static enum result
ls_run(struct request *request)
{
	const struct flash *flash = request->session->module->flash;
	struct response *response = &request->response;
	bool verbose = args_has(request->args, "v");
	const struct flash_file *file;

	response->is_list = true;
	response_line(response, "%s",
	    verbose ? "!  # Type  Flags  Hnd    Size    Version  Filename"
		    : "!  #   Size   Version  Filename");
	for (unsigned i = 0; (file = flash_at(flash, i)) != NULL; i++) {
		if (verbose)
			response_line(response, "# %2u e-%02X   %04X %4u %7u %10s  %s",
			    i, file->type, file->flags, (unsigned)file->sector,
			    (unsigned)file->size, file->version, file->name);
		else
			response_line(response, "# %2u %6u %9s  %s", i,
			    (unsigned)file->size, file->version, file->name);
	}
	return RESULT_OK;
}

/* Chosen: there is no bulk flash to erase, and the internal one holds the firmware. */
static enum result
format_flash_run(struct request *request)
{
	struct module *module = request->session->module;

	if (!module_is_mac(module, args_text(request->args, "mac")))
		return RESULT_INVALID_ARGUMENT;
	if (strcmp(args_text(request->args, "area"), "extended") != 0)
		return RESULT_FAILED;
	if (flash_format(module->flash) == -1)
		return file_failed(request, "extended");
	return request_success(request);
}

/* Chosen: no empty files; the web apps write one byte into a file that is to say
 * nothing. */
static const struct arg_spec create_args[] = {
	{ .name = "e", .type = ARG_OPTION },
	{ .name = "u", .type = ARG_OPTION },
	{ .name = "o", .type = ARG_OPTION },
	{ .name = "filename", .min = 1, .max = FLASH_NAME_MAX },
	{ .name = "size", .type = ARG_NUMBER, .min = 1, .max = INT32_MAX },
	{ .name = "version", .optional = true, .min = 1, .max = FLASH_VERSION_SIZE },
	{ .name = "type", .type = ARG_NUMBER, .optional = true, .max = UINT8_MAX },
	{ .name = "crc", .optional = true, .min = 1, .max = 6 },
	{ .name = NULL },
};

static const struct arg_spec name_args[] = {
	{ .name = "filename", .min = 1, .max = FLASH_NAME_MAX },
	{ .name = NULL },
};

static const struct arg_spec ls_args[] = {
	{ .name = "v", .type = ARG_OPTION },
	{ .name = NULL },
};

static const char *const format_areas[] = { "extended", "bulk", "internal", NULL };

static const struct arg_spec format_args[] = {
	{ .name = "area", .type = ARG_CHOICE, .choices = format_areas },
	{ .name = "mac" },
	{ .name = NULL },
};

const struct command file_commands[] = {
	{ .name = "file_create",
	    .alias = "fcr",
	    .args = create_args,
	    .payload = "size",
	    .payload_unless = "o",
	    .ready = file_create_ready,
	    .run = file_create_run,
	    .help = "Make a file of the bytes that follow the command, or with -o of "
		    "what is written to a stream." },
	{ .name = "file_delete",
	    .alias = "fde",
	    .args = name_args,
	    .run = file_delete_run,
	    .help = "Delete a file." },
	{ .name = "file_open",
	    .alias = "fop",
	    .args = name_args,
	    .run = file_open_run,
	    .help = "Open a file as a stream for reading." },
	{ .name = "file_stat",
	    .alias = "fst",
	    .args = name_args,
	    .run = file_stat_run,
	    .help = "Print size, version, type, flags and CRC of a file." },
	{ .name = "format_flash",
	    .alias = "format",
	    .args = format_args,
	    .run = format_flash_run,
	    .help = "Delete all files; the module's MAC guards it." },
	{ .name = "ls",
	    .args = ls_args,
	    .run = ls_run,
	    .help = "List the files; -v with type, flags and place." },
	{ .name = NULL },
};
