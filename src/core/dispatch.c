#include "core/module.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/xmalloc.h"
#include "core/network.h"
#include "core/pins.h"
#include "core/request.h"
#include "core/session.h"

/* Whose turn it is: one command at a time per module, first come first served.
 * Reference: serial and file notes, 4.1. */

int
module_submit(struct module *module, struct request *request)
{
	if (module->queue_length >= MODULE_QUEUE_MAX)
		return -1;
	TAILQ_INSERT_TAIL(&module->queue, request, entry);
	request->queued = true;
	module->queue_length++;
	module_dispatch(module);
	return 0;
}

/* Takes the request whose turn it is out of the queue; NULL: none may run now. */
static struct request *
module_next(struct module *module)
{
	struct request *request = TAILQ_FIRST(&module->queue);

	if (request == NULL || module->running != NULL ||
	    module->state != MODULE_RUNNING)
		return NULL;
	TAILQ_REMOVE(&module->queue, request, entry);
	request->queued = false;
	module->queue_length--;
	return request;
}

static bool
module_needs_network(const struct request *request)
{
	const struct command *command = request->command;
	const char *action;

	if ((command->flags & COMMAND_NETWORK) == 0)
		return false;
	if (command->network_action == NULL)
		return true;
	action = args_text(request->args, command->args[0].name);
	return action != NULL && strcmp(action, command->network_action) == 0;
}

/* A request that waits for its interface. */
struct module_waiting {
	struct request *request;
	struct network_wait *wait;
};

static void
module_waited(void *arg, bool is_up)
{
	struct module_waiting *waiting = arg;
	struct request *request = waiting->request;

	free(waiting);
	if (is_up)
		request_continue(request, request->command->run);
	else
		request_finish(request, RESULT_FAILED);
}

static void
module_cancel_waiting(void *op)
{
	struct module_waiting *waiting = op;

	network_wait_cancel(waiting->wait);
	free(waiting);
}

/* Reference: command notes, section 9 (network_up): what needs the network on demand
 * waits for it. */
static enum result
module_run(struct module *module, struct request *request)
{
	enum network_interface interface;
	struct module_waiting *waiting;

	if (module->safe_mode &&
	    (request->command->flags & COMMAND_NOT_IN_SAFE_MODE) != 0)
		return RESULT_FAILED;
	if (!module_needs_network(request))
		return request->command->run(request);
	interface = network_interface(module, args_text(request->args, "interface"));
	if (network_bring_up(module, interface) != NULL)
		return RESULT_FAILED;
	if (network_state(module, interface) == NETWORK_UP)
		return request->command->run(request);
	waiting = xcalloc(1, sizeof *waiting);
	waiting->request = request;
	waiting->wait = network_wait_start(module, interface, module_waited, waiting);
	return request_defer(request, network_timeout_ms(module, interface),
	    module_cancel_waiting, waiting);
}

void
module_dispatch(struct module *module)
{
	struct request *request;

	if (module->dispatching)
		return;
	module->dispatching = true;
	while ((request = module_next(module)) != NULL) {
		enum result result;

		module->running = request;
		pins_command_begins(module);
		result = module_run(module, request);
		if (result != RESULT_PENDING)
			request_complete(request, result);
	}
	module->dispatching = false;
}

bool
module_hold(struct module *module)
{
	bool held = module->dispatching;

	module->dispatching = true;
	return held;
}

void
module_release(struct module *module, bool held)
{
	module->dispatching = held;
	module_dispatch(module);
}

static void
module_reap_closed(evutil_socket_t fd, short what, void *arg)
{
	struct module *module = arg;
	struct session *session;

	(void)fd;
	(void)what;
	while ((session = TAILQ_FIRST(&module->closed_sessions)) != NULL) {
		TAILQ_REMOVE(&module->closed_sessions, session, entry);
		session_free(session);
	}
}

void
module_reap(struct module *module, struct session *session)
{
	TAILQ_REMOVE(&module->sessions, session, entry);
	TAILQ_INSERT_TAIL(&module->closed_sessions, session, entry);
	if (module->reaper == NULL)
		module->reaper =
		    xcheck(event_new(module->base, -1, 0, module_reap_closed, module));
	event_active(module->reaper, EV_TIMEOUT, 0);
}
