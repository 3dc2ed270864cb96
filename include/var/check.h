#ifndef VAR_CHECK_H
#define VAR_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/network.h"
#include "core/variable.h"

/* Checks that variables of several roots share. */

/* Writes the normal spelling of a value; what does not fit is cut. */
void check_put(struct value *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* For a check of a comma separated list: each item has to pass; it is NUL-terminated
 * and in lower case. Brings the list into its normal spelling: lower case, no blanks.
 * An empty list passes. 0, or -1. */
typedef bool check_item(const struct module *, const char *item);
int check_list(const struct module *, struct value *, check_item *);

/* Writes the table that tells of an interface: wlan.info, softap.info. */
void check_put_interface(
    struct evbuffer *out, const struct module *, enum network_interface);

/* Whether text is "gpioN" for a pin of the module. */
bool check_is_gpio(const struct module *, const char *text);

/* Whether text can be a host: letters, digits, '-', '.' and '_'. */
bool check_is_host(const struct module *, const char *text);

/* Check functions for entries: a host or nothing; a list of host names; a passphrase or
 * key of a network, or nothing. */
int check_host(const struct module *, const char *index, struct value *);
int check_hosts(const struct module *, const char *index, struct value *);
int check_passkey(const struct module *, const char *index, struct value *);
int check_wpa_passkey(const struct module *, const char *index, struct value *);

#endif
