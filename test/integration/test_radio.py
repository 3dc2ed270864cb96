"""How a module's radio works: what a scan finds, signals, and WPS."""

import socket
import time

from lib.daemon import LAB, PASSKEY, SSID, module
from lib.network import NetworkCase
from lib.serial import join_text

HOST = "127.0.0.1"
ALONE = {"http.server.enabled": "0"}
HOME = {"ssid": "home", "passkey": "at home, at home", "channel": 1}


class RadioCase(NetworkCase):
    def alone(self, profile="wl-1.0", air=None, **factory):
        """The serial port of a module that joins nothing by itself."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        self.host = self.start(module(profile=profile, joined=False,
                                      factory=ALONE | factory), air=air)
        return self.serial(self.host, joined=False)

    def scan(self, serial, words=""):
        """Names and signals of the networks that a scan finds."""
        rows = serial.command("scan -v" + words).decode().splitlines()
        rows = [row.split() for row in rows if row.startswith("#")]
        return {row[9] if len(row) > 9 else "": int(row[3]) for row in rows}


class ScanTest(RadioCase):
    AIR = {"networks": [LAB, HOME, {"ssid": "cellar", "channel": 11, "hidden": True}]}

    def test_channels(self):
        serial = self.alone("wz-3", self.AIR, wlan__scan__active_dwell="1")
        self.assertEqual(self.scan(serial).keys(), {SSID, "home", ""})
        serial.command("set wlan.scan.channel_mask 33")
        self.assertEqual(self.scan(serial).keys(), {SSID, "home"})
        serial.command("set wlan.scan.channel_mask 32")
        self.assertEqual(self.scan(serial).keys(), {SSID})
        self.assertEqual(self.scan(serial, " home"), {})
        # What the scan does not hear is not found when it is to be joined either.
        serial.command("set wlan.ssid home")
        serial.send(b"nup\r\n")
        serial.read_until(b"Network not found\r\n")

    def test_hidden(self):
        """One who only listens does not call a hidden network by its name."""
        serial = self.alone("wz-3", self.AIR, wlan__scan__active_dwell="1",
                            wlan__scan__passive_dwell="1")
        self.assertEqual(self.scan(serial, " cellar").keys(), {"cellar"})
        serial.command("set wlan.scan.type passive")
        self.assertEqual(self.scan(serial, " cellar"), {})
        self.assertEqual(self.scan(serial).keys(), {SSID, "home", ""})

    def test_dwell(self):
        """It takes its time on each channel, and one channel less."""
        serial = self.alone("wz-3", wlan__scan__active_dwell="20",
                            wlan__scan__passive_dwell="60")
        took = []
        for words, kind in (("", "active"), ("", "passive"), (" -c 6", "passive")):
            serial.command("set wlan.scan.type " + kind)
            began = time.monotonic()
            self.scan(serial, words)
            took.append(time.monotonic() - began)
        self.assertGreaterEqual(took[0], 13 * 0.02)
        self.assertGreaterEqual(took[1], 13 * 0.06)
        self.assertGreaterEqual(took[2], 0.06)
        self.assertLess(took[2], 13 * 0.06)

    def test_signals(self):
        """What others see of a soft AP, and what an antenna hears."""
        daemon = self.start(
            module("ap", mac="4C:55:CC:00:00:01", joined=False,
                   factory=ALONE | {"softap.auto_start": "1"}),
            module("one", mac="4C:55:CC:00:00:02", joined=False, factory=ALONE))
        ap, one = self.open_serial(daemon, "ap"), self.open_serial(daemon, "one")
        ap.read_until(b"Soft AP started: zentri\r\n")
        one.boot_output(joined=False)
        self.assertEqual(self.scan(one), {"zentri": -40, SSID: -48})
        ap.send(b"set wlan.tx_power 4\r\n")
        ap.read_until(b"Set OK\r\n")
        self.assertEqual(self.scan(one), {"zentri": -54, SSID: -48})
        ap.send(b"set wlan.antenna.select 2\r\n")
        ap.read_until(b"Set OK\r\n")
        self.assertEqual(self.scan(one), {"zentri": -51, SSID: -48})
        one.command("set wlan.antenna.select auto")
        self.assertEqual(self.scan(one), {"zentri": -48, SSID: -45})
        for protocol, rate in ((b"b", b" 11.0 "), (b"g", b" 54.0 "), (b"n", b" 72.2 ")):
            ap.send(b"set so r p %s\r\nnre -i softap\r\n" % protocol)
            ap.read_until(b"Soft AP started: zentri\r\n")
            self.assertIn(rate, one.command("scan -v zentri"))

    def test_average(self):
        daemon = self.start(module(factory=ALONE | {"wlan.rssi_average": "3"}))
        serial = self.serial(daemon, http=None)
        for _ in range(3):
            self.assertEqual(serial.command("rssi"), b"-48\r\n")
        self.air(f"{SSID} rssi -60")
        self.assertEqual([serial.command("rssi") for _ in range(4)],
                         [b"-52\r\n", b"-56\r\n", b"-60\r\n", b"-60\r\n"])
        self.air(f"{SSID} rssi -70")
        serial.command("set wlan.rssi_average 1")
        self.assertEqual(serial.command("rssi"), b"-70\r\n")
        serial.command("set wlan.rssi_average 255")
        self.assertEqual({serial.command("rssi") for _ in range(300)}, {b"-70\r\n"})


class WpsTest(RadioCase):
    def test_button(self):
        """It waits for the button, and takes name and passkey for good."""
        serial = self.alone(air={"networks": [LAB, HOME]})
        serial.send(b"wps\r\n")
        serial.expect(b"wps\r\n")
        self.air("home wps on")
        serial.expect(b"Success\r\n> " + join_text(http=None).replace(b"zentri-lab", b"home"))
        self.assertEqual(self.get(serial, "wlan.passkey"), HOME["passkey"])
        self.host.kill()
        self.host.start()
        serial = self.serial(self.host, joined=False)
        self.assertEqual(self.get(serial, "wlan.ssid"), "home")

    def test_over_the_network(self):
        """The answer comes over the network that is left."""
        daemon = self.start(module(), air={"networks": [LAB, HOME | {"wps": True}]})
        serial = self.serial(daemon)
        self.assertEqual(self.rest(daemon).send("wps pbc").body, b"Success\r\n")
        serial.expect(b"[Disassociated]\r\n[Associating to home]\r\n")
        serial.read_until(b"[Associated]\r\n")

    def test_two_buttons(self):
        serial = self.alone(air={"networks": [LAB | {"wps": True}, HOME | {"wps": True,
                                                                        "rssi": -80}]})
        self.assertEqual(serial.command("wps pbc"),
                         b"More than one access point offers WPS\r\n")
        self.assertEqual(self.get(serial, "wlan.ssid"), "")
        # A PIN is told to one of them: the nearest.
        self.assertEqual(serial.command("wps 12345670"), b"Success\r\n")
        serial.expect(join_text(http=None))
        self.assertEqual(self.get(serial, "wlan.passkey"), PASSKEY)

    def test_given_up(self):
        """Who asked for it is gone, and it with him."""
        daemon = self.start(module(factory=ALONE | {"remote_terminal.enabled": "1"}),
                            air={"networks": [LAB, HOME]})
        serial = self.serial(daemon, http=None)
        port = daemon.listener("remote_terminal")["port"]
        with socket.create_connection((HOST, port), 10) as terminal:
            terminal.sendall(b"wps\r\n")
            answer = b""
            while not answer.endswith(b"wps\r\n"):
                answer += terminal.recv(1000)
        self.assertIn(b"ZENTRI", serial.command("ver"))
        self.air("home wps on")
        self.assertEqual(self.get(serial, "wlan.ssid"), SSID)
