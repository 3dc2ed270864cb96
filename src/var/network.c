#include "var/table.h"

#include <event2/buffer.h>

#include "core/net.h"
#include "core/profile.h"
#include "var/choices.h"

static const char *const network_interfaces[] = { "wlan", "softap", NULL };

/* Reference: serial and file notes, 7.4, for the form. */
static void
network_buffer_used_get(struct module *module, const char *index, const char *modifier,
    struct evbuffer *out)
{
	struct stream_held used = net_buffer_used(module);

	(void)index;
	(void)modifier;
	evbuffer_add_printf(out, "rx:%zu,tx:%zu", used.received, used.sent);
}

/* Reference: variable notes, network. Chosen: the sizes that vendor code sets, 25000
 * bytes of which half is for reception, and a range around all values seen; 10 s for a
 * TLS handshake, in milliseconds as the other time-outs of connections. Of
 * handshake_timeout only the name is on record. */
const struct variable network_variables[] = {
	{ .name = "network.buffer.rxtx_ratio",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .applies = VARIABLE_ON_REBOOT,
	    .initial = "50",
	    .max = 100,
	    .help =
		"Percent of the packet buffer that are for reception; the rest is for "
		"sending." },
	{ .name = "network.buffer.size",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .profiles = PROFILE_WZ_3,
	    .applies = VARIABLE_ON_REBOOT,
	    .initial = "25000",
	    .min = 5000,
	    .max = 100000,
	    .help = "Bytes of the packet buffer that all streams of a module share." },
	{ .name = "network.buffer.used",
	    .shortcut = "ne b u",
	    .flags = VARIABLE_READONLY,
	    .profiles = PROFILE_WZ_3,
	    .get = network_buffer_used_get,
	    .help = "Use of the packet buffer, in percent." },
	{ .name = "network.default_interface",
	    .shortcut = "ne f",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "wlan",
	    .choices = network_interfaces,
	    .help = "What the word default means for an interface." },
	{ .name = "network.tls.ca_cert",
	    .shortcut = "ne t a",
	    .flags = VARIABLE_PERSISTED,
	    .initial = "geotrust_ca.pem",
	    .max = LENGTH_FILE_NAME_MAX,
	    .help =
		"File with the certificates that TLS servers are checked against." },
	{ .name = "network.tls.client_cert",
	    .shortcut = "ne t c",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File with the certificate of the TLS client; empty: none." },
	{ .name = "network.tls.client_key",
	    .shortcut = "ne t k",
	    .flags = VARIABLE_PERSISTED,
	    .max = LENGTH_FILE_NAME_MAX,
	    .help = "File with the key of the TLS client; empty: none." },
	{ .name = "network.tls.handshake_timeout",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .initial = "10000",
	    .min = 1,
	    .max = RANGE_16_BIT_MAX,
	    .help = "Milliseconds that a TLS handshake may take." },
	{ .name = NULL },
};
