#include "service/dns_server.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/dns.h>
#include <event2/dns_struct.h>

#include "base/words.h"
#include "base/xmalloc.h"
#include "core/activity.h"
#include "core/module.h"
#include "core/setup.h"
#include "core/variable.h"
#include "stream/datagram.h"

#define DNS_SERVER_PORT 53
#define DNS_TTL_S 60 /* Chosen: the address may be another one after a restart */
#define DNS_NAME_ERROR 3 /* RFC 1035, 4.1.1: there is no such name */
#define DNS_HEADER_LEN 12 /* RFC 1035, 4.1.1 */

struct dns_service {
	struct module *module; /* borrowed */
	struct evdns_server_port *port; /* owned, with its socket; NULL: not running */
	struct listener listener;
};

/* Reference: network notes, 8.5: what phones and computers ask for to find out whether
 * they have to log in somewhere. */
static const char *const dns_captive_names[] = { "captive.apple.com",
	"clients3.google.com", "connectivitycheck.android.com",
	"connectivitycheck.gstatic.com", "www.msftconnecttest.com",
	"www.msftncsi.com" };

/* Whether a name means the module. Chosen: in web setup, with a captive portal, each
 * does, so that whatever a person opens leads to the setup page. */
static bool
dns_service_knows(const struct dns_service *self, const char *name)
{
	if (words_have(setup_names(self->module), name))
		return true;
	if (!setup_has_portal(self->module))
		return false;
	if (self->module->setup != NULL)
		return true;
	for (size_t i = 0; i < sizeof dns_captive_names / sizeof dns_captive_names[0];
	     i++) {
		if (strcasecmp(dns_captive_names[i], name) == 0)
			return true;
	}
	return false;
}

/* Chosen: a name that does not mean the module does not exist; the soft AP leads to no
 * other network. */
static void
dns_service_asked(struct evdns_server_request *request, void *arg)
{
	const struct dns_service *self = arg;
	int error = DNS_NAME_ERROR;
	struct in_addr address;

	activity_note(self->module, NETWORK_SOFTAP, ACTIVITY_RX);
	activity_note(self->module, NETWORK_SOFTAP, ACTIVITY_TX);
	inet_pton(AF_INET, variable_text(self->module, "softap.static.ip"), &address);
	for (int i = 0; i < request->nquestions; i++) {
		const struct evdns_server_question *question = request->questions[i];

		if (question->dns_question_class != EVDNS_CLASS_INET ||
		    !dns_service_knows(self, question->name))
			continue;
		error = 0;
		if (question->type == EVDNS_TYPE_A)
			evdns_server_request_add_a_reply(
			    request, question->name, 1, &address, DNS_TTL_S);
	}
	evdns_server_request_respond(request, error);
}

static void
dns_service_start(void *arg)
{
	struct dns_service *self = arg;
	struct module *module = self->module;
	struct in_addr address;
	int fd;

	if (module->setup == NULL &&
	    !variable_is_on(module, "softap.dns_server.enabled"))
		return;
	listener_set(&self->listener, module, "dns_server", "udp", DNS_SERVER_PORT);
	address = network_bound_address(module, NETWORK_SOFTAP);
	/* libevent 2.1.12 reads through a NULL pointer when less than a header comes
	 * (its issue 1231). */
	fd = datagram_open_at_least(address, self->listener.port, DNS_HEADER_LEN);
	if (fd == -1) {
		listener_log_failure(&self->listener, module);
		return;
	}
	self->port = xcheck(evdns_add_server_port_with_base(
	    module->base, fd, 0, dns_service_asked, self));
	listener_show(&self->listener, module, fd);
}

static void
dns_service_stop(void *arg)
{
	struct dns_service *self = arg;

	if (self->port == NULL)
		return;
	listener_hide(&self->listener);
	evdns_close_server_port(self->port);
	self->port = NULL;
}

static void
dns_service_free(void *arg)
{
	free(arg);
}

static const struct service_ops dns_service_ops = {
	.name = "dns_server",
	.interface = "softap",
	.start = dns_service_start,
	.stop = dns_service_stop,
	.free = dns_service_free,
};

void
dns_server_attach(struct module *module)
{
	struct dns_service *self = xcalloc(1, sizeof *self);

	self->module = module;
	module_add_service(module, &dns_service_ops, self);
}
