#ifndef STORE_FLASH_STATE_H
#define STORE_FLASH_STATE_H

#include <sys/queue.h>

#include "store/flash.h"

/* What the files store/flash*.c share. */

struct flash_table {
	struct flash_file *files; /* owned; NULL while empty */
	size_t count;
};

struct flash_draft {
	struct flash *flash; /* borrowed; NULL once it was given up */
	struct flash_file file;
	int32_t wanted_crc; /* -1: any */
	uint32_t written;
	bool spoiled;
	int fd;
	TAILQ_ENTRY(flash_draft) entry;
};

struct flash {
	char *directory; /* owned */
	struct flash_options options;
	struct flash_table table; /* what the index says */
	TAILQ_HEAD(, flash_draft) drafts;
	uint32_t changes; /* of table */
	bool damaged;
	bool unsure; /* the index on the disk may be another than table */
};

/* Puts a copy of the file at the end. */
void flash_table_add(struct flash_table *, const struct flash_file *);
struct flash_file *flash_table_find(const struct flash_table *, const char *name);
void flash_table_clear(struct flash_table *);

/* Reads an index; a missing one is an empty table. 0, or -1 and errno; EBADMSG when it
 * is damaged, and reason then says how. */
int flash_index_read(
    const char *path, struct flash_table *, char *reason, size_t reason_size);

/* Replaces it, durably. 0, or -1 and errno; then it may be the old one or the new. */
int flash_index_write(const char *path, const struct flash_table *);

/* Makes next the table and the index, and removes contents that nobody needs any more.
 * Takes next. 0, or -1 and errno with the old table in place. */
int flash_exchange(struct flash *, struct flash_table *next);

/* Makes sure of directory and index before anything is written. 0, or -1 and errno. */
int flash_settle(struct flash *);

uint32_t flash_blocks(uint32_t size);
uint32_t flash_capacity(const struct flash *); /* in blocks */

/* Finds the first gap of so many blocks between files and drafts, moving them together
 * when none is wide enough. 0, or -1 and errno ENOSPC. */
int flash_place(struct flash *, uint32_t blocks, uint32_t *sector);

/* Host paths, owned by the caller; suffix ".new" while it is being written. */
char *flash_index_path(const struct flash *);
char *flash_content_path(const struct flash *, uint32_t content, const char *suffix);

/* The lowest number that no contents have, nor any file of the table also, which may be
 * NULL. */
uint32_t flash_free_content(const struct flash *, const struct flash_table *also);

/* New contents under a name that does not count yet. A descriptor, or -1 and errno. */
int flash_content_create(struct flash *, uint32_t content);

/* Makes them durable under the name that counts, closes fd in any case. 0, or -1 and
 * errno. */
int flash_content_finish(const struct flash *, uint32_t content, int fd);

/* Removes contents that the index may not name, finished or not. */
void flash_content_remove(const struct flash *, uint32_t content);

/* Makes the directory, and its entry in the one above durable. 0, or -1 and errno. */
int flash_make_directory(const struct flash *);

/* Gives up the drafts: their names and room are free again. */
void flash_give_up_drafts(struct flash *);

#endif
