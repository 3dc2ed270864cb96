#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

/* The command line. */
struct options {
	const char *configuration; /* -c */
	const char *state_directory; /* -s */
	const char *runtime_directory; /* -r */
	bool check_only; /* -t */
	bool verbose; /* -v */
};

/* Reads the command line; options not given have their defaults. Prints the version or
 * the usage and returns the exit status when there is nothing more to do, else -1. */
int options_read(struct options *, int argc, char *argv[]);

#endif
