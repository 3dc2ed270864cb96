/* The web server's parts that need no connection: what headers ask for, heads. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/web/head.h"
#include "front/web/negotiate.h"

static void
test_accept_encoding(void **state)
{
	static const struct {
		const char *header;
		bool takes;
	} cases[] = { { NULL, false }, { "", false }, { "gzip", true },
		{ "GZIP", true }, { "x-gzip", true }, { "deflate, gzip, br", true },
		{ "deflate", false }, { "gzipped", false }, { "gzip;q=1", true },
		{ "gzip;q=0.001", true }, { "gzip;q=0", false },
		{ "gzip; q=0.000", false }, { "gzip;Q=0.0, *", false },
		{ "*;q=0, gzip", true }, { "*", true }, { "*;q=0", false },
		{ "identity;q=0, *", true }, { "identity", false },
		{ ",, ,gzip", true }, { "br;x=\"a,gzip\"", false } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(web_accepts_gzip(cases[i].header), cases[i].takes);
}

static void
test_entity_tags(void **state)
{
	const char *tag = "\"a-1\"";

	(void)state;
	assert_false(web_tag_is_listed(NULL, tag));
	assert_false(web_tag_is_listed("", tag));
	assert_true(web_tag_is_listed("*", tag));
	assert_true(web_tag_is_listed("\"a-1\"", tag));
	assert_true(web_tag_is_listed("W/\"a-1\"", tag));
	assert_true(web_tag_is_listed("\"x,y\" , \"a-1\"", tag));
	assert_false(web_tag_is_listed("a-1", tag));
	assert_false(web_tag_is_listed("\"a-11\"", tag));
	assert_false(web_tag_is_listed("\"x,\"a-1\"\"", tag));
	assert_false(web_tag_is_listed("\"x, ", tag));
}

static void
test_if_range(void **state)
{
	uint64_t first, last;

	(void)state;
	assert_int_equal(
	    web_range_parse("bytes=1-2", "\"a\"", "\"a\"", 9, &first, &last),
	    WEB_RANGE_PART);
	assert_int_equal(first, 1);
	assert_int_equal(last, 2);
	assert_int_equal(
	    web_range_parse("bytes=1-2", "\"b\"", "\"a\"", 9, &first, &last),
	    WEB_RANGE_WHOLE);
	assert_int_equal(
	    web_range_parse("bytes=1-2", "W/\"a\"", "\"a\"", 9, &first, &last),
	    WEB_RANGE_WHOLE);
	assert_int_equal(web_range_parse("bytes=1-2", "Sun, 22 Nov 2026 00:00:00 GMT",
			     "\"a\"", 9, &first, &last),
	    WEB_RANGE_WHOLE);
	assert_int_equal(
	    web_range_parse(NULL, NULL, "\"a\"", 9, &first, &last), WEB_RANGE_WHOLE);
	assert_int_equal(web_range_parse("bytes=0-", NULL, "\"a\"", 0, &first, &last),
	    WEB_RANGE_OUTSIDE);
	assert_int_equal(web_range_parse("bytes=-1", NULL, "\"a\"", 0, &first, &last),
	    WEB_RANGE_OUTSIDE);
}

static void
test_content_types(void **state)
{
	(void)state;
	assert_string_equal(web_content_type("webapp/index.html"), "text/html");
	assert_string_equal(web_content_type("A.JS"), "application/javascript");
	assert_string_equal(web_content_type("a.b.csv"), "text/plain");
	assert_string_equal(web_content_type("favicon.ico"), "image/x-icon");
	assert_string_equal(web_content_type("a.css.gz"), "application/gzip");
	assert_string_equal(web_content_type("none"), "application/octet-stream");
	assert_string_equal(web_content_type("a."), "application/octet-stream");
	assert_string_equal(
	    web_content_type("a.html.other"), "application/octet-stream");
	assert_string_equal(web_content_type(""), "application/octet-stream");
}

static void
test_framing(void **state)
{
	static const char plain[] = "GET / HTTP/1.1\r\n\r\n",
			  counted[] =
			      "POST /x HTTP/1.0\r\nA: b\r\nContent-Length: 012\r\n\r\n",
			  chunked[] =
			      "HEAD / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n",
			  upgrade[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
			  both[] = "GET / HTTP/1.1\r\nUpgrade: websocket\r\n"
				   "Content-Length: 1\r\n\r\n",
			  huge[] = "POST / HTTP/1.1\r\nContent-Length: "
				   "10000000000000000000000\r\n\r\n";
	struct web_framing framing;

	(void)state;
	assert_null(web_head_check(plain, sizeof plain - 1, &framing));
	assert_false(framing.chunked || framing.upgrade || framing.skip);
	assert_int_equal(framing.length, 0);
	assert_null(web_head_check(counted, sizeof counted - 1, &framing));
	assert_int_equal(framing.length, 12);
	assert_null(web_head_check(chunked, sizeof chunked - 1, &framing));
	assert_true(framing.chunked && framing.skip);
	assert_null(web_head_check(upgrade, sizeof upgrade - 1, &framing));
	assert_true(framing.upgrade);
	assert_null(web_head_check(both, sizeof both - 1, &framing));
	assert_false(framing.upgrade);
	assert_null(web_head_check(huge, sizeof huge - 1, &framing));
	assert_true(framing.length == INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept_encoding),
		cmocka_unit_test(test_entity_tags),
		cmocka_unit_test(test_if_range),
		cmocka_unit_test(test_content_types),
		cmocka_unit_test(test_framing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
