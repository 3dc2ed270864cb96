#!/usr/bin/env python3
"""Measures what a module does for others: addresses and names on its soft AP, beside
dnsmasq; and many modules that join one network at once.

usage: test/bench/services.py BUILD
"""

import contextlib
import pathlib
import re
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))

from lib.namespaces import cable
from measure import MODULES, STARTS, compare, load, module, run
from servers import START_TIMEOUT_S, BenchError, Daemon, Load, Server

ADDRESS, POOL = "10.10.10.1", "10.10.10.2,10.10.10.254"
CLIENT_ADDRESS = "10.10.10.250"
INTERFACE = "ap0"
DHCP_MS = 500
DNS_SECONDS = 1
DNS_UNDER_WAY = 16
# Names of the module, one that phones ask for, and one that nobody has.
OWN_NAMES = ("zentri.softap", "setup.example.com")
CAPTIVE_NAMES = ("captive.apple.com", "www.msftconnecttest.com")
UNKNOWN_NAMES = ("www.example.net",)
SOFTAP_FACTORY = {
    "softap__auto_start": 1,
    "softap__dns_server__url": ",".join(OWN_NAMES),
    "softap__captive_portal_enabled": 1,
}
LINE = "ver"  # that a module is asked again and again
JOIN_LIMIT_S = 3
TURN_LIMIT_MS = 20


class Cleanups(contextlib.ExitStack):
    """What the namespaces of the tests ask of a test."""

    def addCleanup(self, *arguments):
        self.callback(*arguments)


def soft_ap_cable(stack):
    """A namespace with the address of a soft AP, and the one of its clients."""
    near, far = cable(stack, INTERFACE)
    near.ip("address", "add", f"{ADDRESS}/24", "dev", INTERFACE)
    return near, far


class Dnsmasq(Server):
    """At its best: it writes nothing, asks nobody, and looks for no other user of an
    address first."""

    def __init__(self, near):
        hosts = [f"--host-record={name},{ADDRESS}" for name in OWN_NAMES + CAPTIVE_NAMES]
        self.start(
            *near.prefix,
            "dnsmasq",
            "--no-daemon",  # and so it does not change its user, which it cannot here
            "--conf-file=/dev/null",
            "--pid-file=",
            "--no-resolv",
            "--no-hosts",
            "--no-poll",
            "--local=/#/",
            "--local-ttl=60",
            *hosts,
            f"--interface={INTERFACE}",
            "--bind-interfaces",
            f"--dhcp-range={POOL},3600",
            "--dhcp-authoritative",
            "--leasefile-ro",
            "--no-ping",
            "--quiet-dhcp",
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + START_TIMEOUT_S
        while ask(near, OWN_NAMES[0], "+tries=1", "+time=1") is None:
            if time.monotonic() > end or self.process.poll() is not None:
                self.stop()
                raise BenchError("dnsmasq does not answer")


def ask(far, name, *options):
    """What the name server says of a name: status and records; None: nothing."""
    done = subprocess.run(
        [*far.prefix, "dig", f"@{ADDRESS}", *options, name],
        capture_output=True, text=True, timeout=60, check=False,
    )
    if done.returncode != 0:
        return None
    lines = done.stdout.splitlines()
    records = [line.split() for line in lines if line and not line.startswith(";")]
    return re.search(r"status: (\w+)", done.stdout).group(1), records


def bench_dhcp(table, tools, ours, other):
    """ours, other: the namespaces of the clients."""
    with contextlib.ExitStack() as stack:
        loads = [
            stack.enter_context(Load(*far.prefix, tools / "dhcp_clients", INTERFACE))
            for far in (ours, other)
        ]

        def exchanges_per_s(clients):
            [rate] = clients.ask(DHCP_MS)
            return rate

        [(ratios, mine, theirs)] = compare(
            *(lambda clients=clients: exchanges_per_s(clients) for clients in loads)
        )
    table.add(
        "DHCP exchanges, by dnsmasq, ratio",
        ratios,
        1.0,
        False,
        f"{mine:.0f}/s",
        f"{theirs:.0f}/s",
    )


def bench_dns(table, directory, ours, other):
    names = OWN_NAMES + CAPTIVE_NAMES + UNKNOWN_NAMES
    for far in (ours, other):
        far.ip("address", "add", f"{CLIENT_ADDRESS}/24", "dev", INTERFACE)
    for name in names:
        answers = [ask(far, name) for far in (ours, other)]
        if answers[0] is None or answers[0] != answers[1]:
            raise BenchError(f"{name}: other answers than dnsmasq's: {answers}")
    queries = directory / "queries"
    queries.write_text("".join(f"{name} A\n" for name in names))

    def answers_per_s(far):
        out = load(
            *far.prefix,
            "dnsperf",
            *("-s", ADDRESS, "-d", queries, "-l", DNS_SECONDS, "-q", DNS_UNDER_WAY),
            *("-c", 1, "-T", 1),
        )
        if not re.search(rb"Queries lost:\s+0 ", out):
            raise BenchError(f"answers were lost: {out.decode()}")
        return float(re.search(rb"Queries per second:\s+([\d.]+)", out).group(1))

    [(ratios, mine, theirs)] = compare(
        lambda: answers_per_s(ours), lambda: answers_per_s(other)
    )
    table.add(
        "DNS answers, by dnsmasq, ratio",
        ratios,
        0.7,
        False,
        f"{mine:.0f}/s",
        f"{theirs:.0f}/s",
    )


def bench_soft_ap(table, build, tools):
    with Cleanups() as stack:
        near, ours = soft_ap_cable(stack)
        daemon = stack.enter_context(
            Daemon(
                build,
                [module("ap", serial=False, **SOFTAP_FACTORY)],
                address=ADDRESS,
                ports=(80,),
                prefix=near.prefix,
            )
        )
        for service in ("dhcp_server", "dns_server"):
            daemon.port("ap", service)
        near, other = soft_ap_cable(stack)
        stack.enter_context(Dnsmasq(near))
        bench_dhcp(table, tools, ours, other)
        bench_dns(table, daemon.directory, ours, other)


class Watcher(Load):
    """Asks the module "watch", which joins nothing, from its boot on."""

    def __init__(self, tools, reply):
        self.command = tools / "longest_wait"
        self.reply = reply

    def watch(self, runtime):
        self.start(
            self.command,
            runtime / "watch" / "serial",
            LINE,
            self.reply,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )


def wait_joined(daemon, names):
    end = time.monotonic() + START_TIMEOUT_S
    left = list(names)
    while left:
        if daemon.status(left[-1])["interfaces"]["wlan"] == "up":
            left.pop()
        elif time.monotonic() > end:
            raise BenchError(f"{len(left)} of {len(names)} modules have not joined")
        else:
            time.sleep(0.005)


def bench_joins(table, build, tools):
    watch = module("watch")
    names = [f"m{i}" for i in range(MODULES)]
    modules = [watch] + [module(name, serial=False, wlan__auto_join__enabled=1) for name in names]
    joins_s, waits_ms = [], []
    with Daemon(build, [watch]) as daemon:
        reply = daemon.directory / "reply"
        reply.write_bytes(load(tools / "line_client", daemon.status("watch")["serial"],
                               LINE))
        for _ in range(STARTS):
            watcher = Watcher(tools, reply)
            with Daemon(build, modules, meanwhile=watcher.watch) as many:
                with watcher:
                    watcher.await_start()
                    wait_joined(many, names)
                    joins_s.append(time.monotonic() - many.started)
                    longest_ns, _ = watcher.ask("end")
                    waits_ms.append(longest_ns / 1e6)
    what = f"{MODULES} modules join at once"
    table.add(f"{what}, from start to all up, s", joins_s, JOIN_LIMIT_S, True)
    table.add(f"{what}, longest wait for a reply, ms", waits_ms, TURN_LIMIT_MS, True)


def bench_services(table, build, tools):
    bench_soft_ap(table, build, tools)
    bench_joins(table, build, tools)


if __name__ == "__main__":
    run(__doc__, bench_services)
