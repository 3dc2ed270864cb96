#include "core/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/net_state.h"
#include "stream/tcp.h"

#define LISTENER_PAUSE_S 1 /* when descriptors have run out */

void
listener_set(struct listener *listener, const struct module *module,
    const char *service, const char *scheme, uint16_t module_port)
{
	listener_set_over(listener, module, service_interface(module, service), service,
	    scheme, module_port);
}

void
listener_set_over(struct listener *listener, const struct module *module,
    enum network_interface interface, const char *service, const char *scheme,
    uint16_t module_port)
{
	struct in_addr address = network_bound_address(module, interface);

	listener->service = service;
	listener->scheme = scheme;
	listener->module_port = module_port;
	listener->port = settings_host_port(&module->own->network, module_port);
	inet_ntop(AF_INET, &address, listener->address, sizeof listener->address);
}

static void
listener_update(struct listener *listener)
{
	if (listener->is_held) {
		evconnlistener_disable(listener->accepting);
		event_del(listener->knock);
	} else {
		evconnlistener_enable(listener->accepting);
		event_add(listener->knock, NULL);
	}
}

static void
listener_pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	listener_update(arg);
}

/* The argument is that of whoever accepts, evhttp perhaps, and the listener is not
 * known here; listener_knocked() sees to the rest. */
static void
listener_failed(struct evconnlistener *accepting, void *arg)
{
	(void)arg;
	evconnlistener_disable(accepting);
}

/* A client waits. Without a descriptor for it, accept would fail without end. */
static void
listener_knocked(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pause = { .tv_sec = LISTENER_PAUSE_S };
	struct listener *listener = arg;
	int spare = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	(void)what;
	if (spare != -1) {
		close(spare);
		evconnlistener_enable(listener->accepting);
		return;
	}
	log_msg(LOG_WARNING, listener->module->own->name,
	    "%s: connections have to wait: %s", listener->service, strerror(errno));
	event_del(listener->knock);
	event_add(listener->pause, &pause);
}

int
listener_accept(struct listener *listener, struct module *module,
    evconnlistener_cb accepted, void *arg)
{
	struct tcp_keepalive keepalive = net_keepalive(module);
	int fd = tcp_listen(listener->address, listener->port, &keepalive);

	if (fd == -1) {
		listener_log_failure(listener, module);
		return -1;
	}
	listener->port = tcp_port_near(fd);
	listener->module = module;
	listener->is_held = false;
	listener->pause =
	    xcheck(event_new(module->base, -1, 0, listener_pause_over, listener));
	listener->accepting = xcheck(evconnlistener_new(module->base, accepted, arg,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd));
	listener->knock = xcheck(event_new(
	    module->base, fd, EV_READ | EV_PERSIST, listener_knocked, listener));
	event_add(listener->knock, NULL);
	evconnlistener_set_error_cb(listener->accepting, listener_failed);
	module_add_listener(module, listener);
	return 0;
}

void
listener_show(struct listener *listener, struct module *module, int fd)
{
	listener->port = tcp_port_near(fd);
	listener->module = module;
	module_add_listener(module, listener);
}

void
listener_hide(struct listener *listener)
{
	module_remove_listener(listener->module, listener);
}

void
listener_hold(struct listener *listener, bool held)
{
	if (listener->is_held == held)
		return;
	listener->is_held = held;
	if (listener->accepting != NULL)
		listener_update(listener);
}

void
listener_forget(struct listener *listener)
{
	module_remove_listener(listener->module, listener);
	event_free(listener->pause);
	event_free(listener->knock);
	listener->pause = listener->knock = NULL;
	listener->accepting = NULL;
}

void
listener_close(struct listener *listener)
{
	struct evconnlistener *accepting = listener->accepting;

	if (accepting == NULL)
		return;
	listener_forget(listener);
	evconnlistener_free(accepting);
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
