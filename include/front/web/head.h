#ifndef FRONT_WEB_HEAD_H
#define FRONT_WEB_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The head of a request, looked at as bytes before evhttp parses it: what evhttp would
 * read in one way and a proxy in front of it in another is refused. */

/* What follows a head that is right. */
struct web_framing {
	uint64_t length; /* bytes of a body that is not chunked */
	bool chunked;
	bool upgrade; /* the connection may turn to another protocol; not with a body */
	bool skip; /* evhttp takes no body with this method: HEAD, TRACE */
};

/* Why a request is not served: a status, and a line of static text for its sender. */
struct web_refusal {
	int status;
	const char *text;
};

/* Whether a byte may stand in a head at all: no control byte but a tab. Line ends are
 * not asked about. */
static inline bool
web_head_takes(unsigned char byte)
{
	return (byte >= 0x20 && byte != 0x7F) || byte == '\t';
}

/* Checks a whole head, from the request line to the empty line, whose lines end in CRLF
 * and whose bytes may stand there (RFC 9112, 3, 5 and 6). NULL, or the refusal. */
const struct web_refusal *web_head_check(
    const char *head, size_t len, struct web_framing *);

#endif
