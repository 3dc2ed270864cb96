#include "front/web/rest.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "base/xmalloc.h"
#include "front/web/server.h"
#include "front/web/whitelist.h"

#define REST_PATH "/command/"

static bool
rest_path_is_open(
    const struct web_connection *connection, const char *path, const char *rest)
{
	return (*rest == '\0' || *rest == '?') &&
	       web_whitelist_has(
		   web_server_whitelist(connection->server), path, strlen(path));
}

/* Whether the command is on the list; line ends behind it do not count. */
static bool
rest_line_is_open(const struct web_connection *connection, const char *line, size_t len)
{
	const struct web_whitelist *list = web_server_whitelist(connection->server);
	bool is_open;
	char *path;

	while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	path = xmalloc(sizeof REST_PATH + len);
	memcpy(path, REST_PATH, sizeof REST_PATH - 1);
	memcpy(path + sizeof REST_PATH - 1, line, len);
	is_open = (*line != '/' && web_whitelist_has(list, line, len)) ||
		  web_whitelist_has(list, path, sizeof REST_PATH - 1 + len);
	free(path);
	return is_open;
}

bool
rest_get_is_open(const struct web_connection *connection,
    struct evhttp_request *request, const char *rest)
{
	bool is_open;
	size_t len;
	char *line;

	(void)request;
	if (*rest != '/' || web_server_whitelist(connection->server)->count == 0)
		return false;
	line = xcheck(evhttp_uridecode(rest + 1, 0, &len));
	is_open = rest_line_is_open(connection, line, len);
	free(line);
	return is_open;
}

bool
rest_post_is_open(const struct web_connection *connection,
    struct evhttp_request *request, const char *rest)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request);
	struct rest_command command;
	const char *body;
	bool is_open;

	if ((*rest != '\0' && *rest != '?') ||
	    web_server_whitelist(connection->server)->count == 0)
		return false;
	if (rest_path_is_open(connection, "/command", rest))
		return true;
	body = (const char *)evbuffer_pullup(input, -1);
	is_open = rest_command_parse(&command, body == NULL ? "" : body,
		      evbuffer_get_length(input)) == NULL &&
		  rest_line_is_open(connection, command.line, command.len);
	rest_command_clear(&command);
	return is_open;
}

bool
rest_log_is_open(const struct web_connection *connection,
    struct evhttp_request *request, const char *rest)
{
	(void)request;
	return rest_path_is_open(connection, "/log", rest);
}

bool
rest_stream_is_open(const struct web_connection *connection,
    struct evhttp_request *request, const char *rest)
{
	(void)request;
	return rest_path_is_open(connection, "/stream", rest);
}
