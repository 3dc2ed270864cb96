#include "service/broadcast_post.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/http_client.h"
#include "core/module.h"
#include "core/net_state.h"
#include "core/variable.h"

#define POST_REASON_MAX 128 /* bytes of why it failed; the rest is cut */

struct broadcast_post {
	struct module *module; /* borrowed */
	struct http_exchange *exchange; /* owned; NULL: none under way */
	char *body; /* owned; what is sent */
	size_t len;
	char reason[POST_REASON_MAX]; /* what was said last */
	bool has_failed; /* and this is logged */
};

struct broadcast_post *
broadcast_post_new(struct module *module)
{
	struct broadcast_post *post = xcalloc(1, sizeof *post);

	post->module = module;
	return post;
}

static void
broadcast_post_end(struct broadcast_post *post)
{
	http_exchange_free(post->exchange);
	free(post->body);
	post->exchange = NULL;
	post->body = NULL;
}

void
broadcast_post_free(struct broadcast_post *post)
{
	if (post == NULL)
		return;
	broadcast_post_end(post);
	free(post);
}

static void
broadcast_post_log(struct broadcast_post *post, bool has_failed)
{
	if (has_failed && !post->has_failed)
		log_msg(LOG_NOTICE, post->module->own->name,
		    "announcements cannot be posted: %s", post->reason);
	post->has_failed = has_failed;
}

/* Chosen: the lines that a request puts into the module's log stay out of it; there
 * would be some every few seconds. */
static void
broadcast_post_said(void *arg, const char *line)
{
	struct broadcast_post *post = arg;

	snprintf(post->reason, sizeof post->reason, "%s", line);
}

/* Nobody reads what the server has to say, but its status. */
static void
broadcast_post_told(void *arg, enum http_event event)
{
	struct broadcast_post *post = arg;
	struct evbuffer *received = http_exchange_received(post->exchange);
	int status = http_exchange_status(post->exchange);
	bool has_failed;

	if (evbuffer_get_length(received) > 0) {
		evbuffer_drain(received, evbuffer_get_length(received));
		http_exchange_resume(post->exchange);
	}
	if (event != HTTP_END)
		return;
	has_failed = http_exchange_has_failed(post->exchange);
	if (!has_failed && status / 100 != 2) {
		snprintf(post->reason, sizeof post->reason, "HTTP response %d", status);
		has_failed = true;
	}
	broadcast_post_end(post);
	broadcast_post_log(post, has_failed);
}

static ssize_t
broadcast_post_read(void *arg, int64_t at, void *buf, size_t len)
{
	const struct broadcast_post *post = arg;
	size_t left = post->len - (size_t)at;

	if (len > left)
		len = left;
	memcpy(buf, post->body + at, len);
	return (ssize_t)len;
}

/* Reference: network notes, 6.1: the path is not on record. Chosen: "/", unless one
 * stands behind the host. */
void
broadcast_post_send(struct broadcast_post *post, const void *text, size_t len)
{
	struct module *module = post->module;
	const char *host = variable_text(module, "broadcast.http.host"), *error;
	struct http_exchange_options options;
	struct http_exchange_ops ops;
	struct http_url url;

	if (*host == '\0' || post->exchange != NULL)
		return;
	if (http_url_parse(&url, host, &error) == -1) {
		broadcast_post_said(post, error);
		broadcast_post_log(post, true);
		return;
	}
	http_client_options(module, &options, &ops);
	options.method = HTTP_POST;
	options.type = "application/json";
	options.source = (struct http_source){
		.length = (int64_t)len, .read = broadcast_post_read, .arg = post
	};
	options.is_file = true; /* the body of the answer has to end in time too */
	ops.said = broadcast_post_said;
	ops.told = broadcast_post_told;
	ops.said_arg = ops.told_arg = post;
	post->body = xmemdup(text, len);
	post->len = len;
	post->exchange =
	    http_exchange_start(module->base, net_dns(module), &url, &options, &ops);
}
