#include "core/catalog.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define CATALOG_NAME_MAX 64 /* bytes of the longest name or shortcut, NUL included */

struct catalog_key {
	const char *name;
	const void *entry; /* struct command or struct variable */
};

/* Keys in the order of their names; one entry may stand under several. */
struct catalog_index {
	struct catalog_key *keys; /* owned */
	size_t count;
};

struct catalog {
	const struct profile *profile;
	struct catalog_index command_names, variable_names, shortcuts;
	struct catalog_index commands, variables; /* once each, for listings */
};

static int
catalog_compare(const void *a, const void *b)
{
	const struct catalog_key *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static void
catalog_index_add(struct catalog_index *index, const char *name, const void *entry)
{
	if (name == NULL)
		return;
	/* Grows by doubling: a reallocation at each power of two. */
	if ((index->count & (index->count - 1)) == 0)
		index->keys = xrealloc(index->keys,
		    (index->count == 0 ? 1 : index->count * 2) * sizeof *index->keys);
	index->keys[index->count].name = name;
	index->keys[index->count].entry = entry;
	index->count++;
}

static void
catalog_index_sort(struct catalog_index *index)
{
	if (index->count > 0)
		qsort(index->keys, index->count, sizeof *index->keys, catalog_compare);
}

static const void *
catalog_index_find(const struct catalog_index *index, const char *name, size_t len)
{
	char lower[CATALOG_NAME_MAX];
	struct catalog_key key = { .name = lower };
	const struct catalog_key *found;

	if (len == 0 || len >= sizeof lower || index->count == 0)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		lower[i] = name[i];
		if (name[i] >= 'A' && name[i] <= 'Z')
			lower[i] = (char)(name[i] - 'A' + 'a');
	}
	lower[len] = '\0';
	found = bsearch(
	    &key, index->keys, index->count, sizeof *index->keys, catalog_compare);
	return found == NULL ? NULL : found->entry;
}

static bool
catalog_is_in(const struct catalog *catalog, unsigned profiles)
{
	return profiles == 0 || (profiles & catalog->profile->bit) != 0;
}

static void
catalog_add_commands(struct catalog *catalog, const struct command *const *tables)
{
	for (; *tables != NULL; tables++) {
		for (const struct command *c = *tables; c->name != NULL; c++) {
			if (!catalog_is_in(catalog, c->profiles))
				continue;
			catalog_index_add(&catalog->command_names, c->name, c);
			if (c->alias != NULL && strcmp(c->alias, c->name) != 0)
				catalog_index_add(&catalog->command_names, c->alias, c);
			catalog_index_add(&catalog->command_names, c->other_name, c);
			if ((c->flags & COMMAND_HIDDEN) == 0)
				catalog_index_add(&catalog->commands, c->name, c);
		}
	}
	catalog_index_sort(&catalog->command_names);
	catalog_index_sort(&catalog->commands);
}

static void
catalog_add_variables(struct catalog *catalog, const struct variable *const *tables)
{
	for (; *tables != NULL; tables++) {
		for (const struct variable *v = *tables; v->name != NULL; v++) {
			if (v->same_as != NULL || !catalog_is_in(catalog, v->profiles))
				continue;
			catalog_index_add(&catalog->variable_names, v->name, v);
			catalog_index_add(&catalog->shortcuts, v->shortcut, v);
			catalog_index_add(&catalog->variables, v->name, v);
		}
	}
	catalog_index_sort(&catalog->variables);
}

/* The older and newer names, once all that they can stand for is there. */
static void
catalog_add_other_names(struct catalog *catalog, const struct variable *const *tables)
{
	for (; *tables != NULL; tables++) {
		for (const struct variable *v = *tables; v->name != NULL; v++) {
			const struct variable *target;

			if (v->same_as == NULL || !catalog_is_in(catalog, v->profiles))
				continue;
			target = catalog_index_find(
			    &catalog->variables, v->same_as, strlen(v->same_as));
			if (target == NULL)
				continue;
			catalog_index_add(&catalog->variable_names, v->name, target);
			catalog_index_add(&catalog->shortcuts, v->shortcut, target);
		}
	}
	catalog_index_sort(&catalog->variable_names);
	catalog_index_sort(&catalog->shortcuts);
}

struct catalog *
catalog_new(const struct profile *profile, const struct command *const *commands,
    const struct variable *const *variables)
{
	struct catalog *catalog = xcalloc(1, sizeof *catalog);

	catalog->profile = profile;
	catalog_add_commands(catalog, commands);
	catalog_add_variables(catalog, variables);
	catalog_add_other_names(catalog, variables);
	return catalog;
}

void
catalog_free(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	free(catalog->command_names.keys);
	free(catalog->variable_names.keys);
	free(catalog->shortcuts.keys);
	free(catalog->commands.keys);
	free(catalog->variables.keys);
	free(catalog);
}

const struct profile *
catalog_profile(const struct catalog *catalog)
{
	return catalog->profile;
}

const struct command *
catalog_command(const struct catalog *catalog, const char *name, size_t len)
{
	return catalog_index_find(&catalog->command_names, name, len);
}

const struct variable *
catalog_variable(const struct catalog *catalog, const char *name, size_t len)
{
	return catalog_index_find(&catalog->variable_names, name, len);
}

const struct variable *
catalog_shortcut(const struct catalog *catalog, const char *shortcut, size_t len)
{
	return catalog_index_find(&catalog->shortcuts, shortcut, len);
}

const struct command *
catalog_command_at(const struct catalog *catalog, size_t position)
{
	return position < catalog->commands.count
		   ? catalog->commands.keys[position].entry
		   : NULL;
}

const struct variable *
catalog_variable_at(const struct catalog *catalog, size_t position)
{
	return position < catalog->variables.count
		   ? catalog->variables.keys[position].entry
		   : NULL;
}

const char *
catalog_initial(const struct catalog *catalog, const struct variable *variable)
{
	const char *initial = variable->initial;

	if ((variable->differs.profiles & catalog->profile->bit) != 0)
		initial = variable->differs.initial;
	return initial == NULL ? "" : initial;
}
