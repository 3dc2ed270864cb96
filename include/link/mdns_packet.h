#ifndef LINK_MDNS_PACKET_H
#define LINK_MDNS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ldns/ldns.h>

/* Messages of multicast DNS, read and written by libldns. RFC 6762 */

#define MDNS_PORT 5353
#define MDNS_GROUP "224.0.0.251"

#define MDNS_PACKET_MAX 9000 /* bytes of a message. RFC 6762, 17 */
#define MDNS_RECORDS_MAX 256 /* questions and records of one that is looked at */
#define MDNS_LABEL_MAX 63 /* bytes. RFC 1035, 2.3.4 */

/* In the class of a record: it replaces all others that are kept of its name and type.
 * In that of a question: a direct answer will do. RFC 6762, 10.2 and 5.4 */
#define MDNS_CLASS_FLAG 0x8000u

/* Reads a message, owned by the caller. NULL: it is none, or is to be passed over.
 * Records that belong to the transport are left out. */
ldns_pkt *mdns_packet_parse(const uint8_t *bytes, size_t len);

ldns_pkt *mdns_packet_new(bool is_response);

/* Adds a question, or a copy of a record with another time to live. */
void mdns_packet_ask(ldns_pkt *, const ldns_rdf *name, ldns_rr_type);
void mdns_packet_add(
    ldns_pkt *, ldns_pkt_section, const ldns_rr *, uint32_t ttl_s, bool has_flag);

/* How many bytes it has been written in; 0: it is too long. */
size_t mdns_packet_format(const ldns_pkt *, uint8_t bytes[MDNS_PACKET_MAX]);

/* A name from text of letters, digits, '-', '_' and '.'; owned by the caller. */
ldns_rdf *mdns_name(const char *text);

bool mdns_is_name(const ldns_rdf *, const ldns_rdf *other); /* in any case */
ldns_rr_class mdns_class(const ldns_rr *); /* without its flag */
bool mdns_has_flag(const ldns_rr *);

/* Below 0, 0 or above, by class, type and the bytes of the data; never by the name.
 * RFC 6762, 8.2 */
int mdns_compare_data(const ldns_rr *, const ldns_rr *other);

/* The name in the data of a record, borrowed; NULL: it has none there. */
const ldns_rdf *mdns_target(const ldns_rr *);

#endif
