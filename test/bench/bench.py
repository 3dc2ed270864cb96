#!/usr/bin/env python3
"""Measures the daemon and prints one table; fails when a target is missed.

usage: test/bench/bench.py BUILD
Each comparison runs both sides in turn, BENCH_ROUNDS times (at least 5), with the server
on one CPU and the load on another, and is judged by the median of the rounds' ratios.
"""

import http.client
import os
import pathlib
import re
import ssl
import statistics
import subprocess
import sys

from servers import LOAD_CPU, Bare, BenchError, Daemon, on_cpu

ROUNDS = min(max(int(os.environ.get("BENCH_ROUNDS", "11")), 5), 100)
STARTS = max(ROUNDS // 2, 5)  # of all modules at once
PTY_LINE = "get wlan.mac"
PTY_ROUND_TRIPS = 5000
HTTP_PATH = "/command/ver"
HTTP_SECONDS = "1s"
HTTP_CONNECTIONS = 16
MODULES = 1000
KIB = 1024


def module(name, serial=True, **factory):
    """The text of one module; factory: variables, a double underscore for each dot."""
    entries = ", ".join(
        f'{{ name = "{key.replace("__", ".")}"; value = "{value}"; }}'
        for key, value in factory.items()
    )
    return (
        f'    {{ name = "{name}"; serial = {{ enabled = {str(serial).lower()}; }};'
        f" factory = ( {entries} ); }}"
    )


def load(*command):
    """The output of a load generator, on its own CPU."""
    result = subprocess.run(
        on_cpu(LOAD_CPU, *command), capture_output=True, timeout=120, check=False
    )
    if result.returncode != 0:
        raise BenchError(f"{command[0]} failed: {result.stdout!r} {result.stderr!r}")
    return result.stdout


class Table:
    """The rows, printed as they come; .missed counts those off their target."""

    FORM = "{:<50} {:>12} {:>12} {:>8} {:>17} {:>8}  {}"

    def __init__(self):
        self.missed = 0
        head = ("what", "zentrid", "bare", "median", "min to max", "target", "")
        print(self.FORM.format(*head), flush=True)

    def add(self, what, values, target, at_most, ours="", bare=""):
        median = statistics.median(values)
        good = median <= target if at_most else median >= target
        self.missed += not good
        print(
            self.FORM.format(
                what,
                ours,
                bare,
                f"{median:.2f}",
                f"{min(values):.2f} to {max(values):.2f}",
                ("<= " if at_most else ">= ") + f"{target:g}",
                "good" if good else "MISSED",
            ),
            flush=True,
        )


def compare(measure_ours, measure_bare):
    """Both sides in turn, after one uncounted round: the ratios, and both medians."""
    measure_ours()
    measure_bare()
    pairs = [(measure_ours(), measure_bare()) for _ in range(ROUNDS)]
    ours, bare = zip(*pairs)
    ratios = [a / b for a, b in pairs]
    return ratios, statistics.median(ours), statistics.median(bare)


def bench_pty(table, build, tools):
    client = tools / "pty_client"
    with Daemon(build, [module("pty")]) as daemon:
        ours_path = daemon.status("pty")["serial"]
        reply = daemon.directory / "reply"
        reply.write_bytes(load(client, ours_path, PTY_LINE))
        with Bare(tools / "bare_pty", reply) as bare:

            def p50_us(path):
                out = load(client, path, PTY_LINE, PTY_ROUND_TRIPS, reply)
                return int(out.split()[0]) / 1000

            ratios, ours, other = compare(
                lambda: p50_us(ours_path), lambda: p50_us(bare.where)
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
        port = daemon.port("web", scheme)
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

            ratios, ours, other = compare(
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


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    tools = build / "test" / "bench"
    table = Table()
    try:
        bench_pty(table, build, tools)
        bench_http(table, build, tools, tls=False)
        bench_http(table, build, tools, tls=True)
        bench_modules(table, build, serial=False)
        bench_modules(table, build, serial=True)
    except BenchError as error:
        sys.exit(f"bench: {error}")
    if table.missed:
        sys.exit(f"bench: {table.missed} targets missed")
    print("bench: all targets met")


if __name__ == "__main__":
    main()
