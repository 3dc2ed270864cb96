#include "core/stream_wait.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/session.h"
#include "stream/stream.h"

struct stream_wait {
	struct stream_watch watch;
	struct stream *stream; /* borrowed; NULL once it is gone */
	struct request *request;
	stream_wait_look *look;
	struct event *turn; /* owned; there is news */
	struct event *timer; /* owned; NULL: it has all the time of the request */
	bool is_over;
};

static void
stream_wait_cancel(void *op)
{
	struct stream_wait *self = op;

	if (self->stream != NULL)
		stream_unwatch(self->stream, &self->watch);
	event_free(self->turn);
	if (self->timer != NULL)
		event_free(self->timer);
	free(self);
}

static void
stream_wait_turn(evutil_socket_t fd, short what, void *arg)
{
	struct stream_wait *self = arg;
	struct request *request = self->request;
	enum result result = RESULT_FAILED;

	(void)fd;
	(void)what;
	if (self->stream != NULL)
		result = self->look(request, self->stream, self->is_over);
	if (result == RESULT_PENDING)
		return;
	stream_wait_cancel(self);
	request_finish(request, result);
}

static void
stream_wait_late(evutil_socket_t fd, short what, void *arg)
{
	struct stream_wait *self = arg;

	self->is_over = true;
	stream_wait_turn(fd, what, self);
}

static void
stream_wait_told(
    struct stream_watch *watch, struct stream *stream, enum stream_event event)
{
	struct stream_wait *self = (struct stream_wait *)watch;

	(void)stream;
	if (event == STREAM_EVENT_FREE)
		self->stream = NULL;
	if (event == STREAM_EVENT_FREE || event == STREAM_EVENT_END)
		self->is_over = true;
	event_active(self->turn, EV_TIMEOUT, 0);
}

enum result
stream_wait(struct request *request, struct stream *stream, stream_wait_look *look,
    unsigned wait_ms, unsigned deadline_ms)
{
	struct timeval timeout = { .tv_sec = wait_ms / 1000,
		.tv_usec = (suseconds_t)(wait_ms % 1000) * 1000 };
	struct event_base *base = request->session->module->base;
	struct stream_wait *self = xcalloc(1, sizeof *self);

	self->watch.told = stream_wait_told;
	self->stream = stream;
	self->request = request;
	self->look = look;
	self->turn = xcheck(event_new(base, -1, 0, stream_wait_turn, self));
	if (wait_ms > 0) {
		self->timer = xcheck(evtimer_new(base, stream_wait_late, self));
		event_add(self->timer, &timeout);
	}
	stream_watch(stream, &self->watch);
	return request_defer(request, deadline_ms, stream_wait_cancel, self);
}
