#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "core/network_state.h"
#include "core/variable.h"

/* How the module's radio listens and sends, as wlan.* and softap.* say. */

/* Chosen: the second antenna is one that is screwed on, 3 dB better than that of the
 * board, and auto takes the better one. */
#define NETWORK_ANTENNA_2_DB 3

int
network_tune(struct module *module)
{
	struct radio_manner *manner;

	if (network_radio(module) == NULL)
		return 0;
	manner = &module->network->radio->manner;
	manner->power_db =
	    (int)variable_number(module, "wlan.tx_power") - RADIO_POWER_DBM;
	manner->gain_db = strcmp(variable_text(module, "wlan.antenna.select"), "1") == 0
			      ? 0
			      : NETWORK_ANTENNA_2_DB;
	if (!variable_exists(module, "wlan.scan.type"))
		return 0;
	manner->is_passive =
	    strcmp(variable_text(module, "wlan.scan.type"), "passive") == 0;
	manner->dwell_ms = (unsigned)variable_number(module,
	    manner->is_passive ? "wlan.scan.passive_dwell" : "wlan.scan.active_dwell");
	manner->channels = (unsigned)variable_number(module, "wlan.scan.channel_mask");
	return 0;
}

/* Mbit/s that the families end at, those of n in 20 MHz. */
unsigned
network_softap_rate(const struct module *module)
{
	switch (*variable_text(module, "softap.rate.protocol")) {
	case 'b':
		return 110;
	case 'g':
		return 540;
	default:
		return RADIO_RATE_100KBPS;
	}
}

/* Reference: variable notes, wlan.rssi_average, of which only the name is known.
 * Chosen: a measurement is made each time that somebody asks. */
int
network_average(const struct module *module, int rssi_dbm)
{
	unsigned wanted = (unsigned)variable_number(module, "wlan.rssi_average");
	struct network_signals *signals = &module->network->signals;
	int sum = 0;

	if (wanted <= 1) {
		signals->count = 0;
		return rssi_dbm;
	}
	if (signals->dbm == NULL)
		signals->dbm = xcalloc(NETWORK_SIGNALS_MAX, sizeof *signals->dbm);
	memmove(signals->dbm + 1, signals->dbm,
	    (NETWORK_SIGNALS_MAX - 1) * sizeof *signals->dbm);
	signals->dbm[0] = (int8_t)rssi_dbm;
	if (signals->count < NETWORK_SIGNALS_MAX)
		signals->count++;
	if (wanted > signals->count)
		wanted = signals->count;
	for (unsigned i = 0; i < wanted; i++)
		sum += signals->dbm[i];
	return (sum - (int)wanted / 2) / (int)wanted;
}
