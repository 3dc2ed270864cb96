#include "var/table.h"

#include <string.h>

#include <event2/buffer.h>

#include "core/service.h"
#include "core/update.h"

static int
dms_apply(struct module *module)
{
	service_restart(module, "dms");
	return 0;
}

static void
dms_bundle_id_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	char bundle[UPDATE_VERSION_MAX + 1];

	(void)index;
	(void)modifier;
	update_bundle(module, bundle);
	evbuffer_add(out, bundle, strlen(bundle));
}

/* Reference: variable notes, dms. Chosen: the link is off, since the service behind it
 * has ended; the bundle is the first item of the version. */
const struct variable dms_variables[] = {
	{ .name = "dms.auto_start_enabled",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "0",
	    .apply = dms_apply,
	    .help = "Ask the server of ota.host for updates when the network comes "
		    "up." },
	{ .name = "dms.bundle_id",
	    .flags = VARIABLE_READONLY,
	    .get = dms_bundle_id_get,
	    .help = "The software bundle that is installed." },
	{ .name = NULL },
};
