#ifndef TEST_UNIT_FLASH_FIXTURE_H
#define TEST_UNIT_FLASH_FIXTURE_H

/* What the tests of the files share: a directory for one test, and files whose contents
 * are told by a number. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xmalloc.h"
#include "host_fixture.h"
#include "store/flash.h"

#define FILES_BLOCKS 16 /* of the flash in most tests */
#define FILES_MOST 8

/* The directory of a test; in it the flash, and the files of the factory. */
extern char files_directory[HOST_PATH_MAX], files_path[96], files_factory[96];
extern const struct flash_options files_plain;

int files_set_up(void **state);
int files_tear_down(void **state);

struct flash *files_open(const struct flash_options *);
struct flash *files_reopen(struct flash *, const struct flash_options *);

/* The bytes of a file; owned by the caller. */
unsigned char *files_contents(unsigned seed, size_t size);

/* Makes a file of them. 0, or -1 and errno. */
int files_make(struct flash *, const char *name, unsigned seed, uint32_t size);

/* The same in the place of the one that is there. */
int files_replace(struct flash *, const char *name, unsigned seed, uint32_t size);

/* Whether the file holds them. */
bool files_hold(const struct flash *, const char *name, unsigned seed, uint32_t size);

/* How many files the module sees, and the host in its directory; -1: no directory. */
size_t files_count(const struct flash *);
int files_on_host(void);

/* Writes a file of the host, and the directories above it. */
void files_write_host(const char *name, const char *text);

#define TEST(name) cmocka_unit_test_setup_teardown(name, files_set_up, files_tear_down)

#endif
