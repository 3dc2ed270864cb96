#include "daemon/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "core/module.h"
#include "core/network.h"
#include "daemon/notify.h"
#include "daemon/reload.h"
#include "daemon/rules.h"
#include "daemon/status.h"
#include "device/air.h"
#include "device/interface_claim.h"
#include "device/radio_interface.h"
#include "front/control.h"
#include "front/serial.h"
#include "front/terminal.h"
#include "front/web/server.h"
#include "service/autoconnect.h"
#include "service/broadcast.h"
#include "service/dhcp_server.h"
#include "service/dms.h"
#include "service/dns_server.h"
#include "service/ioconn.h"
#include "service/mdns.h"
#include "service/ntp.h"
#include "service/setup.h"

#define HOST_STATUS_MS 3 /* that writing status files may keep the loop at a time */

#define HOST_INTERFACES 2 /* of a module: wlan and softap */

/* A module and what the process keeps of it. */
struct hosted {
	struct host *host; /* borrowed */
	struct module *module; /* owned */
	char *directory; /* owned: RUNTIME_DIR/<name> */
	bool status_is_old;
	int claims[HOST_INTERFACES]; /* descriptors, or -1 */
};

struct host {
	const struct options *options; /* borrowed */
	struct event_base *base; /* owned */
	struct rules rules;
	struct settings *settings; /* owned */
	struct air *air; /* owned */
	struct hosted *modules; /* owned, in the order of the settings */
	size_t module_count;
	struct control_host control_host;
	struct control *control; /* owned; NULL: it could not be had */
	struct event *terminated, *interrupted, *hung_up; /* owned */
	struct event *status_writer; /* owned; writes the old status files anew */
	int state_lock, runtime_lock; /* descriptors, or -1 */
	bool is_running;
};

/* What libevent says, in our form. */
static void
host_log_libevent(int severity, const char *text)
{
	static const int priorities[] = { [EVENT_LOG_DEBUG] = LOG_DEBUG,
		[EVENT_LOG_MSG] = LOG_INFO,
		[EVENT_LOG_WARN] = LOG_WARNING,
		[EVENT_LOG_ERR] = LOG_ERR };

	log_msg(severity >= EVENT_LOG_DEBUG && severity <= EVENT_LOG_ERR
		    ? priorities[severity]
		    : LOG_WARNING,
	    "libevent", "%s", text);
}

static void
host_log_fault(void *arg, const char *text)
{
	(void)arg;
	log_msg(LOG_ERR, "configuration", "%s", text);
}

int
host_check(const struct options *options)
{
	struct settings *settings;
	struct rules rules;

	rules_init(&rules);
	settings = settings_read(
	    options->configuration, &rules.settings, host_log_fault, NULL);
	if (settings != NULL)
		printf("%s: no faults\n", options->configuration);
	settings_free(settings);
	rules_clear(&rules);
	return settings == NULL ? -1 : 0;
}

/* A thousand modules need more descriptors than the usual soft limit. */
static void
host_raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		log_msg(
		    LOG_INFO, "host", "descriptor limit stays: %s", strerror(errno));
}

static void
host_log_lock(const char *path)
{
	log_msg(LOG_ERR, "host", "cannot lock %s: %s", path, strerror(errno));
}

/* One daemon to a state directory; the file says which. The descriptor, or -1, and the
 * cause is logged. */
static int
host_lock_state(const char *directory)
{
	char *path = xasprintf("%s/.lock", directory), pid[32] = "";
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd == -1) {
		host_log_lock(path);
	} else if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (read(fd, pid, sizeof pid - 1) <= 0)
			snprintf(pid, sizeof pid, "unknown");
		log_msg(LOG_ERR, "host",
		    "another zentrid (pid %s) uses the state directory %s; give this "
		    "one a "
		    "directory of its own with -s",
		    pid, directory);
		close(fd);
		fd = -1;
	} else {
		snprintf(pid, sizeof pid, "%jd", (intmax_t)getpid());
		if (ftruncate(fd, 0) == -1 || write(fd, pid, strlen(pid)) == -1)
			log_msg(LOG_INFO, "host", "%s stays empty: %s", path,
			    strerror(errno));
	}
	free(path);
	return fd;
}

/* Likewise for the runtime directory, which is locked itself: nothing is left in it. */
static int
host_lock_runtime(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1) {
		host_log_lock(directory);
	} else if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		log_msg(LOG_ERR, "host",
		    "another zentrid uses the runtime directory %s; give this one a "
		    "directory of its own with -r",
		    directory);
		close(fd);
		fd = -1;
	}
	return fd;
}

static int
host_lock_directories(struct host *host)
{
	host->state_lock = host_lock_state(host->options->state_directory);
	if (host->state_lock == -1)
		return -1;
	host->runtime_lock = host_lock_runtime(host->options->runtime_directory);
	return host->runtime_lock == -1 ? -1 : 0;
}

static int
host_make_directories(const struct options *options)
{
	const char *paths[] = { options->state_directory, options->runtime_directory };
	const mode_t modes[] = { 0700, 0755 };

	for (size_t i = 0; i < 2; i++) {
		if (file_make_directories(paths[i], modes[i]) == -1) {
			log_msg(LOG_ERR, "host", "cannot make %s: %s", paths[i],
			    strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* A few milliseconds of it at a time, or the loop would stand still while a thousand
 * modules join their network. */
static void
host_write_status(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval now = { 0 };
	int64_t end = clock_monotonic_ms() + HOST_STATUS_MS;
	struct host *host = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < host->module_count; i++) {
		struct hosted *hosted = &host->modules[i];

		if (!hosted->status_is_old)
			continue;
		if (host->is_running && clock_monotonic_ms() >= end) {
			event_add(host->status_writer, &now);
			return;
		}
		hosted->status_is_old = false;
		status_write(hosted->module, hosted->directory);
	}
}

/* Called by modules, often several times in a row; the files follow on the next turn.
 */
static void
host_module_changed(void *arg, struct module *module)
{
	struct hosted *hosted = arg;

	(void)module;
	hosted->status_is_old = true;
	if (hosted->host->is_running)
		event_active(hosted->host->status_writer, EV_TIMEOUT, 0);
}

static void
host_end(evutil_socket_t signal_number, short what, void *arg)
{
	struct host *host = arg;

	(void)what;
	log_msg(LOG_INFO, "host", "ending on %s", strsignal((int)signal_number));
	event_base_loopbreak(host->base);
}

static void
host_reload(evutil_socket_t signal_number, short what, void *arg)
{
	struct host *host = arg;
	struct settings *settings;

	(void)signal_number;
	(void)what;
	notify_send("RELOADING=1");
	settings = settings_read(
	    host->options->configuration, &host->rules.settings, host_log_fault, NULL);
	if (settings == NULL)
		log_msg(
		    LOG_ERR, "configuration", "not reread; the old one stays in use");
	else
		reload_settings(host->settings, settings);
	settings_free(settings);
	notify_send("READY=1");
}

/* The settings have been checked. only: who hears the networks; NULL: all. */
static void
host_add_networks(
    struct host *host, const struct settings_air *settings, const struct radio *only)
{
	for (size_t i = 0; i < settings->network_count; i++) {
		struct air_network network = { .ssid = NULL };
		uint8_t bssid[MAC_OCTETS];
		const char *member;

		if (rules_network(&settings->networks[i], &network, bssid, &member) !=
			NULL ||
		    air_add(host->air, &network, only) == -1)
			log_msg(LOG_ERR, "configuration",
			    "the air has no room for the network %s",
			    settings->networks[i].ssid);
	}
}

/* Says that no other process is to look after the interfaces of a module. 0, or -1, and
 * the cause is logged. */
static int
host_claim_interfaces(struct hosted *hosted)
{
	const struct module_settings *own = hosted->module->own;
	const char *const names[HOST_INTERFACES] = { own->network.wlan,
		own->network.softap };

	for (size_t i = 0; i < HOST_INTERFACES; i++) {
		if (names[i] == NULL)
			continue;
		hosted->claims[i] = interface_claim(names[i]);
		if (hosted->claims[i] != -1)
			continue;
		log_msg(LOG_ERR, own->name, "cannot use the interface %s: %s", names[i],
		    errno == EADDRINUSE ? "another zentrid uses it" : strerror(errno));
		return -1;
	}
	return 0;
}

/* 0, or -1, and the cause is logged. */
static int
host_attach_radio(struct host *host, struct hosted *hosted)
{
	struct module *module = hosted->module;
	const struct settings_network *network = &module->own->network;
	uint8_t mac[MAC_OCTETS];
	struct radio *radio;

	if (settings_has_interfaces(network)) {
		const struct radio_interface_options options = {
			.names = { [RADIO_STATION] = network->wlan,
			    [RADIO_AP] = network->softap },
			.directories = { [RADIO_STATION] = network->wpa_supplicant,
			    [RADIO_AP] = network->hostapd },
		};

		if (host_claim_interfaces(hosted) == -1)
			return -1;
		radio = radio_interface_new(host->base, &options);
		if (radio == NULL) {
			log_msg(LOG_ERR, module->own->name,
			    "cannot watch the interfaces of this host: %s",
			    strerror(errno));
			return -1;
		}
		network_attach(module, radio);
		return 0;
	}
	mac_parse(module->mac, mac);
	radio = air_radio_new(host->air, mac);
	host_add_networks(host, &module->own->radio, radio);
	network_attach(module, radio);
	return 0;
}

static int
host_add_module(struct host *host, const struct module_settings *own)
{
	struct hosted *hosted = &host->modules[host->module_count];

	hosted->host = host;
	for (size_t i = 0; i < HOST_INTERFACES; i++)
		hosted->claims[i] = -1;
	hosted->module = module_new(
	    host->base, rules_catalog(&host->rules, own), host->settings, own);
	if (hosted->module == NULL)
		return -1;
	hosted->directory =
	    xasprintf("%s/%s", host->options->runtime_directory, own->name);
	host->module_count++;
	hosted->module->changed = host_module_changed;
	hosted->module->changed_arg = hosted;
	hosted->status_is_old = true;
	if (file_make_directories(hosted->directory, 0755) == -1) {
		log_msg(LOG_ERR, own->name, "cannot make %s: %s", hosted->directory,
		    strerror(errno));
		return -1;
	}
	if (own->has_serial && serial_attach(hosted->module, hosted->directory) == -1)
		return -1;
	if (host_attach_radio(host, hosted) == -1)
		return -1;
	autoconnect_attach(hosted->module);
	ioconn_attach(hosted->module);
	broadcast_attach(hosted->module);
	dhcp_server_attach(hosted->module);
	dns_server_attach(hosted->module);
	ntp_attach(hosted->module);
	dms_attach(hosted->module);
	setup_attach(hosted->module);
	/* Its lines come before that of the web server. Reference: network notes, 8.1.
	 */
	mdns_attach(hosted->module);
	terminal_attach(hosted->module);
	web_server_attach(hosted->module);
	return 0;
}

static size_t
host_module_count(void *arg)
{
	return ((const struct host *)arg)->module_count;
}

static struct module *
host_module_at(void *arg, size_t position)
{
	return ((const struct host *)arg)->modules[position].module;
}

/* Without it the modules still run; the cause is logged. */
static void
host_open_control(struct host *host)
{
	char *path = xasprintf("%s/control", host->options->runtime_directory);

	host->control_host.module_count = host_module_count;
	host->control_host.module_at = host_module_at;
	host->control_host.air = host->air;
	host->control_host.arg = host;
	host->control = control_new(host->base, path, &host->control_host);
	free(path);
}

static int
host_set_up(struct host *host)
{
	const struct options *options = host->options;

	host->settings = settings_read(
	    options->configuration, &host->rules.settings, host_log_fault, NULL);
	if (host->settings == NULL)
		return -1;
	host->settings->state_directory = xstrdup(options->state_directory);
	host->settings->runtime_directory = xstrdup(options->runtime_directory);
	if (host_make_directories(options) == -1 || host_lock_directories(host) == -1)
		return -1;
	host->air = air_new(host->base, host->settings->air.join_ms);
	host_add_networks(host, &host->settings->air, NULL);
	host->modules = xcalloc(host->settings->module_count, sizeof *host->modules);
	for (size_t i = 0; i < host->settings->module_count; i++) {
		if (host_add_module(host, &host->settings->modules[i]) == -1)
			return -1;
	}
	host_open_control(host);
	return 0;
}

struct host *
host_new(const struct options *options)
{
	struct host *host = xcalloc(1, sizeof *host);

	host->options = options;
	host->state_lock = host->runtime_lock = -1;
	rules_init(&host->rules);
	host_raise_descriptor_limit();
	signal(SIGPIPE, SIG_IGN);
	event_set_log_callback(host_log_libevent);
	host->base = xcheck(event_base_new());
	host->status_writer =
	    xcheck(event_new(host->base, -1, 0, host_write_status, host));
	host->terminated = xcheck(evsignal_new(host->base, SIGTERM, host_end, host));
	host->interrupted = xcheck(evsignal_new(host->base, SIGINT, host_end, host));
	host->hung_up = xcheck(evsignal_new(host->base, SIGHUP, host_reload, host));
	event_add(host->terminated, NULL);
	event_add(host->interrupted, NULL);
	event_add(host->hung_up, NULL);
	if (host_set_up(host) == -1) {
		host_free(host);
		return NULL;
	}
	return host;
}

void
host_run(struct host *host)
{
	for (size_t i = 0; i < host->module_count; i++) {
		const struct module *module = host->modules[i].module;

		module_boot(host->modules[i].module);
		if (module->tty_link != NULL)
			log_msg(LOG_INFO, module->own->name, "serial port: %s",
			    module->tty_link);
	}
	host_write_status(-1, 0, host);
	host->is_running = true;
	notify_send("READY=1");
	event_base_dispatch(host->base);
	notify_send("STOPPING=1");
	host->is_running = false;
}

void
host_free(struct host *host)
{
	if (host == NULL)
		return;
	control_free(host->control);
	for (size_t i = 0; i < host->module_count; i++) {
		module_free(host->modules[i].module);
		status_remove(host->modules[i].directory);
		free(host->modules[i].directory);
		for (size_t j = 0; j < HOST_INTERFACES; j++) {
			if (host->modules[i].claims[j] != -1)
				close(host->modules[i].claims[j]);
		}
	}
	host->module_count = 0; /* for host_write_status(), if it is still due */
	air_free(host->air);
	/* Name look-ups that were cut off are freed on a last turn of the loop. */
	event_base_loop(host->base, EVLOOP_NONBLOCK);
	free(host->modules);
	settings_free(host->settings);
	rules_clear(&host->rules);
	event_free(host->status_writer);
	event_free(host->terminated);
	event_free(host->interrupted);
	event_free(host->hung_up);
	event_base_free(host->base);
	if (host->state_lock != -1)
		close(host->state_lock);
	if (host->runtime_lock != -1)
		close(host->runtime_lock);
	free(host);
}
