#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the fuzz targets share. libFuzzer calls these two. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run as a finding when what must hold does not. */
#define FUZZ_REQUIRE(condition)                                                        \
	fuzz_require((condition), #condition, __FILE__, __LINE__)
void fuzz_require(bool holds, const char *text, const char *file, int line);

/* A directory of this process's own under TMPDIR, made on the first call and removed at
 * exit; what a crash leaves there, test/fuzz/run removes. Borrowed. */
const char *fuzz_directory(void);

/* The path of a file in it; borrowed until the next call. */
const char *fuzz_path(const char *name);

/* Removes what a target left in its directory, subdirectories included. */
void fuzz_clean(void);

void fuzz_write(const char *path, const uint8_t *data, size_t size);

#endif
