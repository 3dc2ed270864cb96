#include "front/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/log.h"
#include "base/number.h"
#include "base/xmalloc.h"
#include "core/module.h"

#define CONTROL_BACKLOG 16 /* connections that the kernel queues */
#define CONTROL_ERROR_MAX 256 /* bytes of an error's text */
#define CONTROL_PAUSE_S 1 /* when descriptors have run out */

struct control_client {
	struct control *control; /* borrowed */
	struct bufferevent *bev; /* owned */
	struct control_watch *watch; /* owned; NULL: none */
	unsigned long lost; /* lines not told for want of room */
	char error[CONTROL_ERROR_MAX]; /* control_fail() */
	bool is_ending; /* has sent all that it will */
	TAILQ_ENTRY(control_client) entry;
};

struct control {
	struct event_base *base; /* borrowed */
	const struct control_host *host; /* borrowed */
	char *path; /* owned */
	struct evconnlistener *listener; /* owned */
	struct event *pause; /* owned; ends a pause for want of descriptors */
	TAILQ_HEAD(, control_client) clients;
	unsigned client_count;
};

static json_t *control_help_run(
    struct control_client *client, const struct control_line *line);

/* For all commands that are about no family. */
static json_t *
control_modules_run(struct control_client *client, const struct control_line *line)
{
	const struct control_host *host = client->control->host;
	json_t *list = json_array();

	(void)line;
	for (size_t i = 0; i < host->module_count(host->arg); i++) {
		const struct module *module = host->module_at(host->arg, i);

		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "name", module->own->name, "profile",
			module->profile->name, "state", module_state_name(module)));
	}
	return json_pack("{s:o}", "modules", list);
}

static const struct control_command control_commands[] = {
	{ .name = "help", .run = control_help_run, .help = "List the commands." },
	{ .name = "modules", .run = control_modules_run, .help = "List the modules." },
	{ .name = NULL },
};

static const struct control_command *const control_tables[] = {
	control_commands,
	control_air_commands,
	control_gpio_commands,
	NULL,
};

static json_t *
control_help_run(struct control_client *client, const struct control_line *line)
{
	json_t *list = json_array();

	(void)client;
	(void)line;
	for (size_t i = 0; control_tables[i] != NULL; i++) {
		for (const struct control_command *command = control_tables[i];
		     command->name != NULL; command++) {
			char *usage = xasprintf("%s%s%s", command->name,
			    command->usage == NULL ? "" : " ",
			    command->usage == NULL ? "" : command->usage);

			json_array_append_new(list, json_pack("{s:s, s:s}", "usage",
							usage, "help", command->help));
			free(usage);
		}
	}
	return json_pack("{s:o}", "commands", list);
}

static const struct control_command *
control_find(const char *name)
{
	for (size_t i = 0; control_tables[i] != NULL; i++) {
		for (const struct control_command *command = control_tables[i];
		     command->name != NULL; command++) {
			if (strcmp(command->name, name) == 0)
				return command;
		}
	}
	return NULL;
}

/* Clients */

/* After it has left the list. */
static void
control_client_free(struct control_client *client)
{
	if (client->watch != NULL)
		client->watch->free(client->watch);
	bufferevent_free(client->bev);
	free(client);
}

static void
control_client_end(struct control_client *client)
{
	TAILQ_REMOVE(&client->control->clients, client, entry);
	client->control->client_count--;
	control_client_free(client);
}

static size_t
control_waiting(const struct control_client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->bev));
}

/* Takes the object. */
static void
control_send(struct control_client *client, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (text != NULL) {
		evbuffer_add_printf(bufferevent_get_output(client->bev), "%s\n", text);
		free(text);
	}
	json_decref(object);
}

void
control_tell(struct control_client *client, json_t *object)
{
	if (control_waiting(client) < CONTROL_OUTPUT_MAX) {
		control_send(client, object);
		return;
	}
	client->lost++;
	json_decref(object);
}

json_t *
control_fail(struct control_client *client, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(client->error, sizeof client->error, fmt, ap);
	va_end(ap);
	return NULL;
}

const struct control_host *
control_client_host(const struct control_client *client)
{
	return client->control->host;
}

struct module *
control_module(struct control_client *client, const char *name)
{
	const struct control_host *host = client->control->host;

	for (size_t i = 0; i < host->module_count(host->arg); i++) {
		struct module *module = host->module_at(host->arg, i);

		if (strcmp(module->own->name, name) == 0)
			return module;
	}
	control_fail(client, "no module has this name; modules lists them");
	return NULL;
}

int
control_number(struct control_client *client, const char *word, const char *what,
    uint32_t max, uint32_t *number)
{
	int64_t value;

	if (number_parse(word, strlen(word), 0, max, &value) == -1) {
		control_fail(client, "the %s is a number from 0 to %u", what, max);
		return -1;
	}
	*number = (uint32_t)value;
	return 0;
}

void
control_client_watch(struct control_client *client, struct control_watch *watch)
{
	if (client->watch != NULL)
		client->watch->free(client->watch);
	client->watch = watch;
}

/* Cuts the line into words, in place; quotes hold one together that has blanks. -1:
 * there are too many. */
static int
control_split(char *text, struct control_line *line)
{
	char *rest = text;

	line->count = 0;
	while (rest != NULL) {
		bool is_quoted = *rest == '"';
		char *word = is_quoted ? rest + 1 : rest;

		rest = word;
		strsep(&rest, is_quoted ? "\"" : " \t\r");
		if (*word == '\0' && !is_quoted)
			continue;
		if (line->count == CONTROL_WORDS_MAX)
			return -1;
		line->words[line->count++] = word;
	}
	return 0;
}

static json_t *
control_run(struct control_client *client, char *text, struct control_line *line)
{
	const struct control_command *command;

	if (control_split(text, line) == -1)
		return control_fail(client, "more than %d words", CONTROL_WORDS_MAX);
	command = line->count == 0 ? NULL : control_find(line->words[0]);
	if (command == NULL)
		return control_fail(client, "unknown command; help lists them");
	if (line->count - 1 < command->min || line->count - 1 > command->max)
		return control_fail(client, "usage: %s %s", command->name,
		    command->usage == NULL ? "" : command->usage);
	return command->run(client, line);
}

static void
control_answer(struct control_client *client, char *text, size_t len)
{
	struct control_line line;
	json_t *answer;

	if (strlen(text) != len)
		answer = control_fail(client, "the line holds a NUL");
	else
		answer = control_run(client, text, &line);
	if (answer == NULL)
		answer = json_pack("{s:s}", "error", client->error);
	if (answer == NULL) /* what the client sent is not UTF-8 */
		answer = json_pack("{s:s}", "error", "not UTF-8");
	control_send(client, answer);
}

/* Takes lines while their answers find room. */
static void
control_read(struct bufferevent *bev, void *arg)
{
	struct control_client *client = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	char *text;
	size_t len;

	while (control_waiting(client) < CONTROL_OUTPUT_MAX &&
	       (text = evbuffer_readln(input, &len, EVBUFFER_EOL_LF)) != NULL) {
		control_answer(client, text, len);
		free(text);
	}
	if (control_waiting(client) >= CONTROL_OUTPUT_MAX ||
	    evbuffer_get_length(input) <= CONTROL_LINE_MAX)
		return;
	control_send(client, json_pack("{s:s}", "error", "the line is too long"));
	evbuffer_drain(input, evbuffer_get_length(input));
	bufferevent_disable(bev, EV_READ);
	client->is_ending = true;
}

/* All output has left. */
static void
control_written(struct bufferevent *bev, void *arg)
{
	struct control_client *client = arg;
	unsigned long lost = client->lost;

	client->lost = 0;
	if (lost > 0)
		control_send(client, json_pack("{s:I}", "lost", (json_int_t)lost));
	control_read(bev, client);
	if (client->is_ending && control_waiting(client) == 0)
		control_client_end(client);
}

/* A client that has said all, as socat does at the end of its input, gets its answers
 * still. */
static void
control_ended(struct bufferevent *bev, short what, void *arg)
{
	struct control_client *client = arg;

	if ((what & BEV_EVENT_EOF) != 0 && client->watch == NULL) {
		client->is_ending = true;
		bufferevent_disable(bev, EV_READ);
		control_read(bev, client);
		if (control_waiting(client) > 0)
			return;
	}
	control_client_end(client);
}

/* The socket */

static void
control_accepted(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct control *control = arg;
	struct control_client *client = xcalloc(1, sizeof *client);

	(void)listener;
	(void)address;
	(void)len;
	client->control = control;
	client->bev = xcheck(bufferevent_socket_new(
	    control->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS));
	TAILQ_INSERT_TAIL(&control->clients, client, entry);
	control->client_count++;
	bufferevent_setcb(
	    client->bev, control_read, control_written, control_ended, client);
	bufferevent_setwatermark(client->bev, EV_READ, 0, CONTROL_LINE_MAX + 1);
	if (control->client_count <= CONTROL_CLIENTS_MAX) {
		bufferevent_enable(client->bev, EV_READ | EV_WRITE);
		return;
	}
	bufferevent_disable(client->bev, EV_READ);
	control_send(client, json_pack("{s:s}", "error", "too many clients"));
	client->is_ending = true;
}

static void
control_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(control->listener);
}

/* Without a descriptor accept would fail without end; clients wait. */
static void
control_failed(struct evconnlistener *listener, void *arg)
{
	static const struct timeval pause = { .tv_sec = CONTROL_PAUSE_S };
	struct control *control = arg;

	log_msg(
	    LOG_WARNING, "control", "connections have to wait: %s", strerror(errno));
	evconnlistener_disable(listener);
	event_add(control->pause, &pause);
}

static int
control_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, result = -1, saved_errno;
	mode_t mask;

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (unlink(path) == -1 && errno != ENOENT)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	mask = umask(0117);
	result = bind(fd, (struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (result == 0 && listen(fd, CONTROL_BACKLOG) == 0)
		return fd;
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return -1;
}

struct control *
control_new(struct event_base *base, const char *path, const struct control_host *host)
{
	int fd = control_listen(path);
	struct control *control;

	if (fd == -1) {
		log_msg(LOG_ERR, "control", "cannot listen on %s: %s", path,
		    strerror(errno));
		return NULL;
	}
	control = xcalloc(1, sizeof *control);
	control->base = base;
	control->host = host;
	control->path = xstrdup(path);
	TAILQ_INIT(&control->clients);
	control->pause = xcheck(event_new(base, -1, 0, control_pause_over, control));
	control->listener = xcheck(evconnlistener_new(base, control_accepted, control,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd));
	evconnlistener_set_error_cb(control->listener, control_failed);
	return control;
}

void
control_free(struct control *control)
{
	struct control_client *client;

	if (control == NULL)
		return;
	while ((client = TAILQ_FIRST(&control->clients)) != NULL) {
		TAILQ_REMOVE(&control->clients, client, entry);
		control_client_free(client);
	}
	evconnlistener_free(control->listener);
	event_free(control->pause);
	unlink(control->path);
	free(control->path);
	free(control);
}
