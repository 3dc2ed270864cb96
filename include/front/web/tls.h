#ifndef FRONT_WEB_TLS_H
#define FRONT_WEB_TLS_H

#include <openssl/ssl.h>

struct module;

/* A context for the module's HTTPS server, TLS 1.2 and 1.3, with the certificate under
 * the module's state directory (tls/server.crt, tls/server.key). When there is none
 * yet, a self-signed one is made and kept. NULL, with the cause logged. */
SSL_CTX *web_tls_new(const struct module *);

#endif
