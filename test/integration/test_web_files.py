"""The module's files over HTTP: what is served in which form, and to whom."""

import base64
import gzip
import json
import os
import random
import socket
import subprocess
import urllib.parse

from lib.case import Case
from lib.daemon import MAC, module, wait_until
from lib.files import factory_files
from lib.rest import FLAG_COMMAND, FLAG_DATA, FLAG_RESPONSE, Rest, trusting_context
from lib.serial import restart_text

BINARY = FLAG_COMMAND | FLAG_DATA | FLAG_RESPONSE
BYTES = bytes(range(256)) * 20 + b"\r\n\x00$$$\xff"
STYLE = b"body { color: red }\n" * 500
LARGE = random.Random(2).randbytes(3 << 20)
USER, PASSWORD = "user", "secret"
FACTORY = {"http.server.username": USER, "http.server.password": PASSWORD}
# The sanitizer keeps no freed memory, which would count.
LEAN = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:quarantine_size_mb=0"}
GZIP = {"Accept-Encoding": "gzip"}


class Files(Case):
    def serve(self, files=None, factory=None, **settings):
        directory = self.enterContext(factory_files(files or {}))
        files = {"factory": directory, "size": 64 << 20}
        return self.daemon([module(factory=factory, files=files)], **settings)

    def create(self, rest, name, data, options="-o"):
        """As the web apps do it: 2560 bytes at a time."""
        handle = rest.send(f'fcr {options} "{name}" {len(data)}', None, BINARY)
        self.assertEqual(handle.code, 0)
        handle = handle.body.decode().strip()
        for at in range(0, len(data), 2560):
            piece = data[at:at + 2560]
            reply = rest.send(f"write {handle} {len(piece)}", piece, BINARY)
            self.assertEqual(reply.code, 0)

    def curl(self, daemon, path, *options):
        """Status, headers in lower case, body, as curl has them."""
        entry = daemon.listener()
        url = f"{entry['scheme']}://{entry['address']}:{entry['port']}{path}"
        done = subprocess.run(["curl", "-sS", "-k", "-m", "20", "-D", "/dev/stderr",
                               "--path-as-is", *options, url],
                              capture_output=True, timeout=30, check=False)
        head = done.stderr.replace(b"\r", b"").decode().strip().split("\n\n")[-1]
        first, *lines = head.split("\n")
        headers = {name.lower(): value for name, _, value in
                   (text.partition(": ") for text in lines)}
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(first.split()[1]), headers, done.stdout


class Serving(Files):
    def test_file_types(self):
        names = {"a.html": "text/html", "a.css": "text/css", "a.json": "application/json",
                 "a.js": "application/javascript", "a.txt": "text/plain",
                 "a.csv": "text/plain", "a.ico": "image/x-icon", "a.png": "image/png",
                 "a.bin": "application/octet-stream", "a": "application/octet-stream"}
        rest = self.rest(self.serve({name: name.encode() for name in names}))
        for name, kind in names.items():
            answer = rest.get("/" + name)
            self.assertEqual((answer.status, answer.headers["Content-Type"], answer.body),
                             (200, kind, name.encode()))

    def test_with_and_without_a_password(self):
        """Each way to upload, to log in and to fetch gives the same bytes."""
        for tls in (0, 1):
            for factory in ({}, FACTORY):
                daemon = self.serve(factory=factory | {"http.server.tls_enabled": tls})
                rest = self.rest(daemon, user=USER, password=PASSWORD)
                self.create(rest, "closed.bin", BYTES)
                self.create(rest, "open.bin", BYTES, "-o -u")
                reply = rest.send(f"fcr -u small.bin {len(BYTES)}", BYTES, BINARY)
                self.assertEqual(reply.code, 0)
                for name in ("closed.bin", "open.bin", "small.bin"):
                    with self.subTest(tls=tls, factory=factory, name=name):
                        is_open = name != "closed.bin" or not factory
                        status, headers, body = self.curl(daemon, "/" + name)
                        self.assertEqual(status, 200 if is_open else 401)
                        self.assertEqual(body == BYTES, is_open)
                        self.assertEqual("www-authenticate" in headers, not is_open)
                        status, _, body = self.curl(daemon, "/" + name, "-u",
                                                    f"{USER}:{PASSWORD}")
                        self.assertEqual((status, body), (200, BYTES))
                        status, headers, body = self.curl(
                            daemon, "/" + name, "-I", "-o", "/dev/null", "-u",
                            f"{USER}:{PASSWORD}")
                        self.assertEqual((status, body), (200, b""))
                        self.assertEqual(headers["content-length"], str(len(BYTES)))

    def test_large_file(self):
        for tls in (0, 1):
            daemon = self.serve({"large.bin": LARGE},
                                {"http.server.tls_enabled": tls})
            rest = self.rest(daemon)
            for _ in range(2):
                self.assertTrue(rest.get("/large.bin").body == LARGE)
            answer = rest.get("/large.bin", {"Range": "bytes=100000-2100000"})
            self.assertEqual(answer.status, 206)
            self.assertTrue(answer.body == LARGE[100000:2100001])

    def test_memory_and_deletion(self):
        """60 MiB do not sit in memory while they are sent, nor does deletion harm."""
        block = random.Random(3).randbytes(1 << 20)
        large = block * 60
        for tls, stored in ((0, "l.bin"), (1, "l.bin"), (0, "l.bin.gz"), (1, "l.bin.gz")):
            coded = large if stored == "l.bin" else gzip.compress(large, 0)
            daemon = self.serve({stored: coded}, {"http.server.tls_enabled": tls},
                                environment=LEAN)
            entry = daemon.listener()
            control = self.rest(daemon)
            with self.subTest(tls=tls, stored=stored):
                peer = self.peer(entry)
                before = self.memory(daemon)
                peer.sendall(b"GET /l.bin HTTP/1.0\r\n\r\n")
                received = peer.recv(4096)
                body = received[received.index(b"\r\n\r\n") + 4:]
                self.assertEqual(control.command("fde " + stored).code, 0)
                self.assertEqual(control.get("/l.bin").status, 404)
                self.assertLess(self.memory(daemon) - before, 4 << 20)
                pieces = [body]
                while piece := peer.recv(1 << 20):
                    pieces.append(piece)
                self.assertLess(self.memory(daemon) - before, 4 << 20)
                received = b"".join(pieces)
                self.assertEqual(len(received), len(large))
                self.assertTrue(received == large)

    def peer(self, entry):
        peer = socket.create_connection((entry["address"], entry["port"]), 20)
        self.addCleanup(peer.close)
        if entry["scheme"] == "https":
            peer = trusting_context().wrap_socket(peer)
            self.addCleanup(peer.close)
        return peer

    def memory(self, daemon):
        with open(f"/proc/{daemon.pid}/smaps_rollup", encoding="ascii") as rollup:
            return sum(int(line.split()[1]) * 1024 for line in rollup
                       if line.startswith("Private_"))

    def test_client_that_leaves(self):
        for tls in (0, 1):
            daemon = self.serve({"l.bin": LARGE, "l.txt.gz": gzip.compress(LARGE)},
                                {"http.server.tls_enabled": tls})
            entry = daemon.listener()
            self.rest(daemon).close()
            count = wait_until(daemon.descriptors)
            for name in ("l.bin", "l.txt") * 4:
                peer = self.peer(entry)
                peer.sendall(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                peer.recv(1000)
                peer.close()
            wait_until(lambda: daemon.descriptors() <= count, what="closed descriptors")
            self.assertTrue(self.rest(daemon).get("/l.bin").body == LARGE)

    def test_client_that_has_sent_its_last_byte(self):
        """A half-closed connection still gets its answer."""
        daemon = self.serve({"l.bin": LARGE})
        for request, size in ((b"GET /l.bin HTTP/1.0\r\n\r\n", len(LARGE)),
                              (b"GET /command/ver HTTP/1.0\r\n\r\n", 100)):
            peer = self.peer(daemon.listener())
            peer.sendall(request)
            peer.shutdown(socket.SHUT_WR)
            received = b""
            while piece := peer.recv(1 << 20):
                received += piece
            self.assertGreater(len(received), size)

    def test_file_cut_short_on_the_host(self):
        """The client sees that the answer is not whole, and the module lives."""
        for tls in (0, 1):
            daemon = self.serve({"l.bin": LARGE},
                                {"http.server.tls_enabled": tls})
            os.truncate(daemon.nvm_path().parent / "flash" / "00000001", 100000)
            peer = self.peer(daemon.listener())
            peer.sendall(b"GET /l.bin HTTP/1.1\r\nHost: x\r\n\r\n")
            received = 0
            while piece := peer.recv(1 << 20):
                received += len(piece)
            self.assertLess(received, len(LARGE))
            self.assertEqual(self.rest(daemon).command("ver").code, 0)

    def test_root_and_pages(self):
        files = {"webapp/index.html": b"index", "webapp/unauthorized.html": b"go away",
                 "other.html": b"other", ".recovery.html": b"recovery"}
        rest = self.rest(self.serve(files))
        self.assertEqual(rest.get("/").body, b"index")
        self.assertEqual(rest.get("/.recovery.html").body, b"recovery")
        self.assertEqual(rest.get("/none").body, b"Not Found\n")
        rest.command("set http.server.root_filename other.html")
        rest.command("set http.server.notfound_filename .recovery.html")
        self.assertEqual(rest.get("/").body, b"other")
        answer = rest.get("/none", {"Range": "bytes=0-1", "If-None-Match": "*"})
        self.assertEqual((answer.status, answer.body), (404, b"recovery"))
        self.assertEqual(answer.headers["Content-Type"], "text/html")
        rest.command('set http.server.root_filename ""')
        self.assertEqual(rest.get("/").status, 404)
        rest.command("set http.server.password secret")
        for path in ("/", "/other.html", "/none", "/command/ver", "/log"):
            answer = rest.get(path)
            self.assertEqual((answer.status, answer.body), (401, b"go away"))
        self.assertEqual(rest.request("HEAD", "/other.html").status, 401)

    def test_api_disabled(self):
        """Files are served all the same."""
        rest = self.rest(self.serve({"a.txt": b"a"}, {"http.server.api_enabled": 0}))
        self.assertEqual(rest.get("/a.txt").body, b"a")
        self.assertEqual(rest.get("/command/ver").status, 500)

    def test_entity_tags(self):
        daemon = self.serve({"a.txt": b"first", "b.txt": b"first"})
        rest = self.rest(daemon)
        first = rest.get("/a.txt")
        tag = first.headers["ETag"]
        self.assertRegex(tag, '^"[-0-9a-f]+"$')
        self.assertEqual(rest.get("/a.txt").headers["ETag"], tag)
        for value in (tag, "*", "W/" + tag, f'"x", {tag}'):
            for method in ("GET", "HEAD"):
                answer = rest.request(method, "/a.txt", None, {"If-None-Match": value})
                self.assertEqual((answer.status, answer.body, answer.headers["ETag"]),
                                 (304, b"", tag))
                self.assertNotIn("Content-Length", answer.headers)
        self.assertEqual(rest.get("/a.txt", {"If-None-Match": '"x"'}).status, 200)
        part = {"Range": "bytes=0-1"}
        self.assertEqual(rest.get("/a.txt", part | {"If-Range": tag}).body, b"fi")
        self.assertEqual(rest.get("/a.txt", part | {"If-Range": '"x"'}).body, b"first")
        daemon.restart()
        rest = self.rest(daemon)
        self.assertEqual(rest.get("/a.txt").headers["ETag"], tag)
        # Another file of the same length under the name.
        rest.command("fde a.txt")
        rest.send("fcr a.txt 5", b"other", BINARY)
        answer = rest.get("/a.txt", part | {"If-None-Match": tag, "If-Range": tag})
        self.assertEqual((answer.status, answer.body), (200, b"other"))


class Gzip(Files):
    def test_twin(self):
        packed = gzip.compress(STYLE)
        rest = self.rest(self.serve({"w/a.css.gz": packed, "w/b.css.gz": packed,
                                     "w/b.css": b"exact"}))
        answer = rest.get("/w/a.css", GZIP)
        self.assertEqual(answer.body, packed)
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(answer.headers["Content-Type"], "text/css")
        self.assertEqual(answer.headers["Vary"], "Accept-Encoding")
        tag = answer.headers["ETag"]
        for headers in ({}, {"Accept-Encoding": "identity"},
                        {"Accept-Encoding": "br, gzip;q=0"}):
            answer = rest.get("/w/a.css", headers)
            self.assertEqual(answer.body, STYLE)
            self.assertNotIn("Content-Encoding", answer.headers)
            self.assertEqual(answer.headers["Content-Type"], "text/css")
            self.assertEqual(answer.headers["Vary"], "Accept-Encoding")
            self.assertNotEqual(answer.headers["ETag"], tag)
        answer = rest.get("/w/a.css", GZIP | {"If-None-Match": tag})
        self.assertEqual((answer.status, answer.headers["Vary"]),
                         (304, "Accept-Encoding"))
        self.assertEqual(rest.get("/w/a.css", {"If-None-Match": tag}).status, 200)
        # The exact name comes first, and the twin's own name is a file like others.
        answer = rest.get("/w/b.css", GZIP)
        self.assertEqual((answer.body, answer.headers["Vary"]), (b"exact", None))
        answer = rest.get("/w/a.css.gz")
        self.assertEqual((answer.body, answer.headers["Content-Type"]),
                         (packed, "application/gzip"))
        self.assertNotIn("Content-Encoding", answer.headers)

    def test_ranges(self):
        """Of the bytes as they lie in the file; what is decoded is not cut."""
        packed = gzip.compress(STYLE)
        rest = self.rest(self.serve({"a.css.gz": packed}))
        part = {"Range": "bytes=1-3"}
        answer = rest.get("/a.css", GZIP | part)
        self.assertEqual((answer.status, answer.body), (206, packed[1:4]))
        answer = rest.get("/a.css", part)
        self.assertEqual((answer.status, answer.body), (200, STYLE))

    def test_large(self):
        """Decoded in pieces: chunked, or to the end of the connection."""
        text = b"".join(b"line %d\n" % i for i in range(400000))
        packed = gzip.compress(text[:1000000]) + gzip.compress(text[1000000:])
        for tls in (0, 1):
            daemon = self.serve({"a.txt.gz": packed, "b.txt.gz": gzip.compress(text)},
                                {"http.server.tls_enabled": tls})
            rest = self.rest(daemon)
            answer = rest.get("/a.txt")
            self.assertEqual(answer.headers["Transfer-Encoding"], "chunked")
            self.assertTrue(answer.body == text)
            answer = rest.request("HEAD", "/a.txt")
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assertTrue(self.curl(daemon, "/a.txt", "-0")[2] == text)
            status, headers, body = self.curl(daemon, "/b.txt", "--compressed")
            self.assertEqual(headers["content-encoding"], "gzip")
            self.assertTrue((status, body) == (200, text))

    def test_damaged(self):
        packed = gzip.compress(LARGE)
        files = {"a.txt.gz": b"no gzip", "b.txt.gz": gzip.compress(b"x")[:-1],
                 "c.txt.gz": packed[:-1], "d.txt.gz": gzip.compress(STYLE)[:-8] + b"x" * 8,
                 "e.txt.gz": packed[:-8] + b"x" * 8}
        daemon = self.serve(files)
        rest = self.rest(daemon)
        for name in "abd":
            self.assertEqual(rest.get(f"/{name}.txt").status, 500)
            self.assertEqual(rest.get(f"/{name}.txt", GZIP).body, files[name + ".txt.gz"])
        for name in "ce":
            entry = daemon.listener()
            with socket.create_connection((entry["address"], entry["port"]), 10) as peer:
                peer.sendall(f"GET /{name}.txt HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                received = b""
                while piece := peer.recv(1 << 20):
                    received += piece
                self.assertFalse(received.endswith(b"0\r\n\r\n"))

    def test_small_twin_of_a_large_file(self):
        """It is forgotten while what it becomes is still being sent."""
        files = {"a.txt.gz": gzip.compress(bytes(20 << 20), 9)}
        self.assertLess(len(files["a.txt.gz"]), 32768)
        daemon = self.serve(files | {f"{i}.txt": b"x" * 30000 for i in range(5)})
        rest, entry = self.rest(daemon), daemon.listener()
        with socket.create_connection((entry["address"], entry["port"]), 20) as peer:
            peer.sendall(b"GET /a.txt HTTP/1.0\r\n\r\n")
            received = len(peer.recv(1000))
            for i in range(5):
                self.assertEqual(rest.get(f"/{i}.txt").body, b"x" * 30000)
            rest.command("fde a.txt.gz")
            while piece := peer.recv(1 << 20):
                received += len(piece)
        self.assertGreater(received, 20 << 20)

    def test_bomb(self):
        """What becomes a thousand times as large does so in pieces, up to a limit."""
        bomb = gzip.compress(bytes(300 << 20), 9)
        daemon = self.serve({"a.txt.gz": bomb})
        entry = daemon.listener()
        received = 0
        with socket.create_connection((entry["address"], entry["port"]), 20) as peer:
            peer.sendall(b"GET /a.txt HTTP/1.0\r\n\r\n")
            while piece := peer.recv(1 << 20):
                received += len(piece)
        self.assertLess(received, 257 << 20)
        self.assertGreater(received, 200 << 20)


class Whitelist(Files):
    LIST = (b"/command/get wlan.mac, get wlan.ss*,\r\n/command/ver*\n"
            b"/log , \"get%20time.zone\",get wl c")

    def statuses(self, rest, lines):
        """What GET, and POST with and without base64, say to each command."""
        for text in lines:
            quoted = urllib.parse.quote(text, safe="")
            found = {rest.get("/command/" + quoted).status,
                     rest.post("/command", {"command": text + "\r\n"}).status,
                     rest.post("/command", {"flags": 1, "command": base64.b64encode(
                         text.encode()).decode()}).status}
            self.assertEqual(len(found), 1, text)
            yield found.pop()

    def test_entries(self):
        rest = self.rest(self.serve({"http_whitelist.csv": self.LIST}, FACTORY))
        good = ("get wlan.mac", "get wlan.ssid", "get wlan.ss", "ver", "version",
                "ver x", "get time.zone", "get wl c")
        bad = ("get wlan.mac ", "get wlan.macx", " get wlan.mac", "get wlan.passkey",
               "GET wlan.mac", "get  wlan.mac", "ve", "set wlan.ssid x", "get wlan",
               "get wlan.s", "get time.zone ", "reboot", "", "get wl c\0", "xver",
               "get wlan.mac\r\nreboot", "/command/ver", "%2a")
        self.assertEqual({*zip(self.statuses(rest, good), good)} ^
                         {(200, text) for text in good}, set())
        self.assertEqual({*zip(self.statuses(rest, bad), bad)} ^
                         {(401, text) for text in bad}, set())
        self.assertEqual(rest.get("/log").status, 200)
        self.assertEqual(rest.get("/log?x").status, 200)
        for path in ("/log/x", "/stream", "/http_whitelist.csv", "/command", "/", "/ver",
                     "/command/", "//log", "/%6cog", "/command%2fver"):
            self.assertEqual(rest.get(path).status, 401, path)
        self.assertEqual(rest.post("/stream", b"x").status, 401)
        self.assertEqual(rest.post("/command", b"{}").status, 401)
        self.assertEqual(rest.request("HEAD", "/log").status, 401)

    def test_whole_paths(self):
        for entries, paths in ((b"/command", ()), (b"/command/*", ("/command/ver",)),
                               (b"*", ("/command/ver", "/log")), (b"/stream", ())):
            rest = self.rest(self.serve({"http_whitelist.csv": entries, "a.txt": b"a"},
                                        FACTORY))
            for path in ("/command/ver", "/log", "/a.txt"):
                self.assertEqual(rest.get(path).status, 200 if path in paths else 401)
            posts = rest.post("/command", {"command": "ver"}).status
            self.assertEqual(posts, 401 if entries == b"/stream" else 200)
            posts = rest.post("/stream", b"x").status
            self.assertEqual(posts, 200 if entries in (b"*", b"/stream") else 401)

    def test_follows_the_file(self):
        daemon = self.serve(factory=FACTORY)
        owner, guest = self.rest(daemon, user=USER, password=PASSWORD), self.rest(daemon)
        self.assertEqual(guest.get("/command/ver").status, 401)
        owner.send("fcr http_whitelist.csv 3", b"ver", BINARY)
        self.assertEqual(guest.get("/command/ver").status, 200)
        self.assertEqual(owner.command("fde http_whitelist.csv").code, 0)
        self.assertEqual(guest.get("/command/ver").status, 401)
        owner.send("fcr http_whitelist.csv 4", b"/log", BINARY)
        self.assertEqual(guest.get("/command/ver").status, 401)
        self.assertEqual(guest.get("/log").status, 200)
        # The whitelist opens calls, and not itself.
        self.assertEqual(guest.get("/http_whitelist.csv").status, 401)
        self.assertEqual(owner.get("/http_whitelist.csv").body, b"/log")

    def test_large_and_odd_lists(self):
        for text, status in ((b"ver" + b"," * 16382, 401), (b"ver" + b"," * 16381, 200),
                             (b"x," * 256 + b"ver", 401), (b"x," * 255 + b"ver", 200),
                             (b"\x00ver", 401), (b"v\x00er,ver", 200), (b"\xff\xfe", 401),
                             (b",,*x,\"\",ver*ion", 401), (b"%", 401)):
            rest = self.rest(self.serve({"http_whitelist.csv": text}, FACTORY))
            self.assertEqual(rest.get("/command/ver").status, status, text[:20])

    def test_api_disabled(self):
        rest = self.rest(self.serve({"http_whitelist.csv": b"*"},
                                    FACTORY | {"http.server.api_enabled": 0}))
        self.assertEqual(rest.get("/command/ver").status, 401)


class Cors(Files):
    ORIGIN = "http://app.example"
    PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "content-type"}

    def with_origin(self, origin, **factory):
        return self.rest(self.serve({"a.txt": b"a"},
                                    {"http.server.cors_origin": origin} | factory))

    def everywhere(self, rest, headers=None):
        """The header of all kinds of answers."""
        headers = headers or {}
        answers = [rest.get(path, headers) for path in
                   ("/a.txt", "/none", "/command/ver", "/command/none", "/log", "/%zz")]
        answers += [rest.post("/command", b"no JSON"),
                    rest.request("PUT", "/a.txt", None, headers),
                    rest.get("/a.txt", headers | {"If-None-Match": "*"}),
                    rest.get("/a.txt", headers | {"Range": "bytes=9-"})]
        rest.connection.putrequest("GET", "/", skip_host=True)
        rest.connection.putheader("X y", "z")
        rest.connection.endheaders()
        refused = rest.connection.getresponse()
        refused.read()
        self.assertEqual(refused.status, 400)
        answers.append(refused)
        return {answer.headers["Access-Control-Allow-Origin"] for answer in answers}

    def test_empty(self):
        rest = self.rest(self.serve({"a.txt": b"a"}))
        self.assertEqual(self.everywhere(rest, {"Origin": self.ORIGIN}), {None})
        answer = rest.request("OPTIONS", "/command", None, self.PREFLIGHT)
        self.assertEqual(answer.status, 405)
        self.assertFalse([name for name in answer.headers
                          if name.lower().startswith("access-control")])

    def test_one_origin(self):
        for origin in (self.ORIGIN, "*"):
            self.assertEqual(self.everywhere(self.with_origin(origin)), {origin})
            for credentials in ({}, {"http__server__password": "x"}):
                factory = {name.replace("__", "."): value
                           for name, value in credentials.items()}
                rest = self.with_origin(origin, **factory)
                for path in ("/command", "/command/ver", "/log", "/a.txt", "/none", "*"):
                    answer = rest.request("OPTIONS", path, None, self.PREFLIGHT)
                    self.assertEqual((answer.status, answer.body), (200, b""))
                    allowed = {name: answer.headers["Access-Control-Allow-" + name]
                               for name in ("Origin", "Methods", "Headers")}
                    self.assertEqual(allowed["Origin"], origin)
                    self.assertIn("POST", allowed["Methods"])
                    self.assertIn("Content-Type", allowed["Headers"])
                    self.assertIn("Authorization", allowed["Headers"])
                    self.assertEqual(answer.headers["Access-Control-Max-Age"], "600")
                    self.assertEqual(answer.headers["Content-Length"], "0")
        answer = rest.get("/command/ver")
        self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]),
                         (401, "*"))

    def test_list_of_origins(self):
        for origin in ("http://x.example, " + self.ORIGIN, self.ORIGIN + " null"):
            rest = self.with_origin(origin)
            for given, allowed in ((self.ORIGIN, self.ORIGIN), (None, None),
                                   ("http://app.exampl", None),
                                   ("http://app.example.org", None),
                                   ("http://evil.example", None)):
                headers = {} if given is None else {"Origin": given}
                for path in ("/a.txt", "/command/ver", "/none"):
                    answer = rest.get(path, headers)
                    self.assertEqual(answer.headers["Access-Control-Allow-Origin"],
                                     allowed)
                    self.assertEqual(answer.headers["Vary"], "Origin")

    def test_private_network(self):
        rest = self.with_origin(self.ORIGIN)
        asked = {"Access-Control-Request-Private-Network": "true"}
        answer = rest.request("OPTIONS", "/command", None, self.PREFLIGHT | asked)
        self.assertEqual(answer.headers["Access-Control-Allow-Private-Network"], "true")

    def test_acts_on_network_restart(self):
        daemon = self.serve()
        rest, serial = self.rest(daemon), self.serial(daemon)
        rest.command("set http.server.cors_origin *")
        name = "Access-Control-Allow-Origin"
        self.assertNotIn(name, rest.get("/log").headers)
        serial.command("network_restart")
        serial.expect(restart_text())
        self.assertEqual(self.rest(daemon).get("/log").headers[name], "*")


class Clients(Files):
    def test_more_clients_than_may_be(self):
        """An address is a client: an idle one gives way, a busy one does not."""
        daemon = self.serve({"l.bin": LARGE * 4}, {"http.server.max_clients": 2})
        entry = daemon.listener()

        def client(last, request):
            peer = socket.create_connection((entry["address"], entry["port"]), 10,
                                            (f"127.0.0.{last}", 0))
            self.addCleanup(peer.close)
            peer.sendall(request + b" HTTP/1.1\r\nHost: x\r\n\r\n")
            return peer, peer.recv(100)[9:12]

        asked, large = b"GET /command/ver", b"GET /l.bin"
        first = [client(2, asked) for _ in range(5)]
        second = client(3, asked)
        self.assertEqual({status for _, status in first + [second]}, {b"200"})
        third = client(4, large)
        self.assertEqual(third[1], b"200")
        for peer, _ in first:
            while peer.recv(1000):
                pass
        fourth = client(5, large)
        self.assertEqual(fourth[1], b"200")
        fifth = client(6, asked)
        self.assertEqual(fifth[1], b"503")
        self.assertEqual(client(5, asked)[1], b"200")
        third[0].close()
        wait_until(lambda: client(6, asked)[1] == b"200", what="a place")

    def test_idle_connections(self):
        """A thousand of them, each silent: commands are served as ever."""
        daemon = self.serve()
        entry = daemon.listener()
        for _ in range(1000):
            peer = socket.create_connection((entry["address"], entry["port"]), 10)
            self.addCleanup(peer.close)
        for _ in range(40):
            with Rest(daemon) as rest:
                self.assertEqual(rest.command("ver").code, 0)

    def test_slow_heads_give_way(self):
        """So do those that have begun to send, and do not go on."""
        daemon = self.serve()
        entry = daemon.listener()
        for _ in range(32):
            peer = socket.create_connection((entry["address"], entry["port"]), 10)
            self.addCleanup(peer.close)
            peer.sendall(b"GET /log HTTP/1.1\r\nX")
        self.assertEqual(self.rest(daemon).command("ver").code, 0)


class Fetch(Files):
    SCRIPT = """
const [url, token] = process.argv.slice(1);
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
const headers = { Authorization: "Basic " + token };
const out = [];
const get = async (path, more) => {
    const answer = await fetch(url + path, { headers: { ...headers, ...more } });
    const body = Buffer.from(await answer.arrayBuffer());
    out.push([answer.status, body.toString("base64"),
              answer.headers.get("content-encoding")]);
    return answer;
};
const answer = await get("/a.css");
await get("/a.css", { "If-None-Match": answer.headers.get("etag") });
await get("/large.bin");
await get("/large.bin", { Range: "bytes=5-9" });
await get("/none");
const posted = await fetch(url + "/command", { method: "POST", headers,
    body: JSON.stringify({ flags: 0, command: "get wlan.mac" }) });
out.push([posted.status, (await posted.json()).response]);
console.log(JSON.stringify(out));
"""

    def test_node(self):
        for tls in (0, 1):
            daemon = self.serve({"a.css.gz": gzip.compress(STYLE), "large.bin": LARGE},
                                FACTORY | {"http.server.tls_enabled": tls})
            entry = daemon.listener()
            token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            done = subprocess.run(
                ["node", "--no-warnings", "--input-type=module", "-e", self.SCRIPT,
                 f"{entry['scheme']}://{entry['address']}:{entry['port']}", token],
                capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            style, same, large, part, none, posted = json.loads(done.stdout)
            self.assertEqual(style, [200, base64.b64encode(STYLE).decode(), "gzip"])
            self.assertEqual(same[:2], [304, ""])
            self.assertTrue(large[1] == base64.b64encode(LARGE).decode())
            self.assertEqual(part[:2], [206, base64.b64encode(LARGE[5:10]).decode()])
            self.assertEqual(none[0], 404)
            self.assertEqual(posted, [200, MAC + "\r\n"])
