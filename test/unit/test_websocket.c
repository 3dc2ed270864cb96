#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <event2/buffer.h>

#include "base/utf8.h"
#include "stream/websocket_frames.h"

/* Adds a frame as a client sends it; first is its first byte. */
static void
add_frame(struct evbuffer *out, unsigned char first, const char *payload, size_t len)
{
	static const unsigned char mask[4] = { 0xDE, 0xAD, 0xBE, 0xEF };
	unsigned char head[4] = { first, 0x80 | (unsigned char)(len < 126 ? len : 126),
		(unsigned char)(len >> 8), (unsigned char)(len & 0xFF) };

	evbuffer_add(out, head, len < 126 ? 2 : 4);
	evbuffer_add(out, mask, sizeof mask);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)payload[i] ^ mask[i % 4];

		evbuffer_add(out, &byte, 1);
	}
}

/* Writes down what is found until the input is used up; false after a fault. */
static bool
note_found(struct websocket_frames *frames, struct evbuffer *input, char *notes)
{
	for (;;) {
		char *end = notes + strlen(notes);
		const char *ping;
		char text[240];
		size_t len;
		int n;

		switch (websocket_frames_read(frames, input)) {
		case WEBSOCKET_FOUND_NOTHING:
			return true;
		case WEBSOCKET_FOUND_MESSAGE:
			n = (int)evbuffer_copyout(
			    websocket_frames_message(frames), text, sizeof text - 1);
			text[n] = '\0';
			snprintf(end, 256, "message %s\n", text);
			break;
		case WEBSOCKET_FOUND_PING:
			ping = websocket_frames_ping(frames, &len);
			snprintf(end, 256, "ping %.*s\n", (int)len, ping);
			break;
		case WEBSOCKET_FOUND_CLOSE:
			snprintf(
			    end, 256, "close %d\n", (int)websocket_frames_code(frames));
			break;
		case WEBSOCKET_FOUND_FAULT:
			snprintf(
			    end, 256, "fault %d\n", (int)websocket_frames_code(frames));
			return false;
		}
	}
}

static void
add_conversation(struct evbuffer *input)
{
	char large[200];

	memset(large, 'x', sizeof large);
	add_frame(input, 0x81, "one", 3);
	add_frame(input, 0x01, "\xE2", 1);
	add_frame(input, 0x89, "are you there", 13);
	add_frame(input, 0x00, "\x82", 1);
	add_frame(input, 0x8A, "", 0);
	add_frame(input, 0x80, "\xAC", 1);
	add_frame(input, 0x82, large, sizeof large);
	add_frame(input, 0x82, "", 0);
	add_frame(input, 0x88, "\x0F\xA0gr\xC3\xBC\xC3\x9F", 8);
}

/* However the bytes are cut into pieces, the same is found in them. */
static void
test_pieces(void **state)
{
	char expected[2048] = "", notes[2048];
	struct evbuffer *whole = evbuffer_new(), *input = evbuffer_new();
	struct websocket_frames *frames = websocket_frames_new();
	size_t len;

	(void)state;
	add_conversation(whole);
	len = evbuffer_get_length(whole);
	assert_true(note_found(frames, whole, expected));
	assert_non_null(strstr(expected, "message one\nping are you there\n"
					 "message \xE2\x82\xAC\nmessage xxx"));
	assert_non_null(strstr(expected, "x\nmessage \nclose 4000\n"));
	websocket_frames_free(frames);
	for (size_t piece = 1; piece < len; piece++) {
		frames = websocket_frames_new();
		add_conversation(whole);
		notes[0] = '\0';
		while (evbuffer_get_length(whole) > 0) {
			evbuffer_remove_buffer(whole, input, piece);
			assert_true(note_found(frames, input, notes));
			assert_int_equal(evbuffer_get_length(input), 0);
		}
		assert_string_equal(notes, expected);
		websocket_frames_free(frames);
	}
	evbuffer_free(whole);
	evbuffer_free(input);
}

static void
expect_notes(const char *bytes, size_t len, const char *expected)
{
	struct websocket_frames *frames = websocket_frames_new();
	struct evbuffer *input = evbuffer_new();
	char notes[512] = "";

	evbuffer_add(input, bytes, len);
	note_found(frames, input, notes);
	assert_string_equal(notes, expected);
	websocket_frames_free(frames);
	evbuffer_free(input);
}

static void
test_faults(void **state)
{
	(void)state;
	expect_notes("\x81\x01x", 3, "fault 1002\n"); /* no mask */
	expect_notes("\xC1\x80"
		     "mask",
	    6, "fault 1002\n"); /* RSV1 */
	expect_notes("\x83\x80"
		     "mask",
	    6, "fault 1002\n"); /* reserved opcode */
	expect_notes("\x80\x80"
		     "mask",
	    6, "fault 1002\n"); /* continues nothing */
	expect_notes("\x89\xFE", 2, "fault 1002\n"); /* ping of more than 125 */
	expect_notes("\x09\x80", 2, "fault 1002\n"); /* ping in fragments */
	expect_notes("\x82\xFE\0\x7D", 4, "fault 1002\n"); /* not the shortest */
	expect_notes("\x82\xFF\xFF\0\0\0\0\0\0\0", 10, "fault 1002\n");
	expect_notes("\x82\xFF\0\0\0\0\0\x01\0\x01"
		     "maskx",
	    15, "fault 1009\n"); /* 65537 bytes */
	expect_notes("\x88\x81"
		     "maskx",
	    7, "fault 1002\n"); /* half a code */
	expect_notes("\x88\x80"
		     "mask",
	    6, "close 0\n");
}

/* Every sequence of up to four bytes that matters, against the table of RFC 3629. */
static bool
is_utf8(const unsigned char *b, size_t len)
{
	uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 }, code;
	size_t n = b[0] < 0x80		   ? 1
		   : (b[0] & 0xE0) == 0xC0 ? 2
		   : (b[0] & 0xF0) == 0xE0 ? 3
		   : (b[0] & 0xF8) == 0xF0 ? 4
					   : 0;

	if (n != len)
		return false;
	code = n == 1 ? b[0] : b[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xC0) != 0x80)
			return false;
		code = code << 6 | (b[i] & 0x3F);
	}
	return code >= least[n] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

static void
test_utf8(void **state)
{
	static const unsigned char tails[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
		0xBF, 0xC0, 0xFF };
	unsigned char b[4];

	(void)state;
	for (unsigned n = 0; n < 256u * 10 * 10 * 10; n++) {
		b[0] = (unsigned char)(n & 0xFF);
		b[1] = tails[n / 256 % 10];
		b[2] = tails[n / 2560 % 10];
		b[3] = tails[n / 25600];
		for (size_t len = 1; len <= 4; len++) {
			struct utf8 utf8 = { .left = 0 };
			bool is_good =
			    utf8_take(&utf8, b, len) && utf8_is_complete(&utf8);

			/* Bytes below 0x80 in front of others are texts of their own.
			 */
			if (b[0] >= 0x80 && (len < 2 || b[len - 1] >= 0x80))
				assert_int_equal(is_good, is_utf8(b, len));
		}
	}
}

static void
test_writing(void **state)
{
	static const struct {
		size_t len, head_len;
		unsigned char head[10];
	} cases[] = { { 0, 2, { 0x82, 0 } }, { 125, 2, { 0x82, 125 } },
		{ 126, 4, { 0x82, 126, 0, 126 } },
		{ 65535, 4, { 0x82, 126, 0xFF, 0xFF } },
		{ 65536, 10, { 0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0 } } };
	struct websocket_frames *frames = websocket_frames_new();
	struct evbuffer *out = evbuffer_new();
	static char payload[65536];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		websocket_frames_write(
		    frames, out, WEBSOCKET_BINARY, payload, cases[i].len);
		assert_int_equal(
		    evbuffer_get_length(out), cases[i].head_len + cases[i].len);
		assert_memory_equal(
		    evbuffer_pullup(out, -1), cases[i].head, cases[i].head_len);
		evbuffer_drain(out, evbuffer_get_length(out));
	}
	websocket_frames_write_close(frames, out, WEBSOCKET_CODE_TOO_BIG);
	websocket_frames_write_close(frames, out, WEBSOCKET_CODE_NONE);
	assert_int_equal(evbuffer_get_length(out), 6);
	assert_memory_equal(evbuffer_pullup(out, -1), "\x88\x02\x03\xF1\x88\x00", 6);
	websocket_frames_free(frames);
	evbuffer_free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
