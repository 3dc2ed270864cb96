#include "link/lease_file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/file.h"

static json_t *
lease_file_address(struct in_addr address)
{
	char text[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, &address, text, sizeof text));
}

static json_t *
lease_file_name_servers(const struct dhcp_lease *lease)
{
	json_t *servers = json_array();

	for (size_t i = 0; i < lease->name_server_count; i++)
		json_array_append_new(
		    servers, lease_file_address(lease->name_servers[i]));
	return servers;
}

/* An SSID can be any bytes; JSON takes UTF-8 only. */
static json_t *
lease_file_ssid(const char *ssid)
{
	char *text = base64_encode(ssid, strnlen(ssid, RADIO_SSID_MAX));
	json_t *encoded = json_string(text);

	free(text);
	return encoded;
}

int
lease_file_write(const char *path, const struct lease_note *note)
{
	const struct dhcp_lease *lease = &note->lease;
	char bssid[MAC_TEXT_SIZE], *text;
	int result = -1;
	json_t *root;

	mac_format(bssid, note->bssid);
	root = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "ssid_base64",
	    lease_file_ssid(note->ssid), "bssid", bssid, "address",
	    lease_file_address(lease->address), "netmask",
	    lease_file_address(lease->netmask), "router",
	    lease_file_address(lease->router), "server",
	    lease_file_address(lease->server), "name_servers",
	    lease_file_name_servers(lease), "ends", (json_int_t)note->ends_s);
	text = json_dumps(root, JSON_INDENT(2));
	if (text != NULL)
		result = file_replace(path, text, strlen(text), 0600, true);
	else
		errno = ENOMEM;
	free(text);
	json_decref(root);
	return result;
}

int
lease_file_remove(const char *path)
{
	if (unlink(path) == -1)
		return errno == ENOENT ? 0 : -1;
	return file_sync_directory_of(path);
}

static int
lease_file_parse_ssid(const char *encoded, char ssid[RADIO_SSID_MAX + 1])
{
	size_t len;
	char *bytes = base64_decode(encoded, strlen(encoded), &len);
	int result = -1;

	if (bytes != NULL && len <= RADIO_SSID_MAX) {
		memcpy(ssid, bytes, len);
		result = 0;
	}
	free(bytes);
	return result;
}

static int
lease_file_parse(json_t *root, struct lease_note *note)
{
	const char *ssid, *bssid, *address, *netmask, *router, *server, *name;
	struct dhcp_lease *lease = &note->lease;
	json_t *names, *entry;
	json_int_t ends;
	size_t i;

	memset(note, 0, sizeof *note);
	if (json_unpack(root, "{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I}", "ssid_base64",
		&ssid, "bssid", &bssid, "address", &address, "netmask", &netmask,
		"router", &router, "server", &server, "name_servers", &names, "ends",
		&ends) == -1 ||
	    lease_file_parse_ssid(ssid, note->ssid) == -1 ||
	    mac_parse(bssid, note->bssid) == -1 ||
	    inet_pton(AF_INET, address, &lease->address) != 1 ||
	    lease->address.s_addr == 0 ||
	    inet_pton(AF_INET, netmask, &lease->netmask) != 1 ||
	    inet_pton(AF_INET, router, &lease->router) != 1 ||
	    inet_pton(AF_INET, server, &lease->server) != 1)
		return -1;
	json_array_foreach (names, i, entry) {
		name = json_string_value(entry);
		if (i == DHCP_NAME_SERVERS_MAX || name == NULL ||
		    inet_pton(AF_INET, name, &lease->name_servers[i]) != 1)
			return -1;
		lease->name_server_count = i + 1;
	}
	note->ends_s = ends;
	return 0;
}

int
lease_file_read(const char *path, struct lease_note *note)
{
	size_t len = 0;
	char *text = file_read(path, LEASE_FILE_MAX, &len);
	int result = -1;
	json_t *root;

	if (text == NULL)
		return -1;
	root = json_loadb(text, len, 0, NULL);
	if (root != NULL)
		result = lease_file_parse(root, note);
	if (result == -1)
		errno = EINVAL;
	json_decref(root);
	free(text);
	return result;
}
