#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/network_state.h"
#include "core/variable.h"
#include "link/lease_file.h"

/* wlan.dhcp.cache_enabled: the address of the last time, from one join of a network to
 * the next. Chosen: it is not given back when the network ends, or it could not be had
 * again; and it is used only when a server confirms it, as another may have it by now.
 * RFC 2131, 3.2, would allow it without. */

static char *
network_lease_path(const struct module *module)
{
	return xasprintf("%s/lease.json", module->directory);
}

bool
network_lease_stays(const struct module *module)
{
	return variable_exists(module, "wlan.dhcp.cache_enabled") &&
	       variable_is_on(module, "wlan.dhcp.cache_enabled");
}

static void
network_lease_forget(const struct module *module)
{
	char *path = network_lease_path(module);

	if (lease_file_remove(path) == -1)
		log_msg(LOG_ERR, module->own->name, "cannot remove %s: %s", path,
		    strerror(errno));
	free(path);
}

void
network_lease_keep(struct module *module, const struct dhcp_lease *lease)
{
	const struct radio *radio = module->network->radio;
	struct lease_note note = { .ends_s = LEASE_NEVER_ENDS };
	struct radio_ap ap;
	char *path;

	module->network->has_recalled = false;
	if (!network_lease_stays(module))
		return;
	if (lease == NULL) {
		network_lease_forget(module);
		return;
	}
	if (radio->ops->joined(radio, &ap) == -1)
		return;
	note.lease = *lease;
	memcpy(note.ssid, ap.ssid, sizeof note.ssid);
	memcpy(note.bssid, ap.bssid, sizeof note.bssid);
	if (lease->lease_s != DHCP_FOR_EVER)
		note.ends_s = (int64_t)time(NULL) + lease->lease_s;
	path = network_lease_path(module);
	if (lease_file_write(path, &note) == -1)
		log_msg(LOG_ERR, module->own->name, "cannot write %s: %s", path,
		    strerror(errno));
	free(path);
}

/* Whether the note is of the network that is joined, and still holds. */
static bool
network_lease_suits(const struct module *module, const struct lease_note *note)
{
	const struct radio *radio = module->network->radio;
	struct radio_ap ap;

	return radio->ops->joined(radio, &ap) == 0 &&
	       strcmp(note->ssid, ap.ssid) == 0 &&
	       memcmp(note->bssid, ap.bssid, MAC_OCTETS) == 0 &&
	       note->ends_s > (int64_t)time(NULL);
}

bool
network_lease_recall(struct module *module, struct dhcp_lease *lease)
{
	char address[INET_ADDRSTRLEN];
	struct lease_note note;
	bool suits = false;
	char *path;

	if (!network_lease_stays(module))
		return false;
	path = network_lease_path(module);
	if (lease_file_read(path, &note) == 0)
		suits = network_lease_suits(module, &note);
	else if (errno != ENOENT)
		log_msg(LOG_WARNING, module->own->name,
		    "%s cannot be read and is not used: %s", path, strerror(errno));
	free(path);
	if (!suits)
		return false;
	*lease = note.lease;
	module->network->has_recalled = true;
	log_msg(LOG_INFO, module->own->name, "dhcp: asks for %s again",
	    inet_ntop(AF_INET, &lease->address, address, sizeof address));
	return true;
}

void
network_lease_end(struct module *module)
{
	if (module->network->has_recalled)
		network_lease_keep(module, NULL);
}

/* The lease that holds now, or NULL. */
static const struct dhcp_lease *
network_lease_held(const struct network *network)
{
	if (network->interfaces[NETWORK_WLAN] != NULL)
		return interface_leased(network->interfaces[NETWORK_WLAN]);
	return network->dhcp == NULL ? NULL : dhcp_client_lease(network->dhcp);
}

int
network_lease_tune(struct module *module)
{
	const struct dhcp_lease *lease;

	if (!network_lease_stays(module)) {
		network_lease_forget(module);
	} else if (module->network != NULL) {
		lease = network_lease_held(module->network);
		if (lease != NULL)
			network_lease_keep(module, lease);
	}
	return 0;
}
