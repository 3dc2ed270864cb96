#ifndef CORE_HTTP_CLIENT_H
#define CORE_HTTP_CLIENT_H

#include "core/net.h"
#include "stream/http.h"

/* The module's HTTP requests. Time-outs, trust and limits come from its variables and
 * its profile, where a request counts as a TCP client; what happens is said in events.
 * Whatever is under way here fails when the network goes down. */

/* Chosen: how long a server may be silent, and what a file may take on its way. */
#define HTTP_SILENCE_MS 30000
#define HTTP_FILE_MS 300000

/* A request whose answer becomes a stream. */
struct http_client_plan {
	enum http_method method;
	enum network_interface interface;
	const char *type; /* of the body; NULL: none */
	struct http_stream_options stream;
};

struct http_client;

/* opened() is called once the answer's header is there; for a request that is held or
 * has a live body, once the connection stands. It is gone then, or after
 * http_client_cancel(), and then opened() is never called. Takes the URL. NULL when the
 * profile's limit is reached. */
struct http_client *http_client_start(struct module *, struct http_url *,
    const struct http_client_plan *, net_opened *, void *arg);
void http_client_cancel(struct http_client *);

/* The time that it may take at most until the header is there, for a deadline. */
unsigned http_client_timeout_ms(const struct module *);

/* A file that is fetched or sent. */
struct http_file;
typedef void http_file_done(void *arg, bool is_well);

struct http_download_plan {
	enum network_interface interface;
	const char
	    *name; /* copied; a file of that name is replaced once all is there */
	int32_t crc; /* that it must have; -1: any */
	bool is_unprotected;
};

/* Likewise for a file; done() is called in the end. */
struct http_file *http_download_start(struct module *, struct http_url *,
    const struct http_download_plan *, http_file_done *, void *arg);

struct http_upload_plan {
	enum network_interface interface;
	const char *name;
	const char *remote_name; /* under which it is the field "file" of a form */
	bool is_raw; /* no form: it is the body */
};

/* NULL also when there is no such file. */
struct http_file *http_upload_start(struct module *, struct http_url *,
    const struct http_upload_plan *, http_file_done *, void *arg);
void http_file_cancel(struct http_file *);

/* For core/: what all requests share. */
void http_client_options(
    struct module *, struct http_exchange_options *, struct http_exchange_ops *);

#endif
