"""WebSocket connections at /stream, over HTTP and HTTPS: how they begin and end; and
POST /stream."""

import select
import socket
import struct

from integration.test_streams_tcp import HOST, StreamCase
from lib.clock import faster
from lib.daemon import wait_until
from lib.node import node_module
from lib.rest import Rest
from lib.websocket import (BINARY, CLOSE, PING, PONG, TEXT, Refused, WebSocket,
                           close_frame, frame)

RECEIVE_MAX = 64 * 1024
CONNECTIONS = 8  # of a profile
IDLE_S = 30  # after which a silent HTTP connection is closed
TIMES = 20  # as fast as a clock, for it
GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
              3000, 3999, 4000, 4999)
BAD_CODES = (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


class WebSocketCase(StreamCase):
    tls = False

    def start(self, environment=None, **factory):
        if self.tls:
            factory["http__server__tls_enabled"] = "1"
        return self.module(environment=environment, **factory)

    def entry(self):
        return self.zentrid.listener()

    def open(self, **settings):
        """A client whose stream is open."""
        client = WebSocket(self.entry(), **settings)
        self.addCleanup(client.close)
        return client

    def opened(self, handle=0, **settings):
        """The same, and the log line of it."""
        client = self.open(**settings)
        self.assertEqual(self.front.events(1), [f"[Opened: {handle}]"])
        return client

    def refused(self, **settings):
        with self.assertRaises(Refused) as caught:
            self.open(**settings)
        return caught.exception

    def closed(self, handle=0):
        self.assertEqual(self.front.events(1), [f"[Closed: {handle}]"])

    def wait_closed(self):
        """Waits until the module has closed all streams; no log line is looked at."""
        wait_until(lambda: self.rows() == [], what="the streams to be closed")

    def wait_descriptors(self, count):
        wait_until(lambda: self.zentrid.descriptors() <= count,
                   what=f"{count} descriptors; there are {self.zentrid.descriptors()}")


class Silent:
    """The serial port, which only carries data."""

    factory = {}

    def __new__(cls, case, daemon, _module_name=None):
        return case.open_serial(daemon)


class Handshake(WebSocketCase):
    def test_row_and_headers(self):
        self.start()
        client = self.opened()
        self.assertEqual(client.headers["upgrade"], "websocket")
        self.assertEqual(client.headers["connection"], "Upgrade")
        self.assertNotIn("sec-websocket-extensions", client.headers)
        row, = self.rows()
        self.assertEqual(row, ["#", "0", "WEBS", "", f"{HOST}:80", client.address()])

    def test_spellings(self):
        self.start()
        for settings in (
                {"headers": {"Connection": "keep-alive, Upgrade"}},
                {"headers": {"Connection": "x ,\tUPGRADE , y", "Upgrade": "WebSocket"}},
                {"headers": {"Connection": "keep-alive", "connection": "upgrade"}},
                {"headers": {"Upgrade": "foo/2, websocket"}},
                {"headers": {"Sec-WebSocket-Protocol": "a, b",
                             "Sec-WebSocket-Extensions": "permessage-deflate"}},
                {"path": "/stream?x=1"}, {"path": "http://module/stream"}):
            with self.subTest(settings):
                client = self.opened(**settings)
                self.assertNotIn("sec-websocket-protocol", client.headers)
                client.send(close_frame(1000))
                self.assertEqual(client.close_code(), 1000)
                self.closed()

    def test_bad_requests(self):
        self.start()
        for headers, status in (
                ({"Upgrade": None}, 426), ({"Upgrade": "h2c"}, 426),
                ({"Upgrade": "websockets"}, 426),
                ({"Sec-WebSocket-Version": "8"}, 426),
                ({"Sec-WebSocket-Version": "14"}, 426),
                ({"Sec-WebSocket-Version": None}, 400),
                ({"Connection": None}, 400), ({"Connection": "keep-alive"}, 400),
                ({"Connection": "Upgraded"}, 400), ({"Host": None}, 400),
                ({"Sec-WebSocket-Key": None}, 400), ({"Sec-WebSocket-Key": ""}, 400),
                ({"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA="}, 400),
                ({"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAAA="}, 400),
                ({"Sec-WebSocket-Key": "!AAAAAAAAAAAAAAAAAAAAA=="}, 400)):
            with self.subTest(headers):
                refusal = self.refused(headers=headers)
                self.assertEqual(refusal.status, status)
                if status == 426:
                    self.assertEqual(refusal.headers["upgrade"], "websocket")
                    self.assertEqual(refusal.headers["sec-websocket-version"], "13")
        self.assertEqual(self.refused(version="1.0").status, 400)
        self.assertEqual(self.refused(path="/stream/x").status, 404)
        self.assertEqual(self.refused(path="/streams").status, 404)
        other = self.refused(method="DELETE")
        self.assertEqual((other.status, other.headers["allow"]), (405, "GET, POST"))
        self.assertEqual(self.rows(), [])

    def test_connection_serves_on_after_a_refusal(self):
        self.start()
        with Rest(self.zentrid) as rest:
            for method, status in (("GET", 426), ("POST", 200)):
                self.assertEqual(rest.request(method, "/stream").status, status)
                sock = rest.connection.sock
                self.assertEqual(rest.command("get wlan.mac").code, 0)
                self.assertIs(rest.connection.sock, sock)

    def test_authorization(self):
        self.start(http__server__username="user", http__server__password="secret")
        refusal = self.refused()
        self.assertEqual(refusal.status, 401)
        self.assertIn("www-authenticate", refusal.headers)
        wrong = {"Authorization": "Basic dXNlcjp3cm9uZw=="}
        self.assertEqual(self.refused(headers=wrong).status, 401)
        self.opened(headers={"Authorization": "Basic dXNlcjpzZWNyZXQ="})

    def test_api_disabled(self):
        self.start(http__server__api_enabled="0")
        self.assertEqual(self.refused().status, 500)

    def test_frames_right_behind_the_request(self):
        self.start()
        client = self.opened(first=frame(TEXT, b"early") + frame(PING, b"bird"))
        self.assertEqual(client.receive(), (0x80 | PONG, b"bird"))
        self.assertEqual(self.read_all(0, 5), b"early")

    def test_no_more_than_the_profile_has(self):
        self.start()
        clients = [self.opened(n) for n in range(CONNECTIONS)]
        self.assertEqual(self.refused().status, 503)
        self.fails(f"udp_client {HOST} 9")
        clients[3].send(close_frame())
        self.assertIsNone(clients[3].close_code())
        self.closed(3)
        self.opened(3)
        self.assertEqual(self.refused().status, 503)


class Ends(WebSocketCase):
    def test_page_closes(self):
        self.start()
        for code in GOOD_CODES:
            with self.subTest(code):
                client = self.opened()
                client.send(close_frame(code, "Grüße".encode()))
                self.assertEqual(client.close_code(), code)
                self.closed()
        client = self.opened()
        client.send(close_frame())
        self.assertIsNone(client.close_code())
        self.closed()

    def test_page_closes_with_a_bad_code(self):
        self.start()
        for code in BAD_CODES:
            with self.subTest(code):
                client = self.opened()
                client.send(close_frame(code))
                self.assertEqual(client.close_code(), 1002)
                self.closed()

    def test_unread_data_outlives_the_page(self):
        self.start()
        client = self.opened()
        client.send(frame(TEXT, b"last words") + close_frame(1000) +
                    frame(TEXT, b"too late"))
        self.assertEqual(client.close_code(), 1000)
        client.close()
        self.wait_poll(0, 1)
        self.assertEqual(self.read(0, 4), b"last")
        self.assertEqual(self.ok("stream_poll 0"), "1")
        self.fails("stream_write 0 1", b"x")
        body, events = self.then("stream_read 0 100", 1)
        self.assertEqual((body, events), (" words", ["[Closed: 0]"]))
        self.assertEqual(self.rows(), [])

    def test_state_2_without_auto_close(self):
        self.start(stream__auto_close="0")
        client = self.opened()
        client.send(frame(TEXT, b"data") + close_frame(1000))
        self.assertEqual(client.close_code(), 1000)
        self.closed()
        self.assertEqual(self.ok("stream_poll 0"), "1")
        self.assertEqual(self.read_all(0, 4), b"data")
        self.assertEqual(self.ok("stream_poll 0"), "2")
        self.assertEqual(self.ok("stream_close 0"), "Success")
        self.assertEqual(self.rows(), [])

    def test_module_closes(self):
        self.start()
        client = self.opened()
        self.write(0, b"before")
        self.assertEqual(self.then("stream_close 0", 1),
                         ("Success", ["[Closed: 0]"]))
        self.assertEqual(self.rows(), [])
        self.assertEqual(client.receive(), (0x80 | BINARY, b"before"))
        self.assertEqual(client.receive(), (0x80 | CLOSE, struct.pack("!H", 1000)))
        # Pings are not answered behind a close; the connection waits for the other one.
        client.send(frame(PING) + frame(TEXT, b"unheard") + close_frame(1000))
        self.assertTrue(client.at_end())

    def test_page_does_not_answer_the_close(self):
        self.start()
        descriptors = self.zentrid.descriptors()
        client = self.opened()
        self.ok("stream_close 0")
        self.assertEqual(client.receive(), (0x80 | CLOSE, struct.pack("!H", 1000)))
        self.assertTrue(client.at_end())
        self.wait_descriptors(descriptors)

    def test_both_close_at_once(self):
        self.start()
        client = self.opened()
        client.send(frame(TEXT, b"x") * 100 + close_frame(1001))
        self.ok("stream_close all")
        first, payload = client.receive()
        self.assertEqual(first, 0x80 | CLOSE)
        self.assertIn(int.from_bytes(payload, "big"), (1000, 1001))
        self.assertTrue(client.at_end())

    def test_page_vanishes(self):
        self.start()
        descriptors = self.zentrid.descriptors()
        for linger in (None, struct.pack("ii", 1, 0)):
            for sent in (b"", frame(TEXT, b"data"), frame(TEXT, b"part", fin=False),
                         b"\x81"):
                with self.subTest(linger=linger, sent=sent):
                    client = self.opened()
                    client.send(sent)
                    if sent == frame(TEXT, b"data"):
                        self.assertEqual(self.read_all(0, 4), b"data")
                    if linger is not None:
                        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                 linger)
                    client.close()
                    self.closed()
        self.wait_descriptors(descriptors)

    def test_page_ends_its_side_only(self):
        self.start()
        client = self.opened()
        client.send(frame(TEXT, b"data"))
        client.socket.shutdown(socket.SHUT_WR)
        self.wait_poll(0, 1)
        self.assertEqual(self.then("stream_read 0 9", 1), ("data", ["[Closed: 0]"]))

    def test_reboot_and_restart(self):
        self.start()
        descriptors = self.zentrid.descriptors()
        clients = [self.opened(0), self.opened(1)]
        # One is still in its closing handshake.
        self.ok("stream_close 0")
        self.assertEqual(clients[0].receive()[0], 0x80 | CLOSE)
        self.ok("network_restart")
        self.assertTrue(clients[0].at_end())
        self.assertEqual(clients[1].close_code(), 1001)
        wait_until(lambda: self.rows() == [], what="the stream to be closed")
        self.zentrid.wait_listener()
        client = self.open()
        wait_until(lambda: len(self.rows()) == 1, what="the stream")
        self.front.start("reboot")
        self.assertEqual(client.close_code(), 1001)
        self.zentrid.wait_listener()
        for client in clients:
            client.close()
        self.wait_descriptors(descriptors)

    def test_end_of_the_daemon(self):
        """With connections in every state; a leak would be found."""
        self.start(stream__auto_close="0")
        clients = [self.opened(n) for n in range(5)]
        clients[0].send(frame(TEXT, b"part", fin=False))
        clients[1].send(frame(TEXT, b"data") + close_frame(1000))
        self.closed(1)
        clients[2].send(b"\xff\xff")
        self.closed(2)
        self.ok("stream_close 3")
        self.zentrid.stop()
        self.assertEqual(clients[4].close_code(), 1001)

    def test_a_silent_one_is_kept(self):
        self.start(environment=faster(TIMES))
        client = self.opened()
        ready, _, _ = select.select([client.socket], [], [], 2 * IDLE_S / TIMES)
        self.assertEqual(ready, [])
        client.send(frame(PING, b"still"))
        self.assertEqual(client.receive(), (0x80 | PONG, b"still"))
        self.assertEqual(len(self.rows()), 1)

    def test_a_thousand(self):
        self.start()
        with Rest(self.zentrid) as rest:
            rest.command("ver")
            descriptors = self.zentrid.descriptors()
            for n in range(1000):
                client = WebSocket(self.entry())
                client.send(frame(TEXT, b"n"))
                if n % 4 == 0:
                    client.send(close_frame(1000))
                    self.assertEqual(client.close_code(), 1000)
                elif n % 4 == 1:
                    rest.command("stream_close all")
                    self.assertEqual(client.receive()[0], 0x80 | CLOSE)
                    client.send(close_frame(1000))
                elif n % 4 == 2:
                    client.send(frame(3))
                client.close()
                rest.command("stream_close all")
            self.wait_descriptors(descriptors)
            self.assertEqual(rest.command("stream_list").body, b"! # Type  Info\r\n")


class Posts(WebSocketCase):
    def post(self, body, status=200):
        with Rest(self.zentrid) as rest:
            answer = rest.post("/stream", body, "application/octet-stream")
        self.assertEqual(answer.status, status)
        return answer

    def test_posts_add_up(self):
        self.start()
        every = bytes(range(256))
        self.assertEqual(self.post(every).body, b"")
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        row, = self.rows()
        self.assertEqual(row[1:3], ["0", "HTTP"])
        self.assertEqual(len(row), 6)
        self.post(b"more")
        self.assertEqual(self.ok("stream_poll all -c"), "0,1,260")
        self.assertEqual(self.read(0, 100), every[:100])
        self.fails("stream_write 0 1", b"x")
        body, events = self.then("stream_read 0 1000", 1)
        self.assertEqual(body.encode("latin-1"), every[100:] + b"more")
        self.assertEqual(events, ["[Closed: 0]"])
        self.assertEqual(self.rows(), [])

    def test_without_auto_close(self):
        self.start(stream__auto_close="0")
        self.post(b"one")
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        self.assertEqual(self.read(0, 10), b"one")
        self.assertEqual(self.ok("stream_poll 0"), "2")
        self.post(b"two")
        self.assertEqual(self.ok("stream_poll 0"), "1")
        self.assertEqual(self.read(0, 10), b"two")
        self.assertEqual(self.then("stream_close 0", 1), ("Success", ["[Closed: 0]"]))

    def test_limits(self):
        self.start()
        self.post(b"")
        self.assertEqual(self.rows(), [])
        self.post(bytes(RECEIVE_MAX + 1), 413)
        self.post(bytes(RECEIVE_MAX))
        self.post(b"x", 413)
        self.assertEqual(self.ok("stream_poll all -c"), f"0,1,{RECEIVE_MAX}")
        self.read(0, 1)
        self.post(b"x")
        self.read_all(0, RECEIVE_MAX)

    def test_it_takes_no_place_of_a_connection(self):
        self.start()
        self.post(b"x")
        for n in range(CONNECTIONS):
            self.open()
        self.assertEqual(self.refused().status, 503)
        self.assertEqual(len(self.rows()), 1 + CONNECTIONS)

    def test_stays_out_of_stream_mode(self):
        self.front_type = Silent
        self.start(bus__mode="stream", system__print_level="0",
                   bus__stream__cmd_seq="", bus__stream__flush_time="0")
        self.post(b"posted")
        client = self.open()
        client.send(frame(TEXT, b"data"))
        self.front.expect(b"data")

    def test_reboot_forgets_it(self):
        self.start()
        self.post(b"x")
        self.zentrid.restart()

    def test_authorization(self):
        self.start(http__server__username="user", http__server__password="secret")
        self.post(b"x", 401)
        self.assertEqual(self.rows(), [])


class Client(WebSocketCase):
    """The package ws of npm."""

    script = r"""
        const WebSocket = require(process.argv[1]);
        const socket = new WebSocket(process.argv[2], { rejectUnauthorized: false });
        const say = (...words) => console.log(words.join(' '));
        socket.on('open', () => {
            say('open', JSON.stringify(socket.extensions));
            socket.ping('ping');
        });
        socket.on('pong', (data) => {
            say('pong', data);
            socket.send('text é');
            socket.send(Buffer.from([0, 255]), { binary: true, fin: false });
            socket.send(Buffer.from([1]), { fin: true });
        });
        socket.on('message', (data, isBinary) => {
            say('message', isBinary, data.toString('hex'));
            if (data.length === 3)
                socket.close(3456, 'done');
        });
        socket.on('error', (error) => say('error', error.message));
        socket.on('unexpected-response', (_, response) => {
            say('status', response.statusCode);
            process.exit();
        });
        socket.on('close', (code, reason) => say('close', code, reason));
        """

    def node(self, path="/stream"):
        entry = self.entry()
        scheme = "wss" if entry["scheme"] == "https" else "ws"
        url = f"{scheme}://{entry['address']}:{entry['port']}{path}"
        return self.program("node", "-e", self.script, str(node_module("ws")), url)

    def line(self, process):
        return process.stdout.readline().decode().rstrip("\n")

    def test_conversation(self):
        self.start()
        process = self.node()
        self.assertEqual(self.line(process), 'open ""')
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        self.assertEqual(self.line(process), "pong ping")
        self.assertEqual(self.read_all(0, 10), "text é".encode() + b"\x00\xff\x01")
        self.write(0, bytes(70000))
        self.assertEqual(self.line(process), "message true " + "00" * 70000)
        self.write(0, b"end")
        self.assertEqual(self.line(process), "message true 656e64")
        self.assertEqual(self.line(process), "close 3456 ")
        self.closed()
        self.assertEqual(process.wait(10), 0)

    def test_module_closes(self):
        self.start()
        process = self.node()
        self.line(process)
        self.assertEqual(self.line(process), "pong ping")
        self.ok("stream_close 0")
        self.assertEqual(self.line(process), "close 1000 ")

    def test_refusals(self):
        self.start(http__server__password="secret")
        self.assertEqual(self.line(self.node()), "status 401")


class SecureHandshake(Handshake):
    tls = True


class SecureEnds(Ends):
    tls = True


class SecurePosts(Posts):
    tls = True


class SecureClient(Client):
    tls = True
