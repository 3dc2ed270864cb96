#ifndef STORE_NVM_H
#define STORE_NVM_H

#include <stdbool.h>
#include <stddef.h>

/* Text keys and values that outlive the process: a JSON object in one file. Values may
 * hold any bytes but NUL; they are kept as JSON text when they are UTF-8 and as
 * {"base64": "..."} when not. */

#define NVM_VALUE_MAX 4096 /* bytes of one value */
#define NVM_FILE_MAX (1024u * 1024) /* bytes of the file; a larger one is damaged */

struct nvm;

/* Opens the store at path; a missing file is an empty store. A damaged file is renamed
 * to
 * "<path>.bad-<seconds>", logged, and the store is empty: nvm_was_damaged() then says
 * so. 0, or -1 and errno when the file is there but cannot be read or set aside. */
int nvm_open(struct nvm **, const char *path);
bool nvm_was_damaged(const struct nvm *);

/* The value as it stands, committed or not; borrowed until the next change; or NULL. */
const char *nvm_get(const struct nvm *, const char *key);

/* Sets a value; copies both. 0, or -1 and errno EINVAL for a value over NVM_VALUE_MAX.
 */
int nvm_set(struct nvm *, const char *key, const char *text);

/* Forgets one key; as any change, until it is committed only in memory. */
void nvm_unset(struct nvm *, const char *key);

/* Forgets all keys, in the file too. 0, or -1 and errno with nothing changed. */
int nvm_erase(struct nvm *);

/* Calls reader for each value; it may set or unset the one it is shown, and no other.
 */
typedef void nvm_reader(void *arg, const char *key, const char *text);
void nvm_each(struct nvm *, nvm_reader *, void *arg);

/* Makes what nvm_get() shows durable: temporary file, fsync, rename, fsync of the
 * directory. 0, or -1 and errno; the changes then stay, uncommitted. */
int nvm_commit(struct nvm *);

/* What nvm_get() shows now, kept for going back to it; owned by the caller. */
struct nvm_mark;
struct nvm_mark *nvm_mark(const struct nvm *);
void nvm_return(struct nvm *, const struct nvm_mark *); /* as any change, in memory */
void nvm_mark_free(struct nvm_mark *);

/* Goes back to what was committed last. */
void nvm_revert(struct nvm *);

/* Drops what was not committed. NULL is allowed. */
void nvm_close(struct nvm *);

#endif
