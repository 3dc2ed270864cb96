#include "bench.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int64_t
bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int
bench_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

void
bench_print_times(int64_t *times_ns, size_t count)
{
	qsort(times_ns, count, sizeof *times_ns, bench_compare);
	printf("%jd %jd\n", (intmax_t)times_ns[count / 2],
	    (intmax_t)times_ns[count - 1 - count / 100]);
	fflush(stdout);
}

int
bench_pty_new(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1)
		return -1;
	*slave = bench_pty_open(ptsname(master));
	return *slave == -1 ? -1 : master;
}

int
bench_pty_open(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY);
	struct termios tio;

	if (fd == -1 || tcgetattr(fd, &tio) == -1)
		return -1;
	cfmakeraw(&tio);
	return tcsetattr(fd, TCSANOW, &tio) == -1 ? -1 : fd;
}

int
bench_tcp_no_delay(int fd)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

int
bench_tcp_listen(unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&address, len) == -1 ||
	    listen(fd, 1) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) == -1)
		return -1;
	*port = ntohs(address.sin_port);
	return fd;
}

int
bench_tcp_connect(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_port = htons((in_port_t)strtoul(port, NULL, 10));
	if (fd == -1 || bench_tcp_no_delay(fd) == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof address) == -1)
		return -1;
	return fd;
}

int
bench_open(const char *where)
{
	return strncmp(where, "tcp:", 4) == 0 ? bench_tcp_connect(where + 4)
					      : bench_pty_open(where);
}

bool
bench_read(int fd, char *bytes, size_t len)
{
	for (size_t have = 0; have < len;) {
		ssize_t n = read(fd, bytes + have, len - have);

		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

bool
bench_write(int fd, const char *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

size_t
bench_load(const char *path, char *bytes)
{
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL)
		return 0;
	len = fread(bytes, 1, BENCH_LINE_MAX, file);
	fclose(file);
	return len;
}
