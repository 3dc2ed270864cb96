#include "core/tls_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/xmalloc.h"
#include "core/module.h"
#include "store/flash.h"

int
tls_fault_set(struct tls_fault *fault, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	vsnprintf(fault->text, sizeof fault->text, fmt, arguments);
	va_end(arguments);
	return -1;
}

int
tls_fault_of_library(struct tls_fault *fault, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	tls_fault_set(fault, "%s: %s", what, reason == NULL ? "unknown error" : reason);
	ERR_clear_error();
	return -1;
}

int
tls_file_password(char *buf, int size, int is_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

struct tls_file {
	char *bytes; /* owned */
	size_t len;
	BIO *pem; /* owned; NULL: it is DER */
};

static int
tls_file_open(struct tls_file *file, const struct module *module, const char *name,
    struct tls_fault *fault)
{
	static const char begin[] = "-----BEGIN ";

	file->bytes = flash_read(module->flash, name, TLS_FILE_MAX, &file->len);
	if (file->bytes == NULL)
		return tls_fault_set(fault, "%s: %s", name,
		    errno == ENOENT ? "no such file" : strerror(errno));
	ERR_clear_error();
	file->pem = NULL;
	if (memmem(file->bytes, file->len, begin, sizeof begin - 1) != NULL)
		file->pem = xcheck(BIO_new_mem_buf(file->bytes, (int)file->len));
	return 0;
}

static void
tls_file_close(struct tls_file *file)
{
	BIO_free(file->pem);
	OPENSSL_cleanse(file->bytes, file->len);
	free(file->bytes);
	ERR_clear_error();
}

/* The next certificate, or NULL, at the end of the file without an error. */
static X509 *
tls_file_next(struct tls_file *file, const unsigned char **der, bool *is_bad)
{
	const unsigned char *end = (const unsigned char *)file->bytes + file->len;
	X509 *certificate = NULL;

	if (file->pem == NULL) {
		if (*der < end)
			certificate = d2i_X509(NULL, der, end - *der);
		*is_bad = certificate == NULL && *der < end;
		return certificate;
	}
	certificate = PEM_read_bio_X509(file->pem, NULL, tls_file_password, NULL);
	*is_bad = certificate == NULL &&
		  ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	return certificate;
}

STACK_OF(X509) * tls_file_certificates(const struct module *module, const char *name,
		     struct tls_fault *fault)
{
	STACK_OF(X509) *certificates = xcheck(sk_X509_new_null());
	const unsigned char *der;
	struct tls_file file;
	X509 *certificate;
	bool is_bad;

	if (tls_file_open(&file, module, name, fault) == -1)
		goto fail;
	der = (const unsigned char *)file.bytes;
	while ((certificate = tls_file_next(&file, &der, &is_bad)) != NULL) {
		if (sk_X509_push(certificates, certificate) == 0) {
			X509_free(certificate);
			is_bad = true;
			break;
		}
	}
	if (is_bad)
		tls_fault_of_library(fault, name);
	else if (sk_X509_num(certificates) == 0)
		tls_fault_set(fault, "%s: no certificate in it", name);
	tls_file_close(&file);
	if (!is_bad && sk_X509_num(certificates) > 0)
		return certificates;
fail:
	sk_X509_pop_free(certificates, X509_free);
	return NULL;
}

/* Whether what was looked for is simply not there. */
static bool
tls_file_has_none(void)
{
	int reason = ERR_GET_REASON(ERR_peek_last_error());

	return reason == PEM_R_NO_START_LINE || reason == ERR_R_UNSUPPORTED;
}

EVP_PKEY *
tls_file_key(const struct module *module, const char *name, struct tls_fault *fault)
{
	const unsigned char *der;
	struct tls_file file;
	EVP_PKEY *key;

	if (tls_file_open(&file, module, name, fault) == -1)
		return NULL;
	der = (const unsigned char *)file.bytes;
	if (file.pem != NULL)
		key = PEM_read_bio_PrivateKey(file.pem, NULL, tls_file_password, NULL);
	else
		key = d2i_AutoPrivateKey(NULL, &der, (long)file.len);
	if (key == NULL && tls_file_has_none())
		tls_fault_set(fault, "%s: no key in it", name);
	else if (key == NULL)
		tls_fault_of_library(fault, name);
	tls_file_close(&file);
	return key;
}
