"""A client of the control socket."""

import json
import select
import socket
import time

from lib.serial import Closed, Mismatch


class Control:
    """Commands and their answers; after watch(), the changes of a module's pins."""

    def __init__(self, daemon, timeout=10):
        self.timeout = timeout
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(daemon.runtime / "control"))
        self.buffer = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def line(self, timeout=None):
        """The next line, as the object that it is."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while b"\n" not in self.buffer:
            left = max(deadline - time.monotonic(), 0)
            if not select.select([self.socket], [], [], left)[0]:
                raise Mismatch(f"no line came; got {self.buffer!r}")
            data = self.socket.recv(65536)
            if not data:
                raise Closed(f"end of file; got {self.buffer!r}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)

    def command(self, line):
        self.send(line.encode() + b"\n")
        return self.line()

    def pin(self, pin, name="zentri"):
        return self.command(f"gpio {name} {pin}")

    def drive(self, pin, level, name="zentri"):
        """Drives a pin from outside; level: 0, 1 or "release"."""
        answer = self.command(f"gpio {name} {pin} {level}")
        if "error" in answer:
            raise Mismatch(answer["error"])
        return answer

    def watch(self, name="zentri"):
        answer = self.command(f"gpio {name} watch")
        if answer != {"watching": name}:
            raise Mismatch(f"no watch: {answer}")

    def change(self, pin, level=None, timeout=None):
        """The next change of the pin, to the level if one is given; others pass."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while True:
            change = self.line(max(deadline - time.monotonic(), 0.001))
            if change["pin"] == pin and level in (None, change["level"]):
                return change
