#include "var/table.h"

#include <stddef.h>

#include "core/pins.h"
#include "core/profile.h"
#include "var/check.h"
#include "var/choices.h"

/* Reference: variable notes, setup. Chosen, where the record is silent:
 * control_gpio -1: the module's own page names no pin that is in use for it;
 * captive_portal_enabled off, as that of the soft AP;
 * ssid "ZentriOS": a client joins a module in setup under this name;
 * url: any name will do that no public server has;
 * url and captive_portal_enabled act as the other settings of web setup do. */
const struct variable setup_variables[] = {
	{ .name = "setup.auto.cmd",
	    .shortcut = "se a c",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "none",
	    .max = LENGTH_TEXT_MAX,
	    .help = "Command that runs after boot while wlan.ssid is empty; none: "
		    "nothing." },
	{ .name = "setup.gpio.cmd",
	    .shortcut = "se g c",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .initial = "setup_web",
	    .max = LENGTH_TEXT_MAX,
	    .help = "Command that the setup pin runs." },
	{ .name = "setup.gpio.control_gpio",
	    .shortcut = "se g g",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "-1",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that starts web setup when held for 3 s at reset; -1: none." },
	{ .name = "setup.web.captive_portal_enabled",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .applies = VARIABLE_ON_SETUP_RESTART,
	    .initial = "0",
	    .help = "Lead phones and computers to the setup page." },
	{ .name = "setup.web.idle_timeout",
	    .shortcut = "se w i",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_SETUP_RESTART,
	    .initial = "300",
	    .max = RANGE_SECONDS_MAX,
	    .help = "Seconds after which web setup ends when nobody opens its page; 0: "
		    "never." },
	{ .name = "setup.web.passkey",
	    .shortcut = "se w p",
	    .flags = VARIABLE_PERSISTED | VARIABLE_SECRET,
	    .applies = VARIABLE_ON_SETUP_RESTART,
	    .initial = "password",
	    .min = 8,
	    .max = 32,
	    .help = "WPA2 passphrase of the setup network." },
	{ .name = "setup.web.root_filename",
	    .shortcut = "se w r",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_SETUP_RESTART,
	    .initial = "webapp/index.html",
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File that web setup serves as its page." },
	{ .name = "setup.web.ssid",
	    .shortcut = "se w s",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_SETUP_RESTART,
	    .initial = "ZentriOS",
	    .min = 1,
	    .max = LENGTH_SSID_MAX,
	    .help = "Name of the setup network." },
	{ .name = "setup.web.url",
	    .shortcut = "se w u",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_SETUP_RESTART,
	    .initial = "zentri.setup",
	    .max = LENGTH_TEXT_MAX,
	    .check = check_hosts,
	    .help = "Host names that lead to the setup page, separated by commas." },
	{ .name = NULL },
};
