#include "core/tls_context.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "core/tls_own.h"
#include "core/variable.h"

/* The last context of the servers. It is used again while everything in it is the same,
 * because the sessions and the keys of the tickets live in it; and not otherwise, since
 * a session must not outlive the rules that it was made under. */
struct tls_served {
	SSL_CTX *context; /* owned */
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;
};

/* What every context has. */
static SSL_CTX *
tls_context_new(const SSL_METHOD *method)
{
	SSL_CTX *context = xcheck(SSL_CTX_new(method));

	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	/* OpenSSL 3 calls an end without close_notify an error of its own, which
	 * bufferevent_openssl_set_allow_dirty_shutdown() does not know of; with this
	 * option it is an end for evhttp, too. */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	return context;
}

/* Puts in the certificate that two variables name, with its key and chain. Chosen: an
 * empty name of a key means the file of the certificate. 0, or -1 and fault. */
static int
tls_context_use(const struct module *module, SSL_CTX *context,
    const char *certificate_variable, const char *key_variable, struct tls_fault *fault)
{
	const char *name = variable_text(module, certificate_variable);
	const char *key_name = variable_text(module, key_variable);
	STACK_OF(X509) *chain = NULL;
	X509 *certificate = NULL;
	EVP_PKEY *key = NULL;
	int result = -1;

	if (*name == '\0')
		return tls_fault_set(fault, "%s is empty", certificate_variable);
	if (*key_name == '\0')
		key_name = name;
	chain = tls_file_certificates(module, name, fault);
	if (chain == NULL)
		goto out;
	key = tls_file_key(module, key_name, fault);
	if (key == NULL)
		goto out;
	certificate = sk_X509_shift(chain);
	if (SSL_CTX_use_cert_and_key(context, certificate, key, chain, 1) == 1)
		result = 0;
	else
		tls_fault_of_library(fault, name);
out:
	X509_free(certificate);
	sk_X509_pop_free(chain, X509_free);
	EVP_PKEY_free(key);
	return result;
}

/* Makes the certificates of a file those that vouch for the peer; an intermediate one
 * may do so, too, as in other devices. 0, or -1 and fault. */
static int
tls_context_trust(const struct module *module, SSL_CTX *context, const char *name,
    bool is_server, struct tls_fault *fault)
{
	STACK_OF(X509) *certificates = tls_file_certificates(module, name, fault);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	int result = 0;

	if (certificates == NULL)
		return -1;
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	for (int i = 0; i < sk_X509_num(certificates) && result == 0; i++) {
		X509 *certificate = sk_X509_value(certificates, i);

		if (X509_STORE_add_cert(store, certificate) != 1 ||
		    (is_server && SSL_CTX_add_client_CA(context, certificate) != 1))
			result = tls_fault_of_library(fault, name);
	}
	sk_X509_pop_free(certificates, X509_free);
	SSL_CTX_set_verify(context,
	    SSL_VERIFY_PEER | (is_server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	return result;
}

static bool
tls_digest_add(EVP_MD_CTX *digest, const X509 *certificate)
{
	unsigned char one[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	return X509_digest(certificate, EVP_sha256(), one, &len) == 1 &&
	       EVP_DigestUpdate(digest, one, len) == 1;
}

/* Takes the digest of all that a server's context is made of. The key goes with its
 * certificate, which has been compared. */
static bool
tls_served_digest(struct tls_served *served)
{
	EVP_MD_CTX *digest = xcheck(EVP_MD_CTX_new());
	X509_STORE *store = SSL_CTX_get_cert_store(served->context);
	STACK_OF(X509) *chain = NULL, *trusted = X509_STORE_get1_all_certs(store);
	int verify = SSL_CTX_get_verify_mode(served->context);
	bool is_whole =
	    EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
	    EVP_DigestUpdate(digest, &verify, sizeof verify) == 1 &&
	    tls_digest_add(digest, SSL_CTX_get0_certificate(served->context)) &&
	    SSL_CTX_get0_chain_certs(served->context, &chain) == 1;

	for (int i = 0; is_whole && i < sk_X509_num(chain); i++)
		is_whole = tls_digest_add(digest, sk_X509_value(chain, i));
	is_whole = is_whole && EVP_DigestUpdate(digest, "", 1) == 1;
	for (int i = 0; is_whole && i < sk_X509_num(trusted); i++)
		is_whole = tls_digest_add(digest, sk_X509_value(trusted, i));
	is_whole = is_whole &&
		   EVP_DigestFinal_ex(digest, served->digest, &served->digest_len) == 1;
	sk_X509_pop_free(trusted, X509_free);
	EVP_MD_CTX_free(digest);
	return is_whole;
}

static SSL_CTX *
tls_context_build_server(const struct module *module, struct tls_fault *fault)
{
	static const unsigned char session_id[] = "zentrid";
	SSL_CTX *context = tls_context_new(TLS_server_method());
	const char *peer = variable_text(module, "http.server.tls_peer_cert");
	int result;

	SSL_CTX_set_session_id_context(context, session_id, sizeof session_id - 1);
	SSL_CTX_sess_set_cache_size(context, TLS_SESSIONS_MAX);
	if (*variable_text(module, "http.server.tls_cert") != '\0' ||
	    *variable_text(module, "http.server.tls_key") != '\0')
		result = tls_context_use(module, context, "http.server.tls_cert",
		    "http.server.tls_key", fault);
	else if ((result = tls_own_use(module, context)) == -1)
		tls_fault_set(fault, "no certificate can be made");
	if (result == 0 && variable_is_on(module, "http.server.tls_verify_peer"))
		result =
		    *peer == '\0'
			? tls_fault_set(fault, "http.server.tls_peer_cert is empty")
			: tls_context_trust(module, context, peer, true, fault);
	if (result == 0)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

static void
tls_served_free(struct tls_served *served)
{
	if (served == NULL)
		return;
	SSL_CTX_free(served->context);
	free(served);
}

SSL_CTX *
tls_context_server(struct module *module, struct tls_fault *fault)
{
	SSL_CTX *context = tls_context_build_server(module, fault);
	struct tls_served *fresh, *last = module->served;

	if (context == NULL)
		return NULL;
	fresh = xcalloc(1, sizeof *fresh);
	fresh->context = context;
	if (!tls_served_digest(fresh)) {
		ERR_clear_error();
		fresh->digest_len = 0; /* like no other */
	}
	if (last != NULL && last->digest_len > 0 &&
	    last->digest_len == fresh->digest_len &&
	    memcmp(last->digest, fresh->digest, last->digest_len) == 0) {
		tls_served_free(fresh);
	} else {
		tls_served_free(last);
		module->served = fresh;
	}
	SSL_CTX_up_ref(module->served->context);
	return module->served->context;
}

SSL_CTX *
tls_context_client(
    const struct module *module, const char *ca_file, struct tls_fault *fault)
{
	SSL_CTX *context = tls_context_new(TLS_client_method());
	int result = 0;

	if (ca_file == NULL)
		ca_file = variable_text(module, "network.tls.ca_cert");
	if (*ca_file == '\0')
		result = tls_fault_set(fault, "network.tls.ca_cert is empty");
	else
		result = tls_context_trust(module, context, ca_file, false, fault);
	if (result == 0 &&
	    (*variable_text(module, "network.tls.client_cert") != '\0' ||
		*variable_text(module, "network.tls.client_key") != '\0'))
		result = tls_context_use(module, context, "network.tls.client_cert",
		    "network.tls.client_key", fault);
	if (result == 0)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

void
tls_context_free(struct module *module)
{
	tls_served_free(module->served);
	module->served = NULL;
}
