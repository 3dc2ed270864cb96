#!/usr/bin/env python3
"""Measures the web server beside nginx with one worker, and uploads beside a bare evhttp.

usage: test/bench/web.py BUILD
"""

import base64
import contextlib
import json
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import time
import urllib.request

from measure import MIB, compare, load, module, run
from servers import (
    LOAD_CPU,
    START_TIMEOUT_S,
    Bare,
    BenchError,
    Daemon,
    Server,
    on_cpu,
)

CONNECTIONS = 16
SECONDS = "1s"
SMALL, LARGE = "small.html", "large.bin"
FILES = {SMALL: 10 * 1024, LARGE: MIB}
UPLOAD_NAME = "upload.bin"
UPLOAD_BYTES = MIB
UPLOAD_PIECE = 2560  # as the web apps of the module have it
FILE_FLASH = 8 * MIB

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    include /etc/nginx/mime.types;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:s:10m;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
    server {{ listen 127.0.0.1:{tls_port} ssl; root {root}; }}
}}
"""


def free_ports(count):
    """Ports that nobody listens on; nginx takes none by itself."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(count)
        ]
        return [sock.getsockname()[1] for sock in sockets]


class Nginx(Server):
    def __init__(self, directory, root, certificate, key):
        self.port, self.tls_port = free_ports(2)
        configuration = directory / "nginx.conf"
        configuration.write_text(
            NGINX.format(
                directory=directory,
                certificate=certificate,
                key=key,
                root=root,
                port=self.port,
                tls_port=self.tls_port,
            )
        )
        self.start(
            "nginx", "-e", directory / "error.log", "-c", configuration,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{SMALL}").read()
                return
            except OSError as error:
                if time.monotonic() > end or self.process.poll() is not None:
                    self.stop()
                    raise BenchError(f"nginx does not answer: {error}") from None


def wrk(url, *options):
    """Answers a second."""
    out = load("wrk", "-t1", f"-c{CONNECTIONS}", "-d", SECONDS, *options, url)
    if b"Non-2xx" in out or (b"Socket errors" in out and not options):
        raise BenchError(f"{url}: {out.decode()}")
    return float(re.search(rb"Requests/sec:\s*([\d.]+)", out).group(1))


def resumed(port):
    """TLS 1.2 handshakes a second with a session of before, one after the other."""
    out = subprocess.run(
        on_cpu(
            LOAD_CPU, "openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-reuse",
            "-tls1_2", "-time", "1",
        ),
        capture_output=True, text=True, timeout=60, check=False,
    ).stdout
    found = re.findall(r"^(\d+) connections in \d+ real seconds", out, re.MULTILINE)
    if not found:
        raise BenchError(f"openssl s_time: {out}")
    return float(found[-1])


def rows(table, ours, theirs):
    """ours and theirs: (HTTP port, HTTPS port)."""

    def row(what, measure, target, form, scale=1.0):
        [(ratios, mine, other)] = compare(
            lambda: measure(*ours), lambda: measure(*theirs)
        )
        table.add(
            f"{what}, by nginx, ratio", ratios, target, False,
            form.format(mine * scale), form.format(other * scale),
        )

    plain, tls = "http://127.0.0.1:{}/{}", "https://127.0.0.1:{}/{}"
    rate, speed = "{:.0f}/s", "{:.0f} MB/s"
    each = MIB / 1e6
    row("10 KiB file, HTTP", lambda a, b: wrk(plain.format(a, SMALL)), 0.6, rate)
    row("10 KiB file, TLS 1.3", lambda a, b: wrk(tls.format(b, SMALL)), 0.7, rate)
    row("1 MiB file, HTTP", lambda a, b: wrk(plain.format(a, LARGE)), 0.7, speed, each)
    row("1 MiB file, TLS 1.3", lambda a, b: wrk(tls.format(b, LARGE)), 0.7, speed,
        each)
    row("full TLS handshakes",
        lambda a, b: wrk(tls.format(b, SMALL), "-H", "Connection: close"), 0.8, rate)
    row("resumed TLS handshakes", lambda a, b: resumed(b), 0.8, rate)


def post(body):
    text = json.dumps(body, separators=(",", ":")).encode()
    head = (
        "POST /command HTTP/1.1\r\nHost: module\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    request = head.encode() + text
    return b"%d\n" % len(request) + request


def upload_rows(table, tools, directory, port):
    data = random.Random(1).randbytes(UPLOAD_BYTES)
    requests = [post({"flags": 0, "command": f"fcr -o {UPLOAD_NAME} {UPLOAD_BYTES}"})]
    for at in range(0, UPLOAD_BYTES, UPLOAD_PIECE):
        piece = data[at : at + UPLOAD_PIECE]
        requests.append(
            post(
                {
                    "command": f"write 0 {len(piece)}",
                    "flags": 4,
                    "data": base64.b64encode(piece).decode(),
                }
            )
        )
    given = directory / "upload"
    given.write_bytes(b"".join(requests))

    def posts_per_s(at):
        return len(requests) / int(load(tools / "post_client", at, given)) * 1e9

    def upload():
        rate = posts_per_s(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{UPLOAD_NAME}") as answer:
            if answer.read() != data:
                raise BenchError("the file is another one")
        urllib.request.urlopen(
            f"http://127.0.0.1:{port}/command/fde%20{UPLOAD_NAME}"
        ).read()
        return rate

    with Bare(tools / "bare_http", "Success") as bare:
        [(ratios, mine, other)] = compare(
            upload, lambda: posts_per_s(bare.where)
        )
    table.add(
        "1 MiB up in POSTs of 2560 bytes, by bare evhttp, ratio", ratios, 0.6, False,
        f"{mine:.0f}/s", f"{other:.0f}/s",
    )


def bench_web(table, build, tools):
    with tempfile.TemporaryDirectory(prefix="bench-web-", dir=build) as directory:
        bench_files(table, build, tools, pathlib.Path(directory))


def bench_files(table, build, tools, directory):
    root = directory / "root"
    root.mkdir()
    for name, size in FILES.items():
        (root / name).write_bytes(random.Random(size).randbytes(size))
    files = f' files = {{ factory = "{root}"; size = {FILE_FLASH}; }};'
    modules = [
        module(name, serial=False, **factory)[:-1] + files + " }"
        for name, factory in (
            ("plain", {"http__server__enabled": 1}),
            ("tls", {"http__server__enabled": 1, "http__server__tls_enabled": 1}),
        )
    ]
    with Daemon(build, modules) as daemon:
        ours = daemon.port("plain", "http"), daemon.port("tls", "http")
        with Nginx(directory, root, *daemon.certificate_and_key("tls")) as nginx:
            rows(table, ours, (nginx.port, nginx.tls_port))
        upload_rows(table, tools, directory, ours[0])


if __name__ == "__main__":
    run(__doc__, bench_web)
