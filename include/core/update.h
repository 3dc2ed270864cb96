#ifndef CORE_UPDATE_H
#define CORE_UPDATE_H

#include <stdbool.h>

struct module;

/* What a module runs after an update: the text that version answers and the banner
 * shows. The makers' update service is gone and its protocol was never on record.
 * Chosen: ota.host names any web server, which has for each bundle a file
 * "<bundle>.json" with {"version": "<text>"}; https on port 443, else http. */

#define UPDATE_BUNDLE_MAX 64 /* bytes of a bundle's name: letters, digits, . _ - */
#define UPDATE_VERSION_MAX 255 /* bytes of a version text, as in the configuration */
#define UPDATE_FILE_MAX 4096 /* bytes of what the server has to say */

/* For core/: an update of an earlier life, from the state directory. */
void update_load(struct module *);

/* The bundle that is installed: the version's first item, "ZENTRI-AMW007-1.2.0.10".
 * Writes at most UPDATE_VERSION_MAX bytes and a NUL. */
void update_bundle(const struct module *, char bundle[UPDATE_VERSION_MAX + 1]);

/* A question to the update server, over the default interface. answered() is called
 * once, from the loop, with the version of the bundle, borrowed for the call, or with
 * NULL: what went wrong is then in the log of the module. wanted: a bundle's name; a
 * number such as "2.3.3" stands for that version of this product; NULL is the newest of
 * this product. NULL when nothing can be asked, which the log of the module says, too.
 */
struct update_query;
typedef void update_answered(void *arg, const char *version);
struct update_query *update_ask(
    struct module *, const char *wanted, update_answered *, void *arg);
void update_cancel(struct update_query *);
bool update_is_bundle(const char *text); /* whether update_ask() takes it */
unsigned update_timeout_ms(const struct module *); /* for a deadline */

/* The version is what the module has from its next boot on. 0, or -1: it could not be
 * saved, which is logged, and nothing changed. */
int update_install(struct module *, const char *version);

#endif
