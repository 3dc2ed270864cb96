"""Host names: a real name server, and name servers that misbehave."""

import os
import pwd
import re
import socket
import struct
import time

from integration.test_streams_tcp import (HOST, Background, Pty, StreamCase, Web,
                                          free_port, network)
from lib.background import DatagramServer
from lib.daemon import wait_until

UNKNOWN = "Open failed: unknown host"
SILENT = "Open failed: no answer from the name server"


def query(name, number=1):
    """A question for the address of a name. RFC 1035, 4.1"""
    labels = b"".join(bytes([len(label)]) + label.encode()
                      for label in name.split("."))
    return (struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + labels + b"\0"
            + struct.pack(">2H", 1, 1))


def answer(question, address):
    """The answer to a question, with one address."""
    end = question.index(b"\0", 12) + 5
    return (question[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + question[12:end]
            + struct.pack(">3HIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address))


class DnsCase(StreamCase):
    def dnsmasq(self, *options, port=None):
        """dnsmasq that knows these names, and no others below .test; its address."""
        given = port
        for _ in range(10):
            port = given or free_port()
            process = self.program(
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
                "--no-resolv", "--no-hosts", "--no-poll", "--pid-file=",
                f"--user={pwd.getpwuid(os.getuid()).pw_name}", f"--port={port}",
                f"--listen-address={HOST}", "--bind-interfaces", "--local=/test/",
                *options)
            if self.answers(process, port):
                self.server = process
                return f"{HOST}:{port}"
        raise AssertionError("dnsmasq does not start: " + process.stderr.read().decode())

    @staticmethod
    def answers(process, port):
        """Whether the name server comes up; False when it has ended."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.02)
            sock.connect((HOST, port))

            def asked():
                if process.poll() is not None:
                    return "ended"
                try:
                    sock.send(query("ready.test"))
                    return "up" if sock.recv(1000) else None
                except OSError:
                    return None
            return wait_until(asked, what="dnsmasq") == "up"

    def lookup(self, name, address):
        self.assertEqual(self.ok(f"network_lookup {name}"), address)


class DnsTests:
    def test_names(self):
        self.module(net=network(self.dnsmasq(
            "--address=/wild.test/127.0.0.3", "--host-record=peer.test,127.0.0.2",
            "--cname=www.test,peer.test")))
        self.lookup("peer.test", "127.0.0.2")
        self.lookup("PEER.Test", "127.0.0.2")
        self.lookup("www.test", "127.0.0.2")
        self.lookup("any.thing.wild.test", "127.0.0.3")
        self.lookup("localhost", HOST)
        self.lookup("10.1.2.3", "10.1.2.3")

    def test_tcp_client_by_name(self):
        sock, port = self.listener()
        self.module(net=network(self.dnsmasq(f"--host-record=peer.test,{HOST}")))
        self.connect(port, host="peer.test")
        self.accept(sock).sendall(b"hello")
        self.assertEqual(self.read_all(0, 5), b"hello")
        row, = self.rows()
        self.assertEqual(row[4], f"peer.test:{port}")
        self.assertTrue(re.fullmatch(r"\(\d+\)", row[5]), row)

    def test_udp_client_by_name_gets_the_new_address(self):
        """Nothing is kept from one opening to the next."""
        peers = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
            first.bind((HOST, 0))
            port = first.getsockname()[1]
            second.bind(("127.0.0.2", port))
            peers = [(first, HOST), (second, "127.0.0.2")]
            name_server = self.dnsmasq(f"--host-record=peer.test,{HOST}")
            dns_port = int(name_server.partition(":")[2])
            self.module(net=network(name_server))
            for sock, address in peers:
                self.server.kill()
                self.server.wait()
                self.dnsmasq(f"--host-record=peer.test,{address}", port=dns_port)
                self.assertEqual(self.ok(f"udp_client peer.test {port}"), "0")
                self.assertEqual(self.rows()[0][4], f"peer.test:{port}")
                self.write(0, address.encode())
                sock.settimeout(10)
                self.assertEqual(sock.recv(100), address.encode())
                self.ok("close 0")

    def udp_server_to(self, host, port, **more):
        """A module whose UDP server has a peer with a name."""
        self.module(net=network(self.dnsmasq(f"--host-record=peer.test,{HOST}")),
                    udp__server__remote_host=host, udp__server__remote_port=port, **more)

    def test_udp_server_to_a_name(self):
        """Strangers are not taken for the peer while its name is looked up."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            peer.settimeout(10)
            peer.bind((HOST, 0))
            address = "%s:%d" % peer.getsockname()
            self.udp_server_to("peer.test", peer.getsockname()[1],
                               udp__server__lock_client="1")
            self.assertEqual(self.ok("udp_server start"), "Success")
            port = self.port_of("udp_server")
            stranger.sendto(b"stranger", (HOST, port))
            wait_until(lambda: self.rows()[0][7] == address, what="the peer's address")
            stranger.sendto(b"stranger", (HOST, port))
            self.write(0, b"first word")
            self.assertEqual(peer.recvfrom(100), (b"first word", (HOST, port)))
            peer.sendto(b"peer", (HOST, port))
            self.wait_poll(0, 1)
            self.assertEqual(self.read(0, 100), b"peer")

    def test_udp_server_to_an_unknown_name(self):
        """It serves whoever speaks to it, and says what is wrong."""
        self.udp_server_to("nobody.test", 9)
        self.assertEqual(self.then("udp_server start", 2), (
            "Success", ["[Opened: 0]", "Host not found: nobody.test"]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"hello", (HOST, self.port_of("udp_server")))
            self.wait_poll(0, 1)
            self.assertEqual(self.read(0, 100), b"hello")

    def test_unknown_host(self):
        self.module(net=network(self.dnsmasq("--host-record=six.test,::1")))
        for command in ("tcp_client", "udp_client"):
            self.assertEqual(self.fails(f"{command} nobody.test 80"), [
                "[Opening: nobody.test:80]", "Resolving host: nobody.test", UNKNOWN])
        self.assertEqual(self.fails("network_lookup nobody.test"), [])
        # The resolver does not tell a host without IPv4 from a server in trouble.
        self.assertIn(self.fails("tcp_client six.test 80")[-1], (UNKNOWN, SILENT))
        self.assertEqual(self.fails("network_lookup six.test"), [])
        self.assertEqual(self.ok("poll all"), "None")

    def test_unknown_host_is_tried_again(self):
        self.module(net=network(self.dnsmasq()), tcp__client__retries="1",
                    tcp__client__retry_period="20")
        self.assertEqual(self.fails("tcp_client nobody.test 80")[2:],
                         ["Connect failed: unknown host", UNKNOWN])

    def test_refusing_name_server(self):
        """It knows of nobody to ask for names of elsewhere."""
        self.module(net=network(self.dnsmasq()))
        events = self.fails("tcp_client example.org 80")
        self.assertEqual(events[:2],
                         ["[Opening: example.org:80]", "Resolving host: example.org"])
        self.assertIn(events[2:], ([UNKNOWN], [SILENT]))

    def test_lost_question(self):
        """The second question is answered."""
        def reply(number, question):
            return [] if number == 1 else [answer(question, "127.0.0.9")]
        server = DatagramServer(self, reply)
        self.module(net=network(server.address))
        self.lookup("peer.test", "127.0.0.9")
        self.assertEqual(len(server.questions), 2)

    def test_garbage_before_the_answer(self):
        def reply(_number, question):
            wrong = bytes([question[0] ^ 0xFF]) + answer(question, "6.6.6.6")[1:]
            return [b"", b"\0", b"\xff" * 600, wrong, answer(question, "127.0.0.9"),
                    answer(question, "6.6.6.6")]
        server = DatagramServer(self, reply)
        self.module(net=network(server.address))
        self.lookup("peer.test", "127.0.0.9")
        self.lookup("peer.test", "127.0.0.9")

    def test_long_names(self):
        label = "a" * 63
        name = ".".join([label] * 3 + ["b" * 56, "test"])
        self.assertEqual(len(name), 253)
        self.module(net=network(self.dnsmasq(f"--address=/{name}/127.0.0.4")))
        self.lookup(name, "127.0.0.4")
        self.assertNotEqual(self.front.command(f"network_lookup x{name}").code, 0)
        self.assertNotEqual(
            self.front.command(f"tcp_client {'a' * 64}.test 80").code, 0)
        self.assertNotEqual(self.front.command("tcp_client a..test 80").code, 0)
        self.lookup(name, "127.0.0.4")

    def test_end_of_the_daemon_while_it_asks(self):
        """Nothing is leaked, which the end of the test sees."""
        server = DatagramServer(self, lambda number, question: [])
        self.module(net=network(server.address))
        started = Background(lambda: self.swallow("tcp_client peer.test 80"))
        wait_until(lambda: server.questions, what="the question")
        self.zentrid.stop()
        started.result()

    def swallow(self, line):
        """A command whose answer may never come."""
        self.front.start(line)
        try:
            self.front.finish(5)
        except (OSError, AssertionError, ValueError):
            pass


class DnsOverPty(DnsTests, DnsCase):
    front_type = Pty


class DnsOverRest(DnsTests, DnsCase):
    front_type = Web


class NameServersThatFail(DnsCase):
    """Over one front only, for the time that it takes to give up."""

    def test_no_name_server(self):
        """Nobody listens there."""
        self.module(net=network(f"{HOST}:{free_port()}"))
        self.assertEqual(self.fails("tcp_client peer.test 80")[2:], [SILENT])

    def test_silent_name_server(self):
        server = DatagramServer(self, lambda number, question: [])
        self.module(net=network(server.address))
        start = time.monotonic()
        self.assertEqual(self.fails("tcp_client peer.test 80"), [
            "[Opening: peer.test:80]", "Resolving host: peer.test", SILENT])
        self.assertLess(time.monotonic() - start, 9)
        self.assertEqual(len(server.questions), 3)
        # A number needs no name server.
        sock, port = self.listener()
        self.connect(port)
        sock.close()
