#include "service/mdns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/words.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/module.h"
#include "core/variable.h"
#include "device/host_address.h"
#include "link/mdns_responder.h"
#include "stream/multicast.h"

/* Chosen: how many digits of the MAC, its last ones, one '#' at the end of mdns.name
 * stands for; more of them stand for one digit each. */
#define MDNS_DIGITS 3
#define MDNS_DIGITS_MAX (2 * MAC_OCTETS)

struct mdns_service {
	struct module *module; /* borrowed */
	struct multicast *multicast; /* owned; NULL: not running */
	struct mdns_responder *responder; /* owned; NULL: not running */
	struct event *timer; /* owned; what it does next; NULL: not running */
	struct listener listener;
	struct host_address host; /* the address that the module is found at */
	bool is_stale; /* other listeners are open than those that are announced */
	bool has_failed; /* to send, and this is logged */
};

/* What mdns.service may name. Chosen: all but "http", the one word on record; others
 * announce nothing. With TLS the web server is another service, which clients that look
 * for the plain one could not talk to. */
static const struct mdns_word {
	const char *word;
	const char *service, *scheme; /* of the listener */
	const char *type;
	const char *path; /* NULL: it has none */
} mdns_words[] = {
	{ "http", "http", "http", "_http._tcp", "path=/" },
	{ "http", "http", "https", "_https._tcp", "path=/" },
	{ "telnet", "remote_terminal", "tcp", "_telnet._tcp", NULL },
};

/* The label that mdns.name asks for. */
static void
mdns_service_label(const struct module *module, char label[MDNS_LABEL_MAX + 1])
{
	const char *name = variable_text(module, "mdns.name");
	int len = (int)strcspn(name, "#"), digits = (int)strlen(name) - len;
	char hex[MDNS_DIGITS_MAX + 1] = "";
	uint8_t mac[MAC_OCTETS];

	if (digits == 1)
		digits = MDNS_DIGITS;
	if (digits > MDNS_DIGITS_MAX)
		digits = MDNS_DIGITS_MAX;
	if (len > MDNS_LABEL_MAX - digits)
		len = MDNS_LABEL_MAX - digits;
	if (mac_parse(module->mac, mac) == 0)
		snprintf(hex, sizeof hex, "%02X%02X%02X%02X%02X%02X", mac[0], mac[1],
		    mac[2], mac[3], mac[4], mac[5]);
	snprintf(label, MDNS_LABEL_MAX + 1, "%.*s%s", len, name,
	    hex + strlen(hex) - (hex[0] == '\0' ? 0 : (size_t)digits));
}

/* The listener of a word, on the address that is announced; NULL: not open there. */
static const struct listener *
mdns_service_listener(const struct mdns_service *self, const struct mdns_word *word)
{
	const struct listener *listener;

	TAILQ_FOREACH (listener, &self->module->listeners, entry) {
		if (strcmp(listener->service, word->service) == 0 &&
		    strcmp(listener->scheme, word->scheme) == 0 &&
		    strcmp(listener->address, self->listener.address) == 0)
			break;
	}
	return listener;
}

static void
mdns_service_describe(const struct mdns_service *self, const struct mdns_word *word,
    uint16_t port, struct mdns_offer *offer)
{
	const struct module *module = self->module;
	unsigned i = 0;

	memset(offer, 0, sizeof *offer);
	offer->port = port;
	snprintf(offer->type, sizeof offer->type, "%s", word->type);
	if (word->path != NULL)
		snprintf(offer->texts[i++], sizeof offer->texts[0], "%s", word->path);
	snprintf(offer->texts[i++], sizeof offer->texts[0], "mac=%s", module->mac);
	snprintf(offer->texts[i], sizeof offer->texts[0], "version=%s",
	    module_version(module));
}

/* Announces those listeners that mdns.service names, as they are now. */
static void
mdns_service_offer(struct mdns_service *self, int64_t now_ms)
{
	const char *wanted = variable_text(self->module, "mdns.service");
	struct mdns_offer offers[MDNS_OFFERS_MAX];
	unsigned count = 0;

	self->is_stale = false;
	for (size_t i = 0; i < sizeof mdns_words / sizeof mdns_words[0]; i++) {
		const struct listener *listener =
		    mdns_service_listener(self, &mdns_words[i]);

		if (listener != NULL && count < MDNS_OFFERS_MAX &&
		    words_have(wanted, mdns_words[i].word))
			mdns_service_describe(
			    self, &mdns_words[i], listener->port, &offers[count++]);
	}
	mdns_responder_offer(self->responder, offers, count, now_ms);
}

static void
mdns_service_schedule(struct mdns_service *self)
{
	int64_t ms = mdns_responder_next_ms(self->responder);
	struct timeval pause = { 0 };

	if (!self->is_stale && ms == INT64_MAX) {
		event_del(self->timer);
		return;
	}
	ms = self->is_stale ? 0 : ms - clock_monotonic_ms();
	if (ms > 0) {
		pause.tv_sec = (time_t)(ms / 1000);
		pause.tv_usec = (suseconds_t)(ms % 1000) * 1000;
	}
	event_add(self->timer, &pause);
}

static void
mdns_service_tick(evutil_socket_t fd, short what, void *arg)
{
	struct mdns_service *self = arg;
	int64_t now_ms = clock_monotonic_ms();

	(void)fd;
	(void)what;
	if (self->is_stale)
		mdns_service_offer(self, now_ms);
	mdns_responder_tick(self->responder, now_ms);
	mdns_service_schedule(self);
}

static void
mdns_service_received(void *arg, const uint8_t *bytes, size_t len,
    const struct sockaddr_in *from, bool to_group)
{
	struct mdns_service *self = arg;
	const struct host_address *host = &self->host;
	const struct mdns_peer peer = { .from = *from,
		.to_group = to_group,
		.is_near = ((from->sin_addr.s_addr ^ host->ip.s_addr) &
			       host->netmask.s_addr) == 0 };

	activity_note(
	    self->module, service_interface(self->module, "mdns"), ACTIVITY_RX);
	mdns_responder_receive(
	    self->responder, bytes, len, &peer, clock_monotonic_ms());
	mdns_service_schedule(self);
}

static void
mdns_service_send(
    void *arg, const uint8_t *bytes, size_t len, const struct sockaddr_in *to)
{
	struct mdns_service *self = arg;
	bool has_failed = multicast_send(self->multicast, bytes, len, to) == -1;

	activity_note(
	    self->module, service_interface(self->module, "mdns"), ACTIVITY_TX);
	if (has_failed && !self->has_failed)
		log_msg(LOG_NOTICE, self->module->own->name, "mdns: cannot send: %s",
		    strerror(errno));
	self->has_failed = has_failed;
}

/* Chosen: told by the line that told the name, since no other is on record. */
static void
mdns_service_renamed(void *arg, const char *label)
{
	const struct mdns_service *self = arg;

	event_emit(self->module, EVENT_PROGRESS, "mDNS domain: %s.local", label);
}

static uint32_t
mdns_service_random(void *arg)
{
	uint32_t number;

	(void)arg;
	evutil_secure_rng_get_bytes(&number, sizeof number);
	return number;
}

static const struct mdns_responder_ops mdns_service_responder_ops = {
	.send = mdns_service_send,
	.renamed = mdns_service_renamed,
	.random = mdns_service_random,
};

static int
mdns_service_open(struct mdns_service *self)
{
	struct module *module = self->module;
	struct multicast_options options = { .port = 0 };

	listener_set(&self->listener, module, "mdns", "udp", MDNS_PORT);
	options.address =
	    network_bound_address(module, service_interface(module, "mdns"));
	host_address_describe(&self->host, options.address);
	options.near = self->host.ip;
	inet_pton(AF_INET, MDNS_GROUP, &options.group);
	options.port = self->listener.port;
	self->multicast =
	    multicast_open(module->base, &options, mdns_service_received, self);
	return self->multicast == NULL ? -1 : 0;
}

static void
mdns_service_start(void *arg)
{
	struct mdns_service *self = arg;
	struct module *module = self->module;
	struct mdns_responder_options options;
	char label[MDNS_LABEL_MAX + 1];

	if (!variable_is_on(module, "mdns.enabled"))
		return;
	event_emit(module, EVENT_PROGRESS, "Starting mDNS");
	if (mdns_service_open(self) == -1) {
		event_emit(module, EVENT_PROGRESS, "mDNS failed: %s", strerror(errno));
		listener_log_failure(&self->listener, module);
		return;
	}
	mdns_service_label(module, label);
	options.label = label;
	options.address = self->host.ip;
	options.port = multicast_port(self->multicast);
	self->responder = mdns_responder_new(
	    &options, &mdns_service_responder_ops, self, clock_monotonic_ms());
	self->timer = xcheck(event_new(module->base, -1, 0, mdns_service_tick, self));
	/* The web server opens on this turn of the loop. */
	self->is_stale = true;
	mdns_service_schedule(self);
	listener_show(&self->listener, module, multicast_fd(self->multicast));
	event_emit(module, EVENT_PROGRESS, "mDNS domain: %s.local", label);
}

static void
mdns_service_stop(void *arg)
{
	struct mdns_service *self = arg;

	if (self->responder == NULL)
		return;
	mdns_responder_goodbye(self->responder);
	mdns_responder_free(self->responder);
	self->responder = NULL;
	listener_hide(&self->listener);
	event_free(self->timer);
	self->timer = NULL;
	multicast_close(self->multicast);
	self->multicast = NULL;
	self->has_failed = false;
}

static void
mdns_service_listeners(void *arg)
{
	struct mdns_service *self = arg;

	if (self->responder == NULL)
		return;
	self->is_stale = true;
	mdns_service_schedule(self);
}

static void
mdns_service_free(void *arg)
{
	free(arg);
}

/* Chosen: over the interface of the web server, which is what it announces; the record
 * names no variable of its own. */
static const struct service_ops mdns_service_ops = {
	.name = "mdns",
	.interface = "http.server.interface",
	.serves_setup = true,
	.start = mdns_service_start,
	.stop = mdns_service_stop,
	.listeners = mdns_service_listeners,
	.free = mdns_service_free,
};

void
mdns_attach(struct module *module)
{
	struct mdns_service *self;

	if (!variable_exists(module, "mdns.enabled"))
		return;
	self = xcalloc(1, sizeof *self);
	self->module = module;
	module_add_service(module, &mdns_service_ops, self);
}
