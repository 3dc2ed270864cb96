#include "stream/http_exchange.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/xmalloc.h"
#include "stream/connect.h"

#define HTTP_LINE_SIZE 512 /* of a line for the log */

/* All that follows from libcurl's or the connection's news is done in one event, work,
 * so that nothing is freed under a callback of theirs. */
struct http_exchange {
	struct event_base *base; /* borrowed */
	struct evdns_base *dns; /* borrowed */
	struct http_exchange_options options;
	struct http_exchange_ops ops;
	struct http_url url;
	char *form_file; /* owned, or NULL */
	struct curl_slist *fields; /* owned */
	size_t fields_size;
	SSL_CTX *trust; /* owned; NULL before it is needed */
	struct connect *connect; /* its own; NULL when none is under way */
	int fd; /* owned; connected and not yet in use; -1: none */
	struct http_transfer *transfer; /* owned; NULL before and after */
	struct evbuffer *received; /* owned; what is left of an answer that is over */
	struct event *work; /* owned */
	struct event *silence; /* owned; how long this hop may do nothing */
	struct event *limit; /* owned; how long all may take */
	unsigned redirects;
	int64_t moved; /* bytes of the body that had moved when last looked at */
	uint16_t local_port;
	int status;
	int64_t length;
	bool is_sent, connected_is_told, over, failed;
	bool body_has_left; /* over the connection that was last ended */
	bool hop_is_ready; /* the request of this hop is on its way */
	bool is_limited; /* http_exchange_limit() */
	bool working, doomed; /* inside work; freed at its end */
};

static void http_exchange_say(struct http_exchange *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
http_exchange_say(struct http_exchange *self, const char *fmt, ...)
{
	char line[HTTP_LINE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	self->ops.said(self->ops.said_arg, line);
}

static void
http_exchange_wake(void *arg)
{
	struct http_exchange *self = arg;

	event_active(self->work, EV_TIMEOUT, 0);
}

static void
http_exchange_set(struct event *timer, unsigned ms)
{
	struct timeval timeout = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	event_add(timer, &timeout);
}

/* Ends the connection; what has been received stays. */
static void
http_exchange_hang_up(struct http_exchange *self)
{
	if (self->connect != NULL)
		connect_cancel(self->connect);
	self->connect = NULL;
	self->body_has_left = http_exchange_body_has_left(self);
	if (self->transfer != NULL && self->status != 0)
		evbuffer_add_buffer(
		    self->received, http_transfer_received(self->transfer));
	http_transfer_free(self->transfer);
	self->transfer = NULL;
	if (self->fd != -1)
		close(self->fd);
	self->fd = -1;
	event_del(self->silence);
}

/* It is over; told on the next turn. error: NULL when all is well. */
static void
http_exchange_end(struct http_exchange *self, const char *error)
{
	if (self->over)
		return;
	self->over = true;
	self->failed = error != NULL;
	http_exchange_hang_up(self);
	event_del(self->limit);
	if (error != NULL)
		http_exchange_say(self, "%s failed: %s",
		    self->options.failing != NULL ? self->options.failing
		    : self->connected_is_told	  ? "Request"
						  : "Open",
		    error);
	http_exchange_wake(self);
}

static void
http_exchange_timed_out(evutil_socket_t fd, short what, void *arg)
{
	const struct http_exchange *self = arg;

	(void)fd;
	(void)what;
	http_exchange_end(arg, self->transfer != NULL && !self->hop_is_ready
				   ? "TLS: handshake timed out"
				   : "timed out");
}

static bool
http_exchange_is_framing(const char *field)
{
	return strncasecmp(field, "Content-Length:", 15) == 0 ||
	       strncasecmp(field, "Transfer-Encoding:", 18) == 0;
}

/* Drops fields whose names, up to NULL, these are. */
static void
http_exchange_drop(struct http_exchange *self, const char *const *names)
{
	struct curl_slist *kept = NULL;

	for (const struct curl_slist *field = self->fields; field != NULL;
	     field = field->next) {
		const char *const *name = names;

		while (*name != NULL &&
		       strncasecmp(field->data, *name, strlen(*name)) != 0)
			name++;
		if (*name == NULL)
			kept = xcheck(curl_slist_append(kept, field->data));
	}
	curl_slist_free_all(self->fields);
	self->fields = kept;
}

/* The request goes out on the connection. */
static void
http_exchange_go(struct http_exchange *self)
{
	struct http_transfer_options options = {
		.method = self->options.method,
		.url = &self->url,
		.headers = self->fields,
		.trust = self->url.is_tls ? self->trust : NULL,
		.source = self->options.source,
		.form_file = self->form_file,
		.has_room = self->ops.has_room,
		.room_arg = self->ops.room_arg,
	};
	int fd = self->fd;

	self->fd = -1;
	self->moved = 0;
	self->hop_is_ready = false;
	self->transfer =
	    http_transfer_start(self->base, fd, &options, http_exchange_wake, self);
	http_exchange_set(self->silence,
	    self->url.is_tls ? self->options.handshake_ms : self->options.silence_ms);
}

static int
http_exchange_connecting(void *arg, struct sockaddr_in *where, struct in_addr *local)
{
	struct http_exchange *self = arg;

	http_exchange_say(self, "Connecting (%s): %s:%u",
	    self->url.is_tls ? "HTTPS" : "HTTP", self->url.host, self->url.port);
	return self->ops.route == NULL
		   ? 0
		   : self->ops.route(self->ops.route_arg, where, local);
}

static void
http_exchange_connected(void *arg, int fd, const char *error)
{
	struct http_exchange *self = arg;

	self->connect = NULL;
	if (fd == -1) {
		http_exchange_end(self, error);
		return;
	}
	self->fd = fd;
	self->local_port = tcp_port_near(fd);
	http_exchange_wake(self);
}

static const struct connect_ops http_exchange_connect_ops = {
	.connecting = http_exchange_connecting,
	.done = http_exchange_connected,
};

/* To the server of the URL. */
static void
http_exchange_hop(struct http_exchange *self)
{
	struct connect_options options = { .host = self->url.host,
		.port = self->url.port,
		.local = self->options.local,
		.timeout_ms = self->options.connect_ms,
		.keepalive = self->options.keepalive };
	char error[HTTP_ERROR_SIZE];

	http_exchange_say(self, "Request %s %s", http_method_name(self->options.method),
	    self->url.target);
	if (self->url.is_tls && self->trust == NULL)
		self->trust = self->ops.trust(self->ops.trust_arg, error);
	if (self->url.is_tls && self->trust == NULL) {
		http_exchange_end(self, error);
		return;
	}
	self->connect = connect_start(
	    self->base, self->dns, &options, &http_exchange_connect_ops, self);
}

/* RFC 9110, 15.4. Chosen: 301 and 302 make a GET of a POST, as browsers do. Whether
 * there is a way to go on. */
static bool
http_exchange_change_method(struct http_exchange *self, int status)
{
	static const char *const of_body[] = { "Content-Type:", NULL };

	if (self->options.method != HTTP_POST)
		return true;
	if (status == 307 || status == 308)
		return !self->options.source_is_live;
	self->options.method = HTTP_GET;
	http_exchange_drop(self, of_body);
	return true;
}

static bool
http_exchange_is_redirect(int status, const char *location)
{
	return location != NULL && (status == 301 || status == 302 || status == 303 ||
				       status == 307 || status == 308);
}

static void
http_exchange_redirect(struct http_exchange *self, int status, const char *location)
{
	/* Another server is not told what was meant for the first. */
	static const char *const secret[] = {
		"Authorization:", "Cookie:", "Host:", NULL
	};
	const char *error = NULL;
	struct http_url next;
	char line[HTTP_LINE_SIZE];

	if (self->redirects++ == HTTP_REDIRECTS_MAX) {
		http_exchange_end(self, "too many redirects");
		return;
	}
	if (http_url_follow(&next, &self->url, location, &error) == -1) {
		snprintf(line, sizeof line, "redirect: %s", error);
		http_exchange_end(self, line);
		return;
	}
	if (!http_exchange_change_method(self, status)) {
		http_url_clear(&next);
		http_exchange_end(
		    self, "redirect: the body would have to be sent again");
		return;
	}
	http_exchange_hang_up(self);
	if (self->options.source_is_live)
		http_exchange_set(self->limit, self->options.limit_ms);
	if (!http_url_same_server(&self->url, &next))
		http_exchange_drop(self, secret);
	http_url_clear(&self->url);
	self->url = next;
	http_exchange_say(self, "Redirect: %s", self->url.shown);
	http_exchange_hop(self);
}

/* The header of an answer is there. */
static void
http_exchange_answered(struct http_exchange *self)
{
	int status = http_transfer_status(self->transfer);
	const char *location = http_transfer_field(self->transfer, "Location"),
		   *coding = http_transfer_field(self->transfer, "Transfer-Encoding");

	http_exchange_say(self, "HTTP response: %d", status);
	if (http_exchange_is_redirect(status, location)) {
		http_exchange_redirect(self, status, location);
		return;
	}
	/* Reference: command notes, section 8. */
	if (coding != NULL && strcasecmp(coding, "chunked") == 0)
		http_exchange_say(self, "%s", "Chunked response");
	self->status = status;
	self->length = http_transfer_length(self->transfer);
	if (self->options.is_file) {
		http_exchange_set(self->silence, self->options.silence_ms);
	} else {
		event_del(self->silence);
		if (!self->is_limited)
			event_del(self->limit);
	}
	self->ops.told(self->ops.told_arg, HTTP_STATUS);
}

/* Whose turn it is while the request is being sent: a host that gives its body piece by
 * piece has all the time it wants; the server has not. */
static void
http_exchange_sending(struct http_exchange *self)
{
	bool is_live =
	    self->options.source_is_live && self->options.method == HTTP_POST;
	bool is_all = http_transfer_sent(self->transfer) == self->options.source.length;

	if (is_live && !is_all) {
		event_del(self->silence);
		return;
	}
	http_exchange_set(self->silence, self->options.silence_ms);
	if (is_live)
		http_exchange_set(self->limit, self->options.limit_ms);
}

/* Some of the body of the request, or in the end of the answer, may have moved. */
static void
http_exchange_moved(struct http_exchange *self)
{
	int64_t sent = http_transfer_sent(self->transfer);

	if (self->status != 0) {
		if (self->options.is_file)
			http_exchange_set(self->silence, self->options.silence_ms);
	} else if (sent != self->moved) {
		self->moved = sent;
		http_exchange_sending(self);
	}
	self->ops.told(self->ops.told_arg, HTTP_PROGRESS);
}

static void
http_exchange_tell_connected(struct http_exchange *self)
{
	self->connected_is_told = true;
	self->ops.told(self->ops.told_arg, HTTP_CONNECTED);
}

/* One thing at a time: what was told may have been the end of the exchange. Whether
 * there is more to do. */
static bool
http_exchange_step(struct http_exchange *self)
{
	char error[HTTP_ERROR_SIZE];

	if (self->over) {
		self->ops.told(self->ops.told_arg, HTTP_END);
		return false;
	}
	if (self->fd != -1 && !self->connected_is_told && self->options.is_held) {
		http_exchange_tell_connected(self);
		return true;
	}
	if (self->fd != -1 && (!self->options.is_held || self->is_sent)) {
		http_exchange_go(self);
		return false;
	}
	if (self->transfer == NULL)
		return false;
	if (http_transfer_is_ready(self->transfer) && !self->hop_is_ready) {
		self->hop_is_ready = true;
		http_exchange_sending(self);
		if (!self->connected_is_told)
			http_exchange_tell_connected(self);
		return true;
	}
	if (http_transfer_status(self->transfer) != 0 && self->status == 0) {
		http_exchange_answered(self);
		return self->transfer != NULL;
	}
	if (http_transfer_is_over(self->transfer, error)) {
		if (error[0] == '\0' && self->status == 0)
			http_exchange_end(self, "the answer is cut short");
		else
			http_exchange_end(self, error[0] == '\0' ? NULL : error);
		return false;
	}
	http_transfer_resume(self->transfer);
	http_exchange_moved(self);
	return false;
}

static void
http_exchange_clear(struct http_exchange *self)
{
	http_exchange_hang_up(self);
	event_free(self->work);
	event_free(self->silence);
	event_free(self->limit);
	evbuffer_free(self->received);
	curl_slist_free_all(self->fields);
	SSL_CTX_free(self->trust);
	http_url_clear(&self->url);
	free(self->form_file);
	free(self);
}

static void
http_exchange_work(evutil_socket_t fd, short what, void *arg)
{
	struct http_exchange *self = arg;
	bool more;

	(void)fd;
	(void)what;
	self->working = true;
	more = http_exchange_step(self);
	self->working = false;
	if (self->doomed)
		http_exchange_clear(self);
	else if (more)
		http_exchange_wake(self);
}

struct http_exchange *
http_exchange_start(struct event_base *base, struct evdns_base *dns,
    struct http_url *url, const struct http_exchange_options *options,
    const struct http_exchange_ops *ops)
{
	struct http_exchange *self = xcalloc(1, sizeof *self);

	self->base = base;
	self->dns = dns;
	self->options = *options;
	self->ops = *ops;
	self->url = *url;
	*url = (struct http_url){ .text = NULL };
	self->fd = -1;
	self->length = -1;
	self->received = xcheck(evbuffer_new());
	self->work = xcheck(event_new(base, -1, 0, http_exchange_work, self));
	self->silence = xcheck(event_new(base, -1, 0, http_exchange_timed_out, self));
	self->limit = xcheck(event_new(base, -1, 0, http_exchange_timed_out, self));
	if (options->form_file != NULL)
		self->form_file = xstrdup(options->form_file);
	if (options->type != NULL)
		http_exchange_add_field(self, "Content-Type", options->type);
	self->options.type = self->options.form_file = NULL;
	self->is_sent = !options->is_held;
	if (self->is_sent && !options->source_is_live)
		http_exchange_set(self->limit, options->limit_ms);
	http_exchange_hop(self);
	return self;
}

void
http_exchange_free(struct http_exchange *self)
{
	if (self == NULL)
		return;
	if (self->working)
		self->doomed = true;
	else
		http_exchange_clear(self);
}

/* RFC 9110, 5.6.2: what a name is made of. */
static bool
http_exchange_is_name(const char *name)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "!#$%&'*+-.^_`|~";

	return *name != '\0' && strspn(name, bytes) == strlen(name);
}

bool
http_exchange_is_value(const char *value)
{
	for (; *value != '\0'; value++) {
		if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7F)
			return false;
	}
	return true;
}

/* Chosen: what frames the request is taken, for hosts that count it themselves, and not
 * sent: the true length is. */
int
http_exchange_add_field(struct http_exchange *self, const char *name, const char *value)
{
	size_t len = strlen(name) + strlen(value) + 4;
	char *field;

	if (!http_exchange_is_name(name) || !http_exchange_is_value(value)) {
		errno = EINVAL;
		return -1;
	}
	if (self->fields_size + len > HTTP_FIELDS_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	/* libcurl takes "Name:" for a field to be left out, and "Name;" for an empty
	 * one. */
	field =
	    *value == '\0' ? xasprintf("%s;", name) : xasprintf("%s: %s", name, value);
	if (!http_exchange_is_framing(field)) {
		self->fields = xcheck(curl_slist_append(self->fields, field));
		self->fields_size += len;
	}
	free(field);
	return 0;
}

bool
http_exchange_is_sent(const struct http_exchange *self)
{
	return self->is_sent;
}

void
http_exchange_send(struct http_exchange *self, int64_t body_length)
{
	self->options.source.length = body_length;
	self->is_sent = true;
	http_exchange_set(self->limit, self->options.limit_ms);
	http_exchange_wake(self);
}

const struct http_url *
http_exchange_url(const struct http_exchange *self)
{
	return &self->url;
}

uint16_t
http_exchange_local_port(const struct http_exchange *self)
{
	return self->local_port;
}

int
http_exchange_status(const struct http_exchange *self)
{
	return self->status;
}

int64_t
http_exchange_length(const struct http_exchange *self)
{
	return self->length;
}

struct evbuffer *
http_exchange_received(struct http_exchange *self)
{
	return self->transfer != NULL && self->status != 0
		   ? http_transfer_received(self->transfer)
		   : self->received;
}

size_t
http_exchange_kept(const struct http_exchange *self)
{
	return evbuffer_get_length(self->transfer == NULL
				       ? self->received
				       : http_transfer_received(self->transfer));
}

void
http_exchange_resume(struct http_exchange *self)
{
	if (!self->over)
		http_exchange_wake(self);
}

void
http_exchange_limit(struct http_exchange *self)
{
	self->is_limited = true;
	http_exchange_set(self->limit, self->options.limit_ms);
}

/* libcurl, too, sends nothing more behind such an answer. */
bool
http_exchange_wants_body(const struct http_exchange *self)
{
	return !self->over && self->options.method == HTTP_POST && self->status < 300;
}

bool
http_exchange_body_has_left(const struct http_exchange *self)
{
	return self->transfer == NULL ? self->body_has_left
				      : http_transfer_has_left(self->transfer);
}

bool
http_exchange_is_over(const struct http_exchange *self)
{
	return self->over;
}

bool
http_exchange_has_failed(const struct http_exchange *self)
{
	return self->failed;
}
