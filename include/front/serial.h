#ifndef FRONT_SERIAL_H
#define FRONT_SERIAL_H

struct module;

/* Gives the module its serial port, as its settings say: a pty behind a symlink in
 * directory, or a tty, which is opened again whenever it comes back. The session
 * belongs to the module. 0, or -1 when there is no pty to be had; the cause is logged.
 */
int serial_attach(struct module *, const char *directory);

#endif
