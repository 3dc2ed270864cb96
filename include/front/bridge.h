#ifndef FRONT_BRIDGE_H
#define FRONT_BRIDGE_H

#include <stddef.h>

struct bridge;
struct console_port;
struct stream;

/* Serial STREAM mode: the bytes of one stream go to the serial port and back, 8-bit
 * clean, none lost and none reordered: what one side does not take, the other is not
 * asked for. Reference: network notes, section 4; serial and file notes, 4.1. */

struct bridge *bridge_new(struct console_port *); /* the port is borrowed */
void bridge_free(struct bridge *); /* NULL is allowed */

/* Begins, at boot or after a break; reads bus.stream.*. */
void bridge_start(struct bridge *);

/* The port carries commands now; the stream waits. */
void bridge_stop(struct bridge *);

/* Leaves STREAM mode for commands, and says so; what the port gave before is data. */
void bridge_break(struct bridge *);

/* A stream was opened: it is taken if the bridge has none. */
void bridge_offer(struct bridge *, struct stream *);

/* Bytes from the serial port. Says how many were taken: all, unless the break sequence
 * ended within; what follows it is for the command line. */
size_t bridge_input(struct bridge *, const char *bytes, size_t len);

/* How many bytes of the serial port may come now; at least 1, as console_port_hold()
 * says when it is none. */
size_t bridge_room(const struct bridge *);

/* All output to the port has left. */
void bridge_sent(struct bridge *);

#endif
