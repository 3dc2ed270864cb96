#ifndef TEST_UNIT_HOST_FIXTURE_H
#define TEST_UNIT_HOST_FIXTURE_H

#include <stdbool.h>

/* What unit tests do to the host's file system: a directory of their own, and system
 * calls that fail. */

/* A new directory in /tmp: its path in the array, which is that of the test. */
#define HOST_PATH_MAX 64
void host_directory_make(char path[HOST_PATH_MAX]);

/* Removes it with all that is in it. */
void host_directory_remove(const char *path);

/* The system calls that change a file system, of which one may be told to fail with
 * ENOSPC: every unit test is linked with them wrapped (HOST_WRAPPED in test.mk). */
extern struct host_fault {
	int countdown; /* the call that fails; 0: none */
	bool lasting; /* and all calls after it */
	bool failed;
} host_fault;

#endif
