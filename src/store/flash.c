#include "store/flash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/number.h"
#include "base/xmalloc.h"
#include "store/flash_state.h"

#define FLASH_ASIDE_MAX 100 /* damaged directories of one second */

void
flash_table_add(struct flash_table *table, const struct flash_file *file)
{
	table->files =
	    xrealloc(table->files, (table->count + 1) * sizeof *table->files);
	table->files[table->count++] = *file;
}

struct flash_file *
flash_table_find(const struct flash_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->files[i].name, name) == 0)
			return &table->files[i];
	}
	return NULL;
}

void
flash_table_clear(struct flash_table *table)
{
	free(table->files);
	table->files = NULL;
	table->count = 0;
}

static bool
flash_table_has_content(const struct flash_table *table, uint32_t content)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->files[i].content == content)
			return true;
	}
	return false;
}

/* All files but one, or but those of a type; -1: of none. */
static struct flash_table
flash_table_without(const struct flash_table *table, const char *name, int type)
{
	struct flash_table rest = { .count = 0 };

	for (size_t i = 0; i < table->count; i++) {
		const struct flash_file *file = &table->files[i];

		if (file->type != type &&
		    (name == NULL || strcmp(file->name, name) != 0))
			flash_table_add(&rest, file);
	}
	return rest;
}

char *
flash_index_path(const struct flash *flash)
{
	return xasprintf("%s/index.json", flash->directory);
}

char *
flash_content_path(const struct flash *flash, uint32_t content, const char *suffix)
{
	return xasprintf("%s/%08x%s", flash->directory, content, suffix);
}

/* Whether a file or a draft has it. */
static bool
flash_has_content(const struct flash *flash, uint32_t content)
{
	const struct flash_draft *draft;

	TAILQ_FOREACH (draft, &flash->drafts, entry) {
		if (draft->file.content == content)
			return true;
	}
	return flash_table_has_content(&flash->table, content);
}

uint32_t
flash_free_content(const struct flash *flash, const struct flash_table *also)
{
	uint32_t content = 1;

	while (flash_has_content(flash, content) ||
	       (also != NULL && flash_table_has_content(also, content)))
		content++;
	return content;
}

/* Whether flash_content_path() makes such names. */
static int
flash_names_content(const struct dirent *entry)
{
	const char *name = entry->d_name;

	return strspn(name, "0123456789abcdef") == 8 &&
	       (name[8] == '\0' || strcmp(name + 8, ".new") == 0);
}

/* Contents that neither the index nor a draft has are left from before a power cut, or
 * from when the index could not be written. */
static void
flash_purge(const struct flash *flash)
{
	struct dirent **entries;
	int count = scandir(flash->directory, &entries, flash_names_content, alphasort);

	if (count == -1)
		return;
	for (int i = 0; i < count; i++) {
		char *number = xasprintf("0x%.8s", entries[i]->d_name);
		char *path = xasprintf("%s/%s", flash->directory, entries[i]->d_name);
		int64_t content;

		if (number_parse(number, strlen(number), 0, UINT32_MAX, &content) ==
			0 &&
		    !flash_has_content(flash, (uint32_t)content))
			unlink(path);
		free(path);
		free(number);
		free(entries[i]);
	}
	free(entries);
}

int
flash_settle(struct flash *flash)
{
	char *path;

	if (flash_make_directory(flash) == -1)
		return -1;
	if (!flash->unsure)
		return 0;
	path = flash_index_path(flash);
	if (flash_index_write(path, &flash->table) == 0) {
		flash->unsure = false;
		flash_purge(flash);
	}
	free(path);
	return flash->unsure ? -1 : 0;
}

int
flash_exchange(struct flash *flash, struct flash_table *next)
{
	struct flash_table old = flash->table;
	char *path = flash_index_path(flash);
	int saved_errno;

	if (flash_settle(flash) == 0 && flash_index_write(path, next) == 0) {
		flash->table = *next;
		flash->changes++;
		for (size_t i = 0; i < old.count; i++) {
			if (!flash_table_has_content(next, old.files[i].content))
				flash_content_remove(flash, old.files[i].content);
		}
		flash_table_clear(&old);
		free(path);
		return 0;
	}
	/* The index may be the new one all the same. */
	saved_errno = errno;
	flash->unsure = true;
	flash_settle(flash);
	flash_table_clear(next);
	free(path);
	errno = saved_errno;
	return -1;
}

/* Drops the files whose contents are gone or of another length: a file is whole or it
 * is not there. */
static void
flash_check_contents(struct flash *flash)
{
	struct flash_table whole = { .count = 0 };

	for (size_t i = 0; i < flash->table.count; i++) {
		const struct flash_file *file = &flash->table.files[i];
		char *path = flash_content_path(flash, file->content, "");
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_size == (off_t)file->size) {
			flash_table_add(&whole, file);
		} else {
			log_msg(LOG_ERR, "flash",
			    "%s, the contents of %s, is missing or damaged; the file "
			    "is dropped",
			    path, file->name);
			flash->unsure = true;
		}
		free(path);
	}
	flash_table_clear(&flash->table);
	flash->table = whole;
}

static int
flash_set_aside(struct flash *flash, const char *reason)
{
	char *aside = NULL;
	int result = -1;

	for (int i = 0; i < FLASH_ASIDE_MAX && result == -1; i++) {
		free(aside);
		aside = i == 0 ? xasprintf("%s.bad-%jd", flash->directory,
				     (intmax_t)time(NULL))
			       : xasprintf("%s.bad-%jd-%d", flash->directory,
				     (intmax_t)time(NULL), i);
		result = rename(flash->directory, aside);
		if (result == -1 && errno != ENOTEMPTY && errno != EEXIST &&
		    errno != ENOTDIR && errno != EISDIR)
			break;
	}
	if (result == 0) {
		log_msg(LOG_ERR, "flash", "%s is damaged (%s); set aside as %s",
		    flash->directory, reason, aside);
		flash->damaged = true;
	}
	free(aside);
	return result;
}

static int
flash_load(struct flash *flash)
{
	char *path = flash_index_path(flash), reason[200] = "";
	bool is_new = access(path, F_OK) == -1 && errno == ENOENT;
	int result = flash_index_read(path, &flash->table, reason, sizeof reason);

	free(path);
	if (result == -1 && errno == EBADMSG) {
		result = flash_set_aside(flash, reason);
		is_new = true;
	}
	if (result == -1)
		return -1;
	flash_check_contents(flash);
	if (flash->unsure)
		flash_settle(flash);
	flash_purge(flash);
	/* Without room on the disk a module still runs, with no files. */
	if (is_new && flash->options.factory != NULL && flash_restore(flash) == -1)
		log_msg(LOG_ERR, "flash", "%s: no factory files: %s", flash->directory,
		    strerror(errno));
	return 0;
}

int
flash_open(
    struct flash **out, const char *directory, const struct flash_options *options)
{
	struct flash *flash = xcalloc(1, sizeof *flash);

	TAILQ_INIT(&flash->drafts);
	flash->directory = xstrdup(directory);
	flash->options = *options;
	if (flash_load(flash) == -1) {
		int saved_errno = errno;

		flash_close(flash);
		errno = saved_errno;
		return -1;
	}
	*out = flash;
	return 0;
}

bool
flash_was_damaged(const struct flash *flash)
{
	return flash->damaged;
}

uint32_t
flash_changes(const struct flash *flash)
{
	return flash->changes;
}

void
flash_give_up_drafts(struct flash *flash)
{
	struct flash_draft *draft;

	while ((draft = TAILQ_FIRST(&flash->drafts)) != NULL) {
		TAILQ_REMOVE(&flash->drafts, draft, entry);
		flash_content_remove(flash, draft->file.content);
		draft->flash = NULL;
	}
}

void
flash_close(struct flash *flash)
{
	if (flash == NULL)
		return;
	flash_give_up_drafts(flash);
	flash_table_clear(&flash->table);
	free(flash->directory);
	free(flash);
}

const struct flash_file *
flash_find(const struct flash *flash, const char *name)
{
	return flash_table_find(&flash->table, name);
}

const struct flash_file *
flash_at(const struct flash *flash, size_t position)
{
	return position < flash->table.count ? &flash->table.files[position] : NULL;
}

int
flash_open_contents(const struct flash *flash, const struct flash_file *file)
{
	char *path = flash_content_path(flash, file->content, "");
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved_errno = errno;

	free(path);
	errno = saved_errno;
	return fd;
}

char *
flash_read(const struct flash *flash, const char *name, size_t max, size_t *len)
{
	const struct flash_file *file = flash_find(flash, name);
	char *path, *bytes = NULL;

	if (file == NULL) {
		errno = ENOENT;
		return NULL;
	}
	if (file->size > max) {
		errno = EFBIG;
		return NULL;
	}
	path = flash_content_path(flash, file->content, "");
	bytes = file_read(path, file->size, len);
	free(path);
	if (bytes != NULL && *len != file->size) {
		free(bytes);
		bytes = NULL;
		errno = EIO;
	}
	return bytes;
}

int
flash_delete(struct flash *flash, const char *name)
{
	struct flash_table rest;

	if (flash_find(flash, name) == NULL) {
		errno = ENOENT;
		return -1;
	}
	rest = flash_table_without(&flash->table, name, -1);
	return flash_exchange(flash, &rest);
}

int
flash_drop_temporary(struct flash *flash)
{
	struct flash_table rest =
	    flash_table_without(&flash->table, NULL, FLASH_TYPE_TEMPORARY);

	if (rest.count == flash->table.count) {
		flash_table_clear(&rest);
		return 0;
	}
	return flash_exchange(flash, &rest);
}

int
flash_format(struct flash *flash)
{
	struct flash_table none = { .count = 0 };

	if (flash->table.count > 0 && flash_exchange(flash, &none) == -1)
		return -1;
	flash_give_up_drafts(flash);
	return 0;
}
