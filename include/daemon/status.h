#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

struct module;

/* Writes what scripts want to know of a module into directory/status.json, so that a
 * reader sees the old contents or the new. A failure is logged. */
void status_write(const struct module *, const char *directory);

/* Removes the file. */
void status_remove(const char *directory);

#endif
