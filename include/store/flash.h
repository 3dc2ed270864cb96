#ifndef STORE_FLASH_H
#define STORE_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The files of a module: an index and, under opaque names beside it, their contents. A
 * file is never changed in place; it is made as a whole and deleted as a whole, and
 * after a power cut at any moment each one is there as it was or not at all.
 * Reference: serial and file notes, 6. */

#define FLASH_NAME_MAX 95 /* bytes; any but control bytes */
#define FLASH_BLOCK 4096 /* a file takes whole blocks, and at least one */
#define FLASH_VERSION_SIZE 24 /* "65535.65535.65535.65535" and its NUL */
#define FLASH_VERSION "1.0.0.0" /* of a file that was given none */

/* Reference: serial and file notes, 6.3. Chosen: the bit of "unprotected", which is not
 * on record, is the next one above "essential". */
enum flash_flag {
	FLASH_VALID = 0x0001,
	FLASH_USER = 0x0020, /* not from the factory */
	FLASH_ESSENTIAL = 0x0040,
	FLASH_UNPROTECTED = 0x0080 /* served without a login */
};

/* Reference: serial and file notes, 6.2; those that something depends on. */
enum flash_type {
	FLASH_TYPE_TEMPORARY = 0xF9, /* gone after the next boot */
	FLASH_TYPE_MISCELLANEOUS = 0xFE
};

struct flash;
struct flash_draft;

struct flash_file {
	char name[FLASH_NAME_MAX + 1];
	char version[FLASH_VERSION_SIZE]; /* always of four parts */
	uint8_t type;
	uint16_t flags, crc;
	uint32_t size;
	uint32_t sector; /* first block; moves when room has to be made */
	uint32_t content; /* from 1; names the file on this host: flash/00000001 */
};

struct flash_options {
	uint32_t size; /* bytes of the flash */
	unsigned files; /* most files it holds */
	const char *factory; /* directory of the factory's files, or NULL; borrowed */
};

/* Opens the files kept in directory, which appears with the first one; when it is not
 * there yet the factory's files are put into it. A damaged index is set aside with the
 * contents, as "<directory>.bad-<seconds>", logged, and only the factory's files are
 * there: flash_was_damaged() then says so. A file whose contents are missing is
 * dropped, and logged. 0, or -1 and errno when the index is there but cannot be read or
 * set aside. */
int flash_open(struct flash **, const char *directory, const struct flash_options *);
bool flash_was_damaged(const struct flash *);

/* A number that grows whenever a file appears or goes. */
uint32_t flash_changes(const struct flash *);

/* Gives up all drafts. NULL is allowed; each draft still has to be discarded. */
void flash_close(struct flash *);

/* The file of that name, or at that position, in the order of their making; NULL: none.
 * Borrowed until the next change. */
const struct flash_file *flash_find(const struct flash *, const char *name);
const struct flash_file *flash_at(const struct flash *, size_t position);

/* A descriptor for reading the contents, which stay readable through it when the file
 * is deleted. -1 and errno. */
int flash_open_contents(const struct flash *, const struct flash_file *);

/* All contents, owned by the caller, with a NUL behind them and the count in *len. NULL
 * and errno: ENOENT, EFBIG when the file is larger than max. */
char *flash_read(const struct flash *, const char *name, size_t max, size_t *len);

/* Each change below is durable when it returns 0; with -1 and errno all is as before.
 */
int flash_delete(struct flash *, const char *name); /* ENOENT */
int flash_format(struct flash *); /* deletes all files and gives up all drafts */
int flash_restore(struct flash *); /* the same, and the factory's files return */
int flash_drop_temporary(struct flash *); /* deletes the files of that type */

/* Whether text can be the name of a file. */
bool flash_is_name(const char *text);

/* Writes a version of one to four numbers up to 65535 with all four. 0, or -1 when text
 * is none. */
int flash_parse_version(const char *text, char version[FLASH_VERSION_SIZE]);

/* A file to be. */
struct flash_plan {
	const char *name; /* copied */
	const char *version; /* copied; NULL: FLASH_VERSION */
	uint8_t type;
	uint16_t flags;
	uint32_t size; /* bytes that will be written */
	int32_t crc; /* that they must have; -1: any */
	bool replaces; /* a file of that name, which stays until this one is whole */
};

/* Bytes of the largest file that there is room for. */
uint32_t flash_room(const struct flash *);

/* Takes name and room, and waits for the contents. NULL and errno: EINVAL for a bad
 * name or version, EEXIST, ENFILE when there are as many files as there may be, ENOSPC.
 * Nobody sees the file before flash_draft_commit(). */
struct flash_draft *flash_create(struct flash *, const struct flash_plan *);

/* Adds bytes. 0, or -1 and errno: EMSGSIZE when they are more than the plan says, and
 * none is taken; else the draft is spoiled and can only be discarded. */
int flash_draft_write(struct flash_draft *, const void *bytes, size_t len);
uint32_t flash_draft_missing(const struct flash_draft *); /* bytes still to come */

/* What was written so far is all, whatever the plan says. 0, or -1 and errno ENODATA
 * when that is nothing. */
int flash_draft_end(struct flash_draft *);
const struct flash_file *flash_draft_file(const struct flash_draft *); /* as planned */

/* Makes it a file. Frees the draft in any case. 0, or -1 and errno: ENODATA when bytes
 * are missing, EBADMSG when the CRC is wrong, ESTALE when it was given up. */
int flash_draft_commit(struct flash_draft *);
void flash_draft_discard(struct flash_draft *); /* NULL is allowed */

#endif
