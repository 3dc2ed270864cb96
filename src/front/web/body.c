#include "front/web/body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <zlib.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "front/web/reply.h"
#include "front/web/server.h"

#define BODY_GZIP_WINDOW (15 + 16) /* zlib: any window, and a gzip header */
#define BODY_BLOCK 16384 /* bytes read and made at a time when decoding */

struct web_body {
	struct web_connection *connection; /* borrowed */
	struct evhttp_request *request; /* evhttp's */
	struct web_span span; /* what is still to be read */
	char *copy; /* owned; what of it was in memory; or NULL */
	bool is_done; /* all pieces are made */
	z_stream *inflate; /* owned; NULL: bytes go out as they are */
	bool has_ended; /* what was decoded last was the end of a gzip member */
	uint64_t decoded; /* bytes made so far */
	unsigned char coded[BODY_BLOCK]; /* what inflate reads */
};

void
web_span_close(const struct web_span *span)
{
	if (span->fd != -1)
		close(span->fd);
}

static void
web_body_free(struct web_body *body)
{
	if (body->inflate != NULL) {
		inflateEnd(body->inflate);
		free(body->inflate);
	}
	web_span_close(&body->span);
	free(body->copy);
	free(body);
}

void
web_body_abandon(struct web_connection *connection)
{
	struct web_body *body = connection->body;

	if (body == NULL)
		return;
	connection->body = NULL;
	/* evhttp has let go of a request that is not answered to its end, and takes it
	 * back to free it. */
	if (evhttp_request_get_connection(body->request) == NULL)
		evhttp_send_reply_end(body->request);
	web_body_free(body);
}

/* Takes up to want bytes out of a span that has some. The count, or -1 and errno. */
static ssize_t
web_span_read(struct web_span *span, void *bytes, size_t want)
{
	ssize_t n = (ssize_t)want;

	if (span->bytes != NULL)
		memcpy(bytes, span->bytes + span->first, want);
	else
		do
			n = pread(span->fd, bytes, want, (off_t)span->first);
		while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = EIO; /* shorter than it was */
	if (n <= 0)
		return -1;
	span->first += (uint64_t)n;
	span->length -= (uint64_t)n;
	return n;
}

/* Adds a piece of the file. 0, or -1 and errno. */
static int
web_body_read(struct web_span *span, struct evbuffer *out)
{
	struct evbuffer_iovec space;
	size_t want =
	    span->length < WEB_BODY_PIECE ? (size_t)span->length : WEB_BODY_PIECE;
	ssize_t n;

	if (want == 0)
		return 0;
	if (evbuffer_reserve_space(out, (ev_ssize_t)want, &space, 1) == -1) {
		errno = ENOMEM;
		return -1;
	}
	n = web_span_read(span, space.iov_base, want);
	if (n == -1)
		return -1;
	space.iov_len = (size_t)n;
	evbuffer_commit_space(out, &space, 1);
	return 0;
}

/* Reads on when nothing is left to decode. 0, or -1 and errno. */
static int
web_body_feed(struct web_body *body)
{
	z_stream *z = body->inflate;
	struct web_span *span = &body->span;
	ssize_t n;

	size_t want = span->length < BODY_BLOCK ? (size_t)span->length : BODY_BLOCK;

	if (z->avail_in > 0 || want == 0)
		return 0;
	n = web_span_read(span, body->coded, want);
	if (n == -1)
		return -1;
	z->next_in = body->coded;
	z->avail_in = (uInt)n;
	return 0;
}

/* Decodes a block. 0, or -1 and errno. */
static int
web_body_inflate(struct web_body *body, struct evbuffer *out)
{
	unsigned char block[BODY_BLOCK];
	z_stream *z = body->inflate;
	int result = Z_OK;

	/* Members may follow each other (RFC 1952, 2.2). */
	if (body->has_ended && z->avail_in > 0)
		result = inflateReset(z);
	z->next_out = block;
	z->avail_out = sizeof block;
	if (result == Z_OK)
		result = inflate(z, Z_NO_FLUSH);
	if (result == Z_STREAM_END)
		body->has_ended = true;
	else if (result == Z_OK)
		body->has_ended = false;
	body->decoded += sizeof block - z->avail_out;
	if ((result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) ||
	    body->decoded > WEB_DECODED_MAX) {
		errno = EBADMSG;
		return -1;
	}
	evbuffer_add(out, block, sizeof block - z->avail_out);
	body->is_done = body->span.length == 0 && z->avail_in == 0 && z->avail_out > 0;
	if (body->is_done && !body->has_ended) {
		errno = ENODATA;
		return -1;
	}
	return 0;
}

/* Makes the next piece. 0, or -1 and errno. */
static int
web_body_fill(struct web_body *body, struct evbuffer *out)
{
	int result = 0;

	if (body->inflate == NULL) {
		result = web_body_read(&body->span, out);
		body->is_done = body->span.length == 0;
		return result;
	}
	while (result == 0 && !body->is_done &&
	       evbuffer_get_length(out) < WEB_BODY_PIECE) {
		result = web_body_feed(body);
		if (result == 0)
			result = web_body_inflate(body, out);
	}
	return result;
}

static void
web_body_log(const struct web_connection *connection)
{
	log_msg(LOG_ERR, web_server_module(connection->server)->own->name,
	    "http: a file cannot be sent: %s", strerror(errno));
}

/* The last piece is out. What evhttp calls may free the connection. */
static void
web_body_more(struct evhttp_connection *http, void *arg)
{
	struct web_body *body = arg;
	struct web_connection *connection = body->connection;
	struct evhttp_request *request = body->request;
	struct evbuffer *piece = xcheck(evbuffer_new());

	if (web_body_fill(body, piece) == -1) {
		/* The client sees that it is cut off. */
		web_body_log(connection);
		evbuffer_free(piece);
		evhttp_connection_free(http);
		return;
	}
	if (evbuffer_get_length(piece) > 0)
		evhttp_send_reply_chunk_with_cb(request, piece, web_body_more, body);
	evbuffer_free(piece);
	if (body->is_done) {
		web_body_abandon(connection);
		evhttp_send_reply_end(request);
		return;
	}
	web_reply_deaf(connection);
}

/* Sends a first piece, and the others when it is out. Takes body and piece. */
static void
web_body_start(
    struct web_body *body, int status, const char *content_type, struct evbuffer *piece)
{
	struct web_connection *connection = body->connection;
	struct evhttp_request *request = body->request;

	/* The caller lends bytes for this call only. */
	if (body->span.bytes != NULL) {
		body->copy = xmemdup(
		    body->span.bytes + body->span.first, (size_t)body->span.length);
		body->span.bytes = body->copy;
		body->span.first = 0;
	}
	connection->body = body;
	web_reply_begin(connection, request, content_type);
	evhttp_send_reply_start(request, status, web_reason(status));
	evhttp_send_reply_chunk_with_cb(request, piece, web_body_more, body);
	evbuffer_free(piece);
	web_reply_deaf(connection);
}

/* Has the kernel copy from file to socket. Takes the span, but not when it fails: -1
 * and errno. */
static int
web_body_add_segment(struct evbuffer *out, struct web_span *span)
{
	struct evbuffer_file_segment *segment = evbuffer_file_segment_new(span->fd,
	    (ev_off_t)span->first, (ev_off_t)span->length,
	    EVBUF_FS_CLOSE_ON_FREE | EVBUF_FS_DISABLE_LOCKING);

	errno = ENOMEM;
	if (segment == NULL)
		return -1;
	/* Else libevent would map the file into memory. */
	evbuffer_set_flags(out, EVBUFFER_FLAG_DRAINS_TO_FD);
	xcheck(evbuffer_add_file_segment(out, segment, 0, -1) == 0 ? out : NULL);
	evbuffer_file_segment_free(segment);
	span->fd = -1;
	span->length = 0;
	return 0;
}

void
web_body_send(struct web_connection *connection, struct evhttp_request *request,
    int status, const char *content_type, const struct web_span *span)
{
	struct web_span left = *span;
	struct evbuffer *out = xcheck(evbuffer_new());
	struct web_body *body;
	int result;

	if (left.bytes == NULL && bufferevent_openssl_get_ssl(connection->bev) == NULL)
		result = web_body_add_segment(out, &left);
	else
		result = web_body_read(&left, out);
	if (result == -1) {
		web_body_log(connection);
		web_span_close(&left);
		evbuffer_free(out);
		web_reply_text(connection, request, HTTP_INTERNAL, NULL);
		return;
	}
	web_reply_add_length(request, span->length);
	if (left.length == 0) {
		web_span_close(&left);
		web_reply(connection, request, status, content_type, out);
		return;
	}
	body = xcalloc(1, sizeof *body);
	body->connection = connection;
	body->request = request;
	body->span = left;
	web_body_start(body, status, content_type, out);
}

/* The length is known only when all is decoded: a short answer says it, a longer one is
 * chunked, or ends with the connection. */
void
web_body_send_decoded(struct web_connection *connection, struct evhttp_request *request,
    int status, const char *content_type, const struct web_span *span)
{
	struct web_body *body = xcalloc(1, sizeof *body);
	struct evbuffer *out = xcheck(evbuffer_new());

	body->connection = connection;
	body->request = request;
	body->span = *span;
	body->inflate = xcalloc(1, sizeof *body->inflate);
	errno = ENOMEM;
	if (inflateInit2(body->inflate, BODY_GZIP_WINDOW) != Z_OK ||
	    web_body_fill(body, out) == -1) {
		web_body_log(connection);
		web_body_free(body);
		evbuffer_free(out);
		web_reply_text(connection, request, HTTP_INTERNAL, NULL);
	} else if (body->is_done) {
		web_body_free(body);
		web_reply(connection, request, status, content_type, out);
	} else if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
		web_body_free(body);
		evbuffer_free(out);
		evhttp_add_header(evhttp_request_get_output_headers(request),
		    "Transfer-Encoding", "chunked");
		web_reply(connection, request, status, content_type, NULL);
	} else {
		if (request->major == 1 && request->minor == 0)
			evhttp_add_header(evhttp_request_get_output_headers(request),
			    "Connection", "close");
		web_body_start(body, status, content_type, out);
	}
}
