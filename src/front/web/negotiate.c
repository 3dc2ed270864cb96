#include "front/web/negotiate.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define RANGE_DIGITS_MAX 18 /* of a position; fits into 64 bits */
#define BLANKS " \t"

/* The next item of a list with commas, without the blanks around it; NULL after the
 * last. Moves *list behind it. */
static const char *
web_list_next(const char **list, size_t *len)
{
	const char *item = *list + strspn(*list, BLANKS ",");
	size_t n = 0;
	bool is_quoted = false;

	if (*item == '\0')
		return NULL;
	for (; item[n] != '\0' && (is_quoted || item[n] != ','); n++) {
		if (item[n] == '"')
			is_quoted = !is_quoted;
	}
	*list = item + n;
	while (n > 0 && strchr(BLANKS, item[n - 1]) != NULL)
		n--;
	*len = n;
	return item;
}

/* Whether an item ends in a weight of zero: "gzip;q=0.0". */
static bool
web_weight_is_zero(const char *item, size_t len)
{
	const char *at = memchr(item, ';', len), *end = item + len;

	if (at == NULL)
		return false;
	at++;
	while (at < end && strchr(BLANKS, *at) != NULL)
		at++;
	if (end - at < 3 || (*at != 'q' && *at != 'Q') || at[1] != '=' || at[2] != '0')
		return false;
	for (at += 3; at < end; at++) {
		if (*at != '0' && *at != '.')
			return false;
	}
	return true;
}

bool
web_accepts_gzip(const char *accept_encoding)
{
	const char *list = accept_encoding, *item;
	bool takes_any = false;
	size_t len;

	if (list == NULL)
		return false;
	while ((item = web_list_next(&list, &len)) != NULL) {
		size_t name = 0;

		while (name < len && strchr(";" BLANKS, item[name]) == NULL)
			name++;
		if ((name == 4 && strncasecmp(item, "gzip", 4) == 0) ||
		    (name == 6 && strncasecmp(item, "x-gzip", 6) == 0))
			return !web_weight_is_zero(item, len);
		if (name == 1 && *item == '*')
			takes_any = !web_weight_is_zero(item, len);
	}
	return takes_any;
}

bool
web_tag_is_listed(const char *if_none_match, const char *tag)
{
	const char *list = if_none_match, *item;
	size_t len;

	if (list == NULL)
		return false;
	while ((item = web_list_next(&list, &len)) != NULL) {
		if (len == 1 && *item == '*')
			return true;
		if (len > 2 && strncmp(item, "W/", 2) == 0) {
			item += 2;
			len -= 2;
		}
		if (len == strlen(tag) && memcmp(item, tag, len) == 0)
			return true;
	}
	return false;
}

/* Reads a position; one that is larger than any file counts as the largest. The text
 * behind it, or NULL when there is none. */
static const char *
web_range_position(const char *text, uint64_t *position)
{
	size_t digits = strspn(text, "0123456789"), zeros = strspn(text, "0");

	if (digits == 0)
		return NULL;
	*position = 0;
	if (digits - zeros > RANGE_DIGITS_MAX) {
		*position = INT64_MAX;
		return text + digits;
	}
	for (size_t i = 0; i < digits; i++)
		*position = *position * 10 + (uint64_t)(text[i] - '0');
	return text + digits;
}

/* "first-last", "first-" or "-count", and nothing behind it; -1: none of these. */
static int
web_range_spec(
    const char *text, bool *is_suffix, bool *has_last, uint64_t *from, uint64_t *last)
{
	*is_suffix = *text == '-';
	*has_last = false;
	if (*is_suffix) {
		text = web_range_position(text + 1, from);
	} else {
		text = web_range_position(text, from);
		if (text == NULL || *text++ != '-')
			return -1;
		if (*text >= '0' && *text <= '9') {
			*has_last = true;
			text = web_range_position(text, last);
		}
	}
	if (text == NULL || text[strspn(text, BLANKS)] != '\0')
		return -1;
	return *has_last && *last < *from ? -1 : 0;
}

enum web_range
web_range_parse(const char *range, const char *if_range, const char *tag, uint64_t size,
    uint64_t *first, uint64_t *last)
{
	bool is_suffix, has_last;
	uint64_t from, to = 0;

	if (range == NULL || strncasecmp(range, "bytes=", 6) != 0 ||
	    (if_range != NULL && strcmp(if_range, tag) != 0))
		return WEB_RANGE_WHOLE;
	range += 6;
	range += strspn(range, BLANKS);
	if (web_range_spec(range, &is_suffix, &has_last, &from, &to) == -1)
		return WEB_RANGE_WHOLE;
	if (size == 0 || (is_suffix ? from == 0 : from >= size))
		return WEB_RANGE_OUTSIDE;
	if (is_suffix)
		from = from < size ? size - from : 0;
	*first = from;
	*last = has_last && to < size ? to : size - 1;
	return WEB_RANGE_PART;
}

/* Reference: network notes, 1.9, for those that the module's web apps use. Chosen: the
 * others, as a web app may come with them too. */
static const struct {
	const char *extension, *type;
} web_types[] = {
	{ "css", "text/css" },
	{ "csv", "text/plain" },
	{ "gif", "image/gif" },
	{ "gz", "application/gzip" },
	{ "htm", "text/html" },
	{ "html", "text/html" },
	{ "ico", "image/x-icon" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "application/javascript" },
	{ "json", "application/json" },
	{ "mjs", "application/javascript" },
	{ "pdf", "application/pdf" },
	{ "png", "image/png" },
	{ "svg", "image/svg+xml" },
	{ "ttf", "font/ttf" },
	{ "txt", "text/plain" },
	{ "wasm", "application/wasm" },
	{ "webp", "image/webp" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "xml", "text/xml" },
};

const char *
web_content_type(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot != NULL && i < sizeof web_types / sizeof web_types[0];
	     i++) {
		if (strcasecmp(dot + 1, web_types[i].extension) == 0)
			return web_types[i].type;
	}
	return "application/octet-stream";
}
