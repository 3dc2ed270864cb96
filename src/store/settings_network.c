#include "store/settings_reader.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/xmalloc.h"

/* Where the ports of the modules appear, or over which interfaces they go. */

#define SETTINGS_PORTS_MAX 256 /* entries of one ports list */

#define SETTINGS_INTERFACE "interface" /* backend */
/* Bytes of a directory; its sockets have to fit an address. */
#define SETTINGS_SOCKETS_MAX 80
#define SETTINGS_WPA_SUPPLICANT "/run/wpa_supplicant"
#define SETTINGS_HOSTAPD "/run/hostapd"

static const char *
settings_check_backend(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	(void)reader;
	return strcmp(text, "host") == 0 || strcmp(text, SETTINGS_INTERFACE) == 0
		   ? NULL
		   : entry->expected;
}

/* As the kernel checks the name of an interface. */
static const char *
settings_check_interface(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	(void)reader;
	return strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
		       text[strcspn(text, "/: \t")] != '\0'
		   ? entry->expected
		   : NULL;
}

/* A directory of control sockets, or nothing. */
static const char *
settings_check_directory(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	(void)reader;
	return text[0] == '\0' || text[0] == '/' ? NULL : entry->expected;
}

static const char *
settings_check_ipv4(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	struct in_addr address;

	(void)reader;
	return inet_pton(AF_INET, text, &address) == 1 ? NULL : entry->expected;
}

/* "a.b.c.d" or "a.b.c.d:port". */
static const char *
settings_check_name_server(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	char *colon = strchr(text, ':');
	const char *wrong;
	int64_t port;

	if (colon == NULL)
		return settings_check_ipv4(reader, entry, text);
	*colon = '\0';
	wrong = settings_check_ipv4(reader, entry, text);
	*colon = ':';
	if (number_parse(colon + 1, strlen(colon + 1), 1, 65535, &port) == -1)
		wrong = entry->expected;
	return wrong;
}

static void
settings_end_ports(struct settings_reader *reader, const config_setting_t *list,
    const void *elements, size_t count)
{
	const struct settings_port *ports = elements;
	struct settings_key *keys = xcalloc(count, sizeof *keys);
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		if (ports[i].module == 0)
			continue; /* missing or wrong, and told */
		keys[used++] = (struct settings_key){
			.setting = config_setting_get_member(
			    config_setting_get_elem(list, (unsigned)i), "module"),
			.number = ports[i].module,
			.position = i,
		};
	}
	settings_tell_repeated(reader, keys, used, "each module port once");
	free(keys);
}

static const struct setting settings_port_table[] = {
	{ .name = "module",
	    .type = SETTING_PORT,
	    .required = true,
	    .min = 1,
	    .max = 65535,
	    .offset = offsetof(struct settings_port, module) },
	{ .name = "host",
	    .type = SETTING_PORT,
	    .required = true,
	    .min = 0,
	    .max = 65535,
	    .offset = offsetof(struct settings_port, host) },
	{ .name = NULL },
};

static const struct setting_list settings_port_list = {
	.element_size = sizeof(struct settings_port),
	.count_offset = offsetof(struct settings_network, port_count),
	.end_all = settings_end_ports,
};

#define SETTINGS_INTERFACE_OF(role)                                                    \
	{                                                                              \
		.name = #role, .type = SETTING_STRING, .min = 1, .max = IFNAMSIZ - 1,  \
		.offset = offsetof(struct settings_network, role),                     \
		.check = settings_check_interface,                                     \
		.expected = "the name of a network interface such as \"wlan0\""        \
	}

#define SETTINGS_SOCKETS_OF(program)                                                   \
	{                                                                              \
		.name = #program, .type = SETTING_STRING, .min = 0,                    \
		.max = SETTINGS_SOCKETS_MAX,                                           \
		.offset = offsetof(struct settings_network, program),                  \
		.check = settings_check_directory,                                     \
		.expected = "a directory such as \"/run/" #program "\", or \"\""       \
	}

const struct setting settings_network_table[] = {
	{ .name = "backend",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = 16,
	    .offset = offsetof(struct settings_network, backend),
	    .check = settings_check_backend,
	    .expected = "\"host\" or \"" SETTINGS_INTERFACE "\"" },
	SETTINGS_INTERFACE_OF(wlan),
	SETTINGS_INTERFACE_OF(softap),
	SETTINGS_SOCKETS_OF(wpa_supplicant),
	SETTINGS_SOCKETS_OF(hostapd),
	{ .name = "address",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = INET_ADDRSTRLEN,
	    .offset = offsetof(struct settings_network, address),
	    .check = settings_check_ipv4,
	    .expected = "an IPv4 address such as \"" SETTINGS_ADDRESS "\"" },
	{ .name = "name_server",
	    .type = SETTING_STRING,
	    .min = 1,
	    .max = INET_ADDRSTRLEN + 6,
	    .offset = offsetof(struct settings_network, name_server),
	    .check = settings_check_name_server,
	    .expected = "an IPv4 address such as \"192.168.1.1\", or with a port as "
			"\"127.0.0.1:5353\"" },
	{ .name = "ports",
	    .type = SETTING_LIST,
	    .min = 0,
	    .max = SETTINGS_PORTS_MAX,
	    .offset = offsetof(struct settings_network, ports),
	    .members = settings_port_table,
	    .list = &settings_port_list },
	{ .name = NULL },
};

static char *
settings_dup(const char *text)
{
	return text == NULL ? NULL : xstrdup(text);
}

void
settings_inherit_network(
    struct settings_network *network, const struct settings_network *common)
{
	if (network->backend == NULL)
		network->backend = settings_dup(common->backend);
	if (settings_has_interfaces(network) && network->wlan == NULL)
		network->wlan = settings_dup(common->wlan);
	if (settings_has_interfaces(network) && network->softap == NULL)
		network->softap = settings_dup(common->softap);
	if (settings_has_interfaces(network) && network->wpa_supplicant == NULL)
		network->wpa_supplicant =
		    xstrdup(common->wpa_supplicant != NULL ? common->wpa_supplicant
							   : SETTINGS_WPA_SUPPLICANT);
	if (settings_has_interfaces(network) && network->hostapd == NULL)
		network->hostapd = xstrdup(
		    common->hostapd != NULL ? common->hostapd : SETTINGS_HOSTAPD);
	if (network->address == NULL)
		network->address = xstrdup(
		    common->address != NULL ? common->address : SETTINGS_ADDRESS);
	if (network->name_server == NULL)
		network->name_server = settings_dup(common->name_server);
	if (network->ports == NULL && common->ports != NULL) {
		network->port_count = common->port_count;
		network->ports = xcalloc(common->port_count, sizeof *network->ports);
		memcpy(network->ports, common->ports,
		    common->port_count * sizeof *network->ports);
	}
}

/* The setting of that name that counts for a module: its own, or the common one. */
static const config_setting_t *
settings_network_member(
    const config_setting_t *root, const config_setting_t *module, const char *name)
{
	const config_setting_t *own = config_setting_get_member(module, "network"),
			       *common = config_setting_get_member(root, "network");
	const config_setting_t *member =
	    own == NULL ? NULL : config_setting_get_member(own, name);

	if (member == NULL && common != NULL)
		member = config_setting_get_member(common, name);
	return member;
}

void
settings_check_interfaces(struct settings_reader *reader, const config_setting_t *root,
    const struct settings_file *file)
{
	static const char *const names[] = { "wlan", "softap", "wpa_supplicant",
		"hostapd" };
	const config_setting_t *list = config_setting_get_member(root, "modules");
	struct settings_key *keys = xcalloc(2 * file->module_count, sizeof *keys);
	size_t used = 0;

	for (size_t i = 0; i < file->module_count; i++) {
		const config_setting_t *module =
		    config_setting_get_elem(list, (unsigned)i);
		const struct settings_network *network = &file->modules[i].network;
		const char *const texts[] = { network->wlan, network->softap,
			network->wpa_supplicant, network->hostapd };
		bool has_interfaces = settings_has_interfaces(network);

		if (has_interfaces &&
		    settings_network_member(root, module, names[0]) == NULL &&
		    settings_network_member(root, module, names[1]) == NULL)
			settings_tell(reader,
			    settings_network_member(root, module, "backend"), NULL,
			    "no interface is named; give wlan, softap or both beside "
			    "it");
		for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
			const config_setting_t *member =
			    settings_network_member(root, module, names[j]);

			if (texts[j] == NULL)
				continue;
			if (!has_interfaces)
				settings_tell(reader, member, NULL,
				    "means nothing here; give backend = "
				    "\"" SETTINGS_INTERFACE "\" beside it");
			else if (j < 2)
				keys[used++] = (struct settings_key){
					.setting = member,
					.text = texts[j],
					.position = 2 * i + j,
				};
		}
	}
	settings_tell_repeated(
	    reader, keys, used, "each part of each module its own interface");
	free(keys);
}
