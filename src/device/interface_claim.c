#include "device/interface_claim.h"

#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* An abstract name leaves nothing behind, and there is one of it in each network
 * namespace, as of the interface. unix(7) */
int
interface_claim(const char *name)
{
	struct sockaddr_un claim = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), saved_errno;

	if (fd == -1)
		return -1;
	/* The rest of it is zeros, which belong to the name. */
	snprintf(claim.sun_path + 1, sizeof claim.sun_path - 1,
	    "zentrid/interface/%.*s", IF_NAMESIZE, name);
	if (bind(fd, (const struct sockaddr *)&claim, sizeof claim) == 0)
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}
