/* Asks a module the same again and again, and measures the longest that it had to wait:
 * no shorter than the longest turn of the daemon's loop meanwhile.
 * usage: longest_wait PTY LINE FILE     FILE holds the reply. Waits for the pty of a
 * module that boots, prints "ready" with its first reply, and when the input says
 * something, "LONGEST COUNT": nanoseconds, and how often it asked. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define WAIT_TIMEOUT_S 60

static const char wait_booted[] = "[Ready]\r\n> ";

static int
wait_open(const char *path)
{
	int fd;

	while ((fd = bench_pty_open(path)) == -1 && errno == ENOENT)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return fd;
}

static bool
wait_until_booted(int fd)
{
	char seen[sizeof wait_booted] = { 0 };

	while (strcmp(seen, wait_booted) != 0) {
		memmove(seen, seen + 1, sizeof seen - 2);
		if (!bench_read(fd, seen + sizeof seen - 2, 1))
			return false;
	}
	return true;
}

static bool
wait_is_told_to_end(void)
{
	struct pollfd told = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&told, 1, 0) != 0;
}

static bool
wait_ask(int fd, const char *line, const char *expected, size_t expected_len)
{
	char bytes[BENCH_LINE_MAX];

	return bench_write(fd, line, strlen(line)) &&
	       bench_read(fd, bytes, expected_len) &&
	       memcmp(bytes, expected, expected_len) == 0;
}

static bool
wait_measure(int fd, const char *line, const char *expected, size_t expected_len)
{
	int64_t longest_ns = 0;
	long count = 0;

	while (!wait_is_told_to_end()) {
		int64_t start = bench_now_ns(), passed;

		if (!wait_ask(fd, line, expected, expected_len))
			return false;
		passed = bench_now_ns() - start;
		if (passed > longest_ns)
			longest_ns = passed;
		count++;
	}
	printf("%jd %ld\n", (intmax_t)longest_ns, count);
	fflush(stdout);
	return true;
}

int
main(int argc, char **argv)
{
	char line[BENCH_LINE_MAX], expected[BENCH_LINE_MAX];
	size_t expected_len;
	int fd, len;

	if (argc != 4)
		return 2;
	alarm(WAIT_TIMEOUT_S);
	len = snprintf(line, sizeof line, "%s\r\n", argv[2]);
	expected_len = bench_load(argv[3], expected);
	fd = wait_open(argv[1]);
	if (fd == -1 || len < 0 || (size_t)len >= sizeof line || expected_len == 0) {
		fprintf(stderr, "longest_wait: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	if (!wait_until_booted(fd) || !wait_ask(fd, line, expected, expected_len))
		return 1;
	puts("ready");
	fflush(stdout);
	if (!wait_measure(fd, line, expected, expected_len)) {
		fputs("longest_wait: another reply than expected, or none\n", stderr);
		return 1;
	}
	return 0;
}
