#ifndef DEVICE_HOST_ADDRESS_H
#define DEVICE_HOST_ADDRESS_H

#include <netinet/in.h>

/* What this host knows of one of its IPv4 addresses: for 0.0.0.0, of the first one that
 * others can reach. An address that the host does not have, and one without a route
 * behind it, is its own gateway. */
struct host_address {
	struct in_addr ip, netmask, gateway;
	struct in_addr dns; /* the first name server of /etc/resolv.conf */
};

void host_address_describe(struct host_address *, struct in_addr address);

/* The ip of that alone, which is known at once unless the address is 0.0.0.0. */
struct in_addr host_address_ip(struct in_addr address);

#endif
