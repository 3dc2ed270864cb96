#include "core/setup.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/event.h"
#include "core/module.h"
#include "core/network_state.h"
#include "core/variable.h"

static void
setup_timed_out(evutil_socket_t fd, short what, void *module)
{
	(void)fd;
	(void)what;
	event_emit(module, EVENT_PROGRESS, "Web setup timed out");
	setup_stop(module);
}

/* Chosen: where the profile has no captive portal of setup's own, that of the soft AP
 * counts in setup too. */
static struct setup *
setup_new(const struct module *module)
{
	const char *portal = "setup.web.captive_portal_enabled";
	struct setup *setup = xcalloc(1, sizeof *setup);

	if (!variable_exists(module, portal))
		portal = "softap.captive_portal_enabled";
	setup->ssid = xstrdup(variable_text(module, "setup.web.ssid"));
	setup->passkey = xstrdup(variable_text(module, "setup.web.passkey"));
	setup->names = xstrdup(variable_text(module, "setup.web.url"));
	setup->root_filename =
	    xstrdup(variable_text(module, "setup.web.root_filename"));
	setup->has_portal = variable_is_on(module, portal);
	setup->had_softap = network_state(module, NETWORK_SOFTAP) != NETWORK_DOWN ||
			    variable_is_on(module, "softap.auto_start");
	return setup;
}

void
setup_forget(struct module *module)
{
	struct setup *setup = module->setup;

	if (setup == NULL)
		return;
	module->setup = NULL;
	if (setup->wait != NULL)
		network_wait_cancel(setup->wait);
	if (setup->idle != NULL)
		event_free(setup->idle);
	free(setup->ssid);
	free(setup->passkey);
	free(setup->names);
	free(setup->root_filename);
	free(setup);
}

/* Reference: command notes, section 3: the saved network is joined if there is one. */
void
setup_stop(struct module *module)
{
	bool had_softap;

	if (module->setup == NULL)
		return;
	had_softap = module->setup->had_softap;
	setup_forget(module);
	network_bring_down(module, NETWORK_SOFTAP);
	event_emit(module, EVENT_PROGRESS, "Web setup stopped");
	if (had_softap)
		network_bring_up(module, NETWORK_SOFTAP);
	network_rejoin(module);
}

static bool
setup_has_server(const struct module *module)
{
	const struct listener *listener;

	TAILQ_FOREACH (listener, &module->listeners, entry) {
		if (strcmp(listener->service, "http") == 0)
			return true;
	}
	return false;
}

static void
setup_failed(evutil_socket_t fd, short what, void *module)
{
	(void)fd;
	(void)what;
	event_emit(module, EVENT_PROGRESS, "Web setup failed");
	setup_stop(module);
}

static void
setup_schedule(struct module *module, event_callback_fn callback, time_t seconds)
{
	struct timeval timeout = { .tv_sec = seconds };

	module->setup->idle = xcheck(event_new(module->base, -1, 0, callback, module));
	event_add(module->setup->idle, &timeout);
}

/* Others may wait for the soft AP too, so it does not go down in here.
 * Reference: network notes, 8.7: the time-out runs until the page is asked for. */
static void
setup_waited(void *arg, bool is_up)
{
	struct module *module = arg;
	time_t seconds = (time_t)variable_number(module, "setup.web.idle_timeout");

	module->setup->wait = NULL;
	if (!is_up || !setup_has_server(module)) {
		setup_schedule(module, setup_failed, 0);
		return;
	}
	if (seconds > 0)
		setup_schedule(module, setup_timed_out, seconds);
	event_emit(module, EVENT_PROGRESS, "Web setup started");
}

/* Reference: network notes, 8.7: wlan is joined again at the end, so it is left.
 * Chosen: while it is on, another start only says again that it is, as a host that was
 * reset waits for that line. */
static void
setup_start(struct module *module)
{
	if (module->setup != NULL && module->setup->wait == NULL) {
		event_emit(module, EVENT_PROGRESS, "Web setup started");
	} else if (module->setup == NULL) {
		struct setup *setup = setup_new(module);
		const char *error;

		/* Known from here on, for what leaves wlan and would go elsewhere. */
		module->setup = setup;
		network_bring_down(module, NETWORK_SOFTAP);
		network_bring_down(module, NETWORK_WLAN);
		error = network_bring_up(module, NETWORK_SOFTAP);
		if (error == NULL) {
			setup->wait = network_wait_start(
			    module, NETWORK_SOFTAP, setup_waited, module);
		} else {
			event_emit(module, EVENT_PROGRESS, "%s", error);
			setup_waited(module, false);
		}
	}
	module_resume(module);
}

static void
setup_end(struct module *module)
{
	setup_stop(module);
	module_resume(module);
}

const struct module_step setup_step_start = { MODULE_PAUSED, setup_start };
const struct module_step setup_step_stop = { MODULE_PAUSED, setup_end };

void
setup_page_opened(struct module *module)
{
	if (module->setup != NULL && module->setup->idle != NULL)
		event_del(module->setup->idle);
}

const char *
setup_names(const struct module *module)
{
	return module->setup != NULL ? module->setup->names
				     : variable_text(module, "softap.dns_server.url");
}

bool
setup_has_portal(const struct module *module)
{
	return module->setup != NULL
		   ? module->setup->has_portal
		   : variable_is_on(module, "softap.captive_portal_enabled");
}
