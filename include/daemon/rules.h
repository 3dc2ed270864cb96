#ifndef DAEMON_RULES_H
#define DAEMON_RULES_H

#include "core/catalog.h"
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

#endif
