#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/number.h"
#include "base/xmalloc.h"
#include "store/flash_state.h"

#define FLASH_FORMAT 1
#define FLASH_INDEX_MAX (256u * 1024) /* bytes; a larger index is damaged */

bool
flash_is_name(const char *text)
{
	size_t len = strnlen(text, FLASH_NAME_MAX + 1);

	if (len == 0 || len > FLASH_NAME_MAX)
		return false;
	/* Chosen: no control bytes, which would break the lines of ls. */
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return false;
	}
	return true;
}

int
flash_parse_version(const char *text, char version[FLASH_VERSION_SIZE])
{
	unsigned parts[4] = { 0, 0, 0, 0 };

	for (size_t i = 0;; i++) {
		size_t len = strspn(text, "0123456789");
		int64_t part;

		if (i == 4 || number_parse(text, len, 0, UINT16_MAX, &part) == -1)
			return -1;
		parts[i] = (unsigned)part;
		text += len;
		if (*text == '\0')
			break;
		if (*text++ != '.')
			return -1;
	}
	snprintf(version, FLASH_VERSION_SIZE, "%u.%u.%u.%u", parts[0] & UINT16_MAX,
	    parts[1] & UINT16_MAX, parts[2] & UINT16_MAX, parts[3] & UINT16_MAX);
	return 0;
}

/* Names are bytes; JSON is UTF-8. */
static json_t *
flash_encode_name(const char *name)
{
	json_t *json = json_string(name);
	char *text;

	if (json != NULL)
		return json;
	text = base64_encode(name, strlen(name));
	json = json_pack("{s:s}", "base64", text);
	free(text);
	return json;
}

static int
flash_decode_name(const json_t *json, char name[FLASH_NAME_MAX + 1])
{
	const char *text = json_string_value(json);
	size_t len = json_string_length(json);
	char *bytes = NULL;
	int result = -1;

	if (text == NULL) {
		text = json_string_value(json_object_get(json, "base64"));
		if (text != NULL)
			bytes = base64_decode(text, strlen(text), &len);
		text = bytes;
	}
	if (text != NULL && strlen(text) == len && flash_is_name(text)) {
		memcpy(name, text, len + 1);
		result = 0;
	}
	free(bytes);
	return result;
}

static int
flash_decode_number(
    const json_t *entry, const char *key, json_int_t min, json_int_t max, uint32_t *out)
{
	const json_t *number = json_object_get(entry, key);

	if (!json_is_integer(number) || json_integer_value(number) < min ||
	    json_integer_value(number) > max)
		return -1;
	*out = (uint32_t)json_integer_value(number);
	return 0;
}

/* Adds one entry of an index. -1 when it is none of ours. */
static int
flash_decode_file(struct flash_table *table, const json_t *entry)
{
	const char *version = json_string_value(json_object_get(entry, "version"));
	struct flash_file file = { .size = 0 };
	uint32_t type, flags, crc;

	if (flash_decode_name(json_object_get(entry, "name"), file.name) == -1 ||
	    version == NULL || flash_parse_version(version, file.version) == -1 ||
	    flash_decode_number(entry, "type", 0, UINT8_MAX, &type) == -1 ||
	    flash_decode_number(entry, "flags", 0, UINT16_MAX, &flags) == -1 ||
	    flash_decode_number(entry, "crc", 0, UINT16_MAX, &crc) == -1 ||
	    flash_decode_number(entry, "size", 0, INT32_MAX, &file.size) == -1 ||
	    flash_decode_number(entry, "sector", 0, INT32_MAX, &file.sector) == -1 ||
	    flash_decode_number(entry, "content", 1, INT32_MAX, &file.content) == -1)
		return -1;
	if (flash_table_find(table, file.name) != NULL)
		return -1;
	for (size_t i = 0; i < table->count; i++) {
		if (table->files[i].content == file.content)
			return -1;
	}
	file.type = (uint8_t)type;
	file.flags = (uint16_t)flags;
	file.crc = (uint16_t)crc;
	flash_table_add(table, &file);
	return 0;
}

static int
flash_index_parse(const char *text, size_t len, struct flash_table *table, char *reason,
    size_t reason_size)
{
	json_t *root, *files, *entry;
	json_error_t error;
	int result = -1;
	size_t i;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		snprintf(reason, reason_size, "line %d: %s", error.line, error.text);
		return -1;
	}
	files = json_object_get(root, "files");
	if (json_integer_value(json_object_get(root, "format")) != FLASH_FORMAT ||
	    !json_is_array(files)) {
		snprintf(
		    reason, reason_size, "not an index of format %d", FLASH_FORMAT);
		goto out;
	}
	json_array_foreach (files, i, entry) {
		if (flash_decode_file(table, entry) == -1) {
			snprintf(reason, reason_size, "bad entry %zu", i);
			flash_table_clear(table);
			goto out;
		}
	}
	result = 0;

out:
	json_decref(root);
	return result;
}

int
flash_index_read(
    const char *path, struct flash_table *table, char *reason, size_t reason_size)
{
	int result = -1;
	size_t len;
	char *text = file_read(path, FLASH_INDEX_MAX, &len);

	if (text == NULL) {
		if (errno == ENOENT)
			return 0;
		if (errno == EFBIG || errno == EINVAL || errno == ENOTDIR) {
			snprintf(reason, reason_size, "%s", strerror(errno));
			errno = EBADMSG;
		}
		return -1;
	}
	result = flash_index_parse(text, len, table, reason, reason_size);
	free(text);
	if (result == -1)
		errno = EBADMSG;
	return result;
}

int
flash_index_write(const char *path, const struct flash_table *table)
{
	json_t *files = json_array(), *root;
	int result = -1;
	char *text;

	for (size_t i = 0; i < table->count; i++) {
		const struct flash_file *file = &table->files[i];

		json_array_append_new(
		    files, json_pack("{s:o, s:s, s:i, s:i, s:i, s:i, s:i, s:i}", "name",
			       flash_encode_name(file->name), "version", file->version,
			       "type", (int)file->type, "flags", (int)file->flags,
			       "size", (int)file->size, "crc", (int)file->crc, "sector",
			       (int)file->sector, "content", (int)file->content));
	}
	root = json_pack("{s:i, s:o}", "format", FLASH_FORMAT, "files", files);
	text = json_dumps(root, JSON_INDENT(2));
	if (text == NULL) {
		errno = ENOMEM;
	} else if (strlen(text) > FLASH_INDEX_MAX) {
		errno = EFBIG;
	} else {
		result = file_replace(path, text, strlen(text), 0600, true);
	}
	free(text);
	json_decref(root);
	return result;
}
