#include "device/serial_line.h"

#include <asm/termbits.h> /* struct termios2; excludes <termios.h> */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERIAL_GROUP_SIZE 4096 /* bytes for a group's entry and its members */

static const struct serial_settings serial_factory = {
	.baud = 115200, .data_bits = 8, .stop_bits = 1, .parity = SERIAL_PARITY_NONE
};

static void
serial_line_share(int slave)
{
	struct group entry, *group = NULL;
	char names[SERIAL_GROUP_SIZE];

	/* Without the right to give it away, the pty stays this user's own. */
	if (getgrnam_r("dialout", &entry, names, sizeof names, &group) == 0 &&
	    group != NULL && fchown(slave, (uid_t)-1, group->gr_gid) == -1)
		errno = 0;
	if (fchmod(slave, 0660) == -1)
		errno = 0;
}

int
serial_line_open_pty(struct serial_line *line)
{
	int saved_errno;

	line->slave = -1;
	line->fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->fd == -1)
		return -1;
	if (grantpt(line->fd) == -1 || unlockpt(line->fd) == -1 ||
	    (errno = ptsname_r(line->fd, line->name, sizeof line->name)) != 0 ||
	    (line->slave = open(line->name, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1)
		goto fail;
	serial_line_share(line->slave);
	if (serial_line_configure(line, &serial_factory) == -1)
		goto fail;
	return 0;

fail:
	saved_errno = errno;
	serial_line_close(line);
	errno = saved_errno;
	return -1;
}

int
serial_line_open_tty(struct serial_line *line, const char *device)
{
	int saved_errno;

	line->slave = -1;
	snprintf(line->name, sizeof line->name, "%s", device);
	line->fd = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (line->fd == -1)
		return -1;
	if (serial_line_configure(line, &serial_factory) == -1) {
		saved_errno = errno; /* ENOTTY: not a terminal at all */
		serial_line_close(line);
		errno = saved_errno;
		return -1;
	}
	return 0;
}

void
serial_line_close(struct serial_line *line)
{
	if (line->slave != -1)
		close(line->slave);
	if (line->fd != -1)
		close(line->fd);
	line->fd = line->slave = -1;
}

int
serial_line_configure(
    const struct serial_line *line, const struct serial_settings *settings)
{
	static const tcflag_t sizes[] = { CS5, CS6, CS7, CS8 };
	int fd = line->slave != -1 ? line->slave : line->fd;
	struct termios2 tio;

	if (settings->data_bits < 5 || settings->data_bits > 8 || settings->baud == 0) {
		errno = EINVAL;
		return -1;
	}
	if (ioctl(fd, TCGETS2, &tio) == -1)
		return -1;
	tio.c_iflag = IGNBRK;
	tio.c_oflag = 0;
	tio.c_lflag = 0;
	tio.c_cflag = CREAD | CLOCAL | BOTHER | (BOTHER << IBSHIFT) |
		      sizes[settings->data_bits - 5];
	if (settings->stop_bits == 2)
		tio.c_cflag |= CSTOPB;
	if (settings->parity != SERIAL_PARITY_NONE)
		tio.c_cflag |= PARENB;
	if (settings->parity == SERIAL_PARITY_ODD)
		tio.c_cflag |= PARODD;
	if (settings->flow_control)
		tio.c_cflag |= CRTSCTS;
	tio.c_ispeed = tio.c_ospeed = settings->baud;
	tio.c_cc[VMIN] = 1;
	tio.c_cc[VTIME] = 0;
	return ioctl(fd, TCSETS2, &tio);
}

bool
serial_line_is_sent(const struct serial_line *line)
{
	int waiting = 0;

	return line->fd == -1 || ioctl(line->fd, TIOCOUTQ, &waiting) == -1 ||
	       waiting == 0;
}
