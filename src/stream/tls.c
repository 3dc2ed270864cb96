#include "stream/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/xmalloc.h"
#include "stream/tcp_wire.h"

struct tls_wire {
	struct tcp_wire wire;
	SSL *ssl; /* owned */
	char fault[TLS_FAULT_MAX];
};

struct tls_handshake {
	struct event_base *base; /* borrowed */
	SSL *ssl; /* owned */
	int fd; /* owned */
	struct event *step; /* owned: the socket can go on */
	struct event *deadline; /* owned */
	bool is_prepared; /* it is known whom to expect; else nothing is begun */
	tls_handshake_done *done;
	void *arg;
};

/* RFC 8446, 6: the peer says by number what it does not like. */
static const char *
tls_alert_words(int alert)
{
	switch (alert) { /* those that OpenSSL 3.0 has no words for */
	case SSL_AD_MISSING_EXTENSION:
		return "missing extension";
	case SSL_AD_CERTIFICATE_REQUIRED:
		return "certificate required";
	default:
		return SSL_alert_desc_string_long(alert);
	}
}

/* Writes why a call failed that SSL_get_error() gave code for. */
static void
tls_describe(const SSL *ssl, int code, int error, char *text, size_t size)
{
	unsigned long reason = ERR_peek_last_error();
	long verified = SSL_get_verify_result(ssl);
	const char *words = ERR_reason_error_string(reason), *alert = "";

	if (code == SSL_ERROR_ZERO_RETURN ||
	    (code == SSL_ERROR_SYSCALL && error == 0 && reason == 0)) {
		words = "connection closed";
	} else if (code == SSL_ERROR_SYSCALL && reason == 0) {
		words = error == ECONNRESET ? "connection reset" : strerror(error);
	} else if (ERR_GET_LIB(reason) == ERR_LIB_SSL &&
		   ERR_GET_REASON(reason) > SSL_AD_REASON_OFFSET) {
		alert = "alert: ";
		words = tls_alert_words(ERR_GET_REASON(reason) - SSL_AD_REASON_OFFSET);
	} else if (ERR_GET_REASON(reason) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
		   verified != X509_V_OK) {
		words = X509_verify_cert_error_string(verified);
	}
	snprintf(
	    text, size, "TLS: %s%s", alert, words == NULL ? "unknown error" : words);
}

static void
tls_handshake_free(struct tls_handshake *self)
{
	event_free(self->step);
	event_free(self->deadline);
	SSL_free(self->ssl);
	if (self->fd != -1)
		close(self->fd);
	free(self);
}

static void
tls_handshake_finish(struct tls_handshake *self, const char *error)
{
	tls_handshake_done *done = self->done;
	void *arg = self->arg;
	SSL *ssl = NULL;

	if (error == NULL) {
		ssl = self->ssl;
		self->ssl = NULL;
		self->fd = -1;
	}
	tls_handshake_free(self);
	done(arg, ssl, error);
}

static void tls_handshake_wait(struct tls_handshake *, short what);

static void
tls_handshake_step(evutil_socket_t fd, short what, void *arg)
{
	struct tls_handshake *self = arg;
	char fault[TLS_FAULT_MAX];
	int result, code;

	(void)fd;
	(void)what;
	if (!self->is_prepared) {
		tls_handshake_finish(self, "TLS: the host's name cannot be checked");
		return;
	}
	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(self->ssl);
	code = SSL_get_error(self->ssl, result);
	if (code == SSL_ERROR_NONE) {
		tls_handshake_finish(self, NULL);
	} else if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE) {
		tls_handshake_wait(
		    self, code == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
	} else {
		tls_describe(self->ssl, code, errno, fault, sizeof fault);
		ERR_clear_error();
		tls_handshake_finish(self, fault);
	}
}

static void
tls_handshake_wait(struct tls_handshake *self, short what)
{
	event_assign(self->step, self->base, self->fd, what, tls_handshake_step, self);
	event_add(self->step, NULL);
}

static void
tls_handshake_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tls_handshake_finish(arg, "TLS: handshake timed out");
}

/* Whom the server must be. An address is compared with the addresses of the
 * certificate, and never asked for by name; a name does so without the dot that may end
 * it (RFC 6066, 3). */
static bool
tls_expect_host(SSL *ssl, const char *host)
{
	size_t len = strlen(host);
	struct in_addr address;
	bool is_set;
	char *name;

	if (inet_pton(AF_INET, host, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	name = xmemdup(host, len > 1 && host[len - 1] == '.' ? len - 1 : len);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	is_set =
	    SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
	free(name);
	return is_set;
}

struct tls_handshake *
tls_handshake_start(struct event_base *base, int fd, const struct tls_options *options,
    tls_handshake_done *done, void *arg)
{
	struct tls_handshake *self = xcalloc(1, sizeof *self);
	struct timeval timeout = { .tv_sec = options->timeout_ms / 1000,
		.tv_usec = (suseconds_t)(options->timeout_ms % 1000) * 1000 };

	self->base = base;
	self->fd = fd;
	self->done = done;
	self->arg = arg;
	self->ssl = xcheck(SSL_new(options->context));
	SSL_set_mode(self->ssl,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	self->step = xcheck(event_new(base, fd, EV_WRITE, tls_handshake_step, self));
	self->deadline = xcheck(event_new(base, -1, 0, tls_handshake_late, self));
	event_add(self->deadline, &timeout);
	if (options->host == NULL)
		SSL_set_accept_state(self->ssl);
	else
		SSL_set_connect_state(self->ssl);
	self->is_prepared =
	    SSL_set_fd(self->ssl, fd) == 1 &&
	    (options->host == NULL || tls_expect_host(self->ssl, options->host));
	event_active(self->step, EV_WRITE, 0);
	return self;
}

void
tls_handshake_cancel(struct tls_handshake *self)
{
	tls_handshake_free(self);
}

/* What recv() would say after a call that SSL_get_error() gives a code for. */
static ssize_t
tls_outcome(struct tls_wire *self, int code)
{
	int error = errno;

	switch (code) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		self->wire.wants_write = code == SSL_ERROR_WANT_WRITE;
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		self->wire.is_over = true;
		return 0;
	default:
		/* A connection that breaks is no fault of TLS, and TCP says no more. */
		if (code == SSL_ERROR_SSL && self->wire.fault == NULL) {
			tls_describe(
			    self->ssl, code, error, self->fault, sizeof self->fault);
			self->wire.fault = self->fault;
		}
		ERR_clear_error();
		self->wire.is_over = true;
		errno = EPROTO;
		return -1;
	}
}

static ssize_t
tls_look(struct tcp_wire *wire)
{
	struct tls_wire *self = (struct tls_wire *)wire;
	bool had_none = SSL_pending(self->ssl) == 0;
	char byte;
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_peek(self->ssl, &byte, 1);
	if (n > 0 && had_none)
		wire->has_news = true;
	return n > 0 ? n : tls_outcome(self, SSL_get_error(self->ssl, n));
}

/* Reads on over the ends of records, so that fewer bytes than asked for mean that there
 * are no more, as with recv(). */
static ssize_t
tls_receive(struct tcp_wire *wire, void *buf, size_t len)
{
	struct tls_wire *self = (struct tls_wire *)wire;
	size_t got = 0, n;
	ssize_t result = 0;

	while (got < len) {
		int done;

		ERR_clear_error();
		errno = 0;
		done = SSL_read_ex(self->ssl, (char *)buf + got, len - got, &n);
		if (done != 1) {
			result = tls_outcome(self, SSL_get_error(self->ssl, done));
			break;
		}
		got += n;
	}
	/* Behind the last byte there may be the end, which nothing else would show. */
	if (got == len && got > 0)
		tls_look(wire);
	return got > 0 ? (ssize_t)got : result;
}

/* A fault met here ends nothing: what the peer sent before can still be received. */
static ssize_t
tls_send(struct tcp_wire *wire, const void *buf, size_t len)
{
	struct tls_wire *self = (struct tls_wire *)wire;
	size_t sent = 0, n;

	while (sent < len) {
		int code, done;

		ERR_clear_error();
		done =
		    SSL_write_ex(self->ssl, (const char *)buf + sent, len - sent, &n);
		if (done == 1) {
			sent += n;
			continue;
		}
		code = SSL_get_error(self->ssl, done);
		ERR_clear_error();
		if (sent > 0)
			break;
		errno = code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE
			    ? EAGAIN
			    : EPIPE;
		return -1;
	}
	return (ssize_t)sent;
}

/* What is decrypted; the kernel may hold more, of which only the ciphertext's length
 * is known. */
static size_t
tls_waiting(struct tcp_wire *wire)
{
	struct tls_wire *self = (struct tls_wire *)wire;

	tls_look(wire);
	return (size_t)SSL_pending(self->ssl);
}

static void
tls_say_end(struct tcp_wire *wire)
{
	struct tls_wire *self = (struct tls_wire *)wire;

	if (wire->fault != NULL)
		return;
	/* Tickets that nobody took out would make close() a reset. */
	tls_look(wire);
	ERR_clear_error();
	if (wire->fault == NULL)
		SSL_shutdown(self->ssl);
	ERR_clear_error();
}

static void
tls_free(struct tcp_wire *wire)
{
	struct tls_wire *self = (struct tls_wire *)wire;

	SSL_free(self->ssl);
	free(self);
}

static const struct tcp_wire_ops tls_wire_ops = {
	.is_secure = true,
	.receive = tls_receive,
	.send = tls_send,
	.look = tls_look,
	.waiting = tls_waiting,
	.say_end = tls_say_end,
	.free = tls_free,
};

struct stream *
tls_stream_new(struct event_base *base, SSL *ssl, bool is_accepted, const char *info,
    unsigned idle_timeout_s)
{
	struct tls_wire *self = xcalloc(1, sizeof *self);

	self->wire.ops = &tls_wire_ops;
	self->wire.fd = SSL_get_fd(ssl);
	self->ssl = ssl;
	return tcp_stream_over(base, &self->wire, is_accepted, info, idle_timeout_s);
}
