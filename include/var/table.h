#ifndef VAR_TABLE_H
#define VAR_TABLE_H

#include "core/variable.h"

/* All variables of all profiles: a list of tables, ended by NULL. */
extern const struct variable *const variable_tables[];

/* The tables, one for each root of the names; each ends with .name NULL. */
extern const struct variable broadcast_variables[];
extern const struct variable bus_variables[];
extern const struct variable dms_variables[];
extern const struct variable email_variables[];
extern const struct variable gpio_variables[];
extern const struct variable http_variables[];
extern const struct variable ioconn_variables[];
extern const struct variable mdns_variables[];
extern const struct variable network_variables[];
extern const struct variable ntp_variables[];
extern const struct variable ota_variables[];
extern const struct variable remote_terminal_variables[];
extern const struct variable setup_variables[];
extern const struct variable softap_variables[];
extern const struct variable stream_variables[];
extern const struct variable system_variables[];
extern const struct variable tcp_variables[];
extern const struct variable time_variables[];
extern const struct variable uart_variables[];
extern const struct variable udp_variables[];
extern const struct variable wlan_variables[];

/* Older and newer names of variables in the tables above. */
extern const struct variable name_variables[];

#endif
