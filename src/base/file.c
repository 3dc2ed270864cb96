#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"

int
file_write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int
file_sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result, saved_errno;

	if (fd == -1)
		return -1;
	result = fsync(fd);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return result;
}

int
file_sync_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *directory =
	    slash == NULL ? xstrdup(".") : xmemdup(path, (size_t)(slash - path) + 1);
	int result = file_sync_directory(directory), saved_errno = errno;

	free(directory);
	errno = saved_errno;
	return result;
}

int
file_replace(const char *path, const void *bytes, size_t len, mode_t mode, bool durable)
{
	char *temporary = xasprintf("%s.new", path);
	int fd, saved_errno;

	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd == -1)
		goto fail;
	if (file_write_all(fd, bytes, len) == -1 || (durable && fsync(fd) == -1)) {
		saved_errno = errno;
		close(fd);
		errno = saved_errno;
		goto fail_unlink;
	}
	if (close(fd) == -1)
		goto fail_unlink;
	if (rename(temporary, path) == -1)
		goto fail_unlink;
	/* The new contents are in place; a failure from here on only means that the
	 * rename may not survive a power cut, which the caller must still learn. */
	if (durable && file_sync_directory_of(path) == -1)
		goto fail;
	free(temporary);
	return 0;

fail_unlink:
	saved_errno = errno;
	unlink(temporary);
	errno = saved_errno;
fail:
	saved_errno = errno;
	free(temporary);
	errno = saved_errno;
	return -1;
}

char *
file_read(const char *path, size_t max, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved_errno;
	char *bytes = NULL;
	struct stat st;
	size_t have = 0;

	if (fd == -1)
		return NULL;
	if (fstat(fd, &st) == -1)
		goto fail;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		goto fail;
	}
	if ((uintmax_t)st.st_size > max) {
		errno = EFBIG;
		goto fail;
	}
	bytes = xmalloc((size_t)st.st_size + 1);
	while (have < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + have, (size_t)st.st_size - have);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto fail;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	close(fd);
	bytes[have] = '\0';
	*len = have;
	return bytes;

fail:
	saved_errno = errno;
	free(bytes);
	close(fd);
	errno = saved_errno;
	return NULL;
}

int
file_make_directories(const char *path, mode_t mode)
{
	char *copy = xstrdup(path), *at = copy;
	int result = 0;

	while (result == 0 && (at = strchr(at + 1, '/')) != NULL) {
		*at = '\0';
		if (mkdir(copy, mode) == -1 && errno != EEXIST)
			result = -1;
		*at = '/';
	}
	if (result == 0 && mkdir(path, mode) == -1 && errno != EEXIST)
		result = -1;
	free(copy);
	return result;
}
