#include "front/web/routes.h"

#include <stdio.h>
#include <string.h>

#include <event2/http.h>

#include "front/web/auth.h"
#include "front/web/cors.h"
#include "front/web/files.h"
#include "front/web/portal.h"
#include "front/web/reply.h"
#include "front/web/rest.h"
#include "front/web/server.h"
#include "front/web/websocket.h"

/* What the server knows to answer; the first route that fits does. handle and is_open
 * get what stands behind the path in the target. */
static const struct web_route {
	const char *path;
	enum evhttp_cmd_type method;
	const char *method_name;
	bool is_api; /* answers only while the API is enabled */
	void (*handle)(
	    struct web_connection *, struct evhttp_request *, const char *rest);
	/* Whether it needs no login although there is one. */
	bool (*is_open)(
	    const struct web_connection *, struct evhttp_request *, const char *rest);
	/* Whether there is such a route at all; NULL: always. */
	bool (*is_there)(const struct web_server *);
} web_routes[] = {
	{ "/command", EVHTTP_REQ_GET, "GET", true, rest_get_command, rest_get_is_open,
	    NULL },
	{ "/command", EVHTTP_REQ_POST, "POST", true, rest_post_command,
	    rest_post_is_open, NULL },
	{ "/log", EVHTTP_REQ_GET, "GET", true, rest_get_log, rest_log_is_open, NULL },
	{ "/stream", EVHTTP_REQ_GET, "GET", true, web_websocket_get,
	    rest_stream_is_open, NULL },
	{ "/stream", EVHTTP_REQ_POST, "POST", true, web_websocket_post,
	    rest_stream_is_open, NULL },
	{ "/generate_204", EVHTTP_REQ_GET, "GET", false, web_portal_get,
	    web_portal_is_open, web_portal_is_there },
	{ "/hotspot-detect.html", EVHTTP_REQ_GET, "GET", false, web_portal_get,
	    web_portal_is_open, web_portal_is_there },
	{ "/ncsi.txt", EVHTTP_REQ_GET, "GET", false, web_portal_get, web_portal_is_open,
	    web_portal_is_there },
	{ "", EVHTTP_REQ_GET, "GET", false, web_file_get, web_file_is_open, NULL },
	{ "", EVHTTP_REQ_HEAD, "HEAD", false, web_file_get, web_file_is_open, NULL },
};

#define WEB_ROUTES (sizeof web_routes / sizeof web_routes[0])

/* The path and query, whether the client sent them alone or behind http://host. */
static const char *
web_target(const struct evhttp_request *request)
{
	const char *uri = evhttp_request_get_uri(request), *authority;

	if (*uri == '/')
		return uri;
	authority = strstr(uri, "://");
	uri = authority == NULL ? NULL : strchr(authority + 3, '/');
	return uri == NULL ? "/" : uri;
}

/* What stands behind a route's path when target is that path or lies below it. */
static const char *
web_route_match(const struct web_route *route, const char *target)
{
	size_t len = strlen(route->path);

	if (strncmp(target, route->path, len) != 0)
		return NULL;
	target += len;
	return *target == '\0' || *target == '/' || *target == '?' ? target : NULL;
}

/* The route for a target and a method. NULL: another method would be served, and *fits
 * is the first of the routes with that path. There is always one, that of the files. */
static const struct web_route *
web_route_find(const struct web_server *server, const char *target,
    enum evhttp_cmd_type method, const struct web_route **fits)
{
	*fits = NULL;
	for (const struct web_route *route = web_routes;
	     route < web_routes + WEB_ROUTES; route++) {
		if (web_route_match(route, target) == NULL ||
		    (route->is_there != NULL && !route->is_there(server)))
			continue;
		if (*fits == NULL)
			*fits = route;
		if (strcmp(route->path, (*fits)->path) != 0)
			break;
		if (route->method == method)
			return route;
	}
	return NULL;
}

static void
web_reply_other_method(struct web_connection *connection,
    struct evhttp_request *request, const struct web_route *fits)
{
	const char *path = fits->path;
	char allow[64] = "";
	size_t len = 0;

	for (; fits < web_routes + WEB_ROUTES && strcmp(fits->path, path) == 0; fits++)
		len += (size_t)snprintf(allow + len, sizeof allow - len, "%s%s",
		    len == 0 ? "" : ", ", fits->method_name);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", allow);
	web_reply_text(connection, request, HTTP_BADMETHOD, NULL);
}

void
web_route(struct web_connection *connection, struct evhttp_request *request)
{
	struct web_server *server = connection->server;
	const struct module *module = web_server_module(server);
	enum evhttp_cmd_type method = evhttp_request_get_command(request);
	const char *target = web_target(request), *rest;
	const struct web_route *fits, *route;

	if (method == EVHTTP_REQ_OPTIONS &&
	    web_cors_preflight(web_server_cors(server), connection, request))
		return;
	route = web_route_find(server, target, method, &fits);
	rest = web_route_match(fits, target);
	if (!web_auth_allows(module, request) &&
	    (route == NULL || (route->is_api && !web_server_has_api(server)) ||
		!route->is_open(connection, request, rest))) {
		web_auth_challenge(module, request);
		web_file_reply_status(connection, request, 401);
	} else if (route == NULL) {
		web_reply_other_method(connection, request, fits);
	} else if (route->is_api && !web_server_has_api(server)) {
		/* Reference: network notes, 1.6. */
		web_reply_text(
		    connection, request, HTTP_INTERNAL, "Feature not initialized");
	} else {
		route->handle(connection, request, rest);
	}
}
