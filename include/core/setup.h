#ifndef CORE_SETUP_H
#define CORE_SETUP_H

#include <stdbool.h>

struct event;
struct module;
struct module_step;
struct network_wait;

/* Web setup: the module leaves its network and is a soft AP with a web page on it, by
 * which a person gives it another one. Reference: command notes, section 3 (setup);
 * network notes, 8.7. */

/* What setup.web.* said when it began; module->setup while it is on. */
struct setup {
	char *ssid, *passkey; /* owned */
	char *names; /* owned; that mean the module, separated by commas */
	char *root_filename; /* owned */
	bool has_portal; /* a captive portal */
	bool had_softap; /* that returns at the end */
	struct network_wait *wait; /* for the soft AP; NULL: it is up */
	struct event *idle; /* owned; ends it, when nobody has opened the page or it has
			     * failed; NULL: nothing does */
};

/* For request.after, and for what starts it without a command: take() it. The outcome
 * is told in event lines. */
extern const struct module_step setup_step_start;
extern const struct module_step setup_step_stop; /* nothing unless it is on */

/* Ends it, as the command would, when it is on. */
void setup_stop(struct module *);

/* A client has asked for the page: it does not time out any more. */
void setup_page_opened(struct module *);

/* For core/: the module goes down; nothing is told. */
void setup_forget(struct module *);

/* The names of the module on its soft AP, separated by commas, borrowed; they may be
 * none. In setup they are others than else. */
const char *setup_names(const struct module *);

/* Whether clients of the soft AP are led to the module's page, whatever they want. */
bool setup_has_portal(const struct module *);

#endif
