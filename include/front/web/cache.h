#ifndef FRONT_WEB_CACHE_H
#define FRONT_WEB_CACHE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct flash;
struct flash_file;

/* Small files that were served lately, in memory, so that a page that is asked for
 * again and again costs no system call on the host's files. */

#define WEB_CACHE_FILE_MAX 32768 /* bytes of a file that is kept */
#define WEB_CACHE_MAX 65536 /* bytes of all that a module's server keeps */
#define WEB_CACHE_FILES_MAX 8

struct web_cached {
	uint32_t content; /* the number of the file's contents */
	uint32_t size;
	struct timespec time; /* of the contents */
	char bytes[];
};

struct web_cache { /* zeroed: empty */
	struct web_cached *files[WEB_CACHE_FILES_MAX]; /* owned; served last: first */
	size_t count, size; /* of the files; bytes of all */
	uint32_t changes; /* of the flash that they were read from */
};

/* The contents of a file of at most WEB_CACHE_FILE_MAX bytes, borrowed until the next
 * call. NULL and errno. */
const struct web_cached *web_cache_get(
    struct web_cache *, const struct flash *, const struct flash_file *);

void web_cache_clear(struct web_cache *);

#endif
