#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "store/flash_state.h"

/* Directories that are looked into: links may make rings of them. */
#define FLASH_FACTORY_DIRECTORIES 256

/* A walk through the factory's directory. */
struct flash_factory {
	struct flash *flash;
	struct flash_table next; /* what is in place already */
	uint32_t blocks; /* that it takes */
	char *directories[FLASH_FACTORY_DIRECTORIES]; /* owned; "" or "dir/" */
	size_t directory_count;
};

static int
flash_factory_visible(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The order of names does not depend on the operator's locale. */
static int
flash_factory_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
flash_factory_store(
    struct flash *flash, uint32_t content, const char *bytes, size_t len)
{
	int fd = flash_content_create(flash, content);

	if (fd == -1)
		return -1;
	if (file_write_all(fd, bytes, len) == -1) {
		close(fd);
		return -1;
	}
	return flash_content_finish(flash, content, fd);
}

/* Reference: serial and file notes, 6.3: files of the factory have the flag "valid"
 * alone. One that is still there as it was keeps its contents. */
static int
flash_factory_take(
    struct flash_factory *walk, const char *name, const char *bytes, size_t len)
{
	struct flash *flash = walk->flash;
	struct flash_file file = { .version = FLASH_VERSION,
		.type = FLASH_TYPE_MISCELLANEOUS,
		.flags = FLASH_VALID,
		.crc = crc16(CRC16_START, bytes, len),
		.size = (uint32_t)len,
		.sector = walk->blocks };
	const struct flash_file *kept = flash_find(flash, name);

	memcpy(file.name, name, strlen(name) + 1);
	if (kept != NULL && kept->size == file.size && kept->crc == file.crc &&
	    kept->flags == file.flags && kept->type == file.type &&
	    strcmp(kept->version, file.version) == 0) {
		file.content = kept->content;
	} else {
		file.content = flash_free_content(flash, &walk->next);
		if (flash_factory_store(flash, file.content, bytes, len) == -1) {
			int saved_errno = errno;

			flash_content_remove(flash, file.content);
			errno = saved_errno;
			return -1;
		}
	}
	flash_table_add(&walk->next, &file);
	walk->blocks += flash_blocks(file.size);
	return 0;
}

/* Whether an error says that this file or directory cannot be had at any time; another
 * one may pass. */
static bool
flash_factory_is_absent(int error)
{
	return error == ENOENT || error == EACCES || error == ENOTDIR ||
	       error == ELOOP || error == EINVAL || error == EFBIG;
}

/* A file that cannot be had is left out, and logged. -1 and errno when the host fails
 * to read or write. */
static int
flash_factory_file(struct flash_factory *walk, const char *path, const char *name)
{
	struct flash *flash = walk->flash;
	uint32_t room = flash_capacity(flash) - walk->blocks;
	const char *wrong = NULL;
	char *bytes = NULL;
	size_t len = 0;
	int result = 0;

	if (!flash_is_name(name))
		wrong = "no file of a module can have this name";
	else if (walk->next.count >= flash->options.files)
		wrong = "there are too many files";
	else if (room == 0)
		wrong = "the flash is full";
	else if ((bytes = file_read(path, (size_t)room * FLASH_BLOCK, &len)) == NULL) {
		if (!flash_factory_is_absent(errno))
			return -1;
		wrong = errno == EFBIG ? "the flash is full" : strerror(errno);
	}
	if (wrong != NULL)
		log_msg(LOG_WARNING, "flash", "%s: %s is left out: %s",
		    flash->directory, path, wrong);
	else
		result = flash_factory_take(walk, name, bytes, len);
	free(bytes);
	return result;
}

static void
flash_factory_later(struct flash_factory *walk, const char *directory)
{
	if (walk->directory_count == FLASH_FACTORY_DIRECTORIES) {
		log_msg(LOG_WARNING, "flash",
		    "%s: %s/%s is left out: there are too many directories",
		    walk->flash->directory, walk->flash->options.factory, directory);
		return;
	}
	walk->directories[walk->directory_count++] = xstrdup(directory);
}

/* Takes the files of one directory, "" or "dir/", and keeps those in it for later. */
static int
flash_factory_directory(struct flash_factory *walk, const char *directory)
{
	const char *factory = walk->flash->options.factory;
	char *path = xasprintf("%s/%s", factory, directory);
	struct dirent **entries;
	int count = scandir(path, &entries, flash_factory_visible, flash_factory_order);
	int result = 0;

	if (count == -1 && !flash_factory_is_absent(errno))
		result = -1;
	else if (count == -1)
		log_msg(LOG_ERR, "flash", "%s: cannot read %s: %s",
		    walk->flash->directory, path, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *name = xasprintf("%s%s", directory, entries[i]->d_name);
		char *inner = xasprintf("%s/%s", factory, name);
		struct stat st;

		if (result == 0 && stat(inner, &st) == 0 && S_ISDIR(st.st_mode)) {
			char *deeper = xasprintf("%s/", name);

			flash_factory_later(walk, deeper);
			free(deeper);
		} else if (result == 0) {
			result = flash_factory_file(walk, inner, name);
		}
		free(inner);
		free(name);
		free(entries[i]);
	}
	if (count != -1)
		free(entries);
	free(path);
	return result;
}

static int
flash_factory_walk(struct flash_factory *walk)
{
	int result = 0, saved_errno;

	flash_factory_later(walk, "");
	for (size_t i = 0; i < walk->directory_count; i++) {
		if (result == 0)
			result = flash_factory_directory(walk, walk->directories[i]);
		saved_errno = errno;
		free(walk->directories[i]);
		errno = saved_errno;
	}
	return result;
}

int
flash_restore(struct flash *flash)
{
	struct flash_factory walk = { .flash = flash };
	struct flash_table made;
	int saved_errno;

	if (flash->options.factory == NULL)
		return flash_format(flash);
	if (flash_factory_walk(&walk) == -1)
		goto fail;
	made = walk.next;
	walk.next = (struct flash_table){ .count = 0 };
	for (size_t i = 0; i < made.count; i++)
		flash_table_add(&walk.next, &made.files[i]);
	if (flash_exchange(flash, &made) == 0) {
		flash_give_up_drafts(flash);
		flash_table_clear(&walk.next);
		return 0;
	}

fail:
	saved_errno = errno;
	for (size_t i = 0; i < walk.next.count; i++) {
		const struct flash_file *file = &walk.next.files[i];
		const struct flash_file *kept = flash_find(flash, file->name);

		if (kept == NULL || kept->content != file->content)
			flash_content_remove(flash, file->content);
	}
	flash_table_clear(&walk.next);
	errno = saved_errno;
	return -1;
}
