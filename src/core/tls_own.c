#include "core/tls_own.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/tls_file.h"

#define TLS_CERTIFICATE_DAYS 3650
#define TLS_SERIAL_BITS 159 /* RFC 5280, 4.1.2.2: at most 20 octets, positive */

static void
tls_own_log(const struct module *module, const char *what)
{
	char reason[256] = "no reason given";
	unsigned long error = ERR_peek_last_error();

	if (error != 0)
		ERR_error_string_n(error, reason, sizeof reason);
	else if (errno != 0)
		snprintf(reason, sizeof reason, "%s", strerror(errno));
	ERR_clear_error();
	log_msg(LOG_ERR, module->own->name, "TLS: %s: %s", what, reason);
}

static int
tls_own_add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX context;
	int result;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	if (extension == NULL)
		return 0;
	result = X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	return result;
}

/* Names are the module's; one with a character that an extension cannot hold goes
 * without its own. */
static int
tls_own_add_names(const struct module *module, X509 *certificate)
{
	const char *name = module->own->name, *address = module->own->network.address;
	X509_NAME *subject = X509_get_subject_name(certificate);
	char *names;
	int result;

	if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0) == 0 ||
	    X509_set_issuer_name(certificate, subject) == 0)
		return 0;
	if (strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
	    strlen(name))
		names = xasprintf("DNS:%s,DNS:localhost,IP:%s", name, address);
	else
		names = xasprintf("DNS:localhost,IP:%s", address);
	result = tls_own_add_extension(certificate, NID_subject_alt_name, names);
	free(names);
	return result;
}

static int
tls_own_fill(const struct module *module, X509 *certificate, EVP_PKEY *key)
{
	BIGNUM *serial = BN_new();
	int result =
	    serial != NULL &&
	    BN_rand(serial, TLS_SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) ==
		1 &&
	    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;

	BN_free(serial);
	return result && X509_set_version(certificate, X509_VERSION_3) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -24 * 3600) != NULL &&
	       X509_time_adj_ex(X509_getm_notAfter(certificate), TLS_CERTIFICATE_DAYS,
		   0, NULL) != NULL &&
	       X509_set_pubkey(certificate, key) == 1 &&
	       tls_own_add_names(module, certificate) == 1 &&
	       tls_own_add_extension(
		   certificate, NID_basic_constraints, "critical,CA:FALSE") == 1 &&
	       tls_own_add_extension(certificate, NID_ext_key_usage, "serverAuth") ==
		   1 &&
	       X509_sign(certificate, key, EVP_sha256()) > 0;
}

/* Writes what one of the PEM writers makes. 0, or -1. */
static int
tls_own_write(const char *path, BIO *pem, mode_t mode)
{
	char *text;
	long len = BIO_get_mem_data(pem, &text);

	return len <= 0 ? -1 : file_replace(path, text, (size_t)len, mode, true);
}

static int
tls_own_make(
    const struct module *module, const char *certificate_path, const char *key_path)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *certificate_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_mem());
	int result = -1;

	/* The key first: a certificate without its key would never be replaced. */
	if (key != NULL && certificate != NULL && certificate_pem != NULL &&
	    key_pem != NULL && tls_own_fill(module, certificate, key) &&
	    PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1 &&
	    PEM_write_bio_X509(certificate_pem, certificate) == 1 &&
	    tls_own_write(key_path, key_pem, 0600) == 0 &&
	    tls_own_write(certificate_path, certificate_pem, 0644) == 0)
		result = 0;
	else
		tls_own_log(module, "cannot make a certificate");
	BIO_free(certificate_pem);
	BIO_free(key_pem);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return result;
}

/* Whether the system did not let a file that is there be opened. */
static bool
tls_own_is_out_of_reach(void)
{
	unsigned long error = ERR_peek_error();

	return ERR_SYSTEM_ERROR(error) && ERR_GET_REASON(error) != ENOENT;
}

static bool
tls_own_take(SSL_CTX *context, const char *certificate_path, const char *key_path)
{
	SSL_CTX_set_default_passwd_cb(context, tls_file_password);
	return SSL_CTX_use_certificate_chain_file(context, certificate_path) == 1 &&
	       SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(context) == 1;
}

/* Renames what cannot be used, so that nothing is lost. */
static void
tls_own_set_aside(const struct module *module, const char *path)
{
	char *aside = xasprintf("%s.bad-%jd", path, (intmax_t)time(NULL));

	if (rename(path, aside) == 0)
		log_msg(
		    LOG_ERR, module->own->name, "TLS: %s set aside as %s", path, aside);
	free(aside);
}

int
tls_own_use(const struct module *module, SSL_CTX *context)
{
	char *directory = xasprintf("%s/tls", module->directory);
	char *certificate = xasprintf("%s/server.crt", directory);
	char *key = xasprintf("%s/server.key", directory);
	int result = -1;

	errno = 0;
	ERR_clear_error();
	if (tls_own_take(context, certificate, key)) {
		result = 0;
		goto out;
	}
	/* For want of descriptors, say; clients know the certificate, so it stays. */
	if (tls_own_is_out_of_reach()) {
		tls_own_log(module, certificate);
		goto out;
	}
	if (access(certificate, F_OK) == 0) {
		tls_own_log(module, certificate);
		tls_own_set_aside(module, certificate);
		tls_own_set_aside(module, key);
	}
	ERR_clear_error();
	if (file_make_directories(directory, 0700) == -1) {
		tls_own_log(module, directory);
	} else if (tls_own_make(module, certificate, key) == 0) {
		log_msg(LOG_INFO, module->own->name,
		    "TLS: made the self-signed certificate %s", certificate);
		if (tls_own_take(context, certificate, key))
			result = 0;
		else
			tls_own_log(module, certificate);
	}
out:
	free(key);
	free(certificate);
	free(directory);
	return result;
}
