/* Prints the commands and variables of every profile as tab separated lines, for
 * test/lint/tables.py and docs/generate.py. The first word of a line says what it is:
 *
 * command  PROFILE NAME SHORTCUT OTHER-NAME USAGE HIDDEN HELP
 * variable PROFILE NAME SHORTCUT TYPE DEFAULT ACCESS RANGE SAVED APPLIES LATER INDEX
 *          MODIFIERS HELP
 * name     PROFILE NAME SHORTCUT VARIABLE
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/buffer.h>

#include "cmd/table.h"
#include "core/catalog.h"
#include "core/profile.h"
#include "var/table.h"

static const char *const tables_types[] = {
	[VARIABLE_STRING] = "string",
	[VARIABLE_BOOL] = "bool",
	[VARIABLE_INT] = "int",
	[VARIABLE_CHOICE] = "choice",
	[VARIABLE_MAC] = "mac",
	[VARIABLE_IPV4] = "ipv4",
	[VARIABLE_TABLE] = "table",
};

static const char *const tables_applies[] = {
	[VARIABLE_NOW] = "now",
	[VARIABLE_ON_NETWORK_RESTART] = "network_restart",
	[VARIABLE_ON_REBOOT] = "reboot",
	[VARIABLE_ON_UART_UPDATE] = "uart_update",
	[VARIABLE_ON_SETUP_RESTART] = "setup",
};

static const char *
tables_text(const char *text)
{
	return text == NULL ? "" : text;
}

static void
tables_print_words(const char *const *words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		printf("%s%s", i == 0 ? "" : "|", words[i]);
}

static void
tables_print_range(const struct variable *variable)
{
	switch (variable->type) {
	case VARIABLE_BOOL:
		printf("0|1");
		break;
	case VARIABLE_INT:
		printf("%" PRId64 "..%" PRId64, variable->min, variable->max);
		break;
	case VARIABLE_CHOICE:
		tables_print_words(variable->choices);
		break;
	case VARIABLE_STRING:
		if (variable->max > 0)
			printf("%" PRId64 "..%" PRId64 " bytes", variable->min,
			    variable->max);
		break;
	default:
		break;
	}
}

static void
tables_print_index(const struct variable_index *index)
{
	if (index == NULL)
		return;
	if (index->words != NULL)
		tables_print_words(index->words);
	else
		printf("%s#", tables_text(index->label));
}

static const char *
tables_access(const struct variable *variable)
{
	if ((variable->flags & VARIABLE_READONLY) != 0)
		return "get";
	return (variable->flags & VARIABLE_WRITEONLY) != 0 ? "set" : "get/set";
}

static void
tables_print_variable(const struct catalog *catalog, const struct variable *variable)
{
	printf("variable\t%s\t%s\t%s\t%s\t%s\t%s\t", catalog_profile(catalog)->name,
	    variable->name, tables_text(variable->shortcut),
	    tables_types[variable->type], catalog_initial(catalog, variable),
	    tables_access(variable));
	tables_print_range(variable);
	printf("\t%s\t%s\t%s\t",
	    (variable->flags & VARIABLE_PERSISTED) != 0 ? "yes" : "no",
	    tables_applies[variable->applies],
	    (variable->flags & VARIABLE_LATER) != 0 ? "later" : "");
	tables_print_index(variable->index);
	printf("\t");
	tables_print_words(variable->modifiers);
	printf("\t%s\n", tables_text(variable->help));
}

static void
tables_print_names(const struct profile *profile)
{
	for (const struct variable *const *table = variable_tables; *table != NULL;
	     table++) {
		for (const struct variable *v = *table; v->name != NULL; v++) {
			if (v->same_as != NULL &&
			    (v->profiles == 0 || (v->profiles & profile->bit) != 0))
				printf("name\t%s\t%s\t%s\t%s\n", profile->name, v->name,
				    tables_text(v->shortcut), v->same_as);
		}
	}
}

static void
tables_print_command(const struct profile *profile, const struct command *command)
{
	struct evbuffer *usage = evbuffer_new();

	if (usage == NULL)
		exit(1);
	command_usage(command, usage);
	printf("command\t%s\t%s\t%s\t%s\t%.*s\t%s\t%s\n", profile->name, command->name,
	    tables_text(command->alias), tables_text(command->other_name),
	    (int)evbuffer_get_length(usage), (char *)evbuffer_pullup(usage, -1),
	    (command->flags & COMMAND_HIDDEN) != 0 ? "hidden" : "",
	    tables_text(command->help));
	evbuffer_free(usage);
}

/* Straight from the tables, since a catalog leaves the hidden ones out of its list. */
static void
tables_print_commands(const struct profile *profile)
{
	for (const struct command *const *table = command_tables; *table != NULL;
	     table++) {
		for (const struct command *c = *table; c->name != NULL; c++) {
			if (c->profiles == 0 || (c->profiles & profile->bit) != 0)
				tables_print_command(profile, c);
		}
	}
}

int
main(void)
{
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		const struct profile *profile = profile_at(i);
		struct catalog *catalog =
		    catalog_new(profile, command_tables, variable_tables);
		const struct variable *variable;

		tables_print_commands(profile);
		for (size_t n = 0; (variable = catalog_variable_at(catalog, n)) != NULL;
		     n++)
			tables_print_variable(catalog, variable);
		tables_print_names(profile);
		catalog_free(catalog);
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
