#include "device/radio_interface_state.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

enum interface_kind { INTERFACE_SCAN, INTERFACE_JOIN, INTERFACE_VERIFY, INTERFACE_WPS };

/* What is to be answered. It is wpa_supplicant's turn to answer the one that is asked;
 * without wpa_supplicant, a question to join waits for the carrier. */
struct interface_question {
	enum interface_kind kind;
	radio_scanned *scanned;
	radio_joined *joined;
	radio_wps_given *given;
	void *arg;
	/* The texts are owned, or stand here. */
	struct radio_scan scan;
	struct radio_target target;
	char ssid[RADIO_SSID_MAX + 1]; /* empty: none is asked for */
	uint8_t bssid[MAC_OCTETS];
	char *passkey; /* owned; NULL: none */
	char *pin; /* owned; NULL: none */
	bool is_joined; /* as wpa_supplicant says; the carrier is to follow */
	TAILQ_ENTRY(interface_question) entry;
};

/* Takes it out of the row; it is the caller's. */
static void
interface_take(struct interface_radio *self, struct interface_question *question)
{
	TAILQ_REMOVE(&self->questions, question, entry);
	if (self->asked == question)
		self->asked = NULL;
}

static void
interface_free_question(struct interface_question *question)
{
	if (question->passkey != NULL)
		OPENSSL_cleanse(question->passkey, strlen(question->passkey));
	free(question->passkey);
	free(question->pin);
	free(question);
}

static void
interface_answer_joined(struct interface_radio *self,
    struct interface_question *question, enum radio_result result)
{
	radio_joined *joined = question->joined;
	void *arg = question->arg;

	interface_take(self, question);
	if (result == RADIO_OK && question->kind == INTERFACE_JOIN) {
		self->joined = question->is_joined ? INTERFACE_BY_SUPPLICANT
						   : INTERFACE_BY_CARRIER;
		memcpy(
		    self->ssids[RADIO_STATION], question->ssid, sizeof question->ssid);
	}
	interface_free_question(question);
	joined(arg, result);
}

/* Without wpa_supplicant. Chosen: a scan finds the network that the cable leads to. */
static void
interface_answer_scan(struct interface_radio *self, struct interface_question *question)
{
	size_t count = radio_interface_has_carrier(self, RADIO_STATION) ? 1 : 0;
	radio_scanned *scanned = question->scanned;
	void *arg = question->arg;
	struct radio_ap ap;

	radio_interface_describe(self, RADIO_STATION, &ap);
	if (question->ssid[0] != '\0')
		memcpy(ap.ssid, question->ssid, sizeof ap.ssid);
	interface_take(self, question);
	interface_free_question(question);
	scanned(arg, &ap, count);
}

static void
interface_ask_supplicant(
    struct interface_radio *self, struct interface_question *question)
{
	self->asked = question;
	switch (question->kind) {
	case INTERFACE_SCAN:
		supplicant_scan(self->supplicant, &question->scan, &self->radio.manner);
		break;
	case INTERFACE_JOIN:
		/* One piece of hardware may be able to do one channel only. */
		radio_interface_move(self, question->target.channel);
		supplicant_join(self->supplicant, &question->target);
		break;
	case INTERFACE_VERIFY:
		supplicant_verify(self->supplicant, &question->target);
		break;
	case INTERFACE_WPS:
		supplicant_wps(self->supplicant, question->pin);
		break;
	}
}

/* wpa_supplicant answers */

static void
interface_supplicant_scanned(void *arg, const struct radio_ap *aps, size_t count)
{
	struct interface_radio *self = arg;
	struct interface_question *question = self->asked;
	radio_scanned *scanned = question->scanned;
	void *scanned_arg = question->arg;

	interface_take(self, question);
	interface_free_question(question);
	radio_interface_work(self);
	scanned(scanned_arg, aps, count);
}

static void
interface_supplicant_tried(void *arg, enum radio_result result)
{
	struct interface_radio *self = arg;
	struct interface_question *question = self->asked;

	radio_interface_work(self);
	if (question->kind == INTERFACE_JOIN && result == RADIO_OK)
		question->is_joined = true;
	else
		interface_answer_joined(self, question, result);
}

static void
interface_supplicant_wps(void *arg, const struct radio_ap *ap, const char *passkey)
{
	struct interface_radio *self = arg;
	struct interface_question *question = self->asked;
	radio_wps_given *given = question->given;
	void *given_arg = question->arg;

	interface_take(self, question);
	interface_free_question(question);
	radio_interface_work(self);
	given(given_arg, ap, passkey);
}

/* What it was asked is asked again: another one, or the carrier. */
static void
interface_ask_again(struct interface_radio *self)
{
	if (self->asked != NULL)
		self->asked->is_joined = false;
	self->asked = NULL;
	radio_interface_work(self);
}

static void
interface_supplicant_lost(void *arg)
{
	struct interface_radio *self = arg;

	if (self->asked != NULL && self->asked->is_joined)
		interface_ask_again(self);
	else if (self->joined == INTERFACE_BY_SUPPLICANT)
		radio_interface_tell_lost(self);
}

static void
interface_supplicant_came(void *arg)
{
	radio_interface_work(arg);
}

static void
interface_supplicant_went(void *arg)
{
	struct interface_radio *self = arg;

	interface_ask_again(self);
	if (self->joined == INTERFACE_BY_SUPPLICANT)
		radio_interface_tell_lost(self);
}

const struct supplicant_ops radio_interface_supplicant_ops = {
	.came = interface_supplicant_came,
	.went = interface_supplicant_went,
	.scanned = interface_supplicant_scanned,
	.tried = interface_supplicant_tried,
	.wps_given = interface_supplicant_wps,
	.lost = interface_supplicant_lost,
};

/* Gives it one question at a time, the first one first. */
static void
interface_work_with_supplicant(struct interface_radio *self, bool has_carrier)
{
	struct interface_question *asked = self->asked;

	if (asked != NULL && asked->is_joined && has_carrier) {
		radio_interface_work(self);
		interface_answer_joined(self, asked, RADIO_OK);
		radio_interface_move(self, radio_interface_channel(self));
	} else if (asked == NULL && supplicant_is_ready(self->supplicant) &&
		   !TAILQ_EMPTY(&self->questions)) {
		interface_ask_supplicant(self, TAILQ_FIRST(&self->questions));
	}
}

void
radio_interface_answer(struct interface_radio *self)
{
	bool has_carrier = radio_interface_has_carrier(self, RADIO_STATION);
	struct interface_question *question;

	if (radio_interface_is_wifi(&self->radio, RADIO_STATION)) {
		interface_work_with_supplicant(self, has_carrier);
		return;
	}
	TAILQ_FOREACH (question, &self->questions, entry) {
		if (question->kind != INTERFACE_SCAN &&
		    (!has_carrier || question->kind == INTERFACE_WPS))
			continue;
		radio_interface_work(self);
		if (question->kind == INTERFACE_SCAN)
			interface_answer_scan(self, question);
		else
			interface_answer_joined(self, question, RADIO_OK);
		return;
	}
}

static struct interface_question *
interface_ask(
    struct radio *radio, enum interface_kind kind, const char *ssid, void *arg)
{
	struct interface_radio *self = radio_interface_of(radio);
	struct interface_question *question = xcalloc(1, sizeof *question);

	question->kind = kind;
	question->arg = arg;
	if (ssid != NULL)
		memcpy(question->ssid, ssid, strnlen(ssid, RADIO_SSID_MAX));
	TAILQ_INSERT_TAIL(&self->questions, question, entry);
	radio_interface_work(self);
	return question;
}

void
radio_interface_scan(struct radio *radio, const struct radio_scan *scan,
    radio_scanned *scanned, void *arg)
{
	struct interface_question *question =
	    interface_ask(radio, INTERFACE_SCAN, scan->ssid, arg);

	question->scan = *scan;
	if (scan->ssid != NULL)
		question->scan.ssid = question->ssid;
	question->scanned = scanned;
}

static void
interface_ask_to_join(struct radio *radio, enum interface_kind kind,
    const struct radio_target *target, radio_joined *joined, void *arg)
{
	struct interface_question *question =
	    interface_ask(radio, kind, target->ssid, arg);

	question->target = *target;
	question->target.ssid = question->ssid;
	question->target.passkey = question->passkey = xstrdup(target->passkey);
	if (target->bssid != NULL) {
		memcpy(question->bssid, target->bssid, MAC_OCTETS);
		question->target.bssid = question->bssid;
	}
	question->joined = joined;
}

void
radio_interface_join(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	radio_interface_leave(radio);
	interface_ask_to_join(radio, INTERFACE_JOIN, target, joined, arg);
}

void
radio_interface_verify(struct radio *radio, const struct radio_target *target,
    radio_joined *joined, void *arg)
{
	interface_ask_to_join(radio, INTERFACE_VERIFY, target, joined, arg);
}

void
radio_interface_wps(
    struct radio *radio, const char *pin, radio_wps_given *given, void *arg)
{
	struct interface_question *question =
	    interface_ask(radio, INTERFACE_WPS, NULL, arg);

	question->pin = pin == NULL ? NULL : xstrdup(pin);
	question->given = given;
}

/* Of one operation; NULL: of all. */
void
radio_interface_cancel(struct radio *radio, void *arg)
{
	struct interface_radio *self = radio_interface_of(radio);
	struct interface_question *question, *next;

	for (question = TAILQ_FIRST(&self->questions); question != NULL;
	     question = next) {
		next = TAILQ_NEXT(question, entry);
		if (arg != NULL && question->arg != arg)
			continue;
		if (question->is_joined)
			supplicant_leave(self->supplicant);
		else if (question == self->asked)
			supplicant_stop(self->supplicant);
		interface_take(self, question);
		interface_free_question(question);
		radio_interface_work(self);
	}
}
