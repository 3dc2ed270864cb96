#include "link/mdns_browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xmalloc.h"

#define MDNS_ASK_AGAIN_MS 1000 /* the same question. RFC 6762, 5.2 */
#define MDNS_ASK_SOON_MS 20 /* what an answer makes it ask, with others like it */
#define MDNS_ASK_LEN 4 /* bytes of a question behind its name */
#define MDNS_ASK_MAX 1400 /* bytes of one message; what has no room is asked soon */
#define MDNS_DOMAIN "local"

/* A question that is asked until it is answered, or, of names, over and over. */
struct mdns_asked {
	int64_t next_ms; /* 0: not asked so far */
};

struct mdns_kind {
	ldns_rdf *name; /* owned: _http._tcp.local */
	struct mdns_asked asked;
};

struct mdns_instance {
	ldns_rr *pointer; /* owned; what was heard of it */
	const struct mdns_kind *kind;
	ldns_rdf *host; /* owned; NULL: not known */
	uint16_t port;
	struct in_addr address; /* 0: not known */
	struct mdns_asked asked_service, asked_address;
};

struct mdns_browser {
	void (*send)(void *arg, const uint8_t *bytes, size_t len);
	void *arg;
	ldns_rdf *kinds_name; /* owned; NULL: one kind is looked for */
	struct mdns_asked asked_kinds;
	struct mdns_kind kinds[MDNS_TYPES_MAX];
	unsigned kind_count;
	struct mdns_instance instances[MDNS_FOUND_MAX];
	unsigned instance_count;
	int64_t next_ms;
	size_t room; /* bytes left in the message under way */
};

struct mdns_browser *
mdns_browser_new(const char *type,
    void (*send)(void *arg, const uint8_t *bytes, size_t len), void *arg,
    int64_t now_ms)
{
	struct mdns_browser *self = xcalloc(1, sizeof *self);
	char name[MDNS_TYPE_TEXT_MAX + sizeof "." MDNS_DOMAIN];

	self->send = send;
	self->arg = arg;
	self->next_ms = now_ms;
	if (type == NULL) {
		self->kinds_name = mdns_name("_services._dns-sd._udp." MDNS_DOMAIN);
		return self;
	}
	snprintf(name, sizeof name, "%.*s." MDNS_DOMAIN, MDNS_TYPE_TEXT_MAX, type);
	self->kinds[self->kind_count++].name = mdns_name(name);
	return self;
}

static void
mdns_instance_clear(struct mdns_instance *instance)
{
	ldns_rr_free(instance->pointer);
	ldns_rdf_deep_free(instance->host);
}

void
mdns_browser_free(struct mdns_browser *self)
{
	if (self == NULL)
		return;
	ldns_rdf_deep_free(self->kinds_name);
	for (unsigned i = 0; i < self->kind_count; i++)
		ldns_rdf_deep_free(self->kinds[i].name);
	for (unsigned i = 0; i < self->instance_count; i++)
		mdns_instance_clear(&self->instances[i]);
	free(self);
}

/* The labels of a name, one after the other: the bytes of the next one, with *at moved
 * behind it, or NULL at the end. */
static const uint8_t *
mdns_label(const ldns_rdf *name, size_t *at, size_t *len)
{
	const uint8_t *bytes = ldns_rdf_data(name);
	size_t size = ldns_rdf_size(name);

	if (*at >= size || bytes[*at] == 0 || *at + 1 + bytes[*at] > size)
		return NULL;
	*len = bytes[*at];
	*at += 1 + *len;
	return bytes + *at - *len;
}

/* Whether it is one of "_http._tcp.local": three labels, two of them with '_'. */
static bool
mdns_is_kind(const ldns_rdf *name)
{
	size_t at = 0, len = 0;

	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *label = mdns_label(name, &at, &len);

		if (label == NULL || label[0] != '_' ||
		    memchr(label, '\0', len) != NULL)
			return false;
	}
	return at <= MDNS_TYPE_TEXT_MAX &&
	       at + sizeof "\5" MDNS_DOMAIN == ldns_rdf_size(name) &&
	       strcasecmp((const char *)ldns_rdf_data(name) + at, "\5" MDNS_DOMAIN) ==
		   0;
}

/* Whether it is a name of that kind, with one label before it. */
static bool
mdns_is_instance(const ldns_rdf *name, const ldns_rdf *kind)
{
	size_t at = 0, len = 0;
	bool is_one = false;
	ldns_rdf *rest;

	if (mdns_label(name, &at, &len) == NULL)
		return false;
	rest = ldns_dname_left_chop(name);
	if (rest != NULL)
		is_one = mdns_is_name(rest, kind);
	ldns_rdf_deep_free(rest);
	return is_one;
}

static void
mdns_take_kind(struct mdns_browser *self, const ldns_rdf *name)
{
	if (!mdns_is_kind(name) || self->kind_count == MDNS_TYPES_MAX)
		return;
	for (unsigned i = 0; i < self->kind_count; i++) {
		if (mdns_is_name(self->kinds[i].name, name))
			return;
	}
	self->kinds[self->kind_count++].name = xcheck(ldns_rdf_clone(name));
}

static void
mdns_drop_instance(struct mdns_browser *self, unsigned position)
{
	mdns_instance_clear(&self->instances[position]);
	self->instances[position] = self->instances[--self->instance_count];
}

static void
mdns_take_instance(
    struct mdns_browser *self, const struct mdns_kind *kind, const ldns_rr *rr)
{
	const ldns_rdf *name = mdns_target(rr);
	struct mdns_instance *instance;

	if (!mdns_is_instance(name, kind->name))
		return;
	for (unsigned i = 0; i < self->instance_count; i++) {
		if (!mdns_is_name(mdns_target(self->instances[i].pointer), name))
			continue;
		if (ldns_rr_ttl(rr) == 0)
			mdns_drop_instance(self, i);
		return;
	}
	if (ldns_rr_ttl(rr) == 0 || self->instance_count == MDNS_FOUND_MAX)
		return;
	instance = &self->instances[self->instance_count++];
	memset(instance, 0, sizeof *instance);
	instance->pointer = xcheck(ldns_rr_clone(rr));
	instance->kind = kind;
}

static void
mdns_take_pointer(struct mdns_browser *self, const ldns_rr *rr)
{
	const ldns_rdf *owner = ldns_rr_owner(rr);

	if (mdns_target(rr) == NULL)
		return;
	if (self->kinds_name != NULL && mdns_is_name(owner, self->kinds_name)) {
		mdns_take_kind(self, mdns_target(rr));
		return;
	}
	for (unsigned i = 0; i < self->kind_count; i++) {
		if (mdns_is_name(owner, self->kinds[i].name)) {
			mdns_take_instance(self, &self->kinds[i], rr);
			return;
		}
	}
}

static void
mdns_take_service(struct mdns_browser *self, const ldns_rr *rr)
{
	const ldns_rdf *host = mdns_target(rr);

	if (host == NULL || ldns_rr_ttl(rr) == 0)
		return;
	for (unsigned i = 0; i < self->instance_count; i++) {
		struct mdns_instance *instance = &self->instances[i];

		if (!mdns_is_name(mdns_target(instance->pointer), ldns_rr_owner(rr)))
			continue;
		instance->port = ldns_rdf2native_int16(ldns_rr_rdf(rr, 2));
		if (instance->host != NULL && mdns_is_name(instance->host, host))
			continue;
		ldns_rdf_deep_free(instance->host);
		instance->host = xcheck(ldns_rdf_clone(host));
		instance->address.s_addr = 0;
	}
}

static void
mdns_take_address(struct mdns_browser *self, const ldns_rr *rr)
{
	const ldns_rdf *field = ldns_rr_rd_count(rr) == 1 ? ldns_rr_rdf(rr, 0) : NULL;

	if (field == NULL || ldns_rdf_size(field) != sizeof(struct in_addr) ||
	    ldns_rr_ttl(rr) == 0)
		return;
	for (unsigned i = 0; i < self->instance_count; i++) {
		struct mdns_instance *instance = &self->instances[i];

		if (instance->host != NULL &&
		    mdns_is_name(instance->host, ldns_rr_owner(rr)))
			memcpy(&instance->address, ldns_rdf_data(field),
			    sizeof instance->address);
	}
}

static const struct {
	ldns_rr_type type;
	void (*take)(struct mdns_browser *, const ldns_rr *);
} mdns_takers[] = {
	/* In this order: what comes later is about what came before. */
	{ LDNS_RR_TYPE_PTR, mdns_take_pointer },
	{ LDNS_RR_TYPE_SRV, mdns_take_service },
	{ LDNS_RR_TYPE_A, mdns_take_address },
};

static void
mdns_take_records(struct mdns_browser *self, const ldns_rr_list *list, size_t taker)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);

		if (mdns_class(rr) == LDNS_RR_CLASS_IN &&
		    ldns_rr_get_type(rr) == mdns_takers[taker].type)
			mdns_takers[taker].take(self, rr);
	}
}

/* Takes so many bytes of the message. */
static bool
mdns_has_room(struct mdns_browser *self, size_t len)
{
	if (len > self->room)
		return false;
	self->room -= len;
	return true;
}

/* Asks unless that has been done a short time ago; the time for it is noted. */
static void
mdns_ask(struct mdns_browser *self, struct mdns_asked *asked, ldns_pkt *packet,
    const ldns_rdf *name, ldns_rr_type type, int64_t now_ms)
{
	if (asked->next_ms <= now_ms &&
	    mdns_has_room(self, ldns_rdf_size(name) + MDNS_ASK_LEN)) {
		mdns_packet_ask(packet, name, type);
		asked->next_ms = now_ms + MDNS_ASK_AGAIN_MS;
	} else if (asked->next_ms <= now_ms) {
		asked->next_ms = now_ms + MDNS_ASK_SOON_MS;
	}
	if (asked->next_ms < self->next_ms)
		self->next_ms = asked->next_ms;
}

/* What is known of a kind need not be said again. */
static void
mdns_add_known(
    struct mdns_browser *self, const struct mdns_kind *kind, ldns_pkt *packet)
{
	for (unsigned i = 0; i < self->instance_count; i++) {
		const ldns_rr *pointer = self->instances[i].pointer;

		if (self->instances[i].kind == kind &&
		    mdns_has_room(self, ldns_rr_uncompressed_size(pointer)))
			mdns_packet_add(packet, LDNS_SECTION_ANSWER, pointer,
			    ldns_rr_ttl(pointer), false);
	}
}

static void
mdns_ask_all(struct mdns_browser *self, ldns_pkt *packet, int64_t now_ms)
{
	for (unsigned i = 0; i < self->instance_count; i++) {
		struct mdns_instance *instance = &self->instances[i];

		if (instance->host == NULL)
			mdns_ask(self, &instance->asked_service, packet,
			    mdns_target(instance->pointer), LDNS_RR_TYPE_SRV, now_ms);
		else if (instance->address.s_addr == 0)
			mdns_ask(self, &instance->asked_address, packet, instance->host,
			    LDNS_RR_TYPE_A, now_ms);
	}
	if (self->kinds_name != NULL)
		mdns_ask(self, &self->asked_kinds, packet, self->kinds_name,
		    LDNS_RR_TYPE_PTR, now_ms);
	for (unsigned i = 0; i < self->kind_count; i++) {
		struct mdns_kind *kind = &self->kinds[i];
		bool is_due = kind->asked.next_ms <= now_ms;

		mdns_ask(
		    self, &kind->asked, packet, kind->name, LDNS_RR_TYPE_PTR, now_ms);
		if (is_due)
			mdns_add_known(self, kind, packet);
	}
}

void
mdns_browser_tick(struct mdns_browser *self, int64_t now_ms)
{
	uint8_t bytes[MDNS_PACKET_MAX];
	size_t len = 0;
	ldns_pkt *packet;

	if (now_ms < self->next_ms)
		return;
	self->next_ms = INT64_MAX;
	packet = mdns_packet_new(false);
	self->room = MDNS_ASK_MAX;
	mdns_ask_all(self, packet, now_ms);
	if (ldns_pkt_qdcount(packet) > 0)
		len = mdns_packet_format(packet, bytes);
	ldns_pkt_free(packet);
	if (len > 0)
		self->send(self->arg, bytes, len);
}

void
mdns_browser_receive(
    struct mdns_browser *self, const uint8_t *bytes, size_t len, int64_t now_ms)
{
	ldns_pkt *packet = mdns_packet_parse(bytes, len);

	if (packet == NULL)
		return;
	for (size_t i = 0;
	     ldns_pkt_qr(packet) && i < sizeof mdns_takers / sizeof mdns_takers[0];
	     i++) {
		mdns_take_records(self, ldns_pkt_answer(packet), i);
		mdns_take_records(self, ldns_pkt_additional(packet), i);
	}
	if (ldns_pkt_qr(packet) && self->next_ms > now_ms + MDNS_ASK_SOON_MS)
		self->next_ms = now_ms + MDNS_ASK_SOON_MS;
	ldns_pkt_free(packet);
}

int64_t
mdns_browser_next_ms(const struct mdns_browser *self)
{
	return self->next_ms;
}

/* The labels of the kind but the last one, with dots between. */
static void
mdns_write_type(char text[MDNS_TYPE_TEXT_MAX + 1], const ldns_rdf *kind)
{
	size_t at = 0, len = 0, used = 0;

	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *label = mdns_label(kind, &at, &len);

		if (label == NULL || used + len + 1 > MDNS_TYPE_TEXT_MAX)
			break;
		if (i > 0)
			text[used++] = '.';
		memcpy(text + used, label, len);
		used += len;
	}
	text[used] = '\0';
}

static int
mdns_found_compare(const void *a, const void *b)
{
	const struct mdns_found *left = a, *right = b;
	int order = strcmp(left->type, right->type);

	return order != 0 ? order : strcmp(left->name, right->name);
}

size_t
mdns_browser_list(
    const struct mdns_browser *self, struct mdns_found found[MDNS_FOUND_MAX])
{
	size_t count = 0;

	for (unsigned i = 0; i < self->instance_count; i++) {
		const struct mdns_instance *instance = &self->instances[i];
		size_t at = 0, len = 0;
		const uint8_t *label =
		    mdns_label(mdns_target(instance->pointer), &at, &len);

		if (label == NULL || instance->host == NULL)
			continue;
		memset(&found[count], 0, sizeof found[count]);
		memcpy(found[count].name, label, len);
		for (size_t j = 0; j < len; j++) {
			if (found[count].name[j] == '\0')
				found[count].name[j] = ' ';
		}
		mdns_write_type(found[count].type, instance->kind->name);
		found[count].address = instance->address;
		found[count].port = instance->port;
		count++;
	}
	qsort(found, count, sizeof *found, mdns_found_compare);
	return count;
}
