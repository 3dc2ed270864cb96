#ifndef FRONT_WEB_REST_H
#define FRONT_WEB_REST_H

#include <stdbool.h>
#include <stddef.h>

struct evbuffer;
struct evhttp_request;
struct web_connection;

/* The REST API: commands and the log. Reference: network notes, 1.3 to 1.7. */

/* Bits of "flags" in POST /command. Chosen: which of 1 and 2 is which, and 8. */
enum rest_flag {
	REST_COMMAND_BASE64 = 1, /* "command" is base64 */
	REST_RESPONSE_BASE64 = 2, /* "response" shall be */
	REST_DATA_BASE64 = 4, /* "data" is */
	REST_QUIET = 8 /* the events of this command stay out of the logs */
};

#define REST_DEPTH_MAX 16 /* nesting of a JSON body */

/* What a body of POST /command asks for. */
struct rest_command {
	char *line; /* owned */
	size_t len;
	unsigned flags;
	struct evbuffer *data; /* owned; NULL: none was given */
};

/* Reads a body. NULL when it is good, else what is wrong with it, in static words. In
 * any case rest_command_clear() it. */
const char *rest_command_parse(struct rest_command *, const char *body, size_t len);
void rest_command_clear(struct rest_command *);

/* Handlers of the routes; each answers, now or later. */
void rest_get_command(
    struct web_connection *, struct evhttp_request *, const char *rest);
void rest_post_command(
    struct web_connection *, struct evhttp_request *, const char *rest);
void rest_get_log(struct web_connection *, struct evhttp_request *, const char *rest);

/* Whether the module's whitelist lets a call pass without a login: a command by its
 * text, with /command/ before it or without, and /command for every POST; else by its
 * path. */
bool rest_get_is_open(
    const struct web_connection *, struct evhttp_request *, const char *rest);
bool rest_post_is_open(
    const struct web_connection *, struct evhttp_request *, const char *rest);
bool rest_log_is_open(
    const struct web_connection *, struct evhttp_request *, const char *rest);
bool rest_stream_is_open(
    const struct web_connection *, struct evhttp_request *, const char *rest);

/* The connection is gone, and with it the command that ran for it. */
void rest_abandon(struct web_connection *);

#endif
