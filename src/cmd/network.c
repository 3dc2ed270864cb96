#include "core/network.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "cmd/network_pick.h"
#include "cmd/table.h"
#include "core/module.h"
#include "core/profile.h"
#include "core/request.h"
#include "core/session.h"

/* The interfaces of the module. Reference: command notes, section 9. */

static const char *const network_interfaces[] = { "wlan", "softap", NULL };

static enum network_interface
network_asked(const struct request *request)
{
	return network_interface(
	    request->session->module, args_text(request->args, "i"));
}

/* Reference: on the AMW007 the answer comes at once, and a log line tells the end. */
static enum result
network_up_start(struct request *request)
{
	struct module *module = request->session->module;
	enum network_interface interface = network_asked(request);
	const char *error;

	if (network_state(module, interface) == NETWORK_UP)
		return request_success(request);
	error = network_bring_up(module, interface);
	if (error != NULL)
		return request_fail(request, RESULT_FAILED, "%s", error);
	response_line(&request->response, "In progress");
	return RESULT_OK;
}

/* A network_up that waits. */
struct network_up {
	struct request *request;
	struct network_wait *wait; /* its own */
};

static void
network_up_waited(void *arg, bool is_up)
{
	struct network_up *self = arg;
	struct request *request = self->request;

	free(self);
	request_finish(request, is_up ? request_success(request) : RESULT_FAILED);
}

static void
network_up_cancel(void *op)
{
	struct network_up *self = op;

	network_wait_cancel(self->wait);
	free(self);
}

/* Reference: the WiConnect line waits for the end. */
static enum result
network_up_wait(struct request *request)
{
	struct module *module = request->session->module;
	enum network_interface interface = network_asked(request);
	struct network_up *self;
	const char *error = network_bring_up(module, interface);

	if (error != NULL)
		return request_fail(request, RESULT_FAILED, "%s", error);
	if (network_state(module, interface) == NETWORK_UP)
		return request_success(request);
	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->wait = network_wait_start(module, interface, network_up_waited, self);
	return request_defer(
	    request, network_timeout_ms(module, interface), network_up_cancel, self);
}

/* With -s the person at the terminal picks the network first. */
static enum result
network_up(struct request *request, enum result (*up)(struct request *))
{
	if (!args_has(request->args, "s"))
		return up(request);
	if (network_asked(request) != NETWORK_WLAN)
		return RESULT_INVALID_ARGUMENT;
	return network_pick(request, up);
}

static enum result
network_up_run(struct request *request)
{
	return network_up(request, network_up_start);
}

static enum result
network_up_wait_run(struct request *request)
{
	return network_up(request, network_up_wait);
}

/* The answer goes out first, perhaps over the interface that then goes down. */
static enum result
network_down_run(struct request *request)
{
	request->after = network_step_down(network_asked(request));
	return request_success(request);
}

static enum result
network_restart_run(struct request *request)
{
	request->after = network_step_restart(network_asked(request));
	return request_success(request);
}

static const struct arg_spec network_args[] = {
	{ .name = "i", .type = ARG_OPTION_CHOICE, .choices = network_interfaces },
	{ .name = NULL },
};

static const struct arg_spec network_up_args[] = {
	{ .name = "s", .type = ARG_OPTION },
	{ .name = "i", .type = ARG_OPTION_CHOICE, .choices = network_interfaces },
	{ .name = NULL },
};

const struct command network_commands[] = {
	{ .name = "network_down",
	    .alias = "ndo",
	    .args = network_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = network_down_run,
	    .help = "Take a network interface down, and what runs over it." },
	{ .name = "network_restart",
	    .alias = "nre",
	    .args = network_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = network_restart_run,
	    .help = "Restart the network interface and its services." },
	{ .name = "network_up",
	    .alias = "nup",
	    .args = network_up_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .profiles = PROFILE_ALL & ~PROFILE_WZ_3,
	    .run = network_up_run,
	    .help = "Bring a network interface up; a log line tells the end." },
	{ .name = "network_up",
	    .alias = "nup",
	    .args = network_up_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .profiles = PROFILE_WZ_3,
	    .run = network_up_wait_run,
	    .help = "Bring a network interface up, and wait for it." },
	{ .name = NULL },
};
