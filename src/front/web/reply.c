#include "front/web/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "front/web/cors.h"
#include "front/web/server.h"

const char *
web_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = { { 200, "OK" },
		/* These two as in the network notes, 8.5. */
		{ 204, "Ok" }, { 302, "Redirect" }, { 206, "Partial Content" },
		{ 304, "Not Modified" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 416, "Range Not Satisfiable" },
		{ 426, "Upgrade Required" }, { 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" } };

	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Error";
}

void
web_reply_done(struct web_connection *connection)
{
	if (!connection->replying)
		return;
	connection->replying = false;
	module_reply_done(web_server_module(connection->server));
}

static void
web_reply_sent(struct evhttp_request *request, void *arg)
{
	struct web_connection *connection = arg;

	(void)request;
	web_answered(connection);
	web_reply_done(connection);
}

/* Ends the connection with this answer. evhttp looks at the first header of that name.
 */
static void
web_reply_close(struct evkeyvalq *headers)
{
	const char *found = evhttp_find_header(headers, "Connection");
	char *other = found == NULL ? NULL : xstrdup(found);

	evhttp_remove_header(headers, "Connection");
	evhttp_add_header(headers, "Connection", "close");
	if (other != NULL)
		evhttp_add_header(headers, "Connection", other);
	free(other);
}

void
web_reply_add_length(struct evhttp_request *request, uint64_t length)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	char text[24];

	if (evhttp_find_header(headers, "Content-Length") != NULL ||
	    evhttp_find_header(headers, "Transfer-Encoding") != NULL)
		return;
	snprintf(text, sizeof text, "%" PRIu64, length);
	evhttp_add_header(headers, "Content-Length", text);
}

void
web_reply_begin(struct web_connection *connection, struct evhttp_request *request,
    const char *content_type)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct module *module = web_server_module(connection->server);

	if (content_type != NULL)
		evhttp_add_header(headers, "Content-Type", content_type);
	web_cors_add(web_server_cors(connection->server), request);
	if (module->own->http_close || connection->handled == connection->guard.last)
		web_reply_close(headers);
	connection->replying = true;
	module_reply_started(module);
	evhttp_request_set_on_complete_cb(request, web_reply_sent, connection);
}

void
web_reply_deaf(struct web_connection *connection)
{
	bufferevent_disable(connection->bev, EV_READ);
}

/* Over TLS each piece of memory would become a record, and a system call, of its own.
 */
static void
web_reply_join(struct web_connection *connection)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);

	if (bufferevent_openssl_get_ssl(connection->bev) != NULL &&
	    evbuffer_get_length(output) <= WEB_REPLY_RECORD)
		evbuffer_pullup(output, -1);
}

/* evhttp leaves the length away from answers with HTTP/1.0 or to HEAD, and sends the
 * latter a body. */
void
web_reply(struct web_connection *connection, struct evhttp_request *request, int status,
    const char *content_type, struct evbuffer *body)
{
	size_t len = body == NULL ? 0 : evbuffer_get_length(body);

	if (status != HTTP_NOTMODIFIED && status != HTTP_NOCONTENT)
		web_reply_add_length(request, len);
	if (body != NULL && evhttp_request_get_command(request) == EVHTTP_REQ_HEAD)
		evbuffer_drain(body, len);
	web_reply_begin(connection, request, content_type);
	evhttp_send_reply(request, status, web_reason(status), body);
	web_reply_join(connection);
	if (body != NULL)
		evbuffer_free(body);
	if (len > WEB_REPLY_AT_ONCE)
		web_reply_deaf(connection);
}

void
web_reply_text(struct web_connection *connection, struct evhttp_request *request,
    int status, const char *text)
{
	struct evbuffer *body = xcheck(evbuffer_new());

	evbuffer_add_printf(body, "%s\n", text == NULL ? web_reason(status) : text);
	web_reply(connection, request, status, "text/plain", body);
}
