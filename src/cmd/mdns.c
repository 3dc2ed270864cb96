#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/module.h"
#include "core/profile.h"
#include "core/request.h"
#include "core/session.h"
#include "device/host_address.h"
#include "link/mdns_browser.h"
#include "stream/multicast.h"

/* Chosen: what others have to say has come by then; it is asked twice. */
#define MDNS_DISCOVER_MS 2000
#define MDNS_DISCOVER_MARGIN_MS 2000 /* for a loop that is busy */

struct mdns_discover {
	struct request *request;
	struct multicast *multicast; /* owned */
	struct mdns_browser *browser; /* owned */
	struct event *timer; /* owned */
	int64_t end_ms;
	struct host_address host;
	uint16_t port; /* of the group */
};

static void
mdns_discover_free(struct mdns_discover *self)
{
	if (self->timer != NULL)
		event_free(self->timer);
	mdns_browser_free(self->browser);
	multicast_close(self->multicast);
	free(self);
}

static void
mdns_discover_cancel(void *op)
{
	mdns_discover_free(op);
}

/* A name as it can stand in a line: control bytes, and those of none UTF-8, are '?'. */
static void
mdns_discover_clean(char *name)
{
	struct utf8 text = { 0 };
	bool is_utf8 = utf8_take(&text, (const unsigned char *)name, strlen(name)) &&
		       utf8_is_complete(&text);

	for (char *at = name; *at != '\0'; at++) {
		if (iscntrl((unsigned char)*at) ||
		    ((unsigned char)*at >= 0x80 && !is_utf8))
			*at = '?';
	}
}

/* Chosen: the layout, after that of wlan_scan, the name last since it may hold blanks.
 */
static void
mdns_discover_print(struct response *response, struct mdns_found *found, size_t count)
{
	response->is_list = true;
	response_line(response, "! %zu services found", count);
	if (count > 0)
		response_line(
		    response, "!  # Address         Port  Type            Name");
	for (size_t i = 0; i < count; i++) {
		char address[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &found[i].address, address, sizeof address);
		mdns_discover_clean(found[i].type);
		mdns_discover_clean(found[i].name);
		response_line(response, "# %2zu %-15s %-5u %-15s %s", i, address,
		    found[i].port, found[i].type, found[i].name);
	}
}

static void
mdns_discover_schedule(struct mdns_discover *self)
{
	int64_t next_ms = mdns_browser_next_ms(self->browser), ms;
	struct timeval pause = { 0 };

	ms = (next_ms < self->end_ms ? next_ms : self->end_ms) - clock_monotonic_ms();
	if (ms > 0) {
		pause.tv_sec = (time_t)(ms / 1000);
		pause.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	}
	event_add(self->timer, &pause);
}

static void
mdns_discover_tick(evutil_socket_t fd, short what, void *arg)
{
	struct mdns_discover *self = arg;
	struct request *request = self->request;
	int64_t now_ms = clock_monotonic_ms();
	struct mdns_found found[MDNS_FOUND_MAX];
	size_t count;

	(void)fd;
	(void)what;
	if (now_ms < self->end_ms) {
		mdns_browser_tick(self->browser, now_ms);
		mdns_discover_schedule(self);
		return;
	}
	count = mdns_browser_list(self->browser, found);
	mdns_discover_free(self);
	mdns_discover_print(&request->response, found, count);
	request_finish(request, RESULT_OK);
}

/* RFC 6762, 11: what comes from elsewhere is no answer. */
static void
mdns_discover_received(void *arg, const uint8_t *bytes, size_t len,
    const struct sockaddr_in *from, bool to_group)
{
	struct mdns_discover *self = arg;
	const struct host_address *host = &self->host;

	if (ntohs(from->sin_port) != self->port ||
	    (!to_group && ((from->sin_addr.s_addr ^ host->ip.s_addr) &
			      host->netmask.s_addr) != 0))
		return;
	activity_note(self->request->session->module, NETWORK_DEFAULT, ACTIVITY_RX);
	mdns_browser_receive(self->browser, bytes, len, clock_monotonic_ms());
	mdns_discover_schedule(self);
}

static void
mdns_discover_send(void *arg, const uint8_t *bytes, size_t len)
{
	const struct mdns_discover *self = arg;

	activity_note(self->request->session->module, NETWORK_DEFAULT, ACTIVITY_TX);
	if (multicast_send(self->multicast, bytes, len, NULL) == -1)
		log_msg(LOG_NOTICE, self->request->session->module->own->name,
		    "mdns_discover: cannot send: %s", strerror(errno));
}

/* Where the group is on this host: where the responder of this module is, if it runs.
 */
static uint16_t
mdns_discover_port(const struct module *module)
{
	const struct listener *listener;

	TAILQ_FOREACH (listener, &module->listeners, entry) {
		if (strcmp(listener->service, "mdns") == 0)
			return listener->port;
	}
	return settings_host_port(&module->own->network, MDNS_PORT);
}

static int
mdns_discover_open(struct mdns_discover *self, const struct module *module)
{
	struct multicast_options options = { .address = network_bound_address(
						 module, NETWORK_DEFAULT),
		.port = mdns_discover_port(module) };

	host_address_describe(&self->host, options.address);
	options.near = self->host.ip;
	inet_pton(AF_INET, MDNS_GROUP, &options.group);
	self->multicast =
	    multicast_open(module->base, &options, mdns_discover_received, self);
	if (self->multicast == NULL)
		return -1;
	self->port = multicast_port(self->multicast);
	return 0;
}

/* Chosen: "http" means "_http._tcp"; anything else is written out. 0, or -1. */
static int
mdns_discover_type(const char *text, char type[MDNS_TYPE_TEXT_MAX + 1])
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	bool is_full = *text == '_';
	const char *service = is_full ? text + 1 : text;
	size_t len = strspn(service, bytes);

	if (len == 0 || len + sizeof "_._tcp" > MDNS_TYPE_TEXT_MAX ||
	    (strcmp(service + len, is_full ? "._tcp" : "") != 0 &&
		(!is_full || strcmp(service + len, "._udp") != 0)))
		return -1;
	snprintf(type, MDNS_TYPE_TEXT_MAX + 1, "%s%s%s", is_full ? "" : "_", text,
	    is_full ? "" : "._tcp");
	return 0;
}

static enum result
mdns_discover_run(struct request *request)
{
	const char *service = args_text(request->args, "service");
	struct module *module = request->session->module;
	char type[MDNS_TYPE_TEXT_MAX + 1];
	struct mdns_discover *self;

	if (service != NULL && mdns_discover_type(service, type) == -1)
		return RESULT_INVALID_ARGUMENT;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	if (mdns_discover_open(self, module) == -1) {
		event_emit(module, EVENT_PROGRESS, "mDNS failed: %s", strerror(errno));
		mdns_discover_free(self);
		return RESULT_FAILED;
	}
	self->end_ms = clock_monotonic_ms() + MDNS_DISCOVER_MS;
	self->browser = mdns_browser_new(service == NULL ? NULL : type,
	    mdns_discover_send, self, clock_monotonic_ms());
	self->timer = xcheck(event_new(module->base, -1, 0, mdns_discover_tick, self));
	mdns_discover_schedule(self);
	return request_defer(request, MDNS_DISCOVER_MS + MDNS_DISCOVER_MARGIN_MS,
	    mdns_discover_cancel, self);
}

static const struct arg_spec mdns_discover_args[] = {
	{ .name = "service", .optional = true, .min = 1, .max = MDNS_TYPE_TEXT_MAX },
	{ .name = NULL },
};

/* Reference: command notes, mdns_discover: the names alone are on record. */
const struct command mdns_commands[] = {
	{ .name = "mdns_discover",
	    .alias = "mdns",
	    .args = mdns_discover_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .profiles = PROFILE_WZ_3,
	    .run = mdns_discover_run,
	    .help = "List the services that answer multicast DNS." },
	{ .name = NULL },
};
