#include "var/table.h"

#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "core/module.h"
#include "core/pins.h"
#include "var/check.h"

/* Reference: variable notes, uart. Chosen: the limit of a rate given as raw, which is
 * that of the host's own serial ports. */
#define UART_RATE_MAX 4000000

static unsigned
uart_count(const struct module *module)
{
	return module->profile->uarts;
}

/* Observed: "uart.baud: uart0:9600" in a dump of all variables of a product. Reference:
 * serial and file notes, 4.2. */
static const struct variable_index uart_index = {
	.count = uart_count,
	.label = "uart",
	.list_all = true,
};

static bool
uart_is_listed_rate(int64_t rate)
{
	static const int rates[] = { 300, 600, 1200, 2400, 4800, 9600, 19200, 38400,
		57600, 115200, 230400, 460800, 921600 };

	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		if (rates[i] == rate)
			return true;
	}
	return false;
}

/* "9600", one of the documented rates, or "9601 raw", any rate at all. */
static int
uart_baud_check(const struct module *module, const char *index, struct value *value)
{
	size_t len = strcspn(value->text, " ");
	bool raw = value->text[len] == ' ';
	int64_t rate;

	(void)module;
	(void)index;
	if (raw && strcasecmp(value->text + len + 1, "raw") != 0)
		return -1;
	if (number_parse(value->text, len, 1, UART_RATE_MAX, &rate) == -1 ||
	    (!raw && !uart_is_listed_rate(rate)))
		return -1;
	check_put(value, "%d%s", (int)rate, raw ? " raw" : "");
	return 0;
}

/* Documented as on and off; the other words for a switch are taken too. */
static int
uart_flow_check(const struct module *module, const char *index, struct value *value)
{
	static const struct {
		const char *word, *normal;
	} words[] = { { "on", "on" }, { "1", "on" }, { "true", "on" }, { "off", "off" },
		{ "0", "off" }, { "false", "off" } };

	(void)module;
	(void)index;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcasecmp(words[i].word, value->text) == 0) {
			check_put(value, "%s", words[i].normal);
			return 0;
		}
	}
	return -1;
}

static const char *const uart_parities[] = { "none", "even", "odd", NULL };

/* Reference: variable notes, uart. Chosen: 5 to 8 data bits and 1 or 2 stop bits, what
 * a UART has. */
const struct variable uart_variables[] = {
	{ .name = "uart.baud",
	    .shortcut = "ua b",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_UART_UPDATE,
	    .initial = "115200",
	    .min = 1,
	    .max = 16,
	    .index = &uart_index,
	    .values = 2,
	    .check = uart_baud_check,
	    .help =
		"Rate: 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, "
		"230400, 460800, 921600, or any other with the word raw behind it." },
	{ .name = "uart.data",
	    .shortcut = "ua d",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_UART_UPDATE,
	    .initial = "8",
	    .min = 5,
	    .max = 8,
	    .index = &uart_index,
	    .help = "Data bits." },
	{ .name = "uart.flow",
	    .shortcut = "ua f",
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_UART_UPDATE,
	    .initial = "off",
	    .min = 1,
	    .max = 5,
	    .index = &uart_index,
	    .check = uart_flow_check,
	    .apply = pins_apply,
	    .help = "Hardware flow control: on or off." },
	{ .name = "uart.parity",
	    .type = VARIABLE_CHOICE,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_UART_UPDATE,
	    .initial = "none",
	    .choices = uart_parities,
	    .index = &uart_index,
	    .help = "Parity." },
	{ .name = "uart.stop",
	    .type = VARIABLE_INT,
	    .flags = VARIABLE_PERSISTED,
	    .applies = VARIABLE_ON_UART_UPDATE,
	    .initial = "1",
	    .min = 1,
	    .max = 2,
	    .index = &uart_index,
	    .help = "Stop bits." },
	{ .name = NULL },
};
