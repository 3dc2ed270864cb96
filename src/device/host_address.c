#include "device/host_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HOST_NETMASK_BITS 24 /* of an address that the host does not have */
#define HOST_ROUTE_UP 1u /* RTF_UP of <net/route.h> */

static struct in_addr
host_sin(const struct sockaddr *address)
{
	struct sockaddr_in sin;

	memcpy(&sin, address, sizeof sin);
	return sin.sin_addr;
}

/* The name of the interface that has the address, which 0.0.0.0 is replaced by. */
static void
host_find_interface(struct host_address *host, char name[IF_NAMESIZE])
{
	struct ifaddrs *list, *entry;

	name[0] = '\0';
	if (getifaddrs(&list) == -1)
		return;
	for (entry = list; entry != NULL; entry = entry->ifa_next) {
		if (entry->ifa_addr == NULL || entry->ifa_netmask == NULL ||
		    entry->ifa_addr->sa_family != AF_INET)
			continue;
		if (host->ip.s_addr == htonl(INADDR_ANY)) {
			if ((entry->ifa_flags & IFF_LOOPBACK) != 0)
				continue;
			host->ip = host_sin(entry->ifa_addr);
		} else if (host->ip.s_addr != host_sin(entry->ifa_addr).s_addr) {
			continue;
		}
		host->netmask = host_sin(entry->ifa_netmask);
		snprintf(name, IF_NAMESIZE, "%s", entry->ifa_name);
		break;
	}
	freeifaddrs(list);
}

/* The gateway of the default route over the interface. proc(5), /proc/net/route. */
static void
host_find_gateway(struct host_address *host, const char *interface)
{
	FILE *file = fopen("/proc/net/route", "re");
	char line[256], name[IF_NAMESIZE];
	unsigned destination, gateway, flags;

	if (file == NULL)
		return;
	while (fgets(line, sizeof line, file) != NULL) {
		/* NOLINTNEXTLINE(cert-err34-c): the kernel wrote it, in 8 digits */
		if (sscanf(line, "%15s %8x %8x %8x", name, &destination, &gateway,
			&flags) == 4 &&
		    destination == 0 && (flags & HOST_ROUTE_UP) != 0 && gateway != 0 &&
		    strcmp(name, interface) == 0) {
			host->gateway.s_addr = gateway;
			break;
		}
	}
	fclose(file);
}

static void
host_find_name_server(struct host_address *host)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	char line[256], address[64];

	if (file == NULL)
		return;
	while (fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "nameserver %63s", address) == 1 &&
		    inet_pton(AF_INET, address, &host->dns) == 1)
			break;
	}
	fclose(file);
}

struct in_addr
host_address_ip(struct in_addr address)
{
	struct host_address host = { .ip = address };
	char interface[IF_NAMESIZE];

	if (host.ip.s_addr == htonl(INADDR_ANY))
		host_find_interface(&host, interface);
	if (host.ip.s_addr == htonl(INADDR_ANY))
		host.ip.s_addr = htonl(INADDR_LOOPBACK);
	return host.ip;
}

void
host_address_describe(struct host_address *host, struct in_addr address)
{
	char interface[IF_NAMESIZE];

	memset(host, 0, sizeof *host);
	host->ip = address;
	host->netmask.s_addr = htonl(UINT32_MAX << (32 - HOST_NETMASK_BITS));
	host_find_interface(host, interface);
	if (host->ip.s_addr == htonl(INADDR_ANY))
		host->ip.s_addr = htonl(INADDR_LOOPBACK);
	/* All of 127.0.0.0/8 is this host's, though no interface lists it. */
	if (ntohl(host->ip.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET)
		host->netmask.s_addr = htonl(IN_CLASSA_NET);
	host_find_gateway(host, interface);
	if (host->gateway.s_addr == 0)
		host->gateway = host->ip;
	host_find_name_server(host);
}
