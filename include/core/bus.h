#ifndef CORE_BUS_H
#define CORE_BUS_H

/* Whether a bus carries commands, or the bytes of one stream. Reference: serial and
 * file notes, 4.1. */
enum bus_mode { BUS_COMMAND, BUS_STREAM };

#endif
