#include "link/dhcp_packet.h"

#include <arpa/inet.h>
#include <string.h>

#define DHCP_SNAME_AT 44
#define DHCP_SNAME_LEN 64
#define DHCP_FILE_AT 108
#define DHCP_FILE_LEN 128
#define DHCP_COOKIE_AT 236
#define DHCP_OPTIONS_AT 240
#define DHCP_PACKET_MIN 300 /* RFC 1542, 2.1 */
#define DHCP_FLAG_BROADCAST 0x8000u
#define DHCP_PART_MAX 255 /* bytes behind one code; RFC 3396, 5 */

static const uint8_t dhcp_cookie[4] = { 99, 130, 83, 99 };

/* A part of a message that holds options. */
struct dhcp_field {
	const uint8_t *bytes;
	size_t len;
};

static uint16_t
dhcp_get_16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t
dhcp_get_32(const uint8_t *bytes)
{
	return (uint32_t)dhcp_get_16(bytes) << 16 | dhcp_get_16(bytes + 2);
}

static void
dhcp_put_16(uint8_t *bytes, uint16_t number)
{
	bytes[0] = (uint8_t)(number >> 8);
	bytes[1] = (uint8_t)number;
}

static void
dhcp_put_32(uint8_t *bytes, uint32_t number)
{
	dhcp_put_16(bytes, (uint16_t)(number >> 16));
	dhcp_put_16(bytes + 2, (uint16_t)number);
}

/* Takes the next option out of the field. 1, 0 at the end, or -1 when it runs past it.
 * Chosen: a field may end without the end option; some clients leave it out. */
static int
dhcp_field_next(struct dhcp_field *field, uint8_t *code, struct dhcp_field *value)
{
	while (field->len > 0 && *field->bytes == DHCP_OPTION_PAD) {
		field->bytes++;
		field->len--;
	}
	if (field->len == 0 || *field->bytes == DHCP_OPTION_END)
		return 0;
	if (field->len < 2 || field->len - 2 < field->bytes[1])
		return -1;
	*code = field->bytes[0];
	value->bytes = field->bytes + 2;
	value->len = field->bytes[1];
	field->bytes += 2 + value->len;
	field->len -= 2 + value->len;
	return 1;
}

/* Adds up how long each option of the field is, all its parts together. */
static int
dhcp_field_measure(struct dhcp_packet *packet, struct dhcp_field field)
{
	struct dhcp_field value;
	uint8_t code;
	int more;

	while ((more = dhcp_field_next(&field, &code, &value)) == 1) {
		packet->options[code].is_there = true;
		packet->options[code].len += (uint16_t)value.len;
	}
	return more;
}

/* Copies the parts behind each other; the lengths count from 0 again. */
static void
dhcp_field_copy(struct dhcp_packet *packet, struct dhcp_field field)
{
	struct dhcp_field value;
	uint8_t code;

	while (dhcp_field_next(&field, &code, &value) == 1) {
		memcpy(packet->bytes + packet->options[code].offset +
			   packet->options[code].len,
		    value.bytes, value.len);
		packet->options[code].len += (uint16_t)value.len;
	}
}

/* RFC 3396, 6: the options are joined in the order of options, file, sname. */
static int
dhcp_parse_options(struct dhcp_packet *packet, const uint8_t *bytes, size_t len)
{
	struct dhcp_field fields[3] = { { bytes + DHCP_OPTIONS_AT,
	    len - DHCP_OPTIONS_AT } };
	struct dhcp_field rest = fields[0], value;
	uint8_t code, overload = 0;
	size_t count = 1;

	while (dhcp_field_next(&rest, &code, &value) == 1) {
		if (code == DHCP_OPTION_OVERLOAD && value.len == 1)
			overload = *value.bytes;
	}
	if ((overload & 1) != 0)
		fields[count++] =
		    (struct dhcp_field){ bytes + DHCP_FILE_AT, DHCP_FILE_LEN };
	if ((overload & 2) != 0)
		fields[count++] =
		    (struct dhcp_field){ bytes + DHCP_SNAME_AT, DHCP_SNAME_LEN };
	for (size_t i = 0; i < count; i++) {
		if (dhcp_field_measure(packet, fields[i]) == -1)
			return -1;
	}
	for (size_t i = 0; i < DHCP_OPTION_END; i++) {
		packet->options[i].offset = (uint16_t)packet->used;
		packet->used += packet->options[i].len;
		packet->options[i].len = 0;
	}
	for (size_t i = 0; i < count; i++)
		dhcp_field_copy(packet, fields[i]);
	return 0;
}

int
dhcp_packet_parse(struct dhcp_packet *packet, const uint8_t *bytes, size_t len)
{
	memset(packet, 0, sizeof *packet);
	if (len < DHCP_OPTIONS_AT || len > DHCP_PACKET_MAX ||
	    (bytes[0] != 1 && bytes[0] != 2) || bytes[2] > sizeof packet->hardware ||
	    memcmp(bytes + DHCP_COOKIE_AT, dhcp_cookie, sizeof dhcp_cookie) != 0)
		return -1;
	packet->is_reply = bytes[0] == 2;
	packet->hardware_type = bytes[1];
	packet->hardware_len = bytes[2];
	packet->hops = bytes[3];
	packet->xid = dhcp_get_32(bytes + 4);
	packet->seconds = dhcp_get_16(bytes + 8);
	packet->wants_broadcast = (dhcp_get_16(bytes + 10) & DHCP_FLAG_BROADCAST) != 0;
	memcpy(&packet->client, bytes + 12, 4);
	memcpy(&packet->yours, bytes + 16, 4);
	memcpy(&packet->next_server, bytes + 20, 4);
	memcpy(&packet->relay, bytes + 24, 4);
	memcpy(packet->hardware, bytes + 28, sizeof packet->hardware);
	return dhcp_parse_options(packet, bytes, len);
}

/* Writes an option, in parts when it is long. What it adds up to, or 0: no room. */
static size_t
dhcp_format_option(
    const struct dhcp_packet *packet, size_t code, uint8_t *out, size_t room)
{
	const uint8_t *bytes = packet->bytes + packet->options[code].offset;
	size_t left = packet->options[code].len, used = 0;

	do {
		size_t part = left < DHCP_PART_MAX ? left : DHCP_PART_MAX;

		if (room - used < part + 2)
			return 0;
		out[used] = (uint8_t)code;
		out[used + 1] = (uint8_t)part;
		memcpy(out + used + 2, bytes, part);
		used += part + 2;
		bytes += part;
		left -= part;
	} while (left > 0);
	return used;
}

size_t
dhcp_packet_format(const struct dhcp_packet *packet, uint8_t out[DHCP_PACKET_MAX])
{
	size_t used = DHCP_OPTIONS_AT, n;

	memset(out, 0, DHCP_PACKET_MAX);
	out[0] = packet->is_reply ? 2 : 1;
	out[1] = packet->hardware_type;
	out[2] = packet->hardware_len;
	out[3] = packet->hops;
	dhcp_put_32(out + 4, packet->xid);
	dhcp_put_16(out + 8, packet->seconds);
	dhcp_put_16(out + 10, packet->wants_broadcast ? DHCP_FLAG_BROADCAST : 0);
	memcpy(out + 12, &packet->client, 4);
	memcpy(out + 16, &packet->yours, 4);
	memcpy(out + 20, &packet->next_server, 4);
	memcpy(out + 24, &packet->relay, 4);
	memcpy(out + 28, packet->hardware, sizeof packet->hardware);
	memcpy(out + DHCP_COOKIE_AT, dhcp_cookie, sizeof dhcp_cookie);
	/* The type first, as all do; the rest as the numbers go, which puts the netmask
	 * before the router. RFC 2132, 3.3 */
	for (size_t i = 0; i < DHCP_OPTION_END; i++) {
		size_t code = i == 0 ? (size_t)DHCP_OPTION_TYPE : i;

		if (!packet->options[code].is_there || i == DHCP_OPTION_TYPE ||
		    i == DHCP_OPTION_OVERLOAD)
			continue;
		n = dhcp_format_option(
		    packet, code, out + used, DHCP_PACKET_MAX - used);
		if (n == 0)
			return 0;
		used += n;
	}
	if (used == DHCP_PACKET_MAX)
		return 0;
	out[used++] = DHCP_OPTION_END;
	return used < DHCP_PACKET_MIN ? DHCP_PACKET_MIN : used;
}

int
dhcp_packet_add(
    struct dhcp_packet *packet, enum dhcp_option option, const void *bytes, size_t len)
{
	if (option == DHCP_OPTION_PAD || option >= DHCP_OPTION_END ||
	    packet->options[option].is_there ||
	    len > sizeof packet->bytes - packet->used)
		return -1;
	packet->options[option].is_there = true;
	packet->options[option].offset = (uint16_t)packet->used;
	packet->options[option].len = (uint16_t)len;
	memcpy(packet->bytes + packet->used, bytes, len);
	packet->used += len;
	return 0;
}

int
dhcp_packet_add_number(
    struct dhcp_packet *packet, enum dhcp_option option, uint32_t number)
{
	uint8_t bytes[4];

	dhcp_put_32(bytes, number);
	return dhcp_packet_add(packet, option, bytes, sizeof bytes);
}

int
dhcp_packet_add_address(
    struct dhcp_packet *packet, enum dhcp_option option, struct in_addr address)
{
	return dhcp_packet_add(packet, option, &address, sizeof address);
}

int
dhcp_packet_add_type(struct dhcp_packet *packet, enum dhcp_type type)
{
	uint8_t byte = (uint8_t)type;

	return dhcp_packet_add(packet, DHCP_OPTION_TYPE, &byte, 1);
}

const uint8_t *
dhcp_packet_option(
    const struct dhcp_packet *packet, enum dhcp_option option, size_t *len)
{
	if (option >= DHCP_OPTION_END || !packet->options[option].is_there)
		return NULL;
	*len = packet->options[option].len;
	return packet->bytes + packet->options[option].offset;
}

bool
dhcp_packet_address(
    const struct dhcp_packet *packet, enum dhcp_option option, struct in_addr *address)
{
	size_t len;
	const uint8_t *bytes = dhcp_packet_option(packet, option, &len);

	if (bytes == NULL || len < sizeof *address)
		return false;
	memcpy(address, bytes, sizeof *address);
	return true;
}

bool
dhcp_packet_number(
    const struct dhcp_packet *packet, enum dhcp_option option, uint32_t *number)
{
	size_t len;
	const uint8_t *bytes = dhcp_packet_option(packet, option, &len);

	if (bytes == NULL || len != 4)
		return false;
	*number = dhcp_get_32(bytes);
	return true;
}

enum dhcp_type
dhcp_packet_type(const struct dhcp_packet *packet)
{
	size_t len;
	const uint8_t *byte = dhcp_packet_option(packet, DHCP_OPTION_TYPE, &len);

	if (byte == NULL || len != 1 || *byte > DHCP_INFORM)
		return DHCP_NO_TYPE;
	return (enum dhcp_type) * byte;
}
