#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/event.h"
#include "core/module.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"
#include "store/flash.h"
#include "store/nvm.h"

#define SHORTCUT_PARTS_MAX 3 /* words of the longest shortcut */
#define SHORTCUT_MAX 64 /* bytes of it, NUL included */
#define LOAD_FILE_MAX (32u * 1024) /* bytes of a settings file */

/* How many words behind a variable's name make sense: RESULT_OK or the code for too few
 * or too many. */
typedef enum result variable_fits(const struct request *, const struct variable *,
    const struct token *, size_t count);

/* The variable that the first parts tokens spell as a shortcut, or NULL. A quoted word
 * is never part of one. */
static const struct variable *
variable_of_shortcut(
    const struct request *request, const struct token *tokens, size_t parts)
{
	char shortcut[SHORTCUT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < parts; i++) {
		if (tokens[i].quoted || len + tokens[i].len + 2 > sizeof shortcut)
			return NULL;
		if (i > 0)
			shortcut[len++] = ' ';
		memcpy(shortcut + len, tokens[i].text, tokens[i].len);
		len += tokens[i].len;
	}
	return catalog_shortcut(request->session->module->catalog, shortcut, len);
}

/* Finds the variable that the tokens start with: by full name, else by the longest
 * shortcut behind which the number of words is right. Reference: command notes, 2.1.
 * *used says how many tokens name it. RESULT_UNKNOWN_OPTION when none does. */
static enum result
variable_find(const struct request *request, const struct token *tokens, size_t count,
    variable_fits *fits, const struct variable **out, size_t *used)
{
	enum result first = RESULT_UNKNOWN_OPTION;

	for (size_t parts = SHORTCUT_PARTS_MAX + 1; parts-- > 0;) {
		size_t n = parts > 0 ? parts : 1;
		const struct variable *variable = NULL;
		enum result result;

		if (n > count)
			continue;
		/* Last of all, the full name: it never looks like a shortcut. */
		variable = parts > 0
			       ? variable_of_shortcut(request, tokens, n)
			       : catalog_variable(request->session->module->catalog,
				     tokens[0].text, tokens[0].len);
		if (variable == NULL)
			continue;
		result = fits(request, variable, tokens + n, count - n);
		if (result == RESULT_OK) {
			*out = variable;
			*used = n;
			return RESULT_OK;
		}
		if (first == RESULT_UNKNOWN_OPTION)
			first = result;
	}
	return first;
}

static enum result
get_fits(const struct request *request, const struct variable *variable,
    const struct token *tokens, size_t count)
{
	size_t least = variable->index != NULL ? 1 : 0;
	size_t most = least + (variable->modifiers != NULL ? 1 : 0);

	(void)request;
	(void)tokens;
	if (count < least)
		return RESULT_TOO_FEW_ARGUMENTS;
	return count > most ? RESULT_TOO_MANY_ARGUMENTS : RESULT_OK;
}

static bool
variable_has_modifier(const struct variable *variable, const char *word)
{
	for (const char *const *m = variable->modifiers; m != NULL && *m != NULL; m++) {
		if (strcmp(*m, word) == 0)
			return true;
	}
	return false;
}

/* Chosen: "get gpio.init all" answers rows like the module's other tables. */
static enum result
get_all_indexes(struct request *request, const struct variable *variable)
{
	struct evbuffer *body = response_body(&request->response);
	struct module *module = request->session->module;
	const char *index;
	char number[16];

	request->response.is_list = true;
	evbuffer_add_printf(body, "!  # Value\r\n");
	for (unsigned i = 0; (index = variable_index_at(module, variable->index, i,
				  number, sizeof number)) != NULL;
	     i++) {
		evbuffer_add_printf(body, "# %2s ", index);
		variable_print(module, variable, index, NULL, body);
		evbuffer_add(body, "\r\n", 2);
	}
	return RESULT_OK;
}

static enum result
get_one(struct request *request, const struct variable *variable,
    const struct token *tokens, size_t count)
{
	struct module *module = request->session->module;
	const char *index = NULL, *modifier = NULL;
	struct evbuffer *body;

	if (!variable_is_readable(variable))
		return RESULT_FAILED;
	if (variable->index != NULL) {
		index = tokens[0].text;
		if (strcmp(index, "all") == 0)
			return get_all_indexes(request, variable);
		if (!variable_has_index(module, variable, index))
			return RESULT_INVALID_ARGUMENT;
		tokens++;
		count--;
	}
	if (count > 0) {
		modifier = tokens[0].text;
		if (!variable_has_modifier(variable, modifier))
			return RESULT_INVALID_ARGUMENT;
	}
	body = response_body(&request->response);
	variable_print(module, variable, index, modifier, body);
	request->response.is_list = variable->type == VARIABLE_TABLE;
	if (variable->type != VARIABLE_TABLE && evbuffer_get_length(body) > 0)
		evbuffer_add(body, "\r\n", 2);
	return RESULT_OK;
}

/* Whether group names what variable belongs to: "all", its first words ("http",
 * "http.server") or the two letters of the first one. Reference: variable notes, 1.1.
 */
static bool
variable_is_in_group(const struct variable *variable, const struct token *group)
{
	if (strcasecmp(group->text, "all") == 0)
		return true;
	if (strncasecmp(variable->name, group->text, group->len) != 0)
		return false;
	return group->len == 2 || variable->name[group->len] == '.';
}

static enum result
get_group(struct request *request, const struct token *group)
{
	struct module *module = request->session->module;
	const struct variable *variable;
	bool any = false;

	if (group->quoted || group->len < 2)
		return RESULT_UNKNOWN_OPTION;
	request->response.is_list = true;
	for (size_t i = 0; (variable = catalog_variable_at(module->catalog, i)) != NULL;
	     i++) {
		if (!variable_is_in_group(variable, group))
			continue;
		any = true;
		variable_list(module, variable, &request->response);
	}
	return any ? RESULT_OK : RESULT_UNKNOWN_OPTION;
}

static enum result
get_run(struct request *request)
{
	const struct variable *variable;
	const struct token *tokens;
	enum result result;
	size_t count, used;

	tokens = args_rest(request->args, &count);
	if (count == 0)
		return RESULT_TOO_FEW_ARGUMENTS;
	result = variable_find(request, tokens, count, get_fits, &variable, &used);
	if (result == RESULT_OK)
		return get_one(request, variable, tokens + used, count - used);
	if (result == RESULT_UNKNOWN_OPTION && count == 1)
		return get_group(request, &tokens[0]);
	return result;
}

static size_t
variable_words(const struct variable *variable)
{
	return variable->values == 0 ? 1 : variable->values;
}

/* A text may hold quotes and blanks inside its outermost pair of quotes. */
static bool
set_is_outermost(const struct request *request, const struct variable *variable,
    const struct token *token)
{
	size_t len;

	return variable->type == VARIABLE_STRING && variable_words(variable) == 1 &&
	       args_outermost(request->args, token, &len) != NULL;
}

static enum result
set_fits(const struct request *request, const struct variable *variable,
    const struct token *tokens, size_t count)
{
	size_t before = variable->index != NULL ? 1 : 0;

	if (count < before + 1)
		return RESULT_TOO_FEW_ARGUMENTS;
	if (count > before + variable_words(variable) &&
	    !set_is_outermost(request, variable, &tokens[before]))
		return RESULT_TOO_MANY_ARGUMENTS;
	return RESULT_OK;
}

/* Reference: command notes, section 3 (set): "set wl s" with nothing behind it clears a
 * text. */
static enum result
set_fits_empty(const struct request *request, const struct variable *variable,
    const struct token *tokens, size_t count)
{
	(void)request;
	(void)tokens;
	if (variable->type != VARIABLE_STRING || variable->index != NULL)
		return RESULT_TOO_FEW_ARGUMENTS;
	return count == 0 ? RESULT_OK : RESULT_TOO_MANY_ARGUMENTS;
}

/* The words of a value as one text, one blank between them. Returns its length, or
 * VARIABLE_TEXT_MAX when it is too long for any variable. */
static size_t
set_join(char *text, const struct token *tokens, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		if (len + tokens[i].len + 1 >= VARIABLE_TEXT_MAX)
			return VARIABLE_TEXT_MAX;
		if (i > 0)
			text[len++] = ' ';
		memcpy(text + len, tokens[i].text, tokens[i].len);
		len += tokens[i].len;
	}
	return len;
}

/* What a set command asks for. */
struct set_order {
	const struct variable *variable;
	const char *index; /* or NULL */
	const char *text; /* borrowed from the request, or joined */
	size_t len;
	char joined[VARIABLE_TEXT_MAX];
};

static enum result
set_understand_one(struct request *request, const struct token *tokens, size_t count,
    struct set_order *order)
{
	struct module *module = request->session->module;

	order->index = NULL;
	order->text = order->joined;
	if ((order->variable->flags & VARIABLE_READONLY) != 0)
		return RESULT_FAILED;
	if (order->variable->index != NULL) {
		order->index = tokens[0].text;
		if (!variable_has_index(module, order->variable, order->index))
			return RESULT_INVALID_ARGUMENT;
		tokens++;
		count--;
	}
	if (count > variable_words(order->variable))
		order->text = args_outermost(request->args, &tokens[0], &order->len);
	else
		order->len = set_join(order->joined, tokens, count);
	return order->len >= VARIABLE_TEXT_MAX ? RESULT_INVALID_ARGUMENT : RESULT_OK;
}

static enum result
set_understand(struct request *request, struct set_order *order)
{
	const struct token *tokens;
	enum result result, empty;
	size_t count, used;

	tokens = args_rest(request->args, &count);
	if (count == 0)
		return RESULT_TOO_FEW_ARGUMENTS;
	result =
	    variable_find(request, tokens, count, set_fits, &order->variable, &used);
	if (result == RESULT_TOO_FEW_ARGUMENTS) {
		empty = variable_find(
		    request, tokens, count, set_fits_empty, &order->variable, &used);
		if (empty == RESULT_OK)
			result = empty;
	}
	if (result != RESULT_OK)
		return result;
	return set_understand_one(request, tokens + used, count - used, order);
}

static enum result
set_run(struct request *request)
{
	struct set_order order;
	enum result result = set_understand(request, &order);

	if (result == RESULT_OK)
		result = variable_set(request->session->module, order.variable,
		    order.index, order.text, order.len);
	if (result == RESULT_OK)
		response_line(&request->response, "Set OK");
	return result;
}

static enum result
save_run(struct request *request)
{
	struct module *module = request->session->module;

	if (nvm_commit(module->nvm) == -1) {
		log_msg(LOG_ERR, module->own->name, "save: %s", strerror(errno));
		return RESULT_FAILED;
	}
	return request_success(request);
}

/* Checks one line of a settings file, or sets what it says. It is what would stand
 * behind set. */
static enum result
load_line(const struct request *request, const char *line, size_t len, bool is_checked)
{
	struct module *module = request->session->module;
	struct request *set = NULL;
	struct set_order order;
	enum result result;
	struct value value;
	char *command;

	if (len > SESSION_LINE_MAX || memchr(line, '\0', len) != NULL)
		return RESULT_INVALID_ARGUMENT;
	command = xasprintf("set %.*s", (int)len, line);
	result = request_new(&set, request->session, command, strlen(command));
	free(command);
	if (result != RESULT_OK)
		return result;
	result = set_understand(set, &order);
	if (result == RESULT_OK && is_checked)
		result = variable_set(
		    module, order.variable, order.index, order.text, order.len);
	else if (result == RESULT_OK)
		result = variable_parse(
		    module, order.variable, order.index, order.text, order.len, &value);
	request_free(set);
	return result;
}

/* All lines, blank ones and comments left out. RESULT_OK, or the code of the first bad
 * one, whose number is said. */
static enum result
load_lines(const struct request *request, const char *text, size_t len, bool is_checked)
{
	const char *end = text + len;
	enum result result = RESULT_OK;

	for (unsigned number = 1; text < end && result == RESULT_OK; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const char *next = stop == NULL ? end : stop + 1;

		if (stop == NULL)
			stop = end;
		while (text < stop && (*text == ' ' || *text == '\t'))
			text++;
		while (stop > text &&
		       (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
			stop--;
		if (text < stop && *text != '#')
			result =
			    load_line(request, text, (size_t)(stop - text), is_checked);
		if (result != RESULT_OK)
			event_emit(request->session->module, EVENT_PROGRESS,
			    "Line %u: %s", number, result_text(result));
		text = next;
	}
	return result;
}

/* Reference: command notes, section 3 (load): the module reboots with what it loaded.
 * Chosen: the lines of the file are "name value". */
static enum result
load_file(struct request *request, const char *name)
{
	struct module *module = request->session->module;
	struct nvm_mark *mark;
	enum result result;
	size_t len;
	char *text;

	text = flash_read(module->flash, name, LOAD_FILE_MAX, &len);
	if (text == NULL) {
		log_msg(LOG_NOTICE, module->own->name, "load %s: %s", name,
		    strerror(errno));
		return RESULT_FAILED;
	}
	result = load_lines(request, text, len, false);
	if (result == RESULT_OK) {
		mark = nvm_mark(module->nvm);
		result = load_lines(request, text, len, true);
		if (result == RESULT_OK && nvm_commit(module->nvm) == -1) {
			log_msg(LOG_ERR, module->own->name, "load %s: %s", name,
			    strerror(errno));
			result = RESULT_FAILED;
		}
		if (result != RESULT_OK) {
			nvm_return(module->nvm, mark);
			variable_apply_all(module);
		}
		nvm_mark_free(mark);
	}
	free(text);
	if (result != RESULT_OK)
		return RESULT_FAILED;
	request->after = &module_step_reboot;
	return request_success(request);
}

/* Reference: variable notes, 1.3, and command notes, section 3: without a name it
 * restores the saved settings. */
static enum result
load_run(struct request *request)
{
	struct module *module = request->session->module;

	if (args_has(request->args, "filename"))
		return load_file(request, args_text(request->args, "filename"));
	nvm_revert(module->nvm);
	variable_apply_all(module);
	return request_success(request);
}

static const struct arg_spec get_args[] = {
	{ .name = "<variable|group|all>", .type = ARG_REST },
	{ .name = NULL },
};

static const struct arg_spec set_args[] = {
	{ .name = "<variable> [<index>] <value>", .type = ARG_REST },
	{ .name = NULL },
};

static const struct arg_spec load_args[] = {
	{ .name = "filename", .optional = true },
	{ .name = NULL },
};

const struct command variable_commands[] = {
	{ .name = "get",
	    .args = get_args,
	    .run = get_run,
	    .help = "Print a variable, a group of variables, or all." },
	{ .name = "load",
	    .args = load_args,
	    .run = load_run,
	    .help = "Go back to the saved variables; or set and save those of a "
		    "file, and reboot." },
	{ .name = "save", .run = save_run, .help = "Save all variables." },
	{ .name = "set",
	    .args = set_args,
	    .run = set_run,
	    .help = "Set a variable; save keeps it over a reboot." },
	{ .name = NULL },
};
