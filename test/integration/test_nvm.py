"""Saved variables: what survives what, and what happens when the store is in trouble."""

import json
import os
import pathlib
import random
import resource
import select
import signal
import time

from lib.case import Case
from lib.daemon import MAC

POWER_CUTS = 200


class Save(Case):
    def test_saved_values_survive_kill_and_unsaved_ones_do_not(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command('set ne t k "my net"')
        self.assertEqual(serial.command("save"), b"Success\r\n")
        serial.command("set network.tls.client_key unsaved")
        serial.command("set softap.ssid unsaved")
        before = serial.command("get all")
        serial.close()
        daemon.restart(kill=True)
        serial = self.serial(daemon)
        self.assertEqual(serial.command("get network.tls.client_key"), b"my net\r\n")
        self.assertIn(b"softap.ssid: unsaved\r\n", before)
        self.assertNotIn(b"unsaved", serial.command("get all"))

    def test_unsaved_values_are_lost_on_reboot(self):
        serial = self.serial(self.daemon())
        serial.command("set network.tls.client_key kept")
        serial.command("save")
        serial.command("set network.tls.client_key lost")
        serial.send(b"reboot\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(serial.command("get network.tls.client_key"), b"kept\r\n")

    def test_every_kind_of_value(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        values = {b"network.tls.client_key": b'"', b"softap.ssid": b"\xff\xfe\x80",
                  b"http.server.password": "\u00e4 \u20ac \U0001f511".encode(),
                  b"http.server.cors_origin": b"\\u0041\\n{}[]",
                  b"uart.baud 0": b"9600", b"wlan.auto_join.enabled": b"1"}
        for name, value in values.items():
            self.assertEqual(serial.command(b'set %s "%s"' % (name, value)),
                             b"Set OK\r\n")
        serial.command("save")
        serial.close()
        daemon.restart(kill=True)
        serial = self.serial(daemon)
        for name, value in values.items():
            self.assertEqual(serial.command(b"get " + name), value + b"\r\n")

    def test_without_state_directory_before(self):
        """The directories are made; a module that saves nothing leaves no variables."""
        daemon = self.daemon()
        self.assertFalse(daemon.nvm_path().exists())
        self.serial(daemon).command("save")
        self.assertTrue(daemon.nvm_path().exists())

    def test_secrets_are_for_the_owner_alone(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command("set wlan.passkey secret-key")
        serial.command("save")
        self.assertEqual(daemon.nvm_path().stat().st_mode & 0o077, 0)

    def test_board_default_changes_below_a_saved_value(self):
        daemon = self.daemon()
        self.serial(daemon).command("save")
        daemon.stop()
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace(
            "factory = ( ", 'factory = ( { name = "network.tls.client_key"; value = "board"; }, '))
        daemon.start()
        self.assertIn(self.serial(daemon).command("get network.tls.client_key"), (b"board\r\n", b""))


class Damage(Case):
    def start_with(self, content):
        """A daemon that finds this in its nvm.json."""
        daemon = self.daemon(start=False)
        daemon.nvm_path().parent.mkdir(parents=True)
        daemon.nvm_path().write_bytes(content)
        return daemon.start()

    def set_aside(self, daemon):
        return list(daemon.nvm_path().parent.glob("nvm.json.bad-*"))

    def test_is_set_aside(self):
        good = b'{"format": 1, "values": {"network.tls.client_key": "kept"}}'
        self.assertEqual(self.set_aside(self.start_with(good)), [])
        for content in (b"", b"{", good[:-1], good[:20], b"\x00" * 100, b"[]", b"1",
                        b'{"format": 2, "values": {}}', b'{"values": []}',
                        b'{"format": 1, "values": {"network.tls.client_key": 1}}',
                        b'{"format": 1, "values": {"network.tls.client_key": {"base64": "!"}}}',
                        b"\xff" * 5000, b"[" * 100000, b" " * (2 << 20)):
            with self.subTest(content[:50]):
                daemon = self.start_with(content)
                (aside,) = self.set_aside(daemon)
                self.assertEqual(aside.read_bytes(), content)
                self.assertIn(aside.name, daemon.stderr())
                serial = self.serial(daemon)
                self.assertEqual(serial.command("get network.tls.client_key"), b"")
                self.assertEqual(serial.command("save"), b"Success\r\n")
                daemon.close()

    def test_is_a_fault_of_the_module(self):
        serial = self.serial(self.start_with(b"{"))
        self.assertIn(b"nvm.json", serial.command("faults_print"))
        self.assertEqual(serial.command("faults_reset"), b"Success\r\n")
        self.assertNotIn(b"nvm.json", serial.command("faup"))

    def test_values_that_no_longer_fit(self):
        """A file of another version: each value is taken or left, and nothing breaks."""
        values = {"network.tls.client_key": "x" * 4000, "system.print_level": "loud",
                  "http.server.port": "99999999", "no.such.variable": "1",
                  "uart.baud 0": "", "uart.baud 77": "9600", "wlan.mac": "junk",
                  "bus.command.write_timeout": "-5", "system.msg ready": "@" * 300}
        content = json.dumps({"format": 1, "values": values}).encode()
        daemon = self.start_with(content)
        rest = self.rest(daemon)
        for line in ("get all", "save", "set network.tls.client_key good", "save"):
            self.assertEqual(rest.command(line).code, 0, line)
        self.assertEqual(rest.command("get network.tls.client_key").body, b"good\r\n")
        self.assertEqual(rest.command("get wlan.mac").body, MAC.encode() + b"\r\n")

    def test_directory_in_its_place(self):
        daemon = self.daemon(start=False)
        daemon.nvm_path().mkdir(parents=True)
        daemon.start()
        self.assertEqual(len(self.set_aside(daemon)), 1)
        self.assertEqual(self.serial(daemon).command("save"), b"Success\r\n")


class Full(Case):
    """No room: RLIMIT_FSIZE gives the write an error as a full disk does."""

    def limit(self, daemon, size):
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    def test_save_fails_and_nothing_is_lost(self):
        daemon = self.daemon(
            preexec=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        serial = self.serial(daemon)
        serial.command("set network.tls.client_key kept")
        serial.command("save")
        before = daemon.nvm_path().read_bytes()
        self.limit(daemon, 20)
        serial.command("set network.tls.client_key new")
        self.assertEqual(serial.command("save"), b"Command failed\r\n")
        self.assertEqual(daemon.nvm_path().read_bytes(), before)
        self.assertEqual(serial.command("get network.tls.client_key"), b"new\r\n")
        self.assertEqual(sorted(os.listdir(daemon.nvm_path().parent)).count(
            "nvm.json.new"), 0)
        # Room again: the same save goes through.
        self.limit(daemon, resource.RLIM_INFINITY)
        self.assertEqual(serial.command("save"), b"Success\r\n")
        serial.close()
        daemon.restart(kill=True)
        self.assertEqual(self.serial(daemon).command("get network.tls.client_key"), b"new\r\n")

    def test_status_file(self):
        """The run goes on when status.json cannot be written."""
        daemon = self.daemon(
            preexec=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        self.limit(daemon, 0)
        serial = self.serial(daemon)
        serial.send(b"reboot\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(serial.command("get wlan.mac"), MAC.encode() + b"\r\n")
        self.limit(daemon, resource.RLIM_INFINITY)


class Unwritable(Case):
    def test_file_in_the_way_of_the_state_directory(self):
        daemon = self.daemon(start=False)
        daemon.state.write_text("not a directory")
        status, message = daemon.run()
        self.assertGreater(status, 0)
        self.assertIn(str(daemon.state), message)

    def test_state_directory_that_cannot_be_made(self):
        daemon = self.daemon(start=False)
        daemon.state = pathlib.Path("/proc/zentrid")
        status, message = daemon.run()
        self.assertGreater(status, 0)
        self.assertIn("/proc/zentrid", message)

    def test_runtime_directory_that_cannot_be_made(self):
        daemon = self.daemon(start=False)
        daemon.runtime = pathlib.Path("/proc/zentrid")
        status, message = daemon.run()
        self.assertGreater(status, 0)
        self.assertIn("/proc/zentrid", message)

    def test_directory_of_the_module_vanishes(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        directory = daemon.nvm_path().parent
        for path in directory.iterdir():
            path.unlink()
        directory.rmdir()
        directory.write_text("in the way")
        self.assertEqual(serial.command("save"), b"Command failed\r\n")
        self.assertIn("save: ", daemon.stderr())
        self.assertEqual(serial.command("get wlan.mac"), MAC.encode() + b"\r\n")
        directory.unlink()
        directory.mkdir()
        self.assertEqual(serial.command("save"), b"Success\r\n")


class PowerCut(Case):
    """kill -9 at a random moment of save: the old values or the new, never a mixture."""

    NAMES = ("network.tls.client_key", "softap.ssid", "setup.web.ssid")

    def values(self, serial):
        return [serial.command("get " + name) for name in self.NAMES]

    def set_values(self, serial, number):
        for name in self.NAMES:
            serial.command(f"set {name} value-{number}")
        return [b"value-%d\r\n" % number] * len(self.NAMES)

    def seconds_of_a_save(self, serial):
        start = time.monotonic()
        for _ in range(10):
            serial.command("save")
        return (time.monotonic() - start) / 10

    def cut(self, daemon, serial, seconds):
        """Kills the daemon so long after it was told to save. Returns whether it had
        answered by then."""
        serial.send(b"save\r\n")
        select.select([daemon.pidfd], [], [], seconds)
        answered = b"Success" in serial.pending()
        serial.close()
        daemon.kill()
        return answered

    def test_power_cut(self):
        daemon = self.with_factory(http__server__enabled=0)
        source = random.Random(1)
        serial = self.serial(daemon, http=False)
        longest = 2 * self.seconds_of_a_save(serial)
        outcomes = []
        old = self.values(serial)
        for number in range(POWER_CUTS):
            new = self.set_values(serial, number)
            answered = self.cut(daemon, serial, source.random() * longest)
            daemon.start()
            serial = self.serial(daemon, http=False)
            found = self.values(serial)
            self.assertIn(found, ([new] if answered else [old, new]))
            self.assertEqual(list(daemon.nvm_path().parent.glob("*.bad-*")), [])
            outcomes.append(found == new)
            old = found
        # The kills did fall on both sides of the decisive moment.
        self.assertIn(True, outcomes)
        self.assertIn(False, outcomes)
