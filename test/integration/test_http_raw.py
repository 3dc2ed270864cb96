"""Requests as bytes: tricks with paths, framing, ranges and sizes. Each has its status, and
the connection behind it is open, and then serves another request, or closed."""

import socket

from lib.case import Case
from lib.daemon import MAC, module
from lib.files import factory_files

OPEN, CLOSED = "open", "closed"
PAGE = b"<p>page</p>\n" * 10
HEAD = b"Host: module\r\n"
NEXT = b"GET /command/get%20wlan.mac HTTP/1.1\r\n" + HEAD + b"\r\n"
BODY = b'{"command":"get wlan.mac"}'
BODY_MAX = 65536
HEADERS_MAX = 8192
FILES = {"page.html": PAGE, "a b.txt": b"blank", "caf\u00e9.txt": b"utf-8",
         "100%.txt": b"percent", "..dots": b"dots", ".hidden": b"hidden",
         "dir/file.txt": b"deep", "back\\slash.txt": b"back", "q?.txt": b"question",
         "a%20b.txt": b"escape", "webapp/index.html": b"root", "plus+.txt": b"plus"}


def line(start, headers=b"", body=b"", host=HEAD):
    return start + b"\r\n" + host + headers + b"\r\n" + body


def get(target, headers=b"", method=b"GET"):
    return line(method + b" " + target + b" HTTP/1.1", headers)


def post(headers, body=BODY, version=b"1.1", method=b"POST"):
    return line(method + b" /command HTTP/" + version, headers, body)


def length(size):
    return b"Content-Length: %d\r\n" % size


GOOD = length(len(BODY))
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def chunked(body, headers=b""):
    return post(CHUNKED + headers, body)


PATHS = [
    # target, status, bytes of the file
    (b"/page.html", 200, PAGE),
    (b"/page.html?", 200, PAGE),
    (b"/page.html?a=b&c=/../d", 200, PAGE),
    (b"/page.html%3F", 404, None),
    (b"/%70age.html", 200, PAGE),
    (b"/%70%61%67%65%2E%68%74%6D%6C", 200, PAGE),
    (b"/%2570age.html", 404, None),
    (b"/a%20b.txt", 200, b"blank"),
    (b"/a%2520b.txt", 200, b"escape"),
    (b"/a+b.txt", 404, None),
    (b"/plus+.txt", 200, b"plus"),
    (b"/plus%2b.txt", 200, b"plus"),
    (b"/caf%C3%A9.txt", 200, b"utf-8"),
    (b"/caf\xc3\xa9.txt", 200, b"utf-8"),
    (b"/caf%E9.txt", 404, None),
    (b"/100%25.txt", 200, b"percent"),
    (b"/100%.txt", 400, None),
    (b"/..dots", 200, b"dots"),
    (b"/.hidden", 200, b"hidden"),
    (b"/%2ehidden", 200, b"hidden"),
    (b"/dir/file.txt", 200, b"deep"),
    (b"/dir%2Ffile.txt", 200, b"deep"),
    (b"/dir//file.txt", 404, None),
    (b"/dir/./file.txt", 404, None),
    (b"/x/../page.html", 404, None),
    (b"/x/%2e%2e/page.html", 404, None),
    (b"//page.html", 404, None),
    (b"/./page.html", 404, None),
    (b"/page.html/", 404, None),
    (b"/page.html/.", 404, None),
    (b"/page.html.", 404, None),
    (b"/page.html%20", 404, None),
    (b"/PAGE.HTML", 404, None),
    (b"/page.html;a", 404, None),
    (b"/page.html#a", 404, None),
    (b"/page.html%00", 400, None),
    (b"/page.html%00.txt", 400, None),
    (b"/%00", 400, None),
    (b"/%", 400, None),
    (b"/%2", 400, None),
    (b"/%zz", 400, None),
    (b"/%-1", 400, None),
    (b"/%0d%0aX:%20y", 404, None),
    (b"/%7f", 404, None),
    (b"/back\\slash.txt", 200, b"back"),
    (b"/back%5Cslash.txt", 200, b"back"),
    (b"/back/slash.txt", 404, None),
    (b"/q%3F.txt", 200, b"question"),
    (b"/q?.txt", 404, None),
    (b"/../../../../etc/passwd", 404, None),
    (b"/..%2f..%2f..%2fetc%2fpasswd", 404, None),
    (b"/%2e%2e/%2e%2e/etc/passwd", 404, None),
    (b"/%2e%2e%2f%2e%2e%2fetc/passwd", 404, None),
    (b"/%252e%252e%252fetc/passwd", 404, None),
    (b"/..%5c..%5cetc%5cpasswd", 404, None),
    (b"/..\\..\\etc\\passwd", 404, None),
    (b"/%c0%ae%c0%ae/etc/passwd", 404, None),
    (b"/%c0%ae%c0%ae%c0%afetc%c0%afpasswd", 404, None),
    (b"/%e0%80%ae%e0%80%ae/etc/passwd", 404, None),
    (b"/%f0%80%80%ae/etc/passwd", 404, None),
    (b"/%uff0e%uff0e/etc/passwd", 400, None),
    (b"/%fe%fe%ff%ff", 404, None),
    (b"//etc/passwd", 404, None),
    (b"/etc/passwd", 404, None),
    (b"/proc/self/environ", 404, None),
    (b"/file:///etc/passwd", 404, None),
    (b"/index.json", 404, None),
    (b"/00000001", 404, None),
    (b"/../index.json", 404, None),
    (b"/../nvm.json", 404, None),
    (b"/flash/00000001", 404, None),
    (b"/" + b"a" * 95, 404, None),
    (b"/" + b"a" * 96, 404, None),
    (b"/" + b"a" * 5000, 404, None),
    (b"/" + b"%61" * 2000, 404, None),
    (b"/" + b"../" * 1000, 404, None),
    (b"/", 200, b"root"),
    (b"/?", 200, b"root"),
    (b"/?x=y", 200, b"root"),
    (b"http://module/page.html", 200, PAGE),
    (b"http://module:80/page.html?x", 200, PAGE),
    (b"HTTP://other/page.html", 200, PAGE),
    (b"https://module/page.html", 200, PAGE),
    (b"http://module", 200, b"root"),
    (b"http://module/", 200, b"root"),
    (b"/<script>", 404, None),
    (b"/\"quoted\"", 404, None),
    (b"/{}|^`", 404, None),
    (b"/commands", 404, None),
    (b"/command.txt", 404, None),
    (b"/log/x", 404, None),
]

# What is not a request line, or not one for a file.
LINES = [
    (b"GET /page.html HTTP/1.1", 200, OPEN),
    (b"GET /page.html HTTP/1.0", 200, CLOSED),
    (b"GET /page.html HTTP/1.2", 200, OPEN),
    (b"GET  /page.html HTTP/1.1", 400, CLOSED),
    (b"GET /page.html  HTTP/1.1", 400, CLOSED),
    (b" GET /page.html HTTP/1.1", 400, CLOSED),
    (b"GET /page.html HTTP/1.1 ", 400, CLOSED),
    (b"GET\t/page.html\tHTTP/1.1", 400, CLOSED),
    (b"GET /page.html\tHTTP/1.1", 400, CLOSED),
    (b"GET /pa ge.html HTTP/1.1", 400, CLOSED),
    (b"GET /page.html", 400, CLOSED),
    (b"GET", 400, CLOSED),
    (b"GET /", 400, CLOSED),
    (b"GET HTTP/1.1", 400, CLOSED),
    (b"/page.html HTTP/1.1", 400, CLOSED),
    (b"GET page.html HTTP/1.1", 400, CLOSED),
    (b"GET * HTTP/1.1", 400, CLOSED),
    (b"GET ftp://x/page.html HTTP/1.1", 400, CLOSED),
    (b"GET ../page.html HTTP/1.1", 400, CLOSED),
    (b"GET \\page.html HTTP/1.1", 400, CLOSED),
    (b"GET /page.html HTTP/0.9", 505, CLOSED),
    (b"GET /page.html HTTP/2.0", 505, CLOSED),
    (b"GET /page.html HTTP/9.9", 505, CLOSED),
    (b"PRI * HTTP/2.0", 505, CLOSED),
    (b"GET /page.html HTTP/1.10", 400, CLOSED),
    (b"GET /page.html HTTP/11", 400, CLOSED),
    (b"GET /page.html HTTP/1.", 400, CLOSED),
    (b"GET /page.html HTTP/1.x", 400, CLOSED),
    (b"GET /page.html HTTP/-1.1", 400, CLOSED),
    (b"GET /page.html http/1.1", 400, CLOSED),
    (b"GET /page.html HTTPS/1.1", 400, CLOSED),
    (b"GET /page.html RTSP/1.1", 400, CLOSED),
    (b"get /page.html HTTP/1.1", 501, CLOSED),
    (b"GE /page.html HTTP/1.1", 501, CLOSED),
    (b"GETT /page.html HTTP/1.1", 501, CLOSED),
    (b"NONSENSE /page.html HTTP/1.1", 501, CLOSED),
    (b"G\"T /page.html HTTP/1.1", 400, CLOSED),
    (b"CONNECT module:80 HTTP/1.1", 501, CLOSED),
    (b"TRACE /page.html HTTP/1.1", 405, OPEN),
    (b"PUT /page.html HTTP/1.1", 405, OPEN),
    (b"DELETE /page.html HTTP/1.1", 405, OPEN),
    (b"PATCH /page.html HTTP/1.1", 405, OPEN),
    (b"POST /page.html HTTP/1.1", 405, OPEN),
    (b"OPTIONS /page.html HTTP/1.1", 405, OPEN),
    (b"OPTIONS * HTTP/1.1", 405, OPEN),
    (b"POST /command HTTP/1.1", 400, OPEN),  # no JSON
    (b"POST /log HTTP/1.1", 405, OPEN),
    (b"HEAD /command/ver HTTP/1.1", 405, OPEN),
    (b"GET /command HTTP/1.1", 400, OPEN),
    (b"GET /command/ver HTTP/1.1", 200, OPEN),
    (b"GET /pa\x00ge.html HTTP/1.1", 400, CLOSED),
    (b"GET /page.html\x0b HTTP/1.1", 400, CLOSED),
    (b"GET /page.html\x7f HTTP/1.1", 400, CLOSED),
    (b"GET /page.html\r HTTP/1.1", 400, CLOSED),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400, CLOSED),
    (b"\xff\xfe\xfd", 400, CLOSED),
    (b"SSH-2.0-OpenSSH_9.2", 400, CLOSED),
]

# What else is wrong with a head; each goes behind a request line for a file.
HEADERS = [
    (b"", 200, OPEN),
    (b"X-Any: thing\r\n", 200, OPEN),
    (b"X-Empty:\r\n", 200, OPEN),
    (b"X-Tab:\ta\t\r\n", 200, OPEN),
    (b"X-Latin: caf\xe9\r\n", 200, OPEN),
    (b"X: a\r\nX: b\r\n", 200, OPEN),
    (b"Connection: close\r\n", 200, CLOSED),
    (b"Connection: CLOSE\r\n", 200, CLOSED),
    (b"Connection: keep-alive\r\n", 200, OPEN),
    (b"Host: other\r\n", 400, CLOSED),
    (b"Host : module\r\n", 400, CLOSED),
    (b" Host: module\r\n", 400, CLOSED),
    (b"\tX: a\r\n", 400, CLOSED),
    (b"X: a\r\n b\r\n", 400, CLOSED),
    (b"X: a\r\n\tb\r\n", 400, CLOSED),
    (b"X : a\r\n", 400, CLOSED),
    (b"X\t: a\r\n", 400, CLOSED),
    (b"X a: b\r\n", 400, CLOSED),
    (b": a\r\n", 400, CLOSED),
    (b"X\r\n", 400, CLOSED),
    (b"X(a): b\r\n", 400, CLOSED),
    (b"X\xe9: b\r\n", 400, CLOSED),
    (b"X: a\x00b\r\n", 400, CLOSED),
    (b"X\x00: b\r\n", 400, CLOSED),
    (b"X: a\x01\r\n", 400, CLOSED),
    (b"X: a\x7f\r\n", 400, CLOSED),
    (b"X: a\rb\r\n", 400, CLOSED),
    (b"X: a\r\r\n", 400, CLOSED),
    (b"X: a\n", 400, CLOSED),
    (b"X: a\n\nGET / HTTP/1.1\r\n", 400, CLOSED),
    (b"Content-Length: 0\r\n", 200, OPEN),
    (b"Content-Length: 0\r\nContent-Length: 0\r\n", 400, CLOSED),
    (b"Content-Length: x\r\n", 400, CLOSED),
    (b"Content-Length:\r\n", 400, CLOSED),
    (b"Transfer-Encoding: identity\r\n", 400, CLOSED),
    (b"Expect: nonsense\r\n", 200, OPEN),
    (b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n", 200, CLOSED),
    (b"X: " + b"a" * HEADERS_MAX + b"\r\n", 431, CLOSED),
    (b"X: a\r\n" * 2000, 431, CLOSED),
]

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
WEBSOCKET = (b"Sec-WebSocket-Version: 13\r\n"
             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")

# How a body may be announced, and must not.
BODIES = [
    (post(GOOD), 200, OPEN),
    (post(b"Content-Length: 0026\r\n"), 200, OPEN),
    (post(b"CONTENT-LENGTH:26\r\n"), 200, OPEN),
    (post(b"Content-Length: \t26 \t\r\n"), 200, OPEN),
    (post(GOOD, version=b"1.0"), 200, CLOSED),
    (post(GOOD + GOOD), 400, CLOSED),
    (post(GOOD + length(5)), 400, CLOSED),
    (post(length(5) + b"X: y\r\n" + GOOD), 400, CLOSED),
    (post(b"Content-Length: 26, 26\r\n"), 400, CLOSED),
    (post(b"Content-Length: 26,5\r\n"), 400, CLOSED),
    (post(b"Content-Length: +26\r\n"), 400, CLOSED),
    (post(b"Content-Length: -26\r\n"), 400, CLOSED),
    (post(b"Content-Length: 26 5\r\n"), 400, CLOSED),
    (post(b"Content-Length: 2 6\r\n"), 400, CLOSED),
    (post(b"Content-Length: 0x1a\r\n"), 400, CLOSED),
    (post(b"Content-Length: 26.0\r\n"), 400, CLOSED),
    (post(b"Content-Length: 26;\r\n"), 400, CLOSED),
    (post(b"Content-Length: \"26\"\r\n"), 400, CLOSED),
    (post(b"Content-Length: \xb226\r\n"), 400, CLOSED),
    (post(b"Content-Length : 26\r\n"), 400, CLOSED),
    (post(b" Content-Length: 26\r\n"), 400, CLOSED),
    (post(b"Content-Length: 26\r\n\t0\r\n"), 400, CLOSED),
    (post(b"Content-Length:\r\n 26\r\n"), 400, CLOSED),
    (post(b"Content-Length: 26\x00\r\n"), 400, CLOSED),
    (post(b"Content-Length: 26\x0b\r\n"), 400, CLOSED),
    (post(b"Content-Length: 18446744073709551642\r\n"), 413, CLOSED),
    (post(b"Content-Length: 4294967322\r\n"), 413, CLOSED),
    (post(b"Content-Length: 99999999999999999999999999\r\n"), 413, CLOSED),
    (post(length(BODY_MAX + 1), BODY), 413, CLOSED),
    (post(length(BODY_MAX), BODY + b" " * (BODY_MAX - len(BODY))), 200, OPEN),
    (post(length(2), b"{}"), 400, OPEN),  # no command
    (post(GOOD + CHUNKED), 400, CLOSED),
    (post(CHUNKED + GOOD), 400, CLOSED),
    (post(CHUNKED + b"Content-Length: 0\r\n", b"0\r\n\r\n"), 400, CLOSED),
    (post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n"), 400, CLOSED),
    (post(CHUNKED + CHUNKED, b"0\r\n\r\n"), 400, CLOSED),
    (post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 400, CLOSED),
    (post(b"Transfer-Encoding: chunked, chunked\r\n", b"0\r\n\r\n"), 400, CLOSED),
    (post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"), 400, CLOSED),
    (post(b"Transfer-Encoding: identity\r\n" + GOOD), 400, CLOSED),
    (post(b"Transfer-Encoding:\r\n" + GOOD), 400, CLOSED),
    (post(b"Transfer-Encoding: xchunked\r\n" + GOOD), 400, CLOSED),
    (post(b"Transfer-Encoding: \x0bchunked\r\n" + GOOD), 400, CLOSED),
    (post(b"Transfer-Encoding : chunked\r\n" + GOOD), 400, CLOSED),
    (post(b"Transfer-Encoding\t: chunked\r\n" + GOOD), 400, CLOSED),
    (post(b" Transfer-Encoding: chunked\r\n" + GOOD), 400, CLOSED),
    (post(b"X: y\r\n Transfer-Encoding: chunked\r\n" + GOOD), 400, CLOSED),
    (post(b"X: y\nTransfer-Encoding: chunked\r\n" + GOOD), 400, CLOSED),
    (post(b"X: y\rTransfer-Encoding: chunked\r\n" + GOOD), 400, CLOSED),
    (post(b"Transfer-Encoding: chun\r\n ked\r\n", b"0\r\n\r\n"), 400, CLOSED),
    (post(CHUNKED, b"0\r\n\r\n", version=b"1.0"), 400, CLOSED),
    (chunked(b"1a\r\n" + BODY + b"\r\n0\r\n\r\n"), 200, OPEN),
    (chunked(b"1A\r\n" + BODY + b"\r\n0\r\n\r\n"), 200, OPEN),
    (chunked(b"00001a\r\n" + BODY + b"\r\n00\r\n\r\n"), 200, OPEN),
    (chunked(b"1a;name=value\r\n" + BODY + b"\r\n0;last\r\n\r\n"), 200, OPEN),
    (chunked(b"1a \r\n" + BODY + b"\r\n0\r\n\r\n"), 200, OPEN),
    (chunked(b"a\r\n" + BODY[:10] + b"\r\n10\r\n" + BODY[10:] + b"\r\n0\r\n\r\n"),
     200, OPEN),
    (chunked(b"1a\r\n" + BODY + b"\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n"),
     200, OPEN),
    # A password too late to count.
    (chunked(b"1a\r\n" + BODY + b"\r\n0\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n"),
     200, OPEN),
    (post(b"transfer-encoding: CHUNKED\r\n", b"1a\r\n" + BODY + b"\r\n0\r\n\r\n"),
     200, OPEN),
    (chunked(b"0\r\n\r\n"), 400, OPEN),  # no JSON
    (chunked(b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"x\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"-1\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"+1a\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b" 1a\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"0x1a\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a,\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1 a\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a\r" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a\r\n" + BODY + b"\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a\r\n" + BODY + b"0\r\n\r\n"), 400, CLOSED),
    (chunked(b"19\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1b\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a\x00\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a;\x00\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a;\n\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a;" + b"x" * 300 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a\r\n" + BODY + b"\r\n0\r\nX: a\nY: b\r\n\r\n"), 400, CLOSED),
    (chunked(b"1a\r\n" + BODY + b"\r\n0\r\n" + b"X: y\r\n" * 30000 + b"\r\n"),
     400, CLOSED),
    (chunked(b"10001\r\n"), 413, CLOSED),
    (chunked(b"ffffffff\r\n"), 413, CLOSED),
    (chunked(b"10000000000000000\r\n"), 413, CLOSED),
    (chunked(b"10000000000000001a\r\n" + BODY + b"\r\n0\r\n\r\n"), 413, CLOSED),
    (chunked((b"8000\r\n" + b" " * 32768 + b"\r\n") * 3), 413, CLOSED),
    # Who has a body to send changes to no other protocol, and is looked at like others.
    (post(GOOD + UPGRADE), 200, OPEN),
    (post(UPGRADE + length(BODY_MAX + 1), BODY), 413, CLOSED),
    (post(CHUNKED + UPGRADE, b"1a\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (post(CHUNKED + UPGRADE, b"0x1a\r\n" + BODY + b"\r\n0\r\n\r\n"), 400, CLOSED),
    (post(CHUNKED + UPGRADE, b"1a\r\n" + BODY + b"\r\n0\r\nX: y\r\n\r\n"), 200, OPEN),
    (get(b"/stream", UPGRADE + WEBSOCKET + length(4)) + b"body", 400, OPEN),
    # A body where none is used: it is not the next request.
    (get(b"/page.html", length(len(NEXT))) + NEXT, 200, OPEN),
    (get(b"/page.html", CHUNKED) + b"5\r\nGET /\r\n0\r\n\r\n", 200, OPEN),
    (get(b"/page.html", length(len(NEXT)), b"HEAD") + NEXT, 200, OPEN),
    (get(b"/page.html", CHUNKED, b"HEAD") + b"5\r\nGET /\r\n0\r\n\r\n", 200, OPEN),
    (get(b"/page.html", CHUNKED, b"TRACE") + b"5\r\nGET /\r\n0\r\n\r\n", 405, OPEN),
    (get(b"/page.html", length(4), b"DELETE") + b"body", 405, OPEN),
    (get(b"/page.html", length(4), b"OPTIONS") + b"body", 405, OPEN),
]

RANGES = [
    # Range, status, the part
    (b"bytes=0-0", 206, PAGE[:1]),
    (b"bytes=0-9", 206, PAGE[:10]),
    (b"bytes=5-", 206, PAGE[5:]),
    (b"bytes=-5", 206, PAGE[-5:]),
    (b"bytes=-500", 206, PAGE),
    (b"bytes=119-119", 206, PAGE[119:]),
    (b"bytes=10-10000", 206, PAGE[10:]),
    (b"bytes=0-99999999999999999999999", 206, PAGE),
    (b"bytes=00000000000000000000005-6", 206, PAGE[5:7]),
    (b"BYTES=1-2", 206, PAGE[1:3]),
    (b"bytes= 1-2 ", 206, PAGE[1:3]),
    (b"bytes=120-", 416, None),
    (b"bytes=120-121", 416, None),
    (b"bytes=99999999999999999999999-", 416, None),
    (b"bytes=-0", 416, None),
    (b"bytes=5-4", 200, PAGE),
    (b"bytes=-", 200, PAGE),
    (b"bytes=", 200, PAGE),
    (b"bytes", 200, PAGE),
    (b"bytes=a-b", 200, PAGE),
    (b"bytes=1-2-3", 200, PAGE),
    (b"bytes=1 - 2", 200, PAGE),
    (b"bytes=--1", 200, PAGE),
    (b"bytes=1-+2", 200, PAGE),
    (b"bytes=0x1-2", 200, PAGE),
    (b"bytes=0-1,3-4", 200, PAGE),
    (b"bytes=0-1,", 200, PAGE),
    (b"lines=0-1", 200, PAGE),
    (b"", 200, PAGE),
    (b"bytes=" + b",".join([b"0-"] * 500), 200, PAGE),
]


class Peer:
    """A connection that gives one answer after the other."""

    def __init__(self, entry):
        self.socket = socket.create_connection((entry["address"], entry["port"]), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # it may have been refused before its end

    def more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError(f"closed after {self.buffer[:500]!r}")
        self.buffer += piece

    def answer(self, method=b"GET"):
        """Status, headers in lower case, body."""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for text in lines:
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        if method == b"HEAD":
            size = 0
        while len(self.buffer) < size:
            self.more()
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return int(first.split()[1]), headers, body

    def is_at_end(self):
        try:
            return self.buffer + self.socket.recv(4096) == b""
        except ConnectionResetError:
            return False

    def close(self):
        self.socket.close()


class Raw(Case):
    def setUp(self):
        self.entry = self.serve()

    def serve(self, **factory):
        directory = self.enterContext(factory_files(FILES))
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        daemon = self.daemon([module(factory=factory, files={"factory": directory})])
        return daemon.listener()

    def check(self, request, status, state=OPEN, count=1):
        """The answer to the last of count requests."""
        peer = Peer(self.entry)
        try:
            peer.send(request)
            for _ in range(count):
                answer = peer.answer(request.split(b" ", 1)[0])
            self.assertEqual(answer[0], status, answer)
            if state == OPEN:
                peer.send(NEXT)
                status, _, body = peer.answer()
                self.assertEqual((status, MAC.encode() in body), (200, True))
            else:
                self.assertTrue(peer.is_at_end(), "not closed, or another answer")
            return answer
        finally:
            peer.close()

    def test_paths(self):
        for target, status, contents in PATHS:
            with self.subTest(target[:60]):
                _, _, body = self.check(get(target), status)
                if contents is not None:
                    self.assertEqual(body, contents)

    def test_request_lines(self):
        for start, status, state in LINES:
            with self.subTest(start[:60]):
                host = b"" if b"\xff" in start or b"\x16" in start else HEAD
                self.check(line(start, host=host), status, state)

    def test_headers(self):
        for headers, status, state in HEADERS:
            with self.subTest(headers[:60]):
                self.check(get(b"/page.html", headers), status, state)

    def test_bodies(self):
        for request, status, state in BODIES:
            with self.subTest(request[24:120]):
                self.check(request, status, state)

    def test_ranges(self):
        for value, status, part in RANGES:
            with self.subTest(value[:60]):
                request = get(b"/page.html", b"Range: " + value + b"\r\n")
                _, headers, body = self.check(request, status)
                if part is not None:
                    self.assertEqual(body, part)
                if status == 206:
                    first = PAGE.rindex(part) if value == b"bytes=-5" else \
                        int(value.split(b"=")[1].split(b"-")[0] or 0)
                    self.assertEqual(headers["content-range"],
                                     f"bytes {first}-{first + len(part) - 1}/120")
                elif status == 416:
                    self.assertEqual(headers["content-range"], "bytes */120")

    def test_each_byte_alone(self):
        """However the bytes come, the answer is the same."""
        for request, status, state in (
                (get(b"/page.html"), 200, OPEN), (post(GOOD), 200, OPEN),
                (chunked(b"1a;x\r\n" + BODY + b"\r\n0\r\nX: y\r\n\r\n"), 200, OPEN),
                (chunked(b"1a\r\n" + BODY + b"\r\n0\r\n\n"), 400, CLOSED),
                (get(b"/page.html", b"X : y\r\n"), 400, CLOSED),
                (b"\r\n" + get(b"/page.html"), 200, OPEN)):
            with self.subTest(request[:120]):
                peer = Peer(self.entry)
                for i in range(len(request)):
                    peer.send(request[i:i + 1])
                answer = peer.answer()
                self.assertEqual(answer[0], status)
                if state == CLOSED:
                    self.assertTrue(peer.is_at_end())
                peer.close()

    def test_pipelined(self):
        """What is refused is refused in its turn, and ends the row."""
        good, bad = get(b"/page.html"), get(b"/page.html", b"X : y\r\n")
        self.check(good * 20, 200, OPEN, 20)
        self.check(post(GOOD) * 20, 200, OPEN, 20)
        self.check(good * 5 + bad, 400, CLOSED, 6)
        self.check(good * 5 + bad + good, 400, CLOSED, 6)
        self.check(good + chunked(b"zz\r\n") + good, 400, CLOSED, 2)
        self.check(chunked(b"1a\r\n" + BODY + b"\r\n0\r\n\r\n") * 5, 200, OPEN, 5)
        self.check(b"\r\n".join([good] * 5), 200, OPEN, 5)

    def test_empty_lines(self):
        self.check(b"\r\n" * 10 + get(b"/page.html"), 200, OPEN)
        self.check(b"\r\n" * 100 + get(b"/page.html"), 400, CLOSED)
        self.check(b"\n" + get(b"/page.html"), 400, CLOSED)

    def test_long_request_line(self):
        self.check(get(b"/" + b"a" * HEADERS_MAX), 414, CLOSED)
        self.check(b"G" * 100000, 414, CLOSED)

    def test_answer_to_who_still_sends(self):
        """It is not lost although the connection is closed: the rest is still read."""
        body = b" " * (4 << 20)
        peer = Peer(self.entry)
        peer.socket.sendall(post(length(len(body)), body))
        status, headers, _ = peer.answer()
        self.assertEqual((status, headers["connection"]), (413, "close"))
        self.assertTrue(peer.is_at_end())
        peer.close()

    def test_nothing_passes_a_password(self):
        """None of the tricks gets by authorization."""
        self.entry = self.serve(http__server__username="user",
                                http__server__password="secret")
        requests = [get(target) for target, _, _ in PATHS] + \
            [line(start) for start, _, _ in LINES] + \
            [get(b"/page.html", headers) for headers, _, _ in HEADERS] + \
            [request for request, _, _ in BODIES] + \
            [get(b"/page.html", b"Range: " + value + b"\r\n") for value, _, _ in RANGES]
        for request in requests:
            with self.subTest(request[:60]):
                peer = Peer(self.entry)
                peer.send(request)
                status, _, body = peer.answer(request.split(b" ", 1)[0])
                self.assertGreaterEqual(status, 400)
                self.assertNotIn(PAGE, body)
                peer.close()
