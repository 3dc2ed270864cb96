#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "base/number.h"
#include "base/xmalloc.h"
#include "cmd/table.h"
#include "core/module.h"
#include "core/net.h"
#include "core/request.h"
#include "core/session.h"
#include "core/variable.h"
#include "store/flash.h"
#include "stream/udp.h"

/* The commands that open and serve sockets. Reference: command notes, section 7. */

#define SOCKET_LOOKUP_MS 10000

static const char *const socket_interfaces[] = { "wlan", "softap", NULL };
static const char *const socket_actions[] = { "start", "stop", "status", NULL };
static const char *const socket_udp_actions[] = { "start", "stop", "status", "write",
	NULL };

/* A client stream on its way. */
struct socket_open {
	struct request *request;
	struct net_open *open; /* its own */
};

static void
socket_open_cancel(void *op)
{
	struct socket_open *self = op;

	net_open_cancel(self->open);
	free(self);
}

static void
socket_opened(void *arg, int handle)
{
	struct socket_open *self = arg;
	struct request *request = self->request;

	free(self);
	if (handle == -1) {
		request_finish(request, RESULT_FAILED);
		return;
	}
	response_line(&request->response, "%d", handle);
	request_finish(request, RESULT_OK);
}

static enum result
socket_open(struct request *request, enum net_protocol protocol, const char *host,
    int64_t port, int64_t local_port)
{
	struct module *module = request->session->module;
	struct net_target target = { .protocol = protocol,
		.interface =
		    network_interface(module, args_text(request->args, "interface")),
		.host = host,
		.port = (uint16_t)port,
		.local_port = (uint16_t)local_port,
		.ca_file = args_text(request->args, "ca_file") };
	struct socket_open *self;

	self = xcalloc(1, sizeof *self);
	self->request = request;
	self->open = net_open_start(module, &target, socket_opened, self);
	if (self->open == NULL) {
		free(self);
		return RESULT_FAILED;
	}
	return request_defer(
	    request, net_open_timeout_ms(module, protocol), socket_open_cancel, self);
}

/* The local port: an option, a third argument, or what the variable says. */
static int64_t
socket_local_port(const struct request *request, const char *variable)
{
	const struct module *module = request->session->module;
	int64_t port = 0;

	if (variable_exists(module, variable))
		port = variable_number(module, variable);
	port = args_number(request->args, "local_port", port);
	return args_number(request->args, "local", port);
}

/* The variables that stand for arguments which are not given. */
struct socket_client {
	const char *host, *port, *local_port;
};

static const struct socket_client socket_tcp = { "tcp.client.remote_host",
	"tcp.client.remote_port", "tcp.client.local_port" };
static const struct socket_client socket_udp = { "udp.client.remote_host",
	"udp.client.remote_port", "udp.client.local_port" };

/* Without a host it connects where the variables say. */
static enum result
socket_client_run(struct request *request, enum net_protocol protocol,
    const struct socket_client *client)
{
	const struct module *module = request->session->module;
	const char *host = args_text(request->args, "host");
	int64_t port = args_number(request->args, "port", 0);

	if (host == NULL) {
		host = variable_text(module, client->host);
		port = variable_number(module, client->port);
	}
	if (*host == '\0' || port == 0)
		return RESULT_TOO_FEW_ARGUMENTS;
	return socket_open(request, protocol, host, port,
	    socket_local_port(request, client->local_port));
}

static enum result
tcp_client_run(struct request *request)
{
	return socket_client_run(
	    request, net_tcp_client(request->session->module), &socket_tcp);
}

static enum result
tls_client_run(struct request *request)
{
	return socket_client_run(request, NET_TLS, &socket_tcp);
}

static enum result
udp_client_run(struct request *request)
{
	return socket_client_run(request, NET_UDP, &socket_udp);
}

/* start, stop and status of a server. */
static enum result
socket_server(struct request *request, enum net_protocol protocol, const char *action,
    const char *port_variable, int64_t given_port)
{
	struct module *module = request->session->module;
	uint16_t running = net_server_port(module, protocol);

	if (strcmp(action, "status") == 0) {
		response_line(&request->response, "%d", running != 0);
		return RESULT_OK;
	}
	if (strcmp(action, "stop") == 0) {
		if (running == 0 || (given_port != 0 && given_port != running))
			return RESULT_FAILED;
		net_server_stop(module, protocol);
		return request_success(request);
	}
	if (given_port == 0)
		given_port = variable_number(module, port_variable);
	if (net_server_start(module, protocol,
		network_interface(module, args_text(request->args, "interface")),
		(uint16_t)given_port) == -1)
		return RESULT_FAILED;
	return request_success(request);
}

static enum result
tcp_server_run(struct request *request)
{
	return socket_server(request, NET_TCP, args_text(request->args, "action"),
	    "tcp.server.port", args_number(request->args, "port", 0));
}

/* Chosen: without a port it takes that of the TCP server; it has no variables of its
 * own. */
static enum result
tls_server_run(struct request *request)
{
	return socket_server(request, NET_TLS, args_text(request->args, "action"),
	    "tcp.server.port", args_number(request->args, "port", 0));
}

/* Reference: network notes, 3.4: "udp_server write <size> <ip> <port>" and the data. */
static enum result
udp_server_write(struct request *request)
{
	struct stream *server = net_udp_server(request->session->module);
	size_t size = request_payload_length(request);
	struct sockaddr_in peer = { .sin_family = AF_INET };
	const char *address = args_text(request->args, "ip");
	int64_t port = args_number(request->args, "remote_port", 0);

	if (address == NULL || port == 0)
		return RESULT_TOO_FEW_ARGUMENTS;
	if (inet_pton(AF_INET, address, &peer.sin_addr) != 1)
		return RESULT_INVALID_ARGUMENT;
	if (server == NULL)
		return RESULT_FAILED;
	peer.sin_port = htons((uint16_t)port);
	if (network_route(request->session->module, "udp", &peer) == -1)
		return RESULT_FAILED;
	if (udp_stream_send(server, &peer,
		size == 0 ? (const unsigned char *)""
			  : evbuffer_pullup(request->payload, (ev_ssize_t)size),
		size) == 0)
		return request_success(request);
	return errno == EMSGSIZE ? RESULT_BOUNDS_ERROR : RESULT_FAILED;
}

static enum result
udp_server_run(struct request *request)
{
	const char *action = args_text(request->args, "action");
	int64_t number = args_number(request->args, "port|size", 0);

	if (strcmp(action, "write") == 0)
		return udp_server_write(request);
	if (args_has(request->args, "ip"))
		return RESULT_TOO_MANY_ARGUMENTS;
	if (number > 65535)
		return RESULT_INVALID_ARGUMENT;
	return socket_server(request, NET_UDP, action, "udp.server.port", number);
}

struct socket_lookup {
	struct request *request;
	struct net_lookup *lookup; /* its own */
};

static void
socket_lookup_cancel(void *op)
{
	struct socket_lookup *self = op;

	net_lookup_cancel(self->lookup);
	free(self);
}

static void
socket_looked_up(void *arg, const char *address)
{
	struct socket_lookup *self = arg;
	struct request *request = self->request;

	free(self);
	if (address != NULL)
		response_line(&request->response, "%s", address);
	request_finish(request, address == NULL ? RESULT_FAILED : RESULT_OK);
}

static enum result
network_lookup_run(struct request *request)
{
	struct socket_lookup *self = xcalloc(1, sizeof *self);

	self->request = request;
	self->lookup = net_lookup_start(request->session->module,
	    args_text(request->args, "host"), socket_looked_up, self);
	return request_defer(request, SOCKET_LOOKUP_MS, socket_lookup_cancel, self);
}

/* What the arguments of all clients begin with. */
#define SOCKET_CLIENT_ARGS                                                             \
	{ .name = "interface",                                                         \
		.type = ARG_OPTION_CHOICE,                                             \
		.choices = socket_interfaces },                                        \
	    { .name = "local", .type = ARG_OPTION_NUMBER, .min = 1, .max = 65535 },    \
	    { .name = "host", .optional = true, .min = 1, .max = NET_HOST_MAX },       \
	{                                                                              \
		.name = "port", .type = ARG_NUMBER, .optional = true, .min = 1,        \
		.max = 65535                                                           \
	}

static const struct arg_spec client_args[] = {
	SOCKET_CLIENT_ARGS,
	{ .name = "local_port", .type = ARG_NUMBER, .optional = true, .max = 65535 },
	{ .name = NULL },
};

/* Reference: command notes, 7: a file of certificates where the others have a local
 * port. */
static const struct arg_spec tls_client_args[] = {
	SOCKET_CLIENT_ARGS,
	{ .name = "ca_file", .optional = true, .min = 1, .max = FLASH_NAME_MAX },
	{ .name = NULL },
};

static const struct arg_spec server_args[] = {
	{ .name = "action", .type = ARG_CHOICE, .choices = socket_actions },
	{ .name = "port",
	    .type = ARG_NUMBER,
	    .optional = true,
	    .min = 1,
	    .max = 65535 },
	{ .name = "interface",
	    .type = ARG_OPTION_CHOICE,
	    .choices = socket_interfaces },
	{ .name = NULL },
};

static const struct arg_spec udp_server_args[] = {
	{ .name = "action", .type = ARG_CHOICE, .choices = socket_udp_actions },
	{ .name = "port|size",
	    .type = ARG_NUMBER,
	    .optional = true,
	    .max = SESSION_PAYLOAD_MAX },
	{ .name = "ip", .optional = true, .min = 7, .max = 15 },
	{ .name = "remote_port",
	    .type = ARG_NUMBER,
	    .optional = true,
	    .min = 1,
	    .max = 65535 },
	{ .name = "interface",
	    .type = ARG_OPTION_CHOICE,
	    .choices = socket_interfaces },
	{ .name = NULL },
};

static const struct arg_spec lookup_args[] = {
	{ .name = "host", .min = 1, .max = NET_HOST_MAX },
	{ .name = NULL },
};

const struct command socket_commands[] = {
	{ .name = "network_lookup",
	    .alias = "nlo",
	    .args = lookup_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = network_lookup_run,
	    .help = "Look a host name up." },
	{ .name = "tcp_client",
	    .alias = "tcpc",
	    .args = client_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = tcp_client_run,
	    .help = "Connect to a TCP server; answers the stream handle." },
	{ .name = "tcp_server",
	    .alias = "tcps",
	    .args = server_args,
	    .network_action = "start",
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = tcp_server_run,
	    .help = "Start or stop the TCP server, or say whether it runs." },
	{ .name = "tls_client",
	    .alias = "tlsc",
	    .args = tls_client_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = tls_client_run,
	    .help = "Connect to a TLS server; answers the stream handle." },
	{ .name = "tls_server",
	    .alias = "tlss",
	    .args = server_args,
	    .network_action = "start",
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = tls_server_run,
	    .help = "Start or stop the TLS server, or say whether it runs." },
	{ .name = "udp_client",
	    .alias = "udpc",
	    .args = client_args,
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = udp_client_run,
	    .help = "Open a UDP stream to a host; answers the stream handle." },
	{ .name = "udp_server",
	    .alias = "udps",
	    .args = udp_server_args,
	    .payload = "port|size",
	    .payload_action = "write",
	    .network_action = "start",
	    .flags = COMMAND_NETWORK | COMMAND_NOT_IN_SAFE_MODE,
	    .run = udp_server_run,
	    .help = "Start or stop the UDP server, or send a datagram from it." },
	{ .name = NULL },
};
