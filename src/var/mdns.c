#include "var/table.h"

#include <string.h>

#include "core/profile.h"
#include "core/service.h"
#include "var/choices.h"

#define MDNS_NAME_MAX 63 /* RFC 1035, 2.3.4 */

/* Reference: variable notes, mdns.name: a label; a '#' at its end stands for digits of
 * the MAC. */
static int
mdns_name_check(const struct module *module, const char *index, struct value *value)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t len = strspn(value->text, bytes);

	(void)module;
	(void)index;
	return len + strspn(value->text + len, "#") == value->len ? 0 : -1;
}

/* It looks for its name anew, as they say now. */
static int
mdns_apply(struct module *module)
{
	service_restart(module, "mdns");
	return 0;
}

/* Chosen: off, since clients switch it on; the name as that of the soft AP; the service
 * that clients set, or several with commas between. */
const struct variable mdns_variables[] = {
	{ .name = "mdns.enabled",
	    .shortcut = "md e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "0",
	    .apply = mdns_apply,
	    .help = "Answer multicast DNS." },
	{ .name = "mdns.name",
	    .shortcut = "md n",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "zentri",
	    .min = 1,
	    .max = MDNS_NAME_MAX,
	    .check = mdns_name_check,
	    .apply = mdns_apply,
	    .help =
		"Host name under .local; a '#' at its end becomes digits of the MAC." },
	{ .name = "mdns.service",
	    .shortcut = "md s",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "http",
	    .max = LENGTH_WORD_MAX,
	    .apply = mdns_apply,
	    .help = "Services that are announced: http, telnet, with commas between." },
	{ .name = NULL },
};
