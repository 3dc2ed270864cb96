#ifndef LINK_MDNS_RECORDS_H
#define LINK_MDNS_RECORDS_H

#include <netinet/in.h>

#include "link/mdns_packet.h"

/* The records by which a module is found: its address, and what it offers. RFC 6763.
 * Sets of them are masks of bits, by their places. */

#define MDNS_OFFERS_MAX 4 /* services that one module announces */
#define MDNS_TYPE_MAX 31 /* bytes of "_http._tcp" */
#define MDNS_TEXTS_MAX 4 /* entries of a TXT record */
#define MDNS_TEXT_MAX 255 /* bytes of one. RFC 1035, 3.3 */
#define MDNS_OWN_MAX 32 /* records; bits of a set */

/* A service. Unused bytes are zero. */
struct mdns_offer {
	char type[MDNS_TYPE_MAX + 1]; /* "_http._tcp" */
	uint16_t port;
	char texts[MDNS_TEXTS_MAX][MDNS_TEXT_MAX + 1]; /* "path=/"; empty: none */
};

struct mdns_record {
	ldns_rr *rr; /* owned */
	bool is_unique; /* nobody else may have one of its name and type */
	bool is_negative; /* an NSEC record: says what there is of that name */
	int64_t sent_ms; /* to the group, the last time; 0: never */
};

struct mdns_records {
	struct mdns_record list[MDNS_OWN_MAX];
	unsigned count;
};

/* How records go into a message. */
enum mdns_manner {
	MDNS_TO_GROUP,
	MDNS_TO_PLAIN_CLIENT, /* one that knows no multicast DNS. RFC 6762, 6.7 */
	MDNS_GOODBYE, /* they are no more. RFC 6762, 10.1 */
	MDNS_PROPOSED /* in a probe. RFC 6762, 8.2 */
};

/* Of the host label.local and its services, which are called label too. */
void mdns_records_build(struct mdns_records *, const char *label,
    struct in_addr address, const struct mdns_offer *, unsigned count);
void mdns_records_clear(struct mdns_records *);

/* What answers a question. For a name that is the module's own, and a type that it has
 * not, this is the negative record. */
uint32_t mdns_records_for(const struct mdns_records *, const ldns_rr *question);

/* What the answers will make somebody ask for next. */
uint32_t mdns_records_behind(const struct mdns_records *, uint32_t answers);

/* All but the negative ones; the negative ones; those that are to be probed. */
uint32_t mdns_records_positive(const struct mdns_records *);
uint32_t mdns_records_negative(const struct mdns_records *);
uint32_t mdns_records_claimed(const struct mdns_records *);

/* The same ones among them: by name and, unless type is LDNS_RR_TYPE_ANY, by type. */
uint32_t mdns_records_named(const struct mdns_records *, uint32_t among,
    const ldns_rdf *name, ldns_rr_type type);

/* Those that are the same as the record but for its time to live. */
uint32_t mdns_records_same(const struct mdns_records *, const ldns_rr *);

/* Adds a set to a message. */
void mdns_records_add(const struct mdns_records *, uint32_t set, ldns_pkt *,
    ldns_pkt_section, enum mdns_manner);

#endif
