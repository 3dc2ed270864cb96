"""ota, dfu_update and dms.*, with a web server in the place of the update server."""

import json
from http.client import HTTPException

from integration.test_boot import VERSION
from integration.test_http_client import answer, read_request
from integration.test_streams_tcp import HOST, Background, StreamCase, Web
from lib.control import Control
from lib.daemon import module, wait_until
from lib.nginx import Nginx
from lib.serial import join_text

NEW = "ZENTRI-AMW007-1.5.0.13, 2018-09-03T06:06:14Z, ZentriOS-WL-1.5.0.13, Board:X"
GECKO = "SILABS-AMW007-2.3.3, Gecko OS-2.3.3, AMW007-W00001"
OLD = VERSION.decode().strip()


def opening(port, bundle):
    """The log lines of a question for a bundle."""
    return (f"[Opening: {HOST}:{port}]\r\nRequest GET /{bundle}.json\r\n"
            f"Connecting (HTTP): {HOST}:{port}\r\n").encode()


class UpdateTest(StreamCase):
    front_type = Web

    def module(self, port, profile="wl-1.0"):
        self.zentrid = self.daemon([module(profile=profile, factory={
            "ota.host": HOST, "ota.port": str(port)})])

    @staticmethod
    def offer(server, bundle, version):
        server.put(f"{bundle}.json", json.dumps({"version": version}).encode())

    def update(self, serial, line, bundle, version):
        """A command that brings the version: all that the serial port shows."""
        text = version.encode() + b"\r\n"
        serial.send(line.encode() + b"\r\n")
        serial.expect(line.encode() + b"\r\n" + opening(self.port, bundle)
                      + b"HTTP response: 200\r\nUpdating to " + text
                      + b"[Disassociated]\r\n" + text + b"[Ready]\r\n> " + join_text())

    def test_update(self):
        server = Nginx(self)
        self.offer(server, "ZENTRI-AMW007", NEW)
        self.offer(server, "ZENTRI-AMW007-1.2.0.10", OLD)
        self.port = server.port
        self.module(self.port)
        serial = self.serial(self.zentrid)
        self.update(serial, "ota", "ZENTRI-AMW007", NEW)
        self.assertEqual(serial.command("ver"), NEW.encode() + b"\r\n")
        self.assertEqual(serial.command("get dms.bundle_id"),
                         b"ZENTRI-AMW007-1.5.0.13\r\n")
        self.assertEqual(serial.command("ota"), opening(self.port, "ZENTRI-AMW007")
                         + b"HTTP response: 200\r\nUp to date\r\n")
        self.update(serial, "ota -f", "ZENTRI-AMW007", NEW)

        # A power cut does not take it back; another update does.
        self.zentrid.restart(kill=True)
        serial = self.open_serial(self.zentrid)
        serial.expect(NEW.encode() + b"\r\n[Ready]\r\n> " + join_text())
        self.update(serial, "ota 1.2.0.10", "ZENTRI-AMW007-1.2.0.10", OLD)
        self.update(serial, "ota -b ZENTRI-AMW007", "ZENTRI-AMW007", NEW)

    def test_dfu_update(self):
        server = Nginx(self)
        self.offer(server, "SILABS-AMW007-2.3.3", GECKO)
        self.module(server.port, "gecko-os-2")
        reply = self.rest(self.zentrid).send("dfu_update -b 2.3.3")
        self.assertEqual((reply.code, reply.text), (0, f"Updating to {GECKO}\r\n"))

        def updated():
            try:
                return self.rest(self.zentrid).send("ver").text.strip() == GECKO
            except (OSError, HTTPException):
                return False # it is rebooting
        wait_until(updated, what="the update")

    def test_available(self):
        server = Nginx(self)
        self.offer(server, "ZENTRI-AMW007", NEW)
        self.module(server.port)
        rest = self.rest(self.zentrid)
        self.assertEqual(rest.send("set dms.auto_start_enabled 1").code, 0)
        lines = []

        def told():
            lines.extend(rest.logs())
            return f"Update available: {NEW}" in lines
        wait_until(told, what="the news")
        self.assertEqual(rest.send("ver").text.strip(), OLD)

    def test_refused(self):
        sock, port = self.listener()
        self.module(port)
        rest = self.rest(self.zentrid)
        nothing = "the server's file has no version"
        for data, error in (
                (answer(status="404 Not Found"), "HTTP response 404"),
                (answer(b""), nothing), (answer(b"[]"), nothing),
                (answer(b'{"version": 3}'), nothing),
                (answer(b'{"version": ""}'), nothing),
                (answer(b'{"version": "a\\u0007"}'), nothing),
                (answer(b'{"version": "a\\u0000b"}'), nothing),
                (answer(json.dumps({"version": "v" * 256}).encode()), nothing),
                (answer(b"[" * 4096), nothing),
                (answer(b"[" * 4097), "the server's file is too long"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
                 "the answer is cut short")):
            rest.logs()
            started = Background(lambda: rest.send("ota"))
            peer = self.accept(sock)
            request, _ = read_request(peer)
            self.assertTrue(request.startswith("GET /ZENTRI-AMW007.json HTTP/1.1\r\n"))
            peer.sendall(data)
            peer.close()
            reply = started.result()
            self.assertEqual((reply.code, reply.text), (1, "Command failed\r\n"), data)
            self.assertEqual(rest.logs()[-1], f"Update failed: {error}", data)
        self.assertEqual(rest.send("ver").text.strip(), OLD)

    def test_no_way_to_ask(self):
        """Each cause has its own words: no host, and a version that is no name of a
        file."""
        name = "no bundle has such a name"
        for version, host, command, error in (
                (OLD, "", "ota", "no server"),
                (OLD, HOST, "ota 1." + "2" * 60, name),
                ("My build 7", HOST, "ota", name)):
            with self.subTest(host=host, version=version):
                daemon = self.daemon([module(version=version, factory={"ota.host": host})])
                rest = self.rest(daemon)
                self.assertEqual(rest.send(command).code, 1)
                self.assertEqual(rest.logs()[-1], f"Update failed: {error}")

    def test_the_network_goes(self):
        """The question ends with its interface."""
        sock, port = self.listener()
        self.module(port)
        serial = self.serial(self.zentrid)
        control = Control(self.zentrid)
        self.addCleanup(control.close)
        serial.command("network_lookup localhost") # the resolver, once made, stays
        before = self.zentrid.descriptors()
        serial.send(b"ota\r\n")
        peer = self.accept(sock)
        read_request(peer)
        control.command("air zentri-lab off")
        serial.read_until(b"Command failed\r\n")
        self.assertEqual(peer.recv(1), b"")
        wait_until(lambda: self.zentrid.descriptors() <= before, what="the descriptors")
