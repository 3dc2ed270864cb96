/* The certificate that a module makes for itself. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "base/file.h"
#include "base/xmalloc.h"
#include "core/tls_own.h"
#include "module_fixture.h"

static int
use(const struct module *module)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	int result = tls_own_use(module, context);

	SSL_CTX_free(context);
	return result;
}

static char *
certificate(const struct module *module)
{
	char *path = xasprintf("%s/tls/server.crt", module->directory);
	size_t len;
	char *text = file_read(path, 65536, &len);

	free(path);
	return text;
}

/* What cannot be read just now is not bad. */
static void
test_without_descriptors(void **state)
{
	struct fixture fixture;
	struct rlimit limit, none;
	char *before, *after;

	(void)state;
	fixture_open(&fixture, NULL);
	assert_int_equal(use(fixture.module), 0);
	before = certificate(fixture.module);
	assert_non_null(before);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(use(fixture.module), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(use(fixture.module), 0);
	after = certificate(fixture.module);
	assert_non_null(after);
	assert_string_equal(before, after);
	free(before);
	free(after);
	fixture_close(&fixture);
}

/* One without its key is of no use, and makes room for another. */
static void
test_without_key(void **state)
{
	struct fixture fixture;
	char *before, *after, *key;

	(void)state;
	fixture_open(&fixture, NULL);
	assert_int_equal(use(fixture.module), 0);
	before = certificate(fixture.module);
	key = xasprintf("%s/tls/server.key", fixture.module->directory);
	assert_int_equal(unlink(key), 0);
	assert_int_equal(use(fixture.module), 0);
	after = certificate(fixture.module);
	assert_string_not_equal(before, after);
	free(key);
	free(before);
	free(after);
	fixture_close(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_descriptors),
		cmocka_unit_test(test_without_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
