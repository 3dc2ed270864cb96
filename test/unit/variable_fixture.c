#include "variable_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>
#include <event2/event.h>

#include "base/log.h"
#include "cmd/table.h"
#include "core/catalog.h"
#include "var/table.h"

static char rig_mac[] = "4C:55:CC:10:09:42";
static char rig_address[] = "127.0.0.1";
static char rig_names[PROFILE_COUNT][2] = { "0", "1", "2", "3" };

int
rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof *rig);

	assert_non_null(rig);
	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	*state = rig;
	host_directory_make(rig->directory);
	rig->base = event_base_new();
	rig->settings.state_directory = rig->directory;
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		rig->own[i].name = rig_names[i];
		rig->own[i].mac = rig_mac;
		rig->own[i].network.address = rig_address;
		rig->catalogs[i] =
		    catalog_new(profile_at(i), command_tables, variable_tables);
		rig->modules[i] = module_new(
		    rig->base, rig->catalogs[i], &rig->settings, &rig->own[i]);
		assert_non_null(rig->modules[i]);
		module_boot(rig->modules[i]);
	}
	return 0;
}

int
rig_teardown(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		module_free(rig->modules[i]);
		catalog_free(rig->catalogs[i]);
	}
	event_base_free(rig->base);
	host_directory_remove(rig->directory);
	free(rig);
	return 0;
}

enum result
set_text(struct module *module, const struct variable *v, const char *index,
    const char *text)
{
	return variable_set(module, v, index, text, strlen(text));
}

char *
get_text(struct module *module, const struct variable *v, const char *index)
{
	struct evbuffer *out = evbuffer_new();
	size_t len;
	char *text;

	variable_print(module, v, index, NULL, out);
	len = evbuffer_get_length(out);
	text = calloc(1, len + 1);
	evbuffer_remove(out, text, len);
	evbuffer_free(out);
	return text;
}

void
assert_prints(struct module *module, const struct variable *v, const char *index,
    const char *expected)
{
	char *text = get_text(module, v, index);

	if (strcmp(text, expected) != 0)
		print_error("%s prints \"%s\"\n", v->name, text);
	assert_string_equal(text, expected);
	free(text);
}

const struct variable *
find(const struct module *module, const char *name)
{
	const struct variable *v =
	    catalog_variable(module->catalog, name, strlen(name));

	assert_non_null(v);
	return v;
}

void
assert_takes(struct module *module, const struct variable *v, const char *index,
    const char *text, const char *expected)
{
	assert_int_equal(set_text(module, v, index, text), RESULT_OK);
	assert_prints(module, v, index, expected);
}

void
assert_refuses(struct module *module, const struct variable *v, const char *index,
    const char *text)
{
	char *before = get_text(module, v, index);

	if (set_text(module, v, index, text) != RESULT_INVALID_ARGUMENT)
		fail_msg("%s takes \"%s\"", v->name, text);
	assert_prints(module, v, index, before);
	free(before);
}
