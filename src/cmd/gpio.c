#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "base/number.h"
#include "cmd/table.h"
#include "core/module.h"
#include "core/pins.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"

/* The pins by hand. Reference: command notes, 4, and serial and file notes, 7.1. */

#define GPIO_ADC_MAX 0xFFF /* Chosen: 12 bits, as the module's kind of ADC has */
#define GPIO_ADC_MV 3300 /* Reference: variable notes, system.adc.vref */
#define GPIO_PWM_HZ_MAX 10000000 /* Chosen: what a timer of such a module reaches */

/* Owners of pins that a command has taken for more than high and low. */
static const char gpio_dac[] = "DAC";
static const char gpio_pwm[] = "PWM";

static struct gpio *
gpio_of(const struct request *request)
{
	return pins_gpio(request->session->module);
}

/* The pin that the argument names. */
static unsigned
gpio_pin(const struct request *request)
{
	return (unsigned)args_number(request->args, "gpio", 0);
}

/* Asked before a command runs: the module has the pin. */
static enum result
gpio_ready(struct request *request)
{
	return gpio_pin(request) < gpio_count(gpio_of(request))
		   ? RESULT_OK
		   : RESULT_INVALID_ARGUMENT;
}

static bool
gpio_is_by_hand(const char *owner)
{
	return owner == NULL || owner == gpio_user || owner == gpio_dac ||
	       owner == gpio_pwm;
}

/* Gives a pin the direction; a pin with a function refuses. */
static enum result
gpio_turn(
    struct request *request, unsigned pin, enum gpio_direction direction, bool level)
{
	struct gpio *gpio = gpio_of(request);
	const char *owner = gpio_look(gpio, pin).owner;

	if (direction != GPIO_NONE)
		return gpio_claim(gpio, pin, gpio_user, direction, level) == 0
			   ? RESULT_OK
			   : RESULT_FAILED;
	if (!gpio_is_by_hand(owner))
		return RESULT_FAILED;
	gpio_release(gpio, pin);
	/* What the board has on it by default may have it back. */
	pins_apply(request->session->module);
	return RESULT_OK;
}

static enum result
gpio_dir_run(struct request *request)
{
	const char *text = args_text(request->args, "direction");
	const struct pin_word *word = pins_word(text, strlen(text));
	enum result result;

	if (word == NULL)
		return RESULT_INVALID_ARGUMENT;
	result =
	    gpio_turn(request, gpio_pin(request), word->direction, word->level == 1);
	return result == RESULT_OK ? request_success(request) : result;
}

static enum result
gpio_get_run(struct request *request)
{
	struct gpio *gpio = gpio_of(request);
	unsigned pin = gpio_pin(request);

	/* Chosen: a pin that nobody has taken fails like one that a function has. */
	if (gpio_look(gpio, pin).owner != gpio_user)
		return RESULT_FAILED;
	response_line(&request->response, "%d", gpio_level(gpio, pin));
	return RESULT_OK;
}

static bool
gpio_is_settable(const struct gpio *gpio, unsigned pin)
{
	struct gpio_state state = gpio_look(gpio, pin);

	return state.owner == gpio_user && gpio_is_output(state.direction);
}

static enum result
gpio_set_run(struct request *request)
{
	struct gpio *gpio = gpio_of(request);
	unsigned pin = gpio_pin(request);

	if (!gpio_is_settable(gpio, pin))
		return RESULT_FAILED;
	gpio_write(gpio, pin, args_number(request->args, "level", 0) != 0);
	return request_success(request);
}

/* Chosen: without an argument it tells the directions, 6 for a pin that is not a GPIO.
 * With one, a digit from 0 to 6 stands for a direction, anything else leaves the pin as
 * it is, and so does a 6 where a function has the pin. All pins change, or none. */
static enum result
gpios_dir_run(struct request *request)
{
	const char *text = args_text(request->args, "directions");
	struct gpio *gpio = gpio_of(request);

	if (text == NULL) {
		for (unsigned pin = 0; pin < gpio_count(gpio); pin++) {
			struct gpio_state state = gpio_look(gpio, pin);

			evbuffer_add_printf(response_body(&request->response), "%d",
			    state.owner == gpio_user ? (int)state.direction
						     : GPIO_NONE);
		}
		response_line(&request->response, "%s", "");
		return RESULT_OK;
	}
	if (strlen(text) > gpio_count(gpio))
		return RESULT_INVALID_ARGUMENT;
	for (unsigned pin = 0; text[pin] != '\0'; pin++) {
		const char *owner = gpio_look(gpio, pin).owner;

		if (text[pin] >= '0' && text[pin] < '0' + GPIO_NONE && owner != NULL &&
		    owner != gpio_user)
			return RESULT_FAILED;
	}
	for (unsigned pin = 0; text[pin] != '\0'; pin++) {
		if (text[pin] >= '0' && text[pin] <= '0' + GPIO_NONE)
			gpio_turn(request, pin, (enum gpio_direction)(text[pin] - '0'),
			    false);
	}
	return request_success(request);
}

/* Reference: command notes, 4: one character for each pin; 0 where it is no GPIO. */
static enum result
gpios_get_run(struct request *request)
{
	const struct gpio *gpio = gpio_of(request);

	for (unsigned pin = 0; pin < gpio_count(gpio); pin++)
		evbuffer_add_printf(response_body(&request->response), "%d",
		    gpio_look(gpio, pin).owner == gpio_user && gpio_level(gpio, pin));
	response_line(&request->response, "%s", "");
	return RESULT_OK;
}

/* Chosen: pins that are no outputs are left alone, so that what gpios_get answers can
 * be set again. */
static enum result
gpios_set_run(struct request *request)
{
	const char *text = args_text(request->args, "levels");
	struct gpio *gpio = gpio_of(request);

	if (strlen(text) > gpio_count(gpio))
		return RESULT_INVALID_ARGUMENT;
	for (unsigned pin = 0; text[pin] != '\0'; pin++) {
		if ((text[pin] == '0' || text[pin] == '1') &&
		    gpio_is_settable(gpio, pin))
			gpio_write(gpio, pin, text[pin] == '1');
	}
	return request_success(request);
}

/* Chosen, since no reply is on record for sure: raw counts in hexadecimal, full scale
 * at the reference voltage. */
static enum result
adc_take_sample_run(struct request *request)
{
	static const char vref[] = "system.adc.vref";
	const struct module *module = request->session->module;
	int64_t full_mv = GPIO_ADC_MV, counts;
	unsigned pin = gpio_pin(request);

	if (catalog_variable(module->catalog, vref, strlen(vref)) != NULL)
		full_mv = variable_number(module, vref);
	if (full_mv <= 0)
		return RESULT_FAILED;
	counts = (int64_t)gpio_voltage(gpio_of(request), pin) * GPIO_ADC_MAX / full_mv;
	if (counts > GPIO_ADC_MAX)
		counts = GPIO_ADC_MAX;
	response_line(&request->response, "0x%03X", (unsigned)counts);
	return RESULT_OK;
}

/* Takes the pin and puts the signal on it. */
static enum result
gpio_put(struct request *request, unsigned pin, const char *owner,
    const struct gpio_signal *signal)
{
	struct gpio *gpio = gpio_of(request);
	bool is_high = signal->pwm_percent == 100 || signal->dac >= 128;

	if (gpio_claim(gpio, pin, owner, GPIO_OUTPUT, is_high) == -1)
		return RESULT_FAILED;
	gpio_write_signal(gpio, pin, signal);
	return request_success(request);
}

static enum result
dac_set_level_run(struct request *request)
{
	struct gpio_signal signal = {
		.dac = (uint8_t)args_number(request->args, "level", 0),
	};
	unsigned pin = gpio_pin(request);

	return gpio_put(request, pin, gpio_dac, &signal);
}

/* Chosen: the duty is in percent; without one, half. */
static enum result
pwm_update_run(struct request *request)
{
	const char *text = args_text(request->args, "frequency|stop");
	struct gpio *gpio = gpio_of(request);
	struct gpio_signal signal = {
		.pwm_percent = (uint8_t)args_number(request->args, "duty", 50),
	};
	unsigned pin = gpio_pin(request);
	int64_t hz;

	if (strcasecmp(text, "stop") == 0) {
		if (gpio_look(gpio, pin).owner != gpio_pwm)
			return RESULT_FAILED;
		gpio_release(gpio, pin);
		pins_apply(request->session->module);
		return request_success(request);
	}
	if (number_parse(text, strlen(text), 1, GPIO_PWM_HZ_MAX, &hz) == -1)
		return RESULT_INVALID_ARGUMENT;
	signal.pwm_hz = (uint32_t)hz;
	return gpio_put(request, pin, gpio_pwm, &signal);
}

#define GPIO_ARG                                                                       \
	{                                                                              \
		.name = "gpio", .type = ARG_NUMBER, .max = GPIO_PINS_MAX - 1           \
	}

static const struct arg_spec gpio_args[] = {
	GPIO_ARG,
	{ .name = NULL },
};

static const struct arg_spec gpio_dir_args[] = {
	GPIO_ARG,
	{ .name = "direction" },
	{ .name = NULL },
};

static const struct arg_spec gpio_set_args[] = {
	GPIO_ARG,
	{ .name = "level", .type = ARG_NUMBER, .max = 1 },
	{ .name = NULL },
};

static const struct arg_spec gpios_dir_args[] = {
	{ .name = "directions", .optional = true, .min = 1, .max = GPIO_PINS_MAX },
	{ .name = NULL },
};

static const struct arg_spec gpios_set_args[] = {
	{ .name = "levels", .min = 1, .max = GPIO_PINS_MAX },
	{ .name = NULL },
};

static const struct arg_spec dac_args[] = {
	GPIO_ARG,
	{ .name = "level", .type = ARG_NUMBER, .max = 255 },
	{ .name = NULL },
};

static const struct arg_spec pwm_args[] = {
	GPIO_ARG,
	{ .name = "frequency|stop", .min = 1, .max = 10 },
	{ .name = "duty", .type = ARG_NUMBER, .optional = true, .max = 100 },
	{ .name = NULL },
};

const struct command gpio_commands[] = {
	{ .name = "adc_take_sample",
	    .alias = "adc",
	    .args = gpio_args,
	    .ready = gpio_ready,
	    .run = adc_take_sample_run,
	    .help = "Measure the voltage of a pin; answers counts of 12 bits." },
	{ .name = "dac_set_level",
	    .alias = "dac",
	    .args = dac_args,
	    .ready = gpio_ready,
	    .run = dac_set_level_run,
	    .help = "Put an analog level on a pin." },
	{ .name = "gpio_dir",
	    .alias = "gdi",
	    .args = gpio_dir_args,
	    .ready = gpio_ready,
	    .run = gpio_dir_run,
	    .help =
		"Take a pin and set its direction, as for gpio.init, until the next "
		"boot; none gives it back." },
	{ .name = "gpio_get",
	    .alias = "gge",
	    .args = gpio_args,
	    .ready = gpio_ready,
	    .run = gpio_get_run,
	    .help = "Print the level of a pin." },
	{ .name = "gpio_set",
	    .alias = "gse",
	    .args = gpio_set_args,
	    .ready = gpio_ready,
	    .run = gpio_set_run,
	    .help = "Set the level of an output." },
	{ .name = "gpios_dir",
	    .alias = "gdis",
	    .args = gpios_dir_args,
	    .run = gpios_dir_run,
	    .help = "Set or print the directions of all pins, one character each: 0 "
		    "input_pullup, 1 input_pulldown, 2 input_highz, 3 output, 4 "
		    "output_open_drain, 5 output_open_drain_pullup, 6 none." },
	{ .name = "gpios_get",
	    .alias = "gges",
	    .run = gpios_get_run,
	    .help = "Print the levels of all pins, one digit each." },
	{ .name = "gpios_set",
	    .alias = "gses",
	    .args = gpios_set_args,
	    .run = gpios_set_run,
	    .help = "Set the levels of all outputs, one character each, 0 or 1; "
		    "anything else leaves a pin as it is." },
	{ .name = "pwm_update",
	    .alias = "pwm",
	    .args = pwm_args,
	    .ready = gpio_ready,
	    .run = pwm_update_run,
	    .help = "Put a square wave on a pin, with frequency in Hz and duty in "
		    "percent, or stop it." },
	{ .name = NULL },
};
