#include "front/console.h"

#include <string.h>

#include <event2/buffer.h>

#include "core/module.h"

#define CONSOLE_BODY_MAX 99999 /* what the five digits of the header can say */

void
console_prompt(const struct module *module, struct evbuffer *out)
{
	if (!module->console.prompt)
		return;
	if (module->safe_mode)
		evbuffer_add(out, "SAFEMODE> ", 10);
	else
		evbuffer_add(out, "> ", 2);
}

void
console_reply(
    struct module *module, const struct response *response, struct evbuffer *out)
{
	size_t len = response->body == NULL ? 0 : evbuffer_get_length(response->body);

	if (response->is_silent)
		return;
	if (len > CONSOLE_BODY_MAX)
		len = CONSOLE_BODY_MAX;
	if (module->console.header)
		evbuffer_add_printf(out, "%c%d%05zu\r\n", module->safe_mode ? 'S' : 'R',
		    (int)response->result, len);
	if (len > 0)
		evbuffer_remove_buffer(response->body, out, len);
	/* While the module goes down or comes up there is nobody to type for. */
	if (module->state == MODULE_RUNNING || module->state == MODULE_PAUSED)
		console_prompt(module, out);
}

void
console_notice(const struct module *module, const char *line, struct evbuffer *out)
{
	size_t len = strlen(line);

	if (module->console.header)
		evbuffer_add_printf(out, "L0%05zu\r\n", len + 2);
	evbuffer_add(out, line, len);
	evbuffer_add(out, "\r\n", 2);
}
