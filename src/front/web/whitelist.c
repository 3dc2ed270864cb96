#include "front/web/whitelist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/http.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "store/flash.h"

struct web_whitelist_entry {
	const char *text;
	size_t len;
	bool is_start; /* what follows does not matter */
};

void
web_whitelist_clear(struct web_whitelist *list)
{
	free(list->entries);
	free(list->text);
	memset(list, 0, sizeof *list);
}

static bool
web_whitelist_is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '"';
}

static bool
web_whitelist_is_separator(char byte)
{
	return byte == ',' || byte == '\r' || byte == '\n';
}

/* Chosen: blanks around an entry, and quotes as spreadsheets put them, are not part of
 * it; its escapes are decoded, as those of a request are. */
static void
web_whitelist_add(struct web_whitelist *list, char *text, size_t len)
{
	struct web_whitelist_entry *entry = &list->entries[list->count];
	char *decoded;

	while (len > 0 && web_whitelist_is_blank(*text)) {
		text++;
		len--;
	}
	while (len > 0 && web_whitelist_is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
	entry->is_start = len > 0 && text[len - 1] == '*';
	if (entry->is_start)
		text[--len] = '\0';
	if (strlen(text) != len || (len == 0 && !entry->is_start))
		return;
	decoded = xcheck(evhttp_uridecode(text, 0, &len));
	memcpy(text, decoded, len);
	free(decoded);
	entry->text = text;
	entry->len = len;
	list->count++;
}

static void
web_whitelist_parse(struct web_whitelist *list, char *text, size_t len)
{
	char *end = text + len;

	list->text = text;
	list->entries = xcalloc(WEB_WHITELIST_ENTRIES_MAX, sizeof *list->entries);
	while (text < end && list->count < WEB_WHITELIST_ENTRIES_MAX) {
		size_t n = 0;

		while (text + n < end && !web_whitelist_is_separator(text[n]))
			n++;
		web_whitelist_add(list, text, n);
		text += n + 1;
	}
}

bool
web_whitelist_update(
    struct web_whitelist *list, const struct flash *flash, const char *area)
{
	size_t len;
	char *text;

	if (list->is_read && list->changes == flash_changes(flash))
		return list->count > 0;
	web_whitelist_clear(list);
	list->is_read = true;
	list->changes = flash_changes(flash);
	text = flash_read(flash, WEB_WHITELIST_NAME, WEB_WHITELIST_MAX, &len);
	if (text != NULL)
		web_whitelist_parse(list, text, len);
	else if (errno != ENOENT)
		log_msg(LOG_WARNING, area, "%s opens nothing: %s", WEB_WHITELIST_NAME,
		    strerror(errno));
	return list->count > 0;
}

bool
web_whitelist_has(const struct web_whitelist *list, const char *text, size_t len)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct web_whitelist_entry *entry = &list->entries[i];

		if ((entry->is_start ? len >= entry->len : len == entry->len) &&
		    memcmp(text, entry->text, entry->len) == 0)
			return true;
	}
	return false;
}
