#include "store/settings_reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

/* Which pins of a module are lines of this host's GPIO chips. */

#define SETTINGS_CHIP_BYTES_MAX 127 /* of a chip's path */
#define SETTINGS_LINES_MAX 65536 /* of a chip; those with more than 512 are rare */
#define SETTINGS_NO_PIN UINT16_MAX /* missing or wrong, and told */

static const char *
settings_check_chip(
    const struct settings_reader *reader, const struct setting *entry, char *text)
{
	(void)reader;
	return text[0] == '/' ? NULL : entry->expected;
}

static void
settings_begin_pin(const config_setting_t *setting, void *element)
{
	struct settings_pin *pin = element;

	(void)setting;
	pin->pin = SETTINGS_NO_PIN;
	pin->pulls = true;
}

static void
settings_end_pins(struct settings_reader *reader, const config_setting_t *list,
    const void *elements, size_t count)
{
	const struct settings_pin *pins = elements;
	struct settings_key *keys = xcalloc(count, sizeof *keys);
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const config_setting_t *pin = config_setting_get_member(
		    config_setting_get_elem(list, (unsigned)i), "pin");

		/* An entry that is no group has none either, and is told. */
		if (pin != NULL && pins[i].pin != SETTINGS_NO_PIN)
			keys[used++] = (struct settings_key){
				.setting = pin,
				.number = pins[i].pin,
				.position = i,
			};
	}
	settings_tell_repeated(reader, keys, used, "each pin once");
	free(keys);
}

const struct setting settings_pin_table[] = {
	{ .name = "pin",
	    .type = SETTING_PORT,
	    .required = true,
	    .min = 0,
	    .max = SETTINGS_PINS_MAX - 1,
	    .offset = offsetof(struct settings_pin, pin) },
	{ .name = "chip",
	    .type = SETTING_STRING,
	    .required = true,
	    .min = 2,
	    .max = SETTINGS_CHIP_BYTES_MAX,
	    .offset = offsetof(struct settings_pin, chip),
	    .check = settings_check_chip,
	    .expected = "the full path of a GPIO chip such as \"/dev/gpiochip0\", at "
			"most 127 bytes" },
	{ .name = "line",
	    .type = SETTING_SIZE,
	    .required = true,
	    .min = 0,
	    .max = SETTINGS_LINES_MAX - 1,
	    .offset = offsetof(struct settings_pin, line) },
	{ .name = "active_low",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct settings_pin, active_low) },
	{ .name = "pulls",
	    .type = SETTING_BOOL,
	    .offset = offsetof(struct settings_pin, pulls) },
	{ .name = NULL },
};

const struct setting_list settings_pin_list = {
	.element_size = sizeof(struct settings_pin),
	.count_offset = offsetof(struct module_settings, pin_count),
	.begin = settings_begin_pin,
	.end_all = settings_end_pins,
};

void
settings_check_lines(struct settings_reader *reader, const config_setting_t *root,
    const struct settings_file *file)
{
	const config_setting_t *modules = config_setting_get_member(root, "modules");
	struct settings_key *keys;
	size_t count = 0, used = 0;

	for (size_t i = 0; i < file->module_count; i++)
		count += file->modules[i].pin_count;
	keys = xcalloc(count, sizeof *keys);
	for (size_t i = 0; i < file->module_count; i++) {
		const config_setting_t *list = config_setting_get_member(
		    config_setting_get_elem(modules, (unsigned)i), "gpio");

		for (size_t j = 0; j < file->modules[i].pin_count; j++) {
			const struct settings_pin *pin = &file->modules[i].pins[j];
			const config_setting_t *line = config_setting_get_member(
			    config_setting_get_elem(list, (unsigned)j), "line");

			if (pin->chip != NULL && line != NULL)
				keys[used++] = (struct settings_key){
					.setting = line,
					.text = pin->chip,
					.number = pin->line,
					.position = i * SETTINGS_PINS_MAX + j,
				};
		}
	}
	settings_tell_repeated(reader, keys, used, "each line of a chip once");
	free(keys);
}
