#include "stream/lookup.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include "base/xmalloc.h"

struct lookup {
	lookup_done *done; /* NULL once cancelled */
	void *arg;
	struct event *deliver; /* owned; evdns may answer before it returns */
	struct evdns_getaddrinfo_request
	    *request; /* evdns's; NULL when none is under way */
	struct in_addr address;
	const char *error; /* static; NULL: address is good */
};

static void
lookup_free(struct lookup *lookup)
{
	event_free(lookup->deliver);
	free(lookup);
}

static void
lookup_deliver(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *lookup = arg;
	lookup_done *done = lookup->done;

	(void)fd;
	(void)what;
	if (done != NULL)
		done(lookup->arg, lookup->error == NULL ? &lookup->address : NULL,
		    lookup->error);
	lookup_free(lookup);
}

static void
lookup_answered(int result, struct evutil_addrinfo *answer, void *arg)
{
	struct lookup *lookup = arg;

	lookup->request = NULL;
	if (result == 0 && answer != NULL && answer->ai_family == AF_INET)
		lookup->address =
		    ((const struct sockaddr_in *)(const void *)answer->ai_addr)
			->sin_addr;
	else
		lookup->error =
		    result == EVUTIL_EAI_NONAME || result == EVUTIL_EAI_NODATA
			? "unknown host"
			: "no answer from the name server";
	if (answer != NULL)
		evutil_freeaddrinfo(answer);
	event_active(lookup->deliver, EV_TIMEOUT, 0);
}

struct lookup *
lookup_start(struct event_base *base, struct evdns_base *dns, const char *host,
    lookup_done *done, void *arg)
{
	struct evutil_addrinfo hints = { .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP };
	struct lookup *lookup = xcalloc(1, sizeof *lookup);

	lookup->done = done;
	lookup->arg = arg;
	lookup->deliver = xcheck(event_new(base, -1, 0, lookup_deliver, lookup));
	if (inet_pton(AF_INET, host, &lookup->address) == 1) {
		event_active(lookup->deliver, EV_TIMEOUT, 0);
	} else if (dns == NULL) {
		lookup->error = "unknown host";
		event_active(lookup->deliver, EV_TIMEOUT, 0);
	} else {
		lookup->request =
		    evdns_getaddrinfo(dns, host, NULL, &hints, lookup_answered, lookup);
	}
	return lookup;
}

void
lookup_cancel(struct lookup *lookup)
{
	lookup->done = NULL;
	/* evdns still calls lookup_answered(), perhaps only on the next turn. */
	if (lookup->request != NULL)
		evdns_getaddrinfo_cancel(lookup->request);
}
