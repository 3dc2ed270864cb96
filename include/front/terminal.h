#ifndef FRONT_TERMINAL_H
#define FRONT_TERMINAL_H

struct module;

/* Adds the remote terminal, a command line over TCP, to the module's services.
 * Reference: network notes, section 5. */
void terminal_attach(struct module *);

#endif
