#ifndef FRONT_WEB_WHITELIST_H
#define FRONT_WEB_WHITELIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flash;

/* The REST calls that need no login: http_whitelist.csv on the module. Reference:
 * network notes, 1.10. */

#define WEB_WHITELIST_NAME "http_whitelist.csv"
#define WEB_WHITELIST_MAX 16384 /* bytes of the file; a larger one opens nothing */
#define WEB_WHITELIST_ENTRIES_MAX 256 /* further ones are left out */

struct web_whitelist { /* zeroed: nothing read yet */
	char *text; /* owned; the file, decoded */
	struct web_whitelist_entry *entries; /* owned; they point into text */
	size_t count;
	uint32_t changes; /* of the flash when it was read */
	bool is_read;
};

/* Whether there is anything on it; reads the file when the flash has changed. The area
 * is that of log lines. */
bool web_whitelist_update(
    struct web_whitelist *, const struct flash *, const char *area);

/* Whether an entry has that text, or begins it and ends in "*". */
bool web_whitelist_has(const struct web_whitelist *, const char *text, size_t len);

void web_whitelist_clear(struct web_whitelist *);

#endif
