#!/usr/bin/env python3
"""Measures commands over pty, HTTP, TLS and terminals, and many modules at once.

usage: test/bench/bench.py BUILD
"""

import http.client
import re
import ssl

from measure import KIB, MODULES, STARTS, compare, load, module, run
from servers import Bare, BenchError, Daemon

PTY_LINE = "get wlan.mac"
PTY_ROUND_TRIPS = 5000
HTTP_PATH = "/command/ver"
HTTP_SECONDS = "1s"
HTTP_CONNECTIONS = 16
TERMINAL_FACTORY = {"remote_terminal__enabled": 1, "remote_terminal__port": 2000}
TERMINALS = 500
TERMINALS_LINE = "ver"  # its answer is the same from every module
TERMINALS_LINES = 16  # of a terminal whose user does not wait for each answer
TERMINALS_MS = 500


def line_p50_us(tools, where, reply):
    out = load(tools / "line_client", where, PTY_LINE, PTY_ROUND_TRIPS, reply)
    return int(out.split()[0]) / 1000


def bench_pty(table, build, tools):
    with Daemon(build, [module("pty")]) as daemon:
        ours_path = daemon.status("pty")["serial"]
        reply = daemon.directory / "reply"
        reply.write_bytes(load(tools / "line_client", ours_path, PTY_LINE))
        with Bare(tools / "bare_pty", reply) as bare:
            [(ratios, ours, other)] = compare(
                lambda: line_p50_us(tools, ours_path, reply),
                lambda: line_p50_us(tools, bare.where, reply),
            )
    table.add(
        f"{PTY_LINE} over the pty, p50, ratio",
        ratios,
        1.5,
        True,
        f"{ours:.1f} us",
        f"{other:.1f} us",
    )


def answer(port, tls):
    """Headers and body of one answer, its Date and its id taken out."""
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=10, context=context
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", HTTP_PATH)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    headers = sorted(pair for pair in response.getheaders() if pair[0] != "Date")
    return response.status, headers, re.sub(rb'^\{"id":\d+', b'{"id":0', body)


def bench_http(table, build, tools, tls):
    scheme = "https" if tls else "http"
    factory = {"http__server__enabled": 1}
    if tls:
        factory["http__server__tls_enabled"] = 1
    with Daemon(build, [module("web", serial=False, **factory)]) as daemon:
        port = daemon.port("web", scheme, key="scheme")
        expected = answer(port, tls)
        text = re.search(rb'"response":"(.*)\\r\\n"', expected[2])
        if expected[0] != 200 or text is None:
            raise BenchError(f"{scheme}: unexpected answer {expected}")
        options = ["-t", *daemon.certificate_and_key("web")] if tls else []
        extra = [
            word
            for pair in expected[1]
            if pair[0] != "Content-Length"
            for word in pair
        ]
        with Bare(
            tools / "bare_http", *options, text.group(1).decode(), *extra
        ) as bare:
            if answer(int(bare.where), tls) != expected:
                raise BenchError(f"{scheme}: the bare program answers other bytes")

            def answers_per_s(at):
                out = load(
                    "wrk",
                    "-t1",
                    f"-c{HTTP_CONNECTIONS}",
                    "-d",
                    HTTP_SECONDS,
                    f"{scheme}://127.0.0.1:{at}{HTTP_PATH}",
                )
                if b"Socket errors" in out or b"Non-2xx" in out:
                    raise BenchError(f"{scheme}: {out.decode()}")
                return float(re.search(rb"Requests/sec:\s*([\d.]+)", out).group(1))

            [(ratios, ours, other)] = compare(
                lambda: answers_per_s(port), lambda: answers_per_s(bare.where)
            )
    table.add(
        f"GET {HTTP_PATH}, {'TLS 1.3' if tls else 'HTTP'},"
        f" {HTTP_CONNECTIONS} connections, ratio",
        ratios,
        0.9,
        False,
        f"{ours:.0f}/s",
        f"{other:.0f}/s",
    )


def bench_terminal(table, build, tools):
    """The remote terminal of one module against the pty of another: as they share the
    interpreter, a module that has both would make one wait for the other."""
    modules = [module("pty"), module("far", serial=False, **TERMINAL_FACTORY)]
    with Daemon(build, modules) as daemon:
        path = daemon.status("pty")["serial"]
        where = f"tcp:{daemon.port('far', 'remote_terminal')}"
        replies = {}
        for name, end in (("pty", path), ("far", where)):
            replies[end] = daemon.directory / f"reply-{name}"
            said = load(tools / "line_client", end, PTY_LINE)
            replies[end].write_bytes(said)
            mac = daemon.status(name)["mac"].encode()
            if said.count(mac) != 1:
                raise BenchError(f"{end}: unexpected answer {said!r}")
        macs = [daemon.status(name)["mac"].encode() for name in ("pty", "far")]
        if replies[path].read_bytes().replace(*macs) != replies[where].read_bytes():
            raise BenchError("the remote terminal answers other bytes than the pty")
        [(ratios, ours, other)] = compare(
            lambda: line_p50_us(tools, where, replies[where]),
            lambda: line_p50_us(tools, path, replies[path]),
        )
    table.add(
        f"{PTY_LINE}, remote terminal by pty, p50, ratio",
        ratios,
        1.2,
        True,
        f"{ours:.1f} us",
        f"{other:.1f} us",
    )


def bench_terminals(table, build, tools):
    """Each terminal sends its next line when it has the reply to the last; and when it
    has some lines under way, so that the one terminal keeps the daemon busy as well."""
    names = [f"m{i}" for i in range(TERMINALS)]
    modules = [module(name, serial=False, **TERMINAL_FACTORY) for name in names]
    with Daemon(build, modules) as many, Daemon(build, modules[:1]) as one:
        reply = one.directory / "reply"
        port = one.port("m0", "remote_terminal")
        reply.write_bytes(load(tools / "line_client", f"tcp:{port}", TERMINALS_LINE))

        def commands_per_s(lines, ports):
            given = "".join(f"{port}\n" for port in ports).encode()
            command = (tools / "terminals", TERMINALS_LINE, reply, lines, TERMINALS_MS)
            return int(load(*command, given=given))

        ports = [many.port(name, "remote_terminal") for name in names]
        for lines in (1, TERMINALS_LINES):
            [(ratios, ours, other)] = compare(
                lambda: commands_per_s(lines, ports),
                lambda: commands_per_s(lines, [port]),
            )
            table.add(
                f"{TERMINALS_LINE}, {TERMINALS} terminals by one,"
                f" {lines} under way, ratio",
                ratios,
                0.8,
                False,
                f"{ours:.0f}/s",
                f"{other:.0f}/s",
            )


def bench_modules(table, build, serial):
    """Memory and start of many modules; each start begins with no state."""
    names = [f"m{i}" for i in range(MODULES)]
    with Daemon(build, [module("m0", serial=serial)]) as daemon:
        one = daemon.private_bytes()
    memory, starts = [], []
    for _ in range(STARTS):
        with Daemon(build, [module(name, serial=serial) for name in names]) as daemon:
            memory.append((daemon.private_bytes() - one) / (MODULES - 1) / KIB)
            starts.append(daemon.start_s)
    what = "with a pty each" if serial else "without ptys"
    table.add(f"memory of an idle module, {what}, KiB", memory, 64 if serial else 32, True)
    table.add(f"{MODULES} modules to READY, {what}, s", starts, 2, True)


def bench(table, build, tools):
    bench_pty(table, build, tools)
    bench_terminal(table, build, tools)
    bench_terminals(table, build, tools)
    bench_http(table, build, tools, tls=False)
    bench_http(table, build, tools, tls=True)
    bench_modules(table, build, serial=False)
    bench_modules(table, build, serial=True)


if __name__ == "__main__":
    run(__doc__, bench)
