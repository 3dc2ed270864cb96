#include "flash_fixture.h"
#include "host_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

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

	memset(&host_fault, 0, sizeof host_fault);
	files_tear_down(NULL);
	files_set_up(NULL);
	flash = files_open(&files_plain);
	assert_int_equal(files_make(flash, "a", 1, 3 * FLASH_BLOCK), 0);
	assert_int_equal(files_make(flash, "b", 2, 100), 0);
	options.factory = files_factory;
	files_write_host("factory/b", "factory");
	flash = files_reopen(flash, &options);

	host_fault.lasting = cut;
	host_fault.countdown = n;
	result = run(flash);
	failed = host_fault.failed;
	if (!failed)
		assert_int_equal(result, 0);
	if (cut) {
		/* A dead process cleans nothing up. */
		host_fault.countdown = 1;
		flash_close(flash);
		host_fault.countdown = 0;
	} else {
		host_fault.countdown = 0;
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

/* The file is the old one or the new one, and whole. */
static void
test_replace_with_each_call_failing(void **state)
{
	bool failed = true;
	int n = 0;

	while (failed) {
		struct flash *flash;
		bool is_old;
		int result;

		memset(&host_fault, 0, sizeof host_fault);
		files_tear_down(state);
		files_set_up(state);
		flash = files_open(&files_plain);
		assert_int_equal(files_make(flash, "a", 1, 3 * FLASH_BLOCK), 0);
		host_fault.lasting = true;
		host_fault.countdown = ++n;
		result = files_replace(flash, "a", 2, 100);
		flash_close(flash);
		failed = host_fault.failed;
		host_fault.countdown = 0;
		flash = files_open(&files_plain);
		assert_int_equal(files_count(flash), 1);
		is_old = files_hold(flash, "a", 1, 3 * FLASH_BLOCK);
		assert_true(is_old != files_hold(flash, "a", 2, 100));
		assert_false(is_old && result == 0);
		flash_close(flash);
	}
	assert_true(n > 18);
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

		memset(&host_fault, 0, sizeof host_fault);
		files_tear_down(state);
		files_set_up(state);
		files_write_host("factory/a", "x");
		files_write_host("factory/b", "y");
		host_fault.lasting = true;
		host_fault.countdown = n;
		if (flash_open(&flash, files_path, &options) == 0)
			flash_close(flash);
		failed = host_fault.failed;
		host_fault.countdown = 0;
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
		TEST(test_replace_with_each_call_failing),
		TEST(test_format_with_each_call_failing),
		TEST(test_restore_with_each_call_failing),
		TEST(test_first_boot_with_each_call_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
