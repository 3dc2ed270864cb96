/* Measures round trips: a line is sent, and its whole reply awaited.
 * usage: line_client WHERE LINE ROUNDS FILE
 *        line_client WHERE LINE
 * WHERE is the path of a pty, or tcp:PORT. FILE holds the reply that each line must
 * have; prints "P50 P99", in nanoseconds. Without it, one line is sent, and what came
 * until it was quiet for a while is printed. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define CLIENT_ROUNDS_MAX 1000000
#define CLIENT_WARM_UP 500 /* round trips that are not counted */
#define CLIENT_QUIET_MS 300
#define CLIENT_TIMEOUT_S 60

/* Reads until there is nothing for a while. The count, or -1. */
static ssize_t
client_drain(int fd, char *bytes, size_t max)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	size_t have = 0;

	while (have < max && poll(&pollfd, 1, CLIENT_QUIET_MS) != 0) {
		ssize_t n = read(fd, bytes + have, max - have);

		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int
client_show(int fd, const char *line, size_t line_len)
{
	char bytes[BENCH_LINE_MAX];
	ssize_t len;

	if (!bench_write(fd, line, line_len))
		return 1;
	len = client_drain(fd, bytes, sizeof bytes);
	return len > 0 && fwrite(bytes, 1, (size_t)len, stdout) == (size_t)len ? 0 : 1;
}

static int
client_measure(int fd, const char *line, size_t line_len, long rounds, const char *file)
{
	char expected[BENCH_LINE_MAX], bytes[BENCH_LINE_MAX];
	size_t expected_len = bench_load(file, expected);
	int64_t *times = calloc((size_t)rounds, sizeof *times);
	int result = 1;

	if (times == NULL || expected_len == 0)
		goto out;
	for (long i = -CLIENT_WARM_UP; i < rounds; i++) {
		int64_t start = bench_now_ns();

		if (!bench_write(fd, line, line_len) ||
		    !bench_read(fd, bytes, expected_len))
			goto out;
		if (i >= 0)
			times[i] = bench_now_ns() - start;
		if (memcmp(bytes, expected, expected_len) != 0) {
			fputs("line_client: another reply than expected\n", stderr);
			goto out;
		}
	}
	bench_print_times(times, (size_t)rounds);
	result = 0;
out:
	free(times);
	return result;
}

int
main(int argc, char **argv)
{
	char line[BENCH_LINE_MAX], before[BENCH_LINE_MAX];
	long rounds = argc == 5 ? strtol(argv[3], NULL, 10) : 1;
	int fd, len;

	if ((argc != 3 && argc != 5) || rounds < 1 || rounds > CLIENT_ROUNDS_MAX)
		return 2;
	len = snprintf(line, sizeof line, "%s\r\n", argv[2]);
	fd = bench_open(argv[1]);
	if (fd == -1 || len < 0 || (size_t)len >= sizeof line) {
		fprintf(stderr, "line_client: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	alarm(CLIENT_TIMEOUT_S);
	/* What was said before, a greeting or a prompt, is not part of the reply. */
	if (client_drain(fd, before, sizeof before) == -1)
		return 1;
	return argc == 3 ? client_show(fd, line, (size_t)len)
			 : client_measure(fd, line, (size_t)len, rounds, argv[4]);
}
