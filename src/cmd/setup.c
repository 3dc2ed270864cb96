#include "core/setup.h"

#include <strings.h>

#include "cmd/table.h"
#include "core/module.h"
#include "core/network.h"
#include "core/request.h"
#include "core/script.h"
#include "core/session.h"
#include "store/flash.h"

/* Reference: command notes, section 3 (setup). */

/* Reference: serial and file notes, 5.7, for the file of a setup script. */
#define SETUP_SCRIPT "default_setup.script"

/* Reference: the answer comes at once, and a log line tells the outcome. */
static enum result
setup_web_run(struct request *request)
{
	if (network_radio(request->session->module) == NULL)
		return request_fail(request, RESULT_FAILED, "No radio");
	request->after = &setup_step_start;
	response_line(&request->response, "In progress");
	return RESULT_OK;
}

/* Reference: hosts send it when they start, whether setup is on or not. */
static enum result
setup_stop_run(struct request *request)
{
	if (request->session->module->setup != NULL)
		request->after = &setup_step_stop;
	return request_success(request);
}

static enum result
setup_status_run(struct request *request)
{
	response_line(
	    &request->response, "%d", request->session->module->setup != NULL);
	return RESULT_OK;
}

/* Chosen: how a script is run is not on record but for the name. Its commands come
 * after this one, so it is answered as setup web is. */
static enum result
setup_cmd_run(struct request *request)
{
	const char *file = args_text(request->args, "file"), *error;

	error = script_start_file(
	    request->session->module, file == NULL ? SETUP_SCRIPT : file);
	if (error != NULL)
		return request_fail(request, RESULT_FAILED, "%s", error);
	response_line(&request->response, "In progress");
	return RESULT_OK;
}

static const struct {
	const char *word;
	enum result (*run)(struct request *);
} setup_actions[] = { { "web", setup_web_run }, { "stop", setup_stop_run },
	{ "status", setup_status_run }, { "cmd", setup_cmd_run } };

static enum result
setup_run(struct request *request)
{
	const char *word = args_text(request->args, "web|stop|status|cmd");

	for (size_t i = 0; i < sizeof setup_actions / sizeof setup_actions[0]; i++) {
		if (strcasecmp(setup_actions[i].word, word) != 0)
			continue;
		if (args_has(request->args, "file") &&
		    setup_actions[i].run != setup_cmd_run)
			return RESULT_TOO_MANY_ARGUMENTS;
		return setup_actions[i].run(request);
	}
	return RESULT_INVALID_ARGUMENT;
}

static const char *const setup_words[] = { "web", "stop", "status", "cmd", NULL };

static const struct arg_spec setup_args[] = {
	{ .name = "web|stop|status|cmd", .type = ARG_CHOICE, .choices = setup_words },
	{ .name = "file", .optional = true, .min = 1, .max = FLASH_NAME_MAX },
	{ .name = NULL },
};

const struct command setup_commands[] = {
	{ .name = "setup",
	    .args = setup_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = setup_run,
	    .help = "Start or stop web setup, say whether it is on, or run a file of "
		    "commands." },
	/* Reference: the name under which the setup pin runs it. */
	{ .name = "setup_web",
	    .flags = COMMAND_NOT_IN_SAFE_MODE | COMMAND_HIDDEN,
	    .run = setup_web_run,
	    .help = "Start web setup." },
	{ .name = NULL },
};
