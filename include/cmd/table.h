#ifndef CMD_TABLE_H
#define CMD_TABLE_H

#include "core/command.h"

/* One table a family, each in the file of that name. */
extern const struct command file_commands[];
extern const struct command gpio_commands[];
extern const struct command help_commands[];
extern const struct command http_commands[];
extern const struct command mdns_commands[];
extern const struct command network_commands[];
extern const struct command ping_commands[];
extern const struct command setup_commands[];
extern const struct command socket_commands[];
extern const struct command stream_commands[];
extern const struct command system_commands[];
extern const struct command uart_commands[];
extern const struct command update_commands[];
extern const struct command variable_commands[];
extern const struct command wlan_commands[];
extern const struct command wps_commands[];

/* All of them, up to NULL. */
extern const struct command *const command_tables[];

#endif
