#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "host_fixture.h"
#include "store/nvm.h"

static char directory[HOST_PATH_MAX], path[96];

static int
set_up(void **state)
{
	(void)state;
	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	memset(&host_fault, 0, sizeof host_fault);
	host_directory_make(directory);
	snprintf(path, sizeof path, "%s/nvm.json", directory);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	host_directory_remove(directory);
	return 0;
}

static void
write_file(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static void
test_values_survive(void **state)
{
	static const char bytes[] = "caf\xE9 \"quoted\" \\ \x80\xFF",
			  utf8[] = "caf\xC3\xA9";
	struct nvm *nvm;

	(void)state;
	assert_int_equal(nvm_open(&nvm, path), 0);
	assert_null(nvm_get(nvm, "a"));
	assert_int_equal(nvm_set(nvm, "a", bytes), 0);
	assert_int_equal(nvm_set(nvm, "b", utf8), 0);
	assert_int_equal(nvm_set(nvm, "c", ""), 0);
	assert_int_equal(nvm_commit(nvm), 0);
	assert_int_equal(nvm_set(nvm, "a", "not saved"), 0);
	nvm_unset(nvm, "b");
	nvm_close(nvm);
	assert_int_equal(nvm_open(&nvm, path), 0);
	assert_false(nvm_was_damaged(nvm));
	assert_string_equal(nvm_get(nvm, "a"), bytes);
	assert_string_equal(nvm_get(nvm, "b"), utf8);
	assert_string_equal(nvm_get(nvm, "c"), "");
	nvm_close(nvm);
}

static void
test_revert_and_erase(void **state)
{
	struct nvm *nvm;

	(void)state;
	assert_int_equal(nvm_open(&nvm, path), 0);
	nvm_set(nvm, "a", "1");
	nvm_commit(nvm);
	nvm_set(nvm, "a", "2");
	nvm_set(nvm, "b", "3");
	nvm_revert(nvm);
	assert_string_equal(nvm_get(nvm, "a"), "1");
	assert_null(nvm_get(nvm, "b"));
	nvm_set(nvm, "a", "2");
	assert_int_equal(nvm_erase(nvm), 0);
	assert_null(nvm_get(nvm, "a"));
	nvm_revert(nvm);
	assert_null(nvm_get(nvm, "a"));
	nvm_close(nvm);
	assert_int_equal(nvm_open(&nvm, path), 0);
	assert_null(nvm_get(nvm, "a"));
	nvm_close(nvm);
}

static void
test_limits(void **state)
{
	char *text = calloc(1, NVM_VALUE_MAX + 2);
	struct nvm *nvm;

	(void)state;
	assert_int_equal(nvm_open(&nvm, path), 0);
	memset(text, 'x', NVM_VALUE_MAX);
	assert_int_equal(nvm_set(nvm, "a", text), 0);
	text[NVM_VALUE_MAX] = 'x';
	assert_int_equal(nvm_set(nvm, "a", text), -1);
	assert_int_equal(strlen(nvm_get(nvm, "a")), NVM_VALUE_MAX);
	nvm_close(nvm);
	free(text);
}

static void
test_damaged_files_are_set_aside(void **state)
{
	static const char *const damaged[] = {
		"",
		"{",
		"[]",
		"{\"format\": 1}",
		"{\"format\": 2, \"values\": {}}",
		"{\"format\": 1, \"values\": []}",
		"{\"format\": 1, \"values\": {\"a\": 1}}",
		"{\"format\": 1, \"values\": {\"a\": \"1\", \"a\": \"2\"}}",
		"{\"format\": 1, \"values\": {\"a\": {\"base64\": \"Z\"}}}",
		"{\"format\": 1, \"values\": {\"a\": {\"base64\": \"AA==\"}}}",
		"{\"format\": 1, \"values\": {\"a\": \"\\u0000\"}}",
		"{\"format\": 1, \"values\": {\"a\": \"\xFF\"}}",
		"{\"format\": 1, \"values\": {}} rubbish",
	};
	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
		struct nvm *nvm;

		set_up(state);
		write_file(damaged[i], strlen(damaged[i]));
		assert_int_equal(nvm_open(&nvm, path), 0);
		assert_true(nvm_was_damaged(nvm));
		assert_null(nvm_get(nvm, "a"));
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(nvm_set(nvm, "a", "1"), 0);
		assert_int_equal(nvm_commit(nvm), 0);
		nvm_close(nvm);
		assert_int_equal(nvm_open(&nvm, path), 0);
		assert_false(nvm_was_damaged(nvm));
		assert_string_equal(nvm_get(nvm, "a"), "1");
		nvm_close(nvm);
		tear_down(state);
	}
}

static void
test_a_file_too_large_is_damaged(void **state)
{
	struct nvm *nvm;

	(void)state;
	write_file("", 0);
	assert_int_equal(truncate(path, NVM_FILE_MAX + 1), 0);
	assert_int_equal(nvm_open(&nvm, path), 0);
	assert_true(nvm_was_damaged(nvm));
	nvm_close(nvm);
}

/* Each system call of a commit fails in turn: what is on the disk afterwards is the old
 * contents or the new ones, and memory still has the new ones. */
static void
test_commit_with_each_call_failing(void **state)
{
	bool failed = true;
	int n = 0;

	(void)state;
	while (failed) {
		struct nvm *nvm, *reloaded;
		const char *a, *b;
		int result;

		assert_int_equal(nvm_open(&nvm, path), 0);
		nvm_set(nvm, "a", "old");
		nvm_set(nvm, "b", "old");
		assert_int_equal(nvm_commit(nvm), 0);
		nvm_set(nvm, "a", "new");
		nvm_set(nvm, "b", "new");

		host_fault.failed = false;
		host_fault.countdown = ++n;
		result = nvm_commit(nvm);
		failed = host_fault.failed;
		host_fault.countdown = 0;
		if (!failed)
			assert_int_equal(result, 0);
		assert_string_equal(nvm_get(nvm, "a"), "new");

		assert_int_equal(nvm_open(&reloaded, path), 0);
		assert_false(nvm_was_damaged(reloaded));
		a = nvm_get(reloaded, "a");
		b = nvm_get(reloaded, "b");
		assert_string_equal(a, b);
		if (result == 0)
			assert_string_equal(a, "new");
		nvm_close(reloaded);

		/* And the next one works again. */
		assert_int_equal(nvm_commit(nvm), 0);
		nvm_close(nvm);
		assert_int_equal(nvm_open(&reloaded, path), 0);
		assert_string_equal(nvm_get(reloaded, "a"), "new");
		nvm_close(reloaded);
	}
	/* open, write, fsync, close, rename; open, fsync, close: and one without a
	 * host_fault. */
	assert_int_equal(n, 9);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_values_survive),
		TEST(test_revert_and_erase),
		TEST(test_limits),
		cmocka_unit_test(test_damaged_files_are_set_aside),
		TEST(test_a_file_too_large_is_damaged),
		TEST(test_commit_with_each_call_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
