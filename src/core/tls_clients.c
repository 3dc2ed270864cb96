#include "core/tls_clients.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/xmalloc.h"
#include "core/module.h"

struct tls_client {
	char name[TLS_CLIENT_NAME_MAX + 1];
	int64_t seen_s; /* of the module's clock */
};

struct tls_clients {
	struct tls_client list[TLS_CLIENTS_MAX]; /* the latest first */
	size_t count;
};

/* The common name, without what would break the line. */
static void
tls_clients_name(X509 *certificate, char name[TLS_CLIENT_NAME_MAX + 1])
{
	name[0] = '\0';
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
	    name, TLS_CLIENT_NAME_MAX + 1);
	for (char *c = name; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == '\x7F')
			*c = '?';
	}
}

void
tls_clients_note(struct module *module, SSL *ssl)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	struct tls_clients *clients = module->tls_clients;
	struct tls_client client;
	size_t at = 0;

	if (certificate == NULL)
		return;
	if (clients == NULL)
		clients = module->tls_clients = xcalloc(1, sizeof *clients);
	tls_clients_name(certificate, client.name);
	client.seen_s = module_clock_us(module) / 1000000;
	while (at < clients->count && strcmp(clients->list[at].name, client.name) != 0)
		at++;
	if (at == TLS_CLIENTS_MAX)
		at--;
	else if (at == clients->count)
		clients->count++;
	memmove(&clients->list[1], &clients->list[0], at * sizeof client);
	clients->list[0] = client;
}

void
tls_clients_print(const struct module *module, struct evbuffer *out)
{
	const struct tls_clients *clients = module->tls_clients;

	for (size_t i = 0; clients != NULL && i < clients->count; i++)
		evbuffer_add_printf(out, "%" PRId64 " %s\r\n", clients->list[i].seen_s,
		    clients->list[i].name);
}

void
tls_clients_free(struct module *module)
{
	free(module->tls_clients);
	module->tls_clients = NULL;
}
