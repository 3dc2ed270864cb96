"""network.buffer.*: what all streams of a module may keep together."""

import os
import re
import select
import socket
import time

from integration.test_streams_limits import Pending, receive
from integration.test_streams_tcp import HOST, Pty, StreamCase, Web
from lib.background import Background
from lib.daemon import wait_until
from lib.stream_mode import StreamModeCase
from lib.websocket import WebSocket, frame

SIZE = 20000
SHARE = SIZE // 2


class Datagrams:
    def datagrams(self):
        """A socket to send to the module's UDP server from, which is stream 0."""
        self.ok("udp_server start")
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.connect((HOST, self.port_of("udp_server")))
        return sock


class BufferTests(Datagrams):
    def start(self, **factory):
        self.module("wz-3", bus__command__read_timeout="0", network__buffer__size=SIZE,
                    **factory)

    def used(self):
        """Percent of both directions."""
        text = self.ok("get network.buffer.used")
        return [int(part) for part in re.fullmatch(r"rx:(\d+),tx:(\d+)", text).groups()]

    def wait_used(self, receive, send):
        wait_until(lambda: self.used() == [receive, send],
                   what=f"the buffer to be {receive} and {send} percent full")

    def stalls(self, sock):
        """Sends to a module that does not read, until it takes no more; how much."""
        sock.setblocking(False)
        count = 0
        while select.select([], [sock], [], 0.3)[1]:
            count += sock.send(b"x" * 1000)
        sock.settimeout(10)
        return count

    def test_datagrams_are_dropped_at_the_limit(self):
        self.start()
        sock = self.datagrams()
        for count in range(1, 11):
            sock.send(b"x" * 1000)
            self.wait_used(10 * count, 0)
        # The eleventh goes nowhere, whichever stream it is for.
        sock.send(b"lost")
        self.assertEqual(self.read(0, 1000), b"x" * 1000)
        sock.send(b"kept")
        wait_until(lambda: self.ok("poll -c all") == "0,1,9004", what="the datagram")
        self.assertEqual(self.read_all(0, 9004), b"x" * 9000 + b"kept")
        self.assertEqual(self.used(), [0, 0])

    def test_connection_is_held_back(self):
        """By its window, which is the share of reception."""
        self.start(tcp__server__auto_start="1")
        peer = self.client()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.front.events(1)
        sent = self.stalls(peer)
        self.assertLess(sent, 6 * SHARE)
        self.assertGreater(self.used()[0], 50)
        self.assertEqual(self.read_all(0, sent), b"x" * sent)
        self.assertEqual(self.used(), [0, 0])

    def test_websocket_is_held_back_by_another_stream(self):
        """And goes on when that was read."""
        self.start()
        self.datagrams().send(b"x" * SHARE)
        self.wait_used(100, 0)
        web = WebSocket(self.entry_of("http"))
        self.addCleanup(web.close)
        self.front.events(1)
        web.send(frame(2, b"message"))
        self.assertEqual(self.ok("stream_poll 1"), "0")
        self.assertEqual(self.read_all(0, SHARE), b"x" * SHARE)
        self.wait_poll(1, 1)
        self.assertEqual(self.read(1, 100), b"message")

    def slow_peers(self, count, **factory):
        """Peers that do not read."""
        sock, port = self.listener(receive_buffer=4096)
        self.start(**factory)
        peers = []
        for handle in range(count):
            self.connect(port, handle)
            peers.append(self.accept(sock))
        return peers

    def fill(self):
        """Writes to stream 0 until less than 2000 bytes of room are left, and stay so:
        the kernel of the peer may take more after a while. What was written."""
        data, full_at = b"", None
        while full_at is None or time.monotonic() < full_at + 0.4:
            if self.used()[1] > 80:
                full_at = full_at or time.monotonic()
                continue
            full_at = None
            data += b"x" * 1000
            self.write(0, b"x" * 1000)
            self.assertLess(len(data), 1 << 20, "there is no limit")
        return data

    def test_write_waits_for_another_stream(self):
        peers = self.slow_peers(2)
        data = self.fill()
        pending = Pending(self.front, "stream_write 1 2000", b"y" * 2000)
        self.assertIsNone(pending.poll(0.3))
        self.assertEqual(receive(peers[0], len(data)), data)
        self.assertEqual(pending.result().code, 0)
        self.assertEqual(receive(peers[1], 2000), b"y" * 2000)
        much = b"z" * 3 * SHARE
        reader = Background(lambda: receive(peers[1], 2 * len(much)))
        self.write(1, much)
        self.write(1, much)
        self.assertEqual(reader.result(), much * 2)

    def test_size_is_taken_at_boot(self):
        self.start()
        sock = self.datagrams()
        self.assertEqual(self.ok("set network.buffer.size 40000"), "Set OK")
        sock.send(b"x" * 1000)
        self.wait_used(10, 0)

    def test_no_ratio_makes_it_deaf(self):
        self.start(network__buffer__rxtx_ratio="0")
        self.datagrams().send(b"x" * 1500)
        self.wait_used(100, 0)

    def test_answer_over_http_is_held_back(self):
        sock, port = self.listener()
        self.start()
        body = os.urandom(20 * SHARE)
        pending = Pending(self.front, f"http_get http://{HOST}:{port}/", b"")
        server = self.accept(sock)
        server.recv(1000)
        sender = Background(lambda: server.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
        self.assertEqual(pending.result().body, b"0\r\n")
        self.wait_used(100, 0)
        waiting = int(self.ok("poll -c all").split(",")[2])
        self.assertLess(waiting, 3 * SHARE)
        self.assertTrue(self.read_all(0, len(body)) == body, "other bytes arrived")
        sender.result()


class BufferOverPty(BufferTests, StreamCase):
    front_type = Pty


class BufferOverRest(BufferTests, StreamCase):
    """Here a write that is refused costs no data that has to be sent nevertheless."""

    front_type = Web

    def test_write_is_refused_at_the_limit(self):
        """Of what waits for all peers together; a peer that reads makes room."""
        peers = self.slow_peers(2, bus__command__write_check_enabled="1")
        data = self.fill()
        result = self.front.command("stream_write 1 2000", b"y" * 2000)
        self.assertEqual((result.code, result.body), (9, b"Bounds error\r\n"))
        self.assertEqual(receive(peers[0], len(data)), data)
        wait_until(lambda: self.front.command("stream_write 1 2000", b"y" * 2000).code
                   == 0, what="room")
        self.assertEqual(receive(peers[1], 2000), b"y" * 2000)
        self.wait_used(0, 0)


class NoBuffer(Datagrams, StreamCase):
    def test_other_profiles_have_no_common_limit(self):
        self.module()
        sock = self.datagrams()
        for _ in range(2):
            sock.send(b"x" * 30000)
        wait_until(lambda: self.ok("poll -c all") == "0,1,60000", what="all of it")


class StreamModeWithBuffer(StreamModeCase):
    def start(self, profile="wz-3", **factory):
        return super().start(profile, **factory)

    def test_much_both_ways(self):
        """Held back by the buffer in both directions, nothing is lost."""
        self.exchange(1 << 20)
