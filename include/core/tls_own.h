#ifndef CORE_TLS_OWN_H
#define CORE_TLS_OWN_H

#include <openssl/types.h>

struct module;

/* The certificate that a module makes for itself, under its state directory
 * (tls/server.crt, tls/server.key): self-signed, made on first use and kept. One that
 * cannot be used is set aside and made anew. */

/* Puts certificate and key into the context. 0, or -1 with the cause logged. */
int tls_own_use(const struct module *, SSL_CTX *);

#endif
