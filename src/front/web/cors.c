#include "front/web/cors.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <event2/http.h>

#include "front/web/reply.h"

#define SEPARATORS " ,"

/* The origin of the list that is the client's, in its own spelling; NULL: none. */
static const char *
web_cors_find(const char *list, const char *origin)
{
	while (origin != NULL && *(list += strspn(list, SEPARATORS)) != '\0') {
		size_t len = strcspn(list, SEPARATORS);

		if (strlen(origin) == len && strncasecmp(list, origin, len) == 0)
			return origin;
		list += len;
	}
	return NULL;
}

/* Chosen: pages of an origin that is named may use the login that the browser keeps;
 * with "*" they may not, as the reference has it. */
void
web_cors_add(const char *setting, struct evhttp_request *request)
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(request),
			 *out = evhttp_request_get_output_headers(request);
	const char *origin = setting + strspn(setting, SEPARATORS);

	if (*origin == '\0')
		return;
	if (origin[strcspn(origin, SEPARATORS)] != '\0') {
		evhttp_add_header(out, "Vary", "Origin");
		origin = web_cors_find(setting, evhttp_find_header(in, "Origin"));
		if (origin == NULL)
			return;
	}
	evhttp_add_header(out, "Access-Control-Allow-Origin", origin);
	if (strcmp(origin, "*") != 0)
		evhttp_add_header(out, "Access-Control-Allow-Credentials", "true");
}

bool
web_cors_preflight(const char *setting, struct web_connection *connection,
    struct evhttp_request *request)
{
	struct evkeyvalq *in = evhttp_request_get_input_headers(request),
			 *out = evhttp_request_get_output_headers(request);
	char seconds[16];

	if (setting[strspn(setting, SEPARATORS)] == '\0')
		return false;
	snprintf(seconds, sizeof seconds, "%d", WEB_CORS_SECONDS);
	evhttp_add_header(
	    out, "Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS");
	evhttp_add_header(out, "Access-Control-Allow-Headers",
	    "Accept, Authorization, Content-Type, If-None-Match, If-Range, Range, "
	    "X-Requested-With");
	evhttp_add_header(out, "Access-Control-Max-Age", seconds);
	/* Asked by browsers before a public site reaches into a private network. */
	if (evhttp_find_header(in, "Access-Control-Request-Private-Network") != NULL)
		evhttp_add_header(out, "Access-Control-Allow-Private-Network", "true");
	evhttp_add_header(out, "Content-Length", "0");
	web_reply(connection, request, HTTP_OK, NULL, NULL);
	return true;
}
