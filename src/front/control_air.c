#include <string.h>

#include "base/number.h"
#include "device/air.h"
#include "device/passkey.h"
#include "front/control.h"

/* The commands of the control socket for the simulated air: what a router, or the way
 * to it, would do. */

static void
control_air_add_one(void *arg, const struct radio_ap *ap, bool is_on, bool is_hidden)
{
	char bssid[MAC_TEXT_SIZE];
	json_t *ssid = json_stringn(ap->ssid, strlen(ap->ssid));

	mac_format(bssid, ap->bssid);
	/* An SSID can be any bytes; JSON takes UTF-8 only. */
	json_array_append_new(
	    arg, json_pack("{s:o?, s:s, s:i, s:s, s:i, s:b, s:b}", "ssid", ssid,
		     "bssid", bssid, "channel", (int)ap->channel, "security",
		     radio_security_name(ap->security), "rssi", ap->rssi_dbm, "on",
		     (int)is_on, "hidden", (int)is_hidden));
}

static json_t *
control_air_list(const struct air *air)
{
	json_t *networks = json_array();

	air_each(air, control_air_add_one, networks);
	return json_pack("{s:o}", "networks", networks);
}

static json_t *
control_air_done(struct control_client *client, const char *ssid, unsigned count)
{
	if (count == 0)
		return control_fail(client, "no network %s is given", ssid);
	return json_pack("{s:i}", "changed", (int)count);
}

static int
control_air_rssi(struct control_client *client, const char *word, int *rssi_dbm)
{
	int64_t number;

	if (number_parse(word, strlen(word), -120, 0, &number) == -1) {
		control_fail(client, "%s is no signal; give -120 to 0 dBm", word);
		return -1;
	}
	*rssi_dbm = (int)number;
	return 0;
}

/* add <ssid> <channel> <dBm> [<security> [<passkey>]] */
static json_t *
control_air_add(struct control_client *client, const struct control_line *line)
{
	struct air_network network = { .ssid = line->words[2],
		.passkey = line->count > 6 ? line->words[6] : "" };
	int security = RADIO_OPEN;
	uint32_t channel;

	if (line->count < 5)
		return control_fail(client,
		    "give air add <ssid> <channel> <dBm> [<security> [<passkey>]]");
	if (control_number(
		client, line->words[3], "channel", RADIO_CHANNEL_MAX, &channel) == -1 ||
	    control_air_rssi(client, line->words[4], &network.rssi_dbm) == -1)
		return NULL;
	if (channel == 0)
		return control_fail(client, "no network is on channel 0");
	if (line->count > 5)
		security = radio_security_parse(line->words[5]);
	if (security == -1 || security == RADIO_SECURITY_ANY)
		return control_fail(client, "%s is no security", line->words[5]);
	network.channel = channel;
	network.security = (enum radio_security)security;
	if (!passkey_suits(network.security, network.passkey) ||
	    strlen(network.ssid) > RADIO_SSID_MAX ||
	    air_add(control_client_host(client)->air, &network, NULL) == -1)
		return control_fail(client,
		    "not added: SSID, passkey, or the number of networks does not fit");
	return control_air_done(client, network.ssid, 1);
}

static json_t *
control_air_run(struct control_client *client, const struct control_line *line)
{
	struct air *air = control_client_host(client)->air;
	const char *ssid = line->words[1], *what = line->words[2];
	int rssi_dbm, count;

	if (line->count == 1)
		return control_air_list(air);
	if (line->count > 2 && strcmp(ssid, "add") == 0)
		return control_air_add(client, line);
	if (line->count == 3 && strcmp(ssid, "remove") == 0)
		return control_air_done(client, what, air_remove(air, what));
	if (line->count == 3 && (strcmp(what, "on") == 0 || strcmp(what, "off") == 0))
		return control_air_done(
		    client, ssid, air_switch(air, ssid, strcmp(what, "on") == 0));
	if (line->count == 4 && strcmp(what, "wps") == 0 &&
	    (strcmp(line->words[3], "on") == 0 || strcmp(line->words[3], "off") == 0))
		return control_air_done(client, ssid,
		    air_switch_wps(air, ssid, strcmp(line->words[3], "on") == 0));
	if (line->count == 4 && strcmp(what, "rssi") == 0)
		return control_air_rssi(client, line->words[3], &rssi_dbm) == -1
			   ? NULL
			   : control_air_done(
				 client, ssid, air_set_rssi(air, ssid, rssi_dbm));
	if (line->count == 4 && strcmp(what, "passkey") == 0) {
		count = air_set_passkey(air, ssid, line->words[3]);
		if (count == -1)
			return control_fail(client, "the passkey does not fit");
		return control_air_done(client, ssid, (unsigned)count);
	}
	return control_fail(client,
	    "give air [add ... | remove <ssid> | <ssid> on | off | rssi <dBm> | "
	    "passkey <passkey> | wps on | wps off]");
}

const struct control_command control_air_commands[] = {
	{ .name = "air",
	    .usage = "[add <ssid> <channel> <dBm> [<security> [<passkey>]] | remove "
		     "<ssid> | <ssid> on | off | rssi <dBm> | passkey <passkey> | wps "
		     "on | wps off]",
	    .max = 6,
	    .run = control_air_run,
	    .help = "Show the networks of the air, or change one." },
	{ .name = NULL },
};
