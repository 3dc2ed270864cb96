#include "link/mdns_packet.h"

#include <string.h>

#include "base/xmalloc.h"

#define MDNS_SRV_TARGET 3 /* which field of the data. RFC 2782 */

/* Reads the records of a section. 0, or -1. */
static int
mdns_packet_read(ldns_pkt *packet, ldns_pkt_section section, unsigned count,
    const uint8_t *bytes, size_t len, size_t *at)
{
	for (unsigned i = 0; i < count; i++) {
		ldns_rr *rr;

		if (ldns_wire2rr(&rr, bytes, len, at, section) != LDNS_STATUS_OK)
			return -1;
		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_OPT ||
		    ldns_rr_get_type(rr) == LDNS_RR_TYPE_TSIG ||
		    !ldns_pkt_push_rr(packet, section, rr))
			ldns_rr_free(rr);
	}
	return 0;
}

/* ldns_wire2pkt() would lose memory by a second OPT or TSIG record, and takes as many
 * records as the header says. */
ldns_pkt *
mdns_packet_parse(const uint8_t *bytes, size_t len)
{
	size_t at = LDNS_HEADER_SIZE;
	unsigned counts[4];
	ldns_pkt *packet;

	if (len < LDNS_HEADER_SIZE || len > MDNS_PACKET_MAX)
		return NULL;
	counts[LDNS_SECTION_QUESTION] = LDNS_QDCOUNT(bytes);
	counts[LDNS_SECTION_ANSWER] = LDNS_ANCOUNT(bytes);
	counts[LDNS_SECTION_AUTHORITY] = LDNS_NSCOUNT(bytes);
	counts[LDNS_SECTION_ADDITIONAL] = LDNS_ARCOUNT(bytes);
	/* RFC 6762, 18.3 and 18.11 */
	if (LDNS_OPCODE_WIRE(bytes) != LDNS_PACKET_QUERY ||
	    LDNS_RCODE_WIRE(bytes) != LDNS_RCODE_NOERROR ||
	    counts[0] + counts[1] + counts[2] + counts[3] > MDNS_RECORDS_MAX)
		return NULL;
	packet = xcheck(ldns_pkt_new());
	ldns_pkt_set_id(packet, LDNS_ID_WIRE(bytes));
	ldns_pkt_set_qr(packet, LDNS_QR_WIRE(bytes) != 0);
	ldns_pkt_set_tc(packet, LDNS_TC_WIRE(bytes) != 0);
	for (unsigned i = LDNS_SECTION_QUESTION; i <= LDNS_SECTION_ADDITIONAL; i++) {
		if (mdns_packet_read(packet, (ldns_pkt_section)i, counts[i], bytes, len,
			&at) == -1) {
			ldns_pkt_free(packet);
			return NULL;
		}
	}
	return packet;
}

ldns_pkt *
mdns_packet_new(bool is_response)
{
	ldns_pkt *packet = xcheck(ldns_pkt_new());

	ldns_pkt_set_qr(packet, is_response);
	ldns_pkt_set_aa(packet, is_response);
	return packet;
}

static void
mdns_packet_push(ldns_pkt *packet, ldns_pkt_section section, ldns_rr *rr)
{
	if (!ldns_pkt_push_rr(packet, section, rr))
		ldns_rr_free(rr);
}

void
mdns_packet_ask(ldns_pkt *packet, const ldns_rdf *name, ldns_rr_type type)
{
	ldns_rr *rr = xcheck(ldns_rr_new());

	ldns_rr_set_owner(rr, xcheck(ldns_rdf_clone(name)));
	ldns_rr_set_type(rr, type);
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_question(rr, true);
	mdns_packet_push(packet, LDNS_SECTION_QUESTION, rr);
}

void
mdns_packet_add(ldns_pkt *packet, ldns_pkt_section section, const ldns_rr *record,
    uint32_t ttl_s, bool has_flag)
{
	ldns_rr *rr = xcheck(ldns_rr_clone(record));
	unsigned class = mdns_class(record);

	ldns_rr_set_ttl(rr, ttl_s);
	if (has_flag)
		class |= MDNS_CLASS_FLAG;
	ldns_rr_set_class(rr, (ldns_rr_class) class);
	mdns_packet_push(packet, section, rr);
}

size_t
mdns_packet_format(const ldns_pkt *packet, uint8_t bytes[MDNS_PACKET_MAX])
{
	uint8_t *wire = NULL;
	size_t len = 0;

	if (ldns_pkt2wire(&wire, packet, &len) != LDNS_STATUS_OK ||
	    len > MDNS_PACKET_MAX)
		len = 0;
	if (len > 0)
		memcpy(bytes, wire, len);
	LDNS_FREE(wire);
	return len;
}

ldns_rdf *
mdns_name(const char *text)
{
	return xcheck(ldns_dname_new_frm_str(text));
}

bool
mdns_is_name(const ldns_rdf *name, const ldns_rdf *other)
{
	return ldns_dname_compare(name, other) == 0;
}

ldns_rr_class
mdns_class(const ldns_rr *rr)
{
	return (ldns_rr_class)(ldns_rr_get_class(rr) & ~MDNS_CLASS_FLAG);
}

bool
mdns_has_flag(const ldns_rr *rr)
{
	return (ldns_rr_get_class(rr) & MDNS_CLASS_FLAG) != 0;
}

/* The data as it is sent, names in full; owned by the caller. */
static ldns_buffer *
mdns_data(const ldns_rr *rr)
{
	ldns_buffer *buffer = xcheck(ldns_buffer_new(LDNS_MIN_BUFLEN));

	ldns_rr_rdata2buffer_wire(buffer, rr);
	return buffer;
}

static int
mdns_compare_bytes(const ldns_buffer *bytes, const ldns_buffer *others)
{
	size_t len = ldns_buffer_position(bytes),
	       other_len = ldns_buffer_position(others);
	int order = memcmp(ldns_buffer_begin(bytes), ldns_buffer_begin(others),
	    len < other_len ? len : other_len);

	return order != 0 ? order : (len > other_len) - (len < other_len);
}

int
mdns_compare_data(const ldns_rr *rr, const ldns_rr *other)
{
	int order = (int)mdns_class(rr) - (int)mdns_class(other);
	ldns_buffer *bytes, *others;

	if (order == 0)
		order = (int)ldns_rr_get_type(rr) - (int)ldns_rr_get_type(other);
	if (order != 0)
		return order;
	bytes = mdns_data(rr);
	others = mdns_data(other);
	order = mdns_compare_bytes(bytes, others);
	ldns_buffer_free(bytes);
	ldns_buffer_free(others);
	return order;
}

const ldns_rdf *
mdns_target(const ldns_rr *rr)
{
	ldns_rr_type type = ldns_rr_get_type(rr);
	size_t field = type == LDNS_RR_TYPE_SRV ? MDNS_SRV_TARGET : 0;
	const ldns_rdf *target;

	if ((type != LDNS_RR_TYPE_SRV && type != LDNS_RR_TYPE_PTR) ||
	    ldns_rr_rd_count(rr) <= field)
		return NULL;
	target = ldns_rr_rdf(rr, field);
	return target != NULL && ldns_rdf_get_type(target) == LDNS_RDF_TYPE_DNAME
		   ? target
		   : NULL;
}
