#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/xmalloc.h"
#include "stream/http.h"
#include "stream/http_exchange.h"
#include "stream/tcp.h"

static void
test_urls(void **state)
{
	static const struct {
		const char *text, *shown, *authority, *host, *target, *file;
		uint16_t port;
		bool is_tls;
	} good[] = {
		{ "example.com", "http://example.com/", "example.com", "example.com",
		    "/", "", 80, false },
		{ "10.0.0.1:8080/a/b%20c?d=e&f", "http://10.0.0.1:8080/a/b%20c?d=e&f",
		    "10.0.0.1:8080", "10.0.0.1", "/a/b%20c?d=e&f", "b c", 8080, false },
		{ "https://Example.com/x/", "https://Example.com/x/", "Example.com",
		    "Example.com", "/x/", "", 443, true },
		{ "HTTP://user:secret@h/f#part", "http://h/f", "h", "h", "/f", "f", 80,
		    false },
		{ "h/a/../b/./c", "http://h/a/../b/./c", "h", "h", "/a/../b/./c", "c",
		    80, false },
		{ "h/a b?c d", "http://h/a%20b?c+d", "h", "h", "/a%20b?c+d", "a b", 80,
		    false },
		{ "h/command/gse%204%201", "http://h/command/gse%204%201", "h", "h",
		    "/command/gse%204%201", "gse 4 1", 80, false },
		{ "h/a%2Fb%00c", "http://h/a%2Fb%00c", "h", "h", "/a%2Fb%00c", "", 80,
		    false },
		{ "h/go?to=https://i/", "http://h/go?to=https://i/", "h", "h",
		    "/go?to=https://i/", "go", 80, false },
		{ "h:81?a://b", "http://h:81/?a://b", "h:81", "h", "/?a://b", "", 81,
		    false },
		{ "h/%2e%2e%2fx", "http://h/%2e%2e%2fx", "h", "h", "/%2e%2e%2fx",
		    "../x", 80, false },
	};
	static const char *const bad[] = { "", "http://", "ftp://h/", "file:///etc/x",
		"h:99999/", "h:port/", "h/\r\nX: y", "h\x01/", "gopher://h",
		"javascript://h", "no such host/", "h:0/" };
	const char *error;
	struct http_url url;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(http_url_parse(&url, good[i].text, &error), 0);
		assert_string_equal(url.shown, good[i].shown);
		assert_string_equal(url.authority, good[i].authority);
		assert_string_equal(url.host, good[i].host);
		assert_string_equal(url.target, good[i].target);
		assert_string_equal(url.file, good[i].file);
		assert_int_equal(url.port, good[i].port);
		assert_int_equal(url.is_tls, good[i].is_tls);
		http_url_clear(&url);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (http_url_parse(&url, bad[i], &error) != -1)
			fail_msg("%s is taken", bad[i]);
		assert_non_null(error);
	}
}

static void
test_long_url(void **state)
{
	char text[HTTP_URL_MAX + 2];
	const char *error;
	struct http_url url;

	(void)state;
	memset(text, 'a', sizeof text);
	text[1] = '/';
	text[HTTP_URL_MAX + 1] = '\0';
	assert_int_equal(http_url_parse(&url, text, &error), -1);
	text[HTTP_URL_MAX] = '\0';
	assert_int_equal(http_url_parse(&url, text, &error), 0);
	http_url_clear(&url);
}

static void
test_where_redirects_lead(void **state)
{
	static const struct {
		const char *from, *location, *to; /* NULL: refused */
		bool same_server;
	} cases[] = {
		{ "http://h/a/b?c", "d", "http://h/a/d", true },
		{ "http://h/a/b", "/d?e", "http://h/d?e", true },
		{ "http://h/a/b", "../../../x", "http://h/x", true },
		{ "http://h/a", "//i/b", "http://i/b", false },
		{ "http://h/a", "http://H:80/b", "http://H:80/b", true },
		{ "http://h/a", "http://h:81/b", "http://h:81/b", false },
		{ "http://h/a", "https://h/b", "https://h/b", false },
		{ "https://h/a", "https://i/a b", "https://i/a%20b", false },
		{ "http://h/a", "?q", "http://h/a?q", true },
		{ "https://h/a", "http://h/a", NULL, false },
		{ "http://h/a", "file:///etc/passwd", NULL, false },
		{ "http://h/a", "ftp://h/a", NULL, false },
		{ "http://h/a", "gopher://h/a", NULL, false },
		{ "http://h/a", "dict://h/a", NULL, false },
		{ "http://h/a", "foo://h/a", NULL, false },
		{ "http://h/a", "http://h:70000/", NULL, false },
		{ "http://h/a", "http://", NULL, false },
	};
	const char *error;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_url from, to;

		assert_int_equal(http_url_parse(&from, cases[i].from, &error), 0);
		if (cases[i].to == NULL) {
			assert_int_equal(
			    http_url_follow(&to, &from, cases[i].location, &error), -1);
			assert_non_null(error);
		} else {
			assert_int_equal(
			    http_url_follow(&to, &from, cases[i].location, &error), 0);
			assert_string_equal(to.shown, cases[i].to);
			assert_int_equal(
			    http_url_same_server(&from, &to), cases[i].same_server);
			http_url_clear(&to);
		}
		http_url_clear(&from);
	}
}

/* A server that does no more than the test says, and one request to it. */
struct peer {
	struct event_base *base;
	struct event *accepting, *dripping;
	int listener, connection;
	const char *answer; /* sent when somebody connects */
	bool drips; /* then a byte of a header again and again */
	struct http_exchange *exchange;
	char said[1000]; /* the lines, each with a blank behind it */
	unsigned told[HTTP_END + 1];
	bool is_freed_when_connected;
};

#define PEER_SILENCE_MS 100

static void
peer_drip(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval pause = { .tv_usec = 10000 };
	struct peer *peer = arg;

	(void)fd;
	(void)what;
	if (write(peer->connection, "x", 1) == 1)
		event_add(peer->dripping, &pause);
}

static void
peer_accept(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;

	(void)what;
	peer->connection = accept(fd, NULL, NULL);
	assert_int_equal(write(peer->connection, peer->answer, strlen(peer->answer)),
	    strlen(peer->answer));
	if (peer->drips)
		peer_drip(-1, 0, peer);
}

static SSL_CTX *
peer_trust(void *arg, char error[HTTP_ERROR_SIZE])
{
	(void)arg;
	snprintf(error, HTTP_ERROR_SIZE, "nobody is trusted");
	return NULL;
}

static void
peer_said(void *arg, const char *line)
{
	struct peer *peer = arg;
	size_t len = strlen(peer->said);

	snprintf(peer->said + len, sizeof peer->said - len, "%s|", line);
}

static void
peer_told(void *arg, enum http_event event)
{
	struct peer *peer = arg;

	peer->told[event]++;
	if (event == HTTP_CONNECTED && peer->is_freed_when_connected) {
		http_exchange_free(peer->exchange);
		peer->exchange = NULL;
		event_base_loopbreak(peer->base);
	}
	if (event == HTTP_END)
		event_base_loopbreak(peer->base);
}

static const struct tcp_keepalive peer_keepalive = {
	.idle_s = 60, .interval_s = 10, .count = 3
};

/* Where the server is. */
static void
peer_listen(struct peer *peer, const char *scheme, struct http_url *url)
{
	struct sockaddr_in sin = { .sin_port = 0 };
	socklen_t len = sizeof sin;
	const char *error;
	char *text;

	peer->base = event_base_new();
	peer->connection = -1;
	if (peer->answer == NULL)
		peer->answer = "";
	peer->listener = tcp_listen("127.0.0.1", 0, &peer_keepalive);
	assert_int_not_equal(peer->listener, -1);
	assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&sin, &len), 0);
	peer->accepting =
	    event_new(peer->base, peer->listener, EV_READ, peer_accept, peer);
	event_add(peer->accepting, NULL);
	peer->dripping = event_new(peer->base, -1, 0, peer_drip, peer);
	text = xasprintf("%s127.0.0.1:%u/", scheme, ntohs(sin.sin_port));
	assert_int_equal(http_url_parse(url, text, &error), 0);
	free(text);
}

static void
peer_begin(
    struct peer *peer, const char *scheme, const struct http_exchange_options *options)
{
	const struct http_exchange_ops ops = { .trust = peer_trust,
		.said = peer_said,
		.told = peer_told,
		.said_arg = peer,
		.told_arg = peer };
	struct http_exchange_options all = *options;
	struct http_url url;

	peer_listen(peer, scheme, &url);
	all.connect_ms = 5000;
	all.keepalive = peer_keepalive;
	peer->exchange = http_exchange_start(peer->base, NULL, &url, &all, &ops);
}

static void
peer_end(struct peer *peer)
{
	http_exchange_free(peer->exchange);
	event_free(peer->accepting);
	event_free(peer->dripping);
	close(peer->listener);
	if (peer->connection != -1)
		close(peer->connection);
	event_base_free(peer->base);
}

/* Runs until the exchange is over; its last line says that. */
static void
peer_expect_end(struct peer *peer, const char *line)
{
	const char *last;

	event_base_dispatch(peer->base);
	assert_int_equal(peer->told[HTTP_END], 1);
	assert_true(http_exchange_is_over(peer->exchange));
	assert_true(http_exchange_has_failed(peer->exchange));
	last = strstr(peer->said, line);
	if (last == NULL || last[strlen(line)] != '|' || last[strlen(line) + 1] != '\0')
		fail_msg("%s", peer->said);
}

static const struct http_exchange_options peer_plain = { .method = HTTP_GET,
	.handshake_ms = 5000,
	.silence_ms = PEER_SILENCE_MS,
	.limit_ms = 5000 };

static void
test_silent_server(void **state)
{
	int64_t start = clock_monotonic_ms();
	struct peer peer = { .answer = NULL };

	(void)state;
	peer_begin(&peer, "", &peer_plain);
	peer_expect_end(&peer, "Request failed: timed out");
	assert_int_equal(peer.told[HTTP_CONNECTED], 1);
	assert_true(clock_monotonic_ms() - start >= PEER_SILENCE_MS);
	peer_end(&peer);
}

/* Each byte is progress, but the header as a whole has its time. */
static void
test_header_byte_by_byte(void **state)
{
	struct peer peer = { .answer = "HTTP/1.1 200 OK\r\nX: ", .drips = true };

	(void)state;
	peer_begin(&peer, "", &peer_plain);
	peer_expect_end(&peer, "Request failed: timed out");
	peer_end(&peer);
}

static void
test_body_that_stops(void **state)
{
	struct http_exchange_options options = peer_plain;
	struct peer peer = { .answer =
				 "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123" };

	(void)state;
	options.is_file = true;
	options.failing = "Download";
	peer_begin(&peer, "", &options);
	peer_expect_end(&peer, "HTTP response: 200|Download failed: timed out");
	assert_int_equal(http_exchange_status(peer.exchange), 200);
	assert_int_equal(http_exchange_length(peer.exchange), 9);
	assert_int_equal(evbuffer_get_length(http_exchange_received(peer.exchange)), 3);
	peer_end(&peer);
}

/* Whatever a server does, a file has a limit. */
static void
test_limit_of_a_file(void **state)
{
	struct http_exchange_options options = peer_plain;
	struct peer peer = { .answer =
				 "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n",
		.drips = true };

	(void)state;
	options.is_file = true;
	options.limit_ms = 3 * PEER_SILENCE_MS;
	peer_begin(&peer, "", &options);
	peer_expect_end(&peer, "HTTP response: 200|Request failed: timed out");
	assert_true(peer.told[HTTP_PROGRESS] > 2);
	peer_end(&peer);
}

/* A body that the host gives in its own time: nothing ends it but the host. */
static ssize_t
source_of_a_slow_host(void *arg, int64_t at, void *buf, size_t len)
{
	const bool *gives = arg;

	(void)len;
	if (!*gives)
		return 0;
	*(char *)buf = "ab"[at];
	return 1;
}

static void
slow_host_gives(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;

	(void)fd;
	(void)what;
	http_exchange_resume(peer->exchange);
}

static void
test_slow_host(void **state)
{
	const struct timeval late = { .tv_usec = 3 * PEER_SILENCE_MS * 1000 };
	bool gives = false;
	struct http_exchange_options options = peer_plain;
	struct peer peer = { .answer = NULL };
	char request[1000] = "";
	struct event *wake;

	(void)state;
	options.method = HTTP_POST;
	options.source = (struct http_source){ 2, source_of_a_slow_host, &gives };
	options.source_is_live = true;
	peer_begin(&peer, "", &options);
	wake = event_new(peer.base, -1, 0, slow_host_gives, &peer);
	event_base_loopexit(peer.base, &late);
	event_base_dispatch(peer.base);
	assert_int_equal(peer.told[HTTP_CONNECTED], 1);
	assert_false(http_exchange_is_over(peer.exchange));
	gives = true;
	event_active(wake, EV_TIMEOUT, 0);
	peer_expect_end(&peer, "Request failed: timed out");
	assert_true(read(peer.connection, request, sizeof request - 1) > 0);
	assert_non_null(strstr(request, "Content-Length: 2\r\n\r\nab"));
	event_free(wake);
	peer_end(&peer);
}

static void
test_nobody_is_trusted(void **state)
{
	struct peer peer = { .answer = NULL };

	(void)state;
	peer_begin(&peer, "https://", &peer_plain);
	peer_expect_end(&peer, "Open failed: nobody is trusted");
	assert_int_equal(peer.connection, -1);
	peer_end(&peer);
}

static void
test_freed_in_its_own_news(void **state)
{
	struct peer peer = { .is_freed_when_connected = true };

	(void)state;
	peer_begin(&peer, "", &peer_plain);
	event_base_dispatch(peer.base);
	assert_int_equal(peer.told[HTTP_CONNECTED], 1);
	assert_null(peer.exchange);
	peer_end(&peer);
}

static void
test_fields(void **state)
{
	struct http_exchange_options options = peer_plain;
	struct peer peer = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" };
	char request[HTTP_FIELDS_MAX + 1000] = "", long_value[HTTP_FIELDS_MAX];

	(void)state;
	options.is_held = true;
	peer_begin(&peer, "", &options);
	memset(long_value, 'x', sizeof long_value);
	long_value[sizeof long_value - 1] = '\0';
	assert_int_equal(http_exchange_add_field(peer.exchange, "A", "1\t2 \xFF"), 0);
	assert_int_equal(http_exchange_add_field(peer.exchange, "Empty", ""), 0);
	assert_int_equal(
	    http_exchange_add_field(peer.exchange, "content-length", "9"), 0);
	assert_int_equal(
	    http_exchange_add_field(peer.exchange, "Transfer-Encoding", "chunked"), 0);
	assert_int_equal(http_exchange_add_field(peer.exchange, "", "1"), -1);
	assert_int_equal(http_exchange_add_field(peer.exchange, "A B", "1"), -1);
	assert_int_equal(http_exchange_add_field(peer.exchange, "A:", "1"), -1);
	assert_int_equal(http_exchange_add_field(peer.exchange, "A", "1\r\nB: 2"), -1);
	assert_int_equal(http_exchange_add_field(peer.exchange, "A", "\x7F"), -1);
	assert_int_equal(
	    http_exchange_add_field(peer.exchange, "Long", long_value), -1);
	http_exchange_send(peer.exchange, 0);
	event_base_dispatch(peer.base);
	assert_false(http_exchange_has_failed(peer.exchange));
	assert_true(read(peer.connection, request, sizeof request - 1) > 0);
	assert_non_null(strstr(request, "\r\nA: 1\t2 \xFF\r\nEmpty:\r\n\r\n"));
	assert_null(strstr(request, "ontent-"));
	assert_null(strstr(request, "chunked"));
	peer_end(&peer);
}

#define UPLOAD_SIZE (16u << 20) /* more than the kernel takes */

/* Runs the loop for a while, or until the list is empty. */
static bool
linger(struct peer *peer, const struct stream_lingering *lingering, unsigned ms)
{
	const struct timeval pause = { .tv_usec = 10000 };
	int64_t until_ms = clock_monotonic_ms() + ms;

	while (!TAILQ_EMPTY(lingering) && clock_monotonic_ms() < until_ms) {
		event_base_loopexit(peer->base, &pause);
		event_base_dispatch(peer->base);
	}
	return TAILQ_EMPTY(lingering);
}

/* A server that does not read on does not keep a request whose stream is closed, be it
 * answered or not. */
static void
test_limit_of_what_lingers(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
	static const struct {
		const char *early, *late; /* before it is closed, and after */
	} cases[] = { { "", "" }, { answer, "" }, { "", answer } };
	const struct http_stream_options body = { .body = HTTP_BODY_LIVE,
		.length = UPLOAD_SIZE };
	struct http_exchange_options options = peer_plain;
	char *bytes = xcalloc(1, UPLOAD_SIZE);

	(void)state;
	options.method = HTTP_POST;
	options.connect_ms = 5000;
	options.keepalive = peer_keepalive;
	options.limit_ms = 300;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct peer peer = { .answer = cases[i].early };
		size_t late = strlen(cases[i].late);
		const struct http_exchange_ops ops = { .said = peer_said,
			.said_arg = &peer };
		struct stream_lingering lingering = TAILQ_HEAD_INITIALIZER(lingering);
		struct stream *stream;
		struct http_url url;

		peer_listen(&peer, "", &url);
		stream = http_stream_new(peer.base, NULL, &url, &body, &options, &ops);
		stream->lingering = &lingering;
		while (peer.connection == -1 || !http_stream_is_connected(stream) ||
		       (*peer.answer != '\0' && http_stream_status(stream) == 0))
			event_base_loop(peer.base, EVLOOP_ONCE);
		assert_int_equal(
		    stream->ops->write(stream, bytes, UPLOAD_SIZE), UPLOAD_SIZE);
		stream->ops->close(stream);
		assert_int_equal(write(peer.connection, cases[i].late, late), late);
		assert_false(linger(&peer, &lingering, 100));
		assert_true(linger(&peer, &lingering, 3000));
		peer_end(&peer);
	}
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_long_url),
		cmocka_unit_test(test_where_redirects_lead),
		cmocka_unit_test(test_silent_server),
		cmocka_unit_test(test_header_byte_by_byte),
		cmocka_unit_test(test_body_that_stops),
		cmocka_unit_test(test_limit_of_a_file),
		cmocka_unit_test(test_slow_host),
		cmocka_unit_test(test_nobody_is_trusted),
		cmocka_unit_test(test_freed_in_its_own_news),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_limit_of_what_lingers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
