/* The least a program can do on a pty: for each line received it writes the same bytes.
 * `make bench` holds the module against it.
 * usage: bare_pty FILE     the bytes of the reply; prints the path of the pty. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"

int
main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN };
	int slave, master = bench_pty_new(&slave), epoll = epoll_create1(0);
	char reply[BENCH_LINE_MAX], bytes[BENCH_LINE_MAX];
	size_t reply_len = argc == 2 ? bench_load(argv[1], reply) : 0;

	if (reply_len == 0 || master == -1 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, master, &event) == -1)
		return 2;
	puts(ptsname(master));
	fflush(stdout);
	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		ssize_t n = read(master, bytes, sizeof bytes);

		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] == '\n' &&
			    write(master, reply, reply_len) != (ssize_t)reply_len)
				return 1;
	}
	return 1;
}
