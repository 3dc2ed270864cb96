/* Measures round trips over a pty: a line is sent, and its whole reply awaited.
 * usage: pty_client PATH LINE ROUNDS [HEX]
 * HEX is the reply that each line must have. Without it, one line is sent, and what
 * came until the line was quiet for a while is printed as HEX. Prints "P50 P99", in
 * nanoseconds. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CLIENT_BYTES_MAX 4096
#define CLIENT_ROUNDS_MAX 1000000
#define CLIENT_WARM_UP 500 /* round trips that are not counted */
#define CLIENT_QUIET_MS 300
#define CLIENT_TIMEOUT_MS 10000

static int64_t
client_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int
client_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int
client_open(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);
	struct termios tio;

	if (fd == -1 || tcgetattr(fd, &tio) == -1)
		return -1;
	cfmakeraw(&tio);
	return tcsetattr(fd, TCSANOW, &tio) == -1 ? -1 : fd;
}

/* Reads until there are wanted bytes, or the line is quiet. The count, or -1. */
static ssize_t
client_read(int fd, char *bytes, size_t wanted, int quiet_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	size_t have = 0;

	while (have < wanted) {
		ssize_t n;

		/* A blocking read is one call fewer, on both sides of the comparison
		 * alike; the alarm bounds it. */
		if (quiet_ms >= 0 && poll(&pollfd, 1, quiet_ms) == 0)
			break;
		n = read(fd, bytes + have, wanted - have);
		if (n <= 0)
			return -1;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static size_t
client_load(const char *path, char *bytes)
{
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL)
		return 0;
	len = fread(bytes, 1, CLIENT_BYTES_MAX, file);
	fclose(file);
	return len;
}

static int
client_show(int fd, const char *line, size_t line_len)
{
	char bytes[CLIENT_BYTES_MAX];
	ssize_t len;

	/* What the module said before, its prompt for one, is not part of the reply. */
	if (client_read(fd, bytes, sizeof bytes, CLIENT_QUIET_MS) == -1 ||
	    write(fd, line, line_len) != (ssize_t)line_len)
		return 1;
	len = client_read(fd, bytes, sizeof bytes, CLIENT_QUIET_MS);
	return len > 0 && fwrite(bytes, 1, (size_t)len, stdout) == (size_t)len ? 0 : 1;
}

static int
client_measure(int fd, const char *line, size_t line_len, long rounds, const char *file)
{
	char expected[CLIENT_BYTES_MAX], bytes[CLIENT_BYTES_MAX];
	size_t expected_len = client_load(file, expected);
	int64_t *times = calloc((size_t)rounds, sizeof *times);
	int result = 1;

	if (times == NULL || expected_len == 0)
		goto out;
	for (long i = -CLIENT_WARM_UP; i < rounds; i++) {
		int64_t start = client_now_ns();

		if (write(fd, line, line_len) != (ssize_t)line_len ||
		    client_read(fd, bytes, expected_len, -1) == -1)
			goto out;
		if (i >= 0)
			times[i] = client_now_ns() - start;
		if (memcmp(bytes, expected, expected_len) != 0) {
			fputs("pty_client: another reply than expected\n", stderr);
			goto out;
		}
	}
	qsort(times, (size_t)rounds, sizeof *times, client_compare);
	printf("%jd %jd\n", (intmax_t)times[rounds / 2],
	    (intmax_t)times[rounds - 1 - rounds / 100]);
	result = 0;
out:
	free(times);
	return result;
}

int
main(int argc, char **argv)
{
	char line[CLIENT_BYTES_MAX];
	long rounds = argc == 5 ? strtol(argv[3], NULL, 10) : 1;
	int fd, len;

	if ((argc != 3 && argc != 5) || rounds < 1 || rounds > CLIENT_ROUNDS_MAX)
		return 2;
	len = snprintf(line, sizeof line, "%s\r\n", argv[2]);
	fd = client_open(argv[1]);
	if (fd == -1 || len < 0 || (size_t)len >= sizeof line) {
		fprintf(stderr, "pty_client: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	alarm(60);
	return argc == 3 ? client_show(fd, line, (size_t)len)
			 : client_measure(fd, line, (size_t)len, rounds, argv[4]);
}
