#ifndef STREAM_WEBSOCKET_FRAMES_H
#define STREAM_WEBSOCKET_FRAMES_H

#include <stddef.h>

struct evbuffer;

/* The frames of a WebSocket server (RFC 6455, section 5): bytes in and messages out,
 * and the other way. The framing is libwslay's; what it may mean is checked here. */

#define WEBSOCKET_MESSAGE_MAX (64u * 1024) /* bytes; fragments are added up */
#define WEBSOCKET_CONTROL_MAX 125 /* bytes. RFC 6455, 5.5 */

/* RFC 6455, 5.2 */
enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0x0,
	WEBSOCKET_TEXT = 0x1,
	WEBSOCKET_BINARY = 0x2,
	WEBSOCKET_CLOSE = 0x8,
	WEBSOCKET_PING = 0x9,
	WEBSOCKET_PONG = 0xA
};

/* RFC 6455, 7.4.1 */
enum websocket_code {
	WEBSOCKET_CODE_NONE = 0, /* a close frame without a code */
	WEBSOCKET_CODE_NORMAL = 1000,
	WEBSOCKET_CODE_GOING_AWAY = 1001,
	WEBSOCKET_CODE_PROTOCOL_ERROR = 1002,
	WEBSOCKET_CODE_INVALID_TEXT = 1007,
	WEBSOCKET_CODE_TOO_BIG = 1009
};

enum websocket_found {
	WEBSOCKET_FOUND_NOTHING, /* the input is used up */
	WEBSOCKET_FOUND_MESSAGE, /* whole, and good UTF-8 if it is text */
	WEBSOCKET_FOUND_PING,
	WEBSOCKET_FOUND_CLOSE,
	WEBSOCKET_FOUND_FAULT /* of the peer; nothing can be read any more */
};

struct websocket_frames;

struct websocket_frames *websocket_frames_new(void);
void websocket_frames_free(struct websocket_frames *); /* NULL is allowed */

/* Takes bytes from the input until it finds something. */
enum websocket_found websocket_frames_read(
    struct websocket_frames *, struct evbuffer *input);

/* The message that was found. Borrowed; emptied by the next read. */
struct evbuffer *websocket_frames_message(struct websocket_frames *);

/* What the ping that was found carries. Borrowed until the next read. */
const void *websocket_frames_ping(const struct websocket_frames *, size_t *len);

/* After a close or a fault: the code to close with. */
enum websocket_code websocket_frames_code(const struct websocket_frames *);

/* Adds one whole, unmasked frame to the output; a control frame's len is at most
 * WEBSOCKET_CONTROL_MAX. */
void websocket_frames_write(struct websocket_frames *, struct evbuffer *output,
    enum websocket_opcode, const void *bytes, size_t len);

/* The same for a close frame. */
void websocket_frames_write_close(
    struct websocket_frames *, struct evbuffer *output, enum websocket_code);

#endif
