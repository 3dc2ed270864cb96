"""tls_client against openssl s_server and others: the check of the server, the stream,
and how each failure is said."""

import hashlib
import os
import signal
import socket
import ssl
import subprocess
import threading

from integration.test_streams_tcp import HOST, Background, Web, free_port, reset
from lib.certificates import authority
from lib.daemon import wait_until
from lib.tls import TlsCase

VERSIONS = ("-tls1_2", "-tls1_3")


class Conversation:
    def test_conversation(self):
        self.module()
        for version in VERSIONS:
            server, port = self.s_server(version)
            self.tls_connect(port)
            row, = self.rows()
            self.assertEqual(row[:5], ["#", "0", "TLSC", "", f"{HOST}:{port}"])
            self.assertRegex(row[5], r"^\(\d+\)$")
            self.assertEqual(self.ok("poll 0"), "0")
            self.write(0, b"stressed\n")
            self.assertEqual(self.read_all(0, 9), b"desserts\n")
            self.assertEqual(self.ok("poll 0"), "0")
            result = self.front.command("close 0")
            self.assertEqual(result.events, ["[Closed: 0]"])
            server.wait_for(rb"CONNECTION CLOSED")


class ConversationOverPty(Conversation, TlsCase):
    pass


class ConversationOverRest(Conversation, TlsCase):
    front_type = Web


class Check(TlsCase):
    """Who the server has to be."""

    def test_name_and_address(self):
        self.module()
        _, port = self.s_server(name="name_only")
        self.tls_connect(port, host="localhost")
        self.ok("close 0")
        self.tls_fails(port, "IP address mismatch")

    def test_other_host(self):
        self.module()
        _, port = self.s_server(name="elsewhere")
        self.tls_fails(port, "hostname mismatch", host="localhost")
        self.tls_fails(port, "IP address mismatch")

    def test_expired(self):
        self.module()
        server, port = self.s_server(name="expired")
        self.tls_fails(port, "certificate has expired")
        server.wait_for(rb"alert certificate expired")

    def test_other_authority(self):
        self.module()
        server, port = self.s_server()
        self.tls_fails(port, "unable to get local issuer certificate",
                       ca_file="other_ca.crt")
        server.wait_for(rb"alert unknown ca")
        self.ok("set network.tls.ca_cert other_ca.crt")
        self.tls_fails(port, "unable to get local issuer certificate")
        self.tls_connect(port, ca_file="ca.crt")

    def test_files_that_do_not_do(self):
        """Nothing is opened without the check."""
        self.module(files={"empty": b"", "noise": b"-----BEGIN CERTIFICATE-----\nx\n",
                           "text": b"no certificate at all",
                           "torn": authority().der("ca")[:-1]})
        sock, port = self.listener()
        for name, why in (("missing.pem", "missing.pem: no such file"),
                          ("empty", "empty: no certificate in it"),
                          ("noise", "noise: bad end line"),
                          ("server.key", "server.key: no certificate in it")):
            self.tls_fails(port, why, ca_file=name)
        for name in ("text", "torn"):
            self.assertRegex(self.fails(f"tlsc {HOST} {port} {name}")[-1],
                             rf"^Open failed: TLS: {name}: .")
        self.ok('set network.tls.ca_cert ""')
        self.tls_fails(port, "network.tls.ca_cert is empty")
        sock.setblocking(False)
        self.assertRaises(BlockingIOError, sock.accept)

    def test_forms_of_the_authority(self):
        """PEM and DER, several in one file, an intermediate one, the server's own."""
        made = authority()
        files = {"der": made.der("ca"), "both.der": made.der("other_ca", "ca"),
                 "both.pem": made.bytes("other_ca.crt") + made.bytes("ca.crt"),
                 "middle.pem": made.bytes("middle.crt"),
                 "self.pem": made.bytes("server.crt")}
        self.module(files=files)
        for name in ("server", "below_middle"):
            chain = ("-cert_chain", made.path("middle.crt")) if name != "server" else ()
            _, port = self.s_server(*chain, name=name)
            for ca_file in files:
                good = (ca_file != "self.pem") if chain else ca_file != "middle.pem"
                if good:
                    self.tls_connect(port, ca_file=ca_file)
                    self.ok("close 0")
                else:
                    self.tls_fails(port, "unable to get local issuer certificate",
                                   ca_file=ca_file)

    def test_name_that_is_asked_for(self):
        self.module()
        sock, port = self.listener()
        names = []
        context = self.server_context()
        context.sni_callback = lambda peer, name, context: names.append(name)
        for host in ("localhost", HOST):
            accepted = Background(lambda: self.tls_accept(sock, context))
            self.tls_connect(port, host=host)
            accepted.result()
            self.ok("close 0")
        self.assertEqual(names, ["localhost", None])

    def test_certificate_of_the_client(self):
        made = authority()
        self.module(files={"client.der": made.der("client"),
                           "client.key.der": made.key_der("client"),
                           "client.pem": made.bytes("client.crt") +
                           made.bytes("client.key"), "locked": made.bytes("locked.key")})
        options = ("-Verify", "1", "-verify_return_error",
                   "-CAfile", made.path("ca.crt"))
        for version in VERSIONS:
            server, port = self.s_server(version, *options)
            for certificate, key in (("client.crt", "client.key"), ("client.pem", ""),
                                     ("client.der", "client.key.der")):
                self.ok(f'set network.tls.client_cert "{certificate}"')
                self.ok(f'set network.tls.client_key "{key}"')
                self.tls_connect(port)
                self.write(0, b"ab\n")
                self.assertEqual(self.read_all(0, 3), b"ba\n")
                self.ok("close 0")
            server.wait_for(rb"CN = client")
        for certificate, key, why in (
                ("client.crt", "server.key", "client.crt: private key mismatch"),
                ("client.crt", "gone", "gone: no such file"),
                ("client.crt", "client.crt", "client.crt: no key in it"),
                ("", "client.key", "network.tls.client_cert is empty")):
            self.ok(f'set network.tls.client_cert "{certificate}"')
            self.ok(f'set network.tls.client_key "{key}"')
            self.tls_fails(port, why)
        self.ok("set network.tls.client_cert client.crt")
        self.ok("set network.tls.client_key locked")
        self.assertRegex(self.fails(f"tlsc {HOST} {port}")[-1],
                         r"^Open failed: TLS: locked: bad password read$")


class Failures(TlsCase):
    def test_alerts(self):
        made = authority()
        demand = ("-Verify", "1", "-verify_return_error", "-CAfile", made.path("ca.crt"))
        self.module()
        _, port = self.s_server("-tls1_2", *demand)
        self.tls_fails(port, "alert: handshake failure")
        _, port = self.s_server("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        self.tls_fails(port, "alert: protocol version")
        _, port = self.s_server("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
        self.tls_fails(port, "alert: handshake failure")

    def test_alert_behind_the_handshake(self):
        """With TLS 1.3 a server looks at the client's certificate when the client is
        done."""
        made = authority()
        self.module()
        _, port = self.s_server("-tls1_3", "-Verify", "1", "-verify_return_error",
                                "-CAfile", made.path("ca.crt"))
        _, events = self.then(f"tlsc {HOST} {port}", 6)
        self.assertEqual(events[3:], [
            "[Opened: 0]", "Connection failed: TLS: alert: certificate required",
            "[Closed: 0]"])
        self.assertEqual(self.ok("poll all"), "None")

    def test_no_tls(self):
        self.module()
        sock, port = self.listener()
        for answer, why in ((b"220 mail.test\r\n", "wrong version number"),
                            (b"", "connection closed")):
            self.front.start(f"tlsc {HOST} {port}")
            peer = self.accept(sock)
            peer.recv(1024)
            peer.sendall(answer)
            if not answer:
                peer.close()
            result = self.front.finish()
            self.assertEqual((result.code, result.events[-1]),
                             (1, f"Open failed: TLS: {why}"))

    def test_reset(self):
        self.module()
        sock, port = self.listener()
        self.front.start(f"tlsc {HOST} {port}")
        peer = self.accept(sock)
        peer.recv(1)
        reset(peer)
        self.assertEqual(self.front.finish().events[-1],
                         "Open failed: TLS: connection reset")

    def test_silence(self):
        self.module(network__tls__handshake_timeout="200", tcp__client__retries="1",
                    tcp__client__retry_period="1")
        sock, port = self.listener()
        self.ok("network_lookup localhost")  # which opens the resolver
        descriptors = self.zentrid.descriptors()
        events = self.fails(f"tlsc {HOST} {port}")
        self.assertEqual(events[2:], [
            f"Connecting: {HOST}:{port}", "Connect failed: TLS: handshake timed out",
            f"Connecting: {HOST}:{port}", "Open failed: TLS: handshake timed out"])
        self.wait_descriptors(descriptors)
        sock.close()
        self.assertEqual(self.fails(f"tlsc {HOST} {port}")[-1],
                         "Open failed: connection refused")

    def test_reboot_meanwhile(self):
        """The handshake is given up with the rest of the network."""
        sock, port = self.listener()
        self.module(tcp__client__tls_enabled="1", tcp__client__remote_host=HOST,
                    tcp__client__remote_port=str(port))
        self.ok("set tcp.client.auto_start 1")
        self.ok("network_restart")
        peer = self.accept(sock)
        self.assertTrue(peer.recv(1))
        self.ok("network_restart")
        while peer.recv(1024):
            pass

    def test_limit_of_the_profile(self):
        """It is the one TCP client of ZentriOS-WL."""
        self.module()
        _, port = self.s_server()
        self.tls_connect(port)
        self.assertEqual(self.fails(f"tlsc {HOST} {port}"),
                         ["Open failed: too many streams"])
        self.assertEqual(self.fails(f"tcpc {HOST} {port}"),
                         ["Open failed: too many streams"])


class Abandoned(TlsCase):
    def test_who_asked_leaves(self):
        """The handshake is given up with the command."""
        self.module(remote_terminal__enabled="1")
        sock, port = self.listener()
        entry = self.entry_of("remote_terminal")
        with socket.create_connection((entry["address"], entry["port"]), 10) as terminal:
            terminal.sendall(f"tlsc {HOST} {port}\r\n".encode())
            peer = self.accept(sock)
            self.assertTrue(peer.recv(1))
        while peer.recv(1024):
            pass


class Stream(TlsCase):
    """The stream behind a handshake, with a peer of Python's."""

    def open(self, context=None, **factory):
        self.module(**factory)
        sock, port = self.listener()
        accepted = Background(lambda: self.tls_accept(sock, context))
        self.tls_connect(port)
        return accepted.result()

    def test_close_says_so(self):
        peer = self.open()
        self.write(0, b"last words")
        self.ok("close 0")
        self.assertEqual(peer.recv(100), b"last words")
        self.assertEqual(peer.recv(100), b"")  # an SSLError without close_notify

    def test_half_close(self):
        """close_notify alone: no FIN comes, and what was sent can still be read."""
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.server_context()
            context.maximum_version = version
            peer = self.open(context, stream__auto_close="0")
            peer.sendall(b"hello")
            self.wait_poll(0, 1)
            peer.settimeout(0)
            self.assertRaises(ssl.SSLWantReadError, peer.unwrap)
            self.assertEqual(self.ok("poll 0"), "1")
            self.assertEqual(self.read(0, 2), b"he")
            # Exactly what is left: nothing shows the end but the module's own look.
            self.assertEqual(self.then("read 0 3", 1), ("llo", ["[Closed: 0]"]))
            self.assertEqual(self.ok("poll 0"), "2")
            self.fails("stream_write 0 3", b"abc")
            self.ok("close 0")
            peer.close()

    def test_end_without_close_notify(self):
        peer = self.open(stream__auto_close="0")
        peer.sendall(b"cut")
        self.wait_poll(0, 1)
        socket.socket(fileno=peer.detach()).close()
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertEqual(self.ok("poll 0"), "1")
        self.assertEqual(self.read(0, 100), b"cut")
        self.assertEqual(self.ok("poll 0"), "2")

    def test_end_without_close_notify_or_data(self):
        """An end like any other, which no line calls a failure."""
        peer = self.open()
        socket.socket(fileno=peer.detach()).close()
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])

    def test_fault_and_end_at_once(self):
        """The fault is said though the end is seen at the same time."""
        peer = self.open(stream__auto_close="0")
        self.zentrid.send_signal(signal.SIGSTOP)
        with socket.socket(fileno=peer.detach()) as raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        self.zentrid.send_signal(signal.SIGCONT)
        events = self.front.events(2)
        self.assertRegex(events[0], r"^Connection failed: TLS: .*bad record mac$")
        self.assertEqual(events[1], "[Closed: 0]")

    def test_reset(self):
        peer = self.open()
        reset(socket.socket(fileno=peer.detach()))
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])

    def test_damaged_record(self):
        peer = self.open()
        with socket.socket(fileno=os.dup(peer.fileno())) as raw:
            raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
            events = self.front.events(2)
        self.assertEqual(events[1], "[Closed: 0]")
        self.assertRegex(events[0], r"^Connection failed: TLS: .*bad record mac$")
        self.assertRaisesRegex(ssl.SSLError, "BAD_RECORD_MAC", peer.recv, 100)

    def test_tickets(self):
        """Records without data are no data."""
        server, port = self.s_server("-tls1_3")
        self.module()
        self.tls_connect(port)
        self.assertEqual(self.ok("poll all -c"), "0,0,0")
        self.write(0, b"ab\n")
        self.assertEqual(self.read_all(0, 3), b"ba\n")
        server.process.kill()
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])

    def test_much_both_ways(self):
        """A reader that is slow on either side holds the other one back."""
        peer = self.open()
        peer.settimeout(20)
        out = os.urandom(512 * 1024)
        back = os.urandom(1024 * 1024)

        def take(count):
            digest = hashlib.sha256()
            while count > 0:
                piece = peer.recv(min(count, 3000))
                self.assertTrue(piece)
                count -= len(piece)
                digest.update(piece)
            return digest.digest()

        for _ in range(3):
            taken = Background(lambda: take(len(out)))
            self.write(0, out)
            self.assertEqual(taken.result(), hashlib.sha256(out).digest())
        sender = Background(lambda: peer.sendall(back))
        self.assertTrue(self.read_all(0, len(back)) == back, "other bytes arrived")
        sender.result()

    def test_peer_is_held_back(self):
        """What nobody reads stays with the peer, and nothing is lost."""
        peer = self.open()
        peer.settimeout(0)
        data = os.urandom(65536)
        sent = 0
        while True:
            try:
                sent += peer.send(data)
            except ssl.SSLWantWriteError:
                break
            self.assertLess(sent, 64 * 1024 * 1024)
        rss = self.zentrid.rss_kib()
        self.assertLess(rss, 512 * 1024)
        self.assertEqual(self.ok("poll 0"), "1")
        got = self.read_all(0, 65536 * 4)
        self.assertTrue(got == data * 4, "other bytes arrived")

    def test_writer_is_held_back(self):
        """A write for which there is no room waits until there is."""
        peer = self.open()
        data = os.urandom(512 * 1024)
        self.write(0, data)
        for _ in range(20):
            self.front.start(f"write 0 {len(data)}", data)
            result = self.front.finish(timeout=0.5)
            if result is None:
                break
        got = Background(lambda: len(peer.recv(65536)))
        self.assertGreater(got.result(), 0)
        stop = threading.Event()

        def drain():
            while not stop.is_set():
                if not peer.recv(65536):
                    break
        drained = Background(drain)
        if result is None:
            result = self.front.finish(timeout=20)
        self.assertEqual(result.code, 0)
        self.ok("close 0")
        drained.result()

    def test_keepalive_and_nodelay(self):
        peer = self.open(tcp__keepalive__enabled="1",
                         tcp__keepalive__initial_timeout="40")
        local = self.rows()[0][5].strip("()")
        lines = subprocess.run(["ss", "-tnoH", "sport", f":{local}"],
                               capture_output=True, text=True, check=True).stdout
        self.assertRegex(lines, r"timer:\(keepalive,(3\d|40)sec,0\)")
        self.assertTrue(peer.version().startswith("TLS"))


class Settings(TlsCase):
    def test_tcp_client_with_tls(self):
        _, port = self.s_server()
        self.module(tcp__client__tls_enabled="1")
        self.connect(port)
        self.assertEqual(self.rows()[0][2], "TLSC")
        self.ok("close 0")
        self.ok("set tcp.client.tls_enabled 0")
        self.connect(port)
        self.assertEqual(self.rows()[0][2], "TCPC")

    def test_without_a_host(self):
        _, port = self.s_server()
        self.module(tcp__client__remote_host=HOST, tcp__client__remote_port=str(port))
        self.assertEqual(self.ok("tlsc"), "0")
        self.assertEqual(self.rows()[0][2], "TLSC")

    def test_local_port(self):
        _, port = self.s_server()
        self.module()
        local = free_port()
        self.assertEqual(self.ok(f"tlsc -l {local} {HOST} {port}"), "0")
        self.assertEqual(self.rows()[0][5], f"({local})")

    def test_auto_connect(self):
        sock, port = self.listener()
        peers = Background(lambda: [self.tls_accept(sock) for _ in range(2)])
        self.module(tcp__client__auto_retries="1", tcp__client__tls_enabled="1",
                    tcp__client__remote_host=HOST, tcp__client__remote_port=str(port),
                    tcp__client__retry_period="1")
        self.ok("set tcp.client.auto_start 1")
        self.ok("network_restart")
        wait_until(lambda: len(self.rows()) == 1, what="the stream")
        self.assertEqual(self.rows()[0][2], "TLSC")
        self.write(0, b"first")
        self.ok("close 0")
        self.ok("network_restart")
        first, second = peers.result()
        self.assertEqual(first.recv(10), b"first")
        wait_until(lambda: len(self.rows()) == 1, what="the stream")
        second.sendall(b"again")
        self.assertEqual(self.read_all(0, 5), b"again")
