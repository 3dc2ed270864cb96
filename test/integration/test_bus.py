"""bus.*: which port shows the log, and how long a read waits."""

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


class ReadTest(NetworkCase):
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
