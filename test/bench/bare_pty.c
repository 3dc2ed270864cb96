/* The least a program can do on a pty: for each line received it writes the same bytes.
 * `make bench` holds the module against it.
 * usage: bare_pty FILE     the bytes of the reply; prints the path of the pty. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <termios.h>
#include <unistd.h>

/* Stays open, or the master would hang up when the client goes. */
static int slave;

int
main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN };
	int master = posix_openpt(O_RDWR | O_NOCTTY), epoll = epoll_create1(0);
	FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
	char reply[4096], bytes[4096];
	struct termios tio;
	size_t reply_len;

	if (file == NULL || grantpt(master) == -1 || unlockpt(master) == -1)
		return 2;
	reply_len = fread(reply, 1, sizeof reply, file);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave == -1 || tcgetattr(slave, &tio) == -1)
		return 2;
	cfmakeraw(&tio);
	if (tcsetattr(slave, TCSANOW, &tio) == -1 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, master, &event) == -1)
		return 2;
	puts(ptsname(master));
	fflush(stdout);
	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		ssize_t n = read(master, bytes, sizeof bytes);

		for (ssize_t i = 0; i < n; i++)
			if (bytes[i] == '\n' &&
			    write(master, reply, reply_len) != (ssize_t)reply_len)
				return 1;
	}
	return 1;
}
