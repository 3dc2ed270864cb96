"""Streams at their limits: profiles, slow peers, issuers that go, restarts, many of
them; and two modules that talk to each other."""

import http.client
import os
import socket
import time

from integration.test_streams_tcp import (HOST, Background, Pty, StreamCase, Web,
                                          network)
from lib.daemon import module, wait_until
from lib.rest import Rest
from lib.serial import Serial

MAC_OF_B = "4C:55:CC:10:09:43"
TOO_MANY = "Open failed: too many streams"


class LimitTests:
    def test_one_tcp_client_and_one_udp_stream(self):
        sock, port = self.listener()
        self.module()
        self.connect(port)
        self.assertEqual(self.fails(f"tcp_client {HOST} {port}"), [TOO_MANY])
        self.assertEqual(self.ok(f"udp_client {HOST} 9"), "1")
        self.assertEqual(self.fails(f"udp_client {HOST} 9"), [TOO_MANY])
        self.fails("udp_server start")
        self.ok("tcp_server start")
        self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 2]"])
        self.assertEqual([row[2] for row in self.rows()], ["TCPC", "UDPC", "TCPS"])
        self.ok("close 0")
        self.connect(port)
        sock.close()

    def test_udp_server_counts_as_the_udp_stream(self):
        self.module()
        self.ok("udp_server start")
        self.assertEqual(self.fails(f"udp_client {HOST} 9"), [TOO_MANY])
        self.ok("udp_server stop")
        self.assertEqual(self.ok(f"udp_client {HOST} 9"), "0")

    def test_eight_in_all(self):
        sock, port = self.listener()
        self.module("gecko-os-2", tcp__server__max_clients="8", stream__auto_close="1")
        self.ok("tcp_server start")
        first = self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        self.ok("udp_server start")
        for handle in range(2, 5):
            self.connect(port, handle)
        for handle in range(5, 8):
            self.assertEqual(self.ok(f"udp_client {HOST} 9"), str(handle))
        self.assertEqual(self.fails(f"tcp_client {HOST} {port}"), [TOO_MANY])
        self.assertEqual(self.fails(f"udp_client {HOST} 9"), [TOO_MANY])
        # A ninth that comes from outside waits in silence.
        ninth = self.client()
        ninth.sendall(b"ninth")
        self.assertEqual(len(self.rows()), 8)
        first.close()
        self.assertEqual(self.front.events(2), ["[Closed: 0]", "[Opened: 0]"])
        self.assertEqual(self.read_all(0, 5), b"ninth")
        sock.close()

    def test_client_waits_for_any_place(self):
        """The place that frees may be that of another kind of stream."""
        self.module("gecko-os-2")
        for handle in range(8):
            self.assertEqual(self.ok(f"udp_client {HOST} 9"), str(handle))
        self.ok("tcp_server start")
        self.client()
        self.assertEqual(self.then("close 3", 2)[1], ["[Closed: 3]", "[Opened: 3]"])


class UnderWay(StreamCase):
    """Two connections are under way when there is one place."""

    front_type = Web

    def under_way(self, command, slow, fast):
        """Auto connect to one port and the command to the other: the one to the port
        whose queue is full comes second, and finds no place."""
        self.module(tcp__client__auto_start="1", tcp__client__remote_host=HOST,
                    tcp__client__remote_port=str(fast or slow[1]),
                    tcp__client__connect_timeout="8000",
                    tcp__client__auto_retries="255", tcp__client__retry_period="10")
        return Pending(self.front, command, b"")

    def check_one(self, lines):
        """One is refused, in these lines or in those that follow, and one is there."""
        other = self.rest(self.zentrid)

        def refused():
            lines.extend(other.logs())
            return TOO_MANY in lines
        wait_until(refused, what="the refusal")
        rows = other.command("stream_list").body.decode().split("\r\n")[1:-1]
        self.assertEqual([row.split(" ")[2] for row in rows], ["TCPC"])

    def test_request_that_comes_second(self):
        sock, port = self.deaf_listener()
        holder = socket.socket()
        self.addCleanup(holder.close)
        holder.bind((HOST, 0))
        pending = self.under_way(f"http_get http://{HOST}:{port}/", None,
                                 holder.getsockname()[1])
        wait_connecting(port)
        holder.listen()
        holder.settimeout(10)
        self.accept(holder)
        sock.listen(16)
        result = pending.result()
        self.assertEqual(result.code, 1)
        self.check_one(result.events)

    def test_connection_that_comes_second(self):
        deaf = self.deaf_listener()
        sock, port = self.listener()
        pending = self.under_way(f"tcp_client {HOST} {port}", deaf, None)
        self.accept(sock)
        self.assertEqual(pending.result().code, 0)
        wait_connecting(deaf[1])
        deaf[0].listen(16)
        self.check_one([])


class SlowPeerTests:
    def fill(self, line="stream_write 0 {}"):
        """Writes until one waits; all the bytes written, those of the last one too.
        What waits is still to be finished."""
        data = os.urandom(self.front.payload_max)
        for count in range(1, 400):
            self.start_write(line.format(len(data)), data)
            result = self.pending.poll()
            if result is None:
                return data * count
            self.assertEqual((result.code, result.body), (0, b"Success\r\n"), result)
        raise AssertionError("the peer takes everything")

    def start_write(self, line, data):
        self.pending = Pending(self.front, line, data)

    def slow_peer(self, **factory):
        """A peer that does not read yet."""
        sock, port = self.listener(receive_buffer=4096)
        self.module(**factory)
        self.connect(port)
        return self.accept(sock)

    def test_write_waits_for_the_peer(self):
        peer = self.slow_peer()
        data = self.fill()
        reader = Background(lambda: receive(peer, len(data)))
        result = self.pending.result()
        self.assertEqual((result.code, result.body), (0, b"Success\r\n"), result)
        self.assertTrue(reader.result() == data, "other bytes arrived")
        self.assertEqual(self.ok("stream_poll 0"), "0")

    def test_write_fails_when_the_peer_goes(self):
        peer = self.slow_peer()
        self.fill()
        peer.close()
        result = self.pending.result()
        if result.code == 0:  # the kernel's buffer grew in that moment
            result = self.front.command("stream_write 0 1", b"x")
        self.assertEqual((result.code, result.body), (1, b"Command failed\r\n"), result)
        wait_until(lambda: self.ok("poll all") == "None", what="the stream to be gone")

    def test_write_fails_by_its_time_out(self):
        """bus.command.write_timeout bounds it, as it bounds the data on the bus."""
        peer = self.slow_peer(bus__command__write_timeout="2500")
        data = os.urandom(self.front.payload_max)
        for _ in range(400):
            start = time.monotonic()
            result = self.front.command(f"stream_write 0 {len(data)}", data)
            if result.code != 0:
                break
        self.assertEqual((result.code, result.body), (1, b"Command failed\r\n"), result)
        self.assertGreater(time.monotonic() - start, 0.6)
        self.assertEqual(self.ok("stream_poll 0"), "0")
        peer.sendall(b"still there")
        self.assertEqual(self.read_all(0, 11), b"still there")

    def test_written_data_outlives_a_half_close(self):
        """A write that was answered with Success stands when the peer has said all it
        has to say and reads on."""
        peer = self.slow_peer(bus__command__write_check_enabled="1",
                              stream__auto_close="0")
        data = self.fill_checked()
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertTrue(receive(peer, len(data)) == data, "other bytes arrived")
        self.ok("stream_close 0")
        self.assertEqual(peer.recv(10), b"")

    def test_written_data_outlives_its_stream(self):
        """The handle is free at once, and all that was answered with Success arrives,
        also when something that the peer sent was never read."""
        peer = self.slow_peer(bus__command__write_check_enabled="1")
        data = self.fill_checked()
        descriptors = self.zentrid.descriptors() - 1
        peer.sendall(b"unread")
        self.wait_poll(0, 1)
        self.assertEqual(self.then("stream_close 0", 1), ("Success", ["[Closed: 0]"]))
        self.assertEqual(self.rows(), [])
        self.assertTrue(receive(peer, len(data)) == data, "other bytes arrived")
        self.assertEqual(peer.recv(10), b"")
        peer.close()
        wait_until(lambda: self.zentrid.descriptors() <= descriptors,
                   what="the descriptors to return")

    def test_write_check(self):
        """Code 9 comes before the data: what follows is the next command."""
        self.module(bus__command__write_check_enabled="1")
        self.assertEqual(self.ok(f"udp_client {HOST} 9"), "0")
        result = self.front.command("stream_write 0 65508")
        self.assertEqual((result.code, result.body), (9, b"Bounds error\r\n"))
        self.assertEqual(self.ok("stream_poll 0"), "0")
        self.write(0, b"x" * 100)

    def test_write_check_of_a_full_stream(self):
        peer = self.slow_peer(bus__command__write_check_enabled="1")
        data = self.fill_checked()
        # Over the pty none of the data is sent.
        more = b"" if isinstance(self.front, Pty) else b"x" * Web.payload_max
        self.fails(f"stream_write 0 {Web.payload_max * 4}", more, 9, "Bounds error")
        self.assertEqual(self.ok("stream_poll 0"), "0")
        self.assertTrue(receive(peer, len(data)) == data, "other bytes arrived")
        self.write(0, b"there is room again")
        self.assertEqual(receive(peer, 19), b"there is room again")

    def test_commands_behind_a_write_that_waits(self):
        """What was typed ahead runs once the write is through, the end included."""
        peer = self.slow_peer()
        data = self.fill()
        if isinstance(self.front, Pty):
            self.front.start("stream_close 0")
        reader = Background(lambda: receive(peer, len(data)))
        self.assertEqual(self.pending.result().code, 0)
        if isinstance(self.front, Pty):
            self.assertEqual(self.front.finish().events, ["[Closed: 0]"])
        else:
            self.ok("stream_close 0")
        self.assertTrue(reader.result() == data, "other bytes arrived")


class Pending:
    """A command that may take its time, over either front."""

    def __init__(self, front, line, data):
        self.front = front
        self.thread = None
        if isinstance(front, Pty):
            front.start(line, data)
        else:
            self.thread = Background(lambda: front.command(line, data))

    def poll(self, timeout=0.5):
        """The result, or None when there is none in this time."""
        if self.thread is None:
            return self.front.finish(timeout)
        self.thread.thread.join(timeout)
        return None if self.thread.thread.is_alive() else self.thread.result()

    def result(self):
        if self.thread is None:
            result = self.front.finish()
            if result is None:
                raise AssertionError("no answer in time")
            return result
        return self.thread.result(12)


def receive(peer, count):
    """Exactly count bytes of a socket."""
    pieces, left = [], count
    while left:
        piece = peer.recv(min(left, 65536))
        if not piece:
            raise AssertionError(f"the end came {left} of {count} bytes early")
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


class RestartTests:
    def open_all(self, port):
        """A stream of each kind, both servers running; the far ends."""
        self.connect(port)
        self.assertEqual(self.ok("udp_server start"), "Success")
        self.assertEqual(self.ok("tcp_server start"), "Success")
        peer = self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 2]"])
        return peer

    def check_all_gone(self, *peers):
        for peer in peers:
            self.assertEqual(peer.recv(10), b"")
        self.assertEqual(self.ok("poll all"), "None")
        self.assertEqual(self.ok("tcp_server status"), "0")
        self.assertEqual(self.ok("udp_server status"), "0")
        self.wait_no_entry("tcp_server")
        self.wait_no_entry("udp_server")

    def leave(self, line, text):
        """A command behind which the web server goes and comes; the front after it."""
        if isinstance(self.front, Web):
            self.assertEqual(self.front.rest.command(line).text, text + "\r\n")
            self.front = FrontAfterRestart(self, self.zentrid)
            return
        self.assertEqual(self.ok(line), text)
        lines = []
        while not any("listening" in line for line in lines):
            kind, _, body = self.front.channel.frame()
            if kind == "L":
                lines.append(body.decode())

    def test_reboot(self):
        sock, port = self.listener()
        self.module()
        descriptors = self.zentrid.descriptors()
        peer = self.open_all(port)
        far = self.accept(sock)
        self.leave("reboot", "Rebooting")
        self.check_all_gone(peer, far)
        self.open_all(port)
        self.ok("close all")
        self.ok("tcp_server stop")
        wait_until(lambda: self.zentrid.descriptors() <= descriptors + 2,
                   what="the descriptors to return")

    def test_network_restart(self):
        """The interface drops, and takes its streams and servers with it."""
        sock, port = self.listener()
        self.module()
        peer = self.open_all(port)
        far = self.accept(sock)
        self.leave("network_restart", "Success")
        self.check_all_gone(peer, far)
        self.open_all(port)

    def test_end_of_the_daemon(self):
        sock, port = self.listener()
        self.module()
        peer = self.open_all(port)
        far = self.accept(sock)
        self.zentrid.stop()
        self.assertEqual((peer.recv(10), far.recv(10)), (b"", b""))

    def test_end_of_the_daemon_while_it_connects(self):
        _, port = self.deaf_listener()
        self.module()
        pending = Pending(self.front, f"tcp_client {HOST} {port}", b"")
        wait_connecting(port)
        self.zentrid.stop()
        self.assertRaises((OSError, AssertionError), pending.result)


class FrontAfterRestart(Web):
    """The same front to a module whose web server is about to go and come."""

    def __init__(self, case, daemon):
        self.daemon = daemon
        self.waiting, self.kept = None, []
        lines = []

        def booted():
            nonlocal lines
            try:
                self.rest = Rest(daemon, timeout=5)
                case.addCleanup(self.rest.close)
                lines += self.rest.logs()
            except (OSError, AssertionError, http.client.HTTPException):
                return False
            return any("listening" in line for line in lines)
        wait_until(booted, what="the end of the boot")


def is_connecting(port):
    """Whether someone's SYN to this port is on its way."""
    address, state_of_syn_sent = f"0100007F:{port:04X}", "02"
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return any(row[2] == address and row[3] == state_of_syn_sent for row in rows)


def wait_connecting(port):
    wait_until(lambda: is_connecting(port), what="a SYN")


class LimitsOverPty(LimitTests, StreamCase):
    front_type = Pty


class LimitsOverRest(LimitTests, StreamCase):
    front_type = Web


class SlowPeerOverPty(SlowPeerTests, StreamCase):
    front_type = Pty


class SlowPeerOverRest(SlowPeerTests, StreamCase):
    front_type = Web


class RestartOverPty(RestartTests, StreamCase):
    front_type = Pty


class RestartOverRest(RestartTests, StreamCase):
    front_type = Web


class IssuersThatGo(StreamCase):
    def test_host_goes_in_the_middle_of_a_write(self):
        """The rest of the data never comes; the time-out frees the serial port."""
        sock, port = self.listener()
        self.module(bus__command__write_timeout="300")
        self.connect(port)
        peer = self.accept(sock)
        self.front.start("stream_write 0 1000", b"half of it")
        self.front.channel.close()
        # Others are not held up.
        rest = self.rest(self.zentrid)
        self.assertEqual(rest.command("stream_poll 0").body, b"0\r\n")
        self.front.channel = Serial(self.zentrid.serial_path())
        self.addCleanup(self.front.channel.close)
        result = self.front.finish()
        self.assertEqual((result.code, result.body), (1, b"Command failed\r\n"))
        self.write(0, b"whole")
        self.assertEqual(receive(peer, 5), b"whole")

    def test_host_goes_while_data_comes(self):
        """Answers that nobody takes hold up the serial port only."""
        sock, port = self.listener()
        self.module()
        self.connect(port)
        peer = self.accept(sock)
        sender = Background(lambda: peer.sendall(b"x" * 16 * 1024 * 1024))
        for _ in range(20):
            self.front.start("stream_read 0 16384")
        self.front.channel.close()
        rest = self.rest(self.zentrid)
        wait_until(lambda: rest.command("stream_poll 0").body == b"1\r\n",
                   what="more data than was read")
        self.assertEqual(rest.command("stream_close 0").code, 0)
        self.assertRaises(OSError, sender.result)

    def test_host_goes_while_a_connection_is_under_way(self):
        """The serial port stays, and the answer waits there for the next host."""
        _, port = self.deaf_listener()
        self.module(tcp__client__connect_timeout="500")
        self.front.start(f"tcp_client {HOST} {port}")
        wait_connecting(port)
        self.front.channel.close()
        self.front.channel = Serial(self.zentrid.serial_path())
        self.addCleanup(self.front.channel.close)
        self.assertEqual(self.front.finish().code, 1)
        self.assertEqual(self.ok("poll all"), "None")

    def test_http_client_goes_while_a_connection_is_under_way(self):
        """Its command ends by itself; nothing is leaked, and others go on."""
        _, port = self.deaf_listener()
        self.module(tcp__client__connect_timeout="700")
        entry = self.zentrid.listener("http")
        self.fails(f"tcp_client {HOST} {port}")  # opens the resolver, which stays
        descriptors = self.zentrid.descriptors()
        for _ in range(3):
            with socket.create_connection((HOST, entry["port"]), 10) as sock:
                sock.sendall(f"GET /command/tcp_client%20{HOST}%20{port} HTTP/1.1\r\n"
                             "Host: zentri\r\n\r\n".encode())
                wait_connecting(port)
            wait_until(lambda: not is_connecting(port), what="the end of it")
        self.assertEqual(self.ok("poll all"), "None")
        wait_until(lambda: self.zentrid.descriptors() <= descriptors,
                   what="the descriptors to return")

    def test_http_client_goes_while_a_write_waits(self):
        sock, port = self.listener(receive_buffer=4096)
        self.module(bus__command__write_timeout="3000")
        self.connect(port)
        self.accept(sock)
        SlowPeerTests.fill(Filler(self))
        # It is the host's write that waits; a web client queues up and goes.
        entry = self.zentrid.listener("http")
        with socket.create_connection((HOST, entry["port"]), 10) as client:
            client.sendall(b"GET /command/stream_poll%200 HTTP/1.1\r\n"
                           b"Host: zentri\r\n\r\n")
        self.assertIn(self.front.finish().code, (0, 1))
        self.assertEqual(self.ok("stream_poll 0"), "0")

    def test_end_of_a_stream_under_a_reader_elsewhere(self):
        """Two issuers, one stream: each gets an answer."""
        sock, port = self.listener()
        self.module()
        self.connect(port)
        self.accept(sock)
        rest = self.rest(self.zentrid)
        for _ in range(50):
            self.front.start("stream_poll 0")
            rest.command("stream_poll 0")
            self.assertEqual(self.front.finish().code, 0)
        self.front.start("stream_close 0")
        self.assertIn(rest.command("stream_read 0 10").code, (0, 1))
        self.assertEqual(self.front.finish().code, 0)


class Filler:
    """Lends fill() to a case of another kind."""

    def __init__(self, case):
        self.case, self.front = case, case.front
        self.assertEqual = case.assertEqual
        self.pending = None

    def start_write(self, line, data):
        self.pending = Pending(self.front, line, data)


class TwoModules(StreamCase):
    """Two modules of one daemon, over tcp_server and tcp_client, and over UDP."""

    def setUp(self):
        names = network(p3001=0)
        self.zentrid = self.daemon(
            [module("a", factory=Pty.factory),
             module("b", mac=MAC_OF_B, factory=Pty.factory)], names)
        self.a = Pty(self, self.zentrid, "a")
        self.b = Pty(self, self.zentrid, "b")

    def of(self, front):
        self.front = front
        return self

    def test_over_tcp(self):
        self.of(self.a).ok("tcp_server start")
        port = self.port_of(name="a")
        self.of(self.b).connect(port)
        self.assertEqual(self.a.events(1), ["[Opened: 0]"])
        near = self.of(self.b).rows()[0]
        far = self.of(self.a).rows()[0]
        self.assertEqual(far[5], f"{HOST}:{near[5].strip('()')}")
        data = os.urandom(100000)
        self.of(self.b).write(0, data)
        self.of(self.a).write(0, data[::-1])
        self.assertTrue(self.of(self.a).read_all(0, len(data)) == data)
        self.assertTrue(self.of(self.b).read_all(0, len(data)) == data[::-1])
        self.of(self.b).ok("close 0")
        self.assertEqual(self.a.events(1), ["[Closed: 0]"])
        self.assertEqual(self.of(self.a).ok("poll all"), "None")

    def test_over_udp(self):
        self.of(self.a).ok("udp_server start")
        port = self.port_of("udp_server", "a")
        self.of(self.b).ok(f"udp_client {HOST} {port}")
        self.of(self.b).write(0, b"question")
        self.of(self.a).wait_poll(0, 1)
        self.assertEqual(self.of(self.a).read(0, 100), b"question")
        self.of(self.a).write(0, b"answer")
        self.of(self.b).wait_poll(0, 1)
        self.assertEqual(self.of(self.b).read(0, 100), b"answer")

    def test_reboot_of_one_ends_the_stream_of_the_other(self):
        self.of(self.a).ok("tcp_server start")
        self.of(self.b).connect(self.port_of(name="a"))
        self.assertEqual(self.a.events(1), ["[Opened: 0]"])
        self.of(self.a).ok("reboot")
        self.assertEqual(self.b.events(1), ["[Closed: 0]"])
        self.assertEqual(self.of(self.b).ok("poll all"), "None")


class Thousand(StreamCase):
    """Many connections one after the other leave nothing behind."""

    COUNT = 1000
    GROWTH_KB = 2048

    def quiet_module(self):
        """No log lines, and freed memory that the sanitizer gives back at once."""
        self.module(environment={"ASAN_OPTIONS":
                    "detect_leaks=1:abort_on_error=0:quarantine_size_mb=1:"
                    "thread_local_quarantine_size_kb=64"}, system__print_level="0")

    def memory_kb(self):
        with open(f"/proc/{self.zentrid.pid}/status", encoding="ascii") as status:
            return int(next(line for line in status
                            if line.startswith("VmRSS")).split()[1])

    def check(self, one):
        for _ in range(self.COUNT // 4):
            one()
        descriptors, memory = self.zentrid.descriptors(), self.memory_kb()
        for _ in range(self.COUNT):
            one()
        wait_until(lambda: self.zentrid.descriptors() <= descriptors,
                   what="the descriptors to return")
        self.assertLess(self.memory_kb() - memory, self.GROWTH_KB)

    def test_client_connects(self):
        sock, port = self.listener()
        self.quiet_front()

        def one():
            self.assertEqual(self.ok(f"tcp_client {HOST} {port}"), "0")
            peer, _ = sock.accept()
            peer.close()
            result = self.front.command("stream_close 0")
            self.assertIn(result.code, (0, 1))
        self.check(one)

    def test_server_connects(self):
        self.quiet_front()
        self.ok("tcp_server start")
        address = HOST, self.port_of()

        def one():
            with socket.create_connection(address, 10) as peer:
                peer.sendall(b"x")
                wait_until(lambda: self.front.command("stream_read 0 9").body
                           == b"x\r\n", what="the byte")
            wait_until(lambda: self.ok("poll all") == "None", what="the end")
        self.check(one)

    def test_udp_streams(self):
        self.quiet_front()

        def one():
            self.assertEqual(self.ok(f"udp_client {HOST} 9"), "0")
            self.ok("stream_close 0")
        self.check(one)

    def quiet_front(self):
        """As quiet_module(): the boot prints nothing either."""
        front_type = self.front_type
        self.front_type = QuietPty
        try:
            self.quiet_module()
        finally:
            self.front_type = front_type


class QuietPty(Pty):
    def __init__(self, case, daemon):
        self.channel = case.open_serial(daemon)
        self.kept = []
