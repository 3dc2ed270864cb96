#ifndef CMD_NETWORK_PICK_H
#define CMD_NETWORK_PICK_H

#include "core/response.h"

struct request;

/* Lets a person choose a network: shows what the radio hears, asks for its number and,
 * unless it is open, for the passphrase, and sets wlan.ssid and wlan.passkey. Then run
 * goes on with the request. Returns RESULT_PENDING, or the code to answer with when
 * there is nobody to ask. Reference: command notes, section 9 (network_up -s). */
enum result network_pick(struct request *, enum result (*run)(struct request *));

#endif
