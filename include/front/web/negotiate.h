#ifndef FRONT_WEB_NEGOTIATE_H
#define FRONT_WEB_NEGOTIATE_H

#include <stdbool.h>
#include <stdint.h>

/* What a client wants of a file: the headers of RFC 9110 that choose a form of it, a
 * part of it, or nothing. All of them take NULL for a header that is not there. */

/* Whether Accept-Encoding takes gzip (RFC 9110, 12.5.3). Chosen: one that is not there
 * does not, as a client that can decode says so. */
bool web_accepts_gzip(const char *accept_encoding);

/* Whether If-None-Match has the entity tag, which is a strong one with its quotes, or
 * is "*" (RFC 9110, 13.1.2). */
bool web_tag_is_listed(const char *if_none_match, const char *tag);

enum web_range {
	WEB_RANGE_WHOLE, /* none is asked for, or nothing that is served: all of it */
	WEB_RANGE_PART, /* from first to last */
	WEB_RANGE_OUTSIDE /* none of it exists: 416 */
};

/* Reads Range (RFC 9110, 14.2) for size bytes; several ranges are not served. if_range
 * is the header If-Range (13.1.5), tag the entity tag of what there is. */
enum web_range web_range_parse(const char *range, const char *if_range, const char *tag,
    uint64_t size, uint64_t *first, uint64_t *last);

/* The media type for a file of that name, by what stands behind the last dot. */
const char *web_content_type(const char *name);

#endif
