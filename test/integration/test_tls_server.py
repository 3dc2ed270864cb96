"""tls_server against openssl s_client and others; sessions that are resumed; two modules
that talk to each other; STREAM mode over TLS."""

import os
import select
import socket
import ssl
import time

from integration.test_streams_tcp import HOST, Background, Pty, Web, network, reset
from lib.certificates import authority
from lib.daemon import module, wait_until
from lib.rest import trusting_context
from lib.serial import Serial
from lib.tls import TlsCase

VERSIONS = ("-tls1_2", "-tls1_3")
FILES = {"http__server__tls_cert": "server.crt", "http__server__tls_key": "server.key"}


class ServerCase(TlsCase):
    def serve(self, profile="wl-1.0", files=None, **factory):
        """A module whose TLS server runs; its port on this host."""
        self.module(profile=profile, files=files, **(FILES | factory))
        self.assertEqual(self.ok("tls_server start"), "Success")
        return self.port_of("tls_server")


class Conversation:
    def test_start_and_stop(self):
        self.module()
        self.assertEqual(self.ok("tls_server status"), "0")
        self.fails("tls_server stop")
        self.assertEqual(self.ok("tls_server start"), "Success")
        self.assertEqual(self.ok("tlss status"), "1")
        self.assertEqual(self.ok("tcps status"), "0")
        entry = self.entry_of("tls_server")
        self.assertEqual((entry["scheme"], entry["address"], entry["module_port"]),
                         ("tls", HOST, 3000))
        self.fails("tls_server start")
        self.fails("tls_server stop 3001")
        self.assertEqual(self.ok("tls_server stop 3000"), "Success")
        self.wait_no_entry("tls_server")
        self.assertRaises(ConnectionRefusedError, socket.create_connection,
                          (HOST, entry["port"]))

    def test_conversation(self):
        port = self.serve()
        for version in VERSIONS:
            client = self.s_client(port, version, "-verify_return_error", "-quiet",
                                   "-verify_hostname", "localhost")
            self.assertEqual(self.front.events(1), ["[Opened: 0]"])
            row, = self.rows()
            self.assertEqual(row[:5], ["#", "0", "TLSS", "", f"{HOST}:3000"])
            self.assertRegex(row[5], rf"^{HOST}:\d+$")
            client.send(b"question\n")
            self.assertEqual(self.read_all(0, 9), b"question\n")
            self.write(0, b"answer\n")
            client.wait_for(rb"answer\n")
            client.end()
            client.process.kill()
            self.assertEqual(self.front.events(1), ["[Closed: 0]"])


class ConversationOverPty(Conversation, ServerCase):
    pass


class ConversationOverRest(Conversation, ServerCase):
    front_type = Web


class Clients(ServerCase):
    def test_close_says_so(self):
        port = self.serve()
        for how in ("close 0", "tls_server stop"):
            peer = self.tls_peer(port)
            self.assertEqual(self.front.events(1), ["[Opened: 0]"])
            self.write(0, b"last words")
            self.assertEqual(self.front.command(how).events, ["[Closed: 0]"])
            self.assertEqual(peer.recv(100), b"last words")
            self.assertEqual(peer.recv(100), b"")

    def test_update_of_the_keys(self):
        port = self.serve()
        client = self.s_client(port, "-tls1_3")
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        client.send(b"K\n")
        client.wait_for(rb"KEYUPDATE")
        client.send(b"behind it\n")
        self.assertEqual(self.read_all(0, 10), b"behind it\n")
        self.write(0, b"and back\n")
        client.wait_for(rb"and back\n")

    def test_renegotiation_is_refused(self):
        port = self.serve()
        client = self.s_client(port, "-tls1_2", "-legacy_renegotiation")
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        client.send(b"R\n")
        client.wait_for(rb"no renegotiation")

    def test_own_certificate(self):
        """Without a file it is the one of HTTPS."""
        self.module()
        self.ok("tls_server start")
        peer = self.tls_peer(self.port_of("tls_server"), trusting_context())
        own = self.zentrid.state / "zentri" / "tls" / "server.crt"
        self.assertEqual(ssl.DER_cert_to_PEM_cert(peer.getpeercert(binary_form=True)),
                         own.read_text())

    def test_forms_of_the_certificate(self):
        made = authority()
        chain = made.bytes("below_middle.crt") + made.bytes("middle.crt")
        self.module(files={
            "chain.pem": chain + made.bytes("below_middle.key"),
            "chain.der": made.der("below_middle", "middle"),
            "key.der": made.key_der("below_middle")})
        for certificate, key in (("chain.pem", ""), ("chain.der", "key.der")):
            self.ok(f"set http.server.tls_cert {certificate}")
            self.ok(f'set http.server.tls_key "{key}"')
            self.ok("tls_server start")
            peer = self.tls_peer(self.port_of("tls_server"))
            self.assertEqual(peer.getpeercert(binary_form=True),
                             made.der("below_middle"))
            self.ok("tls_server stop")

    def test_files_that_do_not_do(self):
        """The server does not run, and no other certificate stands in."""
        self.module(http__server__tls_cert="gone.crt")
        for settings, why in (
                ({}, "gone.crt: no such file"),
                ({"tls_cert": "server.crt"}, "server.crt: no key in it"),
                ({"tls_key": "client.key"}, "server.crt: private key mismatch"),
                ({"tls_cert": ""}, "http.server.tls_cert is empty"),
                ({"tls_cert": "server.crt", "tls_key": "server.key",
                  "tls_verify_peer": "1"}, "http.server.tls_peer_cert is empty"),
                ({"tls_peer_cert": "gone.pem"}, "gone.pem: no such file")):
            for name, value in settings.items():
                self.ok(f'set http.server.{name} "{value}"')
            self.assertEqual(self.fails("tls_server start"),
                             [f"Open failed: TLS: {why}"])
            self.assertEqual(self.ok("tls_server status"), "0")
        self.ok("set http.server.tls_peer_cert ca.crt")
        self.ok("tls_server start")

    def test_certificates_of_clients(self):
        port = self.serve(http__server__tls_verify_peer="1",
                          http__server__tls_peer_cert="ca.crt")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for name, why in ((None, "peer did not return a certificate"),
                              ("stranger", "unable to get local issuer certificate"),
                              ("server", "unsuitable certificate purpose")):
                context = self.client_context(name)
                context.maximum_version = version
                with self.assertRaises(ssl.SSLError):
                    self.tls_peer(port, context).recv(1)
                self.assertRegex(self.front.events(1)[0],
                                 rf"^Client {HOST}:\d+ failed: TLS: {why}$")
            context = self.client_context("client")
            context.maximum_version = version
            peer = self.tls_peer(port, context)
            self.assertEqual(self.front.events(1), ["[Opened: 0]"])
            self.write(0, b"welcome")
            self.assertEqual(peer.recv(10), b"welcome")
            self.ok("close 0")

    def test_clients_that_do_not_speak_tls(self):
        port = self.serve(network__tls__handshake_timeout="300")
        descriptors = self.zentrid.descriptors()
        for sent, why in ((b"GET / HTTP/1.1\r\n\r\n", "http request"),
                          (bytes(100), "wrong version number"),
                          (b"\x16\x03\x01\x00", "connection closed"),
                          (b"", "connection closed")):
            with socket.create_connection((HOST, port), 10) as peer:
                peer.sendall(sent)
                if "closed" in why:
                    peer.close()
                event, = self.front.events(1)
                self.assertRegex(event, rf"^Client {HOST}:\d+ failed: TLS: {why}$")
        peer = socket.create_connection((HOST, port), 10)
        peer.sendall(b"\x16")
        reset(peer)
        self.assertRegex(self.front.events(1)[0], "failed: TLS: connection reset$")
        with socket.create_connection((HOST, port), 10) as silent:
            self.assertRegex(self.front.events(1)[0],
                             "failed: TLS: handshake timed out$")
            self.assertEqual(silent.recv(10), b"")
        self.wait_descriptors(descriptors)
        self.tls_peer(port)
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])

    def test_versions(self):
        port = self.serve()
        client = self.s_client(port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        client.wait_for(rb"alert protocol version")
        self.assertRegex(self.front.events(1)[0], "failed: TLS: unsupported protocol$")

    def test_second_client_waits(self):
        """Both servers together have one client on ZentriOS-WL."""
        port = self.serve()
        self.ok("tcp_server start")
        first = self.tls_peer(port)
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        plain = self.client()
        second = Background(lambda: self.tls_peer(port))
        self.assertEqual(select.select([plain], [], [], 0.2)[0], [])
        self.assertEqual(len(self.rows()), 1)
        first.close()
        self.assertEqual(self.front.events(2), ["[Closed: 0]", "[Opened: 0]"])
        self.ok("close 0")
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        if plain.recv(1) == b"":
            second.result()

    def test_silent_client_has_the_place(self):
        port = self.serve(network__tls__handshake_timeout="500")
        silent = socket.create_connection((HOST, port), 10)
        second = Background(lambda: self.tls_peer(port))
        events = self.front.events(2)
        self.assertRegex(events[0], rf"^Client {HOST}:{silent.getsockname()[1]} failed: "
                         "TLS: handshake timed out$")
        self.assertEqual(events[1], "[Opened: 0]")
        second.result()
        silent.close()

    def test_stop_while_shaking_hands(self):
        port = self.serve()
        descriptors = self.zentrid.descriptors()
        with socket.create_connection((HOST, port), 10) as peer:
            wait_until(lambda: self.zentrid.descriptors() > descriptors)
            self.ok("tls_server stop")
            self.assertEqual(peer.recv(1), b"")
        self.wait_descriptors(descriptors)
        self.ok("tls_server start")
        with socket.create_connection((HOST, self.port_of("tls_server")), 10) as peer:
            wait_until(lambda: self.zentrid.descriptors() > descriptors)
            self.zentrid.stop()

    def test_stop_leaves_the_other_server(self):
        port = self.serve("gecko-os-2", stream__auto_close="1")
        self.ok("tcp_server start")
        secure = self.tls_peer(port)
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        plain = self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 1]"])
        self.assertEqual(self.front.command("tls_server stop").events, ["[Closed: 0]"])
        self.assertEqual(secure.recv(10), b"")
        plain.sendall(b"here")
        self.assertEqual(self.read_all(1, 4), b"here")
        self.assertEqual(self.front.command("tcp_server stop").events, ["[Closed: 1]"])

    def test_idle_timeout(self):
        port = self.serve(tcp__server__idle_timeout="1")
        peer = self.tls_peer(port)
        start = time.monotonic()
        self.assertEqual(self.front.events(2), ["[Opened: 0]", "[Closed: 0]"])
        self.assertGreater(time.monotonic() - start, 0.9)
        self.assertEqual(peer.recv(10), b"")

    def test_peer_that_is_killed(self):
        port = self.serve()
        for _ in range(2):
            client = self.s_client(port, "-quiet")
            self.assertEqual(self.front.events(1), ["[Opened: 0]"])
            client.send(b"so far\n")
            self.wait_poll(0, 1)
            client.process.kill()
            client.process.wait()
            self.assertEqual(self.then("read 0 100", 1), ("so far\n", ["[Closed: 0]"]))


class Sessions(ServerCase):
    """Sessions are resumed, by ticket and by number, as long as nothing changes."""

    def session(self, port, version, *options):
        """One connection of s_client: "New" or "Reused"; keeps the session."""
        path = self.zentrid.directory / f"session{version}"
        new = path.with_suffix(".new")
        known = ["-sess_in", str(path)] if path.exists() else []
        client = self.s_client(port, version, "-sess_out", str(new), *known, *options)
        match = client.wait_for(rb"(?:^|\n)(New|Reused), TLSv1")
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        # With TLS 1.3 the ticket comes behind the handshake, also when resumed.
        is_given = version == "-tls1_3" or match[1] == b"New"
        if is_given:
            wait_until(lambda: new.exists() and b"END SSL" in new.read_bytes(),
                       what="a session")
        client.send(b"Q\n")
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        client.process.wait(10)
        if is_given:
            new.rename(path)
        return match[1].decode()

    def test_resumption(self):
        port = self.serve()
        for version in VERSIONS:
            self.assertEqual(self.session(port, version), "New")
            self.assertEqual(self.session(port, version), "Reused")
            self.ok("tls_server stop")
            self.restart()
            self.ok("tls_server start")
            port = self.port_of("tls_server")
            self.assertEqual(self.session(port, version), "Reused")

    def test_resumption_by_number(self):
        port = self.serve()
        self.assertEqual(self.session(port, "-tls1_2", "-no_ticket"), "New")
        self.assertEqual(self.session(port, "-tls1_2", "-no_ticket"), "Reused")

    def test_reconnect(self):
        """What s_client does by itself: five times the same session."""
        port = self.serve()
        client = self.s_client(port, "-tls1_2", "-reconnect")
        for _ in range(5):
            client.wait_for(rb"\nReused, TLSv1\.2")
            client.said = client.said[client.said.index(b"\nReused") + 8:]

    def test_other_rules_other_sessions(self):
        """A session from before clients were checked gets nobody past the check."""
        port = self.serve(http__server__tls_peer_cert="ca.crt")
        for version in VERSIONS:
            self.assertEqual(self.session(port, version), "New")
        self.ok("set http.server.tls_verify_peer 1")
        self.ok("tls_server stop")
        self.ok("tls_server start")
        port = self.port_of("tls_server")
        for version in VERSIONS:
            path = self.zentrid.directory / f"session{version}"
            client = self.s_client(port, version, "-sess_in", str(path))
            self.assertRegex(self.front.events(1)[0],
                             "failed: TLS: peer did not return a certificate$")
            client.wait_for(rb"alert")


class Together(TlsCase):
    def test_two_modules(self):
        """One module's client on the other's server, much both ways."""
        made = authority()
        files = {"factory": self.directory(
            {name: made.bytes(name) for name in self.files})}
        factory = Pty.factory | {"network.tls.ca_cert": "ca.crt",
                                 "http.server.tls_cert": "server.crt",
                                 "http.server.tls_key": "server.key",
                                 "http.server.enabled": "0"}
        self.zentrid = self.daemon(
            [module(name=name, files=files, factory=factory) for name in "ab"],
            network())

        def front(name):
            serial = self.open_serial(self.zentrid, name)
            serial.boot_output(header=True, prompt=False, http=False)
            pty = Pty.__new__(Pty)
            pty.channel, pty.kept = serial, []
            return pty
        a, b = front("a"), front("b")
        self.assertEqual(a.command("tls_server start").code, 0)
        port = self.port_of("tls_server", "a")
        self.assertEqual(b.command(f"tls_client localhost {port}").code, 0)
        self.assertEqual(a.events(1), ["[Opened: 0]"])
        data = os.urandom(300000)
        for sender, receiver in ((a, b), (b, a)):
            self.assertEqual(
                sender.command(f"write 0 {len(data)}", data).code, 0)
            self.front = receiver
            self.assertTrue(self.read_all(0, len(data)) == data, "other bytes arrived")
        self.assertEqual(b.command("close 0").code, 0)
        self.assertEqual(a.events(1), ["[Closed: 0]"])


class StreamMode(TlsCase):
    def start(self, **factory):
        made = authority()
        files = {"factory": self.directory(
            {name: made.bytes(name) for name in self.files})}
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        self.zentrid = self.daemon([module(files=files, factory={
            "bus.mode": "stream", "system.print_level": "0",
            "bus.stream.flush_time": "0", "bus.stream.cmd_seq": "",
            "tcp.server.idle_timeout": "0", "network.tls.ca_cert": "ca.crt"} |
            factory)], network())
        serial = Serial(self.zentrid.serial_path())
        self.addCleanup(serial.close)
        return serial

    def check(self, serial, peer):
        """Much both ways at once, the reader slow on both sides."""
        peer.settimeout(20)
        data = os.urandom(400000)

        def take(read):
            got = b""
            while len(got) < len(data):
                piece = read()
                if not piece:
                    break
                got += piece
            return got

        def serial_read():
            if not serial.buffer:
                serial.fill(10)
            piece, serial.buffer = serial.buffer, serial.buffer[:0]
            return bytes(piece)

        sent = Background(lambda: peer.sendall(data))
        self.assertTrue(take(serial_read) == data, "other bytes arrived")
        sent.result()
        sent = Background(lambda: serial.send(data))
        self.assertTrue(take(lambda: peer.recv(3000)) == data, "other bytes arrived")
        sent.result()

    def test_client(self):
        sock, port = self.listener()
        accepted = Background(lambda: self.tls_accept(sock))
        serial = self.start(
            tcp__client__auto_start="1", tcp__client__tls_enabled="1",
            tcp__client__remote_host=HOST, tcp__client__remote_port=str(port))
        self.check(serial, accepted.result())

    def test_server(self):
        serial = self.start(http__server__tls_cert="server.crt",
                            http__server__tls_key="server.key")
        self.assertEqual(self.rest(self.zentrid).command("tls_server start").code, 0)
        peer = self.tls_peer(self.port_of("tls_server"))
        serial.send(b"kept?")  # until the handshake is done there is no stream
        wait_until(lambda: self.rest(self.zentrid).command("poll all").body
                   != b"None\r\n", what="the stream")
        while peer.pending() or select.select([peer], [], [], 0.05)[0]:
            peer.recv(10)
        self.check(serial, peer)
