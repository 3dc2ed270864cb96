#!/usr/bin/env python3
"""Measures the daemon and prints one table; fails when a target is missed.

usage: test/bench/bench.py BUILD commands|stream
Each comparison runs its sides in turn, up to BENCH_ROUNDS times (at least 5), with the
server on one CPU and the load on another, and is judged by the median of the rounds'
ratios.
"""

import contextlib
import http.client
import os
import pathlib
import re
import ssl
import statistics
import subprocess
import sys
import time

from peers import Ser2net, Socat
from servers import JOINED, LOAD_CPU, Bare, BenchError, Daemon, Load, cpus_awake, on_cpu

ROUNDS = min(max(int(os.environ.get("BENCH_ROUNDS", "11")), 5), 100)
STARTS = max(ROUNDS // 2, 5)  # of all modules at once
COMPARE_SECONDS = 2.5 * ROUNDS  # after them the fewest rounds have to do
PTY_LINE = "get wlan.mac"
PTY_ROUND_TRIPS = 5000
HTTP_PATH = "/command/ver"
HTTP_SECONDS = "1s"
HTTP_CONNECTIONS = 16
MODULES = 1000
KIB = 1024
MIB = 1024 * KIB
STREAM_ROUNDS = 2 * ROUNDS  # short ones: what else the machine does passes many by
STREAM_BYTES = 4 * MIB
STREAM_PINGS = 1000
STREAM_FACTORY = {
    "bus__mode": "stream",
    "bus__stream__cmd_seq": "",
    "bus__stream__flush_time": 0,
    "system__print_level": 0,
    "tcp__server__auto_start": 1,
    "tcp__server__idle_timeout": 0,
    "tcp__server__port": 3000,
}
TERMINAL_FACTORY = {"remote_terminal__enabled": 1, "remote_terminal__port": 2000}
TERMINALS = 500
TERMINALS_LINE = "ver"  # its answer is the same from every module
TERMINALS_LINES = 16  # of a terminal whose user does not wait for each answer
TERMINALS_MS = 500


def module(name, serial=True, **factory):
    """The text of one module; factory: variables, a double underscore for each dot. One
    with any has services, for which it joins a network."""
    factory = JOINED | factory if factory else {}
    entries = ", ".join(
        f'{{ name = "{key.replace("__", ".")}"; value = "{value}"; }}'
        for key, value in factory.items()
    )
    return (
        f'    {{ name = "{name}"; serial = {{ enabled = {str(serial).lower()}; }};'
        f" factory = ( {entries} ); }}"
    )


def load(*command, given=b""):
    """The output of a load generator, on its own CPU."""
    result = subprocess.run(
        on_cpu(LOAD_CPU, *command),
        input=given,
        capture_output=True,
        timeout=120,
        check=False,
    )
    if result.returncode != 0:
        raise BenchError(f"{command[0]} failed: {result.stdout!r} {result.stderr!r}")
    return result.stdout


class Table:
    """The rows, printed as they come; .missed counts those off their target."""

    FORM = "{:<50} {:>15} {:>15} {:>8} {:>17} {:>8}  {}"

    def __init__(self):
        self.missed = 0
        head = ("what", "zentrid", "other", "median", "min to max", "target", "")
        print(self.FORM.format(*head), flush=True)

    def add(self, what, values, target, at_most, ours="", other=""):
        median = statistics.median(values)
        good = median <= target if at_most else median >= target
        self.missed += not good
        print(
            self.FORM.format(
                what,
                ours,
                other,
                f"{median:.2f}",
                f"{min(values):.2f} to {max(values):.2f}",
                ("<= " if at_most else ">= ") + f"{target:g}",
                "good" if good else "MISSED",
            ),
            flush=True,
        )


def compare(measure_ours, *measure_others, rounds=ROUNDS):
    """All sides in turn, after one uncounted round; fewer rounds on a busy machine.

    For each other side: the ratios of the rounds, our median, its median.
    """
    measures = (measure_ours, *measure_others)
    for measure in measures:
        measure()
    end = time.monotonic() + COMPARE_SECONDS
    taken = []
    while len(taken) < rounds and (len(taken) < 5 or time.monotonic() < end):
        taken.append([measure() for measure in measures])
    ours, *others = zip(*taken)
    return [
        (
            [a / b for a, b in zip(ours, other)],
            statistics.median(ours),
            statistics.median(other),
        )
        for other in others
    ]


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


def bench_stream(table, build, tools):
    """STREAM mode beside what others carry between a pty and TCP."""
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(Daemon(build, [module("stream", **STREAM_FACTORY)]))
        socat = stack.enter_context(Socat(build))
        ser2net = stack.enter_context(Ser2net(build))
        bare = stack.enter_context(Bare(tools / "bare_bridge"))
        ends = {
            "zentrid": (
                daemon.status("stream")["serial"],
                daemon.port("stream", "tcp_server"),
            ),
            "socat": (socat.pty, socat.port),
            "ser2net": (ser2net.pty, ser2net.port),
            "bare": bare.where.split(),
        }
        clients = {
            name: stack.enter_context(Load(tools / "bridge_client", *end))
            for name, end in ends.items()
        }
        stream_throughput(table, clients, "to-pty", "TCP to pty")
        stream_throughput(table, clients, "to-tcp", "pty to TCP")
        stream_pings(table, clients)


def stream_rows(table, clients, what, measure, limit, at_most, show):
    """Three rows: no worse than socat and ser2net; within the limit of the bare loop."""
    rows = compare(
        *(lambda name=name: measure(name) for name in clients), rounds=STREAM_ROUNDS
    )
    for name, (ratios, ours, other) in zip(list(clients)[1:], rows):
        table.add(
            f"{what}, by {name}, ratio",
            ratios,
            limit if name == "bare" else 1,
            at_most,
            show("zentrid", ours),
            show(name, other),
        )


def stream_throughput(table, clients, way, what):
    def mb_per_s(name):
        [passed_ns] = clients[name].ask(way, STREAM_BYTES)
        return STREAM_BYTES / passed_ns * 1000

    def show(_, median):
        return f"{median:.0f} MB/s"

    stream_rows(table, clients, f"STREAM mode {what}", mb_per_s, 0.8, False, show)


def stream_pings(table, clients):
    """The columns of the sides show p50 and p99; the p50s are compared."""
    p99s_us = {name: [] for name in clients}

    def p50_us(name):
        p50, p99 = clients[name].ask("ping", STREAM_PINGS)
        p99s_us[name].append(p99 / 1000)
        return p50 / 1000

    def show(name, median):
        return f"{median:.0f}, {statistics.median(p99s_us[name]):.0f} us"

    what = "STREAM mode 16 bytes and back"
    stream_rows(table, clients, what, p50_us, 1.2, True, show)


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


def bench_commands(table, build, tools):
    bench_pty(table, build, tools)
    bench_terminal(table, build, tools)
    bench_terminals(table, build, tools)
    bench_http(table, build, tools, tls=False)
    bench_http(table, build, tools, tls=True)
    bench_modules(table, build, serial=False)
    bench_modules(table, build, serial=True)


PARTS = {"commands": bench_commands, "stream": bench_stream}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in PARTS:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    tools = build / "test" / "bench"
    table = Table()
    try:
        with cpus_awake():
            PARTS[sys.argv[2]](table, build, tools)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    if table.missed:
        sys.exit(f"bench: {table.missed} targets missed")
    print("bench: all targets met")


if __name__ == "__main__":
    main()
