/* Measures many terminals at once: each has some lines under way, and sends another for
 * each whole reply.
 * usage: terminals LINE FILE LINES MILLISECONDS     the ports come on standard input
 * FILE holds the reply that each line must have; LINES are under way on each terminal.
 * Prints the replies a second of all terminals together; fails when one of them gets
 * another reply, or none at all. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench.h"

#define TERMINALS_MAX 4096
#define TERMINALS_EVENTS 256
#define TERMINALS_TIMEOUT_S 60
#define TERMINALS_MS_MAX 30000
#define TERMINALS_LINES_MAX 64

/* Chosen by the remote terminal: said to each that connects. */
static const char terminal_greeting[] = "[Ready]\r\n> ";

struct terminal {
	int fd;
	size_t have; /* bytes of the reply */
	long replies;
};

struct terminals {
	int epoll;
	size_t count, lines, line_len, reply_len;
	struct terminal each[TERMINALS_MAX];
	/* As many times as there are lines under way. */
	char line[TERMINALS_LINES_MAX * BENCH_LINE_MAX];
	char reply[TERMINALS_LINES_MAX * BENCH_LINE_MAX];
};

/* Repeats what stands at the start of bytes. */
static void
terminals_repeat(char *bytes, size_t len, size_t times)
{
	for (size_t i = 1; i < times; i++)
		memcpy(bytes + i * len, bytes, len);
}

static bool
terminals_open(struct terminals *all)
{
	char port[16], greeting[sizeof terminal_greeting - 1];

	while (fgets(port, sizeof port, stdin) != NULL) {
		struct terminal *terminal = &all->each[all->count];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = terminal };

		if (all->count++ == TERMINALS_MAX)
			return false;
		terminal->fd = bench_tcp_connect(port);
		if (terminal->fd == -1 ||
		    !bench_read(terminal->fd, greeting, sizeof greeting) ||
		    memcmp(greeting, terminal_greeting, sizeof greeting) != 0 ||
		    epoll_ctl(all->epoll, EPOLL_CTL_ADD, terminal->fd, &event) == -1)
			return false;
	}
	return all->count > 0;
}

/* Takes what has come; for each reply that ends there, another line goes out. */
static bool
terminal_turn(const struct terminals *all, struct terminal *terminal)
{
	char bytes[TERMINALS_LINES_MAX * BENCH_LINE_MAX];
	size_t max = all->reply_len * all->lines - terminal->have, ended;
	ssize_t n = read(terminal->fd, bytes, max);

	if (n <= 0 || memcmp(bytes, all->reply + terminal->have, (size_t)n) != 0)
		return false;
	terminal->have += (size_t)n;
	ended = terminal->have / all->reply_len;
	terminal->have %= all->reply_len;
	terminal->replies += (long)ended;
	return bench_write(terminal->fd, all->line, all->line_len * ended);
}

static bool
terminals_run(struct terminals *all, int64_t until_ns)
{
	struct epoll_event events[TERMINALS_EVENTS];

	do {
		int n = epoll_wait(all->epoll, events, TERMINALS_EVENTS, -1);

		for (int i = 0; i < n; i++)
			if (!terminal_turn(all, events[i].data.ptr))
				return false;
	} while (bench_now_ns() < until_ns);
	return true;
}

static bool
terminals_measure(struct terminals *all, int64_t duration_ns)
{
	int64_t start = bench_now_ns(), passed;
	long replies = 0;

	for (size_t i = 0; i < all->count; i++)
		if (!bench_write(
			all->each[i].fd, all->line, all->line_len * all->lines))
			return false;
	if (!terminals_run(all, start + duration_ns))
		return false;
	passed = bench_now_ns() - start;
	for (size_t i = 0; i < all->count; i++) {
		if (all->each[i].replies == 0)
			return false;
		replies += all->each[i].replies;
	}
	printf("%.0f\n", (double)replies * 1e9 / (double)passed);
	return true;
}

int
main(int argc, char **argv)
{
	static struct terminals all;
	long lines = argc == 5 ? strtol(argv[3], NULL, 10) : 0;
	long ms = argc == 5 ? strtol(argv[4], NULL, 10) : 0;
	int len;

	if (lines < 1 || lines > TERMINALS_LINES_MAX || ms < 1 || ms > TERMINALS_MS_MAX)
		return 2;
	len = snprintf(all.line, BENCH_LINE_MAX, "%s\r\n", argv[1]);
	all.reply_len = bench_load(argv[2], all.reply);
	all.epoll = epoll_create1(0);
	if (len < 0 || len >= BENCH_LINE_MAX || all.reply_len == 0)
		return 2;
	all.line_len = (size_t)len;
	all.lines = (size_t)lines;
	terminals_repeat(all.line, all.line_len, all.lines);
	terminals_repeat(all.reply, all.reply_len, all.lines);
	alarm(TERMINALS_TIMEOUT_S);
	if (!terminals_open(&all)) {
		fprintf(stderr, "terminals: number %zu does not open: %s\n", all.count,
		    strerror(errno));
		return 1;
	}
	if (!terminals_measure(&all, ms * INT64_C(1000000))) {
		fputs("terminals: another reply than expected, or none\n", stderr);
		return 1;
	}
	return 0;
}
