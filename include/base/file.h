#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Files on the host: small ones whole, and what makes them durable. */

/* Replaces path by len bytes so that a reader, or the next start after a power cut,
 * sees the old contents or the new and nothing between: temporary file beside it,
 * rename. When durable, also fsync of the file before and of the directory after. 0, or
 * -1 and errno with the old contents in place. */
int file_replace(
    const char *path, const void *bytes, size_t len, mode_t mode, bool durable);

/* The contents, owned by the caller, with a NUL behind them and the count in *len. NULL
 * and errno: EFBIG when the file is larger than max. */
char *file_read(const char *path, size_t max, size_t *len);

/* Writes all of it, however many calls that takes. 0, or -1 and errno with part of it
 * written. */
int file_write_all(int fd, const char *bytes, size_t len);

/* Makes the directory's entries durable. 0, or -1 and errno. */
int file_sync_directory(const char *path);
int file_sync_directory_of(const char *path); /* of the one that the file is in */

/* Makes the directory and those above it that are missing. 0, or -1 and errno. */
int file_make_directories(const char *path, mode_t mode);

#endif
