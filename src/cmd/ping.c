#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/module.h"
#include "core/net.h"
#include "core/network.h"
#include "core/request.h"
#include "core/session.h"
#include "stream/ping.h"

#define PING_LOOKUP_MS 10000
#define PING_ECHO_MS 3000 /* Chosen: the module's is not on record */

struct ping_command {
	struct request *request;
	struct net_lookup *lookup; /* its own; NULL: none under way */
	struct ping *ping; /* likewise */
};

static void
ping_command_cancel(void *op)
{
	struct ping_command *self = op;

	if (self->lookup != NULL)
		net_lookup_cancel(self->lookup);
	if (self->ping != NULL)
		ping_cancel(self->ping);
	free(self);
}

/* Reference: command notes, section 9: hosts compare the text. Chosen: the cause goes
 * to the log of the module. */
static enum result
ping_command_fail(struct request *request, const char *why)
{
	if (why != NULL)
		event_emit(request->session->module, EVENT_PROGRESS, "Ping: %s", why);
	return request_fail(request, RESULT_FAILED, "Ping failed");
}

static void
ping_command_echoed(void *arg, int64_t round_trip_us)
{
	struct ping_command *self = arg;
	struct request *request = self->request;
	enum result result = RESULT_OK;

	free(self);
	if (round_trip_us != -1)
		activity_note(request->session->module, NETWORK_DEFAULT, ACTIVITY_RX);
	if (round_trip_us == -1)
		result = ping_command_fail(
		    request, errno == ETIMEDOUT ? NULL : strerror(errno));
	else
		response_line(&request->response, "Ping reply in %jdms",
		    (intmax_t)(round_trip_us / 1000));
	request_finish(request, result);
}

/* Sends the echo. RESULT_PENDING, or why not. */
static enum result
ping_command_send(struct ping_command *self, struct in_addr address)
{
	struct module *module = self->request->session->module;

	if (network_route_address(module, &address) == -1)
		return ping_command_fail(self->request, strerror(errno));
	self->ping =
	    ping_start(module->base, network_source_address(module, NETWORK_DEFAULT),
		address, PING_ECHO_MS, ping_command_echoed, self);
	if (self->ping != NULL) {
		activity_note(module, NETWORK_DEFAULT, ACTIVITY_TX);
		return RESULT_PENDING;
	}
	if (errno == EPERM || errno == EACCES)
		log_msg(LOG_WARNING, module->own->name,
		    "ping: this process may not send echoes; put its group into "
		    "net.ipv4.ping_group_range, or give it CAP_NET_RAW");
	return ping_command_fail(self->request, strerror(errno));
}

static void
ping_command_looked_up(void *arg, const char *text)
{
	struct ping_command *self = arg;
	struct request *request = self->request;
	enum result result;
	struct in_addr address;

	self->lookup = NULL;
	if (text != NULL && inet_pton(AF_INET, text, &address) == 1)
		result = ping_command_send(self, address);
	else
		result = ping_command_fail(request, "unknown host");
	if (result == RESULT_PENDING)
		return;
	free(self);
	request_finish(request, result);
}

/* The gateway of the default interface. */
static enum result
ping_command_run_gateway(struct ping_command *self)
{
	const struct link_address *address =
	    network_address(self->request->session->module, NETWORK_DEFAULT);

	if (address == NULL || address->gateway.s_addr == 0)
		return ping_command_fail(self->request, "no gateway");
	return ping_command_send(self, address->gateway);
}

static enum result
ping_command_run(struct request *request)
{
	const char *host = args_text(request->args, "host");
	bool to_gateway = args_has(request->args, "g");
	enum result result = RESULT_PENDING;
	struct ping_command *self;

	if (host == NULL && !to_gateway)
		return RESULT_TOO_FEW_ARGUMENTS;
	if (host != NULL && to_gateway)
		return RESULT_TOO_MANY_ARGUMENTS;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	if (to_gateway)
		result = ping_command_run_gateway(self);
	else
		self->lookup = net_lookup_start(
		    request->session->module, host, ping_command_looked_up, self);
	if (result != RESULT_PENDING) {
		free(self);
		return result;
	}
	return request_defer(
	    request, PING_LOOKUP_MS + PING_ECHO_MS, ping_command_cancel, self);
}

static const struct arg_spec ping_args[] = {
	{ .name = "g", .type = ARG_OPTION },
	{ .name = "host", .optional = true, .min = 1, .max = NET_HOST_MAX },
	{ .name = NULL },
};

/* Reference: command notes, section 9. */
const struct command ping_commands[] = {
	{ .name = "ping",
	    .args = ping_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = ping_command_run,
	    .help = "Send an echo to a host, or with -g to the gateway." },
	{ .name = NULL },
};
