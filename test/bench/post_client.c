/* Sends requests one after the other over one connection, each when the answer to the
 * last one is there. usage: post_client PORT FILE
 * FILE holds the requests, each behind a line with its length. Prints the nanoseconds
 * that all of them took. An answer other than 200, or one without a Content-Length,
 * ends it with status 1. */

#include "bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 65536

static int
post_connect(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof address) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1)
		return -1;
	return fd;
}

/* Reads one answer to its end. 0, or -1. */
static int
post_take_answer(int fd)
{
	char answer[ANSWER_MAX + 1];
	const char *end = NULL, *length;
	size_t have = 0, want = ANSWER_MAX;

	while (have < want) {
		ssize_t n = recv(fd, answer + have, want - have, 0);

		if (n <= 0)
			return -1;
		have += (size_t)n;
		answer[have] = '\0';
		if (end != NULL || (end = strstr(answer, "\r\n\r\n")) == NULL)
			continue;
		length = strcasestr(answer, "\r\nContent-Length: ");
		if (length == NULL || strncmp(answer + 8, " 200 ", 5) != 0)
			return -1;
		want = (size_t)(end + 4 - answer) + strtoul(length + 18, NULL, 10);
		if (want > ANSWER_MAX)
			return -1;
	}
	return have == want ? 0 : -1;
}

int
main(int argc, char **argv)
{
	FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
	int fd = file == NULL ? -1 : post_connect(argv[1]);
	static char request[ANSWER_MAX];
	int64_t took_ns = 0;
	char line[16];

	if (fd == -1)
		return 2;
	while (fgets(line, sizeof line, file) != NULL) {
		size_t len = strtoul(line, NULL, 10);
		int64_t start_ns;

		if (len > sizeof request || fread(request, 1, len, file) != len)
			return 2;
		start_ns = bench_now_ns();
		for (size_t sent = 0; sent < len;) {
			ssize_t n = send(fd, request + sent, len - sent, MSG_NOSIGNAL);

			if (n <= 0)
				return 1;
			sent += (size_t)n;
		}
		if (post_take_answer(fd) == -1)
			return 1;
		took_ns += bench_now_ns() - start_ns;
	}
	printf("%jd\n", (intmax_t)took_ns);
	return 0;
}
