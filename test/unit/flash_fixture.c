#include "flash_fixture.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/file.h"
#include "base/log.h"
#include "host_fixture.h"

char files_directory[HOST_PATH_MAX], files_path[96], files_factory[96];
const struct flash_options files_plain = { .size = FILES_BLOCKS * FLASH_BLOCK,
	.files = FILES_MOST };

int
files_set_up(void **state)
{
	(void)state;
	log_configure(LOG_FORMAT_TEXT, LOG_EMERG);
	host_directory_make(files_directory);
	snprintf(files_path, sizeof files_path, "%s/flash", files_directory);
	snprintf(files_factory, sizeof files_factory, "%s/factory", files_directory);
	return 0;
}

int
files_tear_down(void **state)
{
	(void)state;
	host_directory_remove(files_directory);
	return 0;
}

struct flash *
files_open(const struct flash_options *options)
{
	struct flash *flash;

	assert_int_equal(flash_open(&flash, files_path, options), 0);
	return flash;
}

struct flash *
files_reopen(struct flash *flash, const struct flash_options *options)
{
	flash_close(flash);
	return files_open(options);
}

unsigned char *
files_contents(unsigned seed, size_t size)
{
	unsigned char *bytes = xmalloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)((i * 31 + seed * 7 + i / 256) & 0xFF);
	return bytes;
}

static int
files_put(
    struct flash *flash, const char *name, unsigned seed, uint32_t size, bool replaces)
{
	const struct flash_plan plan = { .name = name,
		.type = FLASH_TYPE_MISCELLANEOUS,
		.flags = FLASH_VALID | FLASH_USER,
		.size = size,
		.crc = -1,
		.replaces = replaces };
	struct flash_draft *draft = flash_create(flash, &plan);
	unsigned char *bytes = files_contents(seed, size);
	int result = -1;

	if (draft != NULL && flash_draft_write(draft, bytes, size / 2) == 0 &&
	    flash_draft_write(draft, bytes + size / 2, size - size / 2) == 0)
		result = flash_draft_commit(draft);
	else
		flash_draft_discard(draft);
	free(bytes);
	return result;
}

int
files_make(struct flash *flash, const char *name, unsigned seed, uint32_t size)
{
	return files_put(flash, name, seed, size, false);
}

int
files_replace(struct flash *flash, const char *name, unsigned seed, uint32_t size)
{
	return files_put(flash, name, seed, size, true);
}

bool
files_hold(const struct flash *flash, const char *name, unsigned seed, uint32_t size)
{
	unsigned char *wanted = files_contents(seed, size);
	const struct flash_file *file = flash_find(flash, name);
	bool same = false;
	size_t len;
	char *bytes = flash_read(flash, name, size, &len);

	if (bytes != NULL)
		same = len == size && memcmp(bytes, wanted, size) == 0 &&
		       file->crc == crc16(CRC16_START, wanted, size);
	free(bytes);
	free(wanted);
	return same;
}

static int
files_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
files_on_host(void)
{
	struct dirent **entries;
	int count = scandir(files_path, &entries, files_visible, alphasort);

	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count != -1)
		free(entries);
	return count;
}

size_t
files_count(const struct flash *flash)
{
	size_t count = 0;

	while (flash_at(flash, count) != NULL)
		count++;
	return count;
}

void
files_write_host(const char *name, const char *text)
{
	char *host = xasprintf("%s/%s", files_directory, name),
	     *slash = strrchr(host, '/');

	*slash = '\0';
	assert_int_equal(file_make_directories(host, 0700), 0);
	*slash = '/';
	assert_int_equal(file_replace(host, text, strlen(text), 0600, false), 0);
	free(host);
}
