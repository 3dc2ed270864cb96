#include "front/web/leave.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/xmalloc.h"

struct web_leave {
	struct event *event; /* owned */
	void (*gone)(void *arg);
	void *arg;
	int fd; /* owned */
};

/* Bytes that come, too, wake it, which stay where they are. */
static void
web_leave_look(evutil_socket_t fd, short what, void *arg)
{
	struct web_leave *leave = arg;
	struct pollfd now = { .fd = fd, .events = POLLRDHUP };

	(void)what;
	if (poll(&now, 1, 0) != 1)
		return;
	event_del(leave->event);
	leave->gone(leave->arg);
}

/* A descriptor of its own, as one cannot be watched for edges and for levels. Edges,
 * because what the client has sent meanwhile is not read. */
struct web_leave *
web_leave_new(struct event_base *base, int fd, void (*gone)(void *arg), void *arg)
{
	struct web_leave *leave;

	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		return NULL;
	leave = xcalloc(1, sizeof *leave);
	leave->fd = fd;
	leave->gone = gone;
	leave->arg = arg;
	leave->event = xcheck(
	    event_new(base, fd, EV_READ | EV_ET | EV_PERSIST, web_leave_look, leave));
	event_add(leave->event, NULL);
	return leave;
}

void
web_leave_free(struct web_leave *leave)
{
	if (leave == NULL)
		return;
	event_free(leave->event);
	close(leave->fd);
	free(leave);
}
