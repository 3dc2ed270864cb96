#ifndef CORE_TLS_FILE_H
#define CORE_TLS_FILE_H

#include <openssl/x509.h>

#include "stream/tls.h"

struct module;

/* Certificates and keys in the module's files, PEM or DER, told by what is in them. */

#define TLS_FILE_MAX (256u * 1024) /* bytes of such a file */

/* Why TLS cannot be had, for a log line; no secret is in it. */
struct tls_fault {
	char text[TLS_FAULT_MAX];
};

/* Writes the words and gives -1. */
int tls_fault_set(struct tls_fault *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with what OpenSSL says of its last error behind them. */
int tls_fault_of_library(struct tls_fault *, const char *what);

/* For OpenSSL, which would ask on the terminal of the daemon. Chosen: no file is
 * encrypted; the module has nobody to ask for a password. */
int tls_file_password(char *buf, int size, int is_writing, void *arg);

/* All certificates of a file, at least one, in their order. The caller frees them, with
 * sk_X509_pop_free(). NULL: fault says why. */
STACK_OF(X509) *
    tls_file_certificates(const struct module *, const char *name, struct tls_fault *);

/* The private key in a file; beside it others things may stand, certificates perhaps.
 * The caller frees it. NULL: fault says why. */
EVP_PKEY *tls_file_key(const struct module *, const char *name, struct tls_fault *);

#endif
