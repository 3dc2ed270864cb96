#include "core/variable.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "base/log.h"
#include "base/mac.h"
#include "base/number.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "store/nvm.h"

#define VARIABLE_KEY_MAX 96 /* "name index", NUL included */

/* The key under which a value is stored: the name, and the index behind a blank. */
static void
variable_key(char *key, const struct variable *variable, const char *index)
{
	snprintf(key, VARIABLE_KEY_MAX, index == NULL ? "%s" : "%s %s", variable->name,
	    index == NULL ? "" : index);
}

static const struct variable *
variable_get(const struct module *module, const char *name)
{
	const struct variable *variable =
	    catalog_variable(module->catalog, name, strlen(name));

	if (variable == NULL)
		log_msg(LOG_ERR, module->own->name, "no variable %s in profile %s",
		    name, module->profile->name);
	return variable;
}

bool
variable_exists(const struct module *module, const char *name)
{
	return catalog_variable(module->catalog, name, strlen(name)) != NULL;
}

static const char *
variable_factory(const struct module *module, const char *key)
{
	for (size_t i = 0; i < module->factory_count; i++) {
		if (strcmp(module->factory[i].key, key) == 0)
			return module->factory[i].text;
	}
	return NULL;
}

/* What was set or saved, else the board's factory default; NULL: neither. */
static const char *
variable_given(
    const struct module *module, const struct variable *variable, const char *index)
{
	char key[VARIABLE_KEY_MAX];
	const char *text;

	if (index != NULL)
		variable_key(key, variable, index);
	text = nvm_get(module->nvm, index == NULL ? variable->name : key);
	if (text == NULL && module->factory_count > 0)
		text = variable_factory(module, index == NULL ? variable->name : key);
	return text;
}

/* That, else the table's. */
static const char *
variable_stored(
    const struct module *module, const struct variable *variable, const char *index)
{
	const char *text = variable_given(module, variable, index);

	return text != NULL ? text : catalog_initial(module->catalog, variable);
}

bool
variable_is_set(const struct module *module, const char *name, const char *index)
{
	const struct variable *variable = variable_get(module, name);

	return variable != NULL && variable_given(module, variable, index) != NULL;
}

const char *
variable_text_at(const struct module *module, const char *name, const char *index)
{
	const struct variable *variable = variable_get(module, name);

	return variable == NULL ? "" : variable_stored(module, variable, index);
}

const char *
variable_text(const struct module *module, const char *name)
{
	return variable_text_at(module, name, NULL);
}

int64_t
variable_number_at(const struct module *module, const char *name, const char *index)
{
	const char *text = variable_text_at(module, name, index);
	int64_t number;

	return number_parse(text, strlen(text), INT64_MIN, INT64_MAX, &number) == 0
		   ? number
		   : 0;
}

int64_t
variable_number(const struct module *module, const char *name)
{
	return variable_number_at(module, name, NULL);
}

bool
variable_is_on(const struct module *module, const char *name)
{
	return variable_number(module, name) != 0;
}

static int
variable_parse_bool(struct value *value)
{
	static const struct {
		const char *word;
		bool on;
	} words[] = { { "0", false }, { "off", false }, { "false", false },
		{ "1", true }, { "on", true }, { "true", true } };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcasecmp(words[i].word, value->text) == 0) {
			value->number = words[i].on;
			value->len = 1;
			memcpy(value->text, words[i].on ? "1" : "0", 2);
			return 0;
		}
	}
	return -1;
}

static int
variable_parse_choice(const struct variable *variable, struct value *value)
{
	for (const char *const *choice = variable->choices; *choice != NULL; choice++) {
		if (strcasecmp(*choice, value->text) == 0) {
			value->len = (size_t)snprintf(
			    value->text, sizeof value->text, "%s", *choice);
			return 0;
		}
	}
	return -1;
}

static int
variable_parse_mac(const struct variable *variable, struct value *value)
{
	uint8_t octets[MAC_OCTETS];

	if (value->len == 0 && variable->min == 0)
		return 0;
	if (mac_parse(value->text, octets) == -1)
		return -1;
	mac_format(value->text, octets);
	value->len = strlen(value->text);
	return 0;
}

static int
variable_parse_ipv4(struct value *value)
{
	struct in_addr address;

	if (inet_pton(AF_INET, value->text, &address) != 1 ||
	    inet_ntop(AF_INET, &address, value->text, sizeof value->text) == NULL)
		return -1;
	value->len = strlen(value->text);
	return 0;
}

static int
variable_parse_string(const struct variable *variable, const struct value *value)
{
	if ((int64_t)value->len < variable->min ||
	    (variable->max > 0 && (int64_t)value->len > variable->max))
		return -1;
	for (size_t i = 0; i < value->len; i++) {
		if ((unsigned char)value->text[i] < 0x20 || value->text[i] == 0x7F)
			return -1;
	}
	return 0;
}

static int
variable_parse_typed(const struct variable *variable, struct value *value)
{
	switch (variable->type) {
	case VARIABLE_STRING:
		return variable_parse_string(variable, value);
	case VARIABLE_BOOL:
		return variable_parse_bool(value);
	case VARIABLE_INT:
		if (number_parse(value->text, value->len, variable->min, variable->max,
			&value->number) == -1)
			return -1;
		value->len = (size_t)snprintf(
		    value->text, sizeof value->text, "%jd", (intmax_t)value->number);
		return 0;
	case VARIABLE_CHOICE:
		return variable_parse_choice(variable, value);
	case VARIABLE_MAC:
		return variable_parse_mac(variable, value);
	case VARIABLE_IPV4:
		return variable_parse_ipv4(value);
	case VARIABLE_TABLE:
		break;
	}
	return -1;
}

enum result
variable_parse(const struct module *module, const struct variable *variable,
    const char *index, const char *text, size_t len, struct value *value)
{
	if (len >= sizeof value->text || memchr(text, '\0', len) != NULL)
		return RESULT_INVALID_ARGUMENT;
	memcpy(value->text, text, len);
	value->text[len] = '\0';
	value->len = len;
	value->number = 0;
	if (variable_parse_typed(variable, value) == -1)
		return RESULT_INVALID_ARGUMENT;
	if (variable->check != NULL && variable->check(module, index, value) == -1)
		return RESULT_INVALID_ARGUMENT;
	return RESULT_OK;
}

/* Stores text, or with NULL forgets what was set. */
static int
variable_store(struct module *module, const char *key, const char *text)
{
	if (text == NULL) {
		nvm_unset(module->nvm, key);
		return 0;
	}
	return nvm_set(module->nvm, key, text);
}

enum result
variable_set(struct module *module, const struct variable *variable, const char *index,
    const char *text, size_t len)
{
	char key[VARIABLE_KEY_MAX], *old = NULL;
	enum result result;
	struct value value;

	result = variable_parse(module, variable, index, text, len, &value);
	if (result != RESULT_OK)
		return result;
	if (variable->set != NULL)
		return variable->set(module, index, &value) == 0 ? RESULT_OK
								 : RESULT_FAILED;
	variable_key(key, variable, index);
	if (nvm_get(module->nvm, key) != NULL)
		old = xstrdup(nvm_get(module->nvm, key));
	if (variable_store(module, key, value.text) == -1) {
		result = RESULT_FAILED;
	} else if (variable->apply != NULL && variable->apply(module) == -1) {
		variable_store(module, key, old);
		variable->apply(module);
		result = RESULT_FAILED;
	}
	free(old);
	return result;
}

bool
variable_has_index(
    const struct module *module, const struct variable *variable, const char *index)
{
	const struct variable_index *spec = variable->index;
	char normal[16];
	int64_t number;

	if (spec->words != NULL) {
		for (const char *const *word = spec->words; *word != NULL; word++) {
			if (strcmp(*word, index) == 0)
				return true;
		}
		return false;
	}
	if (number_parse(index, strlen(index), 0, (int64_t)spec->count(module) - 1,
		&number) == -1)
		return false;
	/* One spelling only, since it becomes part of the key. */
	snprintf(normal, sizeof normal, "%jd", (intmax_t)number);
	return strcmp(normal, index) == 0;
}

bool
variable_is_readable(const struct variable *variable)
{
	return (variable->flags & VARIABLE_WRITEONLY) == 0;
}

void
variable_print(struct module *module, const struct variable *variable,
    const char *index, const char *modifier, struct evbuffer *out)
{
	const char *text;

	if (variable->get != NULL) {
		variable->get(module, index, modifier, out);
		return;
	}
	text = variable_stored(module, variable, index);
	evbuffer_add(out, text, strlen(text));
}

const char *
variable_index_at(const struct module *module, const struct variable_index *spec,
    unsigned position, char *number, size_t size)
{
	if (spec->words != NULL)
		return spec->words[position];
	if (position >= spec->count(module))
		return NULL;
	snprintf(number, size, "%u", position);
	return number;
}

/* Observed: "uart.baud: uart0:9600" in a dump of all variables of a product. Chosen:
 * one such line for each index. Reference: serial and file notes, 4.2. */
static void
variable_list_indexed(
    struct module *module, const struct variable *variable, struct evbuffer *out)
{
	const struct variable_index *spec = variable->index;
	const char *initial = catalog_initial(module->catalog, variable), *index;
	char number[16];
	bool any = false;

	for (unsigned i = 0; (index = variable_index_at(
				  module, spec, i, number, sizeof number)) != NULL;
	     i++) {
		if (!spec->list_all &&
		    strcmp(variable_stored(module, variable, index), initial) == 0)
			continue;
		any = true;
		evbuffer_add_printf(out, "%s: %s%s:", variable->name,
		    spec->label == NULL ? "" : spec->label, index);
		variable_print(module, variable, index, NULL, out);
		evbuffer_add(out, "\r\n", 2);
	}
	if (!any)
		evbuffer_add_printf(out, "%s: \r\n", variable->name);
}

void
variable_list(
    struct module *module, const struct variable *variable, struct response *response)
{
	struct evbuffer *out = response_body(response);

	if (!variable_is_readable(variable) || variable->type == VARIABLE_TABLE)
		return;
	if (variable->index != NULL) {
		variable_list_indexed(module, variable, out);
		return;
	}
	evbuffer_add_printf(out, "%s: ", variable->name);
	variable_print(module, variable, NULL, NULL, out);
	evbuffer_add(out, "\r\n", 2);
}

static void
variable_check_one(void *arg, const char *key, const char *text)
{
	struct module *module = arg;
	const char *index = strchr(key, ' ');
	size_t len = index == NULL ? strlen(key) : (size_t)(index - key);
	const struct variable *variable = catalog_variable(module->catalog, key, len);
	struct value value;

	if (variable == NULL)
		return;
	if (index != NULL)
		index++;
	if ((variable->index != NULL) == (index != NULL) &&
	    (index == NULL || variable_has_index(module, variable, index)) &&
	    variable_parse(module, variable, index, text, strlen(text), &value) ==
		RESULT_OK) {
		nvm_set(module->nvm, key, value.text);
		return;
	}
	log_msg(LOG_WARNING, module->own->name,
	    "the saved value of %s is not valid; the factory value is in use", key);
	nvm_unset(module->nvm, key);
}

void
variable_check_stored(struct module *module)
{
	nvm_each(module->nvm, variable_check_one, module);
}

void
variable_apply_all(struct module *module)
{
	const struct variable *variable;

	for (size_t i = 0; (variable = catalog_variable_at(module->catalog, i)) != NULL;
	     i++) {
		if (variable->apply != NULL && variable->apply(module) == -1)
			log_msg(LOG_WARNING, module->own->name,
			    "the stored value of %s cannot be applied", variable->name);
	}
}
