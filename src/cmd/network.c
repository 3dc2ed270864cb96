#include "cmd/table.h"
#include "core/module.h"
#include "core/request.h"

/* Reference: command notes, section 9: the answer goes out first, then the services
 * stop and start. */
static enum result
network_restart_run(struct request *request)
{
	request->after = &module_step_restart_services;
	return request_success(request);
}

const struct command network_commands[] = {
	{ .name = "network_restart",
	    .alias = "nre",
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = network_restart_run,
	    .help = "Restart the network interface and its services." },
	{ .name = NULL },
};
