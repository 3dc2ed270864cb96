"""The daemon and the bare programs, started for a measurement and ended after it."""

import contextlib
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
ASK_TIMEOUT_S = 60

PORTS = (80, 443, 2000, 3000)  # of a module; any free one of this host for each

# The network that modules with services hear and join.
SSID, PASSKEY = "bench", "password"
AIR = (
    f'{{ ssid = "{SSID}"; passkey = "{PASSKEY}"; bssid = "B6:B9:8A:62:3C:E9";'
    ' channel = 6; security = "WPA2-AES"; rssi = -48; }'
)
JOINED = {"wlan__auto_join__enabled": 1, "wlan__ssid": SSID, "wlan__passkey": PASSKEY,
          "ntp__enabled": 0}

CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU = CPUS[0]
LOAD_CPU = CPUS[-1]


class BenchError(Exception):
    """Something could not be measured at all."""


def on_cpu(cpu, *command):
    return ["taskset", "-c", str(cpu), *map(str, command)]


@contextlib.contextmanager
def cpus_awake():
    """Loops that run only when nothing else does, and end with this process at the latest.

    A virtual CPU that has halted takes a time to wake that comes and goes by the second,
    and is longer than a round trip.
    """
    loop = ("chrt", "-i", "0", "sh", "-c", "while kill -0 $PPID; do :; done")
    loops = [
        subprocess.Popen(on_cpu(cpu, *loop), stderr=subprocess.DEVNULL)
        for cpu in {SERVER_CPU, LOAD_CPU}
    ]
    try:
        yield
    finally:
        for process in loops:
            process.kill()
            process.wait()


class Server:
    """A process on the server's CPU."""

    cpu = SERVER_CPU
    process = None

    def start(self, *command, **options):
        self.process = subprocess.Popen(on_cpu(self.cpu, *command), **options)

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
        self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.await_start()

    def await_start(self):
        try:
            self.where = self.line(START_TIMEOUT_S)
        except BenchError:
            self.stop()
            raise

    def line(self, timeout_s):
        """The next line; one at a time is said, so none hides in the buffer."""
        ready, _, _ = select.select([self.process.stdout], [], [], timeout_s)
        line = self.process.stdout.readline().strip() if ready else ""
        if not line:
            raise BenchError(f"{self.process.args} does not answer")
        return line

    def stop(self):
        super().stop()
        self.process.stdin.close()
        self.process.stdout.close()


class Load(Bare):
    """A load generator that measures on demand, on its own CPU."""

    cpu = LOAD_CPU

    def ask(self, *words):
        """The numbers of its answer."""
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise BenchError(f"{self.process.args} has ended") from None
        return [int(word) for word in self.line(ASK_TIMEOUT_S).split()]


class Daemon(Server):
    """zentrid with modules (list of configuration texts), ready when made.

    prefix: of its command, where it runs in a namespace. meanwhile: called with its
    runtime directory before it starts.
    """

    def __init__(
        self, build, modules, address="127.0.0.1", ports=PORTS, prefix=(), meanwhile=None
    ):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=build))
        # In memory, as /run is.
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.runtime = pathlib.Path(tempfile.mkdtemp(prefix="zentrid-bench-", dir=memory))
        configuration = self.directory / "zentrid.conf"
        ports = ", ".join(f"{{ module = {port}; host = 0; }}" for port in ports)
        listed = ",\n".join(modules)
        configuration.write_text(
            f'network = {{ address = "{address}"; ports = ( {ports} ); }};\n'
            f"air = {{ networks = ( {AIR} ); }};\n"
            f"modules = (\n{listed} );\n",
            encoding="utf-8",
        )
        notify = self.directory / "notify"
        self.log = open(self.directory / "log", "w+b")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(notify))
            if meanwhile is not None:
                meanwhile(self.runtime)
            self.started = time.monotonic()
            self.start(
                *prefix,
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
            self.start_s = time.monotonic() - self.started

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

    def port(self, name, listed, key="service"):
        """Of a listener, which is there once the module has joined its network."""
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            for listener in self.status(name)["listeners"]:
                if listener[key] == listed:
                    return listener["port"]
            time.sleep(0.01)
        raise BenchError(f"no {listed} listener in the status of {name}")

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
