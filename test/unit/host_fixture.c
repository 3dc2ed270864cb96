#include "host_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct host_fault host_fault;

void
host_directory_make(char path[HOST_PATH_MAX])
{
	snprintf(path, HOST_PATH_MAX, "/tmp/zentrid-unit-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static int
host_remove(const char *entry, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(entry);
}

void
host_directory_remove(const char *path)
{
	nftw(path, host_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static bool
host_fault_is_due(void)
{
	if (host_fault.countdown == 0 ||
	    (host_fault.countdown > 1 && host_fault.countdown--))
		return false;
	if (!host_fault.lasting)
		host_fault.countdown = 0;
	host_fault.failed = true;
	errno = ENOSPC;
	return true;
}

int __real_open(const char *, int, ...);
int __wrap_open(const char *, int, mode_t);
ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
int __real_fsync(int);
int __wrap_fsync(int);
int __real_close(int);
int __wrap_close(int);
int __real_rename(const char *, const char *);
int __wrap_rename(const char *, const char *);
int __real_mkdir(const char *, mode_t);
int __wrap_mkdir(const char *, mode_t);
int __real_unlink(const char *);
int __wrap_unlink(const char *);

int
__wrap_open(const char *path, int flags, mode_t mode)
{
	return host_fault_is_due() ? -1 : __real_open(path, flags, mode);
}

/* A full disk takes some of the bytes before it fails. */
ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	if (!host_fault_is_due())
		return __real_write(fd, bytes, len);
	if (len > 1 && __real_write(fd, bytes, len / 2) == -1)
		return -1;
	errno = ENOSPC;
	return -1;
}

int
__wrap_fsync(int fd)
{
	return host_fault_is_due() ? -1 : __real_fsync(fd);
}

int
__wrap_close(int fd)
{
	int result = __real_close(fd);

	return host_fault_is_due() ? -1 : result;
}

int
__wrap_rename(const char *from, const char *to)
{
	return host_fault_is_due() ? -1 : __real_rename(from, to);
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
	return host_fault_is_due() ? -1 : __real_mkdir(path, mode);
}

int
__wrap_unlink(const char *path)
{
	return host_fault_is_due() ? -1 : __real_unlink(path);
}
