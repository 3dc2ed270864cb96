#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/catalog.h"
#include "core/module.h"
#include "var/table.h"
#include "variable_fixture.h"

#define ENTRIES_MAX 512

/* All entries that a profile has, older names included. */
static size_t
entries_of(unsigned profile, const struct variable **entries)
{
	size_t count = 0;

	for (const struct variable *const *table = variable_tables; *table != NULL;
	     table++) {
		for (const struct variable *v = *table; v->name != NULL; v++) {
			if (v->profiles != 0 &&
			    (v->profiles & profile_at(profile)->bit) == 0)
				continue;
			assert_in_range(count, 0, ENTRIES_MAX - 1);
			entries[count++] = v;
		}
	}
	return count;
}

static void
each_entry(void (*test)(const struct variable *))
{
	for (const struct variable *const *table = variable_tables; *table != NULL;
	     table++) {
		for (const struct variable *v = *table; v->name != NULL; v++)
			test(v);
	}
}

/* Calls test for each variable of each profile, and for each of its indexes. */
static void
each_value(struct rig *rig,
    void (*test)(struct module *, const struct variable *, const char *index))
{
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		struct module *module = rig->modules[i];
		const struct variable *v;

		for (size_t n = 0;
		     (v = catalog_variable_at(rig->catalogs[i], n)) != NULL; n++) {
			const char *index;
			char number[16];

			if (v->index == NULL) {
				test(module, v, NULL);
				continue;
			}
			for (unsigned at = 0;
			     (index = variable_index_at(
				  module, v->index, at, number, sizeof number)) != NULL;
			     at++)
				test(module, v, index);
		}
	}
}

static void
test_names_and_shortcuts_are_unique(void **state)
{
	static const struct variable *entries[ENTRIES_MAX];

	(void)state;
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		size_t count = entries_of(i, entries);

		assert_true(count > 100);
		for (size_t a = 0; a < count; a++) {
			for (size_t b = 0; b < a; b++) {
				assert_string_not_equal(
				    entries[a]->name, entries[b]->name);
				if (entries[a]->shortcut != NULL &&
				    entries[b]->shortcut != NULL)
					assert_string_not_equal(
					    entries[a]->shortcut, entries[b]->shortcut);
			}
		}
	}
}

/* Two or three words of letters, digits and '_', joined by dots. */
static void
name_is_well_formed(const struct variable *v)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	const char *text = v->name;
	unsigned words = 0;

	for (;;) {
		size_t len = strspn(text, bytes);

		assert_true(len > 0 && islower((unsigned char)*text));
		words++;
		text += len;
		if (*text == '\0')
			break;
		assert_int_equal(*text++, '.');
	}
	assert_in_range(words, 2, 3);
}

/* The first two letters of the name, and behind them one or two single ones. Reference:
 * variable notes, 1.1. */
static void
shortcut_is_well_formed(const struct variable *v)
{
	const char *shortcut = v->shortcut;
	size_t len;

	if (shortcut == NULL)
		return;
	len = strlen(shortcut);
	assert_true(len == strlen("wl s") || len == strlen("wl s r"));
	assert_memory_equal(shortcut, v->name, 2);
	for (size_t i = 2; i < len; i++) {
		if (i % 2 == 0)
			assert_int_equal(shortcut[i], ' ');
		else
			assert_true(islower((unsigned char)shortcut[i]));
	}
}

static void
entry_is_complete(const struct variable *v)
{
	if (v->same_as != NULL) {
		assert_null(v->help);
		assert_null(v->initial);
		assert_null(v->get);
		assert_int_equal(v->flags, 0);
		return;
	}
	assert_non_null(v->help);
	assert_true(isupper((unsigned char)v->help[0]));
	assert_int_equal(v->help[strlen(v->help) - 1], '.');
	assert_null(strpbrk(v->help, "\t\r\n"));
	assert_true((v->type == VARIABLE_CHOICE) == (v->choices != NULL));
	assert_true(v->min <= v->max || v->type != VARIABLE_INT);
	if (v->type == VARIABLE_TABLE)
		assert_non_null(v->get);
	/* Kept by save: all that can be set, but the clock and what sets others. */
	if ((v->flags & (VARIABLE_READONLY | VARIABLE_WRITEONLY)) == 0 &&
	    v->set == NULL)
		assert_true((v->flags & VARIABLE_PERSISTED) != 0);
	else
		assert_true((v->flags & VARIABLE_PERSISTED) == 0);
}

static void
test_entries_are_well_formed(void **state)
{
	(void)state;
	each_entry(name_is_well_formed);
	each_entry(shortcut_is_well_formed);
	each_entry(entry_is_complete);
}

static void
test_other_names_have_a_target(void **state)
{
	static const struct variable *entries[ENTRIES_MAX];
	struct rig *rig = *state;
	size_t others = 0;

	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		size_t count = entries_of(i, entries);

		for (size_t n = 0; n < count; n++) {
			const struct variable *v = entries[n], *target;

			if (v->same_as == NULL)
				continue;
			others++;
			target = find(rig->modules[i], v->same_as);
			assert_string_equal(target->name, v->same_as);
			assert_ptr_equal(find(rig->modules[i], v->name), target);
			if (v->shortcut != NULL)
				assert_ptr_equal(catalog_shortcut(rig->catalogs[i],
						     v->shortcut, strlen(v->shortcut)),
				    target);
		}
	}
	assert_true(others > 0);
}

/* A factory value is in its normal spelling already; what is computed has none. */
static void
initial_is_valid(struct module *module, const struct variable *v, const char *index)
{
	const char *initial = catalog_initial(module->catalog, v);
	struct value value;

	if (v->get != NULL && *initial == '\0' && v->type != VARIABLE_STRING)
		return;
	if (variable_parse(module, v, index, initial, strlen(initial), &value) !=
	    RESULT_OK)
		fail_msg("%s: bad factory value \"%s\"", v->name, initial);
	assert_string_equal(value.text, initial);
	assert_int_equal(value.len, strlen(initial));
}

static void
test_initial_values_are_valid(void **state)
{
	each_value(*state, initial_is_valid);
}

static bool
is_settable(const struct variable *v)
{
	return v->set == NULL && (v->flags & VARIABLE_READONLY) == 0;
}

static void
set_gives_same_text(struct module *module, const struct variable *v, const char *index)
{
	char *text;

	if (!is_settable(v))
		return;
	text = get_text(module, v, index);
	assert_int_equal(set_text(module, v, index, text), RESULT_OK);
	assert_prints(module, v, index, text);
	assert_int_equal(set_text(module, v, index, text), RESULT_OK);
	assert_prints(module, v, index, text);
	free(text);
}

static void
test_set_get_set_gives_the_same_text(void **state)
{
	each_value(*state, set_gives_same_text);
}

static void
int_keeps_its_range(struct module *module, const struct variable *v, const char *index)
{
	char text[32];

	snprintf(text, sizeof text, "%jd", (intmax_t)v->min);
	assert_takes(module, v, index, text, text);
	snprintf(text, sizeof text, "%jd", (intmax_t)v->max);
	assert_takes(module, v, index, text, text);
	snprintf(text, sizeof text, "%jd", (intmax_t)v->min - 1);
	assert_refuses(module, v, index, text);
	snprintf(text, sizeof text, "%jd", (intmax_t)v->max + 1);
	assert_refuses(module, v, index, text);
	assert_refuses(module, v, index, "");
	assert_refuses(module, v, index, "1 ");
}

static void
choice_takes_its_words(
    struct module *module, const struct variable *v, const char *index)
{
	for (const char *const *choice = v->choices; *choice != NULL; choice++) {
		char upper[64];
		size_t len = strlen(*choice);

		assert_true(len < sizeof upper);
		for (size_t i = 0; i <= len; i++)
			upper[i] = (char)toupper((unsigned char)(*choice)[i]);
		assert_takes(module, v, index, upper, *choice);
	}
	assert_refuses(module, v, index, "");
	assert_refuses(module, v, index, "no-such-word");
}

static void
text_keeps_its_length(
    struct module *module, const struct variable *v, const char *index)
{
	char text[VARIABLE_TEXT_MAX + 1];

	assert_true(v->max > 0 && v->max < VARIABLE_TEXT_MAX);
	memset(text, '1', sizeof text);
	text[v->max + 1] = '\0';
	assert_refuses(module, v, index, text);
	assert_refuses(module, v, index,
	    "a\x07"
	    "b");
	if (v->min > 0)
		assert_refuses(module, v, index, "");
}

static void
value_keeps_its_limits(
    struct module *module, const struct variable *v, const char *index)
{
	if (!is_settable(v))
		return;
	switch (v->type) {
	case VARIABLE_BOOL:
		assert_takes(module, v, index, "on", "1");
		assert_takes(module, v, index, "FALSE", "0");
		assert_takes(module, v, index, "1", "1");
		assert_takes(module, v, index, "Off", "0");
		assert_refuses(module, v, index, "2");
		assert_refuses(module, v, index, "");
		break;
	case VARIABLE_INT:
		int_keeps_its_range(module, v, index);
		break;
	case VARIABLE_CHOICE:
		choice_takes_its_words(module, v, index);
		break;
	case VARIABLE_STRING:
		text_keeps_its_length(module, v, index);
		break;
	case VARIABLE_IPV4:
		assert_takes(module, v, index, "10.0.0.1", "10.0.0.1");
		assert_refuses(module, v, index, "10.0.0.256");
		assert_refuses(module, v, index, "");
		break;
	case VARIABLE_MAC:
		assert_takes(module, v, index, "4c55cc100942", "4C:55:CC:10:09:42");
		assert_takes(module, v, index, "", "");
		assert_refuses(module, v, index, "4c55cc1009");
		break;
	case VARIABLE_TABLE:
		fail();
	}
}

static void
test_limits_are_kept(void **state)
{
	each_value(*state, value_keeps_its_limits);
}

static void
test_renamed_variables_are_one(void **state)
{
	struct rig *rig = *state;

	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		struct module *module = rig->modules[i];
		bool is_gecko = (module->profile->bit & PROFILE_GECKO_OS_2) != 0;

		assert_string_equal(find(module, "broadcast.udp.port")->name,
		    is_gecko ? "broadcast.udp.remote_port" : "broadcast.udp.port");
		assert_ptr_equal(find(module, "broadcast.udp.remote_port"),
		    find(module, "broadcast.udp.port"));
		assert_string_equal(find(module, "system.cmd.mode")->name,
		    is_gecko ? "system.cmd.format" : "system.cmd.mode");
		assert_ptr_equal(
		    find(module, "system.cmd.format"), find(module, "system.cmd.mode"));
		assert_string_equal(
		    variable_text(module, "stream.auto_close"), is_gecko ? "0" : "1");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_shortcuts_are_unique),
		cmocka_unit_test(test_entries_are_well_formed),
		RIG_TEST(test_other_names_have_a_target),
		RIG_TEST(test_initial_values_are_valid),
		RIG_TEST(test_set_get_set_gives_the_same_text),
		RIG_TEST(test_limits_are_kept),
		RIG_TEST(test_renamed_variables_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
