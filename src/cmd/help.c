#include <string.h>

#include <event2/buffer.h>

#include "cmd/table.h"
#include "core/module.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"

/* Reference: command notes, section 3 (help): "name : shortcut" a line, no header. */
static void
help_commands_list(struct request *request)
{
	const struct catalog *catalog = request->session->module->catalog;
	const struct command *command;

	for (size_t i = 0; (command = catalog_command_at(catalog, i)) != NULL; i++)
		response_line(&request->response, "%-18s: %s", command->name,
		    command->alias == NULL ? command->name : command->alias);
}

static const char *
help_access(const struct variable *variable)
{
	if ((variable->flags & VARIABLE_READONLY) != 0)
		return "R-";
	return (variable->flags & VARIABLE_WRITEONLY) != 0 ? "-W" : "RW";
}

/* Reference: the same section: clients take the second word of each line as the name.
 * Chosen: access marks as the first word, and the shortcut behind. */
static void
help_variables_list(struct request *request)
{
	const struct catalog *catalog = request->session->module->catalog;
	const struct variable *variable;

	for (size_t i = 0; (variable = catalog_variable_at(catalog, i)) != NULL; i++)
		response_line(&request->response, "%s %-32s: %s", help_access(variable),
		    variable->name,
		    variable->shortcut == NULL ? variable->name : variable->shortcut);
}

static void
help_topics(struct request *request)
{
	struct response *response = &request->response;

	response_line(response, "help commands           : list all commands");
	response_line(response, "help variables          : list all variables");
	response_line(response, "help all                : list both");
	response_line(response, "help <command|variable> : describe one");
}

static void
help_command(struct request *request, const struct command *command)
{
	struct evbuffer *body = response_body(&request->response);

	command_usage(command, body);
	evbuffer_add(body, "\r\n", 2);
	if (command->alias != NULL)
		response_line(&request->response, "Shortcut: %s", command->alias);
	response_line(&request->response, "%s", command->help);
}

static void
help_variable(struct request *request, const struct variable *variable)
{
	static const char *const applies[] = {
		[VARIABLE_NOW] = "at once",
		[VARIABLE_ON_NETWORK_RESTART] = "at the next network_restart",
		[VARIABLE_ON_REBOOT] = "after save and reboot",
		[VARIABLE_ON_UART_UPDATE] = "at uart_update, or after save and reboot",
		[VARIABLE_ON_SETUP_RESTART] = "when setup starts again",
	};
	struct response *response = &request->response;

	response_line(response, "%s %s", help_access(variable), variable->name);
	if (variable->shortcut != NULL)
		response_line(response, "Shortcut: %s", variable->shortcut);
	if ((variable->flags & VARIABLE_READONLY) == 0)
		response_line(
		    response, "A change acts %s.", applies[variable->applies]);
	response_line(response, "%s", variable->help);
}

static enum result
help_one(struct request *request, const char *name)
{
	const struct catalog *catalog = request->session->module->catalog;
	const struct command *command = catalog_command(catalog, name, strlen(name));
	const struct variable *variable;

	if (command != NULL) {
		help_command(request, command);
		return RESULT_OK;
	}
	variable = catalog_variable(catalog, name, strlen(name));
	if (variable == NULL)
		return RESULT_UNKNOWN_OPTION;
	help_variable(request, variable);
	return RESULT_OK;
}

static enum result
help_run(struct request *request)
{
	const char *topic = args_text(request->args, "topic");

	request->response.is_list = true;
	if (topic == NULL) {
		help_topics(request);
	} else if (strcmp(topic, "commands") == 0) {
		help_commands_list(request);
	} else if (strcmp(topic, "variables") == 0) {
		help_variables_list(request);
	} else if (strcmp(topic, "all") == 0) {
		help_commands_list(request);
		help_variables_list(request);
	} else {
		return help_one(request, topic);
	}
	return RESULT_OK;
}

static const struct arg_spec help_args[] = {
	{ .name = "topic", .optional = true },
	{ .name = NULL },
};

const struct command help_commands[] = {
	{ .name = "help",
	    .args = help_args,
	    .run = help_run,
	    .help = "List or describe commands and variables." },
	{ .name = NULL },
};
