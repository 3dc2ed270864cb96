"""zentrid as a service of systemd: installed, started and watched by its tools."""

import json
import os
import pathlib
import pwd
import shutil
import subprocess

from lib.case import Case
from lib.daemon import configuration, wait_until
from lib.rest import Rest

UNIT = "zentrid.service"
CONFIGURATION = pathlib.Path("/etc/zentrid.conf")
DROP_INS = pathlib.Path(f"/etc/systemd/system/{UNIT}.d")
STATE, RUNTIME = pathlib.Path("/var/lib/zentrid"), pathlib.Path("/run/zentrid")
LIMIT_S = 60  # of one systemctl
UP_LIMIT_S = 20  # until a module that has booted has joined its network


class Failed(AssertionError):
    """A program ended with another status than 0."""


def run(*command):
    """Runs a program to its end; its output."""
    done = subprocess.run([*map(str, command)], capture_output=True, timeout=LIMIT_S,
                          check=False)
    if done.returncode != 0:
        raise Failed(f"{command}: status {done.returncode}: "
                     + (done.stdout + done.stderr).decode())
    return done.stdout.decode()


class Service:
    """The unit, with the few things of a Daemon that clients of the tests ask."""

    def __init__(self, name="zentri"):
        self.name = name

    def status(self, name=None):
        return json.loads((RUNTIME / (name or self.name) / "status.json").read_text())

    def listener(self, service="http", name=None):
        for entry in self.status(name)["listeners"]:
            if entry["service"] == service:
                return entry
        return None

    def serial_path(self, name=None):
        return self.status(name)["serial"]

    def wait_up(self):
        """Waits until the module has its web server, which is there with its network."""
        def served():
            try:
                rest = Rest(self)
                rest.connection.connect()
                rest.close()
            except (OSError, AssertionError, TypeError):
                return False
            return True
        try:
            wait_until(served, UP_LIMIT_S, "the web server")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.journal_text()}") from None
        return self

    @staticmethod
    def show(name):
        """A property of the unit."""
        return run("systemctl", "show", "--property", name, "--value", UNIT).strip()

    @property
    def pid(self):
        return int(self.show("MainPID"))

    def journal(self):
        """What the unit has logged since it was started, as (priority, text)."""
        run("journalctl", "--sync")
        lines = run("journalctl", "--output=json",
                    "_SYSTEMD_INVOCATION_ID=" + self.show("InvocationID")).splitlines()
        return [(int(entry["PRIORITY"]), entry["MESSAGE"])
                for entry in map(json.loads, lines)]

    @staticmethod
    def journal_text():
        return run("journalctl", "--boot", "--unit", UNIT, "--no-pager", "--lines=40")

    stderr = journal_text  # as a Daemon has it

    def control(self, action):
        try:
            run("systemctl", action, UNIT)
        except Failed as error:
            raise Failed(f"{error}\n{self.journal_text()}") from None


class ServiceCase(Case):
    """Each test starts from a fresh installation, with nothing saved."""

    @classmethod
    def setUpClass(cls):
        shutil.copytree(pathlib.Path(os.environ["ZENTRID_IMAGE"], "installed"), "/",
                        dirs_exist_ok=True, symlinks=True)

    def setUp(self):
        self.shipped = CONFIGURATION.read_text()
        self.addCleanup(self.back_to_the_start)

    def back_to_the_start(self):
        run("systemctl", "stop", UNIT)
        CONFIGURATION.write_text(self.shipped)
        shutil.rmtree(STATE.resolve(), ignore_errors=True)
        if DROP_INS.exists():
            shutil.rmtree(DROP_INS)
            run("systemctl", "daemon-reload")

    def configure(self, *arguments, **settings):
        CONFIGURATION.write_text(configuration(*arguments, **settings))

    def drop_in(self, name, text):
        DROP_INS.mkdir(parents=True, exist_ok=True)
        (DROP_INS / name).write_text(text)
        run("systemctl", "daemon-reload")

    def start(self):
        service = Service()
        service.control("start")
        return service


def as_user(name, groups, *command):
    """Runs a program as a user with these groups only."""
    return run("setpriv", f"--reuid={pwd.getpwnam(name).pw_uid}", "--regid=nogroup",
               f"--groups={','.join(groups)}" if groups else "--clear-groups", *command)
