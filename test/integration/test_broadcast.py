"""Announcements by UDP, as those hear them who wait for them."""

import json
import re
import socket
import ssl
import sys
import time

from integration.test_http_client import read_request
from integration.test_streams_tcp import Background, free_port
from lib.case import Case
from lib.certificates import authority
from lib.daemon import BSSID, LAB, MAC, configuration, module, wait_until
from lib.files import factory_files
from lib.namespaces import Namespace, cable, uplink
from lib.nginx import Nginx

HOST = "127.0.0.1"
LISTEN = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("0.0.0.0", 55555))
print("bound", flush=True)
data, (host, port) = sock.recvfrom(65535)
print(host, port, data.hex(), flush=True)
"""


class BroadcastTest(Case):
    def listen(self, address="0.0.0.0"):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.bind((address, 0))
        sock.settimeout(20)
        return sock

    def announcing(self, sock, profile="wl-1.0", settings=None, **factory):
        factory = {"broadcast." + name.replace("__", "."): str(value)
                   for name, value in factory.items()}
        name = "broadcast.udp.port"
        if profile == "gecko-os-2":
            name = "broadcast.udp.remote_port"
        return self.daemon([module(profile=profile, factory={
            name: str(sock.getsockname()[1])} | factory, **(settings or {}))])

    def beacon(self, sock):
        """The next announcement: its bytes, its members in order, who sent it."""
        data, sender = sock.recvfrom(65535)
        return data, json.loads(data, object_pairs_hook=list), sender

    def test_form_of_wl(self):
        # Reference: network notes, 6.2: so long is the one of a real module.
        sock = self.listen()
        self.announcing(sock, data="mac,version", settings={"mac": "4C:55:CC:1A:0F:80"})
        data, _, sender = self.beacon(sock)
        self.assertEqual(
            data, b'{"mac":"4C:55:CC:1A:0F:80",\r\n"version":"ZENTRI-AMW007-1.2.0.10, '
            b'2017-07-28T07:43:27Z, ZentriOS-WL-1.2.0.10"\r\n}')
        self.assertEqual(len(data), 110)
        self.assertEqual(sender[0], HOST)

    def test_form_of_later_firmware(self):
        sock = self.listen()
        for profile in ("wz-3", "gecko-os-2"):
            daemon = self.announcing(sock, profile, data="mac,remote_terminal_port")
            data, _, _ = self.beacon(sock)
            self.assertEqual(data, b'{"mac":"%s","remote_terminal_port":2000}'
                             % MAC.encode())
            daemon.stop()

    def test_members(self):
        sock = self.listen()
        name = "a \"b\" \\"
        air = LAB | {"ssid": name}
        modules = [module(factory={"broadcast.udp.port": str(sock.getsockname()[1]),
                                   "wlan.ssid": name})]
        daemon = self.daemon(modules,
                             text=configuration(modules, air={"networks": [air]}))
        _, pairs, _ = self.beacon(sock)
        self.assertEqual([key for key, _ in pairs],
                         ["mac", "bssid", "channel", "ip", "ssid", "rssi",
                          "remote_terminal_port", "time", "uuid", "version"])
        values = dict(pairs)
        self.assertIs(type(values["time"]), int)
        self.assertEqual(values["ip"], HOST)
        self.assertEqual([values[key] for key in ("ssid", "bssid", "channel", "rssi")],
                         [name, BSSID, 6, -48])
        self.assertEqual(values["remote_terminal_port"], 2000)
        self.assertRegex(values["uuid"], "^[0-9A-F]{40}$")
        self.assertNotIn("Board", values["version"])
        # The time is in milliseconds, once it is known.
        rest = self.rest(daemon)
        rest.send("set time.rtc 1700000000")
        rest.send("set broadcast.interval 9")
        values = dict(self.beacon(sock)[1])
        self.assertEqual(values["time"] // 10000, 170000000)

    def test_soft_ap(self):
        # Of a module that has only that, too, and an SSID may hold any bytes.
        sock = self.listen()
        port = str(sock.getsockname()[1])
        daemon = self.daemon([module(joined=False, factory={
            "broadcast.udp.port": port, "broadcast.data": "mac,bssid,ip,ssid,channel",
            "softap.auto_start": "1", "softap.channel": "9",
            "softap.dhcp_server.enabled": "0", "softap.dns_server.enabled": "0"})])
        self.assertEqual(dict(self.beacon(sock)[1]),
                         {"mac": MAC, "bssid": MAC.replace("4C", "4E"), "ip": "10.10.10.1",
                          "ssid": "zentri", "channel": 9})
        serial = self.serial(daemon, joined=False)
        serial.log_line(b"Soft AP started: zentri")
        serial.command(b"set softap.ssid \"caf\xe9\xff\"")
        serial.send(b"network_restart -i softap\r\n")
        self.assertEqual(dict(self.beacon(sock)[1])["ssid"], "caf??")

    def test_the_interface_that_is_left(self):
        sock = self.listen()
        daemon = self.daemon([module(factory={
            "broadcast.udp.port": str(sock.getsockname()[1]), "broadcast.data": "ssid",
            "softap.auto_start": "1",
            "softap.dhcp_server.enabled": "0", "softap.dns_server.enabled": "0"})])
        self.assertIn(dict(self.beacon(sock)[1])["ssid"], ("zentri", "zentri-lab"))
        rest = self.rest(daemon)
        rest.send("set broadcast.interface wlan")
        self.assertEqual(dict(self.beacon(sock)[1]), {"ssid": "zentri-lab"})
        rest.send("set wlan.ssid nowhere")
        rest.send("set broadcast.interface default")
        self.assertEqual(dict(self.beacon(sock)[1]), {"ssid": "zentri-lab"})
        rest.send("network_restart")
        self.assertEqual(dict(self.beacon(sock)[1]), {"ssid": "zentri"})

    def test_interval_and_changes(self):
        sock = self.listen()
        daemon = self.announcing(sock, data="mac", interval=1)
        self.beacon(sock)
        began = time.monotonic()
        self.beacon(sock)
        self.beacon(sock)
        self.assertTrue(1.5 < time.monotonic() - began < 5)
        before = daemon.descriptors()
        rest = self.rest(daemon)
        rest.send("set broadcast.data ssid,mac")
        while [key for key, _ in self.beacon(sock)[1]] != ["ssid", "mac"]:
            pass
        # 0 ends them; what is heard next comes from the interval that begins anew.
        other = self.listen()
        rest.send("set broadcast.interval 0")
        rest.send(f"set broadcast.udp.port {other.getsockname()[1]}")
        rest.send("set broadcast.interval 3600")
        self.beacon(other)
        sock.settimeout(0)
        try:
            while True:
                sock.recv(65535)
        except BlockingIOError:
            pass
        rest.connection.close()
        self.assertLessEqual(daemon.descriptors(), before + 1)

    def test_to_one_host(self):
        sock = self.listen(HOST)
        self.announcing(sock, data="mac", udp__ip=HOST)
        self.assertEqual(self.beacon(sock)[1], [("mac", MAC)])

    def web_server(self, status=b"204 No Content", context=None):
        """A server that takes one request a connection, over TLS with a context; its
        port, and the requests in a list."""
        server = socket.create_server((HOST, 0))
        self.addCleanup(server.close)
        requests = []

        def serve():
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    try:
                        if context is not None:
                            peer = context.wrap_socket(peer, server_side=True)
                        requests.append(read_request(peer))
                    except (AssertionError, OSError):
                        continue  # the daemon has ended, or does not trust
                    peer.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
                    peer.close()
        thread = Background(serve)
        self.addCleanup(thread.result)
        self.addCleanup(server.shutdown, socket.SHUT_RDWR)
        return server.getsockname()[1], requests

    def test_post(self):
        sock = self.listen()
        port, requests = self.web_server()
        daemon = self.announcing(sock, data="mac,ip", interval=1,
                                 http__host=f"{HOST}:{port}")
        wait_until(lambda: len(requests) >= 2, what="two announcements")
        header, body = requests[0]
        self.assertTrue(header.startswith("POST / HTTP/1.1\r\n"), header)
        self.assertIn(f"\r\nHost: {HOST}:{port}\r\n", header + "\r\n")
        self.assertIn("\r\nContent-Type: application/json", header)
        self.assertEqual(body, self.beacon(sock)[0])
        # Nothing of it in the module's log, and no stream taken from its user.
        rest = self.rest(daemon)
        self.assertNotIn("POST", "".join(rest.logs()))
        self.assertEqual(rest.send("poll all").text, "None\r\n")
        self.assertNotIn("posted", daemon.stderr())

    def test_post_to_nginx(self):
        server = Nginx(self)
        self.daemon([module(factory={
            "broadcast.http.host": f"{HOST}:{server.port}/posted", "broadcast.data": "mac",
            "broadcast.interval": "1"})])
        beacon = b'POST application/json {"mac":"%s"\r\n}\n' % MAC.encode()
        wait_until(lambda: len(server.posted()) >= 2 * len(beacon), what="two announcements")
        self.assertEqual(server.posted()[:2 * len(beacon)], 2 * beacon)

    def test_post_that_fails(self):
        for port, why in ((self.web_server(b"503 Not Now")[0], "HTTP response 503"),
                          (free_port(), "Open failed: ")):
            sock = self.listen()
            daemon = self.announcing(sock, interval=1,
                                     http__host=f"http://{HOST}:{port}/x?y=1")
            daemon.wait_stderr("announcements cannot be posted: " + why)
            self.beacon(sock)
            self.beacon(sock)
            self.beacon(sock)
            self.assertEqual(daemon.stderr().count("cannot be posted"), 1)
            daemon.stop()

    def test_post_to_a_server_that_is_slow(self):
        # One at a time, and the end of the service ends it.
        with socket.create_server((HOST, 0)) as server:
            server.settimeout(10)
            sock = self.listen()
            daemon = self.announcing(
                sock, interval=1, http__host=f"{HOST}:{server.getsockname()[1]}")
            peer, _ = server.accept()
            with peer:
                read_request(peer)
                for _ in range(3):
                    self.beacon(sock)
                server.settimeout(0)
                self.assertRaises(BlockingIOError, server.accept)
                rest = self.rest(daemon)
                rest.send("set broadcast.http.host \"\"")
                peer.settimeout(10)
                self.assertEqual(peer.recv(1), b"")

    def post_over_tls(self, certificate, ca_cert="ca.crt", host=HOST):
        """A daemon that posts to a server with that certificate, and the requests."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made = authority()
        context.load_cert_chain(made.path(f"{certificate}.crt"),
                                made.path(f"{certificate}.key"))
        port, requests = self.web_server(context=context)
        directory = self.enterContext(
            factory_files({name: made.bytes(name) for name in ("ca.crt", "other_ca.crt")}))
        daemon = self.daemon([module(files={"factory": directory}, factory={
            "broadcast.interval": "1", "broadcast.data": "mac",
            "broadcast.http.host": f"https://{host}:{port}/x",
            "network.tls.ca_cert": ca_cert})])
        return daemon, requests

    def test_post_over_tls(self):
        daemon, requests = self.post_over_tls("server")
        wait_until(lambda: len(requests) >= 2, what="two announcements")
        header, body = requests[0]
        self.assertTrue(header.startswith("POST /x HTTP/1.1\r\n"), header)
        self.assertEqual(body, b'{"mac":"%s"\r\n}' % MAC.encode())
        self.assertNotIn("posted", daemon.stderr())

    def test_post_over_tls_to_somebody_else(self):
        """Nothing is told to who cannot prove to be the server."""
        for certificate, ca_cert, why in (
                ("elsewhere", "ca.crt", "IP address mismatch"),
                ("expired", "ca.crt", "certificate has expired"),
                ("server", "other_ca.crt", "issuer"),
                ("server", "none.crt", "none.crt")):
            with self.subTest(certificate=certificate, ca_cert=ca_cert):
                daemon, requests = self.post_over_tls(certificate, ca_cert)
                daemon.wait_stderr("announcements cannot be posted: ")
                self.assertIn(why, daemon.stderr())
                daemon.stop()
                self.assertEqual(requests, [])

    def test_pins(self):
        sock = self.listen()
        daemon = self.announcing(sock, data="gpio5,gpio6", interval=1)
        self.assertEqual(self.beacon(sock)[1], [("gpio5", 0), ("gpio6", 0)])
        rest = self.rest(daemon)
        self.assertEqual(rest.send("gpio_dir 6 out").code, 0)
        self.assertEqual(rest.send("gpio_set 6 1").code, 0)
        while dict(self.beacon(sock)[1]) != {"gpio5": 0, "gpio6": 1}:
            pass

    def test_another_host(self):
        # From port to port, and only to the network that the module is on.
        near, far = cable(self)
        near.ip("address", "add", "10.10.10.1/24", "dev", "cable0")
        uplink(self, near)
        listener = far.start(sys.executable, "-c", LISTEN, stdout=-1)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        self.assertEqual(listener.stdout.readline(), b"bound\n")
        self.daemon([module(factory={"broadcast.data": "ip"})],
                    {"address": "10.10.10.1", "ports": [{"module": 80, "host": 0}]},
                    prefix=near.prefix)
        host, port, data = listener.stdout.readline().decode().split()
        self.assertEqual((host, port), ("10.10.10.1", "55555"))
        self.assertEqual(bytes.fromhex(data), b'{"ip":"10.10.10.1"\r\n}')

    def test_no_way(self):
        alone = Namespace()
        self.addCleanup(alone.close)
        daemon = self.daemon([module(factory={"broadcast.udp.ip": "192.0.2.77",
                                              "broadcast.interval": "1"})],
                             prefix=alone.prefix)
        daemon.wait_stderr("announcements cannot be sent: ")
        self.assertEqual(len(re.findall("announcements", daemon.stderr())), 1)
