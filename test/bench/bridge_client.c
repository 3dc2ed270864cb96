/* Measures what carries bytes between a pty and a TCP port, from both of its ends.
 * usage: bridge_client PTY PORT
 * Connects, waits until bytes pass both ways, and prints "ready". Then for each line of
 * its input it prints one of its own:
 *   to-pty BYTES, to-tcp BYTES     the nanoseconds that many bytes took, each compared
 *   ping ROUNDS                    "P50 P99" of 16 bytes from the pty to TCP and back
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BRIDGE_CHUNK 65536
#define BRIDGE_PERIOD 65521 /* a prime: a block that is lost or moved shows */
#define BRIDGE_PING 16
#define BRIDGE_WARM_UP 500 /* round trips that are not counted */
#define BRIDGE_BYTES_MAX (INT64_C(1) << 32)
#define BRIDGE_ROUNDS_MAX 1000000
#define BRIDGE_TIMEOUT_S 60

static const char bridge_mark[BRIDGE_PING] = "\1bridge is open\2";
static char bridge_pattern[BRIDGE_PERIOD + BRIDGE_CHUNK];

static void
bridge_fill(void)
{
	uint32_t state = 1;

	for (size_t i = 0; i < BRIDGE_PERIOD; i++) {
		state = state * 1664525 + 1013904223;
		bridge_pattern[i] = (char)(unsigned char)(state >> 24);
	}
	for (size_t i = BRIDGE_PERIOD; i < sizeof bridge_pattern; i++)
		bridge_pattern[i] = bridge_pattern[i - BRIDGE_PERIOD];
}

/* Some programs make their pty only when the connection is there. */
static int
bridge_await_pty(const char *path)
{
	int fd;

	while ((fd = bench_pty_open(path)) == -1 && errno == ENOENT)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return fd;
}

/* What came before the mark, a banner for one, is none of the measurement's. */
static bool
bridge_open_way(int from, int to)
{
	char seen[sizeof bridge_mark] = { 0 };

	if (!bench_write(from, bridge_mark, sizeof bridge_mark))
		return false;
	while (memcmp(seen, bridge_mark, sizeof seen) != 0) {
		memmove(seen, seen + 1, sizeof seen - 1);
		if (!bench_read(to, seen + sizeof seen - 1, 1))
			return false;
	}
	return true;
}

static bool
bridge_send(int fd, int64_t bytes)
{
	for (int64_t at = 0; at < bytes;) {
		int64_t len = bytes - at < BRIDGE_CHUNK ? bytes - at : BRIDGE_CHUNK;

		if (!bench_write(fd, bridge_pattern + at % BRIDGE_PERIOD, (size_t)len))
			return false;
		at += len;
	}
	return true;
}

static bool
bridge_receive(int fd, int64_t bytes)
{
	static char chunk[BRIDGE_CHUNK];

	for (int64_t at = 0; at < bytes;) {
		int64_t left = bytes - at;
		ssize_t n =
		    read(fd, chunk, left < BRIDGE_CHUNK ? (size_t)left : sizeof chunk);

		if (n <= 0)
			return false;
		if (memcmp(chunk, bridge_pattern + at % BRIDGE_PERIOD, (size_t)n) !=
		    0) {
			fprintf(stderr, "bridge_client: other bytes after %jd\n",
			    (intmax_t)at);
			return false;
		}
		at += n;
	}
	return true;
}

static bool
bridge_transfer(int from, int to, int64_t bytes)
{
	int64_t start = bench_now_ns();
	pid_t sender = fork();
	int status;

	if (sender == 0) {
		alarm(BRIDGE_TIMEOUT_S);
		_exit(bridge_send(from, bytes) ? 0 : 1);
	}
	if (sender == -1 || !bridge_receive(to, bytes))
		return false;
	printf("%jd\n", (intmax_t)(bench_now_ns() - start));
	fflush(stdout);
	return waitpid(sender, &status, 0) == sender && status == 0;
}

static bool
bridge_ping(int pty, int tcp, int64_t rounds)
{
	int64_t *times = calloc((size_t)rounds, sizeof *times);
	char bytes[BRIDGE_PING];
	bool good = times != NULL;

	for (int64_t i = -BRIDGE_WARM_UP; good && i < rounds; i++) {
		int64_t start = bench_now_ns();

		good = bench_write(pty, bridge_pattern, sizeof bytes) &&
		       bench_read(tcp, bytes, sizeof bytes) &&
		       bench_write(tcp, bytes, sizeof bytes) &&
		       bench_read(pty, bytes, sizeof bytes);
		if (i >= 0)
			times[i] = bench_now_ns() - start;
		good = good && memcmp(bytes, bridge_pattern, sizeof bytes) == 0;
	}
	if (good)
		bench_print_times(times, (size_t)rounds);
	free(times);
	return good;
}

static bool
bridge_obey(int pty, int tcp, const char *what, int64_t count)
{
	if (count < 1 || count > BRIDGE_BYTES_MAX)
		return false;
	alarm(BRIDGE_TIMEOUT_S);
	if (strcmp(what, "to-pty") == 0)
		return bridge_transfer(tcp, pty, count);
	if (strcmp(what, "to-tcp") == 0)
		return bridge_transfer(pty, tcp, count);
	if (strcmp(what, "ping") == 0 && count <= BRIDGE_ROUNDS_MAX)
		return bridge_ping(pty, tcp, count);
	return false;
}

int
main(int argc, char **argv)
{
	char line[64], *count;
	int pty, tcp;

	if (argc != 3)
		return 2;
	bridge_fill();
	alarm(BRIDGE_TIMEOUT_S);
	if ((tcp = bench_tcp_connect(argv[2])) == -1 ||
	    (pty = bridge_await_pty(argv[1])) == -1) {
		fprintf(stderr, "bridge_client: %s, port %s: %s\n", argv[1], argv[2],
		    strerror(errno));
		return 1;
	}
	if (!bridge_open_way(tcp, pty) || !bridge_open_way(pty, tcp))
		return 1;
	puts("ready");
	fflush(stdout);
	for (;;) {
		alarm(0); /* other sides have their turn */
		if (fgets(line, sizeof line, stdin) == NULL)
			return 0;
		count = strchr(line, ' ');
		if (count == NULL)
			return 2;
		*count++ = '\0';
		if (!bridge_obey(pty, tcp, line, strtoll(count, NULL, 10)))
			return 1;
	}
}
