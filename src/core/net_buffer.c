#include "core/net.h"

#include <errno.h>

#include "core/net_state.h"
#include "core/variable.h"

/* Chosen: neither direction has less than a packet, so that no ratio makes a module
 * deaf or dumb. */
#define NET_BUFFER_LEAST 1500

static const char net_buffer_size[] = "network.buffer.size";

void
net_boot(struct module *module)
{
	size_t size, receive;

	if (!variable_exists(module, net_buffer_size))
		return;
	size = (size_t)variable_number(module, net_buffer_size);
	receive =
	    size * (size_t)variable_number(module, "network.buffer.rxtx_ratio") / 100;
	if (receive > size - NET_BUFFER_LEAST)
		receive = size - NET_BUFFER_LEAST;
	if (receive < NET_BUFFER_LEAST)
		receive = NET_BUFFER_LEAST;
	if (net_get(module)->buffer == NULL)
		module->net->buffer = packet_buffer_new(module->base);
	packet_buffer_limit(module->net->buffer, receive, size - receive);
}

struct stream_held
net_buffer_used(const struct module *module)
{
	static const struct stream_held none;

	return module->net == NULL || module->net->buffer == NULL
		   ? none
		   : packet_buffer_used(module->net->buffer);
}

bool
net_stream_has_room(const struct stream *stream, size_t len)
{
	return packet_buffer_takes(stream, len) && stream->ops->has_room(stream, len);
}

ssize_t
net_stream_write(
    struct module *module, struct stream *stream, const void *buf, size_t len)
{
	ssize_t n;

	/* One at its end says so itself. */
	if (!stream->has_ended && !packet_buffer_takes(stream, len)) {
		errno = EAGAIN;
		return -1;
	}
	n = stream->ops->write(stream, buf, len);
	if (n > 0)
		net_note(module, stream, ACTIVITY_TX);
	return n;
}
