#include "link/mdns_records.h"

#include <stdio.h>
#include <string.h>

#include "base/xmalloc.h"

/* RFC 6762, 10: what depends on an address or a host's name, and the rest. */
#define MDNS_TTL_HOST_S 120
#define MDNS_TTL_OTHER_S 4500
#define MDNS_TTL_PLAIN_MAX_S 10 /* RFC 6762, 6.7 */

#define MDNS_DOMAIN ".local"
#define MDNS_HOST_SIZE (MDNS_LABEL_MAX + sizeof MDNS_DOMAIN)
#define MDNS_TYPE_SIZE (MDNS_TYPE_MAX + sizeof MDNS_DOMAIN)

#define MDNS_SERVICE_TYPES "_services._dns-sd._udp.local" /* RFC 6763, 9 */

/* Adds a record whose data is made of fields, which it takes. */
static void
mdns_records_put(struct mdns_records *records, const char *name, ldns_rr_type type,
    uint32_t ttl_s, bool is_unique, ldns_rdf *const *fields, size_t count)
{
	struct mdns_record *record = &records->list[records->count++];

	record->rr = xcheck(ldns_rr_new());
	record->is_unique = is_unique;
	record->is_negative = type == LDNS_RR_TYPE_NSEC;
	record->sent_ms = 0;
	ldns_rr_set_owner(record->rr, mdns_name(name));
	ldns_rr_set_type(record->rr, type);
	ldns_rr_set_class(record->rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(record->rr, ttl_s);
	for (size_t i = 0; i < count; i++)
		ldns_rr_push_rdf(record->rr, xcheck(fields[i]));
}

static void
mdns_records_put_pointer(
    struct mdns_records *records, const char *name, const char *target)
{
	ldns_rdf *fields[] = { mdns_name(target) };

	mdns_records_put(
	    records, name, LDNS_RR_TYPE_PTR, MDNS_TTL_OTHER_S, false, fields, 1);
}

/* Which types there are of a name. RFC 6762, 6.1 */
static void
mdns_records_put_negative(
    struct mdns_records *records, const char *name, const char *types)
{
	ldns_rdf *fields[] = { mdns_name(name),
		ldns_rdf_new_frm_str(LDNS_RDF_TYPE_NSEC, types) };

	mdns_records_put(
	    records, name, LDNS_RR_TYPE_NSEC, MDNS_TTL_HOST_S, true, fields, 2);
}

static void
mdns_records_put_texts(
    struct mdns_records *records, const char *name, const struct mdns_offer *offer)
{
	ldns_rdf *fields[MDNS_TEXTS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < MDNS_TEXTS_MAX; i++) {
		size_t len = strlen(offer->texts[i]);
		uint8_t bytes[1 + MDNS_TEXT_MAX] = { (uint8_t)len };

		/* RFC 6763, 6.1: one that is empty stands for none. */
		if (len == 0 && (count > 0 || i + 1 < MDNS_TEXTS_MAX))
			continue;
		memcpy(bytes + 1, offer->texts[i], len);
		fields[count++] =
		    ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, len + 1, bytes);
	}
	mdns_records_put(
	    records, name, LDNS_RR_TYPE_TXT, MDNS_TTL_OTHER_S, true, fields, count);
}

static void
mdns_records_put_offer(struct mdns_records *records, const char *label,
    const char *host, const struct mdns_offer *offer)
{
	char type[MDNS_TYPE_SIZE], name[MDNS_LABEL_MAX + 1 + MDNS_TYPE_SIZE];
	ldns_rdf *fields[4];

	snprintf(type, sizeof type, "%s" MDNS_DOMAIN, offer->type);
	snprintf(name, sizeof name, "%.*s.%s", MDNS_LABEL_MAX, label, type);
	mdns_records_put_pointer(records, MDNS_SERVICE_TYPES, type);
	mdns_records_put_pointer(records, type, name);
	fields[0] = ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, 0);
	fields[1] = ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, 0);
	fields[2] = ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, offer->port);
	fields[3] = mdns_name(host);
	mdns_records_put(
	    records, name, LDNS_RR_TYPE_SRV, MDNS_TTL_HOST_S, true, fields, 4);
	mdns_records_put_texts(records, name, offer);
	mdns_records_put_negative(records, name, "TXT SRV");
}

void
mdns_records_build(struct mdns_records *records, const char *label,
    struct in_addr address, const struct mdns_offer *offers, unsigned count)
{
	char host[MDNS_HOST_SIZE];
	ldns_rdf *field =
	    ldns_rdf_new_frm_data(LDNS_RDF_TYPE_A, sizeof address, &address);

	records->count = 0;
	snprintf(host, sizeof host, "%.*s" MDNS_DOMAIN, MDNS_LABEL_MAX, label);
	mdns_records_put(
	    records, host, LDNS_RR_TYPE_A, MDNS_TTL_HOST_S, true, &field, 1);
	mdns_records_put_negative(records, host, "A");
	for (unsigned i = 0; i < count && i < MDNS_OFFERS_MAX; i++)
		mdns_records_put_offer(records, label, host, &offers[i]);
}

void
mdns_records_clear(struct mdns_records *records)
{
	for (unsigned i = 0; i < records->count; i++)
		ldns_rr_free(records->list[i].rr);
	records->count = 0;
}

static uint32_t
mdns_bit(unsigned position)
{
	return UINT32_C(1) << position;
}

uint32_t
mdns_records_negative(const struct mdns_records *records)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < records->count; i++) {
		if (records->list[i].is_negative)
			set |= mdns_bit(i);
	}
	return set;
}

uint32_t
mdns_records_positive(const struct mdns_records *records)
{
	uint32_t all = 0;

	for (unsigned i = 0; i < records->count; i++)
		all |= mdns_bit(i);
	return all & ~mdns_records_negative(records);
}

uint32_t
mdns_records_claimed(const struct mdns_records *records)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < records->count; i++) {
		if (records->list[i].is_unique && !records->list[i].is_negative)
			set |= mdns_bit(i);
	}
	return set;
}

uint32_t
mdns_records_named(const struct mdns_records *records, uint32_t among,
    const ldns_rdf *name, ldns_rr_type type)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < records->count; i++) {
		const ldns_rr *rr = records->list[i].rr;

		if ((among & mdns_bit(i)) != 0 &&
		    (type == LDNS_RR_TYPE_ANY || type == ldns_rr_get_type(rr)) &&
		    mdns_is_name(ldns_rr_owner(rr), name))
			set |= mdns_bit(i);
	}
	return set;
}

uint32_t
mdns_records_for(const struct mdns_records *records, const ldns_rr *question)
{
	const ldns_rdf *name = ldns_rr_owner(question);
	uint32_t set;

	if (mdns_class(question) != LDNS_RR_CLASS_IN &&
	    mdns_class(question) != LDNS_RR_CLASS_ANY)
		return 0;
	set = mdns_records_named(
	    records, mdns_records_positive(records), name, ldns_rr_get_type(question));
	if (set != 0)
		return set;
	return mdns_records_named(
	    records, mdns_records_negative(records), name, LDNS_RR_TYPE_ANY);
}

/* What lies one step behind: of a pointer, what it points at; and what there is not of
 * the same name. */
static uint32_t
mdns_records_next(const struct mdns_records *records, unsigned position)
{
	const ldns_rr *rr = records->list[position].rr;
	const ldns_rdf *target = mdns_target(rr);
	uint32_t unique =
	    mdns_records_claimed(records) | mdns_records_negative(records);
	uint32_t set = 0;

	if (target != NULL)
		set = mdns_records_named(records, unique, target, LDNS_RR_TYPE_ANY);
	if (records->list[position].is_unique)
		set |= mdns_records_named(records, mdns_records_negative(records),
		    ldns_rr_owner(rr), LDNS_RR_TYPE_ANY);
	return set;
}

uint32_t
mdns_records_behind(const struct mdns_records *records, uint32_t answers)
{
	uint32_t set = answers, before;

	do {
		before = set;
		for (unsigned i = 0; i < records->count; i++) {
			if ((before & mdns_bit(i)) != 0)
				set |= mdns_records_next(records, i);
		}
	} while (set != before);
	return set & ~answers;
}

uint32_t
mdns_records_same(const struct mdns_records *records, const ldns_rr *rr)
{
	uint32_t set = 0;

	for (unsigned i = 0; i < records->count; i++) {
		const ldns_rr *own = records->list[i].rr;

		if (mdns_compare_data(own, rr) == 0 &&
		    mdns_is_name(ldns_rr_owner(own), ldns_rr_owner(rr)))
			set |= mdns_bit(i);
	}
	return set;
}

void
mdns_records_add(const struct mdns_records *records, uint32_t set, ldns_pkt *packet,
    ldns_pkt_section section, enum mdns_manner manner)
{
	for (unsigned i = 0; i < records->count; i++) {
		const struct mdns_record *record = &records->list[i];
		uint32_t ttl_s = ldns_rr_ttl(record->rr);

		if ((set & mdns_bit(i)) == 0)
			continue;
		if (manner == MDNS_GOODBYE)
			ttl_s = 0;
		else if (manner == MDNS_TO_PLAIN_CLIENT && ttl_s > MDNS_TTL_PLAIN_MAX_S)
			ttl_s = MDNS_TTL_PLAIN_MAX_S;
		mdns_packet_add(packet, section, record->rr, ttl_s,
		    record->is_unique &&
			(manner == MDNS_TO_GROUP || manner == MDNS_GOODBYE));
	}
}
