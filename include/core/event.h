#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <stddef.h>
#include <stdint.h>

struct module;
struct session;

/* What a module says by itself. The bracketed ones are made from a template that the
 * variable system.msg holds; its words for them are event_name(). */
enum event_kind {
	EVENT_READY,
	EVENT_ASSOCIATING, /* argument: the SSID */
	EVENT_ASSOCIATED,
	EVENT_DISASSOCIATED,
	EVENT_OPENING, /* argument: host or host:port */
	EVENT_OPENED, /* argument: the stream handle */
	EVENT_CLOSED, /* argument: the stream handle */
	EVENT_PROGRESS, /* argument: the whole line; no template */
};

#define EVENT_TEMPLATES EVENT_PROGRESS /* kinds below it have a template */
#define EVENT_TEMPLATE_MAX 31 /* bytes. Reference: serial and file notes, 3 */
#define EVENT_RING_LINES 32 /* lines that GET /log can still show */
#define EVENT_LINE_MAX 256 /* bytes; what is longer is cut */

/* The word of system.msg for a kind, and its factory template: "[@tReady]". Tags: "@t"
 * the time, "@a" the argument. */
const char *event_name(enum event_kind);
const char *event_template(enum event_kind);

/* Puts the line into the ring and shows it to the sessions that print this level; quiet
 * while the request that runs asked for no log. */
void event_emit(struct module *, enum event_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Shows the line to one session only, if it prints this level; the ring does not get
 * it. */
void event_show(struct session *, enum event_kind, const char *argument);

/* Calls reader for each line of the ring that came after after_seq, oldest first, and
 * returns the number of the last line there is. Numbers count from 1. */
typedef void event_reader(void *arg, const char *line);
uint64_t event_read(
    const struct module *, uint64_t after_seq, event_reader *, void *arg);

/* Frees the ring; for the end of the module. */
void event_log_free(struct module *);

#endif
