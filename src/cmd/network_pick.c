#include "cmd/network_pick.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/number.h"
#include "base/xmalloc.h"
#include "cmd/wlan.h"
#include "core/module.h"
#include "core/network.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"
#include "device/radio.h"

#define NETWORK_PICK_MS 120000 /* for the scan and both answers */

struct network_pick {
	struct request *request;
	enum result (*run)(struct request *);
	struct radio *scanning; /* borrowed; NULL once it has answered */
	struct radio_ap aps[RADIO_SCAN_MAX]; /* those that were shown */
	size_t count;
	const struct radio_ap *picked; /* one of them */
};

static void
network_pick_cancel(void *op)
{
	struct network_pick *self = op;

	if (self->scanning != NULL)
		self->scanning->ops->cancel(self->scanning, self);
	free(self);
}

/* Frees self. */
static void
network_pick_fail(struct network_pick *self, enum result result)
{
	struct request *request = self->request;

	free(self);
	response_clear(&request->response);
	request_finish(request, result);
}

static enum result
network_pick_set(struct module *module, const char *name, const char *text, size_t len)
{
	return variable_set(module,
	    catalog_variable(module->catalog, name, strlen(name)), NULL, text, len);
}

/* What was joined before is another network. It is left only when the answer is out,
 * which may go over it. */
static enum result
network_pick_rejoin(struct request *request)
{
	request->after = network_step_restart(NETWORK_WLAN);
	response_line(&request->response, "In progress");
	return RESULT_OK;
}

/* Frees self. */
static void
network_pick_done(struct network_pick *self, const char *passkey, size_t len)
{
	enum result (*run)(struct request *) = self->run;
	struct request *request = self->request;
	struct module *module = request->session->module;
	const char *ssid = self->picked->ssid;
	enum result result = network_pick_set(module, "wlan.ssid", ssid, strlen(ssid));

	if (result == RESULT_OK)
		result = network_pick_set(module, "wlan.passkey", passkey, len);
	if (result != RESULT_OK) {
		network_pick_fail(self, result);
		return;
	}
	free(self);
	if (network_state(module, NETWORK_WLAN) != NETWORK_DOWN)
		run = network_pick_rejoin;
	request_continue(request, run);
}

static void
network_pick_passkey(void *op, const char *line, size_t len)
{
	network_pick_done(op, line, len);
}

static void
network_pick_number(void *op, const char *line, size_t len)
{
	struct network_pick *self = op;
	int64_t number;

	if (number_parse(line, len, 0, (int64_t)self->count - 1, &number) == -1) {
		network_pick_fail(self, RESULT_INVALID_ARGUMENT);
		return;
	}
	self->picked = &self->aps[number];
	/* Chosen: the words, as recalled by users of the module. */
	if (self->picked->security == RADIO_OPEN)
		network_pick_done(self, "", 0);
	else
		request_ask(self->request, "Type password: ", network_pick_passkey);
}

/* Hidden networks cannot be picked. */
static void
network_pick_keep(struct network_pick *self, const struct radio_ap *aps, size_t count)
{
	for (size_t i = 0; i < count && self->count < RADIO_SCAN_MAX; i++) {
		if (aps[i].ssid[0] != '\0')
			self->aps[self->count++] = aps[i];
	}
}

static void
network_pick_scanned(void *arg, const struct radio_ap *aps, size_t count)
{
	struct network_pick *self = arg;
	struct session *session = self->request->session;
	struct response list = { .result = RESULT_OK };
	struct evbuffer *body;
	size_t len;

	self->scanning = NULL;
	network_pick_keep(self, aps, count);
	wlan_list(&list, self->aps, self->count, false);
	body = response_body(&list);
	len = evbuffer_get_length(body);
	session->ops->echo(session, (const char *)evbuffer_pullup(body, -1), len);
	response_clear(&list);
	if (self->count == 0)
		network_pick_fail(self, RESULT_FAILED);
	else
		request_ask(self->request,
		    "Type the number of the Network to use: ", network_pick_number);
}

enum result
network_pick(struct request *request, enum result (*run)(struct request *))
{
	static const struct radio_scan everything = { .ssid = NULL };
	struct radio *radio = network_radio(request->session->module);
	struct network_pick *self;

	if (radio == NULL || !request_can_ask(request))
		return RESULT_FAILED;
	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->run = run;
	self->scanning = radio;
	radio->ops->scan(radio, &everything, network_pick_scanned, self);
	return request_defer(request, NETWORK_PICK_MS, network_pick_cancel, self);
}
