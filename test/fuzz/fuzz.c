#include "fuzz.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

static char fuzz_root[128];

void
fuzz_require(bool holds, const char *text, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
	abort();
}

/* What is written here is never needed after a power cut, and a disk would set the
 * pace. */
int
fsync(int fd)
{
	(void)fd;
	return 0;
}

/* Commands that open sockets are typed too; nothing that they do reaches a network. */
int
socket(int domain, int type, int protocol)
{
	if (domain != AF_UNIX) {
		errno = EACCES;
		return -1;
	}
	return (int)syscall(SYS_socket, domain, type, protocol);
}

static int
fuzz_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level == 0 ? 0 : remove(path);
}

void
fuzz_clean(void)
{
	nftw(fuzz_directory(), fuzz_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static void
fuzz_end(void)
{
	fuzz_clean();
	rmdir(fuzz_root);
}

const char *
fuzz_directory(void)
{
	const char *place = getenv("TMPDIR");
	int len;

	if (fuzz_root[0] != '\0')
		return fuzz_root;
	len = snprintf(fuzz_root, sizeof fuzz_root, "%s/zentrid-fuzz-XXXXXX",
	    place == NULL ? "/tmp" : place);
	FUZZ_REQUIRE(len > 0 && (size_t)len < sizeof fuzz_root);
	FUZZ_REQUIRE(mkdtemp(fuzz_root) != NULL);
	atexit(fuzz_end);
	return fuzz_root;
}

const char *
fuzz_path(const char *name)
{
	static char path[256];
	int len = snprintf(path, sizeof path, "%s/%s", fuzz_directory(), name);

	FUZZ_REQUIRE(len > 0 && (size_t)len < sizeof path);
	return path;
}

void
fuzz_write(const char *path, const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "w");

	FUZZ_REQUIRE(file != NULL && fwrite(data, 1, size, file) == size);
	FUZZ_REQUIRE(fclose(file) == 0);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* One line per damaged input would drown what libFuzzer has to say. */
	log_configure(LOG_FORMAT_TEXT, -1);
	return 0;
}
