#include "var/table.h"

#include <stddef.h>

/* Reference: variable notes, dms. Chosen: the cloud link is off and no bundle was ever
 * loaded, since the service behind both has ended. */
const struct variable dms_variables[] = {
	{ .name = "dms.auto_start_enabled",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED | VARIABLE_LATER,
	    .initial = "0",
	    .help = "Start the cloud link together with the network." },
	{ .name = "dms.bundle_id",
	    .flags = VARIABLE_READONLY | VARIABLE_LATER,
	    .help = "The software bundle that the cloud installed; empty: none." },
	{ .name = NULL },
};
