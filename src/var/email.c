#include "var/table.h"

#include <stddef.h>

#include "core/profile.h"
#include "var/choices.h"

/* Reference: variable notes, email. That it is kept is all that is known of its use:
 * the tools of one product read it. Chosen: empty, and the longest length. */
const struct variable email_variables[] = {
	{ .name = "email.name_address",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .max = LENGTH_TEXT_MAX,
	    .help =
		"Name of the sender; some products keep their serial number in it." },
	{ .name = NULL },
};
