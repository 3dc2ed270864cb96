#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/number.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/module.h"
#include "core/network.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"
#include "store/nvm.h"

/* Wi-Fi Protected Setup. Reference: command notes, section 9 (wps), which knows the
 * name and the time; the rest is how WPS works everywhere. */

#define WPS_TIMEOUT_MS                                                                 \
	120000 /* the walk from the module to the access point's button */
#define WPS_PIN_MAX 99999999

struct wps {
	struct request *request;
};

static void
wps_cancel(void *op)
{
	struct wps *self = op;
	struct radio *radio = network_radio(self->request->session->module);

	radio->ops->cancel(radio, self);
	free(self);
}

static bool
wps_set(struct module *module, const char *name, const char *text)
{
	const struct variable *variable =
	    catalog_variable(module->catalog, name, strlen(name));

	return variable_set(module, variable, NULL, text, strlen(text)) == RESULT_OK;
}

/* Chosen: the network is joined behind the answer, which may go over the one before it;
 * any of its access points will do, and its security is what it announces. */
static enum result
wps_take(struct request *request, const struct radio_ap *ap, const char *passkey)
{
	struct module *module = request->session->module;

	if (ap == NULL)
		return request_fail(
		    request, RESULT_FAILED, "More than one access point offers WPS");
	if (!wps_set(module, "wlan.ssid", ap->ssid) ||
	    !wps_set(module, "wlan.passkey", passkey) ||
	    !wps_set(module, "wlan.security", "auto") ||
	    !wps_set(module, "wlan.bssid", ""))
		return RESULT_FAILED;
	if (nvm_commit(module->nvm) == -1) {
		log_msg(LOG_ERR, module->own->name, "wps: %s", strerror(errno));
		return RESULT_FAILED;
	}
	request->after = network_step_restart(NETWORK_WLAN);
	return request_success(request);
}

static void
wps_given(void *arg, const struct radio_ap *ap, const char *passkey)
{
	struct wps *self = arg;
	struct request *request = self->request;

	free(self);
	request_finish(request, wps_take(request, ap, passkey));
}

/* Four digits, or eight of which the last is made from the others. Wi-Fi Simple
 * Configuration, 7.4. */
static bool
wps_is_pin(const char *text)
{
	size_t len = strlen(text);
	unsigned sum = 0;
	int64_t pin;

	if (number_parse(text, len, 0, WPS_PIN_MAX, &pin) == -1 ||
	    strspn(text, "0123456789") != len || (len != 4 && len != 8))
		return false;
	for (size_t i = 0; len == 8 && i < len; i++)
		sum += (unsigned)(text[i] - '0') * (i % 2 == 0 ? 3 : 1);
	return sum % 10 == 0;
}

static enum result
wps_run(struct request *request)
{
	struct radio *radio = network_radio(request->session->module);
	const char *how = args_text(request->args, "pbc|pin");
	bool with_pin = how != NULL && strcasecmp(how, "pbc") != 0;
	struct wps *self;

	if (with_pin && !wps_is_pin(how))
		return RESULT_INVALID_ARGUMENT;
	if (radio == NULL || !radio_is_wifi(radio, RADIO_STATION))
		return RESULT_FAILED;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	radio->ops->wps(radio, with_pin ? how : NULL, wps_given, self);
	return request_defer(request, WPS_TIMEOUT_MS, wps_cancel, self);
}

static const struct arg_spec wps_args[] = {
	{ .name = "pbc|pin", .optional = true },
	{ .name = NULL },
};

const struct command wps_commands[] = {
	{ .name = "wps",
	    .args = wps_args,
	    .flags = COMMAND_NOT_IN_SAFE_MODE,
	    .run = wps_run,
	    .help = "Take over the network that an access point offers by its WPS "
		    "button, or to who knows the PIN." },
	{ .name = NULL },
};
