#include "front/web/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/flash.h"

/* Forgets the one that was not served for longest. */
static void
web_cache_drop(struct web_cache *cache)
{
	struct web_cached *last = cache->files[--cache->count];

	cache->size -= last->size;
	free(last);
}

void
web_cache_clear(struct web_cache *cache)
{
	while (cache->count > 0)
		web_cache_drop(cache);
}

/* Fills bytes and time. 0, or -1 and errno. */
static int
web_cache_read(struct web_cached *cached, int fd)
{
	struct stat st;
	size_t have = 0;

	if (fstat(fd, &st) == -1)
		return -1;
	cached->time = st.st_mtim;
	while (have < cached->size) {
		ssize_t n =
		    pread(fd, cached->bytes + have, cached->size - have, (off_t)have);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO; /* shorter than it was */
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return 0;
}

static struct web_cached *
web_cache_load(const struct flash *flash, const struct flash_file *file)
{
	int fd = flash_open_contents(flash, file), result, saved_errno;
	struct web_cached *cached;

	if (fd == -1)
		return NULL;
	cached = xcalloc(1, sizeof *cached + file->size);
	cached->content = file->content;
	cached->size = file->size;
	result = web_cache_read(cached, fd);
	saved_errno = errno;
	close(fd);
	if (result == -1) {
		free(cached);
		cached = NULL;
	}
	errno = saved_errno;
	return cached;
}

const struct web_cached *
web_cache_get(
    struct web_cache *cache, const struct flash *flash, const struct flash_file *file)
{
	struct web_cached *cached;
	size_t place = 0;

	/* A number of contents is used again once its file is gone. */
	if (cache->changes != flash_changes(flash))
		web_cache_clear(cache);
	cache->changes = flash_changes(flash);
	while (place < cache->count && cache->files[place]->content != file->content)
		place++;
	if (place < cache->count) {
		cached = cache->files[place];
	} else {
		cached = web_cache_load(flash, file);
		if (cached == NULL)
			return NULL;
		while (cache->count == WEB_CACHE_FILES_MAX ||
		       cache->size + cached->size > WEB_CACHE_MAX)
			web_cache_drop(cache);
		place = cache->count++;
		cache->size += cached->size;
	}
	for (; place > 0; place--)
		cache->files[place] = cache->files[place - 1];
	cache->files[0] = cached;
	return cached;
}
