"""Requests that no client should send: each has a defined answer; the module lives."""

import json
import socket

from lib.case import Case
from lib.daemon import MAC

MAC_REPLY = MAC.encode() + b"\r\n"
BODY_MAX = 65536
DEPTH_MAX = 16


class Errors(Case):
    def setUp(self):
        self.served = self.daemon()
        self.client = self.rest(self.served)

    def post(self, body, content_type="application/json"):
        return self.client.post("/command", body, content_type)

    def alive(self):
        self.client.close()
        self.assertEqual(self.client.command("get wlan.mac").body, MAC_REPLY)

    def test_malformed_json(self):
        for body in (b"", b"{", b"}", b"hello", b'{"command"}', b'{"command":}',
                     b'{"command":"ver"', b'{"command":"ver",}', b'{"command":"ver"}x',
                     b"{'command':'ver'}", b'{"command":"\\ud800"}', b"\x00", b"\xff\xfe",
                     b'{"command":"a\nb"}', b'{"command":"ver\xff"}', b"[", b"nul",
                     b'{"command":"ver","command":"ver","flags":1e999}'):
            with self.subTest(body):
                self.assertEqual(self.post(body).status, 400)
        self.alive()

    def test_json_of_another_shape(self):
        for value in ([], "ver", 1, None, True, {}, {"flags": 0}, {"command": 1},
                      {"command": None}, {"command": ["ver"]}, [{"command": "ver"}],
                      {"command": "ver", "flags": "7"}, {"command": "ver", "flags": None},
                      {"command": "ver", "flags": 1.5}, {"command": "ver", "data": 1},
                      {"command": "ver", "data": {}}, {"Command": "ver"}):
            with self.subTest(value):
                self.assertEqual(self.post(json.dumps(value)).status, 400)
        self.alive()

    def test_depth(self):
        for depth, status in ((DEPTH_MAX - 1, 200), (DEPTH_MAX, 400), (20000, 400)):
            with self.subTest(depth):
                nested = "[" * depth + "]" * depth
                body = '{"command":"ver","x":' + nested + "}"
                self.assertEqual(self.post(body).status, status)
        self.assertEqual(self.post("[" * 30000).status, 400)
        self.alive()

    def test_size(self):
        """Up to 64 KiB is read; what is larger gets 413."""
        frame = '{"command":"get wlan.mac","x":""}'
        body = frame[:-2] + "a" * (BODY_MAX - len(frame)) + frame[-2:]
        self.assertEqual(self.post(body).status, 200)
        self.client.close()
        self.assertEqual(self.oversized(body + " "), 413)
        self.assertEqual(self.oversized(" " * (4 * BODY_MAX)), 413)
        self.alive()

    def oversized(self, body):
        """The status that comes, be it before the body is sent."""
        entry = self.served.listener()
        with socket.create_connection((entry["address"], entry["port"]), 10) as peer:
            head = f"POST /command HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
            try:
                peer.sendall(head.encode() + b"\r\n\r\n" + body.encode())
            except OSError:
                pass
            return int(peer.recv(65536).split()[1])

    def test_announced_but_never_sent(self):
        entry = self.served.listener()
        peers = []
        for length in (b"99999999999999999999", b"2147483648", b"70000"):
            peer = socket.create_connection((entry["address"], entry["port"]), 10)
            self.addCleanup(peer.close)
            peer.sendall(b"POST /command HTTP/1.1\r\nHost: x\r\nContent-Length: "
                         + length + b"\r\n\r\n")
            peers.append(peer)
        for peer in peers:
            self.assertRegex(peer.recv(65536), rb"^HTTP/1\.[01] 4(00|13) ")
        self.alive()

    def test_bad_lengths(self):
        entry = self.served.listener()
        for length in (b"-1", b"x", b"1x", b""):
            with self.subTest(length):
                address = entry["address"], entry["port"]
                with socket.create_connection(address, 10) as peer:
                    peer.sendall(b"POST /command HTTP/1.1\r\nHost: x\r\nContent-Length: "
                                 + length + b"\r\n\r\n{}")
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        pass
        self.alive()

    def test_bad_base64(self):
        for flags, command, data in ((1, "get wlan.mac", None), (1, "a", None),
                                     (1, "Z2V0=", None), (1, "Z2V\u00e9", None),
                                     (4, "ver", "x"), (4, "ver", "ab=c"),
                                     (4, "ver", "!!!!"), (7, "dmVy", "dmV")):
            body = {"flags": flags, "command": command}
            if data is not None:
                body["data"] = data
            with self.subTest(body):
                self.assertEqual(self.post(json.dumps(body)).status, 400)
        self.alive()

    def test_base64_of_bytes_that_are_no_command(self):
        for text in ("AA==", "dmVyAA==", "/////w==", "DQo="):
            with self.subTest(text):
                answer = self.post(json.dumps({"flags": 1, "command": text}))
                self.assertEqual(answer.status, 200)
        self.alive()

    def test_nul_and_control_bytes(self):
        """A NUL is never taken for the end of the text."""
        for text, code in (("get wlan.mac\0", 2), ("\0", 2), ("ver\r\nver", 2),
                           ("ver\nver", 2), ("set network.tls.client_key a\x07b", 7)):
            with self.subTest(text):
                answer = self.post(json.dumps({"command": text}))
                if answer.status == 200:
                    self.assertEqual(answer.json()["code"], code)
                else:
                    self.assertEqual(answer.status, 400)
        self.assertEqual(self.client.command("get network.tls.client_key").body, b"")

    def test_long_strings(self):
        """They are read beside the rest of the body, and never taken for another."""
        long = "x" * 1000
        for body, code in (
                ({"command": "get wlan.mac", "x": long}, 0),
                ({"x": long, "command": "get wlan.mac"}, 0),
                ({"command": "\0", "x": long}, 2), ({"x": long, "command": "\0"}, 2),
                ({"command": long}, 3), ({"command": long, "data": long + "y"}, 3),
                ({"command": "get wlan.mac", "x": [long]}, 0),
                ({"command": "get wlan.mac", "x": {"command": long}}, 0),
                ({"command": "get wlan.mac", long: 1}, 0),
                ({"command": "get wlan.mac", "x": long + '"\\'}, 0),
                ({"command": "get wlan.mac", "x": long + "\u00e9"}, 0),
                ({"command": f'set wlan.ssid "{"s" * 300}"'}, 7)):
            for text in (json.dumps(body), json.dumps(body, indent="\t")):
                answer = self.post(text)
                self.assertEqual((answer.status, answer.json()["code"]), (200, code), body)
        for text in ('{"command":"%s', '{"command":"%s"', '{"command":"%s\n"}',
                     '{"command":"%s"x}', '{"command":%s}', '{"command":"ver":"%s"}',
                     '["command":"%s"]', '{"command":"ver","flags":"%s"}'):
            self.assertEqual(self.post(text % long).status, 400, text)
        name, data = "long.bin", "d" * 5000
        reply = self.client.post("/command", {
            "data": data, "flags": 0, "command": f"file_create {name} {len(data)}"})
        self.assertEqual(reply.json()["code"], 0)
        self.assertEqual(self.client.get("/" + name).body, data.encode())

    def test_overlong_command(self):
        answer = self.post(json.dumps({"command": "x" * 5000}))
        self.assertEqual(answer.json()["code"], 8)
        self.assertEqual(answer.json()["response"],
                         "Serial command line buffer overflow\r\n")
        self.assertEqual(self.client.command("x" * 4096).code, 3)
        self.alive()

    def test_large_headers(self):
        entry = self.served.listener()
        for request in (b"GET /command/" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n",
                        b"GET /command/ver HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n",
                        b"GET /command/ver HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
                        b"\r\n" * 10000, b"\x00" * 20000, b"GET / HTTP/9.9\r\n\r\n",
                        b"GET\r\n\r\n", b"NONSENSE / HTTP/1.1\r\n\r\n",
                        b"GET /command/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"GET /command/% HTTP/1.1\r\nHost: x\r\n\r\n"):
            with self.subTest(request[:40]):
                address = entry["address"], entry["port"]
                with socket.create_connection(address, 10) as peer:
                    try:
                        peer.sendall(request)
                        peer.shutdown(socket.SHUT_WR)
                        while peer.recv(65536):
                            pass
                    except OSError:
                        pass
        self.alive()
