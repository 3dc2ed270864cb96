#ifndef TEST_VARIABLE_FIXTURE_H
#define TEST_VARIABLE_FIXTURE_H

#include "core/module.h"
#include "core/variable.h"
#include "host_fixture.h"

/* A running module of each profile, in a directory of its own. */
struct rig {
	char directory[HOST_PATH_MAX];
	struct event_base *base;
	struct settings settings;
	struct module_settings own[PROFILE_COUNT];
	struct catalog *catalogs[PROFILE_COUNT];
	struct module *modules[PROFILE_COUNT];
};

/* For cmocka: makes the rig, new for each test, and frees it. */
int rig_setup(void **state);
int rig_teardown(void **state);

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

/* The variable of that name, which has to be there. */
const struct variable *find(const struct module *, const char *name);

enum result set_text(
    struct module *, const struct variable *, const char *index, const char *text);

/* What get prints; owned by the caller. */
char *get_text(struct module *, const struct variable *, const char *index);

/* That get prints the text; that set takes it and get then prints what is expected;
 * that set refuses it as a bad argument and changes nothing. */
void assert_prints(
    struct module *, const struct variable *, const char *index, const char *expected);
void assert_takes(struct module *, const struct variable *, const char *index,
    const char *text, const char *expected);
void assert_refuses(
    struct module *, const struct variable *, const char *index, const char *text);

#endif
