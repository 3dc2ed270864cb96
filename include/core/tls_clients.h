#ifndef CORE_TLS_CLIENTS_H
#define CORE_TLS_CLIENTS_H

#include <openssl/types.h>

struct evbuffer;
struct module;

/* Who has used the HTTPS server: the common names of the certificates that clients
 * showed, and when each was there last. */

#define TLS_CLIENTS_MAX 16 /* names kept; the one not seen for longest gives way */
#define TLS_CLIENT_NAME_MAX 64 /* bytes of a name. RFC 5280, A.1: ub-common-name */

/* Notes that the client of a connection is there, if it has shown a certificate. */
void tls_clients_note(struct module *, SSL *);

/* Writes a line for each, the latest first. */
void tls_clients_print(const struct module *, struct evbuffer *out);

/* For the end of the module. */
void tls_clients_free(struct module *);

#endif
