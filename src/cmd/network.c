#include "cmd/table.h"
#include "core/module.h"
#include "core/network.h"
#include "core/request.h"
#include "core/session.h"

/* Reference: command notes, section 9: the answer goes out first, then the services
 * stop and start. */
static enum result
network_restart_run(struct request *request)
{
	enum network_interface interface =
	    network_interface(request->session->module, args_text(request->args, "i"));

	request->after = network_step_restart(interface);
	return request_success(request);
}

static const char *const network_interfaces[] = { "wlan", "softap", NULL };

static const struct arg_spec network_args[] = {
	{ .name = "i", .type = ARG_OPTION_CHOICE, .choices = network_interfaces },
	{ .name = NULL },
};

const struct command network_commands[] = {
	{ .name = "network_restart",
	    .alias = "nre",
	    .args = network_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = network_restart_run,
	    .help = "Restart the network interface and its services." },
	{ .name = NULL },
};
