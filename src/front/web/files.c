#include "front/web/files.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/http.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/setup.h"
#include "core/variable.h"
#include "front/web/body.h"
#include "front/web/cache.h"
#include "front/web/negotiate.h"
#include "front/web/reply.h"
#include "front/web/server.h"
#include "store/flash.h"

#define FILES_TAG_SIZE 64
#define FILES_TWIN ".gz" /* what a file's twin has behind its name */

/* What answers a request for a name. */
struct web_file {
	const struct flash_file *file;
	bool is_twin; /* it is NAME.gz */
};

static bool
web_file_find(const struct module *module, const char *name, struct web_file *found)
{
	char twin[FLASH_NAME_MAX + sizeof FILES_TWIN];

	if (strlen(name) > FLASH_NAME_MAX)
		return false;
	found->is_twin = false;
	found->file = flash_find(module->flash, name);
	if (found->file != NULL || *name == '\0')
		return found->file != NULL;
	snprintf(twin, sizeof twin, "%s" FILES_TWIN, name);
	found->is_twin = true;
	found->file = flash_find(module->flash, twin);
	return found->file != NULL;
}

/* Whether each '%' begins an escape, and none of a NUL, which ends no name. */
static bool
web_file_is_target(const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (path[i] != '%')
			continue;
		if (len - i < 3 || !isxdigit((unsigned char)path[i + 1]) ||
		    !isxdigit((unsigned char)path[i + 2]) ||
		    strncmp(path + i, "%00", 3) == 0)
			return false;
		i += 2;
	}
	return true;
}

/* The file's name that a target stands for, owned by the caller; NULL: it is malformed.
 */
static char *
web_file_name(const struct module *module, const char *target)
{
	const char *path = *target == '/' ? target + 1 : target;
	size_t len = strcspn(path, "?");
	char *copy, *name;

	if (len == 0)
		return xstrdup(
		    module->setup != NULL
			? module->setup->root_filename
			: variable_text(module, "http.server.root_filename"));
	if (!web_file_is_target(path, len))
		return NULL;
	copy = xmemdup(path, len);
	name = xcheck(evhttp_uridecode(copy, 0, NULL));
	free(copy);
	return name;
}

bool
web_file_is_open(const struct web_connection *connection,
    struct evhttp_request *request, const char *target)
{
	const struct module *module = web_server_module(connection->server);
	char *name = web_file_name(module, target);
	struct web_file found;
	bool is_open;

	(void)request;
	is_open = name != NULL && web_file_find(module, name, &found) &&
		  (found.file->flags & FLASH_UNPROTECTED) != 0;
	free(name);
	return is_open;
}

/* A strong entity tag. Files are never changed in place, so another file has another
 * time; the twin's two forms differ too (RFC 9110, 8.8.3.3). */
static void
web_file_tag(char tag[FILES_TAG_SIZE], const struct flash_file *file,
    const struct web_span *span, bool is_decoded)
{
	snprintf(tag, FILES_TAG_SIZE, "\"%04x-%" PRIx32 "-%jx%08lx%s\"", file->crc,
	    file->size, (uintmax_t)span->time.tv_sec, span->time.tv_nsec,
	    is_decoded ? "-d" : "");
}

/* All of a file: a small one in memory, another open for reading. 0, or -1 and errno.
 */
static int
web_file_open(
    struct web_server *server, const struct flash_file *file, struct web_span *span)
{
	const struct flash *flash = web_server_module(server)->flash;
	const struct web_cached *cached;
	struct stat st;

	*span = (struct web_span){ .fd = -1, .length = file->size };
	if (file->size <= WEB_CACHE_FILE_MAX) {
		cached = web_cache_get(web_server_cache(server), flash, file);
		if (cached == NULL)
			return -1;
		span->bytes = cached->bytes;
		span->time = cached->time;
		return 0;
	}
	span->fd = flash_open_contents(flash, file);
	if (span->fd == -1)
		return -1;
	if (fstat(span->fd, &st) == -1) {
		int saved_errno = errno;

		close(span->fd);
		errno = saved_errno;
		return -1;
	}
	span->time = st.st_mtim;
	return 0;
}

/* Looks at what the client has already and which part it wants. The status; span is
 * narrowed to the part. */
static int
web_file_choose(struct evhttp_request *request, const char *tag, bool has_parts,
    struct web_span *span)
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(request),
			 *out = evhttp_request_get_output_headers(request);
	bool is_get = evhttp_request_get_command(request) == EVHTTP_REQ_GET;
	uint64_t first, last;
	char text[80];

	evhttp_add_header(out, "ETag", tag);
	if (has_parts)
		evhttp_add_header(out, "Accept-Ranges", "bytes");
	if (web_tag_is_listed(evhttp_find_header(in, "If-None-Match"), tag))
		return HTTP_NOTMODIFIED;
	if (!has_parts || !is_get)
		return HTTP_OK;
	switch (web_range_parse(evhttp_find_header(in, "Range"),
	    evhttp_find_header(in, "If-Range"), tag, span->length, &first, &last)) {
	case WEB_RANGE_OUTSIDE:
		snprintf(text, sizeof text, "bytes */%" PRIu64, span->length);
		evhttp_add_header(out, "Content-Range", text);
		return 416;
	case WEB_RANGE_PART:
		snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
		    first, last, span->length);
		evhttp_add_header(out, "Content-Range", text);
		span->first = first;
		span->length = last - first + 1;
		return 206;
	case WEB_RANGE_WHOLE:
		break;
	}
	return HTTP_OK;
}

static void
web_file_send(struct web_connection *connection, struct evhttp_request *request,
    int status, const char *type, const struct web_span *span, bool is_decoded)
{
	bool is_head = evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;

	if (status == HTTP_NOTMODIFIED) {
		web_span_close(span);
		web_reply(connection, request, status, NULL, NULL);
	} else if (status == 416) {
		web_span_close(span);
		web_reply_text(connection, request, status, NULL);
	} else if (is_decoded) {
		web_body_send_decoded(connection, request, status, type, span);
	} else if (is_head) {
		web_span_close(span);
		web_reply_add_length(request, span->length);
		web_reply(connection, request, status, type, NULL);
	} else {
		web_body_send(connection, request, status, type, span);
	}
}

/* Answers with a file; with a status other than 200, with all of it. */
static void
web_file_serve(struct web_connection *connection, struct evhttp_request *request,
    int status, const char *name, const struct web_file *found)
{
	const struct module *module = web_server_module(connection->server);
	struct evkeyvalq *in = evhttp_request_get_input_headers(request),
			 *out = evhttp_request_get_output_headers(request);
	struct web_span span;
	bool is_decoded = found->is_twin &&
			  !web_accepts_gzip(evhttp_find_header(in, "Accept-Encoding"));
	char tag[FILES_TAG_SIZE];

	if (web_file_open(connection->server, found->file, &span) == -1) {
		log_msg(LOG_ERR, module->own->name, "http: %s: %s", found->file->name,
		    strerror(errno));
		web_reply_text(connection, request, HTTP_INTERNAL, NULL);
		return;
	}
	if (found->is_twin)
		evhttp_add_header(out, "Vary", "Accept-Encoding");
	if (status == HTTP_OK) {
		web_file_tag(tag, found->file, &span, is_decoded);
		status = web_file_choose(request, tag, !is_decoded, &span);
	}
	if (found->is_twin && !is_decoded && status != 416)
		evhttp_add_header(out, "Content-Encoding", "gzip");
	web_file_send(
	    connection, request, status, web_content_type(name), &span, is_decoded);
}

void
web_file_get(struct web_connection *connection, struct evhttp_request *request,
    const char *target)
{
	struct module *module = web_server_module(connection->server);
	char *name = web_file_name(module, target);
	struct web_file found;

	if (name != NULL && module->setup != NULL &&
	    strcmp(name, module->setup->root_filename) == 0)
		setup_page_opened(module);
	if (name == NULL)
		web_reply_text(connection, request, HTTP_BADREQUEST,
		    "the target is not percent-encoded as it must be");
	else if (web_file_find(module, name, &found))
		web_file_serve(connection, request, HTTP_OK, name, &found);
	else
		web_file_reply_status(connection, request, HTTP_NOTFOUND);
	free(name);
}

void
web_file_reply_status(
    struct web_connection *connection, struct evhttp_request *request, int status)
{
	const struct module *module = web_server_module(connection->server);
	struct web_file found;
	char *name = xstrdup(
	    variable_text(module, status == 401 ? "http.server.notauthorized_filename"
						: "http.server.notfound_filename"));

	if (web_file_find(module, name, &found))
		web_file_serve(connection, request, status, name, &found);
	else
		web_reply_text(connection, request, status, NULL);
	free(name);
}
