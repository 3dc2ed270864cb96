#ifndef STREAM_HTTP_EXCHANGE_H
#define STREAM_HTTP_EXCHANGE_H

#include <netinet/in.h>

#include "stream/http_transfer.h"
#include "stream/http_url.h"
#include "stream/tcp.h"

struct evdns_base;

/* A request from its URL to the end of its answer: look-up, connection, TLS, request,
 * redirects. Each hop's host is looked up by stream/lookup.h and connected to by
 * stream/connect.h; nothing else opens a socket. */

#define HTTP_REDIRECTS_MAX 10 /* Chosen: one more fails the request */
#define HTTP_FIELDS_MAX (8u * 1024) /* bytes of header fields that are added */

enum http_event {
	HTTP_CONNECTED, /* with TLS, if any; with is_held before TLS. Told once */
	HTTP_STATUS, /* the header of the last answer is there */
	HTTP_PROGRESS, /* some of the body was received or sent */
	HTTP_END /* no more comes; http_exchange_error() says whether all is well */
};

struct http_exchange_ops {
	/* Whom to check https servers against and who we are, when first needed; owned
	 * by the caller. NULL and a text. */
	SSL_CTX *(*trust)(void *arg, char error[HTTP_ERROR_SIZE]);
	/* An address is about to be connected to, and may be changed, as may be the
	 * local one. 0, or -1 and errno: nobody can be reached there. NULL: it is as it
	 * is. */
	int (*route)(void *arg, struct sockaddr_in *, struct in_addr *local);
	/* A line for the log: what happens, and what failed. */
	void (*said)(void *arg, const char *line);
	/* Whether more of the body may be received now; http_exchange_resume() asks
	 * again. NULL: always. */
	bool (*has_room)(void *arg);
	/* From the loop; the exchange may be freed in it. */
	void (*told)(void *arg, enum http_event);
	void *trust_arg, *route_arg, *said_arg, *room_arg, *told_arg;
};

struct http_exchange_options {
	enum http_method method;
	const char *type; /* Content-Type of the body; NULL: none. Copied */
	struct http_source source; /* the body of HTTP_POST */
	bool source_is_live; /* it comes piece by piece, in its own time, and once */
	const char *form_file; /* as in struct http_transfer_options; copied */
	const char *failing; /* "Download" in "Download failed: "; static; NULL: "Open"
				before HTTP_CONNECTED, then "Request" */
	bool is_held; /* connects, and waits for http_exchange_send() */
	bool is_file; /* silence_ms and limit_ms count for the body of the answer too */
	unsigned connect_ms, handshake_ms; /* for each hop */
	/* What a server may let pass without taking a byte of the request and, once it
	 * has all of it, before the header of its answer is complete. */
	unsigned silence_ms;
	unsigned limit_ms; /* until the header is there; from http_exchange_send() on,
			      or from the last byte of a live body */
	struct in_addr local; /* 0.0.0.0: any */
	struct tcp_keepalive keepalive;
};

struct http_exchange;

/* Takes the URL. The first lines are said from inside; told comes later. */
struct http_exchange *http_exchange_start(struct event_base *, struct evdns_base *,
    struct http_url *, const struct http_exchange_options *,
    const struct http_exchange_ops *);
void http_exchange_free(struct http_exchange *); /* NULL is allowed */

/* With is_held, before it is sent: adds a field to the header. 0, or -1 and errno:
 * EINVAL when name or value cannot be one, EMSGSIZE beyond HTTP_FIELDS_MAX. */
int http_exchange_add_field(
    struct http_exchange *, const char *name, const char *value);

/* Whether it can be the value of a field: no control bytes. */
bool http_exchange_is_value(const char *value);
bool http_exchange_is_sent(const struct http_exchange *);
void http_exchange_send(struct http_exchange *, int64_t body_length);

const struct http_url *http_exchange_url(const struct http_exchange *); /* borrowed */
uint16_t http_exchange_local_port(const struct http_exchange *); /* 0: none yet */
int http_exchange_status(const struct http_exchange *); /* 0: none yet */
int64_t http_exchange_length(const struct http_exchange *); /* -1: not told */

/* What has come of the body; borrowed, to be drained. Goes on when it was drained or
 * when the body to be sent has grown, on the next turn of the loop. */
struct evbuffer *http_exchange_received(struct http_exchange *);
size_t http_exchange_kept(const struct http_exchange *); /* also before HTTP_STATUS */
void http_exchange_resume(struct http_exchange *);

/* Nobody is there to give it up: what is left to do has limit_ms from now on, the rest
 * of the body and of the answer included. */
void http_exchange_limit(struct http_exchange *);

/* Whether bytes of the body may still be sent: not once a redirect has made a GET of
 * the request, nor behind an answer that is no success. */
bool http_exchange_wants_body(const struct http_exchange *);

/* Whether all of the body has left. */
bool http_exchange_body_has_left(const struct http_exchange *);

bool http_exchange_is_over(const struct http_exchange *);
bool http_exchange_has_failed(const struct http_exchange *);

#endif
