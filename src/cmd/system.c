#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/table.h"
#include "core/module.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"
#include "store/flash.h"
#include "store/nvm.h"

/* Reference: command notes, section 3: the module's own MAC guards what destroys. */
static enum result
system_check_mac(const struct request *request)
{
	return module_is_mac(request->session->module, args_text(request->args, "mac"))
		   ? RESULT_OK
		   : RESULT_INVALID_ARGUMENT;
}

static enum result
system_reboot(struct request *request)
{
	request->after = &module_step_reboot;
	response_line(&request->response, "Rebooting");
	return RESULT_OK;
}

static enum result
reboot_run(struct request *request)
{
	return system_reboot(request);
}

static enum result
factory_reset_run(struct request *request)
{
	struct module *module = request->session->module;
	enum result result = system_check_mac(request);

	if (result != RESULT_OK)
		return result;
	/* Reference: command notes, section 3: files of the user go too. */
	if (flash_restore(module->flash) == -1 || nvm_erase(module->nvm) == -1) {
		log_msg(
		    LOG_ERR, module->own->name, "factory_reset: %s", strerror(errno));
		return RESULT_FAILED;
	}
	return system_reboot(request);
}

static enum result
version_run(struct request *request)
{
	const struct module *module = request->session->module;

	response_value(&request->response, module_version(module));
	return RESULT_OK;
}

/* Reference: command notes, section 3: no answer is sent. */
static enum result
sleep_run(struct request *request)
{
	request->after = &module_step_sleep;
	request->response.is_silent = true;
	return request_success(request);
}

static enum result
exit_run(struct request *request)
{
	struct session *session = request->session;

	if (session->ops->leave == NULL || session->ops->leave(session) == -1)
		return RESULT_FAILED;
	request->response.is_silent = true;
	return RESULT_OK;
}

/* Chosen: a table like the other lists of the module; the real layout is not on record.
 */
static enum result
faults_print_run(struct request *request)
{
	const struct module *module = request->session->module;
	unsigned count = module_fault_count(module);

	if (count == 0) {
		response_line(&request->response, "No faults");
		return RESULT_OK;
	}
	response_line(&request->response, "! # Fault");
	for (unsigned i = 0; i < count; i++) {
		char key[16];

		snprintf(key, sizeof key, "%u", i);
		response_line(
		    &request->response, "# %u %s", i, nvm_get(module->faults, key));
	}
	return RESULT_OK;
}

static enum result
faults_reset_run(struct request *request)
{
	struct module *module = request->session->module;

	if (nvm_erase(module->faults) == -1) {
		log_msg(
		    LOG_ERR, module->own->name, "faults_reset: %s", strerror(errno));
		return RESULT_FAILED;
	}
	return request_success(request);
}

/* Reference: serial and file notes, 5.5 and 5.6: as if eight faults had happened. */
static enum result
force_safemode_run(struct request *request)
{
	struct module *module = request->session->module;
	enum result result = system_check_mac(request);

	if (result != RESULT_OK)
		return result;
	while (module_fault_count(module) < MODULE_FAULTS_MAX) {
		if (module_add_fault(module, "Forced safemode") == -1)
			return RESULT_FAILED;
	}
	response_line(&request->response, "Forcing safemode...");
	return system_reboot(request);
}

static const struct arg_spec mac_args[] = {
	{ .name = "mac" },
	{ .name = NULL },
};

const struct command system_commands[] = {
	{ .name = "exit",
	    .run = exit_run,
	    .help = "Leave command mode for stream mode, or end a terminal session." },
	{ .name = "factory_reset",
	    .alias = "fac",
	    .args = mac_args,
	    .run = factory_reset_run,
	    .help = "Go back to the variables and files of the factory and reboot; the "
		    "module's MAC guards it." },
	{ .name = "faults_print",
	    .alias = "faup",
	    .run = faults_print_run,
	    .help = "List the stored faults." },
	{ .name = "faults_reset",
	    .alias = "faur",
	    .run = faults_reset_run,
	    .help = "Clear the stored faults." },
	{ .name = "force_safemode",
	    .args = mac_args,
	    .run = force_safemode_run,
	    .help = "Reboot into safe mode; the module's MAC guards it." },
	{ .name = "reboot",
	    .run = reboot_run,
	    .help = "Close everything and start anew, with the saved variables." },
	{ .name = "sleep",
	    .run = sleep_run,
	    .help = "Sleep until system.wakeup.timeout has passed, then start anew." },
	{ .name = "version",
	    .alias = "ver",
	    .run = version_run,
	    .help = "Print the version." },
	{ .name = NULL },
};
