#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include <stdbool.h>
#include <sys/queue.h>

#include "core/args.h"
#include "core/command.h"
#include "core/response.h"

struct module_step;
struct session;
struct evbuffer;
struct event;

/* A command on its way, from the line that asked for it to the reply. */
struct request {
	const struct command *command;
	struct session *session; /* borrowed; outlives the request */
	struct args *args; /* owned; checked */
	struct evbuffer *payload; /* owned; raw bytes after the line, or NULL */
	struct response response;
	bool quiet; /* its events stay out of the logs */
	bool queued; /* waits in the queue of the module */
	const struct module_step *after; /* taken once the reply is out; NULL: none */
	void (*cancel)(void *op); /* from request_defer(); stops and frees op */
	void *op;
	struct event *deadline; /* owned */
	/* From request_ask(); NULL: nothing is asked. */
	void (*answered)(void *op, const char *line, size_t len);
	struct event *asking; /* owned; takes what was typed before the question */
	TAILQ_ENTRY(request) entry; /* in the module's queue */
};

/* For core itself: a line becomes a request, checked in all that the table says of its
 * command. RESULT_OK, or the code to answer with; no request is made then. */
enum result request_new(
    struct request **, struct session *, const char *line, size_t len);
void request_free(struct request *); /* NULL is allowed */

/* Bytes of payload that the command line announces; 0: the command takes none. */
size_t request_payload_length(const struct request *);

/* For core itself: the command's run function has a result, or its deferral has.
 * Replies, frees the request and gives the next one its turn. */
void request_complete(struct request *, enum result);

/* A deferred request whose condition holds by now goes on with a run function. */
void request_continue(struct request *, enum result (*run)(struct request *));

/* Stops a request that waits or runs, without a reply, and frees it. */
void request_cancel(struct request *);

/* For the run functions of commands. */

/* The answer of a command that only acts: "Success". */
enum result request_success(struct request *);

/* Fails with a text of the command's own. Returns the result. */
enum result request_fail(struct request *, enum result, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The reply comes later: exactly one of request_finish() and cancel(op) will happen,
 * and the deadline cancels and answers RESULT_FAILED. Returns RESULT_PENDING. */
enum result request_defer(
    struct request *, unsigned timeout_ms, void (*cancel)(void *op), void *op);

/* Asks who issued a deferred request: shows the text as it is, and calls answered from
 * the loop with the next line that is typed, borrowed and without its end. Ctrl-C
 * cancels the request and answers RESULT_FAILED. */
void request_ask(struct request *, const char *text,
    void (*answered)(void *op, const char *line, size_t len));

/* Whether there is somebody to ask: a person on a serial port or terminal, and no host
 * that reads headers. */
bool request_can_ask(const struct request *);

/* Replies to a deferred request and frees it; nobody may touch it afterwards. Not from
 * inside the call that started the work. */
void request_finish(struct request *, enum result);

#endif
