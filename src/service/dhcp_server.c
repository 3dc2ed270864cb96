#include "service/dhcp_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/module.h"
#include "core/variable.h"
#include "link/dhcp_server.h"
#include "stream/datagram.h"

#define DHCP_LEASE_S 3600 /* Chosen: no source tells the module's */
#define DHCP_DATAGRAMS_A_TURN 32 /* so that a flood leaves the loop to others */
#define DHCP_SAVE_MS 1000 /* after a change; more of them are saved together */
#define DHCP_TELL_MS 60000 /* between two lines on answers that cannot be sent */
#define DHCP_FILE_MAX (64u * 1024) /* bytes of the file of bindings */

struct dhcp_service {
	struct module *module; /* borrowed */
	struct dhcp_server *server; /* owned; NULL: not running */
	struct listener listener;
	int fd; /* owned; -1: none */
	struct event *readable; /* owned; NULL: none */
	struct event *save; /* owned; NULL before the first change */
	int64_t tell_at_ms; /* the next line on answers that cannot be sent */
	unsigned long unsent; /* answers since the last one */
};

static char *
dhcp_service_path(const struct dhcp_service *self)
{
	return xasprintf("%s/dhcp.json", self->module->directory);
}

/* What is kept of a binding is the time that it had left: while no zentrid ran it did
 * not pass, so that an address is never given twice. */
static json_t *
dhcp_service_bindings(const struct dhcp_service *self)
{
	char mac[MAC_TEXT_SIZE], address[INET_ADDRSTRLEN];
	int64_t now_ms = clock_monotonic_ms();
	json_t *bindings = json_array();
	struct dhcp_binding binding;
	size_t position = 0;

	while (dhcp_server_binding_next(self->server, &position, now_ms, &binding)) {
		mac_format(mac, binding.mac);
		inet_ntop(AF_INET, &binding.address, address, sizeof address);
		json_array_append_new(bindings,
		    json_pack("{s:s, s:s, s:I}", "mac", mac, "address", address,
			"seconds",
			(json_int_t)((binding.until_ms - now_ms + 999) / 1000)));
	}
	return bindings;
}

/* Chosen: not durable at a power cut; clients tell what they have. */
static void
dhcp_service_save(evutil_socket_t fd, short what, void *arg)
{
	const struct dhcp_service *self = arg;
	char *path = dhcp_service_path(self), *text;
	json_t *root = json_pack("{s:o}", "bindings", dhcp_service_bindings(self));

	(void)fd;
	(void)what;
	text = json_dumps(root, JSON_INDENT(2));
	if (text == NULL || file_replace(path, text, strlen(text), 0600, false) == -1)
		log_msg(LOG_ERR, self->module->own->name, "cannot write %s: %s", path,
		    strerror(errno));
	free(text);
	json_decref(root);
	free(path);
}

static void
dhcp_service_changed(void *arg)
{
	static const struct timeval soon = { .tv_usec = DHCP_SAVE_MS % 1000 * 1000,
		.tv_sec = DHCP_SAVE_MS / 1000 };
	struct dhcp_service *self = arg;

	if (self->save == NULL)
		self->save = xcheck(
		    event_new(self->module->base, -1, 0, dhcp_service_save, self));
	if (!event_pending(self->save, EV_TIMEOUT, NULL))
		event_add(self->save, &soon);
}

static void
dhcp_service_restore(struct dhcp_service *self, json_t *entry)
{
	const char *mac, *address;
	struct dhcp_binding binding;
	json_int_t seconds;

	if (json_unpack(entry, "{s:s, s:s, s:I}", "mac", &mac, "address", &address,
		"seconds", &seconds) == -1 ||
	    mac_parse(mac, binding.mac) == -1 ||
	    inet_pton(AF_INET, address, &binding.address) != 1 || seconds <= 0 ||
	    seconds > DHCP_LEASE_S)
		return;
	binding.until_ms = clock_monotonic_ms() + seconds * 1000;
	/* It has no place when the soft AP has another address by now. */
	dhcp_server_restore(self->server, &binding);
}

static void
dhcp_service_load(struct dhcp_service *self)
{
	char *path = dhcp_service_path(self), *text;
	json_t *root = NULL, *entry;
	size_t len = 0, i;

	text = file_read(path, DHCP_FILE_MAX, &len);
	if (text != NULL)
		root = json_loadb(text, len, 0, NULL);
	if (root != NULL) {
		json_array_foreach (json_object_get(root, "bindings"), i, entry)
			dhcp_service_restore(self, entry);
	} else if (text != NULL || errno != ENOENT) {
		log_msg(LOG_WARNING, self->module->own->name,
		    "%s cannot be read and is not used", path);
	}
	json_decref(root);
	free(text);
	free(path);
}

/* Whoever asks in somebody else's name is not to fill the log. */
static void
dhcp_service_not_sent(struct dhcp_service *self)
{
	int64_t now_ms = clock_monotonic_ms();

	self->unsent++;
	if (now_ms < self->tell_at_ms)
		return;
	log_msg(LOG_INFO, self->module->own->name, "dhcp: %lu answer%s not sent: %s",
	    self->unsent, self->unsent == 1 ? "" : "s", strerror(errno));
	self->tell_at_ms = now_ms + DHCP_TELL_MS;
	self->unsent = 0;
}

/* The answer goes back to where the message came from, which may be any port of this
 * host, unless the client has no address so far: then all get it. */
static void
dhcp_service_send(struct dhcp_service *self, const struct dhcp_reply *reply,
    const struct sockaddr_in *from)
{
	struct sockaddr_in to = *from;

	if (to.sin_addr.s_addr == htonl(INADDR_ANY))
		to.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	activity_note(self->module, NETWORK_SOFTAP, ACTIVITY_TX);
	if (sendto(self->fd, reply->bytes, reply->len, MSG_NOSIGNAL,
		(const struct sockaddr *)&to, sizeof to) == -1)
		dhcp_service_not_sent(self);
}

static void
dhcp_service_readable(evutil_socket_t fd, short what, void *arg)
{
	uint8_t bytes[DHCP_PACKET_MAX + 1]; /* one more shows what is too long */
	struct dhcp_service *self = arg;
	struct dhcp_reply reply;

	(void)what;
	for (int i = 0; i < DHCP_DATAGRAMS_A_TURN; i++) {
		struct sockaddr_in from;
		socklen_t from_len = sizeof from;
		ssize_t n = recvfrom(
		    fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_len);

		if (n == -1)
			break;
		activity_note(self->module, NETWORK_SOFTAP, ACTIVITY_RX);
		if (dhcp_server_answer(
			self->server, bytes, (size_t)n, clock_monotonic_ms(), &reply))
			dhcp_service_send(self, &reply, &from);
	}
}

/* Without the port, modules on the simulated air still get addresses. */
static void
dhcp_service_open(struct dhcp_service *self)
{
	struct module *module = self->module;
	struct in_addr address;

	listener_set(&self->listener, module, "dhcp_server", "udp", DHCP_SERVER_PORT);
	address = network_bound_address(module, NETWORK_SOFTAP);
	self->fd = datagram_open_for_all(address, self->listener.port);
	if (self->fd == -1) {
		listener_log_failure(&self->listener, module);
		return;
	}
	self->readable = xcheck(event_new(
	    module->base, self->fd, EV_READ | EV_PERSIST, dhcp_service_readable, self));
	event_add(self->readable, NULL);
	listener_show(&self->listener, module, self->fd);
}

static void
dhcp_service_start(void *arg)
{
	struct dhcp_service *self = arg;
	const struct module *module = self->module;
	struct dhcp_server_options options = {
		.lease_s = DHCP_LEASE_S, .changed = dhcp_service_changed, .arg = self
	};

	if (module->setup == NULL &&
	    !variable_is_on(module, "softap.dhcp_server.enabled"))
		return;
	inet_pton(AF_INET, variable_text(module, "softap.static.ip"), &options.address);
	inet_pton(
	    AF_INET, variable_text(module, "softap.static.netmask"), &options.netmask);
	if (module->setup != NULL ||
	    variable_is_on(module, "softap.dns_server.enabled"))
		options.name_server = options.address;
	self->server = dhcp_server_new(&options);
	dhcp_service_load(self);
	self->module->dhcp_server = self->server;
	dhcp_service_open(self);
}

static void
dhcp_service_stop(void *arg)
{
	struct dhcp_service *self = arg;

	if (self->readable != NULL) {
		listener_hide(&self->listener);
		event_free(self->readable);
		close(self->fd);
	}
	self->readable = NULL;
	self->fd = -1;
	if (self->save != NULL) {
		if (event_pending(self->save, EV_TIMEOUT, NULL))
			dhcp_service_save(-1, 0, self);
		event_free(self->save);
	}
	self->save = NULL;
	dhcp_server_free(self->server);
	self->server = self->module->dhcp_server = NULL;
}

static void
dhcp_service_free(void *arg)
{
	free(arg);
}

static const struct service_ops dhcp_service_ops = {
	.name = "dhcp_server",
	.interface = "softap",
	.start = dhcp_service_start,
	.stop = dhcp_service_stop,
	.free = dhcp_service_free,
};

void
dhcp_server_attach(struct module *module)
{
	struct dhcp_service *self = xcalloc(1, sizeof *self);

	self->module = module;
	self->fd = -1;
	module_add_service(module, &dhcp_service_ops, self);
}
