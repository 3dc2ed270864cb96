#include "core/update.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <jansson.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/event.h"
#include "core/http_client.h"
#include "core/net_state.h"
#include "core/variable.h"
#include "store/nvm.h"

#define UPDATE_FILE "update.json"
#define UPDATE_KEY "version"
#define UPDATE_TLS_PORT 443

struct update_query {
	struct net_job job;
	struct module *module; /* borrowed */
	struct http_exchange *exchange; /* owned */
	update_answered *answered;
	void *arg;
};

/* One line that a banner can show. */
static bool
update_is_version(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > UPDATE_VERSION_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (iscntrl((unsigned char)text[i]))
			return false;
	}
	return true;
}

bool
update_is_bundle(const char *text)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(text);

	return len > 0 && len <= UPDATE_BUNDLE_MAX && strspn(text, bytes) == len;
}

void
update_load(struct module *module)
{
	struct nvm *nvm = module_open_nvm(module, UPDATE_FILE);
	const char *version = nvm == NULL ? NULL : nvm_get(nvm, UPDATE_KEY);

	if (version != NULL && update_is_version(version))
		module->update = xstrdup(version);
	nvm_close(nvm);
}

int
update_install(struct module *module, const char *version)
{
	struct nvm *nvm = module_open_nvm(module, UPDATE_FILE);
	int result = -1;

	if (nvm == NULL)
		return -1;
	if (nvm_set(nvm, UPDATE_KEY, version) == 0 && nvm_commit(nvm) == 0)
		result = 0;
	else
		log_msg(LOG_ERR, module->own->name, "the update is not saved: %s",
		    strerror(errno));
	nvm_close(nvm);
	if (result == 0) {
		free(module->update);
		module->update = xstrdup(version);
	}
	return result;
}

void
update_bundle(const struct module *module, char bundle[UPDATE_VERSION_MAX + 1])
{
	const char *version = module_version(module);
	size_t len = strcspn(version, ",");

	if (len > UPDATE_VERSION_MAX)
		len = UPDATE_VERSION_MAX;
	memcpy(bundle, version, len);
	bundle[len] = '\0';
}

/* The name of the file that is asked for, without its end; owned by the caller. A
 * product is its bundle without the last part, which is the version. */
static char *
update_name(const struct module *module, const char *wanted)
{
	char bundle[UPDATE_VERSION_MAX + 1];
	char *last;

	if (wanted != NULL && !isdigit((unsigned char)*wanted))
		return xstrdup(wanted);
	update_bundle(module, bundle);
	last = strrchr(bundle, '-');
	if (last != NULL)
		*last = '\0';
	return wanted == NULL ? xstrdup(bundle) : xasprintf("%s-%s", bundle, wanted);
}

static void
update_say(struct module *module, const char *why)
{
	event_emit(module, EVENT_PROGRESS, "Update failed: %s", why);
}

static void
update_free(struct update_query *self)
{
	TAILQ_REMOVE(&self->module->net->jobs, &self->job, entry);
	http_exchange_free(self->exchange);
	free(self);
}

static void
update_finish(struct update_query *self, const char *version)
{
	update_answered *answered = self->answered;
	void *arg = self->arg;

	update_free(self);
	answered(arg, version);
}

static void
update_give_up(struct net_job *job)
{
	update_finish((struct update_query *)job, NULL);
}

static void
update_read(struct update_query *self)
{
	struct evbuffer *received = http_exchange_received(self->exchange);
	size_t len = evbuffer_get_length(received);
	json_t *json = json_loadb((const char *)evbuffer_pullup(received, -1), len,
	    JSON_REJECT_DUPLICATES, NULL);
	const char *text = json_string_value(json_object_get(json, UPDATE_KEY));
	char *version = NULL;

	if (text != NULL && update_is_version(text))
		version = xstrdup(text);
	else
		update_say(self->module, "the server's file has no version");
	json_decref(json);
	update_finish(self, version);
	free(version);
}

static void
update_told(void *arg, enum http_event event)
{
	struct update_query *self = arg;
	int status = http_exchange_status(self->exchange);

	activity_note(self->module, self->job.interface, ACTIVITY_RX);
	if (event == HTTP_STATUS && status != 200) {
		event_emit(self->module, EVENT_PROGRESS,
		    "Update failed: HTTP response %d", status);
		update_finish(self, NULL);
		return;
	}
	if (evbuffer_get_length(http_exchange_received(self->exchange)) >
	    UPDATE_FILE_MAX) {
		update_say(self->module, "the server's file is too long");
		update_finish(self, NULL);
		return;
	}
	if (event != HTTP_END)
		return;
	if (http_exchange_has_failed(self->exchange))
		update_finish(self, NULL);
	else
		update_read(self);
}

/* Where it is to be found. NULL, or why it cannot be (static), and nothing to clear. */
static const char *
update_url(const struct module *module, const char *wanted, struct http_url *url)
{
	const char *host = variable_text(module, "ota.host"), *error = NULL;
	int64_t port = variable_number(module, "ota.port");
	char *name = update_name(module, wanted), *text;

	if (*host == '\0') {
		error = "no server";
	} else if (!update_is_bundle(name)) {
		error = "no bundle has such a name";
	} else {
		text = xasprintf("%s://%s:%d/%s.json",
		    port == UPDATE_TLS_PORT ? "https" : "http", host, (int)port, name);
		(void)http_url_parse(url, text, &error);
		free(text);
	}
	free(name);
	return error;
}

struct update_query *
update_ask(
    struct module *module, const char *wanted, update_answered *answered, void *arg)
{
	enum network_interface interface = network_interface(module, NULL);
	struct http_exchange_options options;
	struct http_exchange_ops ops;
	struct update_query *self;
	struct http_url url;
	const char *wrong = update_url(module, wanted, &url);

	if (wrong != NULL) {
		update_say(module, wrong);
		return NULL;
	}
	self = xcalloc(1, sizeof *self);
	self->job.give_up = update_give_up;
	self->job.interface = interface;
	self->module = module;
	self->answered = answered;
	self->arg = arg;
	TAILQ_INSERT_TAIL(&net_get(module)->jobs, &self->job, entry);
	http_client_options(module, &options, &ops);
	options.method = HTTP_GET;
	options.failing = "Update";
	options.is_file = true;
	options.local = network_source_address(module, interface);
	ops.told = update_told;
	ops.told_arg = self;
	event_emit(module, EVENT_OPENING, "%s", url.authority);
	self->exchange =
	    http_exchange_start(module->base, net_dns(module), &url, &options, &ops);
	return self;
}

void
update_cancel(struct update_query *self)
{
	update_free(self);
}

unsigned
update_timeout_ms(const struct module *module)
{
	return http_client_timeout_ms(module) + HTTP_SILENCE_MS;
}
