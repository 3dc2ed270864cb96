#include "core/http_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/net_state.h"
#include "store/flash.h"

#define HTTP_FILE_PIECE 16384 /* bytes written at a time */

struct http_file {
	struct net_job job;
	struct module *module; /* borrowed */
	struct http_exchange *exchange; /* owned */
	char *name; /* owned */
	http_file_done *done;
	void *arg;
	int32_t crc;
	uint16_t flags;
	struct flash_draft *draft; /* owned; of a download, once there is a status */
	bool is_of_any_length; /* the server did not tell it */
	int fd; /* owned; of an upload; -1: none */
};

static void
http_file_free(struct http_file *self)
{
	TAILQ_REMOVE(&self->module->net->jobs, &self->job, entry);
	http_exchange_free(self->exchange);
	flash_draft_discard(self->draft);
	if (self->fd != -1)
		close(self->fd);
	free(self->name);
	free(self);
}

static void
http_file_finish(struct http_file *self, bool is_well)
{
	http_file_done *done = self->done;
	void *arg = self->arg;

	http_file_free(self);
	done(arg, is_well);
}

static void
http_file_give_up(struct net_job *job)
{
	http_file_finish((struct http_file *)job, false);
}

static const char *
http_file_error(int error)
{
	switch (error) {
	case ENOSPC:
	case EMSGSIZE:
		return "no room";
	case ENFILE:
		return "too many files";
	case EEXIST:
		return "the file is being written";
	case EBADMSG:
		return "wrong CRC";
	case ENODATA:
		return "no data";
	default:
		return strerror(error);
	}
}

static void
http_download_failed(struct http_file *self)
{
	event_emit(self->module, EVENT_PROGRESS, "Download failed: %s",
	    http_file_error(errno));
	http_file_finish(self, false);
}

/* Whether a status is one of success; says so if not. */
static bool
http_file_check_status(const struct http_file *self, const char *what)
{
	int status = http_exchange_status(self->exchange);

	if (status / 100 == 2)
		return true;
	event_emit(
	    self->module, EVENT_PROGRESS, "%s failed: HTTP response %d", what, status);
	return false;
}

/* Takes room for what the server is about to send. Chosen: no empty files, as with
 * file_create. A body of any length gets all the room there is, and gives back the
 * rest. 0, or -1 and errno. */
static int
http_download_create(struct http_file *self)
{
	struct flash *flash = self->module->flash;
	int64_t length = http_exchange_length(self->exchange);
	struct flash_plan plan = { .name = self->name,
		.type = FLASH_TYPE_MISCELLANEOUS,
		.flags = self->flags,
		.crc = self->crc,
		.replaces = true };

	self->is_of_any_length = length < 0;
	if (length < 0)
		length = flash_room(flash);
	errno = self->is_of_any_length ? ENOSPC : ENODATA;
	if (length == 0)
		return -1;
	errno = ENOSPC;
	if (length > INT32_MAX)
		return -1;
	plan.size = (uint32_t)length;
	self->draft = flash_create(flash, &plan);
	return self->draft == NULL ? -1 : 0;
}

/* Writes what has come. 0, or -1 and errno. */
static int
http_download_write(struct http_file *self)
{
	struct evbuffer *received = http_exchange_received(self->exchange);
	char piece[HTTP_FILE_PIECE];
	bool some = false;
	int n;

	if (self->draft == NULL)
		return 0;
	while ((n = evbuffer_remove(received, piece, sizeof piece)) > 0) {
		if (flash_draft_write(self->draft, piece, (size_t)n) == -1)
			return -1;
		some = true;
	}
	if (some)
		http_exchange_resume(self->exchange);
	return 0;
}

static void
http_download_end(struct http_file *self)
{
	struct flash_draft *draft = self->draft;

	if (http_exchange_has_failed(self->exchange)) {
		http_file_finish(self, false);
		return;
	}
	self->draft = NULL;
	if (draft != NULL && self->is_of_any_length && flash_draft_end(draft) == -1) {
		flash_draft_discard(draft);
		draft = NULL;
	}
	if (draft == NULL || flash_draft_commit(draft) == -1)
		http_download_failed(self);
	else
		http_file_finish(self, true);
}

static void
http_download_told(void *arg, enum http_event event)
{
	struct http_file *self = arg;

	activity_note(self->module, self->job.interface, ACTIVITY_RX);
	if (event == HTTP_STATUS) {
		if (!http_file_check_status(self, "Download")) {
			http_file_finish(self, false);
			return;
		}
		if (http_download_create(self) == -1) {
			http_download_failed(self);
			return;
		}
		event_emit(self->module, EVENT_PROGRESS, "Downloading: %s", self->name);
	}
	if (http_download_write(self) == -1)
		http_download_failed(self);
	else if (event == HTTP_END)
		http_download_end(self);
}

/* What the server says once it has the file is its own matter; the status counts.
 * Chosen: one of success that comes before counts once all of the file has left. */
static void
http_upload_told(void *arg, enum http_event event)
{
	struct http_file *self = arg;
	const struct http_exchange *exchange = self->exchange;

	activity_note(self->module, self->job.interface,
	    event == HTTP_STATUS ? ACTIVITY_RX : ACTIVITY_TX);
	if (event == HTTP_STATUS && !http_file_check_status(self, "Upload"))
		http_file_finish(self, false);
	else if (http_exchange_status(exchange) != 0 &&
		 http_exchange_body_has_left(exchange))
		http_file_finish(self, true);
	else if (event == HTTP_END) {
		if (!http_exchange_has_failed(exchange))
			event_emit(self->module, EVENT_PROGRESS,
			    "Upload failed: the server did not take all of it");
		http_file_finish(self, false);
	}
}

static ssize_t
http_upload_read(void *arg, int64_t at, void *buf, size_t len)
{
	const struct http_file *self = arg;
	ssize_t n;

	do
		n = pread(self->fd, buf, len, (off_t)at);
	while (n == -1 && errno == EINTR);
	return n == 0 ? -1 : n; /* 0: shorter than the index says */
}

static struct http_file *
http_file_new(struct module *module, enum network_interface interface, const char *name,
    http_file_done *done, void *arg)
{
	struct http_file *self = xcalloc(1, sizeof *self);

	self->job.give_up = http_file_give_up;
	self->job.interface = interface;
	self->module = module;
	self->name = xstrdup(name);
	self->done = done;
	self->arg = arg;
	self->fd = -1;
	TAILQ_INSERT_TAIL(&net_get(module)->jobs, &self->job, entry);
	return self;
}

/* The rest of starting: options holds what is special. Takes the URL. */
static void
http_file_go(struct http_file *self, struct http_url *url,
    const struct http_exchange_options *special,
    void (*told)(void *arg, enum http_event))
{
	struct http_exchange_options options;
	struct http_exchange_ops ops;

	http_client_options(self->module, &options, &ops);
	options.method = special->method;
	options.type = special->type;
	options.source = special->source;
	options.form_file = special->form_file;
	options.failing = special->failing;
	options.is_file = true;
	options.limit_ms = HTTP_FILE_MS;
	ops.told = told;
	ops.told_arg = self;
	event_emit(self->module, EVENT_OPENING, "%s", url->authority);
	self->exchange = http_exchange_start(
	    self->module->base, net_dns(self->module), url, &options, &ops);
}

static bool
http_file_may_start(struct module *module, const char *what)
{
	if (net_has_room(module, STREAM_KIND_TCP_CLIENT))
		return true;
	event_emit(module, EVENT_PROGRESS, "%s failed: too many streams", what);
	return false;
}

struct http_file *
http_download_start(struct module *module, struct http_url *url,
    const struct http_download_plan *plan, http_file_done *done, void *arg)
{
	const struct http_exchange_options options = { .method = HTTP_GET,
		.failing = "Download" };
	struct http_file *self;

	if (!http_file_may_start(module, options.failing)) {
		http_url_clear(url);
		return NULL;
	}
	self = http_file_new(module, plan->interface, plan->name, done, arg);
	self->crc = plan->crc;
	self->flags = FLASH_VALID | FLASH_USER;
	if (plan->is_unprotected)
		self->flags |= FLASH_UNPROTECTED;
	http_file_go(self, url, &options, http_download_told);
	return self;
}

struct http_file *
http_upload_start(struct module *module, struct http_url *url,
    const struct http_upload_plan *plan, http_file_done *done, void *arg)
{
	const struct flash_file *file = flash_find(module->flash, plan->name);
	struct http_exchange_options options = { .method = HTTP_POST,
		.failing = "Upload",
		.source.read = http_upload_read,
		.form_file = plan->is_raw ? NULL : plan->remote_name,
		.type = plan->is_raw ? "application/octet-stream" : NULL };
	struct http_file *self;
	int fd = -1;

	if (http_file_may_start(module, options.failing)) {
		errno = ENOENT;
		if (file != NULL)
			fd = flash_open_contents(module->flash, file);
		if (fd == -1)
			event_emit(module, EVENT_PROGRESS, "Upload failed: %s",
			    errno == ENOENT ? "no such file" : strerror(errno));
	}
	if (fd == -1) {
		http_url_clear(url);
		return NULL;
	}
	self = http_file_new(module, plan->interface, plan->name, done, arg);
	self->fd = fd;
	options.source.length = file->size;
	options.source.arg = self;
	http_file_go(self, url, &options, http_upload_told);
	return self;
}

void
http_file_cancel(struct http_file *self)
{
	http_file_free(self);
}
