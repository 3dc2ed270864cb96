"""system.activity.*: pins that pulse with the traffic of a module."""

import select
import socket
import time

from integration.test_gpio import Pins
from lib.serial import Channel, Mismatch

PULSE_US = 50000
NEAR_US = 40000  # the clock of timers is a little coarser than that of the changes
QUIET_S = 0.3  # longer than a pulse and its pause, and what delays them
RX, TX, UART, SOFTAP = LAMPS = 10, 11, 12, 13


class ActivityTest(Pins):
    def open(self, **factory):
        """A module with a lamp for each kind of traffic, and its serial port."""
        daemon = self.start(profile="wz-3", tcp__server__auto_start="1",
                            http__server__enabled="0", broadcast__interval="0",
                            **factory)
        self.port = self.serial(daemon, http=None)
        self.answers(f"set system.activity.gpio {RX} wlan_rx",
                     f"set system.activity.gpio {TX} wlan_tx",
                     f"set system.activity.gpio {UART} uart0_rx,uart0_tx",
                     f"set system.activity.gpio {SOFTAP} softap_rx,softap_tx")
        self.quiet()
        return daemon

    def answers(self, *lines):
        for line in lines:
            self.assertEqual(self.port.command(line), b"Set OK\r\n", line)

    def quiet(self):
        """Watches the lamps, from the moment on at which no pulse is to come."""
        self.lamps = self.control(self.zentrid)
        self.lamps.watch()
        try:
            while self.lamp(QUIET_S):
                pass
        except Mismatch:
            pass

    def start(self, *arguments, **factory):
        self.zentrid = super().start(*arguments, **factory)
        return self.zentrid

    def pulse(self, *pins, lit=1):
        """A pulse of each of these pins, one behind the other or at once, and of no
        other of the four."""
        begun, ended = {}, set()
        while ended != set(pins):
            change = self.lamp()
            pin = change["pin"]
            self.assertIn(pin, pins)
            if change["level"] == lit:
                begun[pin] = change["us"]
            else:
                self.assertGreater(change["us"] - begun[pin], NEAR_US)
                ended.add(pin)

    def lamp(self, timeout=10):
        """The next change of one of the four."""
        deadline = time.monotonic() + timeout
        while True:
            change = self.lamps.line(max(deadline - time.monotonic(), 0.001))
            if change["pin"] in LAMPS:
                return change

    def test_streams(self):
        daemon = self.open()
        peer = Channel(self.client(daemon).detach())
        self.addCleanup(peer.close)
        self.port.expect(b"[Opened: 0]\r\n")
        self.pulse(UART)
        peer.send(b"unread")
        self.pulse(RX)
        self.port.send(b"stream_write 0 4\r\nsent")
        self.port.read_until(b"Success\r\n> ")
        peer.expect(b"sent")
        self.pulse(UART, TX)

    def test_serial_port(self):
        self.open()
        self.port.send(b"x")
        self.pulse(UART)
        self.port.send(b"\x08")
        self.pulse(UART)

    def test_web_and_terminal(self):
        """What the web server and the remote terminal move goes over their network."""
        daemon = self.open(remote_terminal__enabled="1")
        terminal = socket.create_connection(
            (daemon.listener("remote_terminal")["address"],
             daemon.listener("remote_terminal")["port"]), 10)
        self.addCleanup(terminal.close)
        self.pulse(TX)
        terminal.sendall(b"x")
        self.pulse(RX, TX)
        terminal.sendall(b"\rset http.server.enabled 1\rnetwork_restart\r")
        daemon.wait_listener()
        self.quiet()
        web = socket.create_connection((daemon.listener()["address"],
                                        daemon.listener()["port"]), 10)
        self.addCleanup(web.close)
        web.sendall(b"GET /nothing HTTP/1.1\r\nHost: zentri\r\n\r\n")
        self.assertTrue(web.recv(100).startswith(b"HTTP/1.1 404"))
        self.pulse(RX, TX)

    def test_much_flickers(self):
        """While traffic goes on a lamp goes on and off, no faster than can be seen."""
        daemon = self.open()
        peer = self.client(daemon)
        changes = []
        while len(changes) < 8:
            peer.sendall(b"x")
            if select.select([self.lamps.socket], [], [], 0.001)[0]:
                change = self.lamp()
                if change["pin"] == RX:
                    changes.append(change)
        for before, after in zip(changes, changes[1:]):
            self.assertNotEqual(before["level"], after["level"])
            self.assertGreater(after["us"] - before["us"], NEAR_US)
        self.assertLess(changes[-1]["us"] - changes[0]["us"], 7 * 4 * PULSE_US)

    def test_level(self):
        daemon = self.open()
        self.answers("set system.activity.gpio_level 0")
        self.quiet()
        self.client(daemon).sendall(b"x")
        self.port.expect(b"[Opened: 0]\r\n")
        self.pulse(RX, UART, lit=0)

    def test_pins_have_one_owner(self):
        self.open()
        self.assertEqual(self.port.command(f"set gpio.init {RX} in"),
                         b"Command failed\r\n")
        self.assertEqual(self.port.command(f"set tcp.server.data_gpio {RX}"),
                         b"Command failed\r\n")
        self.answers(f"set system.activity.gpio {RX} -1",
                     f"set tcp.server.data_gpio {RX}")
        self.assertEqual(self.port.command(f"set system.activity.gpio {RX} wlan_rx"),
                         b"Command failed\r\n")
        owners = {pin["pin"]: pin["owner"]
                  for pin in self.control(self.zentrid).command("gpio zentri")["pins"]}
        self.assertEqual(owners[RX], "tcp.server.data_gpio")
        self.assertEqual(owners[TX], "system.activity.gpio")

    def test_a_lamp_of_the_board_gives_way(self):
        """A pin that a function has by default only goes to what is set on it."""
        self.open()
        self.answers("set system.activity.gpio 4 wlan_rx")
        control = self.control(self.zentrid)
        self.assertEqual(control.pin(4)["owner"], "system.activity.gpio")
        self.answers("set system.activity.gpio 4 none")
        self.assertEqual(control.pin(4)["owner"], "system.indicator.network")
