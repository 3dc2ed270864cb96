#include "daemon/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"

static json_t *
status_listeners(const struct module *module)
{
	json_t *listeners = json_array();
	const struct listener *listener;

	TAILQ_FOREACH (listener, &module->listeners, entry)
		json_array_append_new(listeners,
		    json_pack("{s:s, s:s, s:s, s:i, s:i}", "service", listener->service,
			"scheme", listener->scheme, "address", listener->address,
			"port", (int)listener->port, "module_port",
			(int)listener->module_port));
	return listeners;
}

static json_t *
status_interfaces(const struct module *module)
{
	json_t *interfaces = json_object();

	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++)
		json_object_set_new(interfaces, network_interface_name(i),
		    json_string(network_state_name(network_state(module, i))));
	return interfaces;
}

void
status_write(const struct module *module, const char *directory)
{
	const char *serial = module->tty_link == NULL ? module->tty : module->tty_link;
	char *path = xasprintf("%s/status.json", directory), *text;
	json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s?, s:s?, s:o, s:o}",
	    "pid", (int)getpid(), "name", module->own->name, "profile",
	    module->profile->name, "mac", module->mac, "state",
	    module_state_name(module), "serial", serial, "tty", module->tty,
	    "interfaces", status_interfaces(module), "listeners",
	    status_listeners(module));

	text = json_dumps(root, JSON_INDENT(2));
	if (text == NULL || file_replace(path, text, strlen(text), 0644, false) == -1)
		log_msg(LOG_ERR, module->own->name, "cannot write %s: %s", path,
		    strerror(errno));
	free(text);
	json_decref(root);
	free(path);
}

void
status_remove(const char *directory)
{
	char *path = xasprintf("%s/status.json", directory);

	unlink(path);
	free(path);
}
