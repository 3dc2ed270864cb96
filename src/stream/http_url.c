#include "stream/http_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/number.h"
#include "base/xmalloc.h"

static const char http_url_bad[] = "not a URL";
static const char http_url_other[] = "only http and https URLs are taken";

/* A part as text, owned by the caller; "" when the URL lacks it. */
static char *
http_url_part(CURLU *handle, CURLUPart part, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(handle, part, &text, flags) != CURLUE_OK)
		return xstrdup("");
	copy = xstrdup(text);
	curl_free(text);
	return copy;
}

/* The last part of the path, decoded. Cut first: an encoded slash belongs to it. */
static char *
http_url_file(CURLU *handle)
{
	char *path = http_url_part(handle, CURLUPART_PATH, 0);
	const char *slash = strrchr(path, '/');
	int len = 0;
	char *decoded =
	    curl_easy_unescape(NULL, slash == NULL ? path : slash + 1, 0, &len);
	char *file;

	/* With a NUL in it, it is nobody's name. */
	file = decoded == NULL || strlen(decoded) != (size_t)len ? xstrdup("")
								 : xstrdup(decoded);
	curl_free(decoded);
	free(path);
	return file;
}

static char *
http_url_target(CURLU *handle)
{
	char *path = http_url_part(handle, CURLUPART_PATH, 0),
	     *query = http_url_part(handle, CURLUPART_QUERY, 0), *target;

	target = xasprintf("%s%s%s", path, *query == '\0' ? "" : "?", query);
	free(path);
	free(query);
	return target;
}

/* Takes the parts out of a handle that holds a whole URL, and frees it. */
static int
http_url_take(struct http_url *url, CURLU *handle, const char **error)
{
	char *scheme = http_url_part(handle, CURLUPART_SCHEME, 0),
	     *port = http_url_part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT),
	     *given_port = http_url_part(handle, CURLUPART_PORT, 0);
	int64_t number = 0;

	*error = NULL;
	if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
		*error = http_url_other;
	else if (number_parse(port, strlen(port), 1, UINT16_MAX, &number) == -1)
		*error = http_url_bad;
	if (*error == NULL) {
		url->is_tls = strcmp(scheme, "https") == 0;
		url->port = (uint16_t)number;
		url->text = http_url_part(handle, CURLUPART_URL, 0);
		url->host = http_url_part(handle, CURLUPART_HOST, 0);
		url->authority = xasprintf(
		    "%s%s%s", url->host, *given_port == '\0' ? "" : ":", given_port);
		url->target = http_url_target(handle);
		url->file = http_url_file(handle);
		url->shown =
		    xasprintf("%s://%s%s", scheme, url->authority, url->target);
	}
	free(scheme);
	free(port);
	free(given_port);
	curl_url_cleanup(handle);
	return *error == NULL ? 0 : -1;
}

static int
http_url_refuse(CURLU *handle, CURLUcode code, const char **error)
{
	*error = code == CURLUE_UNSUPPORTED_SCHEME ? http_url_other : http_url_bad;
	curl_url_cleanup(handle);
	return -1;
}

/* Whether it begins with "scheme://"; one may stand in a query, too. */
static bool
http_url_has_scheme(const char *text)
{
	size_t len = strcspn(text, "/?#");

	return len > 0 && strncmp(text + len - 1, "://", 3) == 0;
}

int
http_url_parse(struct http_url *url, const char *text, const char **error)
{
	CURLU *handle;
	CURLUcode code;
	char *whole;

	*error = http_url_bad;
	if (strlen(text) > HTTP_URL_MAX)
		return -1;
	handle = xcheck(curl_url());
	whole =
	    http_url_has_scheme(text) ? xstrdup(text) : xasprintf("http://%s", text);
	code = curl_url_set(
	    handle, CURLUPART_URL, whole, CURLU_URLENCODE | CURLU_PATH_AS_IS);
	free(whole);
	if (code != CURLUE_OK)
		return http_url_refuse(handle, code, error);
	return http_url_take(url, handle, error);
}

int
http_url_follow(struct http_url *url, const struct http_url *from, const char *location,
    const char **error)
{
	CURLU *handle;
	CURLUcode code;

	*error = http_url_bad;
	if (strlen(location) > HTTP_URL_MAX)
		return -1;
	handle = xcheck(curl_url());
	code = curl_url_set(handle, CURLUPART_URL, from->text, 0);
	if (code == CURLUE_OK)
		code = curl_url_set(handle, CURLUPART_URL, location, CURLU_URLENCODE);
	if (code != CURLUE_OK)
		return http_url_refuse(handle, code, error);
	if (http_url_take(url, handle, error) == -1)
		return -1;
	if (strlen(url->text) <= HTTP_URL_MAX && (url->is_tls || !from->is_tls))
		return 0;
	*error = url->is_tls || !from->is_tls ? http_url_bad : "from https to http";
	http_url_clear(url);
	return -1;
}

bool
http_url_same_server(const struct http_url *a, const struct http_url *b)
{
	return a->is_tls == b->is_tls && a->port == b->port &&
	       strcasecmp(a->host, b->host) == 0;
}

void
http_url_clear(struct http_url *url)
{
	free(url->text);
	free(url->shown);
	free(url->authority);
	free(url->host);
	free(url->target);
	free(url->file);
	*url = (struct http_url){ .text = NULL };
}
