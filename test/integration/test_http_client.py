"""The HTTP client's streams, against nginx and against servers that a test writes byte by
byte."""

import hashlib
import random
import re
import socket
import threading

from integration.test_streams_dns import DnsCase
from integration.test_streams_tcp import (HOST, Background, Pty, StreamCase, Web,
                                          free_port, network, reset)
from lib.daemon import wait_until
from lib.nginx import Nginx

TOO_MANY = "Open failed: too many streams"


def read_request(peer):
    """The header of a request, as text, and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65536)
        if not piece:
            raise AssertionError(f"the request ends early: {data!r}")
        data += piece
    header, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", header)
    while length and len(body) < int(length[1]):
        piece = peer.recv(65536)
        if not piece:
            raise AssertionError(f"the body ends early: {body[:100]!r}")
        body += piece
    return header.decode(), body


def answer(body=b"", status="200 OK", **fields):
    """A whole answer. Fields: "__" stands for "-"."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('__', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class HttpCase(StreamCase):
    """http_get and so on, and the log lines of them."""

    def opening(self, url, method="GET"):
        """The log lines up to the connection to a URL."""
        scheme, _, rest = url.rpartition("://")
        authority, slash, path = rest.partition("/")
        host, colon, port = authority.partition(":")
        secure = scheme == "https"
        return [f"[Opening: {authority}]", f"Request {method} /{path}",
                f"Connecting ({'HTTPS' if secure else 'HTTP'}): "
                f"{host}:{port if colon else 443 if secure else 80}"]

    def get(self, url, *more, status=200, handle=0, command="http_get"):
        """A request that is answered. more: the log lines behind the status."""
        result = self.front.command(f"{command} {url}")
        self.assertEqual((result.code, result.body), (0, b"%d\r\n" % handle), result)
        method = {"http_get": "GET", "http_head": "HEAD"}.get(command, "POST")
        self.assertEqual(result.events, self.opening(url, method) + [
            f"[Opened: {handle}]", f"HTTP response: {status}", *more])

    def body(self, handle=0, size=16384):
        """All of the answer, until the stream closes itself."""
        data = b""

        def ended():
            nonlocal data
            result = self.front.command(f"stream_read {handle} {size}")
            data += result.body[:-2] if result.code == 0 else b""
            return result.code != 0
        wait_until(ended, timeout=60, what="the end of the answer")
        return data

    def begin(self, line, sock=None, payload=b""):
        """Starts a command in the background; the result, and the peer it reaches."""
        started = Background(lambda: self.front.command(line, payload))
        return started, None if sock is None else self.accept(sock)

    def answered(self, line, sock, data, read=True):
        """The result of a command whose request gets this answer, and the request."""
        started, peer = self.begin(line, sock)
        request = read_request(peer) if read else None
        peer.sendall(data)
        return started.result(), request, peer

    def broken(self, data, error, end=socket.socket.close, line="http_get"):
        """A server that answers so, and then ends the connection."""
        sock, port = self.listener()
        started, peer = self.begin(f"{line} {HOST}:{port}/", sock)
        read_request(peer)
        peer.sendall(data)
        end(peer)
        result = started.result()
        self.assertEqual((result.code, result.body), (1, b"Command failed\r\n"), result)
        self.assertEqual(result.events[-2:],
                         [f"Request failed: {error}", "[Closed: 0]"], result)
        sock.close()

    def descriptors(self):
        """How many there are; the resolver's, once made, stay."""
        self.ok("network_lookup localhost")
        return self.zentrid.descriptors()

    def wait_descriptors(self, count):
        wait_until(lambda: self.zentrid.descriptors() <= count,
                   what=f"{count} descriptors again")


class ClientTests:
    def test_get(self):
        server = Nginx(self)
        data = server.put("dir/file", bytes(range(256)) * 3 + b"\r\n> $$$")
        self.module()
        before = self.descriptors()
        self.get(server.url("dir/file"))
        row, = self.rows()
        self.assertEqual(row[:5], ["#", "0", "HTTP", "", f"{HOST}:{server.port}"])
        self.assertRegex(row[5], r"^\(\d+\)$")
        self.assertEqual(self.ok("stream_poll 0"), "1")
        self.assertEqual(self.ok("http_read_status 0"), "200")
        self.assertEqual(self.read(0, 10), data[:10])
        self.assertEqual(self.body(), data[10:])
        self.assertEqual(self.ok("poll all"), "None")
        self.get(server.url("dir/file").removeprefix("http://"))
        result = self.front.command("close 0")
        self.assertEqual((result.code, result.events), (0, ["[Closed: 0]"]))
        self.wait_descriptors(before)

    def test_status_without_a_body(self):
        """It is there until somebody has looked, and then the stream goes by itself."""
        server = Nginx(self)
        server.put("f", b"12345")
        self.module()
        for command, path, status in (("http_get", "none", 204), ("hhe", "f", 200),
                                      ("http_head", "nowhere", 404)):
            self.ok(f"{command} {server.url(path)}")
            self.assertEqual(self.ok("stream_poll 0"), "2")
            self.assertEqual(self.then("http_read 0", 1),
                             (str(status), ["[Closed: 0]"]))
        self.ok(f"http_head {server.url('f')}")
        self.assertEqual(self.read(0, 10), b"")
        wait_until(lambda: self.ok("poll all") == "None", what="the end of the stream")

    def test_post_in_steps(self):
        """Reference: command notes, section 8."""
        sock, port = self.listener()
        self.module()
        result = self.front.command(
            f"http_post -o {HOST}:{port}/hello application/json")
        self.assertEqual((result.code, result.body), (0, b"0\r\n"), result)
        self.assertEqual(result.events,
                         self.opening(f"{HOST}:{port}/hello", "POST") + ["[Opened: 0]"])
        self.assertEqual(self.ok("http_add_header 0 X-One two  three"), "Success")
        self.assertEqual(self.ok('had 0 Content-Length "1"'), "Success")
        self.write(0, b'{"a":')
        self.write(0, b"1}")
        self.assertEqual(self.ok("poll 0"), "0")
        result, request, _ = self.answered(
            "http_read_status 0", sock,
            b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhowdy\r\n1;x=y\r\n!\r\n0\r\nTrailer: x\r\n\r\n")
        self.assertEqual(result.body, b"201\r\n")
        self.assertEqual(result.events, ["HTTP response: 201", "Chunked response"])
        header, body = request
        self.assertEqual(header.split("\r\n"), [
            "POST /hello HTTP/1.1", f"Host: {HOST}:{port}", "Accept: */*",
            "Content-Type: application/json", "X-One: two three", "Content-Length: 7"])
        self.assertEqual(body, b'{"a":1}')
        self.fails("http_add_header 0 X-Late 1")
        self.fails("stream_write 0 1", b"x")
        self.assertEqual(self.body(), b"howdy!")

    def test_post_of_a_length(self):
        sock, port = self.listener()
        self.module()
        data = random.Random(1).randbytes(100_000)
        started, peer = self.begin(f"http_post {HOST}:{port}/in -l {len(data)}", sock)
        self.assertEqual(started.result().body, b"0\r\n")
        asked = Background(lambda: read_request(peer))
        for at in range(0, len(data), 16384):
            self.assertEqual(self.fails("http_read_status 0"),
                             ["Request failed: the body is not complete"])
            self.write(0, data[at:at + 16384])
        self.fails("stream_write 0 1", b"x", 9, "Bounds error")
        header, body = asked.result()
        self.assertTrue(body == data)
        self.assertEqual(header.split("\r\n"), [
            "POST /in HTTP/1.1", f"Host: {HOST}:{port}", "Accept: */*",
            f"Content-Length: {len(data)}"])
        peer.sendall(answer(b"ok"))
        self.assertEqual(self.ok("http_read_status 0"), "200")
        self.assertEqual(self.body(), b"ok")

    def test_closed_behind_the_last_byte(self):
        """The request arrives, and nothing stays behind it."""
        sock, port = self.listener(receive_buffer=4096)
        self.module()
        before = self.descriptors()
        data = bytes(60_000)
        started, peer = self.begin(f"http_post {HOST}:{port} -l {len(data)}", sock)
        started.result()
        for at in range(0, len(data), 20_000):
            self.write(0, data[at:at + 20_000])
        self.assertEqual(self.ok("stream_close 0"), "Success")
        self.assertEqual(self.ok("poll all"), "None")
        self.assertEqual(read_request(peer)[1], data)
        peer.sendall(answer())
        self.assertEqual(peer.recv(1), b"")
        self.wait_descriptors(before)

    def test_post_at_once(self):
        sock, port = self.listener()
        self.module()
        result, (header, body), _ = self.answered(
            f"hpo {HOST}:{port}/p?a=b x-www-form-urlencoded", sock, answer(b"x"))
        self.assertEqual(result.body, b"0\r\n")
        self.assertEqual(header.split("\r\n"), [
            "POST /p?a=b HTTP/1.1", f"Host: {HOST}:{port}", "Accept: */*",
            "Content-Type: x-www-form-urlencoded", "Content-Length: 0"])
        self.assertEqual(body, b"")

    def test_slow_reader(self):
        """What is not read stays with the server, and all of it comes in the end."""
        server = Nginx(self)
        data = server.put("large", random.Random(2).randbytes(6 << 20))
        self.module()
        self.get(server.url("large"))
        waiting = int(self.ok("poll all -c").split(",")[2])
        self.assertLess(waiting, 128 * 1024)
        got = self.body()
        self.assertEqual(hashlib.sha256(got).digest(), hashlib.sha256(data).digest())


class ClientOverPty(ClientTests, HttpCase):
    front_type = Pty


class ClientOverRest(ClientTests, HttpCase):
    front_type = Web


class Dialogue(DnsCase, HttpCase):
    def test_on_a_screen(self):
        """The example of the module's documentation, byte by byte."""
        sock, port = self.listener()
        name_server = self.dnsmasq(f"--host-record=example.com,{HOST}")
        self.zentrid = self.daemon(network=network(name_server))
        serial = self.serial(self.zentrid)
        serial.send(f"http_post -o example.com:{port}/hello application/json\r\n"
                    .encode())
        serial.expect(f"http_post -o example.com:{port}/hello application/json\r\n"
                      f"[Opening: example.com:{port}]\r\n"
                      "Request POST /hello\r\n"
                      f"Connecting (HTTP): example.com:{port}\r\n"
                      "[Opened: 0]\r\n"
                      "0\r\n> ".encode())
        serial.send(b"stream_write 0 7\r\n{\"a\":1}")
        serial.expect(b"stream_write 0 7\r\nSuccess\r\n> ")
        serial.send(b"http_read 0\r\n")
        peer = self.accept(sock)
        self.assertIn(f"Host: example.com:{port}\r\n", read_request(peer)[0] + "\r\n")
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"19\r\n{\n  \"response\": \"howdy!\"\n\r\n1\r\n}\r\n0\r\n\r\n")
        serial.expect(b"http_read 0\r\nHTTP response: 200\r\nChunked response\r\n"
                      b"200\r\n> ")
        serial.send(b"stream_read 0 1000\r\n")
        serial.expect(b"stream_read 0 1000\r\n[Closed: 0]\r\n"
                      b"{\n  \"response\": \"howdy!\"\n}\r\n> ")

    def test_names(self):
        self.module(net=network(self.dnsmasq("--host-record=known.test,127.0.0.1")))
        self.assertEqual(self.fails("http_get nobody.test/x"), [
            "[Opening: nobody.test]", "Request GET /x", "Open failed: unknown host"])
        sock, port = self.listener()
        sock.close()
        self.assertEqual(self.fails(f"http_get known.test:{port}/x")[2:], [
            f"Connecting (HTTP): known.test:{port}", "Open failed: connection refused"])

    def test_redirect_to_another_name(self):
        """Each hop is looked up by the module's own name server, and what was meant for
        the first server is not told to the second."""
        self.module(net=network(self.dnsmasq("--host-record=one.test,127.0.0.1",
                                             "--host-record=two.test,127.0.0.1")))
        sock, port = self.listener()
        self.ok(f"http_get -o one.test:{port}/a")
        for field in ("Authorization Basic abc", "Cookie c=1", "X-Mine yes"):
            self.ok(f"http_add_header 0 {field}")
        started, peer = self.begin("http_read_status 0", sock)
        header, _ = read_request(peer)
        self.assertIn("Authorization: Basic abc", header)
        peer.sendall(answer(status="302 Found", Location=f"http://two.test:{port}/b"))
        peer = self.accept(sock)
        header, _ = read_request(peer)
        self.assertEqual(header.split("\r\n"), [
            "GET /b HTTP/1.1", f"Host: two.test:{port}", "Accept: */*",
            "X-Mine: yes"])
        peer.sendall(answer(b"here"))
        result = started.result()
        self.assertEqual(result.events, [
            "HTTP response: 302", f"Redirect: http://two.test:{port}/b",
            "Request GET /b", f"Connecting (HTTP): two.test:{port}",
            "HTTP response: 200"])
        self.assertEqual(self.body(), b"here")
        started, peer = self.begin(f"http_get one.test:{port}", sock)
        read_request(peer)
        peer.sendall(answer(status="302 Found", Location="http://nobody.test/"))
        result = started.result()
        self.assertEqual(result.code, 1)
        self.assertEqual(result.events[-3:], [
            "Request GET /", "Request failed: unknown host", "[Closed: 0]"])


class Pipelined(HttpCase):
    def test_close_in_one_piece_with_the_body(self):
        """The stream is closed before a byte of the body could leave."""
        sock, port = self.listener()
        self.module()
        before = self.descriptors()
        started, peer = self.begin(f"http_post {HOST}:{port} -l 5", sock)
        started.result()
        self.front.channel.send(b"stream_write 0 5\r\nhelloclose 0\r\n")
        self.assertEqual(read_request(peer)[1], b"hello")
        for _ in range(2):
            self.assertEqual(self.front.finish().code, 0)
        peer.sendall(answer())
        self.assertEqual(peer.recv(1), b"")
        self.wait_descriptors(before)


class Redirects(HttpCase):
    def redirected(self, status, location, line="http_get {url}"):
        """What the log says of a request that is answered so."""
        sock, port = self.listener()
        line = line.format(url=f"{HOST}:{port}/first")
        result, _, _ = self.answered(
            line, sock, answer(b"body", status, Location=location))
        self.assertEqual(result.code, 1, result)
        sock.close()
        self.assertEqual(result.events[-1], "[Closed: 0]")
        return result.events[-2]

    def test_followed(self):
        server = Nginx(self)
        server.put("small", b"small")
        self.module()
        before = self.descriptors()
        url = server.url("moved")
        self.get(url, f"Redirect: http://{HOST}:{server.port}/small",
                 "Request GET /small", f"Connecting (HTTP): {HOST}:{server.port}",
                 "HTTP response: 200", status=301)
        self.assertEqual(self.body(), b"small")
        events = self.fails(f"http_get {server.url('loop')}")
        self.assertEqual(events[-2:],
                         ["Request failed: too many redirects", "[Closed: 0]"])
        self.assertEqual(events.count("HTTP response: 302"), 11)
        self.wait_descriptors(before)

    def test_refused(self):
        self.module()
        for location in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://h/",
                         "foo:bar"):
            self.assertEqual(self.redirected("301 Moved", location),
                             "Request failed: redirect: only http and https URLs are "
                             "taken")
        self.assertEqual(self.redirected("302 Found", "http://[::1/"),
                         "Request failed: redirect: not a URL")
        self.assertEqual(self.redirected("302 Found", "/" + "x" * 3000),
                         "Request failed: redirect: not a URL")
        self.assertEqual(self.ok("poll all"), "None")

    def test_other_statuses_are_answers(self):
        sock, port = self.listener()
        self.module()
        for data in (answer(b"x", "304 Not Modified", Location="/y").removesuffix(b"x"),
                     answer(b"", "300 Multiple Choices", Location="/y"),
                     answer(b"", "301 Moved"), answer(b"", "500 Error")):
            result, _, _ = self.answered(f"http_get {HOST}:{port}", sock, data)
            self.assertEqual(result.code, 0, result)
            self.ok("close 0")

    def test_bodies(self):
        """307 and 308 send it again, the others make a GET of the POST."""
        sock, port = self.listener()
        self.module()
        for status in (301, 302, 303, 307, 308):
            self.ok(f"http_post -o {HOST}:{port}/a text/plain")
            self.write(0, b"hello")
            started, peer = self.begin("http_read_status 0", sock)
            self.assertEqual(read_request(peer)[1], b"hello")
            peer.sendall(answer(b"", f"{status} See", Location="/b"))
            peer = self.accept(sock)
            header, body = read_request(peer)
            again = status > 303
            self.assertEqual(header.split(" ")[:2], ["POST" if again else "GET", "/b"])
            self.assertEqual(body, b"hello" if again else b"")
            self.assertEqual("Content-Type: text/plain" in header, again)
            peer.sendall(answer())
            self.assertEqual(started.result().body, b"200\r\n")
            self.ok("close all")
        started, peer = self.begin(f"http_post {HOST}:{port} -l 2", sock)
        started.result()
        self.write(0, b"ab")
        read_request(peer)
        peer.sendall(answer(b"", "307 See", Location="/b"))
        self.assertEqual(self.front.events(3), [
            "HTTP response: 307",
            "Request failed: redirect: the body would have to be sent again",
            "[Closed: 0]"])


class BadServers(HttpCase):
    def test_what_is_no_answer(self):
        self.module()
        before = self.descriptors()
        closed = "the server closed the connection"
        self.broken(b"", closed)
        self.broken(b"", "connection reset", reset)
        self.broken(b"SSH-2.0-x\r\n", "the answer is not HTTP")
        self.broken(b"<html>hello</html>", "the answer is not HTTP")
        self.broken(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                    "the answer is not HTTP")
        self.broken(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000, "header too large")
        self.broken(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40_000 + b"\r\n",
                    "header too large")
        self.broken(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, "header too large")
        self.broken(b"HTTP/1.1 200 OK\r\nX: y\r\n", "the answer is cut short")
        self.broken(b"HTTP/1.1 200 OK\r\nX: y", "the answer is cut short")
        self.broken(b"HTTP/1.1 100 Continue\r\n\r\n" * 3000, "header too large")
        self.assertEqual(self.ok("poll all"), "None")
        self.wait_descriptors(before)

    def test_ends_in_the_middle(self):
        """What has come can be read, and the log says how it ended."""
        sock, port = self.listener()
        self.module()
        start = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"
        chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"
        for data, end, error in (
                (start, socket.socket.close, "the answer is cut short"),
                (chunk, socket.socket.close, "the answer is cut short"),
                (start, reset, "connection reset")):
            result, _, peer = self.answered(f"http_get {HOST}:{port}", sock, data)
            self.assertEqual(result.code, 0, result)
            wait_until(lambda: self.ok("poll all -c") == "0,1,5", what="the data")
            end(peer)
            self.assertEqual(self.front.events(1), [f"Request failed: {error}"])
            self.assertEqual(self.read(0, 100), b"12345")
            wait_until(lambda: self.ok("poll all") == "None", what="the end")
            self.front.kept.clear()

    def test_early_answer(self):
        """A server may answer, and close, before it has the body."""
        sock, port = self.listener()
        self.module()
        started, peer = self.begin(f"http_post {HOST}:{port} -l 100000", sock)
        started.result()
        peer.sendall(answer(b"no", "413 Too Large", Connection="close"))
        self.assertEqual(self.front.events(1), ["HTTP response: 413"])
        self.assertEqual(self.ok("http_read_status 0"), "413")
        self.ok("close 0")

    def test_answers_of_100(self):
        sock, port = self.listener()
        self.module()
        result, _, _ = self.answered(
            f"http_get {HOST}:{port}", sock,
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
            + answer(b"done"))
        self.assertEqual(result.events[-1], "HTTP response: 200")
        self.assertEqual(self.body(), b"done")

    def test_body_without_a_length(self):
        sock, port = self.listener()
        self.module()
        result, _, peer = self.answered(f"http_get {HOST}:{port}", sock,
                                        b"HTTP/1.0 200 OK\r\n\r\nhello")
        self.assertEqual(result.body, b"0\r\n")
        self.assertEqual(self.read_all(0, 5), b"hello")
        self.assertEqual(self.ok("poll 0"), "0")
        peer.close()
        wait_until(lambda: self.ok("poll all") == "None", what="the end")

    def test_endless_body(self):
        """The module takes no more than it keeps for a host that does not read."""
        sock, port = self.listener()
        self.module()
        memory = self.memory()
        result, _, peer = self.answered(f"http_get {HOST}:{port}", sock,
                                        b"HTTP/1.1 200 OK\r\n\r\n")
        self.assertEqual(result.code, 0)
        peer.settimeout(0.5)
        sent, piece = 0, bytes(65536)
        try:
            while sent < 100 << 20:
                sent += peer.send(piece)
        except TimeoutError:
            pass
        self.assertLess(sent, 50 << 20)
        self.assertLess(int(self.ok("poll all -c").split(",")[2]), 128 * 1024)
        self.assertLess(self.memory() - memory, 4096)
        # Who reads makes room again.
        self.read_all(0, 16384)
        sending = Background(lambda: peer.send(piece))
        wait_until(lambda: self.read(0, 16384) and not sending.thread.is_alive(),
                   timeout=30, what="room")
        self.ok("close 0")

    def memory(self):
        """KiB that the daemon has."""
        with open(f"/proc/{self.zentrid.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1])

    def test_connection_that_never_stands(self):
        _, port = self.deaf_listener()
        self.module(tcp__client__connect_timeout="100")
        self.assertEqual(self.fails(f"http_get {HOST}:{port}")[-1],
                         "Open failed: timed out")


class Surroundings(HttpCase):
    def test_nothing_is_asked_for_and_nothing_told(self):
        """No compression, proxy or password that the daemon's surroundings name."""
        server = Nginx(self)
        dead = f"http://{HOST}:{free_port()}"
        home = server.directory / "home"
        home.mkdir()
        (home / ".netrc").write_text(f"machine {HOST} login a password b\n")
        environment = {name: dead for name in
                       ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy")}
        self.module(environment=environment | {"HOME": str(home)})
        self.get(server.url("fields"))
        self.assertEqual(self.body(), b"GET||")
        sock, port = self.listener()
        result, (header, _), _ = self.answered(f"http_get {HOST}:{port}/x", sock,
                                               answer())
        self.assertEqual(result.code, 0, result)
        self.assertTrue(header.startswith("GET /x HTTP/1.1\r\n"), header)

    def test_password_of_a_url(self):
        sock, port = self.listener()
        self.module()
        result, (header, _), _ = self.answered(
            f"http_get http://user:secret@{HOST}:{port}/x", sock, answer())
        self.assertIn("Authorization: Basic dXNlcjpzZWNyZXQ=", header)
        self.assertNotIn("secret", "".join(result.events))
        self.assertNotIn("secret", self.zentrid.stderr())

    def test_limits_of_the_profile(self):
        """A request counts as a TCP client."""
        sock, port = self.listener()
        self.module()
        started, _ = self.begin(f"http_get -o {HOST}:{port}", sock)
        started.result()
        for line in (f"http_get {HOST}:{port}", f"tcp_client {HOST} {port}"):
            self.assertEqual(self.fails(line), [TOO_MANY])
        self.assertEqual(self.fails(f"http_download {HOST}:{port}/f"),
                         ["Download failed: too many streams"])
        self.ok("close all")
        self.module(profile="gecko-os-2")
        for handle in range(8):
            self.assertEqual(self.ok(f"http_get -o {HOST}:{port}"), str(handle))
        self.assertEqual(self.fails(f"http_get {HOST}:{port}"), [TOO_MANY])

    def test_stream_that_stays(self):
        server = Nginx(self)
        server.put("f", b"12345")
        self.module(stream__auto_close="0")
        self.ok(f"http_get {server.url('f')}")
        self.assertEqual(self.read_all(0, 5), b"12345")
        self.assertEqual(self.ok("poll 0"), "2")
        self.assertEqual(self.ok("http_read_status 0"), "200")
        self.assertEqual(self.ok("poll 0"), "2")
        self.ok("close 0")

    def test_body_that_is_too_large(self):
        sock, port = self.listener()
        self.module()
        started, _ = self.begin(f"http_post -o {HOST}:{port}", sock)
        started.result()
        for _ in range(4):
            self.write(0, bytes(256 * 1024))
        self.fails("stream_write 0 1", b"x", 9, "Bounds error")
        self.ok("close 0")

    def test_other_streams_are_no_requests(self):
        sock, port = self.listener()
        self.module()
        self.connect(port)
        self.fails("http_read_status 0")
        self.fails("http_add_header 0 A b")
        self.fails("http_read_status 5")


class Ends(HttpCase):
    """Whatever ends first, nothing is left; leaks are seen at the end of each test."""

    def test_daemon(self):
        silent, silent_port = self.listener()
        for line in ("http_get {url}", "http_get -o {url}", "http_download {url}/f",
                     "http_post {url} -l 5"):
            self.module()
            self.front.start(line.format(url=f"{HOST}:{silent_port}"))
            self.accept(silent)
            self.zentrid.stop()

    def test_lingering_request(self):
        sock, port = self.listener()
        self.module()
        for _ in range(6):
            started, peer = self.begin(f"http_post {HOST}:{port} -l 1", sock)
            started.result()
            self.write(0, b"x")
            self.ok("close 0")
            read_request(peer)
        self.zentrid.stop()

    def test_terminal_that_goes(self):
        """The command of a terminal ends with it, and the next one has its turn."""
        sock, port = self.listener()
        self.module(remote_terminal__enabled="1")
        before = self.descriptors()
        rest = self.rest(self.zentrid)
        terminal = self.client(self.port_of("remote_terminal"))
        terminal.sendall(f"http_get {HOST}:{port}\r\n".encode())
        peer = self.accept(sock)
        read_request(peer)
        terminal.close()
        self.assertEqual(peer.recv(1), b"")
        self.assertEqual(rest.command("poll all").body, b"None\r\n")
        rest.close()
        self.wait_descriptors(before)

    def test_reboot(self):
        sock, port = self.listener()
        self.module()
        before = self.descriptors()
        started, peer = self.begin(f"http_get -o {HOST}:{port}", sock)
        started.result()
        self.front.start("reboot")
        self.assertEqual(peer.recv(1), b"")
        self.wait_descriptors(before)

    def test_stream_mode(self):
        """The serial port does not take the answer of a request for its connection."""
        server = Nginx(self)
        server.put("f", b"12345")
        self.front_type = Web
        self.module(bus__mode="stream")
        serial = self.open_serial(self.zentrid)
        self.ok(f"http_get {server.url('f')}")
        self.assertEqual(self.read_all(0, 5), b"12345")
        self.assertNotIn(b"12345", serial.pending())
