#ifndef CORE_MODULE_H
#define CORE_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/bus.h"
#include "core/catalog.h"
#include "core/listener.h"
#include "core/profile.h"
#include "core/service.h"
#include "store/settings.h"

struct dhcp_server;
struct event;
struct event_base;
struct event_ring;
struct flash;
struct net;
struct network;
struct nvm;
struct pins;
struct request;
struct session;
struct setup;
struct stream_table;
struct tls_clients;
struct tls_served;

#define MODULE_FAULTS_MAX 8 /* Reference: serial and file notes, 5.6 */
#define MODULE_QUEUE_MAX 256 /* requests that wait for their turn */

enum module_state {
	MODULE_OFF, /* not booted yet, or being taken down */
	MODULE_RUNNING,
	MODULE_PAUSED, /* a step follows when the replies are out; commands wait for it
			*/
	MODULE_LEAVING, /* likewise, but what comes in is lost, as in a reset */
	MODULE_ASLEEP
};

/* What system.cmd.*, system.print_level and bus.command.rx_bufsize say, kept at hand by
 * their apply functions. */
struct module_console {
	bool echo, header, prompt, buffered;
	size_t receive_max; /* unread bytes of the serial port */
	unsigned print_level; /* 0 nothing, 1 bracketed events, 2 and up all */
};

/* A factory default of the board, in its normal spelling. */
struct module_factory {
	char *key; /* owned: "name" or "name index" */
	char *text; /* owned */
};

/* What a module does once the reply to a command is out, for request.after. */
struct module_step {
	enum module_state meanwhile;
	void (*take)(struct module *);
};

extern const struct module_step module_step_reboot;
extern const struct module_step module_step_sleep; /* for system.wakeup.timeout */
extern const struct module_step module_step_retune; /* uart_update */

/* All state of one emulated module. */
struct module {
	struct event_base *base; /* borrowed */
	const struct settings *settings; /* borrowed: the configuration */
	const struct module_settings *own; /* borrowed: this module's part of it */
	const struct profile *profile;
	const struct catalog *catalog; /* borrowed, shared */
	char *directory; /* owned: STATE_DIR/<name> */
	char mac[18]; /* "4C:55:CC:10:09:42" */
	char uuid[41]; /* 40 hexadecimal digits */

	enum module_state state;
	bool safe_mode; /* MODULE_FAULTS_MAX faults stood at boot */
	struct module_console console;
	enum bus_mode bus_mode; /* of the serial port, as bus.mode said at boot */
	struct session
	    *terminal; /* borrowed: it has taken the parser from the serial port */
	struct nvm *nvm; /* owned: variables, set and saved */
	struct nvm *faults; /* owned: "0" to "7" */
	char *update; /* owned: the version of the update that it runs; NULL: none */
	struct flash *flash; /* owned: its files */
	struct module_factory *factory; /* owned */
	size_t factory_count;
	int64_t booted_at_ms; /* monotonic */
	int64_t clock_offset_us; /* added to the monotonic clock gives UTC */
	int64_t clock_ahead_us; /* that it is, and loses from then on: */
	int64_t clock_ahead_at_us; /* monotonic */
	int64_t clock_set_at_ms; /* monotonic; -1: never since boot */
	uint32_t next_response_id; /* of REST; from 1 at each boot */
	uint64_t log_fetched; /* number of the last event line GET /log took */

	struct event_ring *events; /* owned; NULL before the first line */
	struct stream_table *streams; /* owned; NULL before the first stream */
	struct net *net; /* owned; its sockets; NULL before the first */
	struct network *network; /* owned; its interfaces; NULL before the first boot */
	struct setup *setup; /* owned; NULL: web setup is off */
	struct pins *pins; /* owned; NULL before the first use */
	struct tls_served *served; /* owned; core/tls_context.c's; NULL before TLS */
	struct tls_clients *tls_clients; /* owned; NULL before the first */
	TAILQ_HEAD(, session) sessions;
	TAILQ_HEAD(, session) closed_sessions; /* to be freed on the next turn */
	struct event *reaper; /* owned; frees them */
	TAILQ_HEAD(, request) queue; /* waiting for their turn, in order */
	unsigned queue_length;
	struct request *running;
	bool dispatching;
	unsigned replies_in_flight; /* REST answers not yet written */
	const struct module_step *next_step; /* once they are; NULL: none */
	struct event *step_timer; /* owned; next_step at the latest */
	struct event *sleep_timer; /* owned; wakes it, or sends it to sleep */
	struct dhcp_server *dhcp_server; /* borrowed: of the soft AP; NULL: not running
					  */
	TAILQ_HEAD(service_list, service) services;
	TAILQ_HEAD(, listener) listeners; /* each owned by its service */
	char *tty; /* owned: the pty or device of the serial port; NULL: none */
	char *tty_link; /* owned: the stable path to it; NULL: none */
	void (*changed)(
	    void *arg, struct module *); /* what status.json shows changed */
	void *changed_arg;
};

/* For core/: mac, when the configuration has none, and uuid; both come from this host
 * and the module's name, so they stay the same. */
void module_identify(struct module *);

/* Makes a module, opens its state, and leaves it off. settings and own are borrowed
 * until module_free(). NULL when its state directory cannot be used; the cause is
 * logged. */
struct module *module_new(struct event_base *, const struct catalog *,
    const struct settings *, const struct module_settings *own);

/* Closes services, sessions and streams at once and frees all. NULL is allowed. */
void module_free(struct module *);

/* For core/: a store in the module's directory, or NULL, and the cause is logged. */
struct nvm *module_open_nvm(const struct module *, const char *file);

/* Adds a service; module_free() frees it through ops->free(). */
void module_add_service(struct module *, const struct service_ops *, void *arg);

/* Power on: variables from NVM, banner, [Ready], prompts, services. */
void module_boot(struct module *);

/* The banner: that of an update, else the configured text, else the profile's. */
const char *module_version(const struct module *);

/* Keeps a fault for faults_print, the oldest giving way at MODULE_FAULTS_MAX. 0, or -1
 * when it is not saved, which is logged. */
int module_add_fault(struct module *, const char *text);
unsigned module_fault_count(const struct module *);

/* A front end's answer is queued, or has left or died: reboot waits for it. */
void module_reply_started(struct module *);
void module_reply_done(struct module *);

/* Whether the argument is this module's MAC, with ':', '-' or nothing between bytes. */
bool module_is_mac(const struct module *, const char *text);

/* Says that state, a listener or the serial port changed. */
void module_changed(struct module *);

/* The word for the state in status.json: "running". */
const char *module_state_name(const struct module *);

/* A service has opened, or is about to close, a listener, which stays the service's. */
void module_add_listener(struct module *, struct listener *);
void module_remove_listener(struct module *, struct listener *);

/* For core/: gives a request its turn, now or when those before it are done. Takes it.
 * -1 when MODULE_QUEUE_MAX wait already: the caller still owns it. */
int module_submit(struct module *, struct request *);
void module_dispatch(struct module *); /* runs what waits, as far as it can */

/* For core/: no other command runs until the release, which takes what the hold gave.
 * What has to end first can so answer who waits for it. */
bool module_hold(struct module *);
void module_release(struct module *, bool held);

/* For core/: takes the step as soon as the replies under way are out. */
void module_leave(struct module *, const struct module_step *);

/* For core/: the end of a step that paused it: on with what waited for that. */
void module_resume(struct module *);

/* For core/: frees a closed session on the next turn of the loop. */
void module_reap(struct module *, struct session *);

/* UTC in microseconds, and whether it was ever set. Unset, it counts from 0 at boot. */
int64_t module_clock_us(const struct module *);
bool module_clock_is_set(const struct module *);
void module_clock_set(struct module *, int64_t utc_us);

/* Brings a clock that goes in step with a better one. It never goes back for less than
 * MODULE_CLOCK_AHEAD_MAX_US, but slower until it is right. */
#define MODULE_CLOCK_AHEAD_MAX_US 2000000
void module_clock_follow(struct module *, int64_t utc_us);

/* time.zone in minutes east of UTC; what is added to UTC gives the module's local time.
 */
int module_zone_minutes(const struct module *);

#endif
