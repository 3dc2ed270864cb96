#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/file.h"
#include "base/xmalloc.h"
#include "store/flash_state.h"

/* A piece of the flash that is taken. */
struct flash_span {
	uint32_t *sector; /* borrowed from a file or a draft */
	uint32_t blocks;
};

uint32_t
flash_blocks(uint32_t size)
{
	return size == 0 ? 1 : (size - 1) / FLASH_BLOCK + 1;
}

uint32_t
flash_capacity(const struct flash *flash)
{
	return flash->options.size / FLASH_BLOCK;
}

static int
flash_span_order(const void *left, const void *right)
{
	const struct flash_span *a = left, *b = right;

	return (*a->sector > *b->sector) - (*a->sector < *b->sector);
}

static struct flash_span *
flash_spans(struct flash *flash, size_t *count)
{
	struct flash_draft *draft;
	struct flash_span *spans;
	size_t n = flash->table.count;

	TAILQ_FOREACH (draft, &flash->drafts, entry)
		n++;
	spans = xcalloc(n, sizeof *spans);
	*count = n;
	for (n = 0; n < flash->table.count; n++) {
		struct flash_file *file = &flash->table.files[n];

		spans[n] =
		    (struct flash_span){ &file->sector, flash_blocks(file->size) };
	}
	TAILQ_FOREACH (draft, &flash->drafts, entry)
		spans[n++] = (struct flash_span){ &draft->file.sector,
			flash_blocks(draft->file.size) };
	qsort(spans, *count, sizeof *spans, flash_span_order);
	return spans;
}

uint32_t
flash_room(const struct flash *flash)
{
	uint32_t taken = 0, capacity = flash_capacity(flash);
	const struct flash_draft *draft;

	for (size_t i = 0; i < flash->table.count; i++)
		taken += flash_blocks(flash->table.files[i].size);
	TAILQ_FOREACH (draft, &flash->drafts, entry)
		taken += flash_blocks(draft->file.size);
	return taken >= capacity ? 0 : (capacity - taken) * FLASH_BLOCK;
}

/* Chosen: how the module tidies its flash is not on record. Here files move together
 * when there are enough free blocks but not side by side, so what is free can always be
 * used. Only the numbers in the index change, and those on the disk with the next
 * change of it. */
int
flash_place(struct flash *flash, uint32_t blocks, uint32_t *sector)
{
	uint64_t used = 0, end = 0;
	struct flash_span *spans;
	size_t count;

	spans = flash_spans(flash, &count);
	for (size_t i = 0; i < count; i++)
		used += spans[i].blocks;
	if (used + blocks > flash_capacity(flash)) {
		free(spans);
		errno = ENOSPC;
		return -1;
	}
	for (size_t i = 0; i < count && end + blocks > *spans[i].sector; i++) {
		uint64_t behind = (uint64_t)*spans[i].sector + spans[i].blocks;

		if (behind > end)
			end = behind;
	}
	if (end + blocks > flash_capacity(flash)) {
		end = 0;
		for (size_t i = 0; i < count; i++) {
			*spans[i].sector = (uint32_t)end;
			end += spans[i].blocks;
		}
	}
	*sector = (uint32_t)end;
	free(spans);
	return 0;
}

int
flash_make_directory(const struct flash *flash)
{
	char *above;
	int result;

	if (mkdir(flash->directory, 0700) == -1)
		return errno == EEXIST ? 0 : -1;
	above = xasprintf("%s/..", flash->directory);
	result = file_sync_directory(above);
	free(above);
	return result;
}

int
flash_content_create(struct flash *flash, uint32_t content)
{
	char *path;
	int fd;

	if (flash_settle(flash) == -1)
		return -1;
	path = flash_content_path(flash, content, ".new");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	free(path);
	return fd;
}

int
flash_content_finish(const struct flash *flash, uint32_t content, int fd)
{
	char *temporary = flash_content_path(flash, content, ".new"),
	     *path = flash_content_path(flash, content, "");
	int result = fsync(fd), saved_errno = errno;

	if (close(fd) == -1 && result == 0) {
		result = -1;
		saved_errno = errno;
	}
	if (result == 0) {
		result = rename(temporary, path);
		if (result == 0)
			result = file_sync_directory(flash->directory);
		saved_errno = errno;
	}
	free(path);
	free(temporary);
	errno = saved_errno;
	return result;
}

/* When the index is unsure, the one on the disk may name them. */
void
flash_content_remove(const struct flash *flash, uint32_t content)
{
	char *temporary = flash_content_path(flash, content, ".new"),
	     *path = flash_content_path(flash, content, "");
	int saved_errno = errno;

	unlink(temporary);
	if (!flash->unsure)
		unlink(path);
	free(path);
	free(temporary);
	errno = saved_errno;
}

/* Whether the plan's name and version will do, and are free. */
static int
flash_check_plan(const struct flash *flash, const struct flash_plan *plan,
    char version[FLASH_VERSION_SIZE])
{
	const struct flash_draft *draft;
	bool is_taken = flash_find(flash, plan->name) != NULL;
	size_t count = flash->table.count - (is_taken ? 1 : 0);

	errno = EINVAL;
	if (!flash_is_name(plan->name) || plan->size > INT32_MAX ||
	    flash_parse_version(
		plan->version == NULL ? FLASH_VERSION : plan->version, version) == -1)
		return -1;
	errno = EEXIST;
	if (is_taken && !plan->replaces)
		return -1;
	TAILQ_FOREACH (draft, &flash->drafts, entry) {
		if (strcmp(draft->file.name, plan->name) == 0)
			return -1;
		count++;
	}
	errno = ENFILE;
	return count < flash->options.files ? 0 : -1;
}

struct flash_draft *
flash_create(struct flash *flash, const struct flash_plan *plan)
{
	struct flash_file file = { .type = plan->type,
		.flags = plan->flags,
		.size = plan->size,
		.crc = CRC16_START };
	struct flash_draft *draft;
	int fd;

	if (flash_check_plan(flash, plan, file.version) == -1 ||
	    flash_place(flash, flash_blocks(plan->size), &file.sector) == -1)
		return NULL;
	memcpy(file.name, plan->name, strlen(plan->name) + 1);
	file.content = flash_free_content(flash, NULL);
	fd = flash_content_create(flash, file.content);
	if (fd == -1)
		return NULL;
	draft = xcalloc(1, sizeof *draft);
	draft->flash = flash;
	draft->file = file;
	draft->wanted_crc = plan->crc;
	draft->fd = fd;
	TAILQ_INSERT_TAIL(&flash->drafts, draft, entry);
	return draft;
}

int
flash_draft_write(struct flash_draft *draft, const void *bytes, size_t len)
{
	if (draft->flash == NULL || draft->spoiled) {
		errno = ESTALE;
		return -1;
	}
	if (len > flash_draft_missing(draft)) {
		errno = EMSGSIZE;
		return -1;
	}
	if (file_write_all(draft->fd, bytes, len) == -1) {
		draft->spoiled = true;
		return -1;
	}
	draft->file.crc = crc16(draft->file.crc, bytes, len);
	draft->written += (uint32_t)len;
	return 0;
}

uint32_t
flash_draft_missing(const struct flash_draft *draft)
{
	return draft->file.size - draft->written;
}

int
flash_draft_end(struct flash_draft *draft)
{
	errno = ENODATA;
	if (draft->written == 0)
		return -1;
	draft->file.size = draft->written;
	return 0;
}

const struct flash_file *
flash_draft_file(const struct flash_draft *draft)
{
	return &draft->file;
}

static int
flash_draft_check(const struct flash_draft *draft)
{
	if (draft->flash == NULL || draft->spoiled)
		errno = ESTALE;
	else if (flash_draft_missing(draft) > 0)
		errno = ENODATA;
	else if (draft->wanted_crc != -1 && draft->wanted_crc != draft->file.crc)
		errno = EBADMSG;
	else
		return 0;
	return -1;
}

int
flash_draft_commit(struct flash_draft *draft)
{
	struct flash *flash = draft->flash;
	struct flash_table next = { .count = 0 };
	int fd = draft->fd, result;

	if (flash_draft_check(draft) == -1) {
		flash_draft_discard(draft);
		return -1;
	}
	draft->fd = -1;
	result = flash_content_finish(flash, draft->file.content, fd);
	if (result == 0) {
		for (size_t i = 0; i < flash->table.count; i++) {
			const struct flash_file *file = &flash->table.files[i];

			if (strcmp(file->name, draft->file.name) != 0)
				flash_table_add(&next, file);
		}
		flash_table_add(&next, &draft->file);
		result = flash_exchange(flash, &next);
	}
	if (result == -1) {
		flash_draft_discard(draft);
		return -1;
	}
	TAILQ_REMOVE(&flash->drafts, draft, entry);
	free(draft);
	return 0;
}

void
flash_draft_discard(struct flash_draft *draft)
{
	int saved_errno = errno;

	if (draft == NULL)
		return;
	if (draft->fd != -1)
		close(draft->fd);
	if (draft->flash != NULL) {
		TAILQ_REMOVE(&draft->flash->drafts, draft, entry);
		flash_content_remove(draft->flash, draft->file.content);
	}
	free(draft);
	errno = saved_errno;
}
