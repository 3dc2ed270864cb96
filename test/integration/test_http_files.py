"""http_download and http_upload: files of the module over HTTP."""

import email
import email.policy
import os
import random
import socket

from integration.test_files import BLOCK, crc16
from integration.test_http_client import HttpCase, answer, read_request
from integration.test_streams_tcp import HOST, Pty, Web, reset
from lib.daemon import module, wait_until
from lib.nginx import Nginx


class FileCase(HttpCase):
    def with_room(self, blocks, **settings):
        self.zentrid = self.daemon([module(factory=self.front_type.factory,
                                           files={"size": blocks * BLOCK})], **settings)
        self.front = self.front_type(self, self.zentrid)

    def host_names(self):
        directory = self.zentrid.nvm_path().parent / "flash"
        return sorted(os.listdir(directory)) if directory.exists() else []

    def names(self):
        return [line.split("  ")[-1] for line in self.ok("ls").split("\r\n")[1:]]

    def contents(self, name):
        handle = int(self.ok(f'file_open "{name}"'))
        return self.body(handle)

    def download(self, line, name, url, status=200, more=()):
        """A http_download that succeeds."""
        result = self.front.command(f"http_download {line}")
        self.assertEqual((result.code, result.body), (0, b"Success\r\n"), result)
        self.assertEqual(result.events, self.opening(url) + [
            f"HTTP response: {status}", *more, f"Downloading: {name}"])

    def download_fails(self, line, error):
        """One that does not: the last log line."""
        before = self.host_names()
        events = self.fails(f"http_download {line}")
        self.assertEqual(events[-1], f"Download failed: {error}", events)
        self.assertEqual(self.host_names(), before)


class DownloadTests:
    def test_download(self):
        server = Nginx(self)
        data = server.put("dir/a file", random.Random(3).randbytes(150_000))
        url = server.url("dir/a%20file")
        self.module()
        before = self.descriptors()
        self.download(url, "a file", url)
        self.assertEqual(self.contents("a file"), data)
        self.download(f"-u {url} webapp/x.js", "webapp/x.js", url)
        self.download(f"-c {crc16(data):X} {url} crc", "crc", url)
        self.download(f"-c 0x{crc16(data):04x} -u {url} crc", "crc", url)
        rows = self.ok("ls -v").split("\r\n")[1:]
        self.assertEqual([(row.split()[2:4], row.split()[5:7], row.split("  ")[-1])
                          for row in rows], [
            (["e-FE", "0021"], ["150000", "1.0.0.0"], "a file"),
            (["e-FE", "00A1"], ["150000", "1.0.0.0"], "webapp/x.js"),
            (["e-FE", "00A1"], ["150000", "1.0.0.0"], "crc")])
        self.assertEqual(self.ok("fst crc"),
                         f"150000,1.0.0.0,FE,00A1,{crc16(data):04X}")
        self.wait_descriptors(before)
        self.zentrid.restart(kill=True)
        self.front = self.front_type(self, self.zentrid)
        self.assertEqual(self.contents("crc"), data)

    def test_upload(self):
        sock, port = self.listener()
        self.module()
        data = random.Random(4).randbytes(150_000)
        self.create("page.html", data)
        before = self.descriptors()
        for line, name in (("page.html", "page.html"),
                           ('page.html "a b/c"', "a b/c")):
            started, peer = self.begin(f"http_upload {HOST}:{port}/in {line}", sock)
            header, body = read_request(peer)
            self.assertTrue(header.startswith("POST /in HTTP/1.1\r\n"))
            fields = header.split("\r\n", 1)[1].encode()
            form = email.message_from_bytes(fields + b"\r\n\r\n" + body,
                                            policy=email.policy.HTTP)
            self.assertEqual(form.get_content_type(), "multipart/form-data")
            part, = form.iter_parts()
            self.assertEqual(part.get_param("name", header="Content-Disposition"),
                             "file")
            self.assertEqual(part.get_filename(), name)
            self.assertEqual(part.get_payload(decode=True), data)
            peer.sendall(answer(b"what the server says"))
            result = started.result()
            self.assertEqual((result.code, result.body), (0, b"Success\r\n"), result)
            self.assertEqual(result.events, self.opening(f"{HOST}:{port}/in", "POST")
                             + ["HTTP response: 200"])
        started, peer = self.begin(f"hup -r {HOST}:{port}/in page.html", sock)
        header, body = read_request(peer)
        self.assertTrue(body == data)
        self.assertIn("\r\nContent-Type: application/octet-stream\r\n", header)
        peer.sendall(answer(b"", "201 Created"))
        self.assertEqual(started.result().code, 0)
        self.wait_descriptors(before)

    def create(self, name, data):
        self.ok(f"fcr -o {name} {len(data)}")
        for at in range(0, len(data), 16384):
            self.write(0, data[at:at + 16384])


class DownloadOverPty(DownloadTests, FileCase):
    front_type = Pty


class DownloadOverRest(DownloadTests, FileCase):
    front_type = Web


class Downloads(FileCase):
    def served(self, sock, line, data, end=socket.socket.close):
        """A http_download that gets this answer; the result."""
        started, peer = self.begin(f"http_download {line}", sock)
        read_request(peer)
        peer.sendall(data)
        end(peer)
        return started.result()

    def test_what_fails_leaves_nothing(self):
        server = Nginx(self)
        server.put("file", b"123456789")
        server.put("empty", b"")
        url = server.url()
        self.module()
        before = self.descriptors()
        self.download_fails(f"{url}nowhere", "HTTP response 404")
        self.download_fails(f"{url}none f", "no data")
        self.download_fails(f"{url}empty", "no data")
        self.download_fails(f"-c 89F7 {url}file", "wrong CRC")
        self.download_fails(f"{HOST}:1/f", "connection refused")
        self.fails(f"http_download {url}", b"", 7, "Invalid argument")
        self.fails(f"http_download -c 12345 {url}file", b"", 7, "Invalid argument")
        sock, port = self.listener()
        header = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234"
        for data, end, error in (
                (header, socket.socket.close, "the answer is cut short"),
                (header, reset, "connection reset"),
                (answer(b"x", "302 Found", Location="file:///etc/passwd"),
                 socket.socket.close, "redirect: only http and https URLs are taken"),
                (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                 socket.socket.close, None)):
            result = self.served(sock, f"{HOST}:{port}/f", data, end)
            self.assertEqual(result.code, 1, result)
            if error:
                self.assertEqual(result.events[-1], f"Download failed: {error}")
            self.assertTrue(result.events[-1].startswith("Download failed: "))
        self.assertEqual(self.names(), [])
        self.assertFalse(set(self.host_names()) - {"index.json"})
        self.wait_descriptors(before)

    def test_of_any_length(self):
        """Chunked, or until the end of the connection."""
        sock, port = self.listener()
        self.with_room(4)
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        result = self.served(sock, f"-c 89F6 {HOST}:{port}/f",
                             chunked + b"4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n")
        self.assertEqual((result.code, result.events[3:]), (
            0, ["HTTP response: 200", "Chunked response", "Downloading: f"]))
        self.assertEqual(self.contents("f"), b"123456789")
        result = self.served(sock, f"{HOST}:{port}/g",
                             b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 3 * BLOCK)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.contents("g"), b"x" * 3 * BLOCK)
        self.assertEqual(self.names(), ["f", "g"])

    def test_no_room(self):
        sock, port = self.listener()
        self.with_room(4)
        self.ok(f"fcr a {BLOCK}", bytes(BLOCK))
        names = self.host_names()
        length = 3 * BLOCK
        for size in (length + 1, 1 << 31, 1 << 40, 1 << 62):
            result = self.served(
                sock, f"{HOST}:{port}/f",
                f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode())
            self.assertEqual(result.events[-1], "Download failed: no room", result)
        for head in (b"HTTP/1.1 200 OK\r\n\r\n",
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"%x\r\n" % (length + 1)):
            result = self.served(sock, f"{HOST}:{port}/f",
                                 head + bytes(length + 1), lambda peer: None)
            self.assertEqual(result.events[-1], "Download failed: no room", result)
        self.assertEqual(self.host_names(), names)
        result = self.served(sock, f"{HOST}:{port}/f", answer(bytes(length)))
        self.assertEqual(result.code, 0, result)
        result = self.served(sock, f"{HOST}:{port}/g", answer(b"x"))
        self.assertEqual(result.events[-1], "Download failed: no room")
        result = self.served(sock, f"{HOST}:{port}/g", b"HTTP/1.0 200 OK\r\n\r\nx")
        self.assertEqual(result.events[-1], "Download failed: no room")
        # The old file stays until the new one is whole, so both need room.
        result = self.served(sock, f"{HOST}:{port}/f", answer(b"x"))
        self.assertEqual(result.events[-1], "Download failed: no room")
        self.assertEqual(self.names(), ["a", "f"])

    def test_over_a_file_that_is_read(self):
        server = Nginx(self)
        server.put("f", b"the new one")
        self.module()
        self.ok("fcr f 11", b"the old one")
        self.ok("fop f")
        self.assertEqual(self.read(0, 4), b"the ")
        result = self.front.command(f"http_download {server.url('f')}")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.read(0, 100), b"old one")
        self.assertEqual(self.contents("f"), b"the new one")
        self.assertEqual(self.names(), ["f"])
        self.assertEqual(len(self.host_names()), 2)

    def test_failed_one_leaves_the_old_file(self):
        sock, port = self.listener()
        self.module()
        self.ok("fcr f 3", b"old")
        result = self.served(sock, f"{HOST}:{port}/f",
                             b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234")
        self.assertEqual(result.code, 1)
        self.assertEqual(self.contents("f"), b"old")
        self.ok("fcr -o draft 5")
        result = self.served(sock, f"{HOST}:{port}/draft", answer(b"x"))
        self.assertEqual(result.events[-1],
                         "Download failed: the file is being written")

    def test_redirected(self):
        server = Nginx(self)
        server.put("small", b"small")
        self.module()
        self.download(f"{server.url('moved')} f", "f", server.url("moved"), 301, (
            f"Redirect: http://{HOST}:{server.port}/small", "Request GET /small",
            f"Connecting (HTTP): {HOST}:{server.port}", "HTTP response: 200"))
        self.assertEqual(self.contents("f"), b"small")

    def test_killed_in_the_middle(self):
        """The next start finds the old file, and no piece of the new one."""
        sock, port = self.listener()
        self.module()
        self.ok("fcr f 3", b"old")
        self.front.start(f"http_download {HOST}:{port}/f")
        peer = self.accept(sock)
        read_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n1234")
        wait_until(lambda: len(self.host_names()) == 3, what="the draft")
        self.zentrid.restart(kill=True)
        self.front = self.front_type(self, self.zentrid)
        self.assertEqual(self.contents("f"), b"old")
        self.assertEqual(len(self.host_names()), 2)

    def test_terminal_that_goes(self):
        sock, port = self.listener()
        self.module(remote_terminal__enabled="1")
        before = self.descriptors()
        rest = self.rest(self.zentrid)
        terminal = self.client(self.port_of("remote_terminal"))
        terminal.sendall(f"http_download {HOST}:{port}/f\r\n".encode())
        peer = self.accept(sock)
        read_request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n1234")
        wait_until(lambda: self.host_names(), what="the draft")
        terminal.close()
        self.assertEqual(rest.command("ls").code, 0)
        self.assertEqual(self.host_names(), [])
        rest.close()
        self.wait_descriptors(before)


class Uploads(FileCase):
    def test_what_fails(self):
        sock, port = self.listener()
        self.module()
        self.ok("fcr f 3", b"abc")
        self.assertEqual(self.fails(f"http_upload {HOST}:{port} nothing"),
                         ["Upload failed: no such file"])
        self.assertEqual(self.fails(f"http_upload {HOST}:1 f")[-1],
                         "Upload failed: connection refused")
        for data, error in ((answer(b"", "403 Forbidden"), "HTTP response 403"),
                            (b"", "the server closed the connection")):
            started, peer = self.begin(f"http_upload {HOST}:{port} f", sock)
            read_request(peer)
            peer.sendall(data)
            peer.close()
            self.assertEqual(started.result().events[-1], f"Upload failed: {error}")

    def test_early_answer(self):
        """A server that has heard enough need not be sent the rest."""
        sock, port = self.listener(receive_buffer=4096)
        self.with_room(2048)
        size = 1 << 20
        self.ok(f"fcr f {size}", bytes(size))
        self.ok("fcr -o g 3000000")
        for _ in range(3):
            self.write(0, bytes(1_000_000))
        started, peer = self.begin(f"http_upload -r {HOST}:{port} g", sock)
        peer.recv(100)
        peer.sendall(answer(b"", "413 Too Large"))
        result = started.result()
        self.assertEqual(result.events[-2:], ["HTTP response: 413",
                                              "Upload failed: HTTP response 413"])

    def test_redirected(self):
        """It is sent anew, from its start."""
        sock, port = self.listener()
        self.module()
        self.ok("fcr f 9", b"123456789")
        started, peer = self.begin(f"http_upload -r {HOST}:{port}/a f", sock)
        self.assertEqual(read_request(peer)[1], b"123456789")
        peer.sendall(answer(b"", "308 Moved", Location="/b"))
        peer = self.accept(sock)
        header, body = read_request(peer)
        self.assertTrue(header.startswith("POST /b HTTP/1.1\r\n"))
        self.assertEqual(body, b"123456789")
        peer.sendall(answer())
        self.assertEqual(started.result().code, 0)

    def test_end_of_the_daemon(self):
        sock, port = self.listener()
        self.module()
        self.ok("fcr f 9", b"123456789")
        self.front.start(f"http_upload {HOST}:{port}/a f")
        self.accept(sock)
        self.zentrid.stop()
