#include "store/nvm.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xmalloc.h"

#define NVM_FORMAT 1

/* The committed values stay shared with the current ones until a change. */
struct nvm {
	char *path; /* owned */
	json_t *values; /* owned: key to json string, bytes over 0x7F as they are */
	json_t *committed; /* owned */
	bool damaged;
};

/* Strings in memory hold the bytes themselves, whether they are UTF-8 or not; only the
 * file needs a form for those that are not. */
static json_t *
nvm_string(const char *text)
{
	return xcheck(json_string_nocheck(text));
}

static json_t *
nvm_encode(const json_t *value)
{
	json_t *checked =
	    json_stringn(json_string_value(value), json_string_length(value));
	char *text;

	if (checked != NULL)
		return checked;
	text = base64_encode(json_string_value(value), json_string_length(value));
	checked = json_pack("{s:s}", "base64", text);
	free(text);
	return checked;
}

/* The value behind its form in the file, or NULL when that is none of ours. */
static json_t *
nvm_decode(const json_t *stored)
{
	const char *encoded;
	json_t *value;
	size_t len;
	char *text;

	if (json_is_string(stored))
		return json_string_length(stored) <= NVM_VALUE_MAX
			   ? nvm_string(json_string_value(stored))
			   : NULL;
	encoded = json_string_value(json_object_get(stored, "base64"));
	if (encoded == NULL)
		return NULL;
	text = base64_decode(encoded, strlen(encoded), &len);
	if (text == NULL)
		return NULL;
	value = len <= NVM_VALUE_MAX && memchr(text, '\0', len) == NULL
		    ? nvm_string(text)
		    : NULL;
	free(text);
	return value;
}

/* The values in the text of a file, or NULL and the reason. */
static json_t *
nvm_parse(const char *text, size_t len, char *reason, size_t reason_size)
{
	json_t *values = json_object(), *root, *variables;
	const char *key;
	json_t *stored;
	json_error_t error;

	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		snprintf(reason, reason_size, "line %d: %s", error.line, error.text);
		goto fail;
	}
	variables = json_object_get(root, "values");
	if (json_integer_value(json_object_get(root, "format")) != NVM_FORMAT ||
	    !json_is_object(variables)) {
		snprintf(reason, reason_size, "not a file of format %d", NVM_FORMAT);
		goto fail;
	}
	json_object_foreach (variables, key, stored) {
		json_t *value = nvm_decode(stored);

		if (value == NULL) {
			snprintf(reason, reason_size, "bad value of %s", key);
			goto fail;
		}
		json_object_set_new_nocheck(values, key, value);
	}
	json_decref(root);
	return values;

fail:
	json_decref(root);
	json_decref(values);
	return NULL;
}

static int
nvm_set_aside(struct nvm *nvm, const char *reason)
{
	char *aside = xasprintf("%s.bad-%jd", nvm->path, (intmax_t)time(NULL));
	int result = rename(nvm->path, aside);

	if (result == 0) {
		log_msg(LOG_ERR, "nvm", "%s is damaged (%s); set aside as %s",
		    nvm->path, reason, aside);
		nvm->damaged = true;
	}
	free(aside);
	return result;
}

static int
nvm_load(struct nvm *nvm)
{
	char reason[200], *text;
	size_t len;

	text = file_read(nvm->path, NVM_FILE_MAX, &len);
	if (text != NULL) {
		nvm->values = nvm_parse(text, len, reason, sizeof reason);
		free(text);
	} else if (errno == ENOENT) {
		nvm->values = json_object();
	} else if (errno == EFBIG || errno == EINVAL) {
		snprintf(reason, sizeof reason, "%s", strerror(errno));
	} else {
		return -1;
	}
	if (nvm->values == NULL) {
		if (nvm_set_aside(nvm, reason) == -1)
			return -1;
		nvm->values = json_object();
	}
	nvm->committed = json_incref(nvm->values);
	return 0;
}

int
nvm_open(struct nvm **out, const char *path)
{
	struct nvm *nvm = xcalloc(1, sizeof *nvm);

	nvm->path = xstrdup(path);
	if (nvm_load(nvm) == -1) {
		int saved_errno = errno;

		nvm_close(nvm);
		errno = saved_errno;
		return -1;
	}
	*out = nvm;
	return 0;
}

bool
nvm_was_damaged(const struct nvm *nvm)
{
	return nvm->damaged;
}

const char *
nvm_get(const struct nvm *nvm, const char *key)
{
	return json_string_value(json_object_get(nvm->values, key));
}

/* Gives the current values an object of their own before the first change. */
static void
nvm_separate(struct nvm *nvm)
{
	if (nvm->values != nvm->committed)
		return;
	nvm->values = json_copy(nvm->committed);
	json_decref(nvm->committed);
}

int
nvm_set(struct nvm *nvm, const char *key, const char *text)
{
	const char *old = nvm_get(nvm, key);

	if (old != NULL && strcmp(old, text) == 0)
		return 0;
	if (strlen(text) > NVM_VALUE_MAX) {
		errno = EINVAL;
		return -1;
	}
	nvm_separate(nvm);
	json_object_set_new_nocheck(nvm->values, key, nvm_string(text));
	return 0;
}

void
nvm_unset(struct nvm *nvm, const char *key)
{
	if (nvm_get(nvm, key) == NULL)
		return;
	nvm_separate(nvm);
	json_object_del(nvm->values, key);
}

void
nvm_each(struct nvm *nvm, nvm_reader *reader, void *arg)
{
	json_t *values = json_copy(nvm->values), *value;
	const char *key;

	json_object_foreach (values, key, value)
		reader(arg, key, json_string_value(value));
	json_decref(values);
}

int
nvm_erase(struct nvm *nvm)
{
	json_t *old = nvm->values;

	nvm->values = json_object();
	if (nvm_commit(nvm) == 0) {
		json_decref(old);
		return 0;
	}
	json_decref(nvm->values);
	nvm->values = old;
	return -1;
}

int
nvm_commit(struct nvm *nvm)
{
	json_t *variables = json_object(), *root, *value;
	char *text = NULL;
	const char *key;
	int result = -1;

	json_object_foreach (nvm->values, key, value)
		json_object_set_new_nocheck(variables, key, nvm_encode(value));
	root = json_pack("{s:i, s:o}", "format", NVM_FORMAT, "values", variables);
	text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
	if (text == NULL) {
		errno = ENOMEM;
	} else if (strlen(text) > NVM_FILE_MAX) {
		errno = EFBIG;
	} else {
		result = file_replace(nvm->path, text, strlen(text), 0600, true);
	}
	if (result == 0 && nvm->values != nvm->committed) {
		json_decref(nvm->committed);
		nvm->committed = json_incref(nvm->values);
	}
	free(text);
	json_decref(root);
	return result;
}

struct nvm_mark {
	json_t *values; /* owned */
};

struct nvm_mark *
nvm_mark(const struct nvm *nvm)
{
	struct nvm_mark *mark = xcalloc(1, sizeof *mark);

	mark->values = xcheck(json_copy(nvm->values));
	return mark;
}

void
nvm_return(struct nvm *nvm, const struct nvm_mark *mark)
{
	json_decref(nvm->values);
	nvm->values = xcheck(json_copy(mark->values));
}

void
nvm_mark_free(struct nvm_mark *mark)
{
	json_decref(mark->values);
	free(mark);
}

void
nvm_revert(struct nvm *nvm)
{
	if (nvm->values == nvm->committed)
		return;
	json_decref(nvm->values);
	nvm->values = json_incref(nvm->committed);
}

void
nvm_close(struct nvm *nvm)
{
	if (nvm == NULL)
		return;
	json_decref(nvm->values);
	json_decref(nvm->committed);
	free(nvm->path);
	free(nvm);
}
