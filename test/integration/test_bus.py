"""bus.*: which port shows the log, and how long a read waits."""

import os
import select
import socket
import time

from lib.daemon import module
from lib.network import NetworkCase

HOST = "127.0.0.1"


class LogTest(NetworkCase):
    OPENED = b"[Opened: 0]\r\n"

    def opens(self, profile, *settings):
        """What the serial port shows of a file that is opened."""
        daemon = self.start(module(profile=profile, joined=False,
                                   factory={"http.server.enabled": "0"}))
        serial = self.serial(daemon, joined=False)
        serial.send(b"fcr note 2\r\nhi")
        serial.read_until(b"Success\r\n> ")
        for setting in settings:
            serial.command("set " + setting)
        return serial.command("fop note")

    def test_another_uart(self):
        """Its lines are on the UART for commands, or not to be seen on it."""
        self.assertEqual(self.opens("wz-3", "bus.log_bus uart1"), b"0\r\n")
        self.assertEqual(self.opens("wz-3", "bus.log_bus uart1", "bus.data_bus uart1"),
                         self.OPENED + b"0\r\n")
        self.assertEqual(self.opens("wz-3", "bus.data_bus uart1"), b"0\r\n")

    def test_one_uart(self):
        self.assertEqual(self.opens("wl-1.0", "bus.log_bus uart1"),
                         self.OPENED + b"0\r\n")


class Connected(NetworkCase):
    def connected(self, **factory):
        """The serial port of a module, and the peer of its stream 0."""
        daemon = self.start(http__server__enabled="0", **factory)
        serial = self.serial(daemon, http=None)
        server = socket.create_server((HOST, 0))
        self.addCleanup(server.close)
        serial.send(b"tcpc %s %d\r\n" % (HOST.encode(), server.getsockname()[1]))
        peer, _ = server.accept()
        self.addCleanup(peer.close)
        serial.read_until(b"\r\n0\r\n> ")
        return serial, peer


class ReadTest(Connected):
    def test_waits_for_all_of_it(self):
        serial, peer = self.connected(bus__command__read_timeout="60000")
        serial.send(b"read 0 6\r\n")
        serial.expect(b"read 0 6\r\n")
        peer.sendall(b"abc")
        peer.sendall(b"defg")
        serial.expect(b"abcdef\r\n> ")
        serial.send(b"read 0 6\r\n")
        serial.expect(b"read 0 6\r\n")
        peer.shutdown(socket.SHUT_WR)
        serial.read_until(b"g\r\n")

    def test_running_out_is_success(self):
        serial, peer = self.connected(bus__command__read_timeout="200")
        peer.sendall(b"abc")
        began = time.monotonic()
        serial.send(b"read 0 6\r\n")
        serial.expect(b"read 0 6\r\nabc\r\n> ")
        self.assertGreaterEqual(time.monotonic() - began, 0.2)
        serial.send(b"read 0 6\r\n")
        serial.expect(b"read 0 6\r\n> ")
        serial.command("set bus.command.read_timeout 60000")
        peer.sendall(b"abc")
        serial.send(b"read 0 3\r\n")
        serial.expect(b"read 0 3\r\nabc\r\n> ")

    def test_gone_meanwhile(self):
        """The network takes the stream away under a read that waits."""
        serial, _ = self.connected(bus__command__read_timeout="60000")
        serial.send(b"read 0 6\r\n")
        serial.expect(b"read 0 6\r\n")
        self.air("zentri-lab off")
        serial.read_until(b"Command failed\r\n")


class ReceiveTest(Connected):
    """bus.command.rx_bufsize: how much the port takes while a command runs."""

    LINE = b"get wlan.mac" + b" " * 986 + b"\r\n"
    ANSWER = b"4C:55:CC:10:09:42\r\n> "

    def taken(self, size):
        """Bytes that the port takes while a command runs, with the kernel's part. All
        of them are commands that run afterwards."""
        serial, peer = self.connected(bus__command__read_timeout="60000",
                                      bus__command__rx_bufsize=str(size))
        self.assertEqual(serial.command("set system.cmd.echo 0"), b"Set OK\r\n")
        serial.send(b"read 0 6\r\n")
        taken, left = 0, self.LINE
        while select.select([], [serial.descriptor], [], 0.3)[1]:
            count = os.write(serial.descriptor, left)
            taken, left = taken + count, left[count:] or self.LINE
            self.assertLess(taken, 1 << 20, "the port takes everything")
        peer.sendall(b"abcdef")
        serial.expect(b"abcdef\r\n> ")
        serial.send(left)
        for _ in range((taken + len(left)) // len(self.LINE)):
            serial.expect(self.ANSWER)
        return taken

    def test_port_takes_so_much(self):
        """What the kernel keeps itself is taken in pieces, so the difference is not
        exact."""
        more = self.taken(10000) - self.taken(256)
        self.assertTrue(abs(more - (10000 - 256)) <= 4096, more)
