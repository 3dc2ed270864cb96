#include "stream/websocket_frames.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <wslay/wslay.h>

#include "base/utf8.h"
#include "base/xmalloc.h"

struct websocket_frames {
	wslay_frame_context_ptr wslay; /* owned */
	struct evbuffer *input, *output; /* borrowed, each while a call runs */

	bool in_frame; /* its header is known, and more of its payload comes */
	uint64_t frame_left; /* bytes of the payload that are still to come */
	unsigned char control[WEBSOCKET_CONTROL_MAX];
	size_t control_len;

	bool in_message; /* a fragment without FIN came last */
	bool is_text;
	struct utf8 utf8;
	struct evbuffer *message; /* owned */
	bool message_is_found; /* to be emptied by the next read */
	enum websocket_code code;
};

static ssize_t
websocket_frames_on_recv(uint8_t *buf, size_t len, int flags, void *arg)
{
	struct websocket_frames *self = arg;
	int n = evbuffer_remove(self->input, buf, len);

	(void)flags;
	return n > 0 ? n : -1;
}

static ssize_t
websocket_frames_on_send(const uint8_t *bytes, size_t len, int flags, void *arg)
{
	struct websocket_frames *self = arg;

	(void)flags;
	return evbuffer_add(self->output, bytes, len) == 0 ? (ssize_t)len : -1;
}

struct websocket_frames *
websocket_frames_new(void)
{
	const struct wslay_frame_callbacks callbacks = {
		.send_callback = websocket_frames_on_send,
		.recv_callback = websocket_frames_on_recv,
	};
	struct websocket_frames *self = xcalloc(1, sizeof *self);

	if (wslay_frame_context_init(&self->wslay, &callbacks, self) != 0)
		xcheck(NULL);
	self->message = xcheck(evbuffer_new());
	return self;
}

void
websocket_frames_free(struct websocket_frames *self)
{
	if (self == NULL)
		return;
	wslay_frame_context_free(self->wslay);
	evbuffer_free(self->message);
	free(self);
}

static enum websocket_found
websocket_frames_fault(struct websocket_frames *self, enum websocket_code code)
{
	self->code = code;
	return WEBSOCKET_FOUND_FAULT;
}

/* Whether a frame may begin like this here; if not, the code says why. */
static bool
websocket_frames_may_begin(
    struct websocket_frames *self, const struct wslay_frame_iocb *frame)
{
	self->code = WEBSOCKET_CODE_PROTOCOL_ERROR;
	if (frame->rsv != 0 || frame->mask == 0)
		return false;
	switch (frame->opcode) {
	case WEBSOCKET_CLOSE:
	case WEBSOCKET_PING:
	case WEBSOCKET_PONG:
		return frame->payload_length <= WEBSOCKET_CONTROL_MAX && frame->fin;
	case WEBSOCKET_CONTINUATION:
		if (!self->in_message)
			return false;
		break;
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY:
		if (self->in_message)
			return false;
		break;
	default:
		return false;
	}
	self->code = WEBSOCKET_CODE_TOO_BIG;
	return frame->payload_length <=
	       WEBSOCKET_MESSAGE_MAX - evbuffer_get_length(self->message);
}

static void
websocket_frames_begin(
    struct websocket_frames *self, const struct wslay_frame_iocb *frame)
{
	self->in_frame = true;
	self->frame_left = frame->payload_length;
	self->control_len = 0;
	if (frame->opcode != WEBSOCKET_TEXT && frame->opcode != WEBSOCKET_BINARY)
		return;
	self->in_message = true;
	self->is_text = frame->opcode == WEBSOCKET_TEXT;
	memset(&self->utf8, 0, sizeof self->utf8);
}

/* RFC 6455, 7.4: codes that may stand in a close frame, those registered since among
 * them. */
static bool
websocket_frames_is_code(unsigned code)
{
	return (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
	       (code >= 3000 && code <= 4999);
}

static enum websocket_found
websocket_frames_close(struct websocket_frames *self)
{
	struct utf8 utf8 = { .left = 0 };
	unsigned code;

	self->code = WEBSOCKET_CODE_NONE;
	if (self->control_len == 0)
		return WEBSOCKET_FOUND_CLOSE;
	code = (unsigned)self->control[0] << 8 | self->control[1];
	if (self->control_len == 1 || !websocket_frames_is_code(code))
		return websocket_frames_fault(self, WEBSOCKET_CODE_PROTOCOL_ERROR);
	if (!utf8_take(&utf8, self->control + 2, self->control_len - 2) ||
	    !utf8_is_complete(&utf8))
		return websocket_frames_fault(self, WEBSOCKET_CODE_INVALID_TEXT);
	self->code = (enum websocket_code)code;
	return WEBSOCKET_FOUND_CLOSE;
}

/* A frame is complete. */
static enum websocket_found
websocket_frames_end(
    struct websocket_frames *self, const struct wslay_frame_iocb *frame)
{
	self->in_frame = false;
	switch (frame->opcode) {
	case WEBSOCKET_CLOSE:
		return websocket_frames_close(self);
	case WEBSOCKET_PING:
		return WEBSOCKET_FOUND_PING;
	case WEBSOCKET_PONG:
		return WEBSOCKET_FOUND_NOTHING;
	default:
		break;
	}
	if (!frame->fin)
		return WEBSOCKET_FOUND_NOTHING;
	if (self->is_text && !utf8_is_complete(&self->utf8))
		return websocket_frames_fault(self, WEBSOCKET_CODE_INVALID_TEXT);
	self->in_message = false;
	self->message_is_found = true;
	return WEBSOCKET_FOUND_MESSAGE;
}

/* A piece of a frame: its first one has the header. */
static enum websocket_found
websocket_frames_take(
    struct websocket_frames *self, const struct wslay_frame_iocb *frame)
{
	if (!self->in_frame) {
		if (!websocket_frames_may_begin(self, frame))
			return WEBSOCKET_FOUND_FAULT;
		websocket_frames_begin(self, frame);
	}
	if (frame->opcode >= WEBSOCKET_CLOSE) {
		memcpy(
		    self->control + self->control_len, frame->data, frame->data_length);
		self->control_len += frame->data_length;
	} else {
		if (self->is_text &&
		    !utf8_take(&self->utf8, frame->data, frame->data_length))
			return websocket_frames_fault(
			    self, WEBSOCKET_CODE_INVALID_TEXT);
		evbuffer_add(self->message, frame->data, frame->data_length);
	}
	self->frame_left -= frame->data_length;
	return self->frame_left == 0 ? websocket_frames_end(self, frame)
				     : WEBSOCKET_FOUND_NOTHING;
}

enum websocket_found
websocket_frames_read(struct websocket_frames *self, struct evbuffer *input)
{
	enum websocket_found found = WEBSOCKET_FOUND_NOTHING;
	struct wslay_frame_iocb frame;
	ssize_t n = 0;

	if (self->message_is_found) {
		self->message_is_found = false;
		evbuffer_drain(self->message, evbuffer_get_length(self->message));
	}
	self->input = input;
	while (found == WEBSOCKET_FOUND_NOTHING) {
		memset(&frame, 0, sizeof frame);
		n = wslay_frame_recv(self->wslay, &frame);
		if (n < 0)
			break;
		found = websocket_frames_take(self, &frame);
	}
	self->input = NULL;
	if (n < 0 && n != WSLAY_ERR_WANT_READ)
		return websocket_frames_fault(self, WEBSOCKET_CODE_PROTOCOL_ERROR);
	return found;
}

struct evbuffer *
websocket_frames_message(struct websocket_frames *self)
{
	return self->message;
}

const void *
websocket_frames_ping(const struct websocket_frames *self, size_t *len)
{
	*len = self->control_len;
	return self->control;
}

enum websocket_code
websocket_frames_code(const struct websocket_frames *self)
{
	return self->code;
}

void
websocket_frames_write(struct websocket_frames *self, struct evbuffer *output,
    enum websocket_opcode opcode, const void *bytes, size_t len)
{
	struct wslay_frame_iocb frame = {
		.fin = 1,
		.opcode = (uint8_t)opcode,
		.payload_length = len,
		.data = bytes,
		.data_length = len,
	};

	/* An evbuffer takes all at once, so a frame is never left half written. */
	self->output = output;
	wslay_frame_send(self->wslay, &frame);
	self->output = NULL;
}

void
websocket_frames_write_close(
    struct websocket_frames *self, struct evbuffer *output, enum websocket_code code)
{
	const unsigned char bytes[2] = { (unsigned char)(code >> 8),
		(unsigned char)(code & 0xFF) };

	websocket_frames_write(self, output, WEBSOCKET_CLOSE, bytes,
	    code == WEBSOCKET_CODE_NONE ? 0 : sizeof bytes);
}
