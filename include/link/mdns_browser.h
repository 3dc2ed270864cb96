#ifndef LINK_MDNS_BROWSER_H
#define LINK_MDNS_BROWSER_H

#include <netinet/in.h>

#include "link/mdns_packet.h"

/* Looks for the services of a network: their names, and where they are. Without sockets
 * and without timers, as the responder. RFC 6763 */

#define MDNS_FOUND_MAX 32 /* services; more are passed over */
#define MDNS_TYPES_MAX 16 /* kinds of services that are looked for */
#define MDNS_TYPE_TEXT_MAX 63 /* bytes of "_http._tcp" */

struct mdns_found {
	char name[MDNS_LABEL_MAX + 1]; /* as its owner wrote it, any bytes but NUL */
	char type[MDNS_TYPE_TEXT_MAX + 1];
	struct in_addr address; /* 0.0.0.0: nobody has said it */
	uint16_t port;
};

struct mdns_browser;

/* type: "_http._tcp", or NULL: all that there are. send: a message leaves to the group.
 */
struct mdns_browser *mdns_browser_new(const char *type,
    void (*send)(void *arg, const uint8_t *bytes, size_t len), void *arg,
    int64_t now_ms);
void mdns_browser_free(struct mdns_browser *); /* NULL is allowed */

/* A message of the group's has come. */
void mdns_browser_receive(
    struct mdns_browser *, const uint8_t *bytes, size_t len, int64_t now_ms);

/* The time has come that it wanted. */
void mdns_browser_tick(struct mdns_browser *, int64_t now_ms);
int64_t mdns_browser_next_ms(const struct mdns_browser *);

/* What has been found so far, by type and name; those whose port is not known are left
 * out. How many were written. */
size_t mdns_browser_list(
    const struct mdns_browser *, struct mdns_found found[MDNS_FOUND_MAX]);

#endif
