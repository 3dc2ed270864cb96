#include "service/dms.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "core/event.h"
#include "core/module.h"
#include "core/update.h"
#include "core/variable.h"

struct dms {
	struct module *module; /* borrowed */
	struct update_query *query; /* its own; NULL: none under way */
};

/* Chosen: the words. The host decides; ota installs it. */
static void
dms_answered(void *arg, const char *version)
{
	struct dms *self = arg;

	self->query = NULL;
	if (version != NULL && strcmp(version, module_version(self->module)) != 0)
		event_emit(
		    self->module, EVENT_PROGRESS, "Update available: %s", version);
}

/* Reference: variable notes, dms: the cloud link starts with the network. Chosen, since
 * its protocol is not on record: it asks once what the newest version is. */
static void
dms_start(void *arg)
{
	struct dms *self = arg;

	if (self->query == NULL &&
	    variable_is_on(self->module, "dms.auto_start_enabled"))
		self->query = update_ask(self->module, NULL, dms_answered, self);
}

static void
dms_stop(void *arg)
{
	struct dms *self = arg;

	if (self->query != NULL)
		update_cancel(self->query);
	self->query = NULL;
}

static void
dms_free(void *arg)
{
	free(arg);
}

static const struct service_ops dms_ops = {
	.name = "dms",
	.interface = "network.default_interface",
	.start = dms_start,
	.stop = dms_stop,
	.free = dms_free,
};

void
dms_attach(struct module *module)
{
	struct dms *self = xcalloc(1, sizeof *self);

	self->module = module;
	module_add_service(module, &dms_ops, self);
}
