#!/usr/bin/env python3
"""Measures STREAM mode beside socat, ser2net and a bare copy loop.

usage: test/bench/stream.py BUILD
"""

import contextlib
import statistics

from measure import MIB, ROUNDS, compare, module, run
from peers import Ser2net, Socat
from servers import Bare, Daemon, Load

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


if __name__ == "__main__":
    run(__doc__, bench_stream)
