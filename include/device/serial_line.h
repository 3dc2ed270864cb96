#ifndef DEVICE_SERIAL_LINE_H
#define DEVICE_SERIAL_LINE_H

#include <stdbool.h>

/* The wire of a serial port: a pty that this process makes, or a real tty. */

struct serial_line {
	int fd; /* what the module reads and writes, non-blocking; -1 while closed */
	int slave; /* of a pty, kept open: with no opener the master would read EIO */
	char name[128]; /* the slave, or the device: "/dev/pts/3" */
};

enum serial_parity { SERIAL_PARITY_NONE, SERIAL_PARITY_EVEN, SERIAL_PARITY_ODD };

struct serial_settings {
	unsigned baud; /* bits per second; any rate that the hardware does */
	unsigned data_bits; /* 5 to 8 */
	unsigned stop_bits; /* 1 or 2 */
	enum serial_parity parity;
	bool flow_control; /* RTS and CTS */
};

/* Both set fd, slave and name of a line that is closed. 0, or -1 and errno. The slave
 * of a pty gets mode 0660 and, if there is one, the group dialout. */
int serial_line_open_pty(struct serial_line *);
int serial_line_open_tty(struct serial_line *, const char *device);
void serial_line_close(struct serial_line *);

/* Sets the line to raw bytes in this form. 0, or -1 and errno. */
int serial_line_configure(const struct serial_line *, const struct serial_settings *);

/* Whether all that was written has left. */
bool serial_line_is_sent(const struct serial_line *);

#endif
