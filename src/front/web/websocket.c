#include "front/web/websocket.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <openssl/evp.h>

#include "base/base64.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/net_state.h"
#include "front/web/reply.h"
#include "front/web/server.h"
#include "stream/posted.h"
#include "stream/tcp.h"
#include "stream/websocket.h"

/* RFC 6455, 1.3 and 4.2.1 */
#define WEBSOCKET_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define WEBSOCKET_VERSION "13"
#define WEBSOCKET_KEY_OCTETS 16
#define WEBSOCKET_KEY_LENGTH 24 /* characters: the octets in base64 */

/* Whether one of the headers of that name has the token in its list (RFC 9110, 5.6.1).
 */
static bool
web_websocket_has_token(
    const struct evhttp_request *request, const char *name, const char *token)
{
	const struct evkeyval *header;

	TAILQ_FOREACH (header, request->input_headers, next) {
		const char *item = header->value;

		if (strcasecmp(header->key, name) != 0)
			continue;
		while (*item != '\0') {
			size_t len = strcspn(item, ",");
			const char *comma = item + len;

			while (len > 0 && (*item == ' ' || *item == '\t')) {
				item++;
				len--;
			}
			while (
			    len > 0 && (item[len - 1] == ' ' || item[len - 1] == '\t'))
				len--;
			if (len == strlen(token) && strncasecmp(item, token, len) == 0)
				return true;
			item = *comma == '\0' ? comma : comma + 1;
		}
	}
	return false;
}

static bool
web_websocket_is_key(const char *key)
{
	size_t len = 0;
	char *octets;

	if (key == NULL || strlen(key) != WEBSOCKET_KEY_LENGTH)
		return false;
	octets = base64_decode(key, WEBSOCKET_KEY_LENGTH, &len);
	if (octets == NULL)
		return false;
	free(octets);
	return len == WEBSOCKET_KEY_OCTETS;
}

/* The value of Sec-WebSocket-Accept, owned by the caller; NULL on failure. */
static char *
web_websocket_accept(const char *key)
{
	char text[WEBSOCKET_KEY_LENGTH + sizeof WEBSOCKET_GUID];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	snprintf(text, sizeof text, "%s%s", key, WEBSOCKET_GUID);
	if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1)
		return NULL;
	return base64_encode(digest, len);
}

/* Whether the request opens a WebSocket (RFC 6455, 4.2.1); if not, it is answered. */
static bool
web_websocket_check(struct web_connection *connection, struct evhttp_request *request)
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(request),
			 *out = evhttp_request_get_output_headers(request);
	const char *version = evhttp_find_header(in, "Sec-WebSocket-Version");

	if (!web_websocket_has_token(request, "Upgrade", "websocket") ||
	    (version != NULL && strcmp(version, WEBSOCKET_VERSION) != 0)) {
		evhttp_add_header(out, "Upgrade", "websocket");
		evhttp_add_header(out, "Connection", "Upgrade");
		evhttp_add_header(out, "Sec-WebSocket-Version", WEBSOCKET_VERSION);
		web_reply_text(connection, request, 426, NULL);
		return false;
	}
	if (version == NULL || request->major != 1 || request->minor < 1 ||
	    !connection->guard.framing.upgrade ||
	    evhttp_find_header(in, "Host") == NULL ||
	    !web_websocket_has_token(request, "Connection", "upgrade") ||
	    !web_websocket_is_key(evhttp_find_header(in, "Sec-WebSocket-Key"))) {
		web_reply_text(connection, request, HTTP_BADREQUEST,
		    "no proper WebSocket handshake");
		return false;
	}
	return true;
}

/* What stream_list shows: the near end as the module sees it, then the far end. */
static void
web_websocket_info(const struct web_connection *connection, char *info, size_t size)
{
	const struct listener *listener = web_server_listener(connection->server);
	char far[32];

	network_name_far(web_server_module(connection->server),
	    bufferevent_getfd(connection->bev), far, sizeof far);
	snprintf(info, size, "%s:%u %s", listener->address, listener->module_port, far);
}

static bool
web_websocket_table_has_room(const struct module *module)
{
	for (int handle = 0; handle < STREAM_MAX; handle++) {
		if (stream_get(module->streams, handle) == NULL)
			return true;
	}
	return false;
}

/* The closing handshake is over. evhttp has no other way of ending a connection whose
 * request is never answered; it frees that too, and calls the close callback. */
static void
web_websocket_done(void *arg)
{
	struct web_connection *connection = arg;

	connection->websocket = NULL;
	evhttp_connection_free(connection->http);
}

/* The connection stays evhttp's, which waits for an answer to the request for ever; but
 * all that happens on its bufferevent is now told to the stream. */
void
web_websocket_get(
    struct web_connection *connection, struct evhttp_request *request, const char *rest)
{
	struct module *module = web_server_module(connection->server);
	struct tcp_keepalive keepalive = net_keepalive(module);
	char info[80], *accept;

	if (*rest != '\0' && *rest != '?') {
		web_reply_text(connection, request, HTTP_NOTFOUND, NULL);
		return;
	}
	if (!web_websocket_check(connection, request))
		return;
	if (!net_has_room(module, STREAM_KIND_WEBSOCKET) ||
	    !web_websocket_table_has_room(module)) {
		web_reply_text(connection, request, HTTP_SERVUNAVAIL, NULL);
		return;
	}
	accept = web_websocket_accept(
	    evhttp_find_header(request->input_headers, "Sec-WebSocket-Key"));
	if (accept == NULL ||
	    tcp_prepare(bufferevent_getfd(connection->bev), &keepalive) == -1) {
		free(accept);
		web_reply_text(connection, request, HTTP_INTERNAL, NULL);
		return;
	}
	web_websocket_info(connection, info, sizeof info);
	connection->websocket =
	    websocket_stream_new(connection->bev, info, web_websocket_done, connection);
	evbuffer_add_printf(bufferevent_get_output(connection->bev),
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n"
	    "\r\n",
	    accept);
	free(accept);
	net_add_stream(module, connection->websocket);
}

/* Chosen: all posts go to one stream, which the first of them opens and which is there
 * until it is closed like any other. */
void
web_websocket_post(
    struct web_connection *connection, struct evhttp_request *request, const char *rest)
{
	struct module *module = web_server_module(connection->server);
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	struct stream *stream = posted_stream_find(module->streams);
	char info[80];

	if (*rest != '\0' && *rest != '?') {
		web_reply_text(connection, request, HTTP_NOTFOUND, NULL);
		return;
	}
	if (stream == NULL && evbuffer_get_length(body) > 0) {
		if (!web_websocket_table_has_room(module)) {
			web_reply_text(connection, request, HTTP_SERVUNAVAIL, NULL);
			return;
		}
		web_websocket_info(connection, info, sizeof info);
		stream = posted_stream_new(module->base, info);
		net_add_stream(module, stream);
	}
	if (stream != NULL && posted_stream_put(stream, body) == -1) {
		web_reply_text(connection, request, HTTP_ENTITYTOOLARGE, NULL);
		return;
	}
	web_reply(connection, request, HTTP_OK, "text/plain", NULL);
}

void
web_websocket_abandon(struct web_connection *connection)
{
	struct stream *stream = connection->websocket;

	connection->websocket = NULL;
	if (stream != NULL)
		websocket_lost(stream);
}
