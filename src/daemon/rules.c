#include "daemon/rules.h"

#include <stdio.h>
#include <string.h>

#include "cmd/table.h"
#include "core/module.h"
#include "core/variable.h"
#include "device/passkey.h"
#include "var/table.h"

static const struct profile *
rules_profile_of(const struct module_settings *own)
{
	return own->profile == NULL ? profile_at(0) : profile_get(own->profile);
}

const struct catalog *
rules_catalog(struct rules *rules, const struct module_settings *own)
{
	const struct profile *profile = rules_profile_of(own);

	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		if (profile_at(i) != profile)
			continue;
		if (rules->catalogs[i] == NULL)
			rules->catalogs[i] =
			    catalog_new(profile, command_tables, variable_tables);
		return rules->catalogs[i];
	}
	return NULL;
}

static const char *
rules_check_profile(void *arg, const char *name)
{
	struct rules *rules = arg;
	size_t len;

	if (profile_get(name) != NULL)
		return NULL;
	len = (size_t)snprintf(rules->text, sizeof rules->text, "one of");
	for (unsigned i = 0; i < PROFILE_COUNT; i++)
		len += (size_t)snprintf(rules->text + len, sizeof rules->text - len,
		    "%s %s", i == 0 ? "" : ",", profile_at(i)->name);
	return rules->text;
}

/* The name of an indexed variable has the index behind a blank: "uart.baud 0". */
static const char *
rules_check_factory(
    void *arg, const struct module_settings *own, const char *name, const char *text)
{
	const char *index = strchr(name, ' ');
	size_t len = index == NULL ? strlen(name) : (size_t)(index - name);
	const struct variable *variable;
	struct rules *rules = arg;
	const struct catalog *catalog = rules_catalog(rules, own);
	/* All that a check of a value looks at. */
	const struct module probe = {
		.catalog = catalog, .profile = rules_profile_of(own), .own = own
	};
	struct value value;

	if (catalog == NULL)
		return NULL; /* the profile is wrong, and that is said already */
	variable = catalog_variable(catalog, name, len);
	if (variable == NULL || (variable->flags & VARIABLE_READONLY) != 0 ||
	    (variable->flags & VARIABLE_PERSISTED) == 0) {
		snprintf(rules->text, sizeof rules->text,
		    "a variable that save keeps in profile %s",
		    catalog_profile(catalog)->name);
		return rules->text;
	}
	if (index != NULL)
		index++;
	if ((variable->index == NULL) != (index == NULL) ||
	    (index != NULL && !variable_has_index(&probe, variable, index))) {
		snprintf(rules->text, sizeof rules->text, "%s",
		    variable->index == NULL ? "a name without an index"
					    : "a name and index as in \"uart.baud 0\"");
		return rules->text;
	}
	if (variable_parse(&probe, variable, index, text, strlen(text), &value) ==
	    RESULT_OK)
		return NULL;
	snprintf(
	    rules->text, sizeof rules->text, "a value that \"set %s\" takes", name);
	return rules->text;
}

static const char *
rules_check_pin(void *arg, const struct module_settings *own, unsigned pin)
{
	struct rules *rules = arg;
	const struct profile *profile = rules_profile_of(own);

	if (profile == NULL || pin < profile->gpios)
		return NULL;
	snprintf(rules->text, sizeof rules->text, "a pin of profile %s, 0 to %u",
	    profile->name, profile->gpios - 1);
	return rules->text;
}

const char *
rules_network(const struct settings_wifi *wifi, struct air_network *network,
    uint8_t bssid[MAC_OCTETS], const char **member)
{
	int security = wifi->passkey == NULL || wifi->passkey[0] == '\0'
			   ? RADIO_OPEN
			   : RADIO_WPA2_AES;

	if (wifi->security != NULL)
		security = radio_security_parse(wifi->security);
	*member = "security";
	if (security == -1 || security == RADIO_SECURITY_ANY)
		return "Open, WEP, WPA-AES, WPA-TKIP, WPA2-AES, WPA2-Mixed or "
		       "WPA2-TKIP";
	network->ssid = wifi->ssid;
	network->bssid =
	    wifi->bssid != NULL && mac_parse(wifi->bssid, bssid) == 0 ? bssid : NULL;
	network->channel = wifi->channel;
	network->security = (enum radio_security)security;
	network->passkey = wifi->passkey == NULL ? "" : wifi->passkey;
	network->rssi_dbm = wifi->rssi_dbm;
	network->is_hidden = wifi->is_hidden;
	network->has_wps = wifi->has_wps;
	*member = "passkey";
	if (passkey_suits(network->security, network->passkey))
		return NULL;
	if (network->security == RADIO_OPEN)
		return "none to an open network";
	return network->security == RADIO_WEP
		   ? "5 or 13 characters, or 10 or 26 hexadecimal digits"
		   : "8 to 63 characters, or 64 hexadecimal digits";
}

static const char *
rules_check_network(void *arg, const struct settings_wifi *wifi, const char **member)
{
	uint8_t bssid[MAC_OCTETS];
	struct air_network network;

	(void)arg;
	return rules_network(wifi, &network, bssid, member);
}

void
rules_init(struct rules *rules)
{
	memset(rules, 0, sizeof *rules);
	rules->settings.profile = rules_check_profile;
	rules->settings.factory = rules_check_factory;
	rules->settings.pin = rules_check_pin;
	rules->settings.network = rules_check_network;
	rules->settings.arg = rules;
}

void
rules_clear(struct rules *rules)
{
	for (unsigned i = 0; i < PROFILE_COUNT; i++)
		catalog_free(rules->catalogs[i]);
}
