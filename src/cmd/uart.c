#include "cmd/table.h"
#include "core/module.h"
#include "core/request.h"
#include "core/session.h"

/* Chosen: the answer still goes out at the old rate, as a host that has just typed the
 * command expects; then the new settings act. */
static enum result
uart_update_run(struct request *request)
{
	const struct module *module = request->session->module;

	if (args_number(request->args, "uart", 0) >= (int64_t)module->profile->uarts)
		return RESULT_INVALID_ARGUMENT;
	request->after = &module_step_retune;
	return request_success(request);
}

static const struct arg_spec update_args[] = {
	{ .name = "uart", .type = ARG_NUMBER, .optional = true, .max = 15 },
	{ .name = NULL },
};

const struct command uart_commands[] = {
	{ .name = "uart_update",
	    .args = update_args,
	    .run = uart_update_run,
	    .help = "Take changed uart settings into use without a reboot." },
	{ .name = NULL },
};
