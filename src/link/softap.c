#include "link/softap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "base/xmalloc.h"

/* RADIO_STATIONS_MAX are joined at most, and as many may have vanished. */
#define SOFTAP_CLIENTS_MAX (2 * RADIO_STATIONS_MAX)

struct softap_client {
	struct softap *softap; /* borrowed */
	uint8_t mac[MAC_OCTETS];
	struct in_addr address; /* at its last sight; 0.0.0.0: none */
	struct event *drop; /* owned; NULL unless it has vanished */
	TAILQ_ENTRY(softap_client) entry;
};

struct softap {
	struct event_base *base; /* borrowed */
	struct radio *radio; /* borrowed */
	const struct softap_ops *ops;
	void *arg;
	struct event *started; /* owned; tells that it is up */
	struct link_address address;
	unsigned idle_timeout_s;
	bool is_on;
	unsigned client_count;
	TAILQ_HEAD(, softap_client) clients;
};

static void
softap_is_up(evutil_socket_t fd, short what, void *arg)
{
	struct softap *softap = arg;

	(void)fd;
	(void)what;
	softap->ops->up(softap->arg, &softap->address);
}

struct softap *
softap_new(struct event_base *base, struct radio *radio, const struct softap_ops *ops,
    void *arg)
{
	struct softap *softap = xcalloc(1, sizeof *softap);

	softap->base = base;
	softap->radio = radio;
	softap->ops = ops;
	softap->arg = arg;
	softap->started = xcheck(event_new(base, -1, 0, softap_is_up, softap));
	TAILQ_INIT(&softap->clients);
	return softap;
}

static void
softap_remove(struct softap_client *client)
{
	TAILQ_REMOVE(&client->softap->clients, client, entry);
	client->softap->client_count--;
	if (client->drop != NULL)
		event_free(client->drop);
	free(client);
}

void
softap_start(struct softap *softap, const struct softap_settings *settings)
{
	static const struct timeval now = { 0 };

	softap_stop(softap);
	softap->is_on = true;
	softap->address = settings->address;
	softap->idle_timeout_s = settings->idle_timeout_s;
	softap->radio->ops->host(softap->radio, &settings->ap);
	softap->radio->ops->set_address(softap->radio, RADIO_AP, settings->address.ip);
	event_add(softap->started, &now);
}

void
softap_stop(struct softap *softap)
{
	struct softap_client *client, *next;

	if (!softap->is_on)
		return;
	softap->is_on = false;
	event_del(softap->started);
	softap->radio->ops->unhost(softap->radio);
	for (client = TAILQ_FIRST(&softap->clients); client != NULL; client = next) {
		next = TAILQ_NEXT(client, entry);
		softap_remove(client);
	}
}

void
softap_free(struct softap *softap)
{
	if (softap == NULL)
		return;
	softap_stop(softap);
	event_free(softap->started);
	free(softap);
}

static struct softap_client *
softap_find(const struct softap *softap, const uint8_t mac[MAC_OCTETS])
{
	struct softap_client *client;

	TAILQ_FOREACH (client, &softap->clients, entry) {
		if (memcmp(client->mac, mac, MAC_OCTETS) == 0)
			break;
	}
	return client;
}

void
softap_station_came(struct softap *softap, const uint8_t mac[MAC_OCTETS])
{
	struct softap_client *client = softap_find(softap, mac);

	if (client != NULL) {
		if (client->drop != NULL)
			event_free(client->drop);
		client->drop = NULL;
	} else {
		/* The one that has been gone for longest gives way. */
		if (softap->client_count == SOFTAP_CLIENTS_MAX) {
			TAILQ_FOREACH (client, &softap->clients, entry) {
				if (client->drop != NULL)
					break;
			}
			if (client != NULL)
				softap_remove(client);
		}
		client = xcalloc(1, sizeof *client);
		client->softap = softap;
		memcpy(client->mac, mac, MAC_OCTETS);
		TAILQ_INSERT_TAIL(&softap->clients, client, entry);
		softap->client_count++;
	}
	softap->ops->changed(softap->arg);
}

static void
softap_idle(evutil_socket_t fd, short what, void *arg)
{
	struct softap_client *client = arg;
	struct softap *softap = client->softap;

	(void)fd;
	(void)what;
	softap_remove(client);
	softap->ops->changed(softap->arg);
}

/* Takes down the address that the radio sees the client have. */
static void
softap_look(const struct softap *softap, struct softap_client *client)
{
	struct radio_station seen[RADIO_STATIONS_MAX];
	size_t count =
	    softap->radio->ops->stations(softap->radio, seen, RADIO_STATIONS_MAX);

	for (size_t i = 0; i < count; i++) {
		if (memcmp(seen[i].mac, client->mac, MAC_OCTETS) == 0)
			client->address = seen[i].address;
	}
}

void
softap_station_left(struct softap *softap, const uint8_t mac[MAC_OCTETS], bool silently)
{
	struct softap_client *client = softap_find(softap, mac);
	struct timeval timeout = { .tv_sec = (time_t)softap->idle_timeout_s };

	if (client == NULL)
		return;
	if (!silently) {
		softap_remove(client);
		softap->ops->changed(softap->arg);
		return;
	}
	softap_look(softap, client);
	client->drop = xcheck(event_new(softap->base, -1, 0, softap_idle, client));
	if (softap->idle_timeout_s > 0)
		event_add(client->drop, &timeout);
}

size_t
softap_clients(const struct softap *softap, struct radio_station *stations, size_t max)
{
	struct softap_client *client;
	size_t count = 0;

	TAILQ_FOREACH (client, &softap->clients, entry) {
		if (count == max)
			break;
		softap_look(softap, client);
		memcpy(stations[count].mac, client->mac, MAC_OCTETS);
		stations[count].address = client->address;
		count++;
	}
	return count;
}
