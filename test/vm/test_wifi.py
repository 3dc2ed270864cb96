"""Real Wi-Fi: a module as a station over wpa_supplicant, and as a soft AP over hostapd,
among access points and clients of others."""

import json
import os
import pathlib
import re
import signal

from lib import wifi
from lib.case import Case
from lib.daemon import module, wait_until

SSID, PASSPHRASE = "field house", 'correct "horse" \\ battery'
TIMEOUT_S = 60  # the machine is emulated, and scans take seconds


class WifiCase(Case):
    def setUp(self):
        wifi.load()

    def place(self, radio):
        return wifi.Place(self, radio)

    def module(self, place, network, **factory):
        """zentrid in a place; "__" stands for a dot."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        entry = module(joined=False, factory={"wlan.auto_join.retry_delay": "1"} | factory)
        return self.daemon([entry], {"backend": "interface"} | network,
                           prefix=place.prefix, arguments=["-v"])

    def station(self, place, **factory):
        """A module as a station over wpa_supplicant."""
        sockets = place.supplicant()
        return self.module(place, {"wlan": place.interface,
                                   "wpa_supplicant": str(sockets)}, **factory)

    def console(self, daemon):
        serial = self.open_serial(daemon)
        serial.timeout = TIMEOUT_S
        serial.boot_output(joined=False)
        return serial

    def state(self, daemon, state, interface="wlan", timeout=TIMEOUT_S):
        daemon.wait_status(lambda s: s["interfaces"][interface] == state, timeout=timeout)

    def up(self, serial, lines):
        """network_up, with the lines that a join prints up to its end."""
        serial.send(b"network_up\r\n")
        serial.read_until(b"In progress\r\n> ")
        for line in lines:
            serial.match_line(line)

    def descriptors(self, daemon):
        """What the descriptors of the daemon are."""
        return sorted(re.sub(r"\d+", "N", os.readlink(path)) for path in
                      pathlib.Path(f"/proc/{daemon.pid}/fd").iterdir())

    def ssids(self, serial):
        """What a scan finds: SSID to channel."""
        found = re.findall(r"#\s+\d+\s+(\d+)\s+(-\d+) [0-9A-F:]{17} (.*)\r",
                           serial.command("scan").decode())
        return {ssid: int(channel) for channel, _, ssid in found}


JOINED = [rb"\[Associating to field house\]", rb"Security type from probe: WPA2-AES",
          rb"Obtaining IPv4 address via DHCP", rb"IPv4 address: 192\.168\.50\.2\d",
          rb"HTTP and REST API server listening on port: 80", rb"\[Associated\]"]


class StationTest(WifiCase):
    def test_join_and_lose(self):
        house, attic, here = self.place(0), self.place(1), self.place(2)
        hostapd = house.access_point(SSID, PASSPHRASE)
        attic.access_point("attic", channel=11)
        daemon = self.station(here, wlan__ssid=SSID, wlan__passkey=PASSPHRASE,
                              wlan__auto_join__retries="0")
        serial = self.console(daemon)
        # One scan may miss a network that another one finds.
        wait_until(lambda: self.ssids(serial) == {SSID: 6, "attic": 11}, TIMEOUT_S,
                   "a scan to find both")
        self.assertIn(f"{house.mac.upper()} 54.0 WPA2-AES   Infra  11 {SSID}\r\n",
                      serial.command(f'scan -v "{SSID}"').decode())
        self.up(serial, JOINED)
        self.assertIn(serial.command("ping 192.168.50.1")[:12], [b"Ping reply i"])
        before = self.descriptors(daemon)
        # The power that hostapd sends with goes down, and with it the signal.
        first = int(serial.command("rssi"))
        house.run("iw", "dev", house.interface, "set", "txpower", "fixed", "500")
        wait_until(lambda: int(serial.command("rssi")) < first - 5, TIMEOUT_S, "the signal")
        # The access point goes and comes back.
        serial.command("set wlan.auto_join.enabled 1")
        house.end(hostapd, signal.SIGKILL)
        house.run("ip", "link", "set", house.interface, "down")
        serial.match_line(rb"\[Disassociated\]")
        self.state(daemon, "joining")
        house.access_point(SSID, PASSPHRASE, channel=1)
        serial.read_until(b"[Associated]\r\n")
        # Another network is tried, and the module comes back.
        address = serial.command("get wlan.network.ip")
        self.assertEqual(serial.command(f"nve wifi attic {attic.mac} 11"), b"Success\r\n")
        wait_until(lambda: b"Ping reply" in serial.command("ping 192.168.50.1"), TIMEOUT_S,
                   "the network to be back")
        self.assertEqual(serial.command("get wlan.network.ip"), address)
        wait_until(lambda: self.descriptors(daemon) == before, TIMEOUT_S,
                   "the descriptors to be what they were")
        serial.command("network_down")
        self.state(daemon, "down")
        wait_until(lambda: "wpa_state=DISCONNECTED" in here.ask_supplicant("status"),
                   TIMEOUT_S, "the station to leave")
        self.assertEqual(here.ask_supplicant("list_networks").count("\n"), 1)
        self.assertNotIn("horse", daemon.stderr())

    def test_faults(self):
        house, attic, here = self.place(0), self.place(1), self.place(2)
        house.access_point(SSID, PASSPHRASE)
        attic.access_point("attic", channel=11, more=["max_num_sta=0"])
        daemon = self.station(here, wlan__ssid=SSID, wlan__passkey="wrong passphrase",
                              wlan__join__retries="1", wlan__scan__retries="0",
                              wlan__join__timeout="30000")
        serial = self.console(daemon)
        self.up(serial, [*JOINED[:2], b"Wrong passkey", b"Join failed"])
        serial.command("set wlan.ssid nowhere")
        self.up(serial, [rb"\[Associating to nowhere\]", b"Network not found",
                         b"Join failed"])
        self.assertEqual(serial.command("get wlan.join.result"), b"1\r\n")
        serial.command("set wlan.ssid attic")
        serial.command('set wlan.passkey ""')
        self.up(serial, [rb"\[Associating to attic\]", b"Security type from probe: Open",
                         b"Access point is full", b"Join failed"])
        serial.command(f'set wlan.ssid "{SSID}"')
        serial.command(f'set wlan.passkey "{PASSPHRASE}"')
        self.up(serial, JOINED)
        # wpa_supplicant is killed, and comes back: a network of its own waits there.
        serial.command("set wlan.auto_join.enabled 1")
        serial.command("set wlan.auto_join.retries 0")
        here.end(here.wpa, signal.SIGKILL)
        serial.match_line(rb"\[Disassociated\]")
        here.supplicant('network={\nssid="elsewhere"\n}\n')
        wait_until(lambda: "wpa_state=COMPLETED" in here.ask_supplicant("status"),
                   TIMEOUT_S, "wpa_supplicant to join")
        self.state(daemon, "up")
        self.assertIn(f"ssid={SSID}", here.ask_supplicant("status"))
        # zentrid is killed, and the next one does not leave what it left there.
        serial.read_until(b"[Associated]\r\n")
        serial.command("save")
        daemon.restart(kill=True)
        self.state(daemon, "up")
        networks = here.ask_supplicant("list_networks").splitlines()
        self.assertEqual([line.split("\t")[1] for line in networks[1:]],
                         ["elsewhere", SSID])
        self.assertNotIn("passphrase", daemon.stderr())

    def test_wps_and_wpa3(self):
        house, newer, here = self.place(0), self.place(1), self.place(2)
        house.access_point(SSID, PASSPHRASE, more=WPS)
        newer.access_point("newer", "a newer key", channel=11, security=WPA3)
        daemon = self.station(here, wlan__join__retries="1", wlan__join__timeout="30000")
        serial = self.console(daemon)
        # By push button, which is pushed while the module waits.
        serial.send(b"wps\r\n")
        wait_until(lambda: "wps" in here.log("wpa_supplicant").lower(), TIMEOUT_S, "WPS")
        house.ask_hostapd("wps_pbc")
        serial.read_until(b"Success\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(serial.command("get wlan.ssid"), SSID.encode() + b"\r\n")
        # By PIN, which the access point is told first; the network is joined already.
        serial.command('set wlan.passkey ""')
        house.ask_hostapd("wps_pin", "any", "12345670")
        serial.send(b"wps 12345670\r\n")
        serial.read_until(b"Success\r\n")
        serial.read_until(b"[Associated]\r\n")
        # What the module itself never could.
        serial.command("set wlan.ssid newer")
        serial.command('set wlan.passkey "a newer key"')
        serial.send(b"network_restart -i wlan\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.assertIn("key_mgmt=SAE", here.ask_supplicant("status"))
        for secret in ("horse", "newer key", "12345670"):
            self.assertNotIn(secret, daemon.stderr())


WPS = ["eap_server=1", "wps_state=2", "config_methods=push_button keypad",
       "device_name=house", "ap_setup_locked=0"]
WPA3 = ["wpa=2", "wpa_key_mgmt=SAE", "rsn_pairwise=CCMP", "ieee80211w=2"]


class SoftapTest(WifiCase):
    def softap(self, place, interface, network=None, **factory):
        """A module whose soft AP hostapd opens; hostapd.conf has an access point of its
        own, which is not to be heard."""
        place.hostapd("ssid=owner", "channel=1", interface=interface)
        return self.module(place, {"softap": interface,
                                   "hostapd": str(place.directory / "hostapd"),
                                   "wpa_supplicant": str(place.directory / "wpa")}
                           | (network or {}), **factory)

    def fetch(self, place, *arguments):
        return place.run("curl", "-sS", "--max-time", "20", *arguments)

    def test_clients(self):
        here, phone = self.place(0), self.place(1)
        daemon = self.softap(here, here.interface, softap__auto_start="1",
                             softap__ssid="charger 1", softap__passkey=PASSPHRASE,
                             http__server__interface="softap",
                             softap__channel="3")
        self.state(daemon, "up", "softap")
        self.assertEqual(phone.join("charger 1", PASSPHRASE), "10.10.10.2")
        self.assertNotIn("owner", phone.ask_supplicant("scan_results"))
        status = phone.ask_supplicant("status")
        self.assertIn("freq=2422", status)
        self.assertIn("key_mgmt=WPA2-PSK", status)
        reply = self.fetch(phone, "http://10.10.10.1/command/get%20softap.client_list")
        self.assertIn(f"10.10.10.2       {phone.mac.upper()}", json.loads(reply)["response"])
        serial = self.open_serial(daemon)
        serial.timeout = TIMEOUT_S
        serial.read_until(b"Soft AP started: charger 1\r\n")
        # hostapd restarts: the soft AP is what the module says, and its client is back.
        here.end(here.ap, signal.SIGKILL)
        here.hostapd("ssid=owner", "channel=1")
        phone.ask_supplicant("reassociate")
        wait_until(lambda: "ssid=charger 1" in phone.ask_supplicant("status"), TIMEOUT_S,
                   "the client to be back")
        # The client leaves.
        phone.ask_supplicant("disconnect")
        wait_until(lambda: phone.mac.upper() not in
                   serial.command("get softap.client_list").decode(), TIMEOUT_S,
                   "the client to be gone")
        self.assertNotIn("horse", daemon.stderr())

    def test_web_setup(self):
        """On one radio, as small boards have it: station and soft AP side by side."""
        house, here, phone = self.place(0), self.place(1), self.place(2)
        house.access_point(SSID, PASSPHRASE, channel=11)
        here.add_interface("ap0")
        here.supplicant()
        daemon = self.softap(here, "ap0", {"wlan": here.interface},
                             setup__web__ssid="set me up", setup__web__passkey="password",
                             setup__web__root_filename="setup.html")
        serial = self.console(daemon)
        serial.send(b"file_create setup.html 14\r\n<h1>Hello</h1>")
        serial.read_until(b"Success\r\n> ")
        serial.send(b"setup web\r\n")
        serial.read_until(b"Web setup started\r\n")
        phone.join("set me up", "password")
        self.assertEqual(self.fetch(phone, "http://10.10.10.1/"), "<h1>Hello</h1>")
        for line in ("wlan_scan", f'set wlan.ssid "{SSID}"',
                     f'set wlan.passkey "{PASSPHRASE}"', "set wlan.auto_join.enabled 1",
                     "save"):
            reply = json.loads(self.fetch(phone, "http://10.10.10.1/command", "--json",
                                          json.dumps({"command": line})))
            self.assertEqual(reply["code"], 0, (line, reply))
            if line == "wlan_scan":
                self.assertIn(SSID, reply["response"])
        self.fetch(phone, "http://10.10.10.1/command", "--json",
                   json.dumps({"command": "setup stop"}))
        self.state(daemon, "up")
        self.assertEqual(daemon.status()["interfaces"]["softap"], "down")
        self.assertIn("freq=2462", here.ask_supplicant("status"))
