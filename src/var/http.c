#include "var/table.h"

#include <string.h>

#include "core/pins.h"
#include "core/profile.h"
#include "core/tls_clients.h"
#include "var/choices.h"

/* RFC 7617, 2: a colon ends the user's name. */
static int
http_username_check(const struct module *module, const char *index, struct value *value)
{
	(void)module;
	(void)index;
	return strchr(value->text, ':') == NULL ? 0 : -1;
}

static void
http_tls_client_log_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	(void)index;
	(void)modifier;
	tls_clients_print(module, out);
}

/* Reference: variable notes, http; network and HTTP notes, 1.1. Chosen, where the
 * record is silent: the lengths of texts; max_clients 4, up to what the server takes.
 *
 * Reference: network and HTTP notes, 1.1 and 1.12, for max_clients, notfound_filename
 * and tls_*, which the variable notes lack. Chosen: no files, so that the module makes
 * its own certificate and answers 404 without a page; clients are not asked for a
 * certificate; the files act when tls_enabled does. */
const struct variable http_variables[] = {
	{ .name = "http.server.api_enabled",
	    .shortcut = "ht s a",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "1",
	    .help = "Take commands at /command and give the log at /log." },
	/* Reference: network and HTTP notes, 1.1: not on Gecko OS 2. */
	{ .name = "http.server.auth_title",
	    .shortcut = "ht s h",
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_ZENTRIOS,
	    .max = LENGTH_WORD_MAX,
	    .help = "Realm that a browser shows when it asks for the password." },
	{ .name = "http.server.cors_origin",
	    .shortcut = "ht s c",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .max = LENGTH_TEXT_MAX,
	    .help = "Sites whose pages may use the server; *: any; empty: none." },
	{ .name = "http.server.enabled",
	    .shortcut = "ht s e",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Run the web server." },
	{ .name = "http.server.interface",
	    .shortcut = "ht s i",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "default",
	    .choices = choices_interface,
	    .help = "Interface that it listens on." },
	{ .name = "http.server.max_clients",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "4",
	    .min = 1,
	    .max = 32,
	    .help = "Clients, by their addresses, that it serves at a time." },
	{ .name = "http.server.notauthorized_filename",
	    .shortcut = "ht s d",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "webapp/unauthorized.html",
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File that is sent with status 401." },
	{ .name = "http.server.notfound_filename",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File that is sent with status 404; empty: none." },
	{ .name = "http.server.password",
	    .flags = VARIABLE_PERSISTED | VARIABLE_SECRET,
	    .max = LENGTH_WORD_MAX,
	    .help = "Password of HTTP Basic authorization." },
	{ .name = "http.server.port",
	    .shortcut = "ht s p",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "80",
	    .min = 1,
	    .max = RANGE_PORT_MAX,
	    .help = "TCP port that it listens on." },
	{ .name = "http.server.root_filename",
	    .shortcut = "ht s r",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "webapp/index.html",
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File that is served for /." },
	{ .name = "http.server.tls_cert",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File with the certificate of HTTPS and tls_server; empty: the "
		    "module makes one." },
	/* Reference: network and HTTP notes, 1.12, for the name. Chosen: the seconds of
	 * the module's clock and the name, as the library of that firmware keeps them.
	 */
	{ .name = "http.server.tls_client_log",
	    .type = VARIABLE_TABLE,
	    .flags = VARIABLE_READONLY,
	    .get = http_tls_client_log_get,
	    .help = "Clients that HTTPS has served: when each was there last, and the "
		    "name in its certificate." },
	{ .name = "http.server.tls_enabled",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Serve HTTPS instead of HTTP; the port stays as it is." },
	{ .name = "http.server.tls_key",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File with the key of HTTPS; empty: the key is in the file of "
		    "tls_cert." },
	{ .name = "http.server.tls_log_clients",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Note the clients of HTTPS that show a certificate." },
	{ .name = "http.server.tls_peer_cert",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File with the certificates that clients are checked against." },
	{ .name = "http.server.tls_verify_peer",
	    .type = VARIABLE_BOOL,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_NETWORK_RESTART,
	    .initial = "0",
	    .help = "Serve only clients that show a certificate." },
	{ .name = "http.server.username",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_WORD_MAX,
	    .check = http_username_check,
	    .help =
		"User of HTTP Basic authorization, which is on once user and password "
		"are set." },
	/* Reference: network notes, 1.1, for the shortcut. Chosen: the full name. */
	{ .name = "http.server.websocket_gpio",
	    .shortcut = "ht s x",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "-1",
	    .min = RANGE_GPIO_MIN,
	    .max = RANGE_GPIO_MAX,
	    .apply = pins_apply,
	    .help = "Pin that is high while a WebSocket is open; -1: none." },
	{ .name = NULL },
};
