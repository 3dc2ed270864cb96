#include "core/module.h"

#include <event2/event.h>

#include "base/xmalloc.h"
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
		if (module->safe_mode &&
		    (request->command->flags & COMMAND_NOT_IN_SAFE_MODE) != 0)
			result = RESULT_FAILED;
		else
			result = request->command->run(request);
		if (result != RESULT_PENDING)
			request_complete(request, result);
	}
	module->dispatching = false;
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
