"""Clients of the web server that take their time, against a daemon whose clocks run
faster; all seconds are the daemon's."""

import json
import select
import socket
import time

from lib.case import Case
from lib.clock import faster

TIMES = 20  # as fast
HEAD_S = 20  # for a head
BODY_S, BODY_RATE = 20, 500  # for a body, and a second more for so many bytes of it
IDLE_S = 30  # after which a silent connection is closed
SLACK_S = 1  # by which the clock of a turn of the loop may be behind
LATE = "http: closed a connection whose request did not come in time"
COMMAND = b'{"command":"set http.server.cors_origin slow"}'


class SlowClients(Case):
    def setUp(self):
        self.zentrid = self.daemon(arguments=["-v"], environment=faster(TIMES))

    def client(self):
        entry = self.zentrid.listener()
        peer = socket.create_connection((entry["address"], entry["port"]), 10)
        self.addCleanup(peer.close)
        self.since = time.monotonic()
        return peer

    def elapsed_s(self):
        return (time.monotonic() - self.since) * TIMES

    def trickle(self, peer, pieces):
        """One of the pieces a second, until the server says something; what it says, and
        b"" for its end."""
        for piece in pieces:
            peer.sendall(piece)
            ready, _, _ = select.select([peer], [], [], 1 / TIMES)
            if ready:
                return peer.recv(4096)
        return None

    def check_late(self, said, seconds):
        self.assertEqual(said, b"")
        self.assertGreater(self.elapsed_s(), seconds - SLACK_S)
        self.zentrid.wait_stderr(LATE)
        rest = self.rest(self.zentrid)
        self.assertEqual(rest.command("get http.server.cors_origin").body, b"")

    def bytes_of(self, data):
        return [data[i:i + 1] for i in range(len(data))]

    def test_head(self):
        peer = self.client()
        head = b"GET /command/ver HTTP/1.1\r\nPad: " + bytes(80).replace(b"\0", b"x")
        self.check_late(self.trickle(peer, self.bytes_of(head)), HEAD_S)

    def test_head_that_stops(self):
        peer = self.client()
        peer.sendall(b"GET /command/ver HTTP/1.1\r\n")
        self.check_late(peer.recv(10), HEAD_S)

    def test_next_head_has_its_own_time(self):
        peer = self.client()
        pieces = self.bytes_of(b"GET /command/ver HTTP/1.1\r\n\r\n")
        for _ in range(2):  # together longer than one may be
            said = self.trickle(peer, pieces[:14] + [b"".join(pieces[14:])])
            self.assertIn(b'"code":0', said or peer.recv(4096))
        self.assertGreater(self.elapsed_s(), HEAD_S)

    def test_body(self):
        peer = self.client()
        peer.sendall(b"POST /command HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        self.check_late(self.trickle(peer, self.bytes_of(COMMAND.ljust(100))), BODY_S)

    def test_body_in_chunks(self):
        peer = self.client()
        peer.sendall(b"POST /command HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunks = [b"1\r\n" + byte + b"\r\n" for byte in self.bytes_of(COMMAND.ljust(100))]
        self.check_late(self.trickle(peer, chunks), BODY_S)

    def test_long_body_may_take_longer(self):
        peer, step, count = self.client(), 4 * BODY_RATE, BODY_S + 5
        body = json.dumps({"command": "get wlan.mac"}).encode().ljust(step * count)
        peer.sendall(b"POST /command HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body))
        said = self.trickle(peer, [body[at:at + step] for at in range(0, len(body), step)])
        self.assertIn(b'"code":0', said or peer.recv(4096))
        self.assertGreater(self.elapsed_s(), BODY_S)

    def test_silence(self):
        """It is closed without a word, before a request and between two."""
        peer = self.client()
        self.assertEqual(peer.recv(10), b"")
        self.assertGreater(self.elapsed_s(), IDLE_S - SLACK_S)
        peer = self.client()
        peer.sendall(b"GET /command/ver HTTP/1.1\r\n\r\n")
        self.assertIn(b'"code":0', peer.recv(4096))
        self.assertEqual(peer.recv(10), b"")
        self.assertGreater(self.elapsed_s(), IDLE_S - SLACK_S)
        self.assertNotIn(LATE, self.zentrid.stderr())
