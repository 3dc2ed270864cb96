"""What the programs of `make bench` share: each prints one table and fails when a target is
missed.

Each comparison runs its sides in turn, up to BENCH_ROUNDS times (at least 5), with the
server on one CPU and the load on another, and is judged by the median of the rounds'
ratios.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

from servers import JOINED, LOAD_CPU, BenchError, cpus_awake, on_cpu

ROUNDS = min(max(int(os.environ.get("BENCH_ROUNDS", "11")), 5), 100)
STARTS = max(ROUNDS // 2, 5)  # of all modules at once
COMPARE_SECONDS = 2.5 * ROUNDS  # after them the fewest rounds have to do
MODULES = 1000
KIB = 1024
MIB = 1024 * KIB


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


def run(usage, measure):
    """A whole program: measure(table, build, tools) fills its table."""
    if len(sys.argv) != 2:
        sys.exit(usage)
    build = pathlib.Path(sys.argv[1]).resolve()
    table = Table()
    try:
        with cpus_awake():
            measure(table, build, build / "test" / "bench")
    except BenchError as error:
        sys.exit(f"bench: {error}")
    if table.missed:
        sys.exit(f"bench: {table.missed} targets missed")
    print("bench: all targets met")
