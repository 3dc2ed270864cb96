#include "stream/http_transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/xmalloc.h"
#include "stream/http_url.h"

/* A multi handle of its own keeps one request apart from all others: it is freed as a
 * whole, and nothing is left of its connection. */
struct http_transfer {
	CURLM *multi; /* owned */
	CURL *easy; /* owned */
	struct event_base *base; /* borrowed */
	struct event *timer; /* owned; libcurl's clock */
	struct event *io; /* owned; on the socket; NULL: libcurl does not wait for it */
	int fd; /* owned; -1 once libcurl has it */
	struct curl_slist *headers, *connect_to; /* owned */
	curl_mime *form; /* owned, or NULL */
	struct http_source source;
	SSL_CTX *trust; /* borrowed */
	const char *host; /* borrowed */
	struct evbuffer *received; /* owned */
	void (*wake)(void *arg);
	void *arg;
	bool (*has_room)(void *arg); /* or NULL */
	void *room_arg;
	int64_t sent;
	size_t header_size;
	int status;
	bool is_of_head;
	bool ready, over;
	bool close_notified; /* over TLS: nobody has cut the end off */
	bool full; /* paused: enough has been received */
	bool starved; /* paused: the body to be sent is not there yet */
	const char *fault; /* static; what we ended it for */
	CURLcode result;
	char error[CURL_ERROR_SIZE];
};

const char *
http_method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST"
	};

	return names[method];
}

/* After each piece of work that libcurl does. */
static void
http_transfer_look(struct http_transfer *self)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(self->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		self->over = true;
		self->result = message->data.result;
		self->wake(self->arg);
	}
}

static void
http_transfer_act(struct http_transfer *self, curl_socket_t fd, int what)
{
	int running;

	if (curl_multi_socket_action(self->multi, fd, what, &running) != CURLM_OK) {
		self->over = true;
		self->result = CURLE_OUT_OF_MEMORY;
		self->wake(self->arg);
	}
	http_transfer_look(self);
}

static void
http_transfer_moved(evutil_socket_t fd, short what, void *arg)
{
	http_transfer_act(arg, fd,
	    ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
		((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void
http_transfer_timed_out(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	http_transfer_act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl says what it waits for on its socket. */
static int
http_transfer_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_transfer *self = arg;
	short events = EV_PERSIST;

	(void)easy;
	(void)socket_arg;
	if (self->io != NULL)
		event_free(self->io);
	self->io = NULL;
	if ((what & CURL_POLL_IN) != 0 && what != CURL_POLL_REMOVE)
		events |= EV_READ;
	if ((what & CURL_POLL_OUT) != 0 && what != CURL_POLL_REMOVE)
		events |= EV_WRITE;
	if (events == EV_PERSIST)
		return 0;
	self->io = xcheck(event_new(self->base, fd, events, http_transfer_moved, self));
	event_add(self->io, NULL);
	return 0;
}

static int
http_transfer_set_timer(CURLM *multi, long ms, void *arg)
{
	struct http_transfer *self = arg;
	struct timeval timeout = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	(void)multi;
	if (ms < 0)
		event_del(self->timer);
	else
		event_add(self->timer, &timeout);
	return 0;
}

/* libcurl gets the socket that is connected already, and never a second one. */
static curl_socket_t
http_transfer_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_transfer *self = arg;
	int fd = self->fd;

	(void)purpose;
	(void)address;
	self->fd = -1;
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

static int
http_transfer_opened(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static int
http_transfer_ready(void *arg, char *far, char *near, int far_port, int near_port)
{
	struct http_transfer *self = arg;

	(void)far;
	(void)near;
	(void)far_port;
	(void)near_port;
	self->ready = true;
	self->wake(self->arg);
	return CURL_PREREQFUNC_OK;
}

/* A line of the header, of trailers too; an empty one ends a header. RFC 9110, 15.2: of
 * those with a status below 200 there may be many. */
static size_t
http_transfer_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_transfer *self = arg;
	size_t len = size * count;
	long status = 0;

	self->header_size += len;
	if (self->header_size > HTTP_HEADER_MAX) {
		self->fault = "header too large";
		return 0;
	}
	if (self->status != 0 || len > 2 || (line[0] != '\r' && line[0] != '\n'))
		return len;
	curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200) {
		self->status = (int)status;
		self->wake(self->arg);
	}
	return len;
}

static bool
http_transfer_has_room(const struct http_transfer *self)
{
	return evbuffer_get_length(self->received) < HTTP_RECEIVE_MAX &&
	       (self->has_room == NULL || self->has_room(self->room_arg));
}

static size_t
http_transfer_receive(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_transfer *self = arg;

	if (!http_transfer_has_room(self)) {
		self->full = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	evbuffer_add(self->received, bytes, size * count);
	self->wake(self->arg);
	return size * count;
}

static size_t
http_transfer_send(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_transfer *self = arg;
	int64_t left = self->source.length - self->sent;
	size_t len = size * count;
	ssize_t n;

	if (left < (int64_t)len)
		len = (size_t)left;
	if (len == 0)
		return 0;
	n = self->source.read(self->source.arg, self->sent, bytes, len);
	if (n == 0) {
		self->starved = true;
		return CURL_READFUNC_PAUSE;
	}
	if (n < 0) {
		self->fault = "the body cannot be read";
		return CURL_READFUNC_ABORT;
	}
	self->sent += n;
	self->wake(self->arg);
	return (size_t)n;
}

/* Nothing is looked up: whatever the URL's host is, the peer is the one at hand. */
static struct curl_slist *
http_transfer_peer(int fd)
{
	struct sockaddr_in sin = { .sin_port = 0 };
	char address[INET_ADDRSTRLEN] = "127.0.0.1", text[INET_ADDRSTRLEN + 4];
	socklen_t len = sizeof sin;

	/* Only the form matters; it connects nowhere. */
	if (getpeername(fd, (struct sockaddr *)&sin, &len) == 0)
		inet_ntop(AF_INET, &sin.sin_addr, address, sizeof address);
	snprintf(text, sizeof text, "::%s:", address);
	return xcheck(curl_slist_append(NULL, text));
}

static struct curl_slist *
http_transfer_headers(const struct http_transfer_options *options)
{
	/* A server would be waited for before a body is sent, and a type be made up. */
	static const char *const own[] = { "Expect:", "Content-Type:" };
	size_t count = options->form_file == NULL ? 2 : 1;
	const struct curl_slist *header;
	struct curl_slist *list = NULL;

	for (header = options->headers; header != NULL; header = header->next) {
		if (strncasecmp(header->data, own[1], strlen(own[1])) == 0)
			count = 1;
		list = xcheck(curl_slist_append(list, header->data));
	}
	for (size_t i = 0; i < count; i++)
		list = xcheck(curl_slist_append(list, own[i]));
	return list;
}

/* Each option is one that this libcurl has; a value it does not take is caught by the
 * first request of any test. */
static void
http_transfer_set_connection(struct http_transfer *self)
{
	CURL *easy = self->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, self);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, self->error);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, self->connect_to);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, http_transfer_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, self);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, http_transfer_opened);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, http_transfer_ready);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, self);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_transfer_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_transfer_receive);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_transfer_send);
	curl_easy_setopt(easy, CURLOPT_READDATA, self);
}

/* The server's last word: it has sent all. */
static void
http_transfer_alerted(const SSL *ssl, int where, int alert)
{
	struct http_transfer *self = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (where == SSL_CB_READ_ALERT && (alert & 0xFF) == SSL_AD_CLOSE_NOTIFY)
		self->close_notified = true;
}

/* Gives libcurl's context what ours has: the certificates to trust, which replace all
 * that it may have itself, our own, and the host to be proved. */
static CURLcode
http_transfer_secure(CURL *easy, void *context, void *arg)
{
	struct http_transfer *self = arg;
	X509_VERIFY_PARAM *rules = SSL_CTX_get0_param(context);
	X509 *certificate = SSL_CTX_get0_certificate(self->trust);
	STACK_OF(X509) *chain = NULL;
	struct in_addr address;

	(void)easy;
	SSL_CTX_set_app_data(context, self);
	SSL_CTX_set_info_callback(context, http_transfer_alerted);
	SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(self->trust));
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if ((inet_pton(AF_INET, self->host, &address) == 1
		    ? X509_VERIFY_PARAM_set1_ip_asc(rules, self->host)
		    : X509_VERIFY_PARAM_set1_host(rules, self->host, 0)) != 1)
		return CURLE_SSL_CERTPROBLEM;
	if (certificate == NULL)
		return CURLE_OK;
	SSL_CTX_get0_chain_certs(self->trust, &chain);
	return SSL_CTX_use_cert_and_key(context, certificate,
		   SSL_CTX_get0_privatekey(self->trust), chain, 1) == 1
		   ? CURLE_OK
		   : CURLE_SSL_CERTPROBLEM;
}

/* libcurl checks the host as well. The authorities of this host, which it has built in,
 * are taken away. */
static void
http_transfer_set_tls(struct http_transfer *self)
{
	CURL *easy = self->easy;

	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, http_transfer_secure);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, self);
}

static void
http_transfer_set_body(
    struct http_transfer *self, const struct http_transfer_options *options)
{
	CURL *easy = self->easy;
	curl_mimepart *part;

	self->source = options->source;
	if (options->form_file == NULL) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)self->source.length);
		return;
	}
	self->form = xcheck(curl_mime_init(easy));
	part = xcheck(curl_mime_addpart(self->form));
	curl_mime_name(part, "file");
	curl_mime_filename(part, options->form_file);
	curl_mime_data_cb(part, (curl_off_t)self->source.length, http_transfer_send,
	    NULL, NULL, self);
	curl_easy_setopt(easy, CURLOPT_MIMEPOST, self->form);
}

static void
http_transfer_set_request(
    struct http_transfer *self, const struct http_transfer_options *options)
{
	CURL *easy = self->easy;

	curl_easy_setopt(easy, CURLOPT_URL, options->url->text);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, self->headers);
	if (options->method == HTTP_HEAD)
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else if (options->method == HTTP_POST)
		http_transfer_set_body(self, options);
}

struct http_transfer *
http_transfer_start(struct event_base *base, int fd,
    const struct http_transfer_options *options, void (*wake)(void *arg), void *arg)
{
	struct http_transfer *self = xcalloc(1, sizeof *self);

	self->base = base;
	self->fd = fd;
	self->wake = wake;
	self->arg = arg;
	self->trust = options->trust;
	self->host = options->url->host;
	self->has_room = options->has_room;
	self->room_arg = options->room_arg;
	self->is_of_head = options->method == HTTP_HEAD;
	self->received = xcheck(evbuffer_new());
	self->timer = xcheck(event_new(base, -1, 0, http_transfer_timed_out, self));
	self->connect_to = http_transfer_peer(fd);
	self->headers = http_transfer_headers(options);
	/* Counted by libcurl, so each transfer has one. */
	curl_global_init(CURL_GLOBAL_DEFAULT);
	self->easy = xcheck(curl_easy_init());
	http_transfer_set_connection(self);
	if (options->trust != NULL)
		http_transfer_set_tls(self);
	http_transfer_set_request(self, options);
	self->multi = xcheck(curl_multi_init());
	curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, http_transfer_watch);
	curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
	curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, http_transfer_set_timer);
	curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
	curl_multi_add_handle(self->multi, self->easy);
	return self;
}

void
http_transfer_free(struct http_transfer *self)
{
	if (self == NULL)
		return;
	curl_multi_remove_handle(self->multi, self->easy);
	curl_easy_cleanup(self->easy);
	curl_multi_cleanup(self->multi);
	curl_mime_free(self->form);
	curl_slist_free_all(self->headers);
	curl_slist_free_all(self->connect_to);
	curl_global_cleanup();
	if (self->io != NULL)
		event_free(self->io);
	event_free(self->timer);
	if (self->fd != -1)
		close(self->fd);
	evbuffer_free(self->received);
	free(self);
}

bool
http_transfer_is_ready(const struct http_transfer *self)
{
	return self->ready;
}

int64_t
http_transfer_sent(const struct http_transfer *self)
{
	return self->sent;
}

bool
http_transfer_has_left(const struct http_transfer *self)
{
	curl_off_t length = -1, left = 0;

	curl_easy_getinfo(self->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &length);
	curl_easy_getinfo(self->easy, CURLINFO_SIZE_UPLOAD_T, &left);
	return left >= length;
}

int
http_transfer_status(const struct http_transfer *self)
{
	return self->status;
}

const char *
http_transfer_field(const struct http_transfer *self, const char *name)
{
	struct curl_header *header;

	return curl_easy_header(self->easy, name, 0, CURLH_HEADER, -1, &header) ==
		       CURLHE_OK
		   ? header->value
		   : NULL;
}

int64_t
http_transfer_length(const struct http_transfer *self)
{
	curl_off_t length = -1;

	curl_easy_getinfo(self->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length;
}

struct evbuffer *
http_transfer_received(struct http_transfer *self)
{
	return self->received;
}

void
http_transfer_resume(struct http_transfer *self)
{
	bool may_receive = self->full && http_transfer_has_room(self);

	if (self->over || (!may_receive && !self->starved))
		return;
	self->full = self->full && !may_receive;
	self->starved = false;
	curl_easy_pause(self->easy, self->full ? CURLPAUSE_RECV : CURLPAUSE_CONT);
	http_transfer_look(self);
}

/* What OpenSSL says, without its number and the name of its function. */
static const char *
http_transfer_tls_words(const char *text)
{
	const char *colon = strrchr(text, ':');

	if (strstr(text, "error:") == NULL || colon == NULL || colon[1] == '\0')
		return text;
	return colon + 1;
}

static void
http_transfer_tls_error(const struct http_transfer *self, char error[HTTP_ERROR_SIZE])
{
	long verified = X509_V_OK;

	/* Without a look at the certificate it is X509_V_ERR_UNSPECIFIED. */
	curl_easy_getinfo(self->easy, CURLINFO_SSL_VERIFYRESULT, &verified);
	if (verified != X509_V_OK && verified != X509_V_ERR_UNSPECIFIED)
		snprintf(error, HTTP_ERROR_SIZE, "TLS: %s",
		    X509_verify_cert_error_string(verified));
	else if (self->result == CURLE_PEER_FAILED_VERIFICATION)
		snprintf(
		    error, HTTP_ERROR_SIZE, "TLS: the certificate is for another host");
	else
		snprintf(error, HTTP_ERROR_SIZE, "TLS: %s",
		    http_transfer_tls_words(self->error));
}

/* Chosen: short words for a log line; other errors have libcurl's. */
static const char *
http_transfer_words(const struct http_transfer *self)
{
	if (strstr(self->error, "reset by peer") != NULL ||
	    strstr(self->error, "Broken pipe") != NULL)
		return "connection reset";
	switch (self->result) {
	case CURLE_GOT_NOTHING:
		return "the server closed the connection";
	case CURLE_OUT_OF_MEMORY: /* what it says of a line longer than it takes */
		return "header too large";
	case CURLE_PARTIAL_FILE:
		return "the answer is cut short";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return "the answer is not HTTP";
	default:
		return self->error[0] != '\0' ? self->error
					      : curl_easy_strerror(self->result);
	}
}

/* RFC 9112, 9.8: a body that ends with the connection is whole only if TLS says so,
 * which libcurl does not ask. */
static bool
http_transfer_is_cut(const struct http_transfer *self)
{
	return self->trust != NULL && !self->close_notified && !self->is_of_head &&
	       self->status != 204 && self->status != 304 &&
	       http_transfer_length(self) == -1 &&
	       http_transfer_field(self, "Transfer-Encoding") == NULL;
}

bool
http_transfer_is_over(const struct http_transfer *self, char error[HTTP_ERROR_SIZE])
{
	error[0] = '\0';
	if (!self->over)
		return false;
	switch (self->result) {
	case CURLE_OK:
		if (http_transfer_is_cut(self))
			snprintf(error, HTTP_ERROR_SIZE, "the answer is cut short");
		break;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		http_transfer_tls_error(self, error);
		break;
	default:
		snprintf(error, HTTP_ERROR_SIZE, "%s",
		    self->fault != NULL ? self->fault : http_transfer_words(self));
		break;
	}
	return true;
}
