"""The HTTP client over TLS: whom it trusts, and what it says when it does not."""

import hashlib
import pathlib
import random
import socket
import ssl
import tempfile

from integration.test_http_client import HttpCase, answer, read_request
from integration.test_streams_tcp import HOST, Background, Pty, Web
from lib.certificates import authority
from lib.daemon import module
from lib.nginx import Nginx

MINE = ("ca.crt", "other_ca.crt", "client.crt", "client.key", "locked.key")


class TlsCase(HttpCase):
    def module(self, files=None, **factory):
        """A module that has the tests' certificates in its files."""
        directory = tempfile.TemporaryDirectory(prefix="zentrid-files-")
        self.addCleanup(directory.cleanup)
        made = {name: authority().bytes(name) for name in MINE} | (files or {})
        for name, contents in made.items():
            (pathlib.Path(directory.name) / name).write_bytes(contents)
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        self.zentrid = self.daemon([module(
            files={"factory": directory.name},
            factory=self.front_type.factory | {"network.tls.ca_cert": "ca.crt"}
            | factory)])
        self.front = self.front_type(self, self.zentrid)

    def refused(self, url, error, command="http_get"):
        """A request that fails before the stream opens."""
        events = self.fails(f"{command} {url}")
        what = {"http_download": "Download"}.get(command, "Open")
        self.assertEqual(events[-1], f"{what} failed: TLS: {error}", events)

    def setting(self, name, value):
        self.assertEqual(self.ok(f"set network.tls.{name} {value}"), "Set OK")


class TlsTests:
    def test_get(self):
        server = Nginx(self, tls="server")
        data = server.put("large", random.Random(5).randbytes(4 << 20))
        self.module()
        before = self.descriptors()
        for host in (HOST, "localhost"):
            self.get(server.url("large", host))
            waiting = int(self.ok("poll all -c").split(",")[2])
            self.assertLess(waiting, 128 * 1024)
            got = self.body()
            self.assertEqual(hashlib.sha256(got).digest(),
                             hashlib.sha256(data).digest())
        self.wait_descriptors(before)

    def test_post(self):
        """TLS begins when the request goes out."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority().path("server.crt"),
                                authority().path("server.key"))
        sock, port = self.listener()
        self.module()
        started, peer = self.begin(f"http_post -o https://{HOST}:{port}/in", sock)
        self.assertEqual(started.result().events[-1], "[Opened: 0]")
        self.write(0, b"hello")
        started = Background(lambda: self.front.command("http_read_status 0"))
        secure = context.wrap_socket(peer, server_side=True)
        self.addCleanup(secure.close)
        self.assertEqual(read_request(secure)[1], b"hello")
        secure.sendall(answer(b"ok"))
        self.assertEqual(started.result().body, b"200\r\n")
        self.assertEqual(self.body(), b"ok")


class TlsOverPty(TlsTests, TlsCase):
    front_type = Pty


class TlsOverRest(TlsTests, TlsCase):
    front_type = Web


class Trust(TlsCase):
    def test_servers_that_are_not_trusted(self):
        good = Nginx(self, tls="server")
        elsewhere, expired = Nginx(self, tls="elsewhere"), Nginx(self, tls="expired")
        good.put("f", b"12345")
        self.module()
        before = self.descriptors()
        self.refused(elsewhere.url(), "IP address mismatch")
        self.refused(elsewhere.url(host="localhost"), "hostname mismatch")
        self.refused(expired.url(), "certificate has expired")
        self.setting("ca_cert", "other_ca.crt")
        wrong = "unable to get local issuer certificate"
        self.refused(good.url("f"), wrong)
        self.refused(good.url("f"), wrong, "http_head")
        self.refused(good.url("f"), wrong, "http_post")
        self.refused(good.url("f"), wrong, "http_download")
        self.assertNotIn("f", [row.split()[-1] for row in self.ok("ls").split("\r\n")])
        self.setting("ca_cert", "ca.crt")
        self.get(good.url("f"))
        self.ok("close all")
        self.wait_descriptors(before)

    def test_held_request(self):
        server = Nginx(self, tls="expired")
        self.module()
        self.ok(f"http_get -o {server.url()}")
        events = self.fails("http_read_status 0")
        self.assertEqual(events[0], "Request failed: TLS: certificate has expired")

    def test_files_that_will_not_do(self):
        server = Nginx(self, tls="server")
        self.module(files={"junk": b"no certificate", "half.crt":
                           authority().bytes("ca.crt")[:300]})
        for name in ("nothing.pem", "junk", "half.crt", "client.key"):
            self.setting("ca_cert", name)
            line = self.fails(f"http_get {server.url()}")[-1]
            self.assertTrue(line.startswith(f"Open failed: TLS: {name}: "), line)
        self.assertEqual(self.ok('set network.tls.ca_cert ""'), "Set OK")
        self.refused(server.url(), "network.tls.ca_cert is empty")

    def test_der_and_several_authorities(self):
        server = Nginx(self, tls="server")
        both = authority().bytes("other_ca.crt") + authority().bytes("ca.crt")
        self.module(files={"ca.der": authority().der("ca"), "both.pem": both})
        for name in ("ca.der", "both.pem"):
            self.setting("ca_cert", name)
            self.get(server.url(), status=403)
            self.ok("close 0")

    def test_client_certificate(self):
        server = Nginx(self, tls="server", clients="on")
        server.put("f", b"12345")
        pair = authority().bytes("client.crt") + authority().bytes("client.key")
        self.module(files={"pair.pem": pair, "client.der": authority().der("client"),
                           "key.der": authority().key_der("client")})
        self.get(server.url("f"), status=400)
        self.ok("close 0")
        for certificate, key in (("client.crt", "client.key"), ("pair.pem", '""'),
                                 ("client.der", "key.der")):
            self.setting("client_cert", certificate)
            self.setting("client_key", key)
            self.get(server.url("f"))
            self.assertEqual(self.body(), b"12345")
        for key, error in (("locked.key", "locked.key: bad password read"),
                           ("ca.crt", "ca.crt: no key in it"),
                           ("none", "none: no such file")):
            self.setting("client_key", key)
            self.refused(server.url("f"), error)
        self.assertNotIn("BEGIN", self.zentrid.stderr())

    def test_key_of_another_certificate(self):
        server = Nginx(self, tls="server")
        self.module(files={"server.key": authority().bytes("server.key")},
                    network__tls__client_cert="client.crt",
                    network__tls__client_key="server.key")
        events = self.fails(f"http_get {server.url()}")
        self.assertTrue(events[-1].startswith("Open failed: TLS: "), events)

    def test_what_is_no_tls(self):
        server = Nginx(self)
        self.module(network__tls__handshake_timeout="200")
        self.refused(f"https://{HOST}:{server.port}/", "wrong version number")
        sock, port = self.listener()
        started, peer = self.begin(f"http_get https://{HOST}:{port}/", sock)
        self.assertEqual(started.result().events[-1],
                         "Open failed: TLS: handshake timed out")
        started, peer = self.begin(f"http_get https://{HOST}:{port}/", sock)
        peer.close()
        result = started.result()
        self.assertEqual(result.code, 1)
        self.assertTrue(result.events[-1].startswith("Open failed: "), result)

    def test_end_without_a_word(self):
        """Without close_notify an answer of no length may have been cut."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority().path("server.crt"),
                                authority().path("server.key"))
        sock, port = self.listener()
        self.module()
        started, peer = self.begin(f"http_get https://{HOST}:{port}/", sock)
        secure = context.wrap_socket(peer, server_side=True)
        read_request(secure)
        secure.sendall(b"HTTP/1.1 200 OK\r\n\r\n12345")
        self.assertEqual(started.result().code, 0)
        self.assertEqual(self.read_all(0, 5), b"12345")
        secure.shutdown(socket.SHUT_RDWR)
        secure.close()
        self.assertEqual(self.front.events(1),
                         ["Request failed: the answer is cut short"])

    def test_redirects(self):
        """From http to https, with all that belongs to it; never back."""
        server = Nginx(self, tls="server")
        server.put("f", b"12345")
        sock, port = self.listener()
        self.module()
        started, peer = self.begin(f"http_get {HOST}:{port}", sock)
        read_request(peer)
        peer.sendall(answer(b"", "301 Moved", Location=server.url("f")))
        self.assertEqual(started.result().events[-1], "HTTP response: 200")
        self.assertEqual(self.body(), b"12345")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority().path("server.crt"),
                                authority().path("server.key"))
        started, peer = self.begin(f"http_get https://{HOST}:{port}", sock)
        secure = context.wrap_socket(peer, server_side=True)
        self.addCleanup(secure.close)
        read_request(secure)
        secure.sendall(answer(b"", "301 Moved", Location=f"http://{HOST}:{port}/"))
        self.assertEqual(started.result().events[-2],
                         "Request failed: redirect: from https to http")
