#include "core/service.h"

#include <string.h>

#include "core/module.h"
#include "core/variable.h"

/* Whether a service runs over the interface when that is up. */
static bool
service_wants(const struct module *module, const struct service_ops *ops,
    enum network_interface interface)
{
	if (ops->interface == NULL || interface == NETWORK_DEFAULT)
		return ops->interface == NULL && interface == NETWORK_DEFAULT;
	if (ops->serves_setup && module->setup != NULL)
		return interface == NETWORK_SOFTAP;
	if (ops->takes_any && variable_exists(module, ops->interface) &&
	    strcmp(variable_text(module, ops->interface), "default") == 0)
		return true;
	return network_interface_of(module, ops->interface) == interface;
}

static void
service_start(
    struct module *module, struct service *service, enum network_interface interface)
{
	if (module->safe_mode || service->is_started ||
	    !service_wants(module, service->ops, interface))
		return;
	service->is_started = true;
	service->interface = interface;
	service->ops->start(service->arg);
}

static void
service_stop(struct service *service)
{
	if (!service->is_started)
		return;
	service->is_started = false;
	service->ops->stop(service->arg);
}

/* Over whichever interface is up that it wants, but not over one. */
static void
service_start_over_others(
    struct module *module, struct service *service, enum network_interface except)
{
	for (unsigned i = NETWORK_WLAN; i < NETWORK_INTERFACES; i++) {
		if (i != except && network_state(module, i) == NETWORK_UP)
			service_start(module, service, i);
	}
}

void
service_start_all(struct module *module, enum network_interface interface)
{
	struct service *service;

	TAILQ_FOREACH (service, &module->services, entry)
		service_start(module, service, interface);
}

void
service_stop_all(struct module *module, enum network_interface interface)
{
	struct service *service;

	TAILQ_FOREACH_REVERSE(service, &module->services, service_list, entry)
	{
		if (!service->is_started || service->interface != interface)
			continue;
		service_stop(service);
		if (service->ops->takes_any && module->state != MODULE_OFF)
			service_start_over_others(module, service, interface);
	}
}

void
service_tell_listeners(const struct module *module)
{
	const struct service *service;

	TAILQ_FOREACH (service, &module->services, entry) {
		if (service->is_started && service->ops->listeners != NULL)
			service->ops->listeners(service->arg);
	}
}

enum network_interface
service_interface(const struct module *module, const char *name)
{
	const struct service *service;

	TAILQ_FOREACH (service, &module->services, entry) {
		if (service->is_started && strcmp(service->ops->name, name) == 0)
			return service->interface;
	}
	return NETWORK_DEFAULT;
}

void
service_restart(struct module *module, const char *name)
{
	struct service *service;

	if (module->state == MODULE_OFF)
		return;
	TAILQ_FOREACH (service, &module->services, entry) {
		if (strcmp(service->ops->name, name) != 0)
			continue;
		service_stop(service);
		service_start_over_others(module, service, NETWORK_DEFAULT);
	}
}
