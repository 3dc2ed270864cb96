#include "front/web/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/http.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/base64.h"
#include "core/module.h"
#include "core/variable.h"

#define AUTH_HEADER_MAX 2048 /* bytes of an Authorization header worth decoding */
#define AUTH_TITLE "http.server.auth_title" /* not in every profile */

bool
web_auth_is_on(const struct module *module)
{
	return *variable_text(module, "http.server.username") != '\0' ||
	       *variable_text(module, "http.server.password") != '\0';
}

/* Compares digests, so that the time tells neither contents nor length. */
static bool
web_auth_is_same(const char *given, const char *wanted)
{
	unsigned char a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];
	unsigned a_len = 0, b_len = 0;

	if (EVP_Digest(given, strlen(given), a, &a_len, EVP_sha256(), NULL) != 1 ||
	    EVP_Digest(wanted, strlen(wanted), b, &b_len, EVP_sha256(), NULL) != 1)
		return false;
	return CRYPTO_memcmp(a, b, a_len) == 0;
}

static bool
web_auth_matches(const struct module *module, const char *credentials)
{
	const char *username = variable_text(module, "http.server.username");
	const char *password = variable_text(module, "http.server.password");
	bool same_name, same_password;
	char *pair, *colon;
	size_t len;

	pair = base64_decode(credentials, strlen(credentials), &len);
	if (pair == NULL)
		return false;
	colon = memchr(pair, ':', len);
	if (colon == NULL || strlen(pair) != len) {
		OPENSSL_cleanse(pair, len);
		free(pair);
		return false;
	}
	*colon = '\0';
	same_name = web_auth_is_same(pair, username);
	same_password = web_auth_is_same(colon + 1, password);
	OPENSSL_cleanse(pair, len);
	free(pair);
	return same_name && same_password;
}

/* A realm is a quoted string: what would end it is left out. */
void
web_auth_challenge(const struct module *module, struct evhttp_request *request)
{
	char value[600] = "Basic realm=\"";
	const char *title = "";
	size_t len = strlen(value);

	if (catalog_variable(module->catalog, AUTH_TITLE, strlen(AUTH_TITLE)) != NULL)
		title = variable_text(module, AUTH_TITLE);
	if (*title == '\0')
		title = module->own->name;
	for (; *title != '\0' && len < sizeof value - 2; title++) {
		if (*title != '"' && *title != '\\')
			value[len++] = *title;
	}
	value[len++] = '"';
	value[len] = '\0';
	evhttp_add_header(
	    evhttp_request_get_output_headers(request), "WWW-Authenticate", value);
}

bool
web_auth_allows(const struct module *module, struct evhttp_request *request)
{
	const char *header;

	if (!web_auth_is_on(module))
		return true;
	header = evhttp_find_header(
	    evhttp_request_get_input_headers(request), "Authorization");
	if (header != NULL && strlen(header) < AUTH_HEADER_MAX &&
	    strncasecmp(header, "Basic ", 6) == 0) {
		header += 6;
		header += strspn(header, " ");
		if (web_auth_matches(module, header))
			return true;
	}
	return false;
}
