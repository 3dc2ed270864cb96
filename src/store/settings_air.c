#include "store/settings_reader.h"

#include <string.h>

#include "base/mac.h"

#define SETTINGS_WIFI_MAX 512 /* networks of one list */
#define SETTINGS_RSSI_DBM (-48) /* unless given */
#define SETTINGS_JOIN_MS_MAX 60000

static const char *
settings_check_backend(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	(void)reader;
	return strcmp(text, "simulated") == 0 ? NULL : entry->expected;
}

static void
settings_begin_wifi(const config_setting_t *setting, void *element)
{
	struct settings_wifi *wifi = element;

	(void)setting;
	wifi->channel = 1;
	wifi->rssi_dbm = SETTINGS_RSSI_DBM;
}

static void
settings_end_wifi(
    struct settings_reader *reader, const config_setting_t *setting, void *element)
{
	const struct settings_rules *rules = reader->rules;
	const struct settings_wifi *wifi = element;
	const char *expected, *member = NULL;

	if (rules == NULL || rules->network == NULL || wifi->ssid == NULL)
		return;
	expected = rules->network(rules->arg, wifi, &member);
	if (expected != NULL)
		settings_tell(
		    reader, setting, member, "is not valid; give %s", expected);
}

static const struct setting settings_wifi_table[] = {
	{ .name = "ssid",
	    .type = SETTING_STRING,
	    .required = true,
	    .min = 1,
	    .max = 32,
	    .offset = offsetof(struct settings_wifi, ssid),
	    .expected = "a name of 1 to 32 bytes without control characters" },
	{ .name = "bssid",
	    .type = SETTING_STRING,
	    .min = MAC_TEXT_SIZE - 1,
	    .max = MAC_TEXT_SIZE - 1,
	    .offset = offsetof(struct settings_wifi, bssid),
	    .check = settings_check_mac,
	    .expected = SETTINGS_MAC_EXPECTED },
	{ .name = "channel",
	    .type = SETTING_PORT,
	    .min = 1,
	    .max = 14,
	    .offset = offsetof(struct settings_wifi, channel) },
	{ .name = "security",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = 16,
	    .offset = offsetof(struct settings_wifi, security),
	    .expected = "a security such as \"WPA2-AES\"" },
	{ .name = "passkey",
	    .type = SETTING_VALUE,
	    .max = 64,
	    .offset = offsetof(struct settings_wifi, passkey),
	    .expected = "a passphrase in quotes" },
	{ .name = "rssi",
	    .type = SETTING_NUMBER,
	    .min = -120,
	    .max = 0,
	    .offset = offsetof(struct settings_wifi, rssi_dbm) },
	{ .name = "hidden",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct settings_wifi, is_hidden) },
	{ .name = "wps",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct settings_wifi, has_wps) },
	{ .name = NULL },
};

static const struct setting_list settings_wifi_list = {
	.element_size = sizeof(struct settings_wifi),
	.count_offset = offsetof(struct settings_air, network_count),
	.begin = settings_begin_wifi,
	.end = settings_end_wifi,
};

#define SETTINGS_NETWORKS                                                              \
	{                                                                              \
		.name = "networks", .type = SETTING_LIST, .max = SETTINGS_WIFI_MAX,    \
		.offset = offsetof(struct settings_air, networks),                     \
		.members = settings_wifi_table, .list = &settings_wifi_list            \
	}

const struct setting settings_air_table[] = {
	SETTINGS_NETWORKS,
	{ .name = "join_ms",
	    .type = SETTING_PORT,
	    .max = SETTINGS_JOIN_MS_MAX,
	    .offset = offsetof(struct settings_air, join_ms) },
	{ .name = NULL },
};

const struct setting settings_radio_table[] = {
	{ .name = "backend",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = 16,
	    .offset = offsetof(struct settings_air, backend),
	    .check = settings_check_backend,
	    .expected = "\"simulated\"" },
	SETTINGS_NETWORKS,
	{ .name = NULL },
};
