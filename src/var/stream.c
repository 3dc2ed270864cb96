#include "var/table.h"

#include <stddef.h>

#include "core/profile.h"

/* Reference: command notes, 2.5: off on Gecko OS 2, else on. */
const struct variable stream_variables[] = {
	{ .name = "stream.auto_close",
	    .shortcut = "st a",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .differs = { .profiles = PROFILE_GECKO_OS_2, .initial = "0" },
	    .help = "Close a stream once its peer is gone and its data is read." },
	{ .name = NULL },
};
