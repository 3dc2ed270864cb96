#include "front/web/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"

#define LINGER_READS 16 /* of a turn of the loop */

struct web_linger {
	struct web_linger **place; /* in the list */
	struct event *event; /* owned */
	int64_t since_ms;
	int fd; /* owned */
};

static void
web_linger_end(struct web_linger *linger)
{
	*linger->place = NULL;
	event_free(linger->event);
	close(linger->fd);
	free(linger);
}

static void
web_linger_read(evutil_socket_t fd, short what, void *arg)
{
	struct web_linger *linger = arg;
	char bytes[4096];
	ssize_t n = -1;

	if ((what & EV_READ) != 0) {
		for (int i = 0; i < LINGER_READS; i++) {
			n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
			if (n <= 0)
				break;
		}
		if (n > 0 || (n == -1 && errno == EAGAIN))
			n = 1;
	}
	if (n <= 0 ||
	    clock_monotonic_ms() - linger->since_ms > WEB_LINGER_TOTAL_SECONDS * 1000)
		web_linger_end(linger);
}

void
web_linger_start(struct web_linger_list *list, struct event_base *base, int fd)
{
	static const struct timeval silence = { .tv_sec = WEB_LINGER_SECONDS };
	struct web_linger *linger;
	unsigned i = 0;

	while (i < WEB_LINGER_MAX && list->each[i] != NULL)
		i++;
	if (i == WEB_LINGER_MAX || (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
		return;
	linger = xcalloc(1, sizeof *linger);
	linger->place = &list->each[i];
	linger->fd = fd;
	linger->since_ms = clock_monotonic_ms();
	linger->event =
	    xcheck(event_new(base, fd, EV_READ | EV_PERSIST, web_linger_read, linger));
	event_add(linger->event, &silence);
	*linger->place = linger;
}

void
web_linger_stop(struct web_linger_list *list)
{
	for (unsigned i = 0; i < WEB_LINGER_MAX; i++) {
		if (list->each[i] != NULL)
			web_linger_end(list->each[i]);
	}
}
