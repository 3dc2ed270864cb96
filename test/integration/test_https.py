"""REST over TLS, with the certificate that the module makes for itself."""

import socket
import ssl
import warnings

from lib.case import Case
from lib.daemon import MAC, module, wait_until
from lib.rest import Rest, trusting_context

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

    def test_reboot(self):
        daemon = self.tls()
        first = self.certificate(daemon)
        serial = self.serial(daemon)
        self.assertEqual(self.rest(daemon).command("reboot").body, b"Rebooting\r\n")
        serial.boot_output()
        self.assertEqual(self.certificate(daemon), first)
