"""The daemon and the bare programs, started for a measurement and ended after it."""

import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20

CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU = CPUS[0]
LOAD_CPU = CPUS[-1]


class BenchError(Exception):
    """Something could not be measured at all."""


def on_cpu(cpu, *command):
    return ["taskset", "-c", str(cpu), *map(str, command)]


class Server:
    """A process on the server's CPU."""

    process = None

    def start(self, *command, **options):
        self.process = subprocess.Popen(on_cpu(SERVER_CPU, *command), **options)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise BenchError(f"{self.process.args} does not end") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Bare(Server):
    """A bare program; .where is the line it prints: its pty, or its port."""

    def __init__(self, *command):
        self.start(*command, stdout=subprocess.PIPE, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], START_TIMEOUT_S)
        self.where = self.process.stdout.readline().strip() if ready else ""
        if not self.where:
            self.stop()
            raise BenchError(f"{command[0]} does not start")

    def stop(self):
        super().stop()
        self.process.stdout.close()


class Daemon(Server):
    """zentrid with modules (list of configuration texts), ready when made."""

    def __init__(self, build, modules):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=build))
        # In memory, as /run is.
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="zentrid-bench-", dir=memory))
        configuration = self.directory / "zentrid.conf"
        listed = ",\n".join(modules)
        configuration.write_text(
            'network = { address = "127.0.0.1"; ports = (\n'
            "    { module = 80; host = 0; }, { module = 443; host = 0; } ); };\n"
            f"modules = (\n{listed} );\n",
            encoding="utf-8",
        )
        notify = self.directory / "notify"
        self.log = open(self.directory / "log", "w+b")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            started = time.monotonic()
            self.start(
                build / "zentrid",
                "-c",
                configuration,
                "-s",
                self.directory / "state",
                "-r",
                self.runtime,
                env={**os.environ, "NOTIFY_SOCKET": str(notify)},
                stderr=self.log,
            )
            try:
                self.await_ready(ready)
            except BenchError:
                super().stop()
                self.remove()
                raise
            self.start_s = time.monotonic() - started

    def await_ready(self, ready):
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and self.process.poll() is None:
            ready.settimeout(0.1)
            try:
                if b"READY=1" in ready.recv(4096).split(b"\n"):
                    return
            except TimeoutError:
                pass
        self.log.seek(0)
        raise BenchError("the daemon does not get ready:\n" + self.log.read().decode(errors="replace"))

    def status(self, name):
        return json.loads((self.runtime / name / "status.json").read_text())

    def port(self, name, scheme):
        for listener in self.status(name)["listeners"]:
            if listener["scheme"] == scheme:
                return listener["port"]
        raise BenchError(f"no {scheme} listener in the status of {name}")

    def certificate_and_key(self, name):
        """The files that the module made for itself."""
        tls = self.directory / "state" / name / "tls"
        return tls / "server.crt", tls / "server.key"

    def private_bytes(self):
        """Memory that is this process's alone, in RAM."""
        rollup = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return sum(
            int(line.split()[1]) * 1024
            for line in rollup.splitlines()
            if line.startswith(("Private_Clean:", "Private_Dirty:"))
        )

    def stop(self):
        try:
            super().stop()
        finally:
            self.remove()
        if self.process.returncode != 0:
            raise BenchError(f"the daemon ended with {self.process.returncode}")

    def remove(self):
        self.log.close()
        shutil.rmtree(self.directory)
        shutil.rmtree(self.runtime)
