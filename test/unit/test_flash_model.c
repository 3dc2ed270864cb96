#include "flash_fixture.h"

#include <errno.h>

/* What the flash should hold. */
struct model {
	struct model_file {
		unsigned name, seed;
		uint32_t size;
	} files[FILES_MOST];
	size_t count;
	struct model_draft {
		struct model_file file;
		struct flash_draft *draft;
		uint32_t written;
		bool lost; /* a format came between */
	} drafts[4];
	size_t draft_count;
};

#define STEPS 3000
#define NAMES 12

static unsigned
random_below(unsigned bound)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % bound;
}

static char *
model_name(unsigned name)
{
	return xasprintf("dir %u/name", name);
}

static uint32_t
model_blocks(uint32_t size)
{
	return size == 0 ? 1 : (size + FLASH_BLOCK - 1) / FLASH_BLOCK;
}

/* What making such a file should say: 0 or errno. */
static int
model_refuses(const struct model *model, unsigned name, uint32_t size)
{
	uint32_t used = 0;
	size_t count = model->count;

	for (size_t i = 0; i < model->count; i++) {
		if (model->files[i].name == name)
			return EEXIST;
		used += model_blocks(model->files[i].size);
	}
	for (size_t i = 0; i < model->draft_count; i++) {
		if (model->drafts[i].lost)
			continue;
		if (model->drafts[i].file.name == name)
			return EEXIST;
		used += model_blocks(model->drafts[i].file.size);
		count++;
	}
	if (count == FILES_MOST)
		return ENFILE;
	return used + model_blocks(size) > FILES_BLOCKS ? ENOSPC : 0;
}

static void
model_check(const struct model *model, const struct flash *flash)
{
	bool taken[FILES_BLOCKS] = { false };

	assert_int_equal(files_count(flash), model->count);
	for (size_t i = 0; i < model->count; i++) {
		const struct model_file *wanted = &model->files[i];
		const struct flash_file *file = flash_at(flash, i);
		char *name = model_name(wanted->name);

		assert_string_equal(file->name, name);
		assert_true(files_hold(flash, name, wanted->seed, wanted->size));
		for (uint32_t b = 0; b < model_blocks(wanted->size); b++) {
			assert_true(file->sector + b < FILES_BLOCKS);
			assert_false(taken[file->sector + b]);
			taken[file->sector + b] = true;
		}
		free(name);
	}
}

static void
model_begin(struct model *model, struct flash *flash)
{
	struct model_draft *next = &model->drafts[model->draft_count];
	unsigned number = random_below(NAMES);
	uint32_t size = random_below(3) == 0 ? random_below(FILES_BLOCKS * FLASH_BLOCK)
					     : random_below(2 * FLASH_BLOCK);
	char *name = model_name(number);
	const struct flash_plan plan = { .name = name, .size = size, .crc = -1 };

	if (model->draft_count < sizeof model->drafts / sizeof model->drafts[0]) {
		int error = model_refuses(model, number, size);
		struct flash_draft *draft;

		errno = 0;
		draft = flash_create(flash, &plan);
		assert_int_equal(draft == NULL ? errno : 0, error);
		if (draft != NULL) {
			*next = (struct model_draft){ .draft = draft,
				.file = { number, random_below(256), size } };
			model->draft_count++;
		}
	}
	free(name);
}

static void
model_end_draft(struct model *model, size_t i)
{
	model->drafts[i] = model->drafts[--model->draft_count];
}

static void
model_go_on(struct model *model)
{
	size_t i = random_below((unsigned)model->draft_count);
	struct model_draft *next = &model->drafts[i];
	uint32_t missing = next->file.size - next->written;
	uint32_t len = random_below(2) == 0 ? missing : random_below(missing + 1);
	unsigned char *bytes = files_contents(next->file.seed, next->file.size);
	int result = flash_draft_write(next->draft, bytes + next->written, len);

	free(bytes);
	assert_int_equal(result, next->lost ? -1 : 0);
	next->written += len;
	if (!next->lost && next->written < next->file.size && random_below(8) > 0)
		return;
	result = flash_draft_commit(next->draft);
	if (next->lost || next->written < next->file.size) {
		assert_int_equal(result, -1);
	} else {
		assert_int_equal(result, 0);
		model->files[model->count++] = next->file;
	}
	model_end_draft(model, i);
}

static void
model_delete(struct model *model, struct flash *flash)
{
	unsigned number = random_below(NAMES);
	char *name = model_name(number);
	size_t i = 0;

	while (i < model->count && model->files[i].name != number)
		i++;
	assert_int_equal(flash_delete(flash, name), i < model->count ? 0 : -1);
	if (i < model->count) {
		model->count--;
		memmove(&model->files[i], &model->files[i + 1],
		    (model->count - i) * sizeof model->files[0]);
	}
	free(name);
}

static void
model_discard(struct model *model)
{
	while (model->draft_count > 0) {
		flash_draft_discard(model->drafts[0].draft);
		model_end_draft(model, 0);
	}
}

static void
test_random_commands(void **state)
{
	struct flash *flash = files_open(&files_plain);
	struct model model = { .count = 0 };

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		unsigned what = random_below(100);

		if (what < 40) {
			model_begin(&model, flash);
		} else if (what < 75 && model.draft_count > 0) {
			model_go_on(&model);
		} else if (what < 95) {
			model_delete(&model, flash);
		} else if (what < 96) {
			assert_int_equal(flash_format(flash), 0);
			model.count = 0;
			for (size_t i = 0; i < model.draft_count; i++)
				model.drafts[i].lost = true;
		} else {
			flash_close(flash);
			model_discard(&model);
			flash = files_open(&files_plain);
		}
		model_check(&model, flash);
	}
	flash_close(flash);
	model_discard(&model);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_random_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
