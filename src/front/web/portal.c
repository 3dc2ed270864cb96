#include "front/web/portal.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>

#include "base/xmalloc.h"
#include "core/setup.h"
#include "front/web/reply.h"
#include "front/web/server.h"

bool
web_portal_is_there(const struct web_server *server)
{
	const struct listener *listener;

	if (!web_server_is_on_softap(server))
		return false;
	TAILQ_FOREACH (listener, &web_server_module(server)->listeners, entry) {
		if (strcmp(listener->service, "dns_server") == 0)
			return true;
	}
	return false;
}

/* Where the module is found: its first name. Chosen: without one, its address. */
static char *
web_portal_location(const struct module *module)
{
	const struct link_address *address = network_address(module, NETWORK_SOFTAP);
	const char *names = setup_names(module);
	char text[INET_ADDRSTRLEN] = "";

	if (*names != '\0')
		return xasprintf("http://%.*s/", (int)strcspn(names, ","), names);
	if (address != NULL)
		inet_ntop(AF_INET, &address->ip, text, sizeof text);
	return xasprintf("http://%s/", text);
}

void
web_portal_get(struct web_connection *connection, struct evhttp_request *request,
    const char *target)
{
	const struct module *module = web_server_module(connection->server);
	char *location;

	(void)target;
	if (!setup_has_portal(module)) {
		web_reply(connection, request, HTTP_NOCONTENT, NULL, NULL);
		return;
	}
	location = web_portal_location(module);
	evhttp_add_header(
	    evhttp_request_get_output_headers(request), "Location", location);
	free(location);
	web_reply(connection, request, HTTP_MOVETEMP, NULL, NULL);
}

bool
web_portal_is_open(const struct web_connection *connection,
    struct evhttp_request *request, const char *target)
{
	(void)connection;
	(void)request;
	(void)target;
	return true;
}
