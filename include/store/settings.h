#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The configuration file, read and checked as a whole. */

#define SETTINGS_MODULES_MAX 4096
#define SETTINGS_PINS_MAX 32 /* of a module, as GPIO_PINS_MAX */
#define SETTINGS_NAME_MAX 63 /* bytes of a module's name */

struct settings_port {
	uint16_t module; /* the port as the module's variables say it */
	uint16_t host; /* where it appears on this host; 0: any free one */
};

struct settings_network {
	char *backend; /* "host", "interface"; NULL: "host" */
	char *wlan, *softap; /* real interfaces; NULL: none */
	/* Directories of control sockets; empty: not to be used; NULL without
	 * interfaces. */
	char *wpa_supplicant, *hostapd;
	char *address; /* IPv4 on which the modules' ports appear */
	char *name_server; /* "a.b.c.d" or "a.b.c.d:port"; NULL: those of this host */
	struct settings_port *ports;
	size_t port_count;
};

struct settings_wifi { /* a network of the simulated air */
	char *ssid;
	char *bssid; /* AA:BB:CC:DD:EE:FF; NULL: made from the SSID */
	char *security; /* as a scan prints it; NULL: as the passkey says */
	char *passkey; /* NULL: none */
	uint16_t channel;
	int rssi_dbm;
	bool is_hidden;
	bool has_wps; /* gives its passkey to who asks by WPS */
};

struct settings_air {
	struct settings_wifi *networks;
	size_t network_count;
	char *backend; /* of a module's radio; NULL: "simulated" */
	uint16_t join_ms; /* until a join is answered; of the common air only */
};

struct settings_factory { /* a factory default of the board */
	char *name, *value;
	unsigned line; /* in the file, for messages */
};

struct settings_pin { /* a pin that is a line of a GPIO chip of this host */
	char *chip; /* path */
	uint32_t line; /* of the chip, from 0 */
	uint16_t pin;
	bool active_low; /* the line is low when the pin is high */
	bool pulls; /* as the pin's direction says; false: none */
};

struct module_settings {
	char *name;
	char *profile; /* as written; NULL: the default one */
	char *version; /* replaces the profile's version text; or NULL */
	char *mac; /* AA:BB:CC:DD:EE:FF; NULL: derived */
	bool has_serial; /* false with serial = { enabled = false; } */
	char *serial_link; /* name of the symlink to the pty; NULL with a device */
	char *serial_device; /* path of a tty; NULL: a pty */
	struct settings_network
	    network; /* the module's own, or a copy of the common one */
	struct settings_air radio; /* the networks that only this module hears */
	struct settings_factory *factory;
	size_t factory_count;
	struct settings_pin *pins;
	size_t pin_count;
	bool http_close; /* quirks.http_close */
	char *files_factory; /* directory of the files of the factory; or NULL */
	uint32_t files_size; /* bytes of the flash for files */
};

struct settings {
	char *state_directory, *runtime_directory; /* from the command line; owned */
	struct settings_air air; /* what all modules hear */
	struct module_settings *modules;
	size_t module_count;
};

/* One fault of a configuration: "FILE:LINE: SETTING: what is wrong and what would be
 * right". */
typedef void settings_fault(void *arg, const char *text);

/* Checks a value that store/ knows no rule for: what is "profile" or a factory
 * variable, how many pins there are. NULL when right, else what would be right; the
 * text is borrowed until the next call. */
struct settings_rules {
	const char *(*profile)(void *arg, const char *name);
	const char *(*factory)(void *arg, const struct module_settings *,
	    const char *name, const char *value);
	const char *(*pin)(void *arg, const struct module_settings *, unsigned pin);
	/* member: the name of the setting that is wrong. */
	const char *(*network)(
	    void *arg, const struct settings_wifi *, const char **member);
	void *arg;
};

/* Reads the file. NULL when it has any fault; each was told. The directories are left
 * NULL. */
struct settings *settings_read(
    const char *path, const struct settings_rules *, settings_fault *, void *arg);
void settings_free(struct settings *); /* NULL is allowed */

/* Whether the module goes over real interfaces. */
bool settings_has_interfaces(const struct settings_network *);

/* The host port for a module port. */
uint16_t settings_host_port(const struct settings_network *, uint16_t module_port);

#endif
