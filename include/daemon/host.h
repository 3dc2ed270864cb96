#ifndef DAEMON_HOST_H
#define DAEMON_HOST_H

#include "daemon/options.h"

/* The process: its modules, from configuration to the end. */
struct host;

/* Reads the configuration and makes the modules; all faults are logged. NULL when the
 * daemon cannot start. options stay borrowed. */
struct host *host_new(const struct options *);

/* Boots the modules, tells that all are ready, and serves until a signal ends it. */
void host_run(struct host *);

void host_free(struct host *); /* NULL is allowed */

/* For -t: reads the configuration and tells its faults. 0 when there are none, else -1.
 */
int host_check(const struct options *);

#endif
