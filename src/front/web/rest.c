#include "front/web/rest.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <jansson.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/module.h"
#include "core/session.h"
#include "front/web/leave.h"
#include "front/web/reply.h"
#include "front/web/server.h"

#define REST_TYPE "application/json"
#define REST_LOG_GUESS 1024 /* bytes of a log; most are shorter */

/* One command that came over HTTP, until it is answered. */
struct rest_session {
	struct session session;
	struct web_connection *connection; /* NULL once the client is gone */
	struct evhttp_request *request; /* evhttp's; NULL likewise */
	struct web_leave *leave; /* owned; while the client waits */
	unsigned flags; /* as asked */
};

/* Adds a value as JSON, written in place; its length is guessed before it is known.
 * Takes the value. */
static void
rest_add_json(struct evbuffer *out, json_t *value, size_t guess)
{
	struct evbuffer_iovec space = { .iov_len = 0 };
	size_t len = guess;

	xcheck(value);
	while (len > space.iov_len) {
		if (evbuffer_reserve_space(out, (ev_ssize_t)len, &space, 1) != 1)
			xcheck(NULL);
		len = json_dumpb(value, space.iov_base, space.iov_len,
		    JSON_COMPACT | JSON_ENCODE_ANY);
	}
	space.iov_len = len;
	evbuffer_commit_space(out, &space, 1);
	json_decref(value);
}

/* Text as a JSON string. Reference: network notes, 1.4: bytes that are no UTF-8 come
 * out as U+0080 to U+00FF. Takes nothing; a new reference. */
static json_t *
rest_json_text(const char *bytes, size_t len)
{
	json_t *string = json_stringn(bytes, len);
	char *utf8;
	size_t out = 0;

	if (string != NULL)
		return string;
	utf8 = xmalloc(2 * len + 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte >= 0x80) {
			utf8[out++] = (char)(0xC0 | (byte >> 6));
			byte = 0x80 | (byte & 0x3F);
		}
		utf8[out++] = (char)byte;
	}
	string = json_stringn(utf8, out);
	free(utf8);
	return string;
}

static json_t *
rest_json_response(const char *bytes, size_t len, unsigned flags)
{
	json_t *string;
	char *encoded;

	if ((flags & REST_RESPONSE_BASE64) == 0)
		return rest_json_text(bytes, len);
	encoded = base64_encode(bytes, len);
	string = json_string(encoded == NULL ? "" : encoded);
	free(encoded);
	return string;
}

/* Reference: network notes, 1.4. */
static struct evbuffer *
rest_body(unsigned id, const struct response *response, unsigned flags)
{
	size_t len = response->body == NULL ? 0 : evbuffer_get_length(response->body);
	const char *bytes =
	    len == 0 ? "" : (const char *)evbuffer_pullup(response->body, -1);
	struct evbuffer *body = xcheck(evbuffer_new());

	flags &= REST_RESPONSE_BASE64;
	evbuffer_add_printf(body,
	    "{\"id\":%u,\"code\":%d,\"flags\":%u,\"response\":", id,
	    (int)response->result, flags);
	/* Line ends take two bytes more each. */
	rest_add_json(body, rest_json_response(bytes, len, flags), len + len / 4 + 16);
	evbuffer_add(body, "}", 1);
	return body;
}

/* The session goes on without the connection. */
static void
rest_part(struct rest_session *rest)
{
	rest->connection->rest = NULL;
	rest->connection = NULL;
	web_leave_free(rest->leave);
	rest->leave = NULL;
}

static void
rest_reply(struct session *session, const struct response *response)
{
	struct rest_session *rest = (struct rest_session *)session;
	struct web_connection *connection = rest->connection;
	struct module *module = session->module;

	if (connection != NULL) {
		rest_part(rest);
		web_reply(connection, rest->request, HTTP_OK, REST_TYPE,
		    rest_body(module->next_response_id++, response, rest->flags));
	}
	session_close(session);
}

static void
rest_free(struct session *session)
{
	struct rest_session *rest = (struct rest_session *)session;

	if (rest->connection != NULL)
		rest_part(rest);
	free(rest);
}

static const struct session_ops rest_ops = {
	.reply = rest_reply,
	.free = rest_free,
};

/* RFC 9112, 9.5. Chosen: who ends his side before the answer is there does not wait for
 * it, which cannot be told from one who has closed the connection. */
static void
rest_client_left(void *arg)
{
	struct rest_session *rest = arg;

	log_msg(LOG_INFO, rest->session.module->own->name,
	    "http: a client left, and its command was cancelled");
	web_let_go(rest->connection);
}

/* Runs one command for a connection. Takes data. */
static void
rest_run(struct web_connection *connection, struct evhttp_request *request,
    const char *line, size_t len, struct evbuffer *data, unsigned flags)
{
	struct rest_session *rest = xcalloc(1, sizeof *rest);

	rest->connection = connection;
	rest->request = request;
	rest->flags = flags;
	connection->rest = rest;
	session_init(&rest->session, web_server_module(connection->server),
	    SESSION_REST, &rest_ops);
	session_submit(&rest->session, line, len, data, (flags & REST_QUIET) != 0);
	/* The command may have ended the server, and the connection with it. */
	if (rest->connection != NULL)
		rest->leave = web_leave_new(rest->session.module->base,
		    bufferevent_getfd(connection->bev), rest_client_left, rest);
}

void
rest_get_command(
    struct web_connection *connection, struct evhttp_request *request, const char *rest)
{
	size_t len;
	char *line;

	if (*rest != '/') {
		web_reply_text(connection, request, HTTP_BADREQUEST,
		    "the command is missing: GET /command/<command>");
		return;
	}
	/* Reference: network notes, 1.3: all behind /command/ is the command, a '?' in
	 * it included, and '+' is no blank. */
	line = evhttp_uridecode(rest + 1, 0, &len);
	if (line == NULL) {
		web_reply_text(connection, request, HTTP_INTERNAL, NULL);
		return;
	}
	rest_run(connection, request, line, len, NULL, 0);
	free(line);
}

void
rest_post_command(
    struct web_connection *connection, struct evhttp_request *request, const char *rest)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	struct rest_command command;
	const char *fault, *body;

	if (*rest != '\0' && *rest != '?') {
		web_reply_text(connection, request, HTTP_NOTFOUND, NULL);
		return;
	}
	body = (const char *)evbuffer_pullup(input, -1);
	fault = rest_command_parse(
	    &command, body == NULL ? "" : body, evbuffer_get_length(input));
	if (fault != NULL) {
		web_reply_text(connection, request, HTTP_BADREQUEST, fault);
	} else {
		rest_run(connection, request, command.line, command.len, command.data,
		    command.flags);
		command.data = NULL;
	}
	rest_command_clear(&command);
}

static void
rest_add_line(void *arg, const char *line)
{
	json_array_append_new(arg, rest_json_text(line, strlen(line)));
}

/* Reference: network notes, 1.7. Chosen: what was fetched is gone, and the lines carry
 * no CRLF. */
void
rest_get_log(
    struct web_connection *connection, struct evhttp_request *request, const char *rest)
{
	struct module *module = web_server_module(connection->server);
	struct evbuffer *body;
	json_t *root, *lines;

	if (*rest != '\0' && *rest != '?') {
		web_reply_text(connection, request, HTTP_NOTFOUND, NULL);
		return;
	}
	lines = json_array();
	module->log_fetched =
	    event_read(module, module->log_fetched, rest_add_line, lines);
	root = json_object();
	json_object_set_new_nocheck(root, "logs", lines);
	body = xcheck(evbuffer_new());
	rest_add_json(body, root, REST_LOG_GUESS);
	web_reply(connection, request, HTTP_OK, REST_TYPE, body);
}

void
rest_abandon(struct web_connection *connection)
{
	struct rest_session *rest = connection->rest;

	if (rest == NULL)
		return;
	rest_part(rest);
	rest->request = NULL;
	session_close(&rest->session);
}
