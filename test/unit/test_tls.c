/* stream/tls.c against a peer in the same process: what its watchers are told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <event2/util.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "stream/packet_buffer.h"
#include "stream/tcp.h"
#include "stream/tls.h"

#define TURNS 50 /* of the loop, in which all that can happen has happened */

struct fixture {
	struct event_base *base;
	SSL_CTX *ours, *theirs;
	struct stream *stream; /* the module's end, a client */
	SSL *peer;
	int peer_fd;
	char error[TLS_FAULT_MAX]; /* of the handshake */
	struct stream_watch watch;
	unsigned told[STREAM_EVENT_FREE + 1];
};

static void
told(struct stream_watch *watch, struct stream *stream, enum stream_event event)
{
	struct fixture *fixture =
	    (struct fixture *)((char *)watch - offsetof(struct fixture, watch));

	(void)stream;
	fixture->told[event]++;
}

static void
shook_hands(void *arg, SSL *ssl, const char *error)
{
	struct fixture *fixture = arg;

	if (ssl == NULL) {
		strncpy(fixture->error, error, sizeof fixture->error - 1);
		return;
	}
	fixture->stream = tls_stream_new(fixture->base, ssl, false, "info", 0);
	fixture->watch.told = told;
	stream_watch(fixture->stream, &fixture->watch);
}

static void
turn(struct fixture *fixture)
{
	for (int i = 0; i < TURNS; i++)
		event_base_loop(fixture->base, EVLOOP_NONBLOCK);
}

/* A certificate for "peer.test", which signs itself. */
static void
certify(SSL_CTX *server, SSL_CTX *client)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)"peer.test", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(SSL_CTX_use_certificate(server, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(server, key), 1);
	assert_int_equal(
	    X509_STORE_add_cert(SSL_CTX_get_cert_store(client), certificate), 1);
	SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void
open_stream(struct fixture *fixture, int version, const char *host)
{
	struct tls_options options = {
		.context = fixture->ours, .host = host, .timeout_ms = 5000
	};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	SSL_CTX_set_max_proto_version(fixture->theirs, version);
	fixture->peer_fd = fds[1];
	fixture->peer = SSL_new(fixture->theirs);
	SSL_set_fd(fixture->peer, fds[1]);
	SSL_set_accept_state(fixture->peer);
	assert_non_null(
	    tls_handshake_start(fixture->base, fds[0], &options, shook_hands, fixture));
	for (int i = 0; i < TURNS && fixture->error[0] == '\0'; i++) {
		turn(fixture);
		if (SSL_do_handshake(fixture->peer) == 1 && fixture->stream != NULL)
			break;
	}
	turn(fixture);
}

static int
set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->base = event_base_new();
	fixture->ours = SSL_CTX_new(TLS_client_method());
	fixture->theirs = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_options(fixture->ours, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(fixture->theirs,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	certify(fixture->theirs, fixture->ours);
	*state = fixture;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->stream != NULL)
		fixture->stream->ops->close(fixture->stream);
	SSL_free(fixture->peer);
	if (fixture->peer_fd != -1)
		close(fixture->peer_fd);
	SSL_CTX_free(fixture->ours);
	SSL_CTX_free(fixture->theirs);
	event_base_free(fixture->base);
	free(fixture);
	return 0;
}

/* Tickets and key updates are records without data, of which nobody is told. */
static void
test_records_without_data(void **state)
{
	struct fixture *fixture = *state;
	char buf[16];

	open_stream(fixture, TLS1_3_VERSION, "peer.test");
	assert_non_null(fixture->stream);
	assert_string_equal(fixture->stream->ops->type, "TLSC");
	assert_int_equal(SSL_key_update(fixture->peer, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_do_handshake(fixture->peer), 1);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_DATA], 0);
	assert_int_equal(fixture->stream->ops->poll(fixture->stream), STREAM_IDLE);
	assert_int_equal(SSL_write(fixture->peer, "data", 4), 4);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_DATA], 1);
	assert_int_equal(fixture->stream->ops->poll(fixture->stream), STREAM_READABLE);
	assert_int_equal(
	    fixture->stream->ops->read(fixture->stream, buf, sizeof buf), 4);
	assert_memory_equal(buf, "data", 4);
	/* What is written is in the new keys. */
	assert_int_equal(fixture->stream->ops->write(fixture->stream, "back", 4), 4);
	assert_int_equal(SSL_read(fixture->peer, buf, sizeof buf), 4);
	assert_memory_equal(buf, "back", 4);
}

/* A part of a record is no data either. */
static void
test_part_of_a_record(void **state)
{
	struct fixture *fixture = *state;
	int pair[2];
	unsigned char record[256];
	ssize_t len;

	open_stream(fixture, TLS1_2_VERSION, "peer.test");
	assert_non_null(fixture->stream);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	SSL_set_fd(fixture->peer, pair[0]);
	assert_int_equal(SSL_write(fixture->peer, "whole", 5), 5);
	len = read(pair[1], record, sizeof record);
	assert_true(len > 6);
	assert_int_equal(write(fixture->peer_fd, record, 6), 6);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_DATA], 0);
	assert_int_equal(fixture->stream->ops->poll(fixture->stream), STREAM_IDLE);
	assert_int_equal(write(fixture->peer_fd, record + 6, (size_t)len - 6), len - 6);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_DATA], 1);
	assert_int_equal(fixture->stream->ops->poll(fixture->stream), STREAM_READABLE);
	close(pair[0]);
	close(pair[1]);
}

static void
ask_status(const struct stream *stream)
{
	stream->ops->poll(stream);
}

static void
ask_info(const struct stream *stream)
{
	struct stream_info info;

	stream->ops->info(stream, &info);
}

static void
ask_held(const struct stream *stream)
{
	struct stream_held held;

	stream->ops->held(stream, &held);
}

/* Who asks before the loop has its turn does not keep the news to himself. */
static void
test_news_that_others_met(void **state)
{
	void (*const asks[])(
	    const struct stream *) = { ask_status, ask_info, ask_held };
	struct fixture *fixture = *state;
	struct stream *stream;
	char buf[16];

	open_stream(fixture, TLS1_3_VERSION, "peer.test");
	stream = fixture->stream;
	for (unsigned i = 0; i < sizeof asks / sizeof asks[0]; i++) {
		assert_int_equal(SSL_write(fixture->peer, "data", 4), 4);
		asks[i](stream);
		turn(fixture);
		assert_int_equal(fixture->told[STREAM_EVENT_DATA], i + 1);
		/* Data that nobody reads is told once, whoever looks at it. */
		asks[i](stream);
		turn(fixture);
		assert_int_equal(fixture->told[STREAM_EVENT_DATA], i + 1);
		assert_int_equal(stream->ops->read(stream, buf, sizeof buf), 4);
	}
	SSL_shutdown(fixture->peer);
	ask_held(stream);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_END], 1);
}

/* close_notify, with and without the end of TCP behind it, is one end. */
static void
test_end_is_told_once(void **state)
{
	struct fixture *fixture = *state;
	char buf[16];

	open_stream(fixture, TLS1_3_VERSION, "peer.test");
	assert_int_equal(SSL_write(fixture->peer, "last", 4), 4);
	SSL_shutdown(fixture->peer);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_END], 0);
	/* Exactly what there is: the end behind it must show all the same. */
	assert_int_equal(fixture->stream->ops->read(fixture->stream, buf, 4), 4);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_END], 1);
	assert_int_equal(fixture->stream->ops->poll(fixture->stream), STREAM_CLOSED);
	shutdown(fixture->peer_fd, SHUT_WR);
	turn(fixture);
	assert_int_equal(fixture->stream->ops->read(fixture->stream, buf, 4), 0);
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_END], 1);
	assert_null(fixture->stream->fault);
	assert_int_equal(fixture->stream->ops->write(fixture->stream, "x", 1), -1);
}

/* What the peer does not take is kept up to a limit, and arrives in order. */
static void
test_slow_peer(void **state)
{
	static unsigned char out[3000], in[3000];
	struct fixture *fixture = *state;
	size_t written = 0, got = 0;
	unsigned refused = 0;
	int n;

	open_stream(fixture, TLS1_3_VERSION, "peer.test");
	while (fixture->stream->ops->has_room(fixture->stream, sizeof out)) {
		for (size_t i = 0; i < sizeof out; i++)
			out[i] = (unsigned char)((written + i) * 7 >> 3);
		assert_int_equal(
		    fixture->stream->ops->write(fixture->stream, out, sizeof out),
		    sizeof out);
		written += sizeof out;
		assert_true(written < 4 * 1024 * 1024);
	}
	refused = fixture->stream->ops->write(fixture->stream, out, sizeof out) == -1;
	assert_int_equal(refused, 1);
	/* The peer speaks meanwhile, and new keys are asked for. */
	assert_int_equal(SSL_key_update(fixture->peer, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_write(fixture->peer, "meanwhile", 9), 9);
	turn(fixture);
	assert_int_equal(fixture->stream->ops->read(fixture->stream, in, 100), 9);
	while (got < written) {
		turn(fixture);
		n = SSL_read(fixture->peer, in, sizeof in);
		assert_true(n > 0);
		for (int i = 0; i < n; i++, got++)
			assert_int_equal(in[i], (unsigned char)(got * 7 >> 3));
	}
	turn(fixture);
	assert_int_equal(fixture->told[STREAM_EVENT_ROOM], 1);
	assert_int_equal(fixture->told[STREAM_EVENT_END], 0);
	assert_true(fixture->stream->ops->has_room(fixture->stream, TCP_SEND_MAX));
}

static void
test_other_host(void **state)
{
	struct fixture *fixture = *state;

	open_stream(fixture, TLS1_3_VERSION, "other.test");
	assert_null(fixture->stream);
	assert_string_equal(fixture->error, "TLS: hostname mismatch");
}

/* The dot that may end a name is no part of the certificate's. */
static void
test_name_with_a_dot(void **state)
{
	struct fixture *fixture = *state;

	open_stream(fixture, TLS1_3_VERSION, "peer.test.");
	assert_non_null(fixture->stream);
	assert_string_equal(
	    SSL_get_servername(fixture->peer, TLSEXT_NAMETYPE_host_name), "peer.test");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_records_without_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_part_of_a_record, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_news_that_others_met, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_end_is_told_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_slow_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_host, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_name_with_a_dot, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
