#include "service/ioconn.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/net.h"
#include "core/pins.h"
#include "core/variable.h"
#include "stream/stream.h"

/* Reference: variable notes, ioconn. Chosen, where only the names are on record: the
 * connection is wanted while the control pin is high, or always without such a pin; one
 * that fails or that the peer ends is opened again when the pin rises the next time, or
 * with the network; the status pin is high while it is open. */

struct ioconn {
	struct gpio_watch pins;
	struct stream_watch stream_watch;
	struct module *module; /* borrowed */
	struct net_open *open; /* its own; NULL: none under way */
	struct stream *stream; /* borrowed; NULL: not open */
	struct event *look; /* owned; follows the pin; NULL while stopped */
	bool is_wanted; /* as the pin said last */
};

static const struct {
	const char *word;
	enum net_protocol protocol;
} ioconn_protocols[] = { { "tcp", NET_TCP }, { "tls", NET_TLS }, { "udp", NET_UDP } };

static void
ioconn_show(const struct ioconn *self)
{
	pins_show(self->module, PIN_IOCONN_STATUS, self->stream != NULL);
}

static void
ioconn_told(struct stream_watch *watch, struct stream *stream, enum stream_event event)
{
	struct ioconn *self =
	    (struct ioconn *)((char *)watch - offsetof(struct ioconn, stream_watch));

	(void)stream;
	if (event == STREAM_EVENT_END) {
		pins_show(self->module, PIN_IOCONN_STATUS, false);
	} else if (event == STREAM_EVENT_FREE) {
		self->stream = NULL;
		ioconn_show(self);
	}
}

static void
ioconn_opened(void *arg, int handle)
{
	struct ioconn *self = arg;

	self->open = NULL;
	self->stream = stream_get(self->module->streams, handle);
	if (self->stream != NULL)
		stream_watch(self->stream, &self->stream_watch);
	ioconn_show(self);
}

static void
ioconn_open(struct ioconn *self)
{
	struct module *module = self->module;
	const char *protocol = variable_text(module, "ioconn.protocol");
	struct net_target target = {
		.host = variable_text(module, "ioconn.remote_host"),
		.port = (uint16_t)variable_number(module, "ioconn.remote_port"),
		.local_port = (uint16_t)variable_number(module, "ioconn.local_port"),
	};

	if (*target.host == '\0')
		return;
	for (size_t i = 0; i < sizeof ioconn_protocols / sizeof ioconn_protocols[0];
	     i++) {
		if (strcmp(ioconn_protocols[i].word, protocol) != 0)
			continue;
		target.protocol = ioconn_protocols[i].protocol;
		self->open = net_open_start(module, &target, ioconn_opened, self);
		return;
	}
}

static void
ioconn_close(struct ioconn *self)
{
	if (self->open != NULL)
		net_open_cancel(self->open);
	self->open = NULL;
	if (self->stream != NULL)
		stream_close(self->module->streams, self->stream->handle);
}

static void
ioconn_look(evutil_socket_t fd, short what, void *arg)
{
	struct ioconn *self = arg;
	bool is_wanted = pins_find(self->module, PIN_IOCONN_CONTROL) == -1 ||
			 pins_is_high(self->module, PIN_IOCONN_CONTROL);

	(void)fd;
	(void)what;
	if (is_wanted == self->is_wanted)
		return;
	self->is_wanted = is_wanted;
	if (!is_wanted)
		ioconn_close(self);
	else if (self->open == NULL && self->stream == NULL)
		ioconn_open(self);
}

/* Any pin: the variable may just have named another one. Streams are not closed from
 * inside this call. */
static void
ioconn_pins_told(struct gpio_watch *watch, unsigned pin)
{
	struct ioconn *self =
	    (struct ioconn *)((char *)watch - offsetof(struct ioconn, pins));

	(void)pin;
	event_active(self->look, EV_TIMEOUT, 0);
}

static void
ioconn_start(void *arg)
{
	struct ioconn *self = arg;
	struct module *module = self->module;

	if (self->look != NULL || !variable_is_on(module, "ioconn.enabled"))
		return;
	self->is_wanted = false;
	self->look = xcheck(event_new(module->base, -1, 0, ioconn_look, self));
	gpio_watch(pins_gpio(module), &self->pins);
	ioconn_look(-1, 0, self);
}

static void
ioconn_stop(void *arg)
{
	struct ioconn *self = arg;

	if (self->look == NULL)
		return;
	gpio_unwatch(pins_gpio(self->module), &self->pins);
	event_free(self->look);
	self->look = NULL;
	ioconn_close(self);
}

static void
ioconn_free(void *arg)
{
	free(arg);
}

static const struct service_ops ioconn_ops = {
	.name = "ioconn",
	.interface = "network.default_interface",
	.start = ioconn_start,
	.stop = ioconn_stop,
	.free = ioconn_free,
};

void
ioconn_attach(struct module *module)
{
	struct ioconn *self = xcalloc(1, sizeof *self);

	self->module = module;
	self->pins.told = ioconn_pins_told;
	self->stream_watch.told = ioconn_told;
	module_add_service(module, &ioconn_ops, self);
}
