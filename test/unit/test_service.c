#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/network_state.h"
#include "core/service.h"
#include "core/variable.h"
#include "module_fixture.h"

/* Services that write down what they are told. */
static char notes[256];

static void
note(const void *name, const char *what)
{
	size_t used = strlen(notes);

	snprintf(notes + used, sizeof notes - used, "%s%s", what, (const char *)name);
}

static void
noted_start(void *arg)
{
	note(arg, " +");
}

static void
noted_stop(void *arg)
{
	note(arg, " -");
}

static void
noted_free(void *arg)
{
	(void)arg;
}

#define NOTED .start = noted_start, .stop = noted_stop, .free = noted_free

static const struct service_ops always = { .name = "always", NOTED };
static const struct service_ops named = {
	.name = "named", .interface = "ntp.interface", NOTED
};
static const struct service_ops any = {
	.name = "any", .interface = "broadcast.interface", .takes_any = true, NOTED
};
static void
noted_listeners(void *arg)
{
	note(arg, " !");
}

static const struct service_ops curious = {
	.name = "curious", .interface = "wlan", .listeners = noted_listeners, NOTED
};
static const struct service_ops only = { .name = "only", .interface = "softap", NOTED };

static void
expect(const char *what)
{
	assert_string_equal(notes, what);
	notes[0] = '\0';
}

static void
set(struct module *module, const char *name, const char *text)
{
	const struct variable *variable =
	    catalog_variable(module->catalog, name, strlen(name));

	assert_int_equal(
	    variable_set(module, variable, NULL, text, strlen(text)), RESULT_OK);
}

static void
test_interfaces(void **state)
{
	const struct link_address address = { .ip.s_addr = 0x0100007F };
	struct fixture fixture;
	struct module *module;

	(void)state;
	fixture_open(&fixture, NULL);
	module = fixture.module;
	module_add_service(module, &always, (char *)(uintptr_t)always.name);
	module_add_service(module, &named, (char *)(uintptr_t)named.name);
	module_add_service(module, &any, (char *)(uintptr_t)any.name);
	module_add_service(module, &only, (char *)(uintptr_t)only.name);

	/* Without a radio, wlan is up at once. */
	module_boot(module);
	fixture_turn(&fixture);
	assert_non_null(strstr(notes, " +always"));
	assert_non_null(strstr(notes, " +named +any"));
	notes[0] = '\0';
	service_start_all(module, NETWORK_WLAN);
	expect("");
	network_went_up(module, NETWORK_SOFTAP, &address);
	expect(" +only");
	service_restart(module, "any");
	expect(" -any +any");
	service_restart(module, "always too");
	expect("");

	/* What takes any interface goes on over the one that is left. */
	network_went_down(module, NETWORK_WLAN);
	expect(" -any +any -named");
	service_restart(module, "named");
	expect("");
	service_restart(module, "any");
	expect(" -any +any");
	network_went_down(module, NETWORK_SOFTAP);
	expect(" -only -any");

	/* A word in its variable leaves it no choice. */
	set(module, "broadcast.interface", "softap");
	set(module, "ntp.interface", "softap");
	network_went_up(module, NETWORK_WLAN, &address);
	expect("");
	network_went_up(module, NETWORK_SOFTAP, &address);
	expect(" +named +any +only");
	network_went_down(module, NETWORK_SOFTAP);
	expect(" -only -any -named");
	fixture_close(&fixture);
	notes[0] = '\0';
}

/* At the end of all, nothing moves to the interface that is still up. */
static void
test_end(void **state)
{
	const struct link_address address = { .ip.s_addr = 0x0100007F };
	struct fixture fixture;

	(void)state;
	fixture_open(&fixture, NULL);
	module_add_service(fixture.module, &any, (char *)(uintptr_t)any.name);
	module_boot(fixture.module);
	fixture_turn(&fixture);
	network_went_down(fixture.module, NETWORK_WLAN);
	network_went_up(fixture.module, NETWORK_SOFTAP, &address);
	network_went_up(fixture.module, NETWORK_WLAN, &address);
	notes[0] = '\0';
	fixture_close(&fixture);
	expect(" -any");
}

/* Only while it runs. */
static void
test_listeners(void **state)
{
	struct listener listener = { .service = "s", .scheme = "udp" };
	struct fixture fixture;

	(void)state;
	fixture_open(&fixture, NULL);
	module_add_service(fixture.module, &curious, (char *)(uintptr_t)curious.name);
	module_add_service(fixture.module, &always, (char *)(uintptr_t)always.name);
	module_boot(fixture.module);
	fixture_turn(&fixture);
	notes[0] = '\0';
	module_add_listener(fixture.module, &listener);
	expect(" !curious");
	module_remove_listener(fixture.module, &listener);
	expect(" !curious");
	network_went_down(fixture.module, NETWORK_WLAN);
	expect(" -curious");
	module_add_listener(fixture.module, &listener);
	module_remove_listener(fixture.module, &listener);
	expect("");
	fixture_close(&fixture);
	notes[0] = '\0';
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interfaces),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
