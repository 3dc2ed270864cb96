"""A module in STREAM mode, a host on its serial port and a peer on its TCP server."""

import hashlib
import os
import random
import select
import socket
import threading

from lib.case import Case
from lib.daemon import module
from lib.serial import Channel, Serial

STREAM = {"bus.mode": "stream", "tcp.server.auto_start": "1", "system.print_level": "0",
          "tcp.server.idle_timeout": "0", "bus.stream.flush_time": "0"}
PATIENCE_S = 30  # for the next bytes of an exchange
STALL_S = 0.3  # a sender that has waited for so long is held back
# Of a peer's socket, so that it holds back the module soon. Some segments of the
# loopback interface have to fit: a smaller one makes the kernel stop and probe.
BUFFER_SIZE = 256 * 1024


class Flow:
    """One direction of an exchange: random bytes in, and their digest at either end."""

    def __init__(self, sender, receiver, size, seed):
        self.channels = sender, receiver
        self.size = size
        self.source, self.dice = random.Random(seed), random.Random(seed + 1)
        self.sent, self.received = hashlib.sha256(), hashlib.sha256()
        self.stalled = threading.Event()
        self.failures = []

    def push(self, data):
        """Sends all of it and notices when nothing is taken any more."""
        descriptor = self.channels[0].descriptor
        while data:
            if not select.select([], [descriptor], [], STALL_S)[1]:
                self.stalled.set()
                if not select.select([], [descriptor], [], PATIENCE_S)[1]:
                    raise AssertionError(f"{len(data)} bytes could not be sent")
            data = data[os.write(descriptor, data[:4096]):]

    def send(self):
        left = self.size
        try:
            while left:
                data = self.source.randbytes(min(self.source.randrange(1, 50000), left))
                self.sent.update(data)
                self.push(data)
                left -= len(data)
        except AssertionError as error:
            self.failures.append(error)

    def receive(self):
        """Reads nothing until the sender is held back, then pieces of any size, and
        stops for a moment now and then."""
        left = self.size
        if not self.stalled.wait(PATIENCE_S):
            self.failures.append("the sender was never held back")
        try:
            while left:
                data = self.channels[1].read(
                    min(self.dice.randrange(1, 60000), left), PATIENCE_S)
                self.received.update(data)
                left -= len(data)
                if self.dice.random() < 0.02:
                    select.select([], [], [], self.dice.random() * 0.05)
        except AssertionError as error:
            self.failures.append(error)


class StreamModeCase(Case):
    def start(self, profile="wl-1.0", **factory):
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        network = {"address": "127.0.0.1",
                   "ports": [{"module": port, "host": 0} for port in (80, 3000)]}
        daemon = self.daemon([module(profile=profile, factory=STREAM | factory)],
                             network=network)
        serial = Serial(daemon.serial_path())
        self.addCleanup(serial.close)
        return daemon, serial

    def connect(self, daemon, buffer_size=None):
        entry = daemon.listener("tcp_server")
        sock = socket.socket()
        if buffer_size is not None:
            for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
                sock.setsockopt(socket.SOL_SOCKET, option, buffer_size)
        sock.settimeout(5)
        sock.connect((entry["address"], entry["port"]))
        peer = Channel(sock.detach())
        self.addCleanup(peer.close)
        return peer

    def exchange(self, size):
        """Moves size random bytes each way at once; all arrive, and in order."""
        daemon, serial = self.start(bus__stream__cmd_seq="")
        peer = self.connect(daemon, BUFFER_SIZE)
        ends = []
        for descriptor in (serial.descriptor, peer.descriptor):
            for _ in range(2):
                ends.append(Channel(os.dup(descriptor), PATIENCE_S))
                self.addCleanup(ends[-1].close)
        flows = [Flow(ends[0], ends[2], size, 1), Flow(ends[3], ends[1], size, 2)]
        threads = [threading.Thread(target=work)
                   for flow in flows for work in (flow.send, flow.receive)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for flow in flows:
            self.assertEqual(flow.failures, [])
            self.assertEqual(flow.sent.digest(), flow.received.digest())
