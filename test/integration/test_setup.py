"""Web setup and the captive portal."""

import socket
import subprocess

from lib.certificates import authority
from lib.daemon import LAB, module, wait_until
from lib.files import factory_files
from lib.network import NetworkCase

HOST = "127.0.0.1"
PAGE = b"<html>setup</html>"
UP = (b"HTTP and REST API server listening on port: 80\r\nSoft AP started: ZentriOS\r\n"
      b"Web setup started\r\n")
OFF = {"http.server.enabled": "0"}
HOME = {"ssid": "home", "passkey": "at home, at home", "channel": 1}


class SetupCase(NetworkCase):
    def on_softap(self, daemon, name=None):
        """A connection to the server of a module that is in setup."""
        self.joined(daemon, name, interface="softap")
        return self.rest(daemon, name)

    def add_file(self, rest, name, data):
        self.assertEqual(rest.send(f"fcr {name} {len(data)}", data).code, 0)

    def dig(self, daemon, name):
        """The addresses of a name, of the module's own server."""
        port = daemon.listener("dns_server")["port"]
        text = subprocess.run(
            ["dig", f"@{HOST}", "-p", str(port), "+tries=1", "+time=10", "+short", name],
            capture_output=True, check=True).stdout.decode()
        return text.split()


class SetupTest(SetupCase):
    def test_web_app(self):
        """A person gives the module another network, as the vendor's pages do it."""
        daemon = self.start(module(factory={"http.server.root_filename": "index.html"}),
                            air={"networks": [LAB, HOME]})
        serial = self.serial(daemon)
        rest = self.rest(daemon)
        self.add_file(rest, "webapp/index.html", PAGE)
        before = daemon.descriptors()
        self.assertEqual(rest.get("/command/setup%20status").json()["response"], "0\r\n")
        self.assertEqual(rest.get("/").status, 404)
        # The answer comes before the network that it came over is left.
        self.assertEqual(rest.send("setup web").body, b"In progress\r\n")
        serial.expect(b"File created\r\n[Disassociated]\r\n" + UP)

        rest = self.on_softap(daemon)
        self.assertEqual(rest.get("/").body, PAGE)
        for command, answer in (("setup%20status", "1"), ("get%20ht%20s%20i", "default"),
                                ("get%20ne%20f", "wlan")):
            reply = rest.get("/command/" + command)
            self.assertEqual((reply.status, reply.json()["response"]),
                             (200, answer + "\r\n"))
        self.assertIn(b" home\r\n", rest.send("wlan_scan -v").body)
        for command in ('set wl s "home"', 'set wl p "at home, at home"', "set wl o e 1",
                        "save", "setup stop"):
            self.assertEqual(rest.send(command).code, 0, command)
        serial.expect(b"Soft AP stopped\r\nWeb setup stopped\r\n[Associating to home]\r\n")
        serial.read_until(b"[Associated]\r\n")
        rest = self.rest(daemon)
        self.assertEqual(rest.get("/command/setup%20status").json()["response"], "0\r\n")
        self.assertEqual(rest.get("/").status, 404)
        wait_until(lambda: daemon.descriptors() <= before, what="the descriptors")

    def test_rest_without_settings(self):
        """Server, API, DHCP and DNS of setup ask no other settings."""
        daemon = self.start(http__server__enabled="0", http__server__api_enabled="0",
                            http__server__interface="wlan", softap__dhcp_server__enabled="0",
                            softap__dns_server__enabled="0",
                            setup__web__url="first.setup,second.setup")
        serial = self.serial(daemon, http=None)
        serial.send(b"setup web\r\n")
        serial.expect(b"setup web\r\nIn progress\r\n> [Disassociated]\r\n" + UP)
        self.assertEqual(self.on_softap(daemon).send("setup status").body, b"1\r\n")
        self.assertIsNotNone(daemon.listener("dhcp_server"))
        for name, addresses in (("first.setup", ["10.10.10.1"]), ("zentri.softap", []),
                                ("SECOND.setup", ["10.10.10.1"]), ("example.com", [])):
            self.assertEqual(self.dig(daemon, name), addresses, name)
        serial.send(b"setup stop\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(daemon.status()["listeners"], [])

    def test_client(self):
        """Another module joins the one in setup, and finds its page by name."""
        join = {"wlan.ssid": "ZentriOS", "wlan.passkey": "12345678"}
        daemon = self.start(
            module(factory=OFF | {"setup.web.passkey": "12345678"}),
            module("other", mac="4C:55:CC:00:00:01", joined=False, factory=OFF | join))
        serial, other = self.serial(daemon, http=None), self.open_serial(daemon, "other")
        other.boot_output(joined=False)
        serial.send(b"setup web\r\n")
        serial.read_until(UP)
        other.send(b"nup\r\n")
        other.read_until(b"IPv4 address: 10.10.10.2\r\n[Associated]\r\n")
        self.assertEqual(other.command("network_lookup zentri.setup"), b"10.10.10.1\r\n")
        other.send(b"http_get http://zentri.setup/command/setup%20status\r\n")
        handle = other.read_until(b"\r\n0\r\n")
        self.assertIn(b"[Opened: 0]", handle)
        other.expect(b"> ")
        self.assertIn(b'"response":"1\\r\\n"', other.command("stream_read 0 1000"))
        other.send(b"set wl p 123456789\r\nndo\r\nnup\r\n")
        other.read_until(b"Wrong passkey\r\n")

    def test_idle(self):
        """It times out unless the page was asked for."""
        idle = {"setup.web.idle_timeout": "1"} | OFF
        daemon = self.start(module(factory=idle),
                            module("other", mac="4C:55:CC:00:00:01", factory=idle))
        first, second = self.serial(daemon, http=None), self.serial(daemon, "other", http=None)
        first.send(b"setup web\r\n")
        first.read_until(UP)
        # There is no such file: it was asked for all the same.
        self.assertEqual(self.on_softap(daemon).get("/").status, 404)
        second.send(b"setup web\r\n")
        second.read_until(UP)
        self.assertEqual(self.on_softap(daemon, "other").get("/other").status, 404)
        second.expect(b"Web setup timed out\r\nSoft AP stopped\r\nWeb setup stopped\r\n"
                      b"[Associating to zentri-lab]\r\n")
        second.read_until(b"[Associated]\r\n")
        self.assertEqual(second.command("setup status"), b"0\r\n")
        self.assertEqual(first.command("setup status"), b"1\r\n")

    def test_no_port(self):
        """Without its server it ends at once, and says so."""
        with socket.create_server((HOST, 0)) as taken:
            ports = {"address": HOST, "name_server": f"{HOST}:9", "ports": [
                {"module": 80, "host": taken.getsockname()[1]},
                {"module": 53, "host": 0}, {"module": 67, "host": 0}]}
            daemon = self.daemon([module(factory=OFF)], ports)
            serial = self.serial(daemon, http=None)
            serial.send(b"setup web\r\n")
            serial.read_until(b"Web setup failed\r\nSoft AP stopped\r\nWeb setup stopped\r\n")
            serial.read_until(b"[Associated]\r\n")
            self.assertEqual(serial.command("setup status"), b"0\r\n")

    def test_reboot(self):
        daemon = self.start(module(factory=OFF))
        serial = self.serial(daemon, http=None)
        self.air("")  # so that the daemon has accepted that connection
        before = daemon.descriptors()
        for _ in range(2):
            serial.send(b"setup web\r\n")
            serial.read_until(UP)
            serial.send(b"reboot\r\n")
            serial.read_until(b"[Associated]\r\n")
            self.assertEqual(serial.command("setup status"), b"0\r\n")
        wait_until(lambda: daemon.descriptors() <= before, what="the descriptors")
        serial.send(b"setup web\r\n")
        serial.read_until(UP)  # and it ends with the daemon

    def test_pin(self):
        """Held for three seconds at reset, the pin starts it."""
        pin = {"setup.gpio.control_gpio": "5"} | OFF
        daemon = self.start(module(factory=pin),
                            module("other", mac="4C:55:CC:00:00:01", factory=pin),
                            module("wz", "wz-3", mac="4C:55:CC:00:00:02",
                                   factory=pin | {"setup.gpio.cmd": "set wl s there"}))
        serial, other, wz = (self.serial(daemon, name, http=None)
                             for name in ("zentri", "other", "wz"))
        for name in ("zentri", "other", "wz"):
            self.control.drive(5, 1, name)
        for port in (other, wz, serial):
            port.send(b"reboot\r\n")
            port.read_until(b"[Associated]\r\n")
        self.control.drive(5, 0, "other")
        self.control.drive(5, 1, "other")
        serial.expect(b"[Disassociated]\r\n" + UP)
        self.assertEqual(other.command("setup status"), b"0\r\n")
        self.assertEqual(wz.command("get wlan.ssid"), b"there\r\n")
        self.assertEqual(wz.command("setup status"), b"0\r\n")

    def test_auto_command(self):
        """Only while there is no SSID."""
        auto = {"setup.auto.cmd": "setup web"} | OFF
        daemon = self.start(module(profile="wz-3", joined=False, factory=auto),
                            module("other", "wz-3", mac="4C:55:CC:00:00:01", factory=auto))
        self.on_softap(daemon)
        other = self.serial(daemon, "other", http=None)
        self.assertEqual(other.command("setup status"), b"0\r\n")
        wrong = self.serial(self.start(module(profile="wz-3", joined=False, factory=auto | {
            "setup.auto.cmd": "set up"})), joined=False)
        wrong.expect(b"setup.auto.cmd failed in line 1: Unknown variable or option\r\n")


class SetupOverTls(SetupCase):
    """With http.server.tls_enabled the page of setup comes over HTTPS."""

    def setup_page(self, **factory):
        """The page and the server's certificate, and the daemon."""
        made = authority()
        files = {"webapp/index.html": PAGE, "server.crt": made.bytes("server.crt"),
                 "server.key": made.bytes("server.key")}
        daemon = self.start(module(
            files={"factory": self.enterContext(factory_files(files))},
            factory={"http.server.tls_enabled": "1"} | factory))
        serial = self.serial(daemon)
        serial.send(b"setup web\r\n")
        serial.read_until(UP)
        rest = self.on_softap(daemon)
        self.assertEqual(daemon.listener()["scheme"], "https")
        self.assertEqual(rest.send("setup status").body, b"1\r\n")
        self.assertEqual(rest.get("/").body, PAGE)
        return rest.connection.sock.getpeercert(binary_form=True), daemon

    def test_certificate_of_its_own(self):
        first, daemon = self.setup_page()
        self.assertNotEqual(first, authority().der("server"))
        rest = self.on_softap(daemon)
        self.assertEqual(rest.send("setup stop").code, 0)
        self.joined(daemon)
        self.assertEqual(self.rest(daemon).send("setup status").body, b"0\r\n")

    def test_certificate_of_its_files(self):
        shown, _ = self.setup_page(**{"http.server.tls_cert": "server.crt",
                                      "http.server.tls_key": "server.key"})
        self.assertEqual(shown, authority().der("server"))

    def test_without_its_file_there_is_no_setup(self):
        """And no page without TLS either."""
        daemon = self.start(http__server__tls_enabled="1", http__server__tls_cert="none.crt",
                            http__server__enabled="0")
        serial = self.serial(daemon, http=None)
        serial.send(b"setup web\r\n")
        serial.expect(
            b"setup web\r\nIn progress\r\n> [Disassociated]\r\n"
            b"HTTP server failed: TLS: none.crt: no such file\r\n"
            b"Soft AP started: ZentriOS\r\nWeb setup failed\r\nSoft AP stopped\r\n")
        self.joined(daemon)
        self.assertIsNone(daemon.listener())


class PortalTest(SetupCase):
    PROBES = ("/generate_204", "/hotspot-detect.html", "/ncsi.txt")

    def probe(self, daemon, path):
        """The bytes of the answer, without the lines that every answer has."""
        port = daemon.listener("http")["port"]
        with socket.create_connection((HOST, port), 10) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a.example\r\n"
                         "Connection: close\r\n\r\n".encode())
            answer = sock.makefile("rb").read()
        return b"\r\n".join(line for line in answer.split(b"\r\n")
                            if not line.startswith((b"Date:", b"Connection:",
                                                    b"Content-Length:")))

    def portal(self, **factory):
        factory = {"softap__auto_start": "1", "http__server__interface": "softap",
                   "http__server__username": "me"} | factory
        daemon = self.start(**factory)
        self.joined(daemon, interface="softap")
        return daemon

    def test_on(self):
        daemon = self.portal(softap__captive_portal_enabled="1",
                             softap__dns_server__url="one.softap,two.softap")
        for path in self.PROBES:
            self.assertEqual(self.probe(daemon, path), b"HTTP/1.1 302 Redirect\r\n"
                             b"Location: http://one.softap/\r\n\r\n")
        self.assertTrue(self.probe(daemon, "/").startswith(b"HTTP/1.1 401 "))
        self.assertTrue(self.probe(daemon, "/generate_20").startswith(b"HTTP/1.1 401 "))

    def test_no_name(self):
        daemon = self.portal(softap__captive_portal_enabled="1", softap__dns_server__url="")
        self.assertEqual(self.probe(daemon, "/ncsi.txt"), b"HTTP/1.1 302 Redirect\r\n"
                         b"Location: http://10.10.10.1/\r\n\r\n")

    def test_off(self):
        daemon = self.portal()
        for path in self.PROBES:
            self.assertEqual(self.probe(daemon, path), b"HTTP/1.1 204 Ok\r\n\r\n")

    def test_nowhere_else(self):
        """Not on wlan, and not without the DNS server."""
        for factory in ({"http__server__interface": "wlan"},
                        {"softap__dns_server__enabled": "0"}):
            daemon = self.portal(softap__captive_portal_enabled="1", **factory)
            self.rest(daemon)
            self.assertTrue(self.probe(daemon, "/ncsi.txt").startswith(b"HTTP/1.1 401 "))

    def test_setup(self):
        """In setup, every name leads there. Its own variable counts where there is one."""
        both = {"softap.captive_portal_enabled": "1"} | OFF
        daemon = self.start(
            module(factory=both),
            module("wz", "wz-3", mac="4C:55:CC:00:00:01", factory=both))
        for name, first in (("zentri", b"HTTP/1.1 302 Redirect\r\nLocation: "
                                       b"http://zentri.setup/\r\n\r\n"),
                            ("wz", b"HTTP/1.1 204 Ok\r\n\r\n")):
            serial = self.serial(daemon, name, http=None)
            serial.send(b"setup web\r\n")
            serial.read_until(UP)
            daemon.name = name
            self.joined(daemon, interface="softap")
            self.assertEqual(self.probe(daemon, "/generate_204"), first)
            self.assertEqual(self.dig(daemon, "www.example.com"),
                             ["10.10.10.1"] if name == "zentri" else [])
