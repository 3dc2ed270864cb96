#include "service/broadcast.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/module.h"
#include "core/network.h"
#include "core/powersave.h"
#include "core/variable.h"
#include "service/announcement.h"
#include "service/broadcast_post.h"
#include "stream/datagram.h"

struct broadcast_service {
	struct module *module; /* borrowed */
	struct event *timer; /* owned; NULL: not running */
	unsigned interval_s;
	int64_t due_ms; /* when the timer is */
	struct broadcast_post *post; /* owned; NULL: not running */
	bool has_failed; /* and this is logged */
};

/* The interface that is told of: the one that is named, or any that is up. */
static enum network_interface
broadcast_interface(const struct module *module)
{
	enum network_interface named =
	    network_interface_of(module, "broadcast.interface");
	enum network_interface other =
	    named == NETWORK_WLAN ? NETWORK_SOFTAP : NETWORK_WLAN;

	return network_state(module, named) != NETWORK_UP &&
		       network_state(module, other) == NETWORK_UP
		   ? other
		   : named;
}

static bool
broadcast_is_loopback(struct in_addr address)
{
	return ntohl(address.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

/* A socket that sends from the module's address; from any that leads there when that
 * one does not leave this host. */
static int
broadcast_open_port(const struct module *module, struct in_addr to, uint16_t port)
{
	struct in_addr address;

	address = network_bound_address(module, broadcast_interface(module));
	if (broadcast_is_loopback(address) && !broadcast_is_loopback(to) &&
	    to.s_addr != htonl(INADDR_BROADCAST))
		address.s_addr = htonl(INADDR_ANY);
	return datagram_open(address, port, true);
}

/* Chosen: the source port is that of the destination, as modules of later firmware have
 * it, where nobody on this host listens on that; any other one where somebody does. The
 * socket is there for one announcement only, so that it keeps nobody from listening. */
static int
broadcast_open(const struct module *module, const struct sockaddr_in *to)
{
	uint16_t port = settings_host_port(&module->own->network, ntohs(to->sin_port));
	int fd = broadcast_open_port(module, to->sin_addr, port);

	return fd == -1 ? broadcast_open_port(module, to->sin_addr, 0) : fd;
}

/* 0, or -1 and errno. */
static int
broadcast_send(const struct module *module, const void *text, size_t len)
{
	uint16_t port = (uint16_t)variable_number(module, "broadcast.udp.port");
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, saved_errno;
	ssize_t n;

	inet_pton(AF_INET, variable_text(module, "broadcast.udp.ip"), &to.sin_addr);
	fd = broadcast_open(module, &to);
	if (fd == -1)
		return -1;
	n = sendto(
	    fd, text, len, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return n == -1 ? -1 : 0;
}

static void
broadcast_tick(evutil_socket_t fd, short what, void *arg)
{
	struct broadcast_service *self = arg;
	struct evbuffer *out = xcheck(evbuffer_new());
	const unsigned char *text;
	struct timeval wait;
	bool has_failed;
	size_t len;

	(void)fd;
	(void)what;
	wait = powersave_wait(self->module, self->interval_s * 1000, &self->due_ms);
	event_add(self->timer, &wait);
	announcement_write(self->module, broadcast_interface(self->module), out);
	text = evbuffer_pullup(out, -1);
	len = evbuffer_get_length(out);
	activity_note(self->module, broadcast_interface(self->module), ACTIVITY_TX);
	has_failed = broadcast_send(self->module, text, len) == -1;
	if (has_failed && !self->has_failed)
		log_msg(LOG_NOTICE, self->module->own->name,
		    "announcements cannot be sent: %s", strerror(errno));
	self->has_failed = has_failed;
	broadcast_post_send(self->post, text, len);
	evbuffer_free(out);
}

/* The first one goes out at once. */
static void
broadcast_start(void *arg)
{
	struct broadcast_service *self = arg;

	self->due_ms = 0;
	self->interval_s =
	    (unsigned)variable_number(self->module, "broadcast.interval");
	if (self->interval_s == 0)
		return;
	self->post = broadcast_post_new(self->module);
	self->timer =
	    xcheck(event_new(self->module->base, -1, 0, broadcast_tick, self));
	event_active(self->timer, EV_TIMEOUT, 0);
}

static void
broadcast_stop(void *arg)
{
	struct broadcast_service *self = arg;

	if (self->timer != NULL)
		event_free(self->timer);
	self->timer = NULL;
	broadcast_post_free(self->post);
	self->post = NULL;
	self->has_failed = false;
}

static void
broadcast_free(void *arg)
{
	free(arg);
}

static const struct service_ops broadcast_ops = {
	.name = "broadcast",
	.interface = "broadcast.interface",
	.takes_any = true,
	.start = broadcast_start,
	.stop = broadcast_stop,
	.free = broadcast_free,
};

void
broadcast_attach(struct module *module)
{
	struct broadcast_service *self = xcalloc(1, sizeof *self);

	self->module = module;
	module_add_service(module, &broadcast_ops, self);
}
