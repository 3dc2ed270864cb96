"""Servers that answer the HTTP client before they have all of the body."""

from integration.test_http_client import HttpCase, answer
from integration.test_http_files import FileCase
from integration.test_streams_limits import receive
from integration.test_streams_tcp import HOST, Pty
from lib.daemon import wait_until

LENGTH = 20 << 20  # more than the kernel takes
FILE = 6 << 20  # the same, in the flash


def read_head(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(1)
    return data


class Posts(HttpCase):
    """A POST whose body the host is still giving."""

    front_type = Pty

    def post(self, length=LENGTH):
        sock, port = self.listener(receive_buffer=4096)
        self.module()
        started, peer = self.begin(f"http_post {HOST}:{port}/a -l {length}", sock)
        self.assertEqual(started.result().code, 0)
        self.assertIn(b"POST /a HTTP/1.1\r\n", read_head(peer))
        return sock, peer

    def fill(self):
        """Until a write waits, which then is under way."""
        data = bytes(self.front.payload_max)
        for _ in range(LENGTH // len(data) - 1):
            self.front.start(f"stream_write 0 {len(data)}", data)
            result = self.front.finish(0.5)
            if result is None:
                return
            self.assertEqual(result.code, 0)
        raise AssertionError("the server takes everything")

    def refused(self):
        self.assertEqual(self.front.command("stream_write 0 4", b"more").code, 1)

    def test_refused(self):
        """What would not be sent is not taken."""
        _, peer = self.post()
        self.write(0, b"some")
        peer.sendall(answer(b"no", "413 Too Large"))
        self.assertEqual(self.front.events(1), ["HTTP response: 413"])
        self.refused()
        self.assertEqual(self.ok("http_read_status 0"), "413")
        self.assertEqual(self.read(0, 10), b"no")

    def test_refused_while_a_write_waits(self):
        _, peer = self.post()
        self.fill()
        peer.sendall(answer(b"no", "413 Too Large"))
        result = self.front.finish()
        self.assertEqual((result.code, result.events), (1, ["HTTP response: 413"]))
        self.assertEqual(self.ok("http_read_status 0"), "413")

    def see_other(self, sock, peer):
        peer.sendall(answer(b"", "303 See Other", Location="/b"))
        peer = self.accept(sock)
        head = read_head(peer)
        self.assertTrue(head.startswith(b"GET /b HTTP/1.1\r\n"), head)
        self.assertNotIn(b"Content-Length", head)
        return peer

    def test_see_other(self):
        """The server wants no more of the body, and the status is the other answer's."""
        sock, peer = self.post()
        self.write(0, b"some")
        peer = self.see_other(sock, peer)
        self.refused()
        self.front.start("http_read_status 0")
        peer.sendall(answer(b"there"))
        self.assertEqual(self.front.finish().body, b"200\r\n")
        self.assertEqual(self.read(0, 10), b"there")

    def test_see_other_while_a_write_waits(self):
        sock, peer = self.post()
        self.fill()
        peer = self.see_other(sock, peer)
        self.assertEqual(self.front.finish().code, 1)
        peer.sendall(answer(b"there"))
        self.assertEqual(self.ok("http_read_status 0"), "200")

    def test_success(self):
        """The rest of the body follows, also when the stream is closed behind it."""
        length = 3 * self.front_type.payload_max
        _, peer = self.post(length)
        peer.sendall(answer(b"well"))
        self.assertEqual(self.front.events(1), ["HTTP response: 200"])
        data = bytes(range(256)) * (length // 256)
        self.front.start(f"stream_write 0 {length // 3}", data[:length // 3])
        self.assertEqual(self.front.finish().code, 0)
        first = receive(peer, length // 3)
        self.front.start(f"stream_write 0 {2 * length // 3}", data[length // 3:])
        self.front.start("stream_close 0")
        rest = receive(peer, 2 * length // 3)
        self.assertTrue(first + rest == data, "other bytes arrived")
        self.assertEqual(self.front.finish().code, 0)
        self.assertEqual(self.front.finish().code, 0)


class Uploads(FileCase):
    def upload(self, line):
        """The peer of an upload that has answered it early."""
        sock, port = self.listener(receive_buffer=4096)
        self.with_room(4096)
        self.ok(f"fcr -o g {FILE}")
        piece = bytes(range(256)) * 2048
        for _ in range(FILE // len(piece)):
            self.write(0, piece)
        started, peer = self.begin(line.format(url=f"{HOST}:{port}"), sock)
        head = read_head(peer)
        peer.sendall(answer(b"well"))
        self.wait_listed("HTTP response: 200")
        return started, peer, head

    def wait_listed(self, event):
        """Until the event is in the log; the command that says it may still run."""
        lines = []
        rest = self.rest(self.zentrid)

        def listed():
            lines.extend(rest.logs())
            return event in lines
        wait_until(listed, what=event)

    def test_it_is_done_once_all_has_left(self):
        for line in ("http_upload -r {url} g", "http_upload {url} g"):
            with self.subTest(line):
                started, peer, head = self.upload(line)
                length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                self.assertGreaterEqual(length, FILE)
                body = receive(peer, length)
                self.assertIn(bytes(range(256)) * 100, body[-30000:])
                self.assertEqual(started.result().code, 0)
                self.zentrid.stop()
                self.zentrid.start()

    def test_the_server_goes(self):
        started, peer, _ = self.upload("http_upload -r {url} g")
        peer.close()
        result = started.result()
        self.assertEqual(result.code, 1, result)
        self.assertTrue(result.events[-1].startswith("Upload failed: "), result)
