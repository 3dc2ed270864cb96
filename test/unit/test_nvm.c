#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
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
#include "store/nvm.h"

/* The system calls of nvm_commit(), of which one may be told to fail: the Makefile
 * links this test with them wrapped. */
static struct {
	int countdown; /* the call that fails; 0: none */
	bool failed;
} fault;

static bool
fault_is_due(void)
{
	if (fault.countdown == 0 || --fault.countdown > 0)
		return false;
	fault.failed = true;
	errno = ENOSPC;
	return true;
}

int __real_open(const char *, int, ...);
int __wrap_open(const char *, int, mode_t);
ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
int __real_fsync(int);
int __wrap_fsync(int);
int __real_close(int);
int __wrap_close(int);
int __real_rename(const char *, const char *);
int __wrap_rename(const char *, const char *);

int
__wrap_open(const char *path, int flags, mode_t mode)
{
	return fault_is_due() ? -1 : __real_open(path, flags, mode);
}

/* A full disk takes some of the bytes before it fails. */
ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	if (!fault_is_due())
		return __real_write(fd, bytes, len);
	if (len > 1 && __real_write(fd, bytes, len / 2) == -1)
		return -1;
	errno = ENOSPC;
	return -1;
}

int
__wrap_fsync(int fd)
{
	return fault_is_due() ? -1 : __real_fsync(fd);
}

int
__wrap_close(int fd)
{
	int result = __real_close(fd);

	return fault_is_due() ? -1 : result;
}

int
__wrap_rename(const char *from, const char *to)
{
	return fault_is_due() ? -1 : __real_rename(from, to);
}

static char directory[64], path[96];

static int
set_up(void **state)
{
	(void)state;
	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	memset(&fault, 0, sizeof fault);
	snprintf(directory, sizeof directory, "/tmp/zentrid-nvm-XXXXXX");
	snprintf(path, sizeof path, "%s/nvm.json", mkdtemp(directory));
	return 0;
}

static int
remove_entry(const char *entry, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(entry);
}

static int
tear_down(void **state)
{
	(void)state;
	nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
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

		fault.failed = false;
		fault.countdown = ++n;
		result = nvm_commit(nvm);
		failed = fault.failed;
		fault.countdown = 0;
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
	 * fault. */
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
