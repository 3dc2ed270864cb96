#include "front/web/head.h"

#include <string.h>
#include <strings.h>

#define HEAD_LENGTH_DIGITS_MAX 18 /* of Content-Length; fits into 64 bits */
#define BLANKS " \t"
#define DIGITS "0123456789"

static const struct web_refusal head_bad_line = { 400,
	"the request line must be METHOD TARGET HTTP/1.1, one blank between" };
static const struct web_refusal head_bad_target = { 400,
	"the target of the request must begin with / or http://" };
static const struct web_refusal head_bad_method = { 501, "unknown method" };
static const struct web_refusal head_bad_version = { 505, "HTTP/1.0 or HTTP/1.1" };
static const struct web_refusal head_folded = { 400, "a header is continued" };
static const struct web_refusal head_bad_name = { 400, "a header has a bad name" };
static const struct web_refusal head_bad_length = { 400, "bad Content-Length" };
static const struct web_refusal head_two_lengths = { 400,
	"Content-Length is given twice" };
static const struct web_refusal head_both = { 400,
	"Content-Length and Transfer-Encoding exclude each other" };
static const struct web_refusal head_bad_coding = { 400,
	"Transfer-Encoding must be chunked, once, and not with HTTP/1.0" };
static const struct web_refusal head_two_hosts = { 400, "Host is given twice" };

/* Those that evhttp knows. */
static const struct head_method {
	const char *name;
	bool skip; /* evhttp takes no body with it */
} head_methods[] = {
	{ "GET", false },
	{ "POST", false },
	{ "HEAD", true },
	{ "PUT", false },
	{ "DELETE", false },
	{ "OPTIONS", false },
	{ "TRACE", true },
	{ "PATCH", false },
};

/* What the lines so far say. */
struct head {
	struct web_framing *framing;
	bool is_1_0, has_length, has_coding, has_host;
};

/* RFC 9110, 5.6.2. */
static bool
head_is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i], lower = byte | 0x20;

		/* What names are made of, mostly. */
		if ((lower >= 'a' && lower <= 'z') || byte == '-')
			continue;
		if (byte <= 0x20 || byte >= 0x7F ||
		    strchr("\"(),/:;<=>?@[\\]{}", byte) != NULL)
			return false;
	}
	return len > 0;
}

static bool
head_is(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

static const struct head_method *
head_method_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof head_methods / sizeof head_methods[0]; i++) {
		if (strlen(head_methods[i].name) == len &&
		    memcmp(name, head_methods[i].name, len) == 0)
			return &head_methods[i];
	}
	return NULL;
}

static bool
head_is_target(const char *target, size_t len, bool is_options)
{
	if (is_options && len == 1 && *target == '*')
		return true;
	return *target == '/' || (len > 7 && strncasecmp(target, "http://", 7) == 0) ||
	       (len > 8 && strncasecmp(target, "https://", 8) == 0);
}

static const struct web_refusal *
head_check_request_line(struct head *head, const char *line, size_t len)
{
	const char *target = memchr(line, ' ', len), *version;
	const struct head_method *method;
	size_t target_len;

	if (target == NULL)
		return &head_bad_line;
	target++;
	version = memchr(target, ' ', (size_t)(line + len - target));
	if (version == NULL || version == target ||
	    !head_is_token(line, (size_t)(target - line - 1)))
		return &head_bad_line;
	target_len = (size_t)(version - target);
	version++;
	len -= (size_t)(version - line);
	if (memchr(target, '\t', target_len) != NULL || len != 8 ||
	    strncmp(version, "HTTP/", 5) != 0 || strspn(version + 5, DIGITS) != 1 ||
	    version[6] != '.' || strspn(version + 7, DIGITS) != 1)
		return &head_bad_line;
	if (version[5] != '1')
		return &head_bad_version;
	head->is_1_0 = version[7] == '0';
	method = head_method_find(line, (size_t)(target - line - 1));
	if (method == NULL)
		return &head_bad_method;
	head->framing->skip = method->skip;
	if (!head_is_target(target, target_len, strcmp(method->name, "OPTIONS") == 0))
		return &head_bad_target;
	return NULL;
}

static const struct web_refusal *
head_take_length(struct head *head, const char *value, size_t len)
{
	if (head->has_length)
		return &head_two_lengths;
	head->has_length = true;
	if (len == 0)
		return &head_bad_length;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return &head_bad_length;
	}
	while (len > 1 && *value == '0') {
		value++;
		len--;
	}
	if (len > HEAD_LENGTH_DIGITS_MAX) {
		head->framing->length = INT64_MAX;
		return NULL;
	}
	for (size_t i = 0; i < len; i++)
		head->framing->length =
		    head->framing->length * 10 + (uint64_t)(value[i] - '0');
	return NULL;
}

static const struct web_refusal *
head_check_field(struct head *head, const char *line, size_t len)
{
	const char *colon, *value;
	size_t name_len;

	if (strchr(BLANKS, *line) != NULL)
		return &head_folded;
	colon = memchr(line, ':', len);
	if (colon == NULL || !head_is_token(line, (size_t)(colon - line)))
		return &head_bad_name;
	name_len = (size_t)(colon - line);
	value = colon + 1;
	len -= name_len + 1;
	while (len > 0 && strchr(BLANKS, *value) != NULL) {
		value++;
		len--;
	}
	while (len > 0 && strchr(BLANKS, value[len - 1]) != NULL)
		len--;
	if (head_is(line, name_len, "Content-Length"))
		return head_take_length(head, value, len);
	if (head_is(line, name_len, "Transfer-Encoding")) {
		if (head->has_coding || !head_is(value, len, "chunked"))
			return &head_bad_coding;
		head->has_coding = true;
	} else if (head_is(line, name_len, "Host")) {
		if (head->has_host)
			return &head_two_hosts;
		head->has_host = true;
	} else if (head_is(line, name_len, "Upgrade")) {
		head->framing->upgrade = true;
	}
	return NULL;
}

/* Chosen: a request without Host is served, as small clients leave it out. */
const struct web_refusal *
web_head_check(const char *head, size_t len, struct web_framing *framing)
{
	struct head self = { .framing = framing };
	const struct web_refusal *refusal;
	bool is_first = true;

	memset(framing, 0, sizeof *framing);
	for (const char *end = head + len; head + 2 < end;) {
		const char *cr = memchr(head, '\r', (size_t)(end - head));
		size_t line_len = (size_t)(cr - head);

		refusal = is_first ? head_check_request_line(&self, head, line_len)
				   : head_check_field(&self, head, line_len);
		if (refusal != NULL)
			return refusal;
		is_first = false;
		head = cr + 2;
	}
	if (self.has_coding && self.has_length)
		return &head_both;
	if (self.has_coding && self.is_1_0)
		return &head_bad_coding;
	framing->chunked = self.has_coding;
	/* Such a body would go through unseen, and take all the time it wants. RFC
	 * 9110, 7.8: who asks for another protocol may be ignored. */
	if (framing->chunked || framing->length > 0)
		framing->upgrade = false;
	return NULL;
}
