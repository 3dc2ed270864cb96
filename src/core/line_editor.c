#include "core/line_editor.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define LINE_EDITOR_KEEP 256 /* bytes of buffer that an idle editor holds on to */
#define LINE_EDITOR_SEQUENCE_MAX 8 /* bytes of an escape sequence worth reading */

enum line_key {
	KEY_CTRL_A = 0x01,
	KEY_CTRL_C = 0x03,
	KEY_CTRL_E = 0x05,
	KEY_BACKSPACE = 0x08,
	KEY_LINE_FEED = 0x0A,
	KEY_RETURN = 0x0D,
	KEY_CTRL_U = 0x15,
	KEY_ESCAPE = 0x1B,
	KEY_DELETE = 0x7F
};

enum line_sequence_state { SEQUENCE_NONE, SEQUENCE_ESCAPE, SEQUENCE_BODY };

struct line_editor {
	line_echo *echo;
	void *arg;
	bool echoing; /* during a feed: what goes back */
	size_t max;
	char *text; /* owned */
	size_t len, size, cursor;
	bool overlong, done;

	enum line_sequence_state sequence_state;
	char sequence[LINE_EDITOR_SEQUENCE_MAX];
	size_t sequence_len;

	char *history[LINE_EDITOR_HISTORY]; /* owned; newest first */
	size_t recalled; /* 1: the newest is on the line; 0: none */
};

struct line_editor *
line_editor_new(size_t max, line_echo *echo, void *arg)
{
	struct line_editor *editor = xcalloc(1, sizeof *editor);

	editor->max = max;
	editor->echo = echo;
	editor->arg = arg;
	return editor;
}

void
line_editor_free(struct line_editor *editor)
{
	if (editor == NULL)
		return;
	for (size_t i = 0; i < LINE_EDITOR_HISTORY; i++)
		free(editor->history[i]);
	free(editor->text);
	free(editor);
}

static void
line_editor_send(struct line_editor *editor, const char *bytes, size_t len)
{
	if (editor->echoing && len > 0)
		editor->echo(editor->arg, bytes, len);
}

/* Moves the terminal's cursor left. */
static void
line_editor_send_back(struct line_editor *editor, size_t columns)
{
	static const char back[] = "\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b\b";

	while (columns > 0) {
		size_t n = columns < sizeof back - 1 ? columns : sizeof back - 1;

		line_editor_send(editor, back, n);
		columns -= n;
	}
}

static void
line_editor_send_blanks(struct line_editor *editor, size_t columns)
{
	static const char blanks[] = "                ";

	while (columns > 0) {
		size_t n = columns < sizeof blanks - 1 ? columns : sizeof blanks - 1;

		line_editor_send(editor, blanks, n);
		columns -= n;
	}
}

void
line_editor_reset(struct line_editor *editor)
{
	if (editor->size > LINE_EDITOR_KEEP) {
		free(editor->text);
		editor->text = NULL;
		editor->size = 0;
	}
	editor->len = editor->cursor = 0;
	editor->overlong = editor->done = false;
	editor->sequence_state = SEQUENCE_NONE;
	editor->recalled = 0;
}

/* Puts bytes in at the cursor. What does not fit is echoed all the same: a host counts
 * on getting back each byte it sent. */
static void
line_editor_insert(struct line_editor *editor, const char *bytes, size_t len)
{
	size_t fits = editor->max - editor->len, behind = editor->len - editor->cursor;

	if (len > fits) {
		editor->overlong = true;
		line_editor_send(editor, bytes + fits, len - fits);
		len = fits;
	}
	if (editor->len + len > editor->size) {
		editor->size = (editor->len + len) * 2 < editor->max
				   ? (editor->len + len) * 2
				   : editor->max;
		editor->text = xrealloc(editor->text, editor->size);
	}
	if (len == 0)
		return;
	if (behind > 0)
		memmove(editor->text + editor->cursor + len,
		    editor->text + editor->cursor, behind);
	memcpy(editor->text + editor->cursor, bytes, len);
	editor->len += len;
	editor->cursor += len;
	line_editor_send(editor, bytes, len);
	line_editor_send(editor, editor->text + editor->cursor, behind);
	line_editor_send_back(editor, behind);
}

/* Takes away the byte under the cursor. */
static void
line_editor_delete(struct line_editor *editor)
{
	size_t behind;

	if (editor->cursor == editor->len)
		return;
	editor->len--;
	behind = editor->len - editor->cursor;
	memmove(
	    editor->text + editor->cursor, editor->text + editor->cursor + 1, behind);
	line_editor_send(editor, editor->text + editor->cursor, behind);
	line_editor_send(editor, " ", 1);
	line_editor_send_back(editor, behind + 1);
}

static void
line_editor_backspace(struct line_editor *editor)
{
	if (editor->cursor == 0)
		return;
	editor->cursor--;
	line_editor_send_back(editor, 1);
	line_editor_delete(editor);
}

static void
line_editor_move(struct line_editor *editor, size_t cursor)
{
	if (cursor > editor->len)
		return;
	if (cursor < editor->cursor)
		line_editor_send_back(editor, editor->cursor - cursor);
	else if (cursor > editor->cursor)
		line_editor_send(
		    editor, editor->text + editor->cursor, cursor - editor->cursor);
	editor->cursor = cursor;
}

static void
line_editor_erase(struct line_editor *editor)
{
	size_t len = editor->len;

	line_editor_move(editor, 0);
	line_editor_send_blanks(editor, len);
	line_editor_send_back(editor, len);
	editor->len = editor->cursor = 0;
	editor->overlong = false;
}

/* Shows the line of the history that position names: 1 the newest, 0 an empty one. */
static void
line_editor_recall(struct line_editor *editor, size_t position)
{
	const char *line;

	if (position > LINE_EDITOR_HISTORY ||
	    (position > 0 && editor->history[position - 1] == NULL))
		return;
	line_editor_erase(editor);
	if (position > 0) {
		line = editor->history[position - 1];
		line_editor_insert(editor, line, strlen(line));
	}
	editor->recalled = position;
}

static void
line_editor_remember(struct line_editor *editor)
{
	char *line;

	if (editor->len == 0 || editor->overlong)
		return;
	line = xmemdup(editor->text, editor->len);
	if (editor->history[0] != NULL && strcmp(editor->history[0], line) == 0) {
		free(line);
		return;
	}
	free(editor->history[LINE_EDITOR_HISTORY - 1]);
	memmove(&editor->history[1], &editor->history[0],
	    (LINE_EDITOR_HISTORY - 1) * sizeof editor->history[0]);
	editor->history[0] = line;
}

/* Acts on a complete escape sequence, as VT100 and xterm send them. */
static void
line_editor_sequence(struct line_editor *editor)
{
	static const struct {
		const char *sequence;
		char action;
	} keys[] = { { "[A", 'U' }, { "OA", 'U' }, { "[B", 'N' }, { "OB", 'N' },
		{ "[C", 'R' }, { "OC", 'R' }, { "[D", 'L' }, { "OD", 'L' },
		{ "[H", 'H' }, { "OH", 'H' }, { "[1~", 'H' }, { "[7~", 'H' },
		{ "[F", 'E' }, { "OF", 'E' }, { "[4~", 'E' }, { "[8~", 'E' },
		{ "[3~", 'D' } };
	char action = '\0';

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (strlen(keys[i].sequence) == editor->sequence_len &&
		    memcmp(keys[i].sequence, editor->sequence, editor->sequence_len) ==
			0)
			action = keys[i].action;
	}
	switch (action) {
	case 'U':
		line_editor_recall(editor, editor->recalled + 1);
		break;
	case 'N':
		if (editor->recalled > 0)
			line_editor_recall(editor, editor->recalled - 1);
		break;
	case 'R':
		line_editor_move(editor, editor->cursor + 1);
		break;
	case 'L':
		if (editor->cursor > 0)
			line_editor_move(editor, editor->cursor - 1);
		break;
	case 'H':
		line_editor_move(editor, 0);
		break;
	case 'E':
		line_editor_move(editor, editor->len);
		break;
	case 'D':
		line_editor_delete(editor);
		break;
	default:
		break;
	}
}

/* Collects an escape sequence; false when the byte does not belong to one. */
static bool
line_editor_in_sequence(struct line_editor *editor, char byte)
{
	if (editor->sequence_state == SEQUENCE_NONE)
		return false;
	if (editor->sequence_state == SEQUENCE_ESCAPE) {
		if (byte != '[' && byte != 'O') {
			editor->sequence_state = SEQUENCE_NONE;
			return false;
		}
		editor->sequence_state = SEQUENCE_BODY;
		editor->sequence[0] = byte;
		editor->sequence_len = 1;
		return true;
	}
	if ((unsigned char)byte < 0x20 || (unsigned char)byte > 0x7E) {
		editor->sequence_state =
		    SEQUENCE_NONE; /* broken off: a key of its own */
		return false;
	}
	if (editor->sequence_len < sizeof editor->sequence)
		editor->sequence[editor->sequence_len] = byte;
	editor->sequence_len++;
	if (byte >= 0x40) {
		editor->sequence_state = SEQUENCE_NONE;
		if (editor->sequence_len <= sizeof editor->sequence)
			line_editor_sequence(editor);
	}
	return true;
}

/* A byte that is not text. Chosen: control bytes that are no key of the module are
 * dropped, with no echo, so that line noise does no harm. */
static enum line_status
line_editor_key(struct line_editor *editor, char byte)
{
	switch ((unsigned char)byte) {
	case KEY_RETURN:
	case KEY_LINE_FEED:
		line_editor_send(editor, "\r\n", 2);
		line_editor_remember(editor);
		editor->done = true;
		return LINE_DONE;
	case KEY_BACKSPACE:
	case KEY_DELETE:
		line_editor_backspace(editor);
		break;
	case KEY_CTRL_C:
		line_editor_send(editor, "\r\n", 2);
		line_editor_reset(editor);
		return LINE_DROPPED;
	case KEY_CTRL_U:
		line_editor_erase(editor);
		break;
	case KEY_CTRL_A:
		line_editor_move(editor, 0);
		break;
	case KEY_CTRL_E:
		line_editor_move(editor, editor->len);
		break;
	case KEY_ESCAPE:
		editor->sequence_state = SEQUENCE_ESCAPE;
		break;
	default:
		break;
	}
	return LINE_OPEN;
}

static bool
line_editor_is_text(char byte)
{
	return (unsigned char)byte >= 0x20 && (unsigned char)byte != KEY_DELETE;
}

enum line_status
line_editor_feed(
    struct line_editor *editor, const char *bytes, size_t len, bool echo, size_t *taken)
{
	size_t at = 0;

	if (editor->done)
		line_editor_reset(editor);
	editor->echoing = echo;
	while (at < len) {
		size_t run = at;
		enum line_status status;

		if (line_editor_in_sequence(editor, bytes[at])) {
			at++;
			continue;
		}
		while (run < len && line_editor_is_text(bytes[run]))
			run++;
		if (run > at) {
			line_editor_insert(editor, bytes + at, run - at);
			at = run;
			continue;
		}
		status = line_editor_key(editor, bytes[at++]);
		if (status != LINE_OPEN) {
			*taken = at;
			return status;
		}
	}
	*taken = at;
	return LINE_OPEN;
}

const char *
line_editor_text(const struct line_editor *editor, size_t *len, bool *overlong)
{
	*len = editor->len;
	*overlong = editor->overlong;
	return editor->len == 0 ? "" : editor->text;
}
