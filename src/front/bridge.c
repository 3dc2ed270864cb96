#include "front/bridge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/net.h"
#include "core/pins.h"
#include "core/variable.h"
#include "front/console_port.h"
#include "stream/stream.h"

#define BRIDGE_READ_SIZE 65536 /* bytes read from the stream in one piece */
#define BRIDGE_PULL_MAX                                                                \
	(16u * BRIDGE_READ_SIZE) /* ... and on one turn of the loop, or a peer that is \
				    faster than the port would keep all others         \
				    waiting */
#define BRIDGE_SEQUENCE_MAX 16 /* bytes of bus.stream.cmd_seq, NUL included */
#define BRIDGE_GUARD_MS 3000 /* silence before the break sequence. Reference: bus */
/* Chosen: the sequence is typed without a longer pause than this between its bytes. */
#define BRIDGE_TYPING_MS 1000

struct bridge {
	struct stream_watch watch; /* of stream */
	struct console_port *port; /* borrowed */
	struct stream *stream; /* borrowed; NULL: none */
	bool ended; /* its peer is gone */
	bool running; /* else commands go over the port */

	/* From the serial port to the stream. */
	struct evbuffer *up; /* owned: collected and not yet written */
	size_t flush_count;
	size_t receive_max; /* bytes that wait for a stream without room */
	unsigned flush_ms;
	bool flush_reset;
	struct event *flush_timer; /* owned */

	/* The break sequence. */
	char sequence[BRIDGE_SEQUENCE_MAX];
	size_t sequence_len, matched;
	int64_t last_input_ms;
	struct event *typing_timer; /* owned: gives back what only began like it */

	struct event *more; /* owned: pulls on, on the next turn */
	struct event *closer; /* owned: closes a stream at its end, on another turn */
};

static struct module *
bridge_module(const struct bridge *bridge)
{
	return bridge->port->session.module;
}

static void
bridge_set_timer(struct event *timer, unsigned ms)
{
	struct timeval timeout = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(timer, &timeout);
}

/* Writes what was collected. When the stream has no room, the port is held until it
 * has; room for less than all may be all that there will be, if other streams keep the
 * rest. Chosen: without a stream, what comes from the serial port is dropped. */
static void
bridge_flush(struct bridge *bridge)
{
	size_t len = evbuffer_get_length(bridge->up), most = BRIDGE_READ_SIZE;

	event_del(bridge->flush_timer);
	while (len > 0 && bridge->stream != NULL) {
		size_t piece = len < most ? len : most;
		ssize_t n = net_stream_write(bridge_module(bridge), bridge->stream,
		    evbuffer_pullup(bridge->up, (ev_ssize_t)piece), piece);

		if (n == -1 && errno == EAGAIN && piece > bridge->flush_count) {
			most = piece / 2;
			continue;
		}
		if (n == -1 && errno == EAGAIN) {
			console_port_hold(bridge->port, bridge->running);
			return;
		}
		if (n == -1)
			break;
		evbuffer_drain(bridge->up, (size_t)n);
		len -= (size_t)n;
	}
	evbuffer_drain(bridge->up, evbuffer_get_length(bridge->up));
	console_port_hold(bridge->port, false);
}

static void
bridge_flush_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bridge_flush(arg);
}

static void
bridge_collect(struct bridge *bridge, const char *bytes, size_t len)
{
	bool was_empty = evbuffer_get_length(bridge->up) == 0;

	/* Nothing to wait for: no copy. */
	if (was_empty && bridge->stream != NULL &&
	    (bridge->flush_ms == 0 || len >= bridge->flush_count) &&
	    net_stream_write(bridge_module(bridge), bridge->stream, bytes, len) ==
		(ssize_t)len)
		return;
	evbuffer_add(bridge->up, bytes, len);
	if (bridge->flush_ms == 0 ||
	    evbuffer_get_length(bridge->up) >= bridge->flush_count)
		bridge_flush(bridge);
	else if (was_empty || bridge->flush_reset)
		bridge_set_timer(bridge->flush_timer, bridge->flush_ms);
}

/* What was taken for the break sequence is none. */
static void
bridge_give_back(struct bridge *bridge)
{
	size_t len = bridge->matched;

	bridge->matched = 0;
	event_del(bridge->typing_timer);
	if (len > 0)
		bridge_collect(bridge, bridge->sequence, len);
}

static void
bridge_typing_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bridge_give_back(arg);
}

/* Reference: serial and file notes, 4.1: "Command Mode Start", then the prompt. */
void
bridge_break(struct bridge *bridge)
{
	struct session *session = &bridge->port->session;

	bridge_give_back(bridge);
	bridge_flush(bridge);
	bridge_stop(bridge);
	session->bus_mode = BUS_COMMAND;
	console_port_notice(session, "Command Mode Start");
	console_port_prompt(session);
}

size_t
bridge_input(struct bridge *bridge, const char *bytes, size_t len)
{
	int64_t now_ms = clock_monotonic_ms();
	bool quiet = now_ms - bridge->last_input_ms >= BRIDGE_GUARD_MS;
	size_t at = 0;

	/* A module that sleeps or goes down does not listen. */
	if (bridge_module(bridge)->state != MODULE_RUNNING &&
	    bridge_module(bridge)->state != MODULE_PAUSED)
		return len;
	bridge->last_input_ms = now_ms;
	while (at < len && bridge->sequence_len > 0 && (quiet || bridge->matched > 0)) {
		if (bytes[at] != bridge->sequence[bridge->matched]) {
			bridge_give_back(bridge);
			break;
		}
		quiet = false;
		at++;
		if (++bridge->matched == bridge->sequence_len) {
			bridge->matched = 0;
			bridge_break(bridge);
			return at;
		}
		bridge_set_timer(bridge->typing_timer, BRIDGE_TYPING_MS);
	}
	if (at < len)
		bridge_collect(bridge, bytes + at, len - at);
	return len;
}

/* Reference: network notes, section 4: the buffer is the larger of flush_count and
 * rx_bufsize. What the stream takes at once is not kept, so it may be more. */
size_t
bridge_room(const struct bridge *bridge)
{
	size_t have = evbuffer_get_length(bridge->up), size = CONSOLE_READ_SIZE;

	for (; bridge->stream != NULL && size > bridge->receive_max; size /= 2) {
		if (net_stream_has_room(bridge->stream, have + size))
			return size;
	}
	return have < bridge->receive_max ? bridge->receive_max - have : 1;
}

/* Moves what the stream has to the port, as long as the port takes it, which one that
 * is away does without end. */
static void
bridge_pull(struct bridge *bridge)
{
	char bytes[BRIDGE_READ_SIZE];
	ssize_t n = sizeof bytes;
	size_t moved = 0;

	if (!bridge->running || bridge->stream == NULL)
		return;
	while (n == sizeof bytes && moved < BRIDGE_PULL_MAX &&
	       console_port_waiting(bridge->port) == 0) {
		n = bridge->stream->ops->read(bridge->stream, bytes, sizeof bytes);
		if (n > 0) {
			console_port_write(bridge->port, bytes, (size_t)n);
			moved += (size_t)n;
		}
	}
	if (moved >= BRIDGE_PULL_MAX)
		bridge_set_timer(bridge->more, 0);
	if (bridge->ended && n < (ssize_t)sizeof bytes)
		event_active(bridge->closer, EV_TIMEOUT, 0);
	pins_follow(bridge_module(bridge));
}

void
bridge_sent(struct bridge *bridge)
{
	bridge_pull(bridge);
}

static void
bridge_pull_more(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bridge_pull(arg);
}

/* Takes the first of the streams that can be bridged. */
static void
bridge_look_for_stream(struct bridge *bridge)
{
	for (int handle = 0; handle < STREAM_MAX && bridge->stream == NULL; handle++) {
		struct stream *stream =
		    stream_get(bridge_module(bridge)->streams, handle);

		if (stream != NULL)
			bridge_offer(bridge, stream);
	}
}

static void
bridge_close_stream(evutil_socket_t fd, short what, void *arg)
{
	struct bridge *bridge = arg;

	(void)fd;
	(void)what;
	if (bridge->running && bridge->stream != NULL &&
	    bridge->stream->ops->poll(bridge->stream) == STREAM_CLOSED)
		stream_close(bridge_module(bridge)->streams, bridge->stream->handle);
	if (bridge->running)
		bridge_look_for_stream(bridge);
}

static void
bridge_told(struct stream_watch *watch, struct stream *stream, enum stream_event event)
{
	struct bridge *bridge = (struct bridge *)watch;

	(void)stream;
	switch (event) {
	case STREAM_EVENT_END:
		bridge->ended = true;
		bridge_pull(bridge);
		break;
	case STREAM_EVENT_DATA:
		bridge_pull(bridge);
		break;
	case STREAM_EVENT_ROOM:
		if (evbuffer_get_length(bridge->up) > 0)
			bridge_flush(bridge);
		break;
	case STREAM_EVENT_FREE:
		bridge->stream = NULL;
		bridge_flush(bridge);
		event_active(bridge->closer, EV_TIMEOUT, 0);
		break;
	}
}

void
bridge_offer(struct bridge *bridge, struct stream *stream)
{
	if (!bridge->running || bridge->stream != NULL ||
	    stream->ops->kind == STREAM_KIND_TEXT ||
	    stream->ops->kind == STREAM_KIND_FILE ||
	    stream->ops->kind == STREAM_KIND_HTTP ||
	    stream->ops->kind == STREAM_KIND_HTTP_CLIENT)
		return;
	bridge->stream = stream;
	bridge->ended = false;
	stream_watch(stream, &bridge->watch);
	bridge_pull(bridge);
}

void
bridge_start(struct bridge *bridge)
{
	const struct module *module = bridge_module(bridge);
	const char *sequence = variable_text(module, "bus.stream.cmd_seq");

	bridge->running = true;
	bridge->matched = 0;
	bridge->last_input_ms = clock_monotonic_ms();
	bridge->sequence_len = strlen(sequence);
	if (bridge->sequence_len >= sizeof bridge->sequence)
		bridge->sequence_len = 0;
	memcpy(bridge->sequence, sequence, bridge->sequence_len);
	bridge->flush_count = (size_t)variable_number(module, "bus.stream.flush_count");
	if (bridge->flush_count < bridge->sequence_len)
		bridge->flush_count = bridge->sequence_len;
	bridge->receive_max = (size_t)variable_number(module, "bus.command.rx_bufsize");
	if (bridge->receive_max < bridge->flush_count)
		bridge->receive_max = bridge->flush_count;
	bridge->flush_ms = (unsigned)variable_number(module, "bus.stream.flush_time");
	bridge->flush_reset = variable_is_on(module, "bus.stream.flush_reset");
	if (bridge->stream == NULL)
		bridge_look_for_stream(bridge);
	else
		bridge_pull(bridge);
}

void
bridge_stop(struct bridge *bridge)
{
	bridge->running = false;
	bridge->matched = 0;
	event_del(bridge->flush_timer);
	event_del(bridge->typing_timer);
	console_port_hold(bridge->port, false);
}

struct bridge *
bridge_new(struct console_port *port)
{
	struct event_base *base = port->session.module->base;
	struct bridge *bridge = xcalloc(1, sizeof *bridge);

	bridge->port = port;
	bridge->watch.told = bridge_told;
	bridge->up = xcheck(evbuffer_new());
	bridge->flush_timer =
	    xcheck(event_new(base, -1, 0, bridge_flush_timer, bridge));
	bridge->typing_timer =
	    xcheck(event_new(base, -1, 0, bridge_typing_timer, bridge));
	bridge->more = xcheck(event_new(base, -1, 0, bridge_pull_more, bridge));
	bridge->closer = xcheck(event_new(base, -1, 0, bridge_close_stream, bridge));
	return bridge;
}

void
bridge_free(struct bridge *bridge)
{
	if (bridge == NULL)
		return;
	if (bridge->stream != NULL)
		stream_unwatch(bridge->stream, &bridge->watch);
	event_free(bridge->flush_timer);
	event_free(bridge->typing_timer);
	event_free(bridge->more);
	event_free(bridge->closer);
	evbuffer_free(bridge->up);
	free(bridge);
}
