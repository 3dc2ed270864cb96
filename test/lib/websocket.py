"""A WebSocket client made of sockets, which can also send what a client must not."""

import base64
import hashlib
import socket
import struct

from lib.rest import trusting_context

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = base64.b64encode(bytes(range(16))).decode()
HEADERS = {"Host": "module", "Upgrade": "websocket", "Connection": "Upgrade",
           "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}


def accept_of(key):
    """RFC 6455, 4.2.2."""
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame(opcode, payload=b"", fin=True, mask=b"\x12\x34\x56\x78", rsv=0, length=None):
    """The bytes of a frame. mask None: none; length: a wrong one, or one spelled in
    another way, as (value, bytes that hold it)."""
    size, width = length or (len(payload), 0)
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    masked = 0 if mask is None else 0x80
    if width == 8 or (width == 0 and size > 0xFFFF):
        head = struct.pack("!BBQ", first, masked | 127, size)
    elif width == 2 or (width == 0 and size > 125):
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BB", first, masked | size)
    if mask is None:
        return head + payload
    repeated = mask * (len(payload) // 4 + 1)
    number = int.from_bytes(payload, "big") ^ \
        int.from_bytes(repeated[:len(payload)], "big")
    return head + mask + number.to_bytes(len(payload), "big")


def close_frame(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


class Refused(Exception):
    """The handshake was answered with another status than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status} {headers}")
        self.status, self.headers, self.body = status, headers, body


class WebSocket:
    """A connection to the listener that status.json names, after its handshake."""

    def __init__(self, entry, path="/stream", headers=None, first=b"", method="GET",
                 version="1.1", receive_buffer=None, timeout=10):
        self.socket = socket.socket()
        self.buffer = b""
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.settimeout(timeout)
            self.socket.connect((entry["address"], entry["port"]))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if entry["scheme"] == "https":
                self.socket = trusting_context().wrap_socket(self.socket)
            self.handshake(f"{method} {path} HTTP/{version}",
                           HEADERS | (headers or {}), first)
        except BaseException:
            self.socket.close()
            raise

    def handshake(self, line, headers, first):
        lines = [f"{name}: {value}" for name, value in headers.items()
                 if value is not None]
        self.socket.sendall("\r\n".join([line, *lines, "", ""]).encode() + first)
        while b"\r\n\r\n" not in self.buffer:
            piece = self.socket.recv(4096)
            if not piece:
                raise ConnectionError(f"closed in the handshake, after {self.buffer!r}")
            self.buffer += piece
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        self.headers = {name.lower(): value.strip() for name, _, value in
                        (line.partition(":") for line in lines)}
        if status != "HTTP/1.1 101 Switching Protocols":
            raise Refused(int(status.split()[1]), self.headers, self.buffer)
        key = headers["Sec-WebSocket-Key"]
        assert self.headers["sec-websocket-accept"] == accept_of(key), self.headers

    def address(self):
        return "%s:%d" % self.socket.getsockname()

    def send(self, data):
        self.socket.sendall(data)

    def send_each_byte(self, data):
        """One segment, or record, for each byte."""
        for byte in data:
            self.socket.sendall(bytes([byte]))

    def take(self, size):
        while len(self.buffer) < size:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError(f"closed after {self.buffer!r}")
            self.buffer += piece
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def receive(self):
        """The next frame: its first byte and its payload. Checks that it has no mask and
        that its length is spelled in the shortest way."""
        first, size = self.take(2)
        if size == 126:
            size = int.from_bytes(self.take(2), "big")
            assert size > 125, size
        elif size == 127:
            size = int.from_bytes(self.take(8), "big")
            assert size > 0xFFFF, size
        assert size < 1 << 40, "the frame is masked or absurd"
        return first, self.take(size)

    def at_end(self):
        """Whether the module closes and sends nothing more."""
        return self.buffer + self.socket.recv(4096) == b""

    def close_code(self):
        """The code of the close frame that comes next, None without one; the module
        closes the connection behind it."""
        first, payload = self.receive()
        assert first == 0x80 | CLOSE, (first, payload)
        assert self.at_end()
        return int.from_bytes(payload, "big") if payload else None

    def close(self):
        self.socket.close()
