"""REST over TLS, with the certificate that the module makes for itself, and with those in
its files."""

import socket
import ssl
import warnings

from lib.case import Case
from lib.certificates import authority
from lib.daemon import MAC, module, wait_until
from lib.rest import Rest, trusting_context
from lib.tls import TlsCase

RECORD = 16384  # bytes of TLS at a time
RECORDS, REQUEST = 10, 1024
MAC_REPLY = MAC.encode() + b"\r\n"


class Https(Case):
    def tls(self):
        return self.with_factory(http__server__tls_enabled=1)

    def certificate(self, daemon):
        entry = daemon.wait_listener()
        with socket.create_connection((entry["address"], entry["port"]), 10) as peer:
            with trusting_context().wrap_socket(peer) as tls:
                return tls.getpeercert(binary_form=True)

    def test_commands(self):
        daemon = self.tls()
        self.assertEqual(daemon.listener()["scheme"], "https")
        rest = self.rest(daemon)
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        self.assertEqual(rest.send("get wlan.mac", b"", 7).body, MAC_REPLY)
        self.assertIsNotNone(rest.connection.sock)

    def test_certificate_stays(self):
        daemon = self.tls()
        first = self.certificate(daemon)
        self.assertEqual(self.certificate(daemon), first)
        daemon.restart()
        self.assertEqual(self.certificate(daemon), first)

    def test_modules_have_certificates_of_their_own(self):
        factory = {"http.server.tls_enabled": 1}
        daemon = self.daemon([module(name="a", factory=factory),
                              module(name="b", factory=factory)])
        certificates = []
        for name in ("a", "b"):
            daemon.name = name
            certificates.append(self.certificate(daemon))
        self.assertNotEqual(*certificates)

    def test_key_is_private(self):
        daemon = self.tls()
        files = [path for path in (daemon.state / "zentri" / "tls").iterdir()
                 if b"PRIVATE KEY" in path.read_bytes()]
        self.assertTrue(files)
        for path in files:
            self.assertEqual(path.stat().st_mode & 0o077, 0)

    def test_damaged_certificate_is_made_anew(self):
        daemon = self.tls()
        first = self.certificate(daemon)
        daemon.stop()
        for path in (daemon.state / "zentri" / "tls").iterdir():
            path.write_bytes(path.read_bytes()[:100])
        daemon.start()
        self.assertNotEqual(self.certificate(daemon), first)

    def test_versions(self):
        entry = self.tls().listener()
        versions = {}
        for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2,
                        ssl.TLSVersion.TLSv1_3):
            context = trusting_context()
            context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = version
            address = entry["address"], entry["port"]
            with socket.create_connection(address, 10) as peer:
                try:
                    with context.wrap_socket(peer) as tls:
                        versions[version] = tls.version()
                except (ssl.SSLError, ConnectionError):
                    versions[version] = None
        self.assertEqual(list(versions.values()), [None, "TLSv1.2", "TLSv1.3"])

    def test_plain_http_and_noise_on_the_port(self):
        daemon = self.tls()
        entry = daemon.listener()
        for sent in (b"GET /command/ver HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00",
                     bytes(range(256)), b""):
            with socket.create_connection((entry["address"], entry["port"]), 10) as peer:
                peer.sendall(sent)
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_end_without_close_notify(self):
        daemon = self.tls()
        self.rest(daemon).command("ver")
        descriptors = daemon.descriptors()
        for _ in range(10):
            rest = Rest(daemon)
            rest.command("ver")
            raw = rest.connection.sock.detach()
            socket.socket(fileno=raw).close()
        wait_until(lambda: daemon.descriptors() <= descriptors,
                   what="the connections to be closed")

    def test_more_at_once_than_waits(self):
        """Ten records of requests: the ninth fills what the server lets wait, so it takes
        a part of the last, whose rest no longer lies in the socket."""
        count, request = RECORDS * RECORD // REQUEST, b"GET /command/ver HTTP/1.1\r\n"
        request += b"Pad: ".ljust(REQUEST - len(request) - 4, b"x") + b"\r\n\r\n"
        entry = self.tls().wait_listener()
        address = entry["address"], entry["port"]
        with socket.create_connection(address, 10) as peer:
            with trusting_context().wrap_socket(peer) as tls:
                tls.sendall(request * count)
                received = b""
                while received.count(b'"response"') < count:
                    received += tls.recv(RECORD)
        self.assertIn(b'"id":%d,' % count, received)

    def test_reboot(self):
        daemon = self.tls()
        first = self.certificate(daemon)
        serial = self.serial(daemon)
        self.assertEqual(self.rest(daemon).command("reboot").body, b"Rebooting\r\n")
        serial.boot_output(was_joined=True)
        self.assertEqual(self.certificate(daemon), first)


class Files(TlsCase):
    """The certificate and the check of clients come from the module's files."""

    def serve(self, **factory):
        settings = {"tls_enabled": "1", "tls_cert": "server.crt",
                    "tls_key": "server.key"} | factory
        return self.module(**{f"http__server__{k}": v for k, v in settings.items()})

    def get(self, line="get wlan.mac", context=None):
        """A command over a connection that checks the server."""
        peer = self.tls_peer(self.zentrid.wait_listener()["port"], context)
        path = line.replace(" ", "%20")
        peer.sendall(f"GET /command/{path} HTTP/1.1\r\nHost: x\r\n"
                     "Connection: close\r\n\r\n".encode())
        answer = b""
        while piece := peer.recv(4096):  # raises without close_notify
            answer += piece
        return answer, peer

    def test_certificate(self):
        self.serve()
        answer, peer = self.get()
        self.assertIn(MAC.encode(), answer)
        self.assertEqual(peer.getpeercert(binary_form=True), authority().der("server"))

    def test_change_acts_on_network_restart(self):
        self.serve()
        self.ok("set http.server.tls_cert client.crt")
        self.ok("set http.server.tls_key client.key")
        self.get()
        self.assertRegex(self.restart(), "listening on port: 80")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.get()
        self.ok('set http.server.tls_cert ""')
        self.ok('set http.server.tls_key ""')
        self.assertRegex(self.restart(), "listening on port: 80")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.get()
        _, peer = self.get(context=trusting_context())
        self.assertNotEqual(peer.getpeercert(binary_form=True),
                            authority().der("client"))

    def test_without_its_file_there_is_no_server(self):
        self.serve()
        self.ok("set http.server.tls_key gone.key")
        self.assertEqual(self.restart(), "HTTP server failed: TLS: gone.key: no such file")
        self.wait_no_entry("http")
        self.assertIn("HTTPS: gone.key: no such file", self.zentrid.stderr())
        self.ok("set http.server.tls_key server.key")
        self.assertRegex(self.restart(), "listening on port: 80")
        self.get()

    def test_clients_need_a_certificate(self):
        self.serve(tls_verify_peer="1", tls_peer_cert="ca.crt")
        for name in (None, "stranger"):
            with self.assertRaises(ssl.SSLError):
                self.get(context=self.client_context(name))
        answer, _ = self.get(context=self.client_context("client"))
        self.assertIn(MAC.encode(), answer)

    def test_log_of_clients(self):
        self.serve(tls_verify_peer="1", tls_peer_cert="ca.crt")
        self.get(context=self.client_context("client"))
        self.assertEqual(self.ok("get http.server.tls_client_log"), "")
        self.ok("set http.server.tls_log_clients 1")
        self.restart()
        self.get(context=self.client_context("client"))
        self.assertRegex(self.ok("get http.server.tls_client_log"), r"^\d+ client$")
        self.get(context=self.client_context("client"))
        self.assertRegex(self.ok("get http.server.tls_client_log"), r"^\d+ client$")

    def test_no_secret_in_the_log(self):
        self.module(files={"locked": authority().bytes("locked.key")},
                    http__server__tls_cert="server.crt", http__server__tls_key="locked")
        self.ok("set http.server.tls_enabled 1")
        self.assertEqual(self.restart(),
                         "HTTP server failed: TLS: locked: bad password read")
        self.assertNotIn("BEGIN", self.zentrid.stderr())

    def test_resumption(self):
        self.serve()
        port = self.zentrid.listener()["port"]
        for version in ("-tls1_2", "-tls1_3"):
            path = self.zentrid.directory / f"session{version}"
            client = self.s_client(port, version, "-sess_out", str(path))
            wait_until(lambda: path.exists() and b"END SSL" in path.read_bytes(),
                       what="a session")
            self.restart()
            port = self.zentrid.wait_listener()["port"]
            client = self.s_client(port, version, "-sess_in", str(path))
            client.wait_for(rb"\nReused, TLSv1")

    def test_s_client_reconnect(self):
        self.serve()
        client = self.s_client(self.zentrid.listener()["port"], "-tls1_2", "-reconnect")
        for _ in range(5):
            client.wait_for(rb"\nReused, TLSv1\.2")
            client.said = client.said[client.said.index(b"\nReused") + 8:]
