#include "flash_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "base/crc.h"

static void
test_crc(void **state)
{
	const char zeros[4] = { 0 };

	(void)state;
	assert_int_equal(crc16(CRC16_START, "", 0), 0xFFFF);
	assert_int_equal(crc16(CRC16_START, "a", 1), 0x10BE);
	assert_int_equal(crc16(CRC16_START, "123456789", 9), 0x89F6);
	assert_int_equal(crc16(CRC16_START, "Hello World!", 12), 0x222F);
	assert_int_equal(crc16(CRC16_START, zeros, sizeof zeros), 0x84C0);
	assert_int_equal(crc16(crc16(CRC16_START, "1234", 4), "56789", 5), 0x89F6);
}

static void
test_crc_as_it_is_spelled(void **state)
{
	static const struct {
		const char *text;
		int32_t crc;
	} good[] = { { "89F6", 0x89F6 }, { "0x89f6", 0x89F6 }, { "0X1", 1 }, { "0", 0 },
		{ "ffff", 0xFFFF } };
	static const char *const bad[] = { "", "0x", "0x12345", "12345", "-1", "+1",
		" 1", "1 ", "g", "0x0x1" };
	int32_t crc;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(crc16_parse(good[i].text, &crc), 0);
		assert_int_equal(crc, good[i].crc);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(crc16_parse(bad[i], &crc), -1);
}

static void
test_versions_and_names(void **state)
{
	static const struct {
		const char *text, *version;
	} good[] = { { "1", "1.0.0.0" }, { "0.1", "0.1.0.0" }, { "1.2.3", "1.2.3.0" },
		{ "5.26.230.3", "5.26.230.3" },
		{ "65535.65535.65535.65535", "65535.65535.65535.65535" },
		{ "01.002", "1.2.0.0" } };
	static const char *const bad[] = { "", ".", "1.", ".1", "1..2", "1.2.3.4.5",
		"65536", "1.-2", "1.2a", " 1", "0x1", "99999999999999999999" };
	char version[FLASH_VERSION_SIZE], name[FLASH_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(flash_parse_version(good[i].text, version), 0);
		assert_string_equal(version, good[i].version);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(flash_parse_version(bad[i], version), -1);

	memset(name, 'n', sizeof name);
	name[FLASH_NAME_MAX + 1] = '\0';
	assert_false(flash_is_name(name));
	name[FLASH_NAME_MAX] = '\0';
	assert_true(flash_is_name(name));
	assert_false(flash_is_name(""));
	assert_false(flash_is_name("a\nb"));
	assert_false(flash_is_name("a\x7F"));
	assert_true(flash_is_name("../a b\"\\/%2e\xFF"));
}

/* A module without files costs no directory. */
static void
test_nothing_before_the_first_file(void **state)
{
	struct flash *flash = files_open(&files_plain);

	(void)state;
	assert_null(flash_at(flash, 0));
	assert_int_equal(flash_format(flash), 0);
	assert_int_equal(flash_restore(flash), 0);
	assert_int_equal(flash_drop_temporary(flash), 0);
	flash = files_reopen(flash, &files_plain);
	assert_int_equal(files_on_host(), -1);
	flash_close(flash);
	flash_close(NULL);
}

static void
test_files_survive(void **state)
{
	static const char odd[] = "../caf\xE9 \"x\" /%2e\\";
	const struct flash_plan plan = { .name = odd,
		.version = "2.0",
		.type = 0x96,
		.flags = FLASH_VALID | FLASH_UNPROTECTED,
		.size = 9,
		.crc = 0x89F6 };
	struct flash *flash = files_open(&files_plain);
	const struct flash_file *file;
	struct flash_draft *draft;
	size_t len;
	char *bytes;

	(void)state;
	draft = flash_create(flash, &plan);
	assert_non_null(draft);
	assert_null(flash_find(flash, odd));
	assert_int_equal(flash_draft_write(draft, "12345", 5), 0);
	assert_int_equal(flash_draft_missing(draft), 4);
	assert_int_equal(flash_draft_write(draft, "67890", 5), -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_int_equal(flash_draft_write(draft, "6789", 4), 0);
	assert_int_equal(flash_draft_commit(draft), 0);
	assert_int_equal(files_make(flash, "empty", 0, 0), 0);
	assert_int_equal(files_make(flash, "large", 1, 5 * FLASH_BLOCK + 1), 0);

	flash = files_reopen(flash, &files_plain);
	assert_false(flash_was_damaged(flash));
	assert_int_equal(files_count(flash), 3);
	file = flash_at(flash, 0);
	assert_string_equal(file->name, odd);
	assert_string_equal(file->version, "2.0.0.0");
	assert_int_equal(file->type, 0x96);
	assert_int_equal(file->flags, FLASH_VALID | FLASH_UNPROTECTED);
	assert_int_equal(file->crc, 0x89F6);
	assert_int_equal(file->sector, 0);
	assert_int_equal(flash_at(flash, 1)->sector, 1);
	assert_int_equal(flash_at(flash, 2)->sector, 2);
	bytes = flash_read(flash, odd, 9, &len);
	assert_string_equal(bytes, "123456789");
	free(bytes);
	assert_null(flash_read(flash, odd, 8, &len));
	assert_int_equal(errno, EFBIG);
	assert_null(flash_read(flash, "none", 8, &len));
	assert_int_equal(errno, ENOENT);
	assert_true(files_hold(flash, "empty", 0, 0));
	assert_true(files_hold(flash, "large", 1, 5 * FLASH_BLOCK + 1));
	assert_int_equal(files_on_host(), 4);
	assert_int_equal(flash_delete(flash, "empty"), 0);
	assert_int_equal(files_on_host(), 3);
	flash_close(flash);
}

static void
expect_refused(struct flash *flash, struct flash_plan plan, int error)
{
	plan.crc = -1;
	errno = 0;
	assert_null(flash_create(flash, &plan));
	assert_int_equal(errno, error);
}

static void
test_what_is_refused(void **state)
{
	struct flash *flash = files_open(&files_plain);
	struct flash_draft *draft;
	char name[16];

	(void)state;
	expect_refused(flash, (struct flash_plan){ .name = "" }, EINVAL);
	expect_refused(
	    flash, (struct flash_plan){ .name = "a", .version = "x" }, EINVAL);
	expect_refused(flash,
	    (struct flash_plan){ .name = "a", .size = FILES_BLOCKS * FLASH_BLOCK + 1 },
	    ENOSPC);
	draft = flash_create(
	    flash, &(struct flash_plan){ .name = "a", .size = 1, .crc = 0x10BF });
	expect_refused(flash, (struct flash_plan){ .name = "a" }, EEXIST);
	expect_refused(flash,
	    (struct flash_plan){ .name = "b", .size = FILES_BLOCKS * FLASH_BLOCK },
	    ENOSPC);
	assert_int_equal(flash_draft_write(draft, "a", 1), 0);
	assert_int_equal(flash_draft_commit(draft), -1);
	assert_int_equal(errno, EBADMSG);
	draft = flash_create(
	    flash, &(struct flash_plan){ .name = "a", .size = 2, .crc = -1 });
	assert_int_equal(flash_draft_write(draft, "a", 1), 0);
	assert_int_equal(flash_draft_commit(draft), -1);
	assert_int_equal(errno, ENODATA);
	assert_int_equal(files_count(flash), 0);
	assert_int_equal(files_on_host(), 0);
	for (int i = 0; i < FILES_MOST; i++) {
		snprintf(name, sizeof name, "f%d", i);
		assert_int_equal(files_make(flash, name, 1, 1), 0);
	}
	expect_refused(flash, (struct flash_plan){ .name = "f0" }, EEXIST);
	expect_refused(flash, (struct flash_plan){ .name = "one more" }, ENFILE);
	assert_int_equal(flash_delete(flash, "no"), -1);
	assert_int_equal(errno, ENOENT);
	flash_close(flash);
}

/* What is free can always be used, wherever it lies. */
static void
test_gaps_are_closed(void **state)
{
	struct flash *flash = files_open(&files_plain);
	struct flash_draft *draft;
	char name[16];

	(void)state;
	for (int i = 0; i < FILES_MOST; i++) {
		snprintf(name, sizeof name, "f%d", i);
		assert_int_equal(files_make(flash, name, 1, 2 * FLASH_BLOCK), 0);
	}
	flash_delete(flash, "f1");
	flash_delete(flash, "f4");
	flash_delete(flash, "f6");
	draft = flash_create(
	    flash, &(struct flash_plan){ .name = "d", .size = 1, .crc = -1 });
	assert_int_equal(flash_draft_file(draft)->sector, 2);
	assert_int_equal(files_make(flash, "all", 2, 5 * FLASH_BLOCK), 0);
	assert_int_equal(flash_find(flash, "f0")->sector, 0);
	assert_int_equal(flash_draft_file(draft)->sector, 2);
	assert_int_equal(flash_find(flash, "f2")->sector, 3);
	assert_int_equal(flash_find(flash, "all")->sector, 11);
	assert_int_equal(flash_draft_write(draft, "x", 1), 0);
	assert_int_equal(flash_draft_commit(draft), 0);
	assert_int_equal(files_make(flash, "more", 1, 1), -1);
	flash = files_reopen(flash, &files_plain);
	assert_true(files_hold(flash, "all", 2, 5 * FLASH_BLOCK));
	assert_true(files_hold(flash, "f7", 1, 2 * FLASH_BLOCK));
	assert_int_equal(flash_find(flash, "all")->sector, 11);
	assert_int_equal(files_make(flash, "more", 1, 1), -1);
	flash_close(flash);
}

/* A smaller flash keeps what it has, and takes nothing new. */
static void
test_smaller_flash(void **state)
{
	struct flash_options small = files_plain;
	struct flash *flash = files_open(&files_plain);

	(void)state;
	assert_int_equal(files_make(flash, "a", 1, 3 * FLASH_BLOCK), 0);
	assert_int_equal(files_make(flash, "b", 2, 3 * FLASH_BLOCK), 0);
	small.size = 4 * FLASH_BLOCK;
	flash = files_reopen(flash, &small);
	assert_true(files_hold(flash, "b", 2, 3 * FLASH_BLOCK));
	assert_int_equal(files_make(flash, "c", 1, 1), -1);
	assert_int_equal(flash_delete(flash, "a"), 0);
	assert_int_equal(files_make(flash, "c", 1, 1), 0);
	flash_close(flash);
}

static void
test_format_ends_drafts(void **state)
{
	struct flash *flash = files_open(&files_plain);
	struct flash_draft *draft, *other;

	(void)state;
	assert_int_equal(files_make(flash, "a", 1, 1), 0);
	draft = flash_create(
	    flash, &(struct flash_plan){ .name = "d", .size = 1, .crc = -1 });
	other = flash_create(
	    flash, &(struct flash_plan){ .name = "e", .size = 1, .crc = -1 });
	assert_int_equal(flash_format(flash), 0);
	assert_int_equal(files_count(flash), 0);
	assert_int_equal(flash_draft_write(draft, "x", 1), -1);
	assert_int_equal(errno, ESTALE);
	assert_int_equal(flash_draft_commit(draft), -1);
	assert_int_equal(files_make(flash, "d", 1, FILES_BLOCKS * FLASH_BLOCK), 0);
	flash_close(flash);
	flash_draft_discard(other);
	flash = files_open(&files_plain);
	assert_true(files_hold(flash, "d", 1, FILES_BLOCKS * FLASH_BLOCK));
	assert_int_equal(files_on_host(), 2);
	flash_close(flash);
}

static void
test_contents_outlive_deletion(void **state)
{
	struct flash *flash = files_open(&files_plain);
	char bytes[8];
	int fd;

	(void)state;
	assert_int_equal(files_make(flash, "a", 1, sizeof bytes), 0);
	fd = flash_open_contents(flash, flash_find(flash, "a"));
	assert_int_equal(flash_delete(flash, "a"), 0);
	assert_int_equal(files_make(flash, "a", 2, sizeof bytes), 0);
	assert_int_equal(read(fd, bytes, sizeof bytes), sizeof bytes);
	assert_int_equal((unsigned char)bytes[1], (31 + 7) & 0xFF);
	close(fd);
	flash_close(flash);
}

static void
test_factory_files(void **state)
{
	const struct flash_options options = {
		.size = 4 * FLASH_BLOCK, .files = 3, .factory = files_factory
	};
	struct flash *flash;
	size_t len;
	char *bytes;

	(void)state;
	files_write_host("factory/webapp/index.html", "<html>");
	files_write_host("factory/.recovery.html", "again");
	files_write_host("factory/bad\nname", "x");
	files_write_host("factory/webapp/z1", "x");
	files_write_host("factory/webapp/z2", "x");
	flash = files_open(&options);
	assert_int_equal(files_count(flash), 3);
	assert_string_equal(flash_at(flash, 0)->name, ".recovery.html");
	assert_string_equal(flash_at(flash, 1)->name, "webapp/index.html");
	assert_int_equal(flash_at(flash, 1)->flags, FLASH_VALID);
	assert_int_equal(flash_delete(flash, "webapp/index.html"), 0);
	assert_int_equal(flash_delete(flash, "webapp/z1"), 0);
	assert_int_equal(files_make(flash, "webapp/z1", 1, 1), 0);
	assert_int_equal(files_make(flash, "user", 1, 1), 0);

	flash = files_reopen(flash, &options);
	assert_int_equal(files_count(flash), 3);
	assert_null(flash_find(flash, "webapp/index.html"));
	assert_int_equal(flash_restore(flash), 0);
	flash = files_reopen(flash, &options);
	assert_int_equal(files_count(flash), 3);
	assert_null(flash_find(flash, "user"));
	bytes = flash_read(flash, "webapp/index.html", 100, &len);
	assert_string_equal(bytes, "<html>");
	free(bytes);
	bytes = flash_read(flash, "webapp/z1", 100, &len);
	assert_string_equal(bytes, "x");
	free(bytes);
	assert_int_equal(files_on_host(), 4);
	assert_int_equal(flash_format(flash), 0);
	flash = files_reopen(flash, &options);
	assert_int_equal(files_count(flash), 0);
	flash_close(flash);
}

static void
test_factory_that_is_not_there(void **state)
{
	const struct flash_options options = {
		.size = FLASH_BLOCK, .files = 3, .factory = files_factory
	};
	struct flash *flash = files_open(&options);

	(void)state;
	assert_int_equal(files_count(flash), 0);
	assert_int_equal(files_make(flash, "a", 1, 1), 0);
	assert_int_equal(flash_restore(flash), 0);
	assert_int_equal(files_count(flash), 0);
	flash_close(flash);
}

#define ENTRY(fields) "{\"format\": 1, \"files\": [{" fields "}]}"
#define GOOD                                                                           \
	"\"version\": \"1.0.0.0\", \"type\": 254, \"flags\": 33, \"size\": 1, "        \
	"\"crc\": 1, \"sector\": 0, \"content\": 1"

static void
test_damage_is_set_aside(void **state)
{
	static const char *const damaged[] = { "", "{", "[]", "{\"format\": 1}",
		"{\"format\": 2, \"files\": []}", "{\"format\": 1, \"files\": {}}",
		"{\"format\": 1, \"files\": [1]}", ENTRY(""), ENTRY(GOOD),
		ENTRY("\"name\": \"\", " GOOD), ENTRY("\"name\": 1, " GOOD),
		ENTRY("\"name\": \"a\\u0000b\", " GOOD),
		ENTRY("\"name\": \"a\\nb\", " GOOD),
		ENTRY("\"name\": {\"base64\": \"!\"}, " GOOD),
		ENTRY("\"name\": {\"base64\": \"AA==\"}, " GOOD),
		ENTRY("\"name\": \"a\", " GOOD "}, {\"name\": \"a\", " GOOD),
		ENTRY("\"name\": \"a\", " GOOD "}, {\"name\": \"b\", " GOOD),
		ENTRY("\"name\": \"a\", \"version\": \"x\", \"type\": 254, "
		      "\"flags\": 33, \"size\": 1, \"crc\": 1, \"sector\": 0, "
		      "\"content\": 1"),
		ENTRY("\"name\": \"a\", \"version\": \"1\", \"type\": 256, "
		      "\"flags\": 33, \"size\": 1, \"crc\": 1, \"sector\": 0, "
		      "\"content\": 1"),
		ENTRY("\"name\": \"a\", \"version\": \"1\", \"type\": 254, "
		      "\"flags\": 33, \"size\": -1, \"crc\": 1, \"sector\": 0, "
		      "\"content\": 1"),
		ENTRY("\"name\": \"a\", \"version\": \"1\", \"type\": 254, "
		      "\"flags\": 33, \"size\": 1, \"crc\": 1, \"sector\": 0, "
		      "\"content\": 0"),
		"{\"format\": 1, \"files\": []} rubbish" };
	struct flash_options options = files_plain;

	files_tear_down(state);
	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
		struct flash *flash;

		files_set_up(state);
		options.factory = files_factory;
		files_write_host("factory/kept", "x");
		files_write_host("flash/index.json", damaged[i]);
		files_write_host("flash/00000001", "x");
		flash = files_open(&options);
		assert_true(flash_was_damaged(flash));
		assert_int_equal(files_count(flash), 1);
		assert_int_equal(files_make(flash, "new", 1, 1), 0);
		flash = files_reopen(flash, &options);
		assert_false(flash_was_damaged(flash));
		assert_int_equal(files_count(flash), 2);
		assert_true(files_hold(flash, "new", 1, 1));
		flash_close(flash);
		files_tear_down(state);
	}
	files_set_up(state);
}

static void
test_other_things_in_the_place(void **state)
{
	struct flash *flash;
	char *index;

	(void)state;
	files_write_host("flash", "no directory");
	flash = files_open(&files_plain);
	assert_true(flash_was_damaged(flash));
	assert_int_equal(files_make(flash, "a", 1, 1), 0);
	flash_close(flash);

	/* The second one of this second gets another name. */
	files_write_host("flash/index.json", "damaged");
	flash = files_open(&files_plain);
	assert_true(flash_was_damaged(flash));
	assert_int_equal(files_make(flash, "a", 1, 1), 0);
	flash_close(flash);

	index = xasprintf("%s/index.json", files_path);
	assert_int_equal(unlink(index), 0);
	free(index);
	files_write_host("flash/index.json/in the way", "x");
	flash = NULL;
	assert_int_equal(flash_open(&flash, files_path, &files_plain), 0);
	flash_close(flash);
}

static void
test_damaged_contents_are_dropped(void **state)
{
	struct flash *flash = files_open(&files_plain);

	(void)state;
	assert_int_equal(files_make(flash, "a", 1, 10), 0);
	assert_int_equal(files_make(flash, "b", 2, 10), 0);
	assert_int_equal(files_make(flash, "c", 3, 10), 0);
	flash_close(flash);
	files_write_host("flash/00000001", "short");
	files_write_host("flash/00000009", "nobody's");
	files_write_host("flash/0000000a.new", "nobody's");
	files_write_host("flash/notes", "not ours");
	flash = files_open(&files_plain);
	assert_int_equal(files_count(flash), 2);
	assert_true(files_hold(flash, "c", 3, 10));
	/* index.json, two files, notes. */
	assert_int_equal(files_on_host(), 4);
	flash_close(flash);
}

/* A file is there, the old or the new one, at every moment; who reads the old one can
 * go on. */
static void
test_replacing(void **state)
{
	struct flash *flash = files_open(&files_plain);
	struct flash_plan plan = { .name = "a", .size = 1, .crc = 0, .replaces = true };
	struct flash_draft *draft;
	char bytes[10];
	int fd;

	(void)state;
	for (unsigned i = 0; i < FILES_MOST; i++) {
		const char name[] = { (char)('a' + i), '\0' };

		assert_int_equal(files_make(flash, name, i, 10), 0);
	}
	fd = flash_open_contents(flash, flash_find(flash, "a"));
	assert_int_equal(files_make(flash, "a", 9, 20), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(files_replace(flash, "more", 9, 20), -1);
	assert_int_equal(errno, ENFILE);

	/* What fails leaves the old one. */
	draft = flash_create(flash, &plan);
	assert_null(flash_create(flash, &plan));
	assert_int_equal(errno, EEXIST);
	assert_int_equal(flash_draft_write(draft, "x", 1), 0);
	assert_true(files_hold(flash, "a", 0, 10));
	assert_int_equal(flash_draft_commit(draft), -1);
	assert_int_equal(errno, EBADMSG);
	assert_true(files_hold(flash, "a", 0, 10));
	assert_int_equal(files_replace(flash, "a", 9, FILES_BLOCKS * FLASH_BLOCK), -1);
	assert_int_equal(errno, ENOSPC);

	assert_int_equal(files_replace(flash, "a", 9, 20), 0);
	assert_int_equal(files_count(flash), FILES_MOST);
	assert_string_equal(flash_at(flash, FILES_MOST - 1)->name, "a");
	assert_int_equal(read(fd, bytes, sizeof bytes), 10);
	close(fd);
	flash = files_reopen(flash, &files_plain);
	assert_true(files_hold(flash, "a", 9, 20));
	assert_int_equal(files_on_host(), FILES_MOST + 1);
	flash_close(flash);
}

/* A file whose size shows only at its end. */
static void
test_end_of_a_draft(void **state)
{
	struct flash *flash = files_open(&files_plain);
	struct flash_plan plan = { .name = "f", .crc = -1 };
	struct flash_draft *draft;

	(void)state;
	assert_int_equal(flash_room(flash), FILES_BLOCKS * FLASH_BLOCK);
	assert_int_equal(files_make(flash, "a", 1, FLASH_BLOCK + 1), 0);
	assert_int_equal(files_make(flash, "b", 1, 1), 0);
	plan.size = flash_room(flash);
	assert_int_equal(plan.size, (FILES_BLOCKS - 3) * FLASH_BLOCK);
	draft = flash_create(flash, &plan);
	assert_int_equal(flash_room(flash), 0);
	assert_int_equal(flash_draft_end(draft), -1);
	assert_int_equal(errno, ENODATA);
	assert_int_equal(flash_draft_write(draft, "123456789", 9), 0);
	assert_int_equal(flash_draft_end(draft), 0);
	assert_int_equal(flash_draft_missing(draft), 0);
	assert_int_equal(flash_draft_commit(draft), 0);
	assert_int_equal(flash_find(flash, "f")->size, 9);
	assert_int_equal(flash_find(flash, "f")->crc, 0x89F6);
	assert_int_equal(flash_room(flash), (FILES_BLOCKS - 4) * FLASH_BLOCK);
	flash = files_reopen(flash, &files_plain);
	assert_int_equal(flash_find(flash, "f")->size, 9);
	flash_close(flash);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_crc),
		TEST(test_crc_as_it_is_spelled),
		TEST(test_versions_and_names),
		TEST(test_nothing_before_the_first_file),
		TEST(test_files_survive),
		TEST(test_what_is_refused),
		TEST(test_gaps_are_closed),
		TEST(test_smaller_flash),
		TEST(test_format_ends_drafts),
		TEST(test_contents_outlive_deletion),
		TEST(test_factory_files),
		TEST(test_factory_that_is_not_there),
		TEST(test_damage_is_set_aside),
		TEST(test_other_things_in_the_place),
		TEST(test_damaged_contents_are_dropped),
		TEST(test_replacing),
		TEST(test_end_of_a_draft),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
