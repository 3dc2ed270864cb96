#include "var/table.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "core/module.h"
#include "core/service.h"
#include "var/check.h"
#include "var/choices.h"

/* Reference: variable notes, ntp.interface, names eth too; no module here has one. */
static const char *const ntp_interfaces[] = { "default", "wlan", "eth", "softap",
	NULL };

/* Reference: variable notes, ntp.server: name or address. Chosen: a port may stand
 * behind it, as in broadcast.http.host, for a time server on this host. */
static int
ntp_server_check(const struct module *module, const char *index, struct value *value)
{
	char host[LENGTH_HOST_MAX + 1];
	size_t len = strcspn(value->text, ":");
	const char *port = value->text + len;
	int64_t number;

	(void)index;
	snprintf(host, sizeof host, "%.*s", (int)len, value->text);
	if (*port == ':' &&
	    number_parse(port + 1, strlen(port + 1), 1, RANGE_PORT_MAX, &number) == -1)
		return -1;
	return check_is_host(module, host) ? 0 : -1;
}

/* Asks anew, as they say now. */
static int
ntp_apply(struct module *module)
{
	service_restart(module, "ntp");
	return 0;
}

/* Reference: variable notes, ntp. */
const struct variable ntp_variables[] = {
	{ .name = "ntp.enabled",
	    .shortcut = "nt e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "1",
	    .apply = ntp_apply,
	    .help = "Keep the clock in step with a time server." },
	{ .name = "ntp.interface",
	    .shortcut = "nt f",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "default",
	    .choices = ntp_interfaces,
	    .apply = ntp_apply,
	    .help = "Interface on which the time server is asked." },
	{ .name = "ntp.interval",
	    .shortcut = "nt i",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "3600",
	    .min = 300,
	    .max = RANGE_16_BIT_MAX,
	    .apply = ntp_apply,
	    .help = "Seconds between two questions." },
	{ .name = "ntp.server",
	    .shortcut = "nt s",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "pool.ntp.org",
	    .min = 1,
	    .max = LENGTH_HOST_MAX,
	    .check = ntp_server_check,
	    .apply = ntp_apply,
	    .help = "The time server, as host[:port]." },
	{ .name = NULL },
};
