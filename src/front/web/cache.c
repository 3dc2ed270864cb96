#include "front/web/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/flash.h"

void
web_cache_init(struct web_cache *cache)
{
	TAILQ_INIT(&cache->files);
	cache->size = 0;
	cache->changes = 0;
}

static void
web_cache_drop(struct web_cache *cache, struct web_cached *file)
{
	TAILQ_REMOVE(&cache->files, file, entry);
	cache->size -= file->size;
	free(file);
}

void
web_cache_clear(struct web_cache *cache)
{
	struct web_cached *file;

	while ((file = TAILQ_FIRST(&cache->files)) != NULL)
		web_cache_drop(cache, file);
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

	/* A number of contents is used again once its file is gone. */
	if (cache->changes != flash_changes(flash))
		web_cache_clear(cache);
	cache->changes = flash_changes(flash);
	TAILQ_FOREACH (cached, &cache->files, entry) {
		if (cached->content == file->content)
			break;
	}
	if (cached != NULL) {
		TAILQ_REMOVE(&cache->files, cached, entry);
	} else {
		while (cache->size + file->size > WEB_CACHE_MAX)
			web_cache_drop(
			    cache, TAILQ_LAST(&cache->files, web_cached_list));
		cached = web_cache_load(flash, file);
		if (cached == NULL)
			return NULL;
		cache->size += cached->size;
	}
	TAILQ_INSERT_HEAD(&cache->files, cached, entry);
	return cached;
}
