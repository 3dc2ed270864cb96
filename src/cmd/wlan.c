#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "cmd/table.h"
#include "cmd/wlan.h"
#include "core/module.h"
#include "core/network.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"
#include "device/radio.h"

/* What the radio hears. Reference: command notes, section 9. */

#define WLAN_SCAN_MS 20000
#define WLAN_PSK_DIGITS 64
/* Chosen: the fields 5 and 7 of a verbose scan, in which clients see no meaning:
 * Mbit/s, and this, for infrastructure. */
#define WLAN_TYPE "Infra"

/* A question to the radio under way. */
struct wlan_asked {
	struct request *request;
	bool is_verbose;
};

static void
wlan_cancel(void *op)
{
	struct wlan_asked *self = op;
	struct radio *radio = network_radio(self->request->session->module);

	radio->ops->cancel(radio, self);
	free(self);
}

static struct wlan_asked *
wlan_ask(struct request *request)
{
	struct wlan_asked *self = xcalloc(1, sizeof *self);

	self->request = request;
	self->is_verbose = args_has(request->args, "v");
	return self;
}

/* Chosen: the head of the verbose list. */
static void
wlan_scan_list(struct response *response, const struct radio_ap *ap, unsigned number,
    bool is_verbose)
{
	char bssid[MAC_TEXT_SIZE];

	mac_format(bssid, ap->bssid);
	if (is_verbose)
		response_line(response, "# %2u %2u %4d %s %u.%u %-10s %s %3zu %s",
		    number, ap->channel, ap->rssi_dbm, bssid, ap->rate_100kbps / 10,
		    ap->rate_100kbps % 10, radio_security_name(ap->security), WLAN_TYPE,
		    strlen(ap->ssid), ap->ssid);
	else
		response_line(response, "# %2u %2u %4d %s %s", number, ap->channel,
		    ap->rssi_dbm, bssid, ap->ssid);
}

/* Hidden networks have no place in the plain list: clients take a short line for its
 * end. */
void
wlan_list(struct response *response, const struct radio_ap *aps, size_t count,
    bool is_verbose)
{
	unsigned shown = 0;

	for (size_t i = 0; i < count; i++)
		shown += is_verbose || aps[i].ssid[0] != '\0';
	response->is_list = true;
	response_line(response, "! %u networks found", shown);
	if (shown > 0)
		response_line(response, "!  # Ch RSSI MAC (BSSID)       %s",
		    is_verbose ? "Rate Security   Type  Len Network (SSID)"
			       : "Network (SSID)");
	shown = 0;
	for (size_t i = 0; i < count; i++) {
		if (is_verbose || aps[i].ssid[0] != '\0')
			wlan_scan_list(response, &aps[i], shown++, is_verbose);
	}
}

static void
wlan_scanned(void *arg, const struct radio_ap *aps, size_t count)
{
	struct wlan_asked *self = arg;
	struct request *request = self->request;
	bool is_verbose = self->is_verbose;

	free(self);
	wlan_list(&request->response, aps, count, is_verbose);
	request_finish(request, RESULT_OK);
}

static enum result
wlan_scan_run(struct request *request)
{
	struct radio *radio = network_radio(request->session->module);
	const struct radio_scan scan = {
		.ssid = args_text(request->args, "ssid"),
		.channel = (unsigned)args_number(request->args, "c", 0),
	};
	struct wlan_asked *self;

	if (radio == NULL)
		return RESULT_FAILED;
	self = wlan_ask(request);
	radio->ops->scan(radio, &scan, wlan_scanned, self);
	return request_defer(request,
	    WLAN_SCAN_MS + radio->manner.dwell_ms * RADIO_CHANNEL_MAX, wlan_cancel,
	    self);
}

static enum result
wlan_get_rssi_run(struct request *request)
{
	struct radio_ap ap;

	if (network_access_point(request->session->module, NETWORK_WLAN, &ap) == -1)
		return RESULT_FAILED;
	response_line(&request->response, "%d", ap.rssi_dbm);
	return RESULT_OK;
}

static void
wlan_verified(void *arg, enum radio_result result)
{
	struct wlan_asked *self = arg;
	struct request *request = self->request;

	free(self);
	request_finish(
	    request, result == RADIO_OK ? request_success(request) : RESULT_FAILED);
}

/* Reference: network notes, 8.8: the client sends a hash, so the passphrase stays with
 * it. Chosen: a WEP key, for which there is none, is the one of wlan.passkey. */
static enum result
network_verify_run(struct request *request)
{
	struct module *module = request->session->module;
	struct radio *radio = network_radio(module);
	struct radio_target target = {
		.ssid = args_text(request->args, "ssid"),
		.channel = (unsigned)args_number(request->args, "channel", 0),
		.security = (enum radio_security)args_number(
		    request->args, "security", RADIO_OPEN),
		.passkey = args_text(request->args, "psk"),
	};
	uint8_t bssid[MAC_OCTETS];
	struct wlan_asked *self;

	if (mac_parse(args_text(request->args, "bssid"), bssid) == -1 ||
	    (target.passkey != NULL &&
		strspn(target.passkey, "0123456789abcdefABCDEF") != WLAN_PSK_DIGITS))
		return RESULT_INVALID_ARGUMENT;
	if (radio == NULL)
		return RESULT_FAILED;
	target.bssid = bssid;
	if (target.passkey == NULL)
		target.passkey = target.security == RADIO_WEP
				     ? variable_text(module, "wlan.passkey")
				     : "";
	self = wlan_ask(request);
	radio->ops->verify(radio, &target, wlan_verified, self);
	return request_defer(request,
	    (unsigned)variable_number(module, "wlan.join.timeout"), wlan_cancel, self);
}

static const char *const wlan_verify_kinds[] = { "wifi", NULL };

static const struct arg_spec scan_args[] = {
	{ .name = "v", .type = ARG_OPTION },
	{ .name = "c", .type = ARG_OPTION_NUMBER, .min = 1, .max = RADIO_CHANNEL_MAX },
	{ .name = "ssid", .optional = true, .min = 1, .max = RADIO_SSID_MAX },
	{ .name = NULL },
};

static const struct arg_spec verify_args[] = {
	{ .name = "kind", .type = ARG_CHOICE, .choices = wlan_verify_kinds },
	{ .name = "ssid", .min = 1, .max = RADIO_SSID_MAX },
	{ .name = "bssid", .min = 12, .max = 17 },
	{ .name = "channel", .type = ARG_NUMBER, .min = 1, .max = RADIO_CHANNEL_MAX },
	{ .name = "security",
	    .type = ARG_NUMBER,
	    .optional = true,
	    .max = RADIO_SECURITIES - 1 },
	{ .name = "psk",
	    .optional = true,
	    .min = WLAN_PSK_DIGITS,
	    .max = WLAN_PSK_DIGITS },
	{ .name = NULL },
};

const struct command wlan_commands[] = {
	{ .name = "network_verify",
	    .alias = "nve",
	    .args = verify_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = network_verify_run,
	    .help = "Try whether a network can be joined, and stay out of it." },
	{ .name = "wlan_get_rssi",
	    .alias = "rssi",
	    .run = wlan_get_rssi_run,
	    .help = "Print the signal of the joined network in dBm." },
	{ .name = "wlan_scan",
	    .alias = "scan",
	    .args = scan_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = wlan_scan_run,
	    .help = "List the networks that the radio hears." },
	{ .name = NULL },
};
