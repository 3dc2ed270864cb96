#include "core/listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/module.h"
#include "core/net_state.h"
#include "stream/tcp.h"

void
listener_set(struct listener *listener, const struct module *module,
    const char *service, const char *scheme, uint16_t module_port)
{
	listener->service = service;
	listener->scheme = scheme;
	listener->module_port = module_port;
	listener->port = settings_host_port(&module->own->network, module_port);
	snprintf(listener->address, sizeof listener->address, "%s",
	    module->own->network.address);
}

int
listener_open_tcp(struct listener *listener, const struct module *module)
{
	struct tcp_keepalive keepalive = net_keepalive(module);
	int fd = tcp_listen(listener->address, listener->port, &keepalive);

	if (fd == -1)
		listener_log_failure(listener, module);
	else
		listener->port = tcp_port_near(fd);
	return fd;
}

void
listener_log_failure(const struct listener *listener, const struct module *module)
{
	log_msg(LOG_ERR, module->own->name, "%s: cannot listen on %s:%u: %s",
	    listener->scheme, listener->address, listener->port, strerror(errno));
}

void
listener_warn_if_open(const struct listener *listener, const struct module *module,
    bool has_password, const char *advice)
{
	if (!has_password && strncmp(listener->address, "127.", 4) != 0)
		log_msg(LOG_WARNING, module->own->name,
		    "%s:%u can be reached from outside and asks for no password; set "
		    "%s",
		    listener->address, listener->port, advice);
}
