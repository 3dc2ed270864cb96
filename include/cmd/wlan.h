#ifndef CMD_WLAN_H
#define CMD_WLAN_H

#include <stdbool.h>
#include <stddef.h>

struct radio_ap;
struct response;

/* Writes what a scan has found, as wlan_scan prints it. */
void wlan_list(
    struct response *, const struct radio_ap *, size_t count, bool is_verbose);

#endif
