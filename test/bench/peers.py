"""What else carries bytes between a pty and TCP: socat and ser2net, at their best.

Each has .pty, a path that may appear only with the connection, and .port.
"""

import os
import pathlib
import shutil
import tempfile
import time

from servers import START_TIMEOUT_S, BenchError, Server

BUFFER = 65536
TCP_LISTEN = "0A"  # state in /proc/net/tcp

SER2NET = """%YAML 1.1
---
connection: &bridge
    accepter: tcp(nodelay,readbuf={buffer}),127.0.0.1,0
    connector: pty(link={pty},raw,readbuf={buffer})
    options:
      chardelay: false
      net-to-dev-bufsize: {buffer}
      dev-to-net-bufsize: {buffer}
"""


def listening_port(pid):
    """The TCP port that a process listens on, or None yet."""
    descriptors = pathlib.Path(f"/proc/{pid}/fd")
    sockets = {os.readlink(entry) for entry in descriptors.iterdir()}
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[3] == TCP_LISTEN and f"socket:[{words[9]}]" in sockets:
            return int(words[1].split(":")[1], 16)
    return None


class Peer(Server):
    def __init__(self, build):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=build))
        self.pty = self.directory / "pty"
        self.log = open(self.directory / "log", "w+b")
        self.start(*self.command(), stdout=self.log, stderr=self.log)
        try:
            self.port = self.await_port()
        except BenchError:
            self.stop()
            raise

    def await_port(self):
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                port = listening_port(self.process.pid)
            except OSError:  # a descriptor, or the process, is gone already
                continue
            if port is not None:
                return port
        self.log.seek(0)
        said = self.log.read().decode(errors="replace")
        raise BenchError(f"{self.command()[0]} does not listen:\n{said}")

    def stop(self):
        try:
            super().stop()
        finally:
            self.log.close()
            shutil.rmtree(self.directory)


class Socat(Peer):
    def command(self):
        return (
            "socat",
            "-b",
            BUFFER,
            f"pty,rawer,link={self.pty}",
            "tcp-listen:0,bind=127.0.0.1,nodelay",
        )


class Ser2net(Peer):
    def command(self):
        configuration = self.directory / "ser2net.yaml"
        configuration.write_text(
            SER2NET.format(buffer=BUFFER, pty=self.pty), encoding="utf-8"
        )
        return ("ser2net", "-n", "-u", "-c", configuration)
