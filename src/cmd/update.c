#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/module.h"
#include "core/request.h"
#include "core/session.h"
#include "core/update.h"

struct update_command {
	struct request *request;
	struct update_query *query; /* its own */
	bool is_forced;
};

static void
update_command_cancel(void *op)
{
	struct update_command *self = op;

	update_cancel(self->query);
	free(self);
}

/* Reference: command notes, section 10: it says that it starts, and reboots. Chosen:
 * the words; what is installed already is installed again only when forced. */
static enum result
update_command_take(struct request *request, const char *version, bool is_forced)
{
	struct module *module = request->session->module;

	if (version == NULL)
		return RESULT_FAILED;
	if (!is_forced && strcmp(version, module_version(module)) == 0) {
		response_line(&request->response, "Up to date");
		return RESULT_OK;
	}
	if (update_install(module, version) == -1)
		return RESULT_FAILED;
	response_line(&request->response, "Updating to %s", version);
	request->after = &module_step_reboot;
	return RESULT_OK;
}

static void
update_command_answered(void *arg, const char *version)
{
	struct update_command *self = arg;
	struct request *request = self->request;
	bool is_forced = self->is_forced;

	free(self);
	request_finish(request, update_command_take(request, version, is_forced));
}

static enum result
update_command_run(struct request *request, const char *wanted, bool is_forced)
{
	struct module *module = request->session->module;
	struct update_command *self;

	if (wanted != NULL && !update_is_bundle(wanted))
		return RESULT_INVALID_ARGUMENT;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->is_forced = is_forced;
	self->query = update_ask(module, wanted, update_command_answered, self);
	if (self->query == NULL) {
		free(self);
		return RESULT_FAILED;
	}
	return request_defer(
	    request, update_timeout_ms(module), update_command_cancel, self);
}

static enum result
ota_run(struct request *request)
{
	const char *bundle = args_text(request->args, "bundle");
	const char *version = args_text(request->args, "version");

	if (bundle != NULL && version != NULL)
		return RESULT_TOO_MANY_ARGUMENTS;
	return update_command_run(
	    request, bundle != NULL ? bundle : version, args_has(request->args, "f"));
}

/* Reference: command notes, section 10: named by its version. */
static enum result
dfu_update_run(struct request *request)
{
	const char *bundle = args_text(request->args, "bundle");

	if (bundle == NULL)
		return RESULT_TOO_FEW_ARGUMENTS;
	return update_command_run(request, bundle, true);
}

static const struct arg_spec ota_args[] = {
	{ .name = "f", .type = ARG_OPTION },
	{ .name = "bundle", .type = ARG_OPTION_TEXT, .min = 1 },
	{ .name = "version", .optional = true, .min = 1 },
	{ .name = NULL },
};

static const struct arg_spec dfu_update_args[] = {
	{ .name = "bundle", .type = ARG_OPTION_TEXT, .min = 1 },
	{ .name = NULL },
};

const struct command update_commands[] = {
	{ .name = "dfu_update",
	    .profiles = PROFILE_GECKO_OS_2,
	    .args = dfu_update_args,
	    .flags = COMMAND_NETWORK,
	    .run = dfu_update_run,
	    .help = "Install that version, or bundle, from the server of ota.host and "
		    "reboot into it." },
	{ .name = "ota",
	    .args = ota_args,
	    .flags = COMMAND_NETWORK,
	    .run = ota_run,
	    .help = "Install the newest version, or the one named, from the server of "
		    "ota.host and reboot into it; -f also when it is installed "
		    "already." },
	{ .name = NULL },
};
