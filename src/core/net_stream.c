#include "core/net.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/module.h"
#include "core/net_state.h"
#include "core/pins.h"
#include "core/session.h"
#include "core/variable.h"
#include "stream/stream.h"

/* What a module keeps of each stream on a socket. */
struct net_stream {
	struct stream_watch watch;
	struct module *module; /* borrowed */
};

struct net *
net_get(struct module *module)
{
	if (module->net == NULL) {
		module->net = xcalloc(1, sizeof *module->net);
		TAILQ_INIT(&module->net->opens);
		TAILQ_INIT(&module->net->greetings);
		TAILQ_INIT(&module->net->jobs);
		for (unsigned i = 0; i < NETWORK_INTERFACES; i++)
			TAILQ_INIT(&module->net->lingering[i]);
	}
	return module->net;
}

static void
net_say_end(struct module *module, struct stream *stream)
{
	if (stream->end_is_told)
		return;
	stream->end_is_told = true;
	if (module->state == MODULE_OFF)
		return;
	/* Chosen: the words; those of the module are not on record. */
	if (stream->fault != NULL)
		event_emit(
		    module, EVENT_PROGRESS, "Connection failed: %s", stream->fault);
	event_emit(module, EVENT_CLOSED, "%d", stream->handle);
}

/* Closes the streams that are at their end. */
static void
net_reap(evutil_socket_t fd, short what, void *arg)
{
	struct module *module = arg;

	(void)fd;
	(void)what;
	for (int handle = 0; handle < STREAM_MAX; handle++)
		net_stream_was_read(module, handle);
}

void
net_note(struct module *module, const struct stream *stream, enum activity_way way)
{
	enum network_interface interface = net_get(module)->interfaces[stream->handle];

	if (interface != NETWORK_DEFAULT)
		activity_note(module, interface, way);
}

static void
net_stream_told(
    struct stream_watch *watch, struct stream *stream, enum stream_event event)
{
	struct net_stream *self = (struct net_stream *)watch;
	struct net *net = net_get(self->module);

	pins_follow(self->module);
	if (event == STREAM_EVENT_DATA)
		net_note(self->module, stream, ACTIVITY_RX);
	switch (event) {
	case STREAM_EVENT_END:
		if (!variable_is_on(self->module, "stream.auto_close")) {
			net_say_end(self->module, stream);
			break;
		}
		if (net->reaper == NULL)
			net->reaper = xcheck(event_new(
			    self->module->base, -1, 0, net_reap, self->module));
		event_active(net->reaper, EV_TIMEOUT, 0);
		break;
	case STREAM_EVENT_FREE:
		net_say_end(self->module, stream);
		net_server_stream_gone(self->module, stream);
		free(self);
		break;
	default:
		break;
	}
}

int
net_add_stream(struct module *module, struct stream *stream)
{
	return net_add_stream_over(module, NETWORK_DEFAULT, stream);
}

int
net_add_stream_over(
    struct module *module, enum network_interface interface, struct stream *stream)
{
	struct net_stream *self;
	struct session *session;
	int handle;

	if (module->streams == NULL)
		module->streams = stream_table_new();
	handle = net_has_room(module, stream->ops->kind)
		     ? stream_add(module->streams, stream)
		     : -1;
	if (handle == -1) {
		stream->ops->close(stream);
		return -1;
	}
	self = xcalloc(1, sizeof *self);
	self->watch.told = net_stream_told;
	self->module = module;
	net_get(module)->interfaces[handle] = interface;
	if (interface != NETWORK_DEFAULT)
		stream->lingering = &module->net->lingering[interface];
	packet_buffer_join(module->net->buffer, stream);
	stream_watch(stream, &self->watch);
	event_emit(module, EVENT_OPENED, "%d", handle);
	TAILQ_FOREACH (session, &module->sessions, entry) {
		if (session->ops->stream_added != NULL)
			session->ops->stream_added(session, stream);
	}
	net_server_update(module);
	pins_follow(module);
	return handle;
}

void
net_stream_was_read(struct module *module, int handle)
{
	struct stream *stream = stream_get(module->streams, handle);

	if (stream != NULL && !stream->unseen &&
	    stream->ops->kind != STREAM_KIND_TEXT &&
	    (stream->ops->kind == STREAM_KIND_FILE ||
		variable_is_on(module, "stream.auto_close")) &&
	    stream->ops->poll(stream) == STREAM_CLOSED)
		stream_close(module->streams, handle);
}
