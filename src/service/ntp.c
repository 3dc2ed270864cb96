#include "service/ntp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/module.h"
#include "core/net.h"
#include "core/variable.h"
#include "service/ntp_packet.h"
#include "stream/datagram.h"

#define NTP_PORT 123
#define NTP_ANSWER_MS 2000 /* that a question waits for its answer */
#define NTP_RETRY_FIRST_S 4 /* after a failure; doubled each time, up to: */
#define NTP_RETRY_MOST_S 256
#define NTP_DATAGRAMS_A_QUESTION 16 /* strangers' that are passed over */

struct ntp_service {
	struct module *module; /* borrowed */
	struct net_lookup *lookup; /* its own; NULL: none under way */
	struct event *timer; /* owned; the next question, or the end of this one */
	struct event *readable; /* owned, with its socket; NULL: no question is open */
	char host[NET_HOST_MAX + 1];
	uint16_t port;
	uint64_t nonce;
	int64_t asked_us;
	unsigned strangers; /* datagrams passed over */
	unsigned retry_s; /* 0: the last question was answered */
};

static void
ntp_schedule(struct ntp_service *self, unsigned ms)
{
	struct timeval pause = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(self->timer, &pause);
}

/* The question is answered or given up. */
static void
ntp_close(struct ntp_service *self)
{
	evutil_socket_t fd;

	if (self->readable == NULL)
		return;
	fd = event_get_fd(self->readable);
	event_free(self->readable);
	close(fd);
	self->readable = NULL;
}

/* Asks again soon, and less often each time. The first failure is logged. */
static void
ntp_failed(struct ntp_service *self, const char *why)
{
	log_msg(self->retry_s == 0 ? LOG_NOTICE : LOG_INFO, self->module->own->name,
	    "ntp: %s: %s; it is asked again", self->host, why);
	ntp_close(self);
	self->retry_s = self->retry_s == 0 ? NTP_RETRY_FIRST_S : self->retry_s * 2;
	if (self->retry_s > NTP_RETRY_MOST_S)
		self->retry_s = NTP_RETRY_MOST_S;
	ntp_schedule(self, self->retry_s * 1000);
}

static void
ntp_done(struct ntp_service *self, unsigned intervals)
{
	ntp_close(self);
	self->retry_s = 0;
	ntp_schedule(self,
	    intervals * (unsigned)variable_number(self->module, "ntp.interval") * 1000);
}

static void
ntp_judge(struct ntp_service *self, enum ntp_verdict verdict, int64_t utc_us)
{
	const char *name = self->module->own->name;

	switch (verdict) {
	case NTP_NOT_OURS:
		if (++self->strangers == NTP_DATAGRAMS_A_QUESTION)
			ntp_failed(self, "answers that fit no question");
		break;
	case NTP_GOOD:
		log_msg(LOG_INFO, name, "ntp: %s: the clock was off by %.6f s",
		    self->host, (double)(utc_us - module_clock_us(self->module)) / 1e6);
		module_clock_follow(self->module, utc_us);
		ntp_done(self, 1);
		break;
	case NTP_USELESS:
		ntp_failed(self, "it does not know the time");
		break;
	case NTP_TOO_OFTEN:
		log_msg(LOG_NOTICE, name, "ntp: %s wants to be asked less often",
		    self->host);
		ntp_done(self, 2);
		break;
	case NTP_REFUSED:
		log_msg(LOG_WARNING, name,
		    "ntp: %s does not answer to us; it is not asked again before the "
		    "network restarts",
		    self->host);
		ntp_close(self);
		event_del(self->timer);
		break;
	}
}

static void
ntp_readable(evutil_socket_t fd, short what, void *arg)
{
	uint8_t bytes[NTP_PACKET_LEN];
	struct ntp_service *self = arg;
	ssize_t n = recv(fd, bytes, sizeof bytes, 0);
	int64_t utc_us = 0, round_trip_us = clock_monotonic_us() - self->asked_us;
	enum ntp_verdict verdict;

	(void)what;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		ntp_failed(self, strerror(errno));
		return;
	}
	activity_note(
	    self->module, service_interface(self->module, "ntp"), ACTIVITY_RX);
	verdict = ntp_answer(bytes, (size_t)n, self->nonce, round_trip_us, &utc_us);
	ntp_judge(self, verdict, utc_us);
}

/* The socket takes datagrams of the server only. */
static int
ntp_send(struct ntp_service *self, const char *address)
{
	struct sockaddr_in server = { .sin_family = AF_INET,
		.sin_port = htons(self->port) };
	struct in_addr source = network_source_address(
	    self->module, service_interface(self->module, "ntp"));
	uint8_t bytes[NTP_PACKET_LEN];
	int fd, saved_errno;

	inet_pton(AF_INET, address, &server.sin_addr);
	if (network_route(self->module, "udp", &server) == -1)
		return -1;
	fd = datagram_open(source, 0, false);
	if (fd == -1)
		return -1;
	do
		evutil_secure_rng_get_bytes(&self->nonce, sizeof self->nonce);
	while (self->nonce == 0);
	ntp_question(bytes, self->nonce);
	self->asked_us = clock_monotonic_us();
	activity_note(
	    self->module, service_interface(self->module, "ntp"), ACTIVITY_TX);
	if (connect(fd, (const struct sockaddr *)&server, sizeof server) == 0 &&
	    send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) != -1)
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

static void
ntp_looked_up(void *arg, const char *address)
{
	struct ntp_service *self = arg;
	int fd;

	self->lookup = NULL;
	if (address == NULL) {
		ntp_failed(self, "no address is known");
		return;
	}
	fd = ntp_send(self, address);
	if (fd == -1) {
		ntp_failed(self, strerror(errno));
		return;
	}
	self->strangers = 0;
	self->readable = xcheck(event_new(
	    self->module->base, fd, EV_READ | EV_PERSIST, ntp_readable, self));
	event_add(self->readable, NULL);
	ntp_schedule(self, NTP_ANSWER_MS);
}

/* Splits ntp.server into host and port; its check has let nothing else in. */
static void
ntp_read_server(struct ntp_service *self)
{
	const char *text = variable_text(self->module, "ntp.server");
	size_t len = strcspn(text, ":");
	int64_t port = NTP_PORT;

	snprintf(self->host, sizeof self->host, "%.*s", (int)len, text);
	if (text[len] == ':')
		number_parse(
		    text + len + 1, strlen(text + len + 1), 1, UINT16_MAX, &port);
	self->port = (uint16_t)port;
}

static void
ntp_tick(evutil_socket_t fd, short what, void *arg)
{
	struct ntp_service *self = arg;

	(void)fd;
	(void)what;
	if (self->readable != NULL) {
		ntp_failed(self, "no answer");
		return;
	}
	ntp_read_server(self);
	self->lookup = net_lookup_start(self->module, self->host, ntp_looked_up, self);
}

static void
ntp_start(void *arg)
{
	struct ntp_service *self = arg;

	if (!variable_is_on(self->module, "ntp.enabled"))
		return;
	self->timer = xcheck(event_new(self->module->base, -1, 0, ntp_tick, self));
	self->retry_s = 0;
	ntp_schedule(self, 0);
}

static void
ntp_stop(void *arg)
{
	struct ntp_service *self = arg;

	ntp_close(self);
	if (self->lookup != NULL)
		net_lookup_cancel(self->lookup);
	self->lookup = NULL;
	if (self->timer != NULL)
		event_free(self->timer);
	self->timer = NULL;
}

static void
ntp_free(void *arg)
{
	free(arg);
}

static const struct service_ops ntp_ops = {
	.name = "ntp",
	.interface = "ntp.interface",
	.start = ntp_start,
	.stop = ntp_stop,
	.free = ntp_free,
};

void
ntp_attach(struct module *module)
{
	struct ntp_service *self = xcalloc(1, sizeof *self);

	self->module = module;
	module_add_service(module, &ntp_ops, self);
}
