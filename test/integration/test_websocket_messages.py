"""What goes over WebSocket connections: messages, frames that may not be, and peers that
do not read."""

import struct

from integration.test_websocket import RECEIVE_MAX, Silent, WebSocketCase
from lib.websocket import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_frame,
                           frame)

MESSAGE_MAX = 64 * 1024

GOOD_TEXTS = (b"", b"plain", "κόσμε".encode(), b"\xed\x9f\xbf", b"\xee\x80\x80",
              b"\xf4\x8f\xbf\xbf", b"\xef\xbf\xbf", b"\xf0\x90\x80\x80", b"\x00\x7f",
              b"\xc2\x80\xe0\xa0\x80")
BAD_TEXTS = (b"\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf",
             b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80",
             b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xff", b"\xc2",
             b"\xe2\x82", b"\xf0\x9f\x98", b"ok\xc3(", b"\xe2(\xa1", b"\xf0(\x8c\xbc")

# What a client must not send, and the code with which it is told so.
FAULTS = {
    "no mask": (frame(TEXT, b"x", mask=None), 1002),
    "no mask, empty": (frame(BINARY, mask=None), 1002),
    "no mask on a ping": (frame(PING, b"x", mask=None), 1002),
    "RSV1": (frame(TEXT, b"x", rsv=4), 1002),
    "RSV2": (frame(BINARY, b"x", rsv=2), 1002),
    "RSV3 on a ping": (frame(PING, rsv=1), 1002),
    "all RSV on a close": (frame(CLOSE, rsv=7), 1002),
    "RSV in a continuation": (frame(TEXT, b"a", fin=False) +
                              frame(CONTINUATION, b"b", rsv=4), 1002),
    "opcode 3": (frame(3, b"x"), 1002),
    "opcode 7, empty": (frame(7), 1002),
    "opcode 11": (frame(11, b"x"), 1002),
    "opcode 15": (frame(15), 1002),
    "reserved opcode between fragments": (frame(TEXT, b"a", fin=False) + frame(4, b"b"),
                                          1002),
    "ping of 126": (frame(PING, bytes(126)), 1002),
    "close of 126": (frame(CLOSE, struct.pack("!H", 1000) + b"x" * 124), 1002),
    "pong of 65536": (frame(PONG, bytes(65536)), 1002),
    "fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "fragmented close": (frame(CLOSE, fin=False), 1002),
    "continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "continuation of nothing, not the last": (frame(CONTINUATION, b"x", fin=False), 1002),
    "continuation after the last": (frame(TEXT, b"a", fin=False) +
                                    frame(CONTINUATION, b"b") +
                                    frame(CONTINUATION, b"c"), 1002),
    "a message inside another": (frame(TEXT, b"a", fin=False) + frame(BINARY, b"b"),
                                 1002),
    "length 125 in two bytes": (frame(BINARY, bytes(125), length=(125, 2)), 1002),
    "length 65535 in eight bytes": (frame(BINARY, bytes(65535), length=(65535, 8)), 1002),
    "length of 64 bits": (frame(BINARY, b"x", length=(1 << 63, 8)), 1002),
    "length of 63 bits": (frame(BINARY, b"x", length=((1 << 63) - 1, 8)), 1009),
    "a message too large": (frame(BINARY, bytes(MESSAGE_MAX + 1)), 1009),
    "a text too large": (frame(TEXT, b"x" * (MESSAGE_MAX + 1)), 1009),
    "fragments too large": (frame(BINARY, bytes(MESSAGE_MAX), fin=False) +
                            frame(CONTINUATION, b"x"), 1009),
    "a close of one byte": (frame(CLOSE, b"x"), 1002),
    "bad UTF-8 in a close": (close_frame(1000, b"\xff"), 1007),
    "cut UTF-8 in a close": (close_frame(1000, b"\xe2\x82"), 1007),
    "noise": (b"GET /command/ver HTTP/1.1\r\n\r\n", 1002),
}


class Messages(WebSocketCase):
    def test_to_the_page(self):
        self.start()
        client = self.opened()
        for size in (0, 1, 125, 126, 127, 65535, 65536, 300000):
            data = bytes(range(256)) * (size // 256) + bytes(size % 256)
            self.write(0, data)
            self.assertEqual(client.receive(), (0x80 | BINARY, data))

    def test_from_the_page(self):
        self.start()
        client = self.opened()
        every = bytes(range(256))
        client.send(frame(TEXT, b"text ") + frame(BINARY, every) + frame(BINARY) +
                    frame(TEXT, b"", mask=bytes(4)) + frame(TEXT, "é".encode()))
        self.assertEqual(self.read_all(0, 263), b"text " + every + "é".encode())
        self.assertEqual(self.read(0, 10), b"")
        for size in (1, 125, 126, 127, 65535, MESSAGE_MAX):
            data = b"m" * size
            client.send(frame(BINARY, data))
            self.assertEqual(self.read_all(0, size), data)

    def test_spelled_with_more_bytes_than_needed_is_no_text(self):
        self.start()
        for text in BAD_TEXTS:
            for name, sent in (
                    ("whole", frame(TEXT, text)),
                    ("split", b"".join(
                        frame(CONTINUATION if n else TEXT, text[n:n + 1],
                              fin=n == len(text) - 1) for n in range(len(text)))),
                    ("behind good text", frame(TEXT, b"good", fin=False) +
                     frame(PING) + frame(CONTINUATION, text))):
                with self.subTest(text=text, how=name):
                    client = self.open()
                    client.send(sent)
                    if name == "behind good text":
                        self.assertEqual(client.receive(), (0x80 | PONG, b""))
                    self.assertEqual(client.close_code(), 1007)
                    self.wait_closed()

    def test_good_text(self):
        self.start()
        client = self.open()
        for text in GOOD_TEXTS:
            client.send(frame(TEXT, text))
            for n in range(len(text)):
                client.send(frame(CONTINUATION if n else TEXT, text[n:n + 1],
                                  fin=n == len(text) - 1))
            self.assertEqual(self.read_all(0, 2 * len(text)), 2 * text)
        # A binary message need not be text.
        client.send(frame(BINARY, b"\xff\xfe", fin=False) + frame(CONTINUATION, b"\x80"))
        self.assertEqual(self.read_all(0, 3), b"\xff\xfe\x80")

    def test_bad_text_is_told_before_its_message_ends(self):
        self.start()
        client = self.open()
        client.send(frame(TEXT, b"good \xff", fin=False))
        self.assertEqual(client.close_code(), 1007)

    def test_fragments_and_what_stands_between_them(self):
        self.start()
        client = self.opened()
        client.send(frame(TEXT, fin=False) + frame(CONTINUATION, b"a", fin=False) +
                    frame(PING, b"one") + frame(CONTINUATION, fin=False) +
                    frame(PONG, b"unasked") + frame(PING, b"two"))
        self.assertEqual(client.receive(), (0x80 | PONG, b"one"))
        self.assertEqual(client.receive(), (0x80 | PONG, b"two"))
        # A message counts once it is whole.
        self.assertEqual(self.ok("stream_poll 0"), "0")
        client.send(frame(CONTINUATION, b"b"))
        self.assertEqual(self.read_all(0, 2), b"ab")

    def test_many_small_fragments(self):
        self.start()
        client = self.opened()
        count = 5000
        client.send(frame(BINARY, b"0", fin=False) +
                    frame(CONTINUATION, b"1", fin=False) * (count - 2) +
                    frame(CONTINUATION, fin=False) * count + frame(CONTINUATION, b"2"))
        self.assertEqual(self.read_all(0, count), b"0" + b"1" * (count - 2) + b"2")

    def test_bytes_that_come_one_by_one(self):
        self.start()
        client = self.opened()
        client.send_each_byte(frame(TEXT, "aé€😀".encode(), fin=False) +
                              frame(PING, b"ping") +
                              frame(CONTINUATION, b"x" * 200))
        self.assertEqual(client.receive(), (0x80 | PONG, b"ping"))
        self.assertEqual(self.read_all(0, 210), "aé€😀".encode() + b"x" * 200)
        client.send_each_byte(close_frame(4321, "aé€😀".encode()))
        self.assertEqual(client.close_code(), 4321)

    def test_ping(self):
        self.start()
        client = self.opened()
        for payload in (b"", b"x", bytes(range(125))):
            client.send(frame(PING, payload))
            self.assertEqual(client.receive(), (0x80 | PONG, payload))
        client.send(frame(PONG) + frame(PONG, b"x" * 125) + frame(TEXT, b"data"))
        self.assertEqual(self.read_all(0, 4), b"data")

    def test_faults(self):
        self.start(stream__auto_close="0")
        for name, (sent, code) in FAULTS.items():
            with self.subTest(name):
                client = self.open()
                client.send(sent)
                self.assertEqual(client.close_code(), code)
                client.close()
                if name == "continuation after the last":
                    self.assertEqual(self.read_all(0, 2), b"ab")
                self.wait_poll(0, 2)
                self.fails("stream_write 0 1", b"x")
                self.ok("stream_close 0")

    def test_what_came_before_a_fault_can_be_read(self):
        self.start()
        client = self.opened()
        client.send(frame(TEXT, b"good") + frame(TEXT, b"part", fin=False) +
                    frame(TEXT, b"bad") + b"\xff" * 100000)
        self.assertEqual(client.close_code(), 1002)
        self.assertEqual(self.read_all(0, 4), b"good")
        self.wait_closed()


class Flow(WebSocketCase):
    def test_nobody_reads_in_the_module(self):
        """The page is held back; then all of it arrives in order."""
        self.start()
        client = self.opened()
        piece = 1000
        messages = [bytes([n & 0xFF]) * piece for n in range(20000)]
        data = b"".join(frame(BINARY, message) for message in messages)
        client.socket.settimeout(0.3)
        sent = 0
        try:
            while sent < len(data):
                sent += client.socket.send(data[sent:sent + 16384])
        except TimeoutError:
            pass
        self.assertLess(sent, len(data))
        waiting = int(self.ok("stream_poll all -c").split(",")[2])
        self.assertGreater(waiting, RECEIVE_MAX)
        self.assertLessEqual(waiting, RECEIVE_MAX + MESSAGE_MAX)
        whole = sent // (piece + 8)
        self.assertEqual(self.read_all(0, whole * piece),
                         b"".join(messages)[:whole * piece])
        client.socket.settimeout(10)
        client.send(data[sent:(whole + 1) * (piece + 8)])
        self.assertEqual(self.read_all(0, piece), messages[whole])

    def test_the_last_words_of_a_page_that_was_held_back(self):
        self.start()
        client = self.opened()
        data = bytes(range(256)) * 200
        for _ in range(4):
            client.send(frame(BINARY, data))
        client.send(close_frame(1000))
        self.assertEqual(self.read_all(0, 4 * len(data)), data * 4)
        self.assertEqual(client.close_code(), 1000)
        self.wait_closed()

    def test_the_same_without_a_close(self):
        self.start()
        client = self.opened()
        data = bytes(range(256)) * 200
        for _ in range(4):
            client.send(frame(BINARY, data))
        client.close()
        self.assertEqual(self.read_all(0, 4 * len(data)), data * 4)
        self.wait_closed()

    def fill(self, client):
        """Writes until a write has to wait, which then is under way; the data of all."""
        written = b""
        for n in range(400):
            data = bytes([n & 0xFF]) * 60000
            written += data
            self.front.start(f"stream_write 0 {len(data)}", data)
            result = self.front.finish(0.5)
            if result is None:
                return written
            self.assertEqual(result.code, 0)
        raise AssertionError(f"{len(written)} bytes were taken; {client} read none")

    def test_the_page_does_not_read(self):
        self.start()
        client = self.opened(receive_buffer=16384)
        written = self.fill(client)
        received = b""
        while len(received) < len(written):
            first, payload = client.receive()
            self.assertEqual(first, 0x80 | BINARY)
            received += payload
        self.assertEqual(received, written)
        self.assertEqual(self.front.finish().code, 0)

    def test_the_page_goes_while_a_write_waits(self):
        self.start()
        client = self.opened(receive_buffer=16384)
        self.fill(client)
        client.close()
        self.assertEqual(self.front.finish().code, 1)

    def test_write_check(self):
        self.start(bus__command__write_check_enabled="1")
        client = self.opened(receive_buffer=16384)
        data = self.fill_checked()
        self.assertEqual(self.front.command("stream_write 0 60000").code, 9)
        received = b""
        while len(received) < len(data):
            received += client.receive()[1]
        self.assertTrue(received == data, "other bytes arrived")
        self.assertEqual(self.ok("stream_write 0 5", b"again"), "Success")
        self.assertEqual(client.receive(), (0x80 | BINARY, b"again"))

    def test_the_page_does_not_read_its_pongs(self):
        self.start()
        client = self.opened(receive_buffer=65536)
        ping = frame(PING, bytes(125)) * 100
        client.socket.settimeout(0.3)
        sent = 0
        try:
            while sent < 100 << 20:
                sent += client.socket.send(ping[sent % len(ping):])
        except TimeoutError:
            pass
        self.assertLess(sent, 100 << 20)
        client.socket.settimeout(10)
        for _ in range(sent // (len(ping) // 100)):
            self.assertEqual(client.receive(), (0x80 | PONG, bytes(125)))

    def test_stream_mode(self):
        self.front_type = Silent
        self.start(bus__mode="stream", system__print_level="0",
                   bus__stream__cmd_seq="", bus__stream__flush_time="0")
        client = self.open()
        client.send(frame(BINARY, bytes(range(256))) + frame(TEXT, b"text"))
        self.front.expect(bytes(range(256)) + b"text")
        self.front.send(bytes(range(256)))
        received = b""
        while len(received) < 256:
            first, payload = client.receive()
            self.assertEqual(first, 0x80 | BINARY)
            received += payload
        self.assertEqual(received, bytes(range(256)))
        client.send(frame(TEXT, b"last") + close_frame(1000))
        self.assertEqual(client.close_code(), 1000)
        self.front.expect(b"last")
        client = self.open()
        client.send(frame(TEXT, b"next"))
        self.front.expect(b"next")


class SecureMessages(Messages):
    tls = True


class SecureFlow(Flow):
    tls = True
