#include "device/wpa_control.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/xmalloc.h"

#define WPA_CONTROL_LOOK_MS 1000 /* between two looks whether the socket is there */
#define WPA_CONTROL_ANSWER_MS 5000 /* for an answer; they take milliseconds */
/* Who was killed says nothing more, and nothing tells of it but a request. */
#define WPA_CONTROL_PING_MS 2000
#define WPA_CONTROL_QUEUE_MAX 64 /* requests; a join takes about 16 */
#define WPA_CONTROL_REQUEST_MAX 512 /* bytes of one */
#define WPA_CONTROL_MESSAGE_MAX 8192 /* bytes; theirs have 4096 at most */
#define WPA_CONTROL_A_TURN 16 /* messages, so that many leave the loop to others */

struct wpa_request {
	char text[WPA_CONTROL_REQUEST_MAX];
	wpa_answered *answered; /* NULL: nobody wants to know */
	unsigned turn;
	STAILQ_ENTRY(wpa_request) entry;
};

struct wpa_control {
	struct event_base *base; /* borrowed */
	char interface[IFNAMSIZ];
	struct sockaddr_un address; /* of the other side */
	const struct wpa_control_ops *ops;
	void *arg;
	struct event *socket; /* owned, with its descriptor; NULL: not there */
	struct event *timer; /* owned; the next look, ping or end of patience */
	struct wpa_request *asked; /* owned; waits for its answer; NULL: none */
	STAILQ_HEAD(wpa_requests, wpa_request) requests; /* that follow */
	unsigned count; /* of them */
	bool is_opened;
	bool is_broken; /* to be closed by the timer */
	int told; /* the errno that was logged last; 0: none */
};

static void
wpa_control_set_timer(struct wpa_control *self, unsigned ms)
{
	struct timeval timeout = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(self->timer, &timeout);
}

static void
wpa_control_free_request(struct wpa_request *request)
{
	if (request == NULL)
		return;
	explicit_bzero(request->text, sizeof request->text);
	free(request);
}

/* Without a word to the one above. */
static void
wpa_control_shut(struct wpa_control *self)
{
	struct wpa_request *request, *next;

	for (request = STAILQ_FIRST(&self->requests); request != NULL; request = next) {
		next = STAILQ_NEXT(request, entry);
		wpa_control_free_request(request);
	}
	STAILQ_INIT(&self->requests);
	self->count = 0;
	wpa_control_free_request(self->asked);
	self->asked = NULL;
	if (self->socket != NULL) {
		close(event_get_fd(self->socket));
		event_free(self->socket);
		self->socket = NULL;
	}
	self->is_opened = self->is_broken = false;
}

/* As nothing is called from inside of a call. */
static void
wpa_control_break(struct wpa_control *self)
{
	self->is_broken = true;
	wpa_control_set_timer(self, 0);
}

static void
wpa_control_close(struct wpa_control *self)
{
	bool was_opened = self->is_opened;

	wpa_control_shut(self);
	wpa_control_set_timer(self, WPA_CONTROL_LOOK_MS);
	if (was_opened)
		log_msg(
		    LOG_WARNING, self->interface, "%s is gone", self->address.sun_path);
	self->ops->closed(self->arg);
}

static int
wpa_control_transmit(const struct wpa_control *self, const struct wpa_request *request)
{
	return send(event_get_fd(self->socket), request->text, strlen(request->text),
		   MSG_NOSIGNAL) == -1
		   ? -1
		   : 0;
}

/* Asks the next one, if the last one is answered. */
static void
wpa_control_send(struct wpa_control *self)
{
	struct wpa_request *request = STAILQ_FIRST(&self->requests);

	if (self->asked != NULL || self->is_broken)
		return;
	if (request == NULL) {
		wpa_control_set_timer(self, WPA_CONTROL_PING_MS);
		return;
	}
	STAILQ_REMOVE_HEAD(&self->requests, entry);
	self->count--;
	self->asked = request;
	wpa_control_set_timer(self, WPA_CONTROL_ANSWER_MS);
	if (wpa_control_transmit(self, request) == -1)
		wpa_control_break(self);
}

/* Ends the request before what is set: "SET_NETWORK 0 psk", "SET wpa_passphrase". */
static void
wpa_control_hide_secrets(char *request)
{
	unsigned words = strncmp(request, "SET_", 4) == 0 ? 3 : 2;
	char *end = request + strcspn(request, " ");

	while (--words > 0 && *end != '\0')
		end += 1 + strcspn(end + 1, " ");
	explicit_bzero(end, strlen(end));
}

static void
wpa_control_tell(struct wpa_control *self, int error)
{
	bool is_forbidden = error == EACCES || error == EPERM;

	if (error == self->told || error == ENOENT || error == ENOTDIR ||
	    error == ECONNREFUSED) /* nobody is there, as may be */
		return;
	self->told = error;
	log_msg(LOG_WARNING, self->interface, "%s: %s%s", self->address.sun_path,
	    strerror(error),
	    is_forbidden ? "; it takes the group that may open it, often netdev" : "");
}

/* The answer to ATTACH, which is the first one. */
static void
wpa_control_attached(struct wpa_control *self, bool is_ok)
{
	if (!is_ok) {
		wpa_control_tell(self, EBUSY); /* others listen, as many as may */
		wpa_control_break(self);
		return;
	}
	log_msg(LOG_INFO, self->interface, "%s is there", self->address.sun_path);
	self->told = 0;
	self->is_opened = true;
	self->ops->opened(self->arg);
}

static void
wpa_control_take_answer(struct wpa_control *self, const char *text)
{
	struct wpa_request *request = self->asked;
	struct wpa_answer answer = { .text = text };

	if (request == NULL)
		return;
	answer.turn = request->turn;
	answer.is_ok = strncmp(text, "OK", 2) == 0;
	wpa_control_hide_secrets(request->text);
	answer.request = request->text;
	self->asked = NULL;
	wpa_control_send(self);
	if (!self->is_opened)
		wpa_control_attached(self, answer.is_ok);
	else if (request->answered != NULL)
		request->answered(self->arg, &answer);
	wpa_control_free_request(request);
}

/* An event begins with its priority: "<3>CTRL-EVENT-...". */
static void
wpa_control_take(struct wpa_control *self, const char *message)
{
	static const char terminating[] = "CTRL-EVENT-TERMINATING";
	const char *end;

	if (message[0] != '<') {
		wpa_control_take_answer(self, message);
		return;
	}
	end = strchr(message, '>');
	if (end == NULL || !self->is_opened)
		return;
	if (strncmp(end + 1, terminating, sizeof terminating - 1) == 0)
		wpa_control_break(self);
	else
		self->ops->event(self->arg, end + 1);
}

static void
wpa_control_read(evutil_socket_t fd, short what, void *arg)
{
	struct wpa_control *self = arg;
	char message[WPA_CONTROL_MESSAGE_MAX + 1];

	(void)what;
	for (unsigned i = 0; i < WPA_CONTROL_A_TURN; i++) {
		ssize_t n = recv(fd, message, WPA_CONTROL_MESSAGE_MAX, 0);

		if (n == -1) {
			if (errno != EAGAIN && errno != EINTR)
				wpa_control_break(self);
			return;
		}
		message[n] = '\0';
		wpa_control_take(self, message);
		/* What it told may have ended the socket. */
		if (self->socket == NULL || event_get_fd(self->socket) != fd)
			return;
	}
}

/* This end gets a name of the kernel's own choice, outside of the file system: the
 * other side answers it wherever this process may not write. Once connected, it takes
 * messages from the other side alone. unix(7) */
static void
wpa_control_open(struct wpa_control *self)
{
	const struct sockaddr_un own = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&own, sizeof own.sun_family) == -1 ||
	    connect(fd, (const struct sockaddr *)&self->address,
		sizeof self->address) == -1) {
		wpa_control_tell(self, errno);
		if (fd != -1)
			close(fd);
		wpa_control_set_timer(self, WPA_CONTROL_LOOK_MS);
		return;
	}
	self->socket = xcheck(
	    event_new(self->base, fd, EV_READ | EV_PERSIST, wpa_control_read, self));
	event_add(self->socket, NULL);
	wpa_control_ask(self, NULL, 0, "ATTACH");
}

static void
wpa_control_time_is_up(evutil_socket_t fd, short what, void *arg)
{
	struct wpa_control *self = arg;

	(void)fd;
	(void)what;
	if (self->socket == NULL)
		wpa_control_open(self);
	else if (self->asked != NULL || self->is_broken)
		wpa_control_close(self);
	else
		wpa_control_ask(self, NULL, 0, "PING");
}

struct wpa_control *
wpa_control_new(struct event_base *base, const char *directory, const char *interface,
    const struct wpa_control_ops *ops, void *arg)
{
	struct wpa_control *self = xcalloc(1, sizeof *self);

	self->base = base;
	self->ops = ops;
	self->arg = arg;
	snprintf(self->interface, sizeof self->interface, "%s", interface);
	self->address.sun_family = AF_UNIX;
	snprintf(self->address.sun_path, sizeof self->address.sun_path, "%s/%s",
	    directory, interface);
	STAILQ_INIT(&self->requests);
	self->timer = xcheck(event_new(base, -1, 0, wpa_control_time_is_up, self));
	wpa_control_open(self);
	return self;
}

void
wpa_control_free(struct wpa_control *self)
{
	const struct wpa_request *request;

	if (self == NULL)
		return;
	wpa_control_ask(self, NULL, 0, "DETACH");
	/* What is to be said still, without waiting for the answers. */
	STAILQ_FOREACH(request, &self->requests, entry)
	(void)wpa_control_transmit(self, request);
	wpa_control_shut(self);
	event_free(self->timer);
	free(self);
}

bool
wpa_control_is_there(const struct wpa_control *self)
{
	return self->socket != NULL;
}

void
wpa_control_ask(struct wpa_control *self, wpa_answered *answered, unsigned turn,
    const char *fmt, ...)
{
	struct wpa_request *request;
	va_list args;
	int len;

	if (self->socket == NULL)
		return;
	request = xcalloc(1, sizeof *request);
	request->answered = answered;
	request->turn = turn;
	va_start(args, fmt);
	len = vsnprintf(request->text, sizeof request->text, fmt, args);
	va_end(args);
	STAILQ_INSERT_TAIL(&self->requests, request, entry);
	self->count++;
	if (len < 0 || (size_t)len >= sizeof request->text ||
	    self->count > WPA_CONTROL_QUEUE_MAX) {
		/* It does not answer, or nobody should have asked that. */
		wpa_control_break(self);
		return;
	}
	wpa_control_send(self);
}
