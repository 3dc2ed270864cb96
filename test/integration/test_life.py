"""A module's day on a host with nothing but loopback, seen on its serial port, over REST, by
its lamps and by those who wait for its announcements."""

import json
import socket
import time

from integration.test_ntp import HOST, answer
from lib.background import DatagramServer
from lib.case import Case
from lib.control import Control
from lib.daemon import BSSID, MAC, module, wait_until
from lib.rest import NoListener, Rest

WLAN_LAMP, NETWORK_LAMP = 0, 4
STAMP = rb"\[\d{4}-\d\d-\d\d \| \d\d:\d\d:\d\d: "


class LifeTest(Case):
    def beacon(self):
        """What the next announcement says."""
        data, _ = self.listener.recvfrom(65535)
        return json.loads(data)

    def test_joins_loses_and_rejoins(self):
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.listener.close)
        self.listener.bind(("0.0.0.0", 0))
        self.listener.settimeout(20)
        clock = DatagramServer(
            self, lambda number, question: [answer(question, time.time())])
        zentrid = self.daemon([module(factory={
            "ntp.enabled": "1", "ntp.server": clock.address,
            "broadcast.udp.port": str(self.listener.getsockname()[1]),
            "broadcast.interval": "1", "wlan.auto_join.retries": "0",
            "wlan.auto_join.retry_delay": "0", "system.indicator.gpio wlan": str(WLAN_LAMP),
            "system.indicator.gpio network": str(NETWORK_LAMP),
            "system.indicator.state network": "static_off|fast_blink|static_on"})])
        lamps, world = Control(zentrid), Control(zentrid)
        self.addCleanup(lamps.close)
        self.addCleanup(world.close)
        serial = self.serial(zentrid)
        rest = self.rest(zentrid)

        # It has joined, says so to everybody, and knows the time.
        wait_until(lambda: float(rest.send("get time.last_set").text) >= 0, what="the clock")
        utc = float(serial.command("get time.rtc"))
        self.assertLess(abs(utc - time.time()), 5)
        self.assertEqual(rest.send("get wlan.network.status").text, "2\r\n")
        self.assertEqual(serial.command("get wlan.network.ip"), b"127.0.0.1\r\n")
        news = self.beacon()
        while news["time"] < 1_600_000_000_000: # sent before the clock was set
            news = self.beacon()
        self.assertEqual(
            [news[key] for key in ("mac", "bssid", "ip", "ssid", "rssi")],
            [MAC, BSSID, HOST, "zentri-lab", -48])
        self.assertEqual(world.pin(WLAN_LAMP)["level"], 1)

        # The network goes away: each of them notices.
        lamps.watch()
        world.command("air zentri-lab off")
        serial.match_line(STAMP + rb"Disassociated\]")
        serial.match_line(STAMP + rb"Associating to zentri-lab\]")
        for level in 0, 1, 0: # it blinks
            lamps.change(WLAN_LAMP, level)
        self.assertRaises(NoListener, Rest, zentrid)
        serial.match_line(rb"Network not found")
        serial.match_line(rb"Join failed")

        # For longer than broadcast.interval nothing is announced.
        self.listener.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True: # what was sent before
                self.listener.recv(65535)
        since = time.monotonic()
        while time.monotonic() < since + 1.5:
            serial.read_until(b"Join failed\r\n")
        self.assertRaises(BlockingIOError, self.listener.recv, 65535)

        # It comes back, and so does everything.
        world.command("air zentri-lab on")
        serial.read_until(b": Associated]\r\n")
        self.listener.settimeout(20)
        self.assertEqual(self.beacon()["ip"], HOST)
        self.assertEqual(self.rest(zentrid).send("rssi").text, "-48\r\n")
        wait_until(lambda: world.pin(WLAN_LAMP)["level"] == 1
                   and world.pin(NETWORK_LAMP)["level"] == 1, what="the lamps")
