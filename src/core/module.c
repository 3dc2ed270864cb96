#include "core/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/xmalloc.h"
#include "core/event.h"
#include "core/net.h"
#include "core/network.h"
#include "core/pins.h"
#include "core/request.h"
#include "core/session.h"
#include "core/setup.h"
#include "core/tls_clients.h"
#include "core/tls_context.h"
#include "core/update.h"
#include "core/variable.h"
#include "store/flash.h"
#include "store/nvm.h"
#include "stream/stream.h"

/* Reference: command notes, section 3 (reboot): the module gives an answer over HTTP
 * half a second to leave before it goes. */
#define MODULE_LEAVE_MS 500

/* A clock that is ahead loses one in so many microseconds. */
#define MODULE_CLOCK_SLOWER 20

struct nvm *
module_open_nvm(const struct module *module, const char *file)
{
	char *path = xasprintf("%s/%s", module->directory, file);
	struct nvm *nvm = NULL;

	if (nvm_open(&nvm, path) == -1)
		log_msg(LOG_ERR, module->own->name, "cannot use %s: %s", path,
		    strerror(errno));
	free(path);
	return nvm;
}

static struct flash *
module_open_flash(const struct module *module)
{
	const struct flash_options options = {
		.size = module->own->files_size,
		.files = module->profile->files,
		.factory = module->own->files_factory,
	};
	char *path = xasprintf("%s/flash", module->directory);
	struct flash *flash = NULL;

	if (flash_open(&flash, path, &options) == -1)
		log_msg(LOG_ERR, module->own->name, "cannot use %s: %s", path,
		    strerror(errno));
	free(path);
	return flash;
}

/* Brings the board's factory defaults into their normal spelling. The configuration
 * check has let only good ones through. */
static void
module_take_factory(struct module *module)
{
	const struct module_settings *own = module->own;

	module->factory = xcalloc(own->factory_count, sizeof *module->factory);
	for (size_t i = 0; i < own->factory_count; i++) {
		const char *name = own->factory[i].name, *index = strchr(name, ' ');
		size_t len = index == NULL ? strlen(name) : (size_t)(index - name);
		const struct variable *variable =
		    catalog_variable(module->catalog, name, len);
		struct module_factory *factory =
		    &module->factory[module->factory_count];
		struct value value;

		if (index != NULL)
			index++;
		if (variable == NULL ||
		    variable_parse(module, variable, index, own->factory[i].value,
			strlen(own->factory[i].value), &value) != RESULT_OK)
			continue;
		factory->key = index == NULL
				   ? xstrdup(variable->name)
				   : xasprintf("%s %s", variable->name, index);
		factory->text = xmemdup(value.text, value.len);
		module->factory_count++;
	}
}

static void
module_drop_factory(struct module *module)
{
	for (size_t i = 0; i < module->factory_count; i++) {
		free(module->factory[i].key);
		free(module->factory[i].text);
	}
	free(module->factory);
	module->factory = NULL;
	module->factory_count = 0;
}

struct module *
module_new(struct event_base *base, const struct catalog *catalog,
    const struct settings *settings, const struct module_settings *own)
{
	struct module *module = xcalloc(1, sizeof *module);

	module->base = base;
	module->settings = settings;
	module->own = own;
	module->catalog = catalog;
	module->profile = catalog_profile(catalog);
	TAILQ_INIT(&module->sessions);
	TAILQ_INIT(&module->closed_sessions);
	TAILQ_INIT(&module->queue);
	TAILQ_INIT(&module->services);
	TAILQ_INIT(&module->listeners);
	module_identify(module);

	/* Without its directory a module still runs; only saving fails. */
	module->directory = xasprintf("%s/%s", settings->state_directory, own->name);
	if (file_make_directories(module->directory, 0700) == -1)
		log_msg(LOG_ERR, own->name, "cannot make %s: %s", module->directory,
		    strerror(errno));
	module->nvm = module_open_nvm(module, "nvm.json");
	module->faults = module_open_nvm(module, "faults.json");
	module->flash = module_open_flash(module);
	update_load(module);
	if (module->nvm == NULL || module->faults == NULL || module->flash == NULL) {
		module_free(module);
		return NULL;
	}
	if (nvm_was_damaged(module->nvm))
		module_add_fault(module, "nvm.json damaged, factory settings in use");
	if (flash_was_damaged(module->flash))
		module_add_fault(module, "index.json damaged, factory files in use");
	return module;
}

/* Ends all that does not outlive a boot: services, streams, sessions. */
static void
module_take_down(struct module *module)
{
	struct session *session, *next;

	module->state = MODULE_OFF;
	module->next_step = NULL;
	if (module->step_timer != NULL)
		event_del(module->step_timer);
	if (module->sleep_timer != NULL)
		event_del(module->sleep_timer);
	setup_forget(module);
	service_stop_all(module, NETWORK_SOFTAP);
	service_stop_all(module, NETWORK_WLAN);
	service_stop_all(module, NETWORK_DEFAULT);
	for (session = TAILQ_FIRST(&module->sessions); session != NULL;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		if (session->ops->booted == NULL)
			session_close(session);
		else
			session_reset(session);
	}
	network_take_down(module);
	net_take_down(module, NETWORK_DEFAULT);
	stream_table_free(module->streams);
	module->streams = NULL;
	pins_reset(module);
}

void
module_free(struct module *module)
{
	struct service *service;
	struct session *session;

	if (module == NULL)
		return;
	module_take_down(module);
	while ((session = TAILQ_FIRST(&module->sessions)) != NULL)
		session_close(session);
	while ((session = TAILQ_FIRST(&module->closed_sessions)) != NULL) {
		TAILQ_REMOVE(&module->closed_sessions, session, entry);
		session_free(session);
	}
	/* After the sessions, some of which name the service that made them. */
	while ((service = TAILQ_FIRST(&module->services)) != NULL) {
		TAILQ_REMOVE(&module->services, service, entry);
		service->ops->free(service->arg);
		free(service);
	}
	if (module->reaper != NULL)
		event_free(module->reaper);
	if (module->step_timer != NULL)
		event_free(module->step_timer);
	if (module->sleep_timer != NULL)
		event_free(module->sleep_timer);
	net_free(module);
	network_free(module);
	pins_free(module);
	tls_context_free(module);
	tls_clients_free(module);
	event_log_free(module);
	module_drop_factory(module);
	nvm_close(module->nvm);
	nvm_close(module->faults);
	free(module->update);
	flash_close(module->flash);
	free(module->tty);
	free(module->tty_link);
	free(module->directory);
	free(module);
}

void
module_changed(struct module *module)
{
	if (module->changed != NULL)
		module->changed(module->changed_arg, module);
}

const char *
module_state_name(const struct module *module)
{
	static const char *const names[] = { [MODULE_OFF] = "off",
		[MODULE_RUNNING] = "running",
		[MODULE_PAUSED] = "running",
		[MODULE_LEAVING] = "leaving",
		[MODULE_ASLEEP] = "asleep" };

	return names[module->state];
}

void
module_add_listener(struct module *module, struct listener *listener)
{
	TAILQ_INSERT_TAIL(&module->listeners, listener, entry);
	log_msg(LOG_INFO, module->own->name, "%s: %s://%s:%u/", listener->service,
	    listener->scheme, listener->address, listener->port);
	service_tell_listeners(module);
	module_changed(module);
}

void
module_remove_listener(struct module *module, struct listener *listener)
{
	TAILQ_REMOVE(&module->listeners, listener, entry);
	service_tell_listeners(module);
	module_changed(module);
}

void
module_add_service(struct module *module, const struct service_ops *ops, void *arg)
{
	struct service *service = xcalloc(1, sizeof *service);

	service->ops = ops;
	service->arg = arg;
	TAILQ_INSERT_TAIL(&module->services, service, entry);
}

/* Reference: command notes, section 3 (reboot): on the AMW007 the banner after a reset
 * comes as a response, with its header when headers are on, not as a log line. */
static void
module_show_banner(struct module *module)
{
	struct response banner = { .result = RESULT_OK };
	struct session *session;

	response_value(&banner, module_version(module));
	TAILQ_FOREACH (session, &module->sessions, entry) {
		if (session->ops->booted != NULL && module->console.print_level > 1)
			session->ops->reply(session, &banner);
	}
	response_clear(&banner);
}

static void module_sleep(struct module *);

/* A step that is due comes first; a reboot sets the timer anew. */
static void
module_sleep_timer_fired(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval again = { .tv_sec = 1 };
	struct module *module = arg;

	(void)fd;
	(void)what;
	if (module->state == MODULE_ASLEEP)
		module_boot(module);
	else if (module->next_step != NULL)
		event_add(module->sleep_timer, &again);
	else
		module_sleep(module);
}

/* Sets the timer that ends sleep, or the wakefulness, after seconds; 0: never. */
static void
module_set_sleep_timer(struct module *module, int64_t seconds)
{
	struct timeval timeout = { .tv_sec = (time_t)seconds };

	/* That of the sleep is left over when a pin has ended it. */
	if (module->sleep_timer != NULL)
		event_del(module->sleep_timer);
	if (seconds <= 0)
		return;
	if (module->sleep_timer == NULL)
		module->sleep_timer = xcheck(
		    event_new(module->base, -1, 0, module_sleep_timer_fired, module));
	event_add(module->sleep_timer, &timeout);
}

void
module_boot(struct module *module)
{
	struct session *session;

	nvm_revert(module->nvm);
	if (flash_drop_temporary(module->flash) == -1)
		log_msg(LOG_ERR, module->own->name, "temporary files stay: %s",
		    strerror(errno));
	module_drop_factory(module);
	module_take_factory(module);
	variable_check_stored(module);
	module->safe_mode = module_fault_count(module) >= MODULE_FAULTS_MAX;
	module->booted_at_ms = clock_monotonic_ms();
	module->clock_offset_us = -clock_monotonic_us();
	module->clock_ahead_us = 0;
	module->clock_set_at_ms = -1;
	module->next_response_id = 1;
	module->bus_mode = strcmp(variable_text(module, "bus.mode"), "stream") == 0
			       ? BUS_STREAM
			       : BUS_COMMAND;
	variable_apply_all(module);
	pins_boot(module);
	net_boot(module);

	module_show_banner(module);
	if (module->safe_mode)
		event_emit(module, EVENT_PROGRESS,
		    "*** Max faults exceeded. Entering Safe Mode");
	event_emit(module, EVENT_READY, "%s", "");
	module->state = MODULE_RUNNING;
	TAILQ_FOREACH (session, &module->sessions, entry) {
		if (session->ops->booted != NULL)
			session->ops->booted(session);
	}
	if (!module->safe_mode) {
		service_start_all(module, NETWORK_DEFAULT);
		network_boot(module);
	}
	module_set_sleep_timer(
	    module, variable_number(module, "system.gotosleep.timeout"));
	module_changed(module);
}

static void
module_reboot(struct module *module)
{
	module_take_down(module);
	module_boot(module);
}

static void
module_sleep(struct module *module)
{
	struct session *session;

	/* What waits for the network fails with it, and what waits behind that is not
	 * begun any more. */
	module->state = MODULE_LEAVING;
	network_vanish(module);
	module_take_down(module);
	module->state = MODULE_ASLEEP;
	pins_sleep(module);
	/* What a host sent before and sends now is read, and lost. */
	TAILQ_FOREACH (session, &module->sessions, entry) {
		if (session->ops->drained != NULL)
			session->ops->drained(session);
	}
	module_set_sleep_timer(
	    module, variable_number(module, "system.wakeup.timeout"));
	module_changed(module);
}

void
module_resume(struct module *module)
{
	struct session *session, *next;

	module->state = MODULE_RUNNING;
	module_dispatch(module);
	for (session = TAILQ_FIRST(&module->sessions); session != NULL;
	     session = next) {
		next = TAILQ_NEXT(session, entry);
		session_resume(session);
	}
}

static void
module_retune(struct module *module)
{
	struct session *session;

	TAILQ_FOREACH (session, &module->sessions, entry) {
		if (session->ops->retune != NULL)
			session->ops->retune(session);
	}
	module_resume(module);
}

const struct module_step module_step_reboot = { MODULE_LEAVING, module_reboot };
const struct module_step module_step_sleep = { MODULE_LEAVING, module_sleep };
const struct module_step module_step_retune = { MODULE_PAUSED, module_retune };

static void
module_take_step(evutil_socket_t fd, short what, void *arg)
{
	struct module *module = arg;
	const struct module_step *step = module->next_step;

	(void)fd;
	(void)what;
	module->next_step = NULL;
	if (step != NULL)
		step->take(module);
}

/* The step is taken on a later turn of the loop, never under a front end's callback. */
static void
module_schedule_step(struct module *module, unsigned ms)
{
	struct timeval timeout = { .tv_sec = 0, .tv_usec = (suseconds_t)ms * 1000 };

	if (module->step_timer == NULL)
		module->step_timer =
		    xcheck(event_new(module->base, -1, 0, module_take_step, module));
	event_add(module->step_timer, &timeout);
}

void
module_leave(struct module *module, const struct module_step *step)
{
	module->state = step->meanwhile;
	module->next_step = step;
	module_changed(module);
	module_schedule_step(
	    module, module->replies_in_flight == 0 ? 0 : MODULE_LEAVE_MS);
}

void
module_reply_started(struct module *module)
{
	module->replies_in_flight++;
}

void
module_reply_done(struct module *module)
{
	module->replies_in_flight--;
	if (module->replies_in_flight == 0 && module->next_step != NULL)
		module_schedule_step(module, 0);
}

unsigned
module_fault_count(const struct module *module)
{
	char key[16];
	unsigned count = 0;

	while (count < MODULE_FAULTS_MAX) {
		snprintf(key, sizeof key, "%u", count);
		if (nvm_get(module->faults, key) == NULL)
			break;
		count++;
	}
	return count;
}

int
module_add_fault(struct module *module, const char *text)
{
	unsigned count = module_fault_count(module);
	char key[16];

	if (count == MODULE_FAULTS_MAX) {
		for (count = 0; count < MODULE_FAULTS_MAX - 1; count++) {
			char next[16], *moved;

			snprintf(key, sizeof key, "%u", count);
			snprintf(next, sizeof next, "%u", count + 1);
			moved = xstrdup(nvm_get(module->faults, next));
			nvm_set(module->faults, key, moved);
			free(moved);
		}
	}
	snprintf(key, sizeof key, "%u", count);
	if (nvm_set(module->faults, key, text) == 0 && nvm_commit(module->faults) == 0)
		return 0;
	log_msg(LOG_ERR, module->own->name, "the fault \"%s\" is not saved: %s", text,
	    strerror(errno));
	return -1;
}

const char *
module_version(const struct module *module)
{
	if (module->update != NULL)
		return module->update;
	return module->own->version != NULL ? module->own->version
					    : module->profile->version;
}

bool
module_is_mac(const struct module *module, const char *text)
{
	uint8_t given[MAC_OCTETS], own[MAC_OCTETS];

	return mac_parse(text, given) == 0 && mac_parse(module->mac, own) == 0 &&
	       memcmp(given, own, sizeof own) == 0;
}

int64_t
module_clock_us(const struct module *module)
{
	int64_t now_us = clock_monotonic_us();
	int64_t lost_us = (now_us - module->clock_ahead_at_us) / MODULE_CLOCK_SLOWER;

	if (lost_us > module->clock_ahead_us)
		lost_us = module->clock_ahead_us;
	return now_us + module->clock_offset_us - lost_us;
}

bool
module_clock_is_set(const struct module *module)
{
	return module->clock_set_at_ms >= 0;
}

void
module_clock_set(struct module *module, int64_t utc_us)
{
	module->clock_offset_us = utc_us - clock_monotonic_us();
	module->clock_ahead_us = 0;
	module->clock_set_at_ms = clock_monotonic_ms();
}

void
module_clock_follow(struct module *module, int64_t utc_us)
{
	int64_t clock_us = module_clock_us(module), ahead_us = clock_us - utc_us;
	bool goes_back = module_clock_is_set(module) && ahead_us > 0 &&
			 ahead_us <= MODULE_CLOCK_AHEAD_MAX_US;

	module_clock_set(module, goes_back ? clock_us : utc_us);
	if (goes_back) {
		module->clock_ahead_us = ahead_us;
		module->clock_ahead_at_us = clock_monotonic_us();
	}
}

/* Reference: variable notes, time.zone: [+|-]H[:30]; its check has let nothing else in.
 */
int
module_zone_minutes(const struct module *module)
{
	const char *zone = variable_text(module, "time.zone");
	char *behind;
	long hours = strtol(zone, &behind, 10);
	int minutes = (int)hours * 60;

	if (strcmp(behind, ":30") == 0)
		minutes += *zone == '-' ? -30 : 30;
	return minutes;
}
