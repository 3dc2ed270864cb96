#ifndef SERVICE_BROADCAST_POST_H
#define SERVICE_BROADCAST_POST_H

#include <stddef.h>

struct module;
struct broadcast_post;

/* Announcements by HTTP or HTTPS: POST to broadcast.http.host. */
struct broadcast_post *broadcast_post_new(struct module *);

/* Sends one, unless the one before is still under way or no host is set. Failure is
 * logged, once until one succeeds. */
void broadcast_post_send(struct broadcast_post *, const void *text, size_t len);

void broadcast_post_free(struct broadcast_post *); /* NULL is allowed */

#endif
