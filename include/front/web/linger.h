#ifndef FRONT_WEB_LINGER_H
#define FRONT_WEB_LINGER_H

struct event_base;

/* Connections that the server has ended while their client still sends. Closing them at
 * once would make the kernel throw away the answer, so they are read a little longer,
 * for nothing. */

#define WEB_LINGER_SECONDS 2 /* without a byte */
#define WEB_LINGER_TOTAL_SECONDS 10
#define WEB_LINGER_MAX 16 /* at a time; others are closed at once */

struct web_linger;

struct web_linger_list { /* zeroed: empty */
	struct web_linger *each[WEB_LINGER_MAX]; /* owned; NULL where there is none */
};

/* Keeps a socket that is about to be closed open for a while. */
void web_linger_start(struct web_linger_list *, struct event_base *, int fd);

/* Closes all. */
void web_linger_stop(struct web_linger_list *);

#endif
