#ifndef CORE_TLS_CONTEXT_H
#define CORE_TLS_CONTEXT_H

#include <openssl/types.h>

#include "core/tls_file.h"

struct module;

/* The TLS settings of a module as OpenSSL takes them: TLS 1.2 and 1.3, certificates
 * from the module's files. Nothing else makes an SSL_CTX. What is configured and cannot
 * be had is a fault; it never means that something is not checked. Reference: network
 * notes, 1.12 and 3.3. */

#define TLS_SESSIONS_MAX 128 /* that can be resumed by their number; TLS 1.2 */

/* For the module's servers: HTTPS and tls_server. The certificate of
 * http.server.tls_cert and tls_key, else the module's own; clients need one that
 * http.server.tls_peer_cert vouches for, when tls_verify_peer is on. As long as these
 * stay the same, sessions can be resumed over restarts of the network. The caller owns
 * a reference. NULL: fault says why. */
SSL_CTX *tls_context_server(struct module *, struct tls_fault *);

/* For one connection as a client: the server is checked against ca_file (NULL: that of
 * network.tls.ca_cert), and can ask for the certificate of network.tls.client_cert. The
 * caller owns it. NULL: fault says why. */
SSL_CTX *tls_context_client(
    const struct module *, const char *ca_file, struct tls_fault *);

/* For the end of the module. */
void tls_context_free(struct module *);

#endif
