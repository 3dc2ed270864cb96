#include "core/service.h"

#include "core/module.h"

void
service_start_all(struct module *module, enum network_interface interface)
{
	struct service *service;

	if (module->safe_mode)
		return;
	TAILQ_FOREACH (service, &module->services, entry) {
		const char *variable = service->ops->interface;
		enum network_interface wanted =
		    variable == NULL ? NETWORK_DEFAULT
				     : network_interface_of(module, variable);

		if (service->is_started || wanted != interface)
			continue;
		service->is_started = true;
		service->interface = interface;
		service->ops->start(service->arg);
	}
}

void
service_stop_all(struct module *module, enum network_interface interface)
{
	struct service *service;

	TAILQ_FOREACH_REVERSE(service, &module->services, service_list, entry)
	{
		if (!service->is_started || service->interface != interface)
			continue;
		service->is_started = false;
		service->ops->stop(service->arg);
	}
}
