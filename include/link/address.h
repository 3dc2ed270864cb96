#ifndef LINK_ADDRESS_H
#define LINK_ADDRESS_H

#include <netinet/in.h>

/* What an interface that is up has to reach others by; 0.0.0.0: none. */
struct link_address {
	struct in_addr ip, netmask, gateway, dns;
};

#endif
