"""A zentrid that belongs to one test: its configuration, start, readiness and end."""

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

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20
MAC = "4C:55:CC:10:09:42"

# What a sanitizer says. Nothing else that the daemon logs holds these words.
SANITIZER_WORDS = ("Sanitizer", "runtime error", "leak")


def build_directory():
    """The build tree under test; test/run names it."""
    return pathlib.Path(os.environ["ZENTRID_BUILD"])


def program(name, package):
    """Where a program is that may be installed, or only unpacked (.ci/deps)."""
    unpacked = ROOT / "build" / "tools" / package / "usr" / "sbin"
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", str(unpacked)])
    found = shutil.which(name, path=path)
    if found is None:
        raise AssertionError(f"there is no {name}")
    return found


class StartError(AssertionError):
    """The daemon ended before it was ready, or was not ready in time."""


def wait_until(condition, timeout=10, what="the condition"):
    """Asks condition() until it is true and returns what it gave."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        select.select([], [], [], 0.005)


def libconfig(value):
    """A Python value in the syntax of the configuration file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{ " + "".join(f"{k} = {libconfig(v)}; " for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(libconfig(v) for v in value) + " )"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


# The network that every module hears, and joins at boot.
SSID, PASSKEY, BSSID = "zentri-lab", "password", "B6:B9:8A:62:3C:E9"
LAB = {"ssid": SSID, "passkey": PASSKEY, "bssid": BSSID, "channel": 6,
       "security": "WPA2-AES", "rssi": -48}
JOINED = {"wlan.auto_join.enabled": "1", "wlan.ssid": SSID, "wlan.passkey": PASSKEY}


def module(name="zentri", profile="wl-1.0", mac=MAC, factory=None, joined=True,
           **settings):
    """One entry of the configuration's modules. factory: names to values; the web server
    is on, no time server is asked, and the simulated network joined at boot, unless it
    says otherwise."""
    factory = ({"http.server.enabled": "1", "ntp.enabled": "0"}
               | (JOINED if joined else {}) | (factory or {}))
    entry = {"name": name, "profile": profile, "mac": mac}
    entry["factory"] = [{"name": k, "value": str(v)} for k, v in factory.items()]
    return entry | settings


def configuration(modules=None, network=None, air=None):
    """The text of a configuration file; every port is any free one, and there is no name
    server. air: its settings beside the network that is always there."""
    network = network or {
        "address": "127.0.0.1",
        "name_server": "127.0.0.1:9",
        "ports": [{"module": port, "host": 0} for port in (80, 443, 2000, 5353)],
    }
    modules = [module()] if modules is None else modules
    air = {"networks": [LAB]} | (air or {})
    return (f"network = {libconfig(network)};\nair = {libconfig(air)};\n"
            f"modules = {libconfig(modules)};\n")


class Notify:
    """The socket on which a service says that it is ready."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.address = address
        self.messages = []

    def receive(self):
        message = self.socket.recv(65536).decode()
        self.messages += message.splitlines()
        return self.messages

    def close(self):
        self.socket.close()


class Daemon:
    """Starts in a directory of its own, which close() removes."""

    def __init__(self, modules=None, network=None, text=None, air=None, arguments=(),
                 environment=None, preexec=None, start=True, notify=None,
                 directory=None, prefix=()):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="zentrid-"))
        self.config = self.directory / "zentrid.conf"
        self.state = self.directory / "state"
        self.runtime = self.directory / "runtime"
        self.stderr_path = self.directory / "stderr"
        self.config.write_text(text or configuration(modules, network, air))
        self.name = (modules or [module()])[0]["name"]
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.preexec = preexec
        self.prefix = list(prefix)
        self.process = None
        self.pidfd = None
        self.notify = Notify(notify or str(self.directory / "notify"))
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    # Start and end

    def command(self):
        return self.prefix + [str(build_directory() / "zentrid"), "-c", str(self.config),
                              "-s", str(self.state), "-r", str(self.runtime)
                              ] + self.arguments

    def launch(self):
        """Starts the process and does not wait for it."""
        environment = os.environ | {
            "NOTIFY_SOCKET": self.notify.address,
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        } | self.environment
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=stderr, env=environment, preexec_fn=self.preexec,
                cwd=self.directory)
        self.pidfd = os.pidfd_open(self.process.pid)

    def start(self):
        """Starts the process and waits for READY=1."""
        self.notify.messages.clear()
        self.launch()
        deadline = time.monotonic() + START_TIMEOUT_S
        while "READY=1" not in self.notify.messages:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.notify.socket, self.pidfd], [], [],
                                        max(left, 0))
            if self.notify.socket in ready:
                self.notify.receive()
            elif self.pidfd in ready:
                status = self._reap()
                raise StartError(f"ended with status {status} before it was ready\n"
                                 + self.stderr())
            else:
                raise StartError(f"not ready after {START_TIMEOUT_S} s\n"
                                 + self.stderr())
        self.wait_joined()
        return self

    def wait_joined(self):
        """Waits until no module is still on its way into a network."""
        def settled():
            states = [json.loads(path.read_text())["interfaces"]
                      for path in self.runtime.glob("*/status.json")]
            return all("joining" not in state.values() for state in states)
        wait_until(settled, START_TIMEOUT_S, "the interfaces to come up")

    def run(self, timeout=START_TIMEOUT_S):
        """For a start that is to be refused: the exit status and what stderr holds."""
        self.launch()
        return self.wait(timeout), self.stderr()

    def wait(self, timeout=STOP_TIMEOUT_S):
        """Waits for the process to end; its exit status, negative for a signal."""
        ready, _, _ = select.select([self.pidfd], [], [], timeout)
        if not ready:
            raise AssertionError(f"still running after {timeout} s\n" + self.stderr())
        return self._reap()

    def _reap(self):
        status = self.process.wait()
        os.close(self.pidfd)
        self.process = self.pidfd = None
        return status

    def send_signal(self, number):
        signal.pidfd_send_signal(self.pidfd, number)

    def stop(self, number=signal.SIGTERM):
        """An orderly end: status 0 and no complaint of a sanitizer."""
        self.send_signal(number)
        status = self.wait()
        self.check_stderr()
        if status != 0:
            raise AssertionError(f"exit status {status} at the end\n" + self.stderr())

    def kill(self):
        """An end like a power cut."""
        self.send_signal(signal.SIGKILL)
        self.wait()
        self.check_stderr()

    def restart(self, kill=False):
        """Ends the process and starts it again on the same state."""
        if kill:
            self.kill()
        else:
            self.stop()
        return self.start()

    def close(self):
        """Ends what still runs and removes the directory."""
        try:
            if self.process is not None:
                if self.process.poll() is None:
                    self.stop()
                else:
                    status = self._reap()
                    raise AssertionError(f"died with status {status}\n" + self.stderr())
            self.check_stderr()
        finally:
            if self.process is not None:
                self.process.kill()
                self._reap()
            self.notify.close()
            shutil.rmtree(self.directory, ignore_errors=True)

    # What it says of itself

    def stderr(self):
        try:
            return self.stderr_path.read_text(errors="backslashreplace")
        except FileNotFoundError:
            return ""

    def check_stderr(self):
        text = self.stderr()
        if any(word in text for word in SANITIZER_WORDS):
            raise AssertionError("a sanitizer complains:\n" + text)

    def wait_stderr(self, text, timeout=10):
        """Waits until the log holds the text."""
        wait_until(lambda: text in self.stderr(), timeout,
                   f"{text!r} in the log, which is:\n{self.stderr()}")

    def status(self, name=None):
        path = self.runtime / (name or self.name) / "status.json"
        return json.loads(path.read_text())

    def wait_status(self, condition, name=None, timeout=10):
        """Waits until condition(status) holds; the file may be missing until then."""
        def now():
            try:
                status = self.status(name)
            except FileNotFoundError:
                return None
            return status if condition(status) else None
        return wait_until(now, timeout, "status.json to change")

    def listener(self, service="http", name=None):
        """The entry of an open listener, or None."""
        for entry in self.status(name)["listeners"]:
            if entry["service"] == service:
                return entry
        return None

    def wait_listener(self, name=None):
        """The entry of the http listener, once it takes connections: around a restart of
        the network the status file tells of the old one for a moment."""
        def reachable():
            entry = self.listener("http", name)
            try:
                socket.create_connection((entry["address"], entry["port"]), 5).close()
            except (OSError, TypeError):
                return None
            return entry
        return wait_until(reachable, what="the http listener")

    def serial_path(self, name=None):
        return self.status(name)["serial"]

    def nvm_path(self, name=None):
        return self.state / (name or self.name) / "nvm.json"

    @property
    def pid(self):
        return self.process.pid

    def descriptors(self):
        """How many file descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def rss_kib(self):
        """The memory that it has resident."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")
