#include "flash_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The system calls that change a file system, of which one may be told to fail: the
 * Makefile links this test with them wrapped. */
static struct {
	int countdown; /* the call that fails; 0: none */
	bool lasting; /* and all calls after it */
	bool failed;
} fault;

static bool
fault_is_due(void)
{
	if (fault.countdown == 0 || (fault.countdown > 1 && fault.countdown--))
		return false;
	if (!fault.lasting)
		fault.countdown = 0;
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
int __real_mkdir(const char *, mode_t);
int __wrap_mkdir(const char *, mode_t);
int __real_unlink(const char *);
int __wrap_unlink(const char *);

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

int
__wrap_mkdir(const char *path, mode_t mode)
{
	return fault_is_due() ? -1 : __real_mkdir(path, mode);
}

int
__wrap_unlink(const char *path)
{
	return fault_is_due() ? -1 : __real_unlink(path);
}

static int
run_create(struct flash *flash)
{
	return files_make(flash, "new", 9, FLASH_BLOCK + 1);
}

static int
run_delete(struct flash *flash)
{
	return flash_delete(flash, "b");
}

/* Every file is what it was before the change, or what it should be behind it, and all
 * of them are on the same side. */
static void
check_sides(const struct flash *flash, int (*run)(struct flash *), int result,
    bool may_be_either)
{
	size_t count = files_count(flash), before = 2, after = 0;
	bool is_before;

	if (run == run_create)
		after = 3;
	else if (run == run_delete || run == flash_restore)
		after = 1;
	is_before = count == before;
	assert_true(is_before || count == after);
	if (result == 0)
		assert_false(is_before);
	else if (!may_be_either)
		assert_true(is_before);
	if (is_before || run == run_create || run == run_delete)
		assert_true(files_hold(flash, "a", 1, 3 * FLASH_BLOCK));
	if (is_before || run == run_create)
		assert_true(files_hold(flash, "b", 2, 100));
	if (!is_before && run == run_create)
		assert_true(files_hold(flash, "new", 9, FLASH_BLOCK + 1));
	if (!is_before && run == flash_restore) {
		size_t len;
		char *bytes = flash_read(flash, "b", 100, &len);

		assert_string_equal(bytes, "factory");
		free(bytes);
	}
}

/* Runs a change with its n-th system call failing; when cut, as in a power cut, all
 * behind it too. False when it has no n-th one. */
static bool
run_with_fault(int (*run)(struct flash *), int n, bool cut)
{
	struct flash_options options = files_plain;
	struct flash *flash;
	bool failed;
	int result;

	memset(&fault, 0, sizeof fault);
	files_tear_down(NULL);
	files_set_up(NULL);
	flash = files_open(&files_plain);
	assert_int_equal(files_make(flash, "a", 1, 3 * FLASH_BLOCK), 0);
	assert_int_equal(files_make(flash, "b", 2, 100), 0);
	options.factory = files_factory;
	files_write_host("factory/b", "factory");
	flash = files_reopen(flash, &options);

	fault.lasting = cut;
	fault.countdown = n;
	result = run(flash);
	failed = fault.failed;
	if (!failed)
		assert_int_equal(result, 0);
	if (cut) {
		/* A dead process cleans nothing up. */
		fault.countdown = 1;
		flash_close(flash);
		fault.countdown = 0;
	} else {
		fault.countdown = 0;
		check_sides(flash, run, result, false);
		flash = files_reopen(flash, &options);
		check_sides(flash, run, result, false);
		if (result == -1)
			assert_int_equal(run(flash), 0);
		check_sides(flash, run, 0, false);
		flash_close(flash);
	}
	flash = files_open(&options);
	assert_false(flash_was_damaged(flash));
	check_sides(flash, run, cut ? result : 0, true);
	/* Nothing is left over beside index and contents but an index.json.new, which
	 * the next change replaces. */
	assert_in_range(
	    files_on_host(), files_count(flash) + 1, files_count(flash) + 2);
	flash_close(flash);
	return failed;
}

static void
run_with_each_fault(int (*run)(struct flash *), int least)
{
	for (int cut = 0; cut <= 1; cut++) {
		int n = 1;

		while (run_with_fault(run, n, cut == 1))
			n++;
		assert_true(n > least);
	}
}

/* mkdir, open, two writes, fsync, close, rename and the directory; then the index. */
static void
test_create_with_each_call_failing(void **state)
{
	(void)state;
	run_with_each_fault(run_create, 18);
}

static void
test_delete_with_each_call_failing(void **state)
{
	(void)state;
	run_with_each_fault(run_delete, 8);
}

static void
test_format_with_each_call_failing(void **state)
{
	(void)state;
	run_with_each_fault(flash_format, 8);
}

static void
test_restore_with_each_call_failing(void **state)
{
	(void)state;
	run_with_each_fault(flash_restore, 17);
}

/* A failing disk while the factory's files are first put in: all of them or none. */
static void
test_first_boot_with_each_call_failing(void **state)
{
	const struct flash_options options = { .size = FILES_BLOCKS * FLASH_BLOCK,
		.files = FILES_MOST,
		.factory = files_factory };
	bool failed = true;

	for (int n = 1; failed; n++) {
		struct flash *flash = NULL;

		memset(&fault, 0, sizeof fault);
		files_tear_down(state);
		files_set_up(state);
		files_write_host("factory/a", "x");
		files_write_host("factory/b", "y");
		fault.lasting = true;
		fault.countdown = n;
		if (flash_open(&flash, files_path, &options) == 0)
			flash_close(flash);
		failed = fault.failed;
		fault.countdown = 0;
		flash = files_open(&options);
		assert_int_equal(files_count(flash), 2);
		flash_close(flash);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_create_with_each_call_failing),
		TEST(test_delete_with_each_call_failing),
		TEST(test_format_with_each_call_failing),
		TEST(test_restore_with_each_call_failing),
		TEST(test_first_boot_with_each_call_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
