"""The module's files: the commands, the streams, and what happens when there is no room,
no power or a damaged index."""

import json
import os
import random
import re
import resource
import select
import signal
import time

from lib.case import Case
from lib.daemon import MAC, module
from lib.rest import FLAG_COMMAND, FLAG_DATA, FLAG_RESPONSE

POWER_CUTS = 100
BLOCK = 4096
BYTES = bytes(range(256)) * 20 + b"\r\n> \r\n\x00$$$\xff"
BINARY = FLAG_COMMAND | FLAG_DATA | FLAG_RESPONSE

# A host program's console: each answer is one frame and nothing else comes.
MACHINE = {"system.cmd.header_enabled": 1, "system.cmd.echo": 0,
           "system.cmd.prompt_enabled": 0, "system.print_level": 0}


class Files(Case):
    def with_files(self, variables=None, preexec=None, start=True, **files):
        """A daemon whose files setting is this, in machine mode."""
        entry = module(factory=MACHINE | (variables or {}))
        if files:
            entry["files"] = files
        return self.daemon([entry], preexec=preexec, start=start)

    def machine(self, daemon):
        return self.serial(daemon, header=True, prompt=False, level=0)

    def run_line(self, serial, line, payload=b"", timeout=None):
        """(code, body) of one command on a port in machine mode."""
        line = line.encode() if isinstance(line, str) else line
        serial.send(line + b"\r\n" + payload)
        kind, code, body = serial.frame(timeout)
        self.assertEqual(kind, "R")
        return code, body

    def good(self, serial, line, payload=b"", timeout=None):
        code, body = self.run_line(serial, line, payload, timeout)
        self.assertEqual((code, line), (0, line), body)
        return body

    def bad(self, serial, line, payload=b"", code=1):
        self.assertEqual(self.run_line(serial, line, payload)[0], code, line)

    def contents(self, serial, name):
        """All bytes of a file, as a host reads them; None: there is no such file."""
        code, body = self.run_line(serial, f'file_open "{name}"')
        if code != 0:
            return None
        handle = int(body)
        size = int(self.good(serial, f'fst "{name}"').split(b",")[0])
        data = b""
        while len(data) < size:
            data += self.good(serial, f"read {handle} 1440")[:-2]
        self.bad(serial, f"poll {handle}")
        return data

    def names(self, serial):
        return [name.decode() for name in self.names_as_bytes(serial)]

    def names_as_bytes(self, serial):
        lines = self.good(serial, "ls").split(b"\r\n")[1:-1]
        return [re.fullmatch(rb"# +\d+ +\d+ +[0-9.]+  (.*)", line)[1]
                for line in lines]

    def host_names(self, daemon):
        directory = daemon.nvm_path().parent / "flash"
        return sorted(os.listdir(directory)) if directory.exists() else None


class Contents(Files):
    def test_over_the_serial_port_and_rest(self):
        daemon = self.with_files()
        serial, rest = self.machine(daemon), self.rest(daemon)
        self.assertIsNone(self.host_names(daemon))
        self.good(serial, f"file_create one {len(BYTES)}", BYTES)
        self.assertEqual(rest.send(f"fcr two {len(BYTES)}", BYTES, BINARY).code, 0)
        for name in ("one", "two"):
            self.assertEqual(self.contents(serial, name), BYTES)
            handle = rest.command("fop " + name).text.strip()
            reply = rest.send(f"read {handle} 10000", None, BINARY)
            self.assertEqual(reply.body, BYTES + b"\r\n")
        self.assertEqual(self.host_names(daemon),
                         ["00000001", "00000002", "index.json"])

    def test_through_a_stream(self):
        """As the web apps do it: 2560 bytes at a time, and no close."""
        daemon = self.with_files()
        serial, rest = self.machine(daemon), self.rest(daemon)
        data = BYTES * 4
        self.assertEqual(rest.command(f"fcr -o f {len(data)}").body, b"0\r\n")
        for at in range(0, len(data), 2560):
            self.assertIsNone(self.contents(serial, "f"))
            piece = data[at:at + 2560]
            self.assertEqual(rest.send(f"write 0 {len(piece)}", piece, BINARY).code, 0)
        self.assertEqual(self.good(serial, "poll all"), b"None\r\n")
        self.assertEqual(self.contents(serial, "f"), data)

    def test_large_payload(self):
        """It is written in pieces, and other front ends are served meanwhile."""
        daemon = self.with_files(size=4 << 20)
        serial = self.machine(daemon)
        data = random.Random(1).randbytes(1 << 20)
        self.good(serial, f"fcr large {len(data)}", data, timeout=60)
        self.bad(serial, "fcr larger 1048577", code=7)
        self.assertEqual(self.names(serial), ["large"])
        flash = daemon.nvm_path().parent / "flash"
        self.assertEqual((flash / "00000001").read_bytes(), data)

    def test_survives_kill_and_reboot(self):
        daemon = self.with_files()
        serial = self.machine(daemon)
        self.good(serial, f"fcr -eu f {len(BYTES)} 1.2 0x96", BYTES)
        before = self.good(serial, "ls -v")
        serial.close()
        daemon.restart(kill=True)
        serial = self.machine(daemon)
        self.assertEqual(self.good(serial, "ls -v"), before)
        self.assertEqual(self.contents(serial, "f"), BYTES)

    def test_crc_in_any_spelling(self):
        serial = self.machine(self.with_files())
        for crc in ("89F6", "89f6", "0x89F6", "0X89f6"):
            self.good(serial, f"fcr f 9 1.0.0.0 0xFE {crc}", b"123456789")
            self.good(serial, "fde f")
        # Leading zeros may be left out: this one is 0045.
        data = next(d for d in (b"%d" % n for n in range(1 << 20)) if crc16(d) < 0x100)
        for crc in (f"{crc16(data):X}", f"{crc16(data):04x}", f"0x{crc16(data):x}"):
            self.good(serial, f"fcr f {len(data)} 1 254 {crc}", data)
            self.good(serial, "fde f")


def crc16(data):
    """Reference: serial and file notes, 6.6, bit by bit."""
    crc = 0xFFFF
    for byte in data:
        for bit in range(8):
            top = (crc >> 15) ^ (byte >> bit & 1)
            crc = (crc << 1 & 0xFFFF) ^ (0x1021 if top else 0)
    return crc


class Streams(Files):
    def test_eighteen(self):
        serial = self.machine(self.with_files())
        self.good(serial, "fcr f 4", b"abcd")
        for handle in range(17):
            self.assertEqual(self.good(serial, "fop f"), b"%d\r\n" % handle)
        self.assertEqual(self.good(serial, "fcr -o g 4"), b"17\r\n")
        self.bad(serial, "fop f")
        self.bad(serial, "fcr -o h 1")
        self.good(serial, "fcr h 1", b"x")
        for handle in range(17):
            self.assertEqual(self.good(serial, f"read {handle} 2"), b"ab\r\n")
        self.assertEqual(len(self.good(serial, "list").splitlines()), 19)
        for handle in range(0, 17, 2):
            self.assertEqual(self.good(serial, f"read {handle} 9"), b"cd\r\n")
        self.assertEqual(self.good(serial, "fop h"), b"0\r\n")
        self.good(serial, "close all")
        self.assertEqual(self.names(serial), ["f", "h"])

    def test_deletion_while_open(self):
        daemon = self.with_files(size=2 * BLOCK)
        serial = self.machine(daemon)
        self.good(serial, f"fcr f {len(BYTES)}", BYTES)
        self.good(serial, "fop f")
        self.good(serial, "read 0 100")
        self.good(serial, "fde f")
        self.good(serial, f"fcr f {2 * BLOCK}", bytes(2 * BLOCK))
        data = b""
        while len(data) < len(BYTES) - 100:
            data += self.good(serial, "read 0 1000")[:-2]
        self.assertEqual(data, BYTES[100:])
        self.assertEqual(self.contents(serial, "f"), bytes(2 * BLOCK))

    def test_network_restart_leaves_them_and_reboot_does_not(self):
        daemon = self.with_files()
        serial = self.machine(daemon)
        self.good(serial, "fcr f 4", b"abcd")
        self.good(serial, "fop f")
        self.good(serial, "fcr -o draft 9")
        self.good(serial, "write 1 4", b"1234")
        self.good(serial, "network_restart")
        self.assertEqual(self.good(serial, "read 0 2"), b"ab\r\n")
        self.assertEqual(self.good(serial, "reboot"), b"Rebooting\r\n")
        self.wait_booted(serial)
        self.assertEqual(self.good(serial, "poll all"), b"None\r\n")
        self.assertEqual(self.names(serial), ["f"])
        self.assertEqual(self.host_names(daemon), ["00000001", "index.json"])

    def wait_booted(self, serial):
        """Sends empty lines, which are lost while the module boots, until one counts."""
        for _ in range(1000):
            serial.send(b"\r\n")
            if select.select([serial.descriptor], [], [], 0.05)[0]:
                break
        serial.frame()
        while serial.fill(0.2):
            pass
        serial.pending()

    def test_early_close_leaves_nothing(self):
        """The web app asks for the free room in this way."""
        daemon = self.with_files(size=4 * BLOCK)
        serial = self.machine(daemon)
        for _ in range(3):
            self.good(serial, f"fcr -o f.fc {4 * BLOCK}")
            self.good(serial, "write 0 5", b"12345")
            self.bad(serial, "fcr -o other 1")
            self.good(serial, "close 0")
        self.bad(serial, f"fcr -o f.fc {4 * BLOCK + 1}")
        self.assertEqual(self.names(serial), [])
        self.assertEqual(self.host_names(daemon), [])


class Refusals(Files):
    def test_wrong_crc(self):
        daemon = self.with_files()
        serial = self.machine(daemon)
        self.bad(serial, "fcr f 9 1.0.0.0 0xFE 0x89F7", b"123456789")
        self.assertEqual(self.good(serial, "fcr -o f 9 1 0xFE 1"), b"0\r\n")
        self.good(serial, "write 0 5", b"12345")
        self.bad(serial, "write 0 4", b"6789")
        self.bad(serial, "poll 0")
        self.assertEqual(self.names(serial), [])
        self.assertEqual(self.host_names(daemon), [])

    def test_short_payload(self):
        daemon = self.with_files({"bus.command.write_timeout": 200})
        serial, rest = self.machine(daemon), self.rest(daemon)
        self.bad(serial, "fcr f 10", b"123456789")
        self.assertEqual(rest.send("fcr f 10", b"123456789").code, 1)
        self.assertEqual(rest.command("fcr f 10").code, 1)
        self.assertEqual(self.names(serial), [])
        self.assertIsNone(self.host_names(daemon))

    def test_payload_of_a_refused_command_is_no_command(self):
        serial = self.machine(self.with_files())
        self.good(serial, "fcr f 1", b"x")
        self.bad(serial, "fcr f 8", b"fde f\r\n\n")
        self.assertEqual(self.names(serial), ["f"])

    def test_full_flash(self):
        serial = self.machine(self.with_files(size=4 * BLOCK))
        self.good(serial, f"fcr a {BLOCK}", bytes(BLOCK))
        self.good(serial, f"fcr b {BLOCK + 1}", bytes(BLOCK + 1))
        self.bad(serial, f"fcr c {BLOCK + 1}", bytes(BLOCK + 1))
        self.good(serial, "fcr c 1", b"c")
        self.bad(serial, "fcr d 1", b"d")
        self.good(serial, "fde a")
        self.good(serial, "fcr d 1", b"d")
        self.assertEqual(self.names(serial), ["b", "c", "d"])

    def test_as_many_files_as_there_may_be(self):
        serial = self.machine(self.with_files())
        for number in range(32):
            self.good(serial, f"fcr f{number} 1", b"x")
        self.bad(serial, "fcr more 1", b"x")
        self.bad(serial, "fcr -o more 1")
        self.good(serial, "fde f0")
        self.good(serial, "fcr more 1", b"x")
        self.assertEqual(len(self.names(serial)), 32)

    def test_names(self):
        daemon = self.with_files()
        serial, rest = self.machine(daemon), self.rest(daemon)
        names = ["a b", 'a"b"c', "dir/", "/etc/passwd", "..", "../../nvm.json", ".",
                 "%2e%2e/x", "%00", "a\\b", "caf\u00e9", "x" * 95, "index.json",
                 "00000001"]
        for name in names:
            self.good(serial, f'fcr "{name}" 1', b"x")
        self.assertEqual(self.names(serial), names)
        self.good(serial, b'fcr "\xff\xfe" 1', b"x")
        # 96 bytes, none, and bytes that no name may have.
        self.bad(serial, "fcr " + "x" * 96 + " 1", code=7)
        self.bad(serial, 'fcr "" 1', code=7)
        self.assertEqual(rest.send("fcr a\x00b 1", b"x", BINARY).code, 2)
        self.assertNotEqual(rest.send("fcr a\rb 1", b"x", BINARY).code, 0)
        self.assertEqual(rest.send('fcr "a\x01b" 1', b"x", BINARY).code, 7)
        state = daemon.nvm_path().parent
        wanted = [f"{n:08x}" for n in range(1, len(names) + 2)] + ["index.json"]
        self.assertEqual(self.host_names(daemon), wanted)
        self.assertEqual(sorted(os.listdir(state)), ["flash"])
        serial.close()
        daemon.restart(kill=True)
        serial = self.machine(daemon)
        self.assertEqual(self.names_as_bytes(serial),
                         [name.encode() for name in names] + [b"\xff\xfe"])
        for name in names:
            self.assertEqual(self.contents(serial, name), b"x")
            self.good(serial, f'fde "{name}"')
        self.good(serial, b'fde "\xff\xfe"')
        self.assertEqual(self.host_names(daemon), ["index.json"])


class FullDisk(Files):
    """RLIMIT_FSIZE gives a write an error as a full disk does."""

    def limit(self, daemon, size):
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    def test_nothing_is_left_and_nothing_lost(self):
        daemon = self.with_files(
            preexec=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        serial = self.machine(daemon)
        self.good(serial, f"fcr kept {len(BYTES)}", BYTES)
        self.good(serial, "fcr -o draft 2000")
        self.limit(daemon, 1000)
        self.bad(serial, "write 0 2000", bytes(2000))
        self.bad(serial, "poll 0")
        self.bad(serial, f"fcr new {len(BYTES)}", BYTES)
        # Room for the contents and none for the index.
        self.limit(daemon, 20)
        self.bad(serial, "fcr new 10", bytes(10))
        self.bad(serial, "fde kept")
        self.bad(serial, "format extended " + MAC)
        self.bad(serial, "factory_reset " + MAC)
        self.assertEqual(self.contents(serial, "kept"), BYTES)
        self.limit(daemon, resource.RLIM_INFINITY)
        self.good(serial, "fcr new 10", bytes(10))
        self.assertEqual(self.host_names(daemon),
                         ["00000001", "00000002", "index.json"])
        serial.close()
        daemon.restart(kill=True)
        serial = self.machine(daemon)
        self.assertEqual(self.contents(serial, "kept"), BYTES)
        self.assertEqual(self.contents(serial, "new"), bytes(10))


class PowerCut(Files):
    """kill -9 at a random moment of file_create: the file is whole or it is not there."""

    def seconds_of_a_create(self, serial):
        start = time.monotonic()
        for number in range(10):
            self.good(serial, f"fcr t{number} {len(BYTES)}", BYTES)
        seconds = (time.monotonic() - start) / 10
        for number in range(10):
            self.good(serial, f"fde t{number}")
        return seconds

    def test_power_cut(self):
        daemon = self.with_files({"http.server.enabled": 0})
        source = random.Random(1)
        serial = self.machine(daemon)
        self.good(serial, f"fcr other {len(BYTES)}", BYTES[::-1])
        longest = 1.5 * self.seconds_of_a_create(serial)
        outcomes = []
        for _ in range(POWER_CUTS):
            serial.send(b"fcr f %d\r\n" % len(BYTES) + BYTES)
            select.select([daemon.pidfd], [], [], source.random() * longest)
            answered = b"Success" in serial.pending()
            serial.close()
            daemon.kill()
            daemon.start()
            serial = self.machine(daemon)
            found = self.contents(serial, "f")
            self.assertIn(found, [BYTES] if answered else [BYTES, None])
            self.assertEqual(self.contents(serial, "other"), BYTES[::-1])
            left = self.host_names(daemon)
            self.assertEqual(len([n for n in left if not n.endswith(".new")]),
                             2 if found is None else 3)
            self.assertLessEqual({n for n in left if n.endswith(".new")},
                                 {"index.json.new"})
            if found is not None:
                self.good(serial, "fde f")
            outcomes.append(found is not None)
        # The kills did fall on both sides of the decisive moment.
        self.assertIn(True, outcomes)
        self.assertIn(False, outcomes)


class Factory(Files):
    def with_factory_files(self, files, **settings):
        """A daemon that finds these in its factory directory."""
        daemon = self.with_files(start=False, **settings)
        directory = daemon.directory / "board"
        for name, data in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace(
            "files = { ", f'files = {{ factory = "{directory}"; '))
        return daemon.start()

    def test_at_first_boot_and_after_factory_reset(self):
        files = {".recovery.html": b"again", "favicon.ico": BYTES,
                 "webapp/index.html": b"<html>"}
        daemon = self.with_factory_files(files, size=1 << 20)
        serial = self.machine(daemon)
        self.assertEqual(self.names(serial), list(files))
        self.assertIn(b" e-FE   0001 ", self.good(serial, "ls -v"))
        self.good(serial, "fde webapp/index.html")
        self.good(serial, "fcr user 1", b"x")
        serial.close()
        daemon.restart()
        serial = self.machine(daemon)
        self.assertEqual(self.names(serial), [".recovery.html", "favicon.ico", "user"])
        self.good(serial, "factory_reset " + MAC)
        serial.close()
        daemon.restart()
        serial = self.machine(daemon)
        self.assertEqual(self.names(serial), list(files))
        for name, data in files.items():
            self.assertEqual(self.contents(serial, name), data)

    def test_what_does_not_fit(self):
        files = {"a": bytes(BLOCK), "b": bytes(2 * BLOCK + 1), "c": bytes(BLOCK),
                 "n" * 96: b"x"}
        daemon = self.with_factory_files(files, size=3 * BLOCK)
        self.assertEqual(self.names(self.machine(daemon)), ["a", "c"])
        self.assertIn("board/b is left out: the flash is full", daemon.stderr())
        self.assertIn("n is left out: no file of a module", daemon.stderr())

    def test_directory_that_is_not_there(self):
        daemon = self.with_files(factory="/nonexistent/flash")
        serial = self.machine(daemon)
        self.assertEqual(self.names(serial), [])
        self.assertIn("cannot read /nonexistent/flash", daemon.stderr())
        self.good(serial, "fcr f 1", b"x")

    def test_damaged_index(self):
        daemon = self.with_factory_files({"a": b"x"}, size=1 << 20)
        self.good(self.machine(daemon), "fcr user 1", b"x")
        daemon.stop()
        state = daemon.nvm_path().parent
        index = state / "flash" / "index.json"
        index.write_bytes(index.read_bytes()[:-10])
        daemon.start()
        serial = self.machine(daemon)
        self.assertEqual(self.names(serial), ["a"])
        (aside,) = state.glob("flash.bad-*")
        self.assertEqual(sorted(os.listdir(aside)),
                         ["00000001", "00000002", "index.json"])
        self.assertIn(aside.name, daemon.stderr())
        self.assertIn(b"index.json damaged", self.good(serial, "faults_print"))

    def test_missing_contents(self):
        daemon = self.with_files()
        serial = self.machine(daemon)
        self.good(serial, "fcr a 1", b"a")
        self.good(serial, "fcr b 1", b"b")
        serial.close()
        daemon.stop()
        flash = daemon.nvm_path().parent / "flash"
        (flash / "00000001").unlink()
        daemon.start()
        serial = self.machine(daemon)
        self.assertEqual(self.names(serial), ["b"])
        self.assertIn("the contents of a, is missing", daemon.stderr())
        index = json.loads((flash / "index.json").read_text())
        self.assertEqual([file["name"] for file in index["files"]], ["b"])

    def test_modules_have_files_of_their_own(self):
        daemon = self.daemon([
            module("one", mac="4C:55:CC:00:00:02", factory=MACHINE),
            module("two", mac="4C:55:CC:00:00:04", factory=MACHINE)])
        ports = [self.serial(daemon, name, header=True, prompt=False, level=0)
                 for name in ("one", "two")]
        self.good(ports[0], "fcr f 3", b"one")
        self.assertIsNone(self.contents(ports[1], "f"))
        self.good(ports[1], "fcr f 3", b"two")
        self.assertEqual(self.contents(ports[0], "f"), b"one")


class Load(Files):
    SETTINGS = (b"# settings of the line\r\n\r\n  network.tls.client_key   \"my net\" \r\n"
                b'softap.ssid "a  b"\nuart.baud 0 9600\nse w s short\n'
                b"softap.passkey \"\"\nhttp.server.cors_origin http://example.com")

    def test_sets_saves_and_reboots(self):
        daemon = self.with_files()
        rest = self.rest(daemon)
        self.assertEqual(
            rest.send(f"fcr s {len(self.SETTINGS)}", self.SETTINGS, BINARY).code, 0)
        reply = rest.command("load s")
        self.assertEqual(reply.body, b"Success\r\n")
        self.wait_boot(daemon, reply.id)
        for line, value in (("network.tls.client_key", b"my net"), ("softap.ssid", b"a  b"),
                            ("uart.baud 0", b"9600"), ("setup.web.ssid", b"short"),
                            ("http.server.cors_origin", b"http://example.com")):
            self.assertEqual(self.rest(daemon).command("get " + line).body,
                             value + b"\r\n")
        daemon.restart(kill=True)
        self.assertEqual(self.rest(daemon).command("get network.tls.client_key").body,
                         b"my net\r\n")

    def wait_boot(self, daemon, last):
        """Until a new boot numbers its replies from 1 again."""
        rest = self.rest(daemon)
        for _ in range(1000):
            try:
                if rest.command("version").id < last:
                    return
            except (OSError, AssertionError, ValueError):
                pass
            rest.close()
            rest = self.rest(daemon)
        self.fail("the module did not reboot")

    def test_bad_lines_change_nothing(self):
        daemon = self.with_files()
        serial, rest = self.machine(daemon), self.rest(daemon)
        self.good(serial, "set network.tls.client_key unsaved")
        before = self.good(serial, "get all")
        for number, (text, line) in enumerate((
                (b"network.tls.client_key a\nno.such.name 1\n", 2),
                (b"\n\n\nnetwork.tls.client_key\x00x b", 4),
                (b"network.tls.client_key a\nsystem.print_level nine", 2),
                (b"wlan.mac 4C:55:CC:10:09:42", 1),
                (b"network.tls.client_key a\n\"open", 2),
                (b"network.tls.client_key " + b"x" * 5000, 1),
                (b"network.tls.client_key a\n" + b"\xff" * 10, 2))):
            self.good(serial, f"fcr bad{number} {len(text)}", text)
            rest.logs()
            self.bad(serial, f"load bad{number}")
            self.assertIn(f"Line {line}: ", "".join(rest.logs()), text)
            self.assertEqual(self.good(serial, "get network.tls.client_key"), b"unsaved\r\n")
        self.assertEqual(
            [line for line in self.good(serial, "get all").splitlines()
             if not line.startswith((b"time.", b"system.memory"))],
            [line for line in before.splitlines()
             if not line.startswith((b"time.", b"system.memory"))])
        self.assertFalse(daemon.nvm_path().exists())

    def test_no_room_for_the_settings_changes_nothing(self):
        daemon = self.with_files(
            preexec=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
        serial = self.machine(daemon)
        self.good(serial, "set softap.ssid unsaved")
        text = b"network.tls.client_key new\nsoftap.ssid new\nsystem.cmd.echo 1\n"
        self.good(serial, f"fcr s {len(text)}", text)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE,
                         (20, resource.RLIM_INFINITY))
        serial.send(b"load s\r\n")
        self.assertEqual(serial.frame(), ("R", 1, b"Command failed\r\n"))
        self.assertEqual(self.good(serial, "get softap.ssid"), b"unsaved\r\n")
        self.assertEqual(self.good(serial, "get network.tls.client_key"), b"")
        self.assertEqual(self.good(serial, "get system.cmd.echo"), b"0\r\n")
