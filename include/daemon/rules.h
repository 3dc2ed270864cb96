#ifndef DAEMON_RULES_H
#define DAEMON_RULES_H

#include "core/catalog.h"
#include "device/air.h"
#include "store/settings.h"

/* What the configuration check needs to know of profiles and variables. */
struct rules {
	struct settings_rules settings; /* for settings_read(); arg is the rules */
	struct catalog *catalogs[PROFILE_COUNT]; /* owned; made on first use */
	char text[256]; /* what would be right */
};

void rules_init(struct rules *);
void rules_clear(struct rules *);

/* The catalog of a module's profile, which has been checked; borrowed. */
const struct catalog *rules_catalog(struct rules *, const struct module_settings *);

/* Fills network from the settings, which must outlive it; its bssid may point to the
 * one given. NULL, or what would be right for the setting that member then names. */
const char *rules_network(const struct settings_wifi *, struct air_network *network,
    uint8_t bssid[MAC_OCTETS], const char **member);

#endif
