#include "core/command.h"

#include <event2/buffer.h>

void
command_usage(const struct command *command, struct evbuffer *out)
{
	evbuffer_add_printf(out, "%s", command->name);
	for (const struct arg_spec *spec = command->args;
	     spec != NULL && spec->name != NULL; spec++) {
		switch (spec->type) {
		case ARG_OPTION:
			evbuffer_add_printf(out, " [-%s]", spec->name);
			break;
		case ARG_OPTION_TEXT:
		case ARG_OPTION_NUMBER:
		case ARG_OPTION_CHOICE:
			evbuffer_add_printf(
			    out, " [-%c <%s>]", spec->name[0], spec->name);
			break;
		case ARG_REST:
			evbuffer_add_printf(out, " %s", spec->name);
			break;
		default:
			evbuffer_add_printf(
			    out, spec->optional ? " [<%s>]" : " <%s>", spec->name);
			break;
		}
	}
	if (command->payload != NULL)
		evbuffer_add_printf(out, " + data");
}
