/* The bytes are the file of saved values. Whatever they are, the store opens, and what
 * is set and committed in it is there again, and all else unchanged, when it is
 * reopened. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "store/nvm.h"

static const char *const fuzz_nvm_keys[] = { "wlan.ssid", "wlan.passkey", "uart.baud 0",
	"system.print_level", "a", "0", "values", "" };

#define FUZZ_NVM_KEYS (sizeof fuzz_nvm_keys / sizeof fuzz_nvm_keys[0])

struct fuzz_nvm_copy {
	char *values[FUZZ_NVM_KEYS]; /* NULL: unset */
};

static void
fuzz_nvm_take(const struct nvm *nvm, struct fuzz_nvm_copy *copy)
{
	for (size_t i = 0; i < FUZZ_NVM_KEYS; i++) {
		const char *value = nvm_get(nvm, fuzz_nvm_keys[i]);

		FUZZ_REQUIRE(value == NULL || strlen(value) <= NVM_VALUE_MAX);
		copy->values[i] = value == NULL ? NULL : strdup(value);
	}
}

static void
fuzz_nvm_compare(const struct nvm *nvm, const struct fuzz_nvm_copy *copy)
{
	for (size_t i = 0; i < FUZZ_NVM_KEYS; i++) {
		const char *value = nvm_get(nvm, fuzz_nvm_keys[i]),
			   *was = copy->values[i];

		if (value == NULL || was == NULL)
			FUZZ_REQUIRE(value == was);
		else
			FUZZ_REQUIRE(strcmp(value, was) == 0);
	}
}

static void
fuzz_nvm_drop(struct fuzz_nvm_copy *copy)
{
	for (size_t i = 0; i < FUZZ_NVM_KEYS; i++)
		free(copy->values[i]);
}

/* Commits and opens again; a file that would be too large may be refused, with the
 * former values in place. */
static struct nvm *
fuzz_nvm_reopen(struct nvm *nvm, const char *path, const struct fuzz_nvm_copy *before,
    const struct fuzz_nvm_copy *now)
{
	bool committed = nvm_commit(nvm) == 0;

	FUZZ_REQUIRE(committed || errno == EFBIG);
	fuzz_nvm_compare(nvm, now);
	nvm_close(nvm);
	FUZZ_REQUIRE(nvm_open(&nvm, path) == 0);
	FUZZ_REQUIRE(!nvm_was_damaged(nvm));
	fuzz_nvm_compare(nvm, committed ? now : before);
	return nvm;
}

/* Sets a value made of the input's own bytes under one of the keys. */
static void
fuzz_nvm_change(struct nvm *nvm, const uint8_t *data, size_t size)
{
	const char *key = fuzz_nvm_keys[data[0] % FUZZ_NVM_KEYS];
	size_t len = size - 1;
	char *text;

	if (len > NVM_VALUE_MAX + 1)
		len = NVM_VALUE_MAX + 1;
	text = strndup((const char *)data + 1, len);
	if (strlen(text) > NVM_VALUE_MAX)
		FUZZ_REQUIRE(nvm_set(nvm, key, text) == -1 && errno == EINVAL);
	else
		FUZZ_REQUIRE(nvm_set(nvm, key, text) == 0 &&
			     strcmp(nvm_get(nvm, key), text) == 0);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_nvm_copy opened = { 0 }, changed = { 0 }, nothing = { 0 };
	const char *path = fuzz_path("nvm.json");
	struct nvm *nvm;
	bool damaged;

	fuzz_write(path, data, size);
	FUZZ_REQUIRE(nvm_open(&nvm, path) == 0);
	damaged = nvm_was_damaged(nvm);
	fuzz_nvm_take(nvm, &opened);
	for (size_t i = 0; damaged && i < FUZZ_NVM_KEYS; i++)
		FUZZ_REQUIRE(opened.values[i] == NULL);
	nvm = fuzz_nvm_reopen(nvm, path, &opened, &opened);

	if (size > 0) {
		fuzz_nvm_change(nvm, data, size);
		nvm_revert(nvm);
		fuzz_nvm_compare(nvm, &opened);
		fuzz_nvm_change(nvm, data, size);
		fuzz_nvm_take(nvm, &changed);
		nvm = fuzz_nvm_reopen(nvm, path, &opened, &changed);
	}
	FUZZ_REQUIRE(nvm_erase(nvm) == 0);
	fuzz_nvm_compare(nvm, &nothing);
	nvm = fuzz_nvm_reopen(nvm, path, &nothing, &nothing);
	nvm_close(nvm);
	fuzz_nvm_drop(&opened);
	fuzz_nvm_drop(&changed);
	if (damaged)
		fuzz_clean();
	return 0;
}
