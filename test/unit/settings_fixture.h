#ifndef TEST_UNIT_SETTINGS_FIXTURE_H
#define TEST_UNIT_SETTINGS_FIXTURE_H

/* What the tests of the configuration file share: a directory for the files of one
 * test, the faults that were told, and rules that remember what they were asked. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/xmalloc.h"
#include "store/settings.h"

#define FAULTS_MAX 32

struct fixture {
	char directory[64]; /* of the files of a test; faults are shown without it */
	char *faults[FAULTS_MAX];
	size_t fault_count;
	/* What the rules saw last. */
	char *asked_profile, *asked_name, *asked_value, *asked_address, *asked_module;
	unsigned asked; /* factory entries, in all */
};

static void
fixture_forget(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->fault_count; i++)
		free(fixture->faults[i]);
	fixture->fault_count = 0;
	free(fixture->asked_profile);
	free(fixture->asked_name);
	free(fixture->asked_value);
	free(fixture->asked_address);
	free(fixture->asked_module);
	fixture->asked_profile = fixture->asked_name = fixture->asked_value = NULL;
	fixture->asked_address = fixture->asked_module = NULL;
	fixture->asked = 0;
}

static void
fixture_fault(void *arg, const char *text)
{
	struct fixture *fixture = arg;
	size_t len = strlen(fixture->directory);

	assert_true(fixture->fault_count < FAULTS_MAX);
	if (strncmp(text, fixture->directory, len) == 0 && text[len] == '/')
		text += len + 1;
	fixture->faults[fixture->fault_count++] = xstrdup(text);
}

static const char *
fixture_rule_profile(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "wl-1.0") == 0 || strcmp(name, "gecko-os-2") == 0)
		return NULL;
	return "wl-1.0 or gecko-os-2";
}

static const char *
fixture_rule_factory(void *arg, const struct module_settings *module, const char *name,
    const char *value)
{
	struct fixture *fixture = arg;
	char **copies[] = { &fixture->asked_profile, &fixture->asked_name,
		&fixture->asked_value, &fixture->asked_address,
		&fixture->asked_module };
	const char *texts[] = { module->profile, name, value, module->network.address,
		module->name };

	for (size_t i = 0; i < sizeof copies / sizeof copies[0]; i++) {
		free(*copies[i]);
		*copies[i] = texts[i] == NULL ? NULL : xstrdup(texts[i]);
	}
	fixture->asked++;
	if (strcmp(name, "no.such") == 0)
		return "the name of a variable";
	return strcmp(value, "wrong") == 0 ? "0 or 1" : NULL;
}

static char *
fixture_path(const struct fixture *fixture, const char *name)
{
	return xasprintf("%s/%s", fixture->directory, name);
}

static void
fixture_write(const struct fixture *fixture, const char *name, const char *text)
{
	char *path = fixture_path(fixture, name);

	assert_int_equal(file_replace(path, text, strlen(text), 0600, false), 0);
	free(path);
}

static struct settings *
fixture_read_file(struct fixture *fixture, const char *name)
{
	const struct settings_rules rules = { .profile = fixture_rule_profile,
		.factory = fixture_rule_factory,
		.arg = fixture };
	char *path = fixture_path(fixture, name);
	struct settings *settings;

	fixture_forget(fixture);
	settings = settings_read(path, &rules, fixture_fault, fixture);
	free(path);
	assert_int_equal(settings == NULL, fixture->fault_count > 0);
	return settings;
}

static struct settings *
fixture_read(struct fixture *fixture, const char *text)
{
	fixture_write(fixture, "zentrid.conf", text);
	return fixture_read_file(fixture, "zentrid.conf");
}

/* The settings of a text without a fault. */
static struct settings *
fixture_accept(struct fixture *fixture, const char *text)
{
	struct settings *settings = fixture_read(fixture, text);

	if (settings == NULL)
		fail_msg("%s\nis refused: %s", text, fixture->faults[0]);
	return settings;
}

/* The text has exactly this fault. */
static void
fixture_refuse(struct fixture *fixture, const char *text, const char *fault)
{
	if (fixture_read(fixture, text) != NULL)
		fail_msg("%s\nis taken", text);
	assert_string_equal(fixture->faults[0], fault);
	if (fixture->fault_count > 1)
		fail_msg("%s\nhas a second fault: %s", text, fixture->faults[1]);
}

/* The same for what one module holds, on line 1. */
static void
fixture_refuse_module(struct fixture *fixture, const char *members, const char *fault)
{
	char *text = xasprintf("modules = ( { name = \"m\"; %s } );", members);
	char *whole = xasprintf("zentrid.conf:1: modules[0].%s", fault);

	fixture_refuse(fixture, text, whole);
	free(whole);
	free(text);
}

static int
fixture_set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof *fixture);
	const char *parent = getenv("TMPDIR");

	snprintf(fixture->directory, sizeof fixture->directory, "%.40s/settings-XXXXXX",
	    parent == NULL ? "/tmp" : parent);
	*state = fixture;
	return mkdtemp(fixture->directory) == NULL ? -1 : 0;
}

static int
fixture_tear_down(void **state)
{
	static const char *const names[] = { "zentrid.conf", "ports.conf", "m.conf",
		"bare.conf", "pipe" };
	struct fixture *fixture = *state;

	fixture_forget(fixture);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *path = fixture_path(fixture, names[i]);

		unlink(path);
		free(path);
	}
	rmdir(fixture->directory);
	free(fixture);
	return 0;
}

#define TEST(name)                                                                     \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#define NAME_EXPECTED                                                                  \
	"give a name of 1 to 63 bytes without '/' and control characters, not "        \
	"starting with '.' and not \"control\""
#define LINK_EXPECTED                                                                  \
	"give a file name of 1 to 63 bytes without '/', not starting with '.' or "     \
	"\"status.json\""
#define DEVICE_EXPECTED                                                                \
	"give the full path of a serial port such as \"/dev/ttyUSB0\", at most 127 "   \
	"bytes"
#define MAC_EXPECTED "give six octets such as \"4C:55:CC:10:09:42\", the first one even"
#define IPV4_EXPECTED "give an IPv4 address such as \"127.0.0.1\""
#define LIST_EXPECTED "give a list of groups: ( { ... }, ... )"
#define VALUE_EXPECTED "give a string, a whole number, true or false"

#define SYNTAX_EXPECTED                                                                \
	"syntax error; give NAME = VALUE; and look for a missing ',' '=' quote or "    \
	"bracket here and in the lines before"
#define STRING_EXPECTED "syntax error: no string can stand here; write NAME = \"TEXT\";"
#define NUMBER_EXPECTED                                                                \
	"this number is too large; give -2147483648 to 2147483647, or a string"

#endif
