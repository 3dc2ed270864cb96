/* The least a program can do with evhttp and jansson to answer GET /command/ver as the
 * module does: the same bytes, made anew for each request. One thread.
 * usage: bare_http [-t CERTIFICATE KEY] TEXT [NAME VALUE]...
 * TEXT is the version text; each NAME VALUE is a header of the answer. Prints the port.
 */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <jansson.h>
#include <openssl/ssl.h>

struct bare {
	SSL_CTX *tls;
	char *response; /* the text and CRLF */
	char **headers; /* name, value, up to NULL */
	json_int_t id;
};

static void
bare_answer(struct evhttp_request *request, void *arg)
{
	struct bare *bare = arg;
	json_t *object = json_pack("{s:I, s:i, s:i, s:s}", "id", ++bare->id, "code", 0,
	    "flags", 0, "response", bare->response);
	char *text = json_dumps(object, JSON_COMPACT);
	struct evbuffer *body = evbuffer_new();

	evbuffer_add(body, text, strlen(text));
	for (char **header = bare->headers; header[0] != NULL; header += 2)
		evhttp_add_header(
		    evhttp_request_get_output_headers(request), header[0], header[1]);
	evhttp_send_reply(request, HTTP_OK, "OK", body);
	evbuffer_free(body);
	free(text);
	json_decref(object);
}

static struct bufferevent *
bare_connection(struct event_base *base, void *arg)
{
	struct bare *bare = arg;

	return bufferevent_openssl_socket_new(base, -1, SSL_new(bare->tls),
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static SSL_CTX *
bare_tls(const char *certificate, const char *key)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1)
		exit(2);
	return tls;
}

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t address_len = sizeof address;
	struct evconnlistener *listener;
	struct bare bare = { 0 };
	char response[512];
	int on = 1, fd;

	signal(SIGPIPE, SIG_IGN); /* a client may leave before its answer */
	if (argc > 3 && strcmp(argv[1], "-t") == 0) {
		bare.tls = bare_tls(argv[2], argv[3]);
		evhttp_set_bevcb(http, bare_connection, &bare);
		argv += 3;
		argc -= 3;
	}
	if (argc < 2 || argc % 2 != 0)
		return 2;
	snprintf(response, sizeof response, "%s\r\n", argv[1]);
	bare.response = response;
	bare.headers = argv + 2;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = evconnlistener_new_bind(base, NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 128,
	    (struct sockaddr *)&address, sizeof address);
	if (listener == NULL || evhttp_bind_listener(http, listener) == NULL)
		return 1;
	fd = evconnlistener_get_fd(listener);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (getsockname(fd, (struct sockaddr *)&address, &address_len) == -1)
		return 1;
	evhttp_set_gencb(http, bare_answer, &bare);
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return event_base_dispatch(base) == 0 ? 0 : 1;
}
