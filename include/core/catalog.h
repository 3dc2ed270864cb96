#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H

#include <stddef.h>

#include "core/command.h"
#include "core/profile.h"
#include "core/variable.h"

/* The commands and variables of one profile, sorted and searchable. Made once from the
 * tables, then read only; many modules share one. */
struct catalog;

/* Both lists hold tables and end with NULL. The tables stay borrowed. */
struct catalog *catalog_new(const struct profile *,
    const struct command *const *commands, const struct variable *const *variables);
void catalog_free(struct catalog *);

const struct profile *catalog_profile(const struct catalog *);

/* By full name or assigned shortcut, exactly, in lower case or upper; NULL: unknown. */
const struct command *catalog_command(
    const struct catalog *, const char *name, size_t len);

/* By full name, exactly, an older name giving the variable it stands for; by shortcut
 * ("wl o e", one blank between its parts). NULL: unknown. */
const struct variable *catalog_variable(
    const struct catalog *, const char *name, size_t len);
const struct variable *catalog_shortcut(
    const struct catalog *, const char *shortcut, size_t len);

/* In alphabetical order of the full names; NULL past the end. Older names that stand
 * for another variable are left out. */
const struct command *catalog_command_at(const struct catalog *, size_t position);
const struct variable *catalog_variable_at(const struct catalog *, size_t position);

/* The factory default of the profile, without a board's own. */
const char *catalog_initial(const struct catalog *, const struct variable *);

#endif
