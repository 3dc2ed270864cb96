#ifndef CORE_SCRIPT_H
#define CORE_SCRIPT_H

struct module;

/* Commands that a module gives itself: the lines of a file, or of a variable. One
 * script runs at a time; it takes its turns among the other issuers of commands, and
 * ends at the first command that fails, which an event line tells. The end of a file is
 * told too. */

#define SCRIPT_FILE_MAX (64u * 1024) /* bytes of a file of commands */

/* Starts with the text, which is copied; name: what event lines call it, borrowed until
 * the module goes down. 0, or -1: another script runs. */
int script_start(struct module *, const char *name, const char *text);

/* Starts with a file of the flash; empty lines and those that begin with '#' are
 * skipped. NULL, or why not. */
const char *script_start_file(struct module *, const char *file);

#endif
