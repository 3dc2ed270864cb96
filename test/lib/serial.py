"""A host on the module's serial port."""

import os
import re
import select
import termios
import time
import tty

PROMPT = b"> "


HTTP_LINE = "HTTP and REST API server listening on port: 80"


def join_lines(level=5, http=HTTP_LINE, probed=True):
    """What a module says while it joins the network of the test library. http: the line
    of its web server, or None; probed: it is the first time since boot."""
    lines = [(1, "[Associating to zentri-lab]")]
    if probed:
        lines.append((2, "Security type from probe: WPA2-AES"))
    lines += [(2, "Obtaining IPv4 address via DHCP"), (2, "IPv4 address: 127.0.0.1")]
    if http:
        lines.append((2, http))
    lines.append((1, "[Associated]"))
    return [line for least, line in lines if least <= level]


def join_text(level=5, http=HTTP_LINE, probed=True):
    """The same as bytes."""
    return b"".join(line.encode() + b"\r\n" for line in join_lines(level, http, probed))


def restart_text(level=5, http=HTTP_LINE):
    """What network_restart prints behind its reply."""
    return (b"[Disassociated]\r\n" if level else b"") + join_text(level, http, False)


class Mismatch(AssertionError):
    """Other bytes came than were expected, or none in time."""


class Closed(Mismatch):
    """The other end is gone."""


class Channel:
    """Bytes to and from a descriptor; each wait ends after a time."""

    def __init__(self, descriptor, timeout=10):
        self.descriptor = descriptor
        self.timeout = timeout
        self.buffer = b""
        os.set_blocking(descriptor, False)

    def close(self):
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        deadline = time.monotonic() + self.timeout
        while data:
            left = max(deadline - time.monotonic(), 0)
            _, writable, _ = select.select([], [self.descriptor], [], left)
            if not writable:
                raise Mismatch(f"{len(data)} bytes could not be sent")
            data = data[os.write(self.descriptor, data[:4096]):]

    def fill(self, timeout):
        """Takes in what comes within the time; False when nothing came."""
        readable, _, _ = select.select([self.descriptor], [], [], max(timeout, 0))
        if not readable:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except OSError as error:
            raise Closed(f"{error}; got {self.buffer!r}") from error
        if not data:
            raise Closed(f"end of file; got {self.buffer!r}")
        self.buffer += data
        return True

    def _fail(self, expected):
        try:
            while self.fill(0.2):
                pass
        except Closed:
            pass
        raise Mismatch(f"expected {expected}\n     got {self.buffer!r}")

    def take(self, count):
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read(self, count, timeout=None):
        """Exactly count bytes."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while len(self.buffer) < count:
            if not self.fill(deadline - time.monotonic()):
                self._fail(f"{count} bytes")
        return self.take(count)

    def expect(self, data, timeout=None):
        """The next bytes are these."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while len(self.buffer) < len(data):
            if not data.startswith(self.buffer):
                self._fail(repr(data))
            if not self.fill(deadline - time.monotonic()):
                self._fail(repr(data))
        if not self.buffer.startswith(data):
            self._fail(repr(data))
        return self.take(len(data))

    def read_until(self, end, timeout=None):
        """All bytes up to and including end."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while end not in self.buffer:
            if not self.fill(deadline - time.monotonic()):
                self._fail(f"... {end!r}")
        return self.take(self.buffer.index(end) + len(end))

    def read_line(self, timeout=None):
        """The next line, without its CRLF."""
        return self.read_until(b"\r\n", timeout)[:-2]

    def match_line(self, pattern, timeout=None):
        """The next line matches the regular expression as a whole."""
        line = self.read_line(timeout)
        if not re.fullmatch(pattern, line):
            self.buffer = line + b"\r\n" + self.buffer
            self._fail(f"a line like {pattern!r}")
        return line

    def pending(self):
        """What has come already."""
        while self.fill(0):
            pass
        return self.take(len(self.buffer))


    def frame(self, timeout=None):
        """One reply or log line with its header: (kind, code, body)."""
        header = self.read(9, timeout)
        match = re.fullmatch(rb"([RLS])(\d)(\d{5})\r\n", header)
        if not match:
            self.buffer = header + self.buffer
            self._fail("a header")
        kind, code, length = match.groups()
        return kind.decode(), int(code), self.read(int(length), timeout)

    def log_line(self, pattern, header=False):
        """The next log line, which the regular expression matches as a whole."""
        if not header:
            return self.match_line(pattern)
        kind, code, body = self.frame()
        if kind != "L" or code != 0 or not re.fullmatch(pattern + rb"\r\n", body):
            raise Mismatch(f"expected an L0 frame like {pattern!r}\n"
                           f"     got {kind}{code} {body!r}")
        return body[:-2]

    def boot_output(self, header=False, prompt=True, level=5, http=True, joined=True,
                    was_joined=False, **_):
        """What a module prints when it boots: version line, [Ready], prompt, then the
        network and the web server. The settings say how; was_joined: it was up before,
        and goes down first. Returns the version line."""
        version = None
        if level >= 1 and was_joined:
            self.log_line(rb"\[.*Disassociated\]", header)
        if level >= 2 and header:
            kind, code, version = self.frame()
            if (kind, code) != ("R", 0):
                raise Mismatch(f"expected the banner in an R0 frame\n"
                               f"     got {kind}{code} {version!r}")
        elif level >= 2:
            version = self.read_until(b"\r\n")
        if level >= 1:
            self.log_line(rb"\[.*Ready\]", header)
        if prompt:
            self.expect(PROMPT)
        if joined:
            self.join_output(header, level, http)
        return version

    def join_output(self, header=False, level=5, http=True, probed=True, **_):
        """What a module prints when it joins the network, and its web server."""
        if level >= 1:
            self.log_line(rb"\[.*Associating to .*\]", header)
        if level >= 2:
            if probed:
                self.log_line(rb"Security type from probe: WPA2-AES", header)
            self.log_line(rb"Obtaining IPv4 address via DHCP", header)
            self.log_line(rb"IPv4 address: \d+\.\d+\.\d+\.\d+", header)
            if http:
                self.log_line(rb"HTTP .*server listening on port: \d+", header)
        if level >= 1:
            self.log_line(rb"\[.*Associated\]", header)

    def restart_output(self, header=False, level=5, http=True, joined=True, **_):
        """What network_restart prints behind its reply."""
        if joined:
            if level >= 1:
                self.log_line(rb"\[.*Disassociated\]", header)
            self.join_output(header, level, http, probed=False)


class Serial(Channel):
    """A tty, opened as serial libraries open it."""

    def __init__(self, path, timeout=10):
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(descriptor, termios.TCSANOW)
        super().__init__(descriptor, timeout)

    def command(self, line, prompt=PROMPT):
        """Sends a line and returns the reply, without the echo and prompt around it."""
        line = line.encode() if isinstance(line, str) else line
        self.send(line + b"\r\n")
        self.expect(line)
        return self.read_until(b"\r\n" + prompt)[2:-len(prompt)]
