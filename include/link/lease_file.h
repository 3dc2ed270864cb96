#ifndef LINK_LEASE_FILE_H
#define LINK_LEASE_FILE_H

#include <stdint.h>

#include "device/radio.h"
#include "link/dhcp_client.h"

/* The file that a lease is kept in from one join of a network to the next. */

#define LEASE_FILE_MAX 4096 /* bytes; ours have less than a quarter of it */
#define LEASE_NEVER_ENDS INT64_MAX

/* A lease, and the network that it is for. */
struct lease_note {
	struct dhcp_lease lease; /* its times do not outlive the file */
	char ssid[RADIO_SSID_MAX + 1];
	uint8_t bssid[MAC_OCTETS];
	int64_t ends_s; /* by the clock of this host, UTC; or LEASE_NEVER_ENDS */
};

/* Both durable. 0, or -1 and errno; that there is no file is no error of the latter. */
int lease_file_write(const char *path, const struct lease_note *);
int lease_file_remove(const char *path);

/* 0, or -1 and errno: ENOENT: there is none; EINVAL: it is damaged. */
int lease_file_read(const char *path, struct lease_note *);

#endif
