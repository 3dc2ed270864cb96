#ifndef FRONT_WEB_LEAVE_H
#define FRONT_WEB_LEAVE_H

struct event_base;
struct web_leave;

/* Notices that a client leaves while its answer is not there yet: evhttp reads nothing
 * of a connection meanwhile, and so sees no end of it. */

/* Calls gone, once and from the loop, when the peer of the socket has ended or reset
 * the connection; gone may free the watch. NULL when there is no descriptor left for
 * it. */
struct web_leave *web_leave_new(
    struct event_base *, int fd, void (*gone)(void *arg), void *arg);
void web_leave_free(struct web_leave *); /* NULL is allowed */

#endif
