#include "daemon/reload.h"

#include <string.h>

#include "base/log.h"
#include "core/profile.h"

static struct module_settings *
reload_find(struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->module_count; i++) {
		if (strcmp(settings->modules[i].name, name) == 0)
			return &settings->modules[i];
	}
	return NULL;
}

static bool
reload_differs(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a != b;
	return strcmp(a, b) != 0;
}

static bool
reload_air_differs(const struct settings_air *a, const struct settings_air *b)
{
	if (a->network_count != b->network_count || a->join_ms != b->join_ms)
		return true;
	for (size_t i = 0; i < a->network_count; i++) {
		const struct settings_wifi *one = &a->networks[i],
					   *other = &b->networks[i];

		if (reload_differs(one->ssid, other->ssid) ||
		    reload_differs(one->bssid, other->bssid) ||
		    reload_differs(one->security, other->security) ||
		    reload_differs(one->passkey, other->passkey) ||
		    one->channel != other->channel ||
		    one->rssi_dbm != other->rssi_dbm ||
		    one->is_hidden != other->is_hidden)
			return true;
	}
	return false;
}

static bool
reload_pins_differ(const struct module_settings *a, const struct module_settings *b)
{
	if (a->pin_count != b->pin_count)
		return true;
	for (size_t i = 0; i < a->pin_count; i++) {
		const struct settings_pin *one = &a->pins[i], *other = &b->pins[i];

		if (one->pin != other->pin || one->line != other->line ||
		    one->active_low != other->active_low ||
		    one->pulls != other->pulls ||
		    reload_differs(one->chip, other->chip))
			return true;
	}
	return false;
}

static const char *
reload_profile(const struct module_settings *module)
{
	return module->profile == NULL ? profile_at(0)->name : module->profile;
}

static void
reload_module(struct module_settings *current, struct module_settings *fresh)
{
	struct module_settings old = *current;

	if (reload_differs(reload_profile(current), reload_profile(fresh)))
		log_msg(
		    LOG_WARNING, current->name, "profile needs a restart to change");
	if (reload_differs(current->mac, fresh->mac))
		log_msg(LOG_WARNING, current->name, "mac needs a restart to change");
	if (current->has_serial != fresh->has_serial ||
	    reload_differs(current->serial_link, fresh->serial_link) ||
	    reload_differs(current->serial_device, fresh->serial_device))
		log_msg(LOG_WARNING, current->name, "serial needs a restart to change");
	if (current->files_size != fresh->files_size ||
	    reload_differs(current->files_factory, fresh->files_factory))
		log_msg(LOG_WARNING, current->name, "files needs a restart to change");
	if (reload_pins_differ(current, fresh))
		log_msg(LOG_WARNING, current->name, "gpio needs a restart to change");

	if (reload_air_differs(&current->radio, &fresh->radio))
		log_msg(LOG_WARNING, current->name, "radio needs a restart to change");

	if (reload_differs(current->network.backend, fresh->network.backend) ||
	    reload_differs(current->network.wlan, fresh->network.wlan) ||
	    reload_differs(current->network.softap, fresh->network.softap) ||
	    reload_differs(
		current->network.wpa_supplicant, fresh->network.wpa_supplicant) ||
	    reload_differs(current->network.hostapd, fresh->network.hostapd))
		log_msg(LOG_WARNING, current->name,
		    "network.backend, its interfaces and directories need a restart to "
		    "change");

	/* Exchanged, so that the old parts are freed with the fresh settings. */
	current->network = fresh->network;
	fresh->network = old.network;
	current->factory = fresh->factory;
	fresh->factory = old.factory;
	current->factory_count = fresh->factory_count;
	fresh->factory_count = old.factory_count;
	current->version = fresh->version;
	fresh->version = old.version;
	current->http_close = fresh->http_close;
}

void
reload_settings(struct settings *current, struct settings *fresh)
{
	for (size_t i = 0; i < current->module_count; i++) {
		struct module_settings *module = &current->modules[i];
		struct module_settings *other = reload_find(fresh, module->name);

		if (other == NULL)
			log_msg(LOG_WARNING, module->name,
			    "no longer in the configuration; runs on until a restart");
		else
			reload_module(module, other);
	}
	for (size_t i = 0; i < fresh->module_count; i++) {
		if (reload_find(current, fresh->modules[i].name) == NULL)
			log_msg(LOG_WARNING, fresh->modules[i].name,
			    "a new module needs a restart to begin");
	}
	if (reload_air_differs(&current->air, &fresh->air))
		log_msg(LOG_WARNING, "configuration", "air needs a restart to change");
	log_msg(LOG_NOTICE, "configuration",
	    "reread; addresses and ports act at the next network_restart, factory "
	    "defaults at the next reboot");
}
