#ifndef LINK_ADDRESS_H
#define LINK_ADDRESS_H

#include <netinet/in.h>

/* What an interface that is up has to reach others by; 0.0.0.0: none. */
#define LINK_MORE_DNS 3 /* name servers besides the first one */

struct link_address {
	struct in_addr ip, netmask, gateway, dns;
	struct in_addr more_dns[LINK_MORE_DNS];
};

#endif
