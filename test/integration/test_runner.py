"""The test tools themselves: they have to be able to fail."""

import os
import subprocess
import sys

from lib import transcript
from lib.case import Case
from lib.daemon import Daemon, ROOT, libconfig
from lib.rest import Answer, Reply
from lib.serial import Channel, Mismatch, join_text, restart_text

READY = b"version\r\n[Ready]\r\n> "
BOOT = READY + join_text(http="HTTP server listening on port: 80")


class Reading(Case):
    def test_everything(self):
        read = transcript.parse("t", "\n".join((
            "# comment", "", "profile: wl-1.5", "mac: 00:11:22:33:44:55",
            "factory: network.tls.client_key=a = b", "factory: http.server.enabled=0", "only: serial",
            "> write 0 3", '+ "a\\x00\\r"', "~ log", "~* l.g", "< text", "<* ^t+$", "<",
            "= 7", '>> "\\x1b[A"', '<< "\\r\\n> "', "! restart", "! term", "> ")))
        self.assertEqual(read.profile, "wl-1.5")
        self.assertEqual(read.mac, "00:11:22:33:44:55")
        self.assertEqual(read.factory, {"network.tls.client_key": "a = b", "http.server.enabled": "0"})
        self.assertEqual(read.fronts(), ["serial"])
        command, sent, expected, restart, term, empty = read.steps
        self.assertEqual((command.line, command.payload, command.code),
                         ("write 0 3", b"a\0\r", 7))
        self.assertEqual([(line.kind, line.text, line.is_pattern)
                          for line in command.lines],
                         [("~", b"log", False), ("~", b"l.g", True), ("<", b"text", False),
                          ("<", b"^t+$", True), ("<", b"", False)])
        self.assertEqual((sent.is_sent, sent.data), (True, b"\x1b[A"))
        self.assertEqual((expected.is_sent, expected.data), (False, b"\r\n> "))
        self.assertEqual((restart.kill, term.kill), (True, False))
        self.assertEqual(empty.line, "")

    def test_mistakes(self):
        for text in ("", "# nothing", "> a\nhello", "hello", "colour: red", "> a\n? b",
                     "< text", "= 1", "+ \"a\"", "> a\n= 10", "> a\n= 0", "> a\n= x",
                     "> a\n+ a", '> a\n+ "a', '> a\n+ "\\q\\x"', "> a\n<* (", "! stop",
                     "only: telnet\n> a", "factory: x\n> a", '>> "a"', '<< "a"', ">a",
                     "profile:\n> a"):
            with self.subTest(text), self.assertRaises(transcript.TranscriptError):
                transcript.parse("t", text)

    def test_line_number(self):
        with self.assertRaisesRegex(transcript.TranscriptError, "^t:3: "):
            transcript.parse("t", "> a\n\n? b")


class Comparing(Case):
    def step(self, *lines):
        return transcript.parse("t", "\n".join(lines)).steps[0]

    def test_reply(self):
        step = self.step("> a", "< one", "<* t.o", "= 1")
        transcript.check_reply(step, b"one\r\ntwo\r\n", 1)
        for body, code in ((b"one\r\ntwo\r\n", 0), (b"one\r\n", 1), (b"", 1),
                           (b"one\r\ntwo\r\nthree\r\n", 1), (b"one\r\ntwo", 1),
                           (b"one\ntwo\r\n", 1), (b"one \r\ntwo\r\n", 1),
                           (b"One\r\ntwo\r\n", 1), (b"one\r\ntwoo\r\n", 1),
                           (b"one\r\n\r\ntwo\r\n", 1)):
            with self.subTest(body=body, code=code), self.assertRaises(Mismatch):
                transcript.check_reply(step, body, code)

    def test_no_lines(self):
        transcript.check_reply(self.step("> a"), b"", 0)
        with self.assertRaises(Mismatch):
            transcript.check_reply(self.step("> a"), b"x\r\n", 0)


class OnSerial(Case):
    """The serial front on a pipe that holds what a module would have sent."""

    def play(self, text, output, factory=None):
        ours, theirs = os.pipe(), os.pipe()
        os.write(theirs[1], output)
        channel = TwoPipes(theirs[0], ours[1])
        self.addCleanup(os.close, ours[0])
        self.addCleanup(os.close, theirs[1])
        read = transcript.parse("t", text)
        front = transcript.SerialFront(channel,
                                       transcript.ConsoleStates(factory or read.factory))
        try:
            transcript.play_steps(read, front, None)
        except BaseException:
            channel.close()
            raise
        front.close()

    def test_right(self):
        self.play("> ver\n< 1", BOOT + b"ver\r\n1\r\n> ")
        self.play("> ver\n~ log\n< 1", BOOT + b"ver\r\nlog\r\n1\r\n> ")
        self.play("> get x", BOOT + b"get x\r\n> ")

    def test_wrong(self):
        for output in (b"ver\r\n2\r\n> ", b"ver\r\n1\r\n", b"ver\r\n1\r\n>", b"1\r\n> ",
                       b"ver\r\n1\n> ", b"ver\r\n1\r\n> x", b"ver\r\n\r\n1\r\n> ", b"",
                       b"ver\r\nlog\r\n1\r\n> ", b"ver\r\n> "):
            with self.subTest(output), self.assertRaises(Mismatch):
                self.play("> ver\n< 1", BOOT + output)
        with self.assertRaises(Mismatch):
            self.play("> ver\n~ log\n< 1", BOOT + b"ver\r\n1\r\n> ")

    def test_boot_output(self):
        for boot in (b"", b"version\r\n> ", BOOT[9:], BOOT[:-2]):
            with self.subTest(boot), self.assertRaises(Mismatch):
                self.play("> ver\n< 1", boot + b"ver\r\n1\r\n> ")

    def test_follows_the_console(self):
        self.play("> set system.cmd.echo 0\n< Set OK\n> ver\n< 1",
                  BOOT + b"set system.cmd.echo 0\r\nSet OK\r\n> 1\r\n> ")
        self.play("> set sy c p off\n< Set OK\n> ver\n< 1",
                  BOOT + b"set sy c p off\r\nSet OK\r\nver\r\n1\r\n")
        self.play("> set system.cmd.mode machine\n< Set OK\n> ver\n< 1\n> x\n< No\n= 3",
                  BOOT + b"set system.cmd.mode machine\r\nR000008\r\nSet OK\r\n"
                  b"R000003\r\n1\r\nR300004\r\nNo\r\n")
        self.play("> set sy c h 1\n< Set OK\n> a\n~ log\n< 1",
                  BOOT + b"set sy c h 1\r\nR000008\r\nSet OK\r\n> "
                  b"a\r\nL000005\r\nlog\r\nR000003\r\n1\r\n> ")
        self.play("factory: system.cmd.echo=0\n> ver\n< 1", BOOT + b"1\r\n> ")

    def test_network_restart(self):
        text = "> nre\n< Success\n> ver\n< 1"
        self.play(text, BOOT + b"nre\r\nSuccess\r\n> " + restart_text()
                  + b"ver\r\n1\r\n> ")
        with self.assertRaises(Mismatch):
            self.play(text, BOOT + b"nre\r\nSuccess\r\n> ver\r\n1\r\n> ")
        self.play("factory: http.server.enabled=0\n" + text,
                  READY + join_text(http=None) + b"nre\r\nSuccess\r\n> "
                  + restart_text(http=None) + b"ver\r\n1\r\n> ")

    def test_wrong_frames(self):
        text = "factory: system.cmd.header_enabled=1\nfactory: system.print_level=0\n" \
               "> ver\n< 1\n= 3"
        self.play(text, b"> ver\r\nR300003\r\n1\r\n> ")
        for frame in (b"R000003\r\n1\r\n", b"L300003\r\n1\r\n", b"R300004\r\n1\r\n\r\n",
                      b"R30003\r\n1\r\n", b"R300001\r\n1\r\n", b"1\r\n"):
            with self.subTest(frame), self.assertRaises(Mismatch):
                self.play(text, b"> ver\r\n" + frame + b"> ")

    def test_reboot(self):
        self.play("> set system.cmd.echo 0\n< Set OK\n> reboot\n< Rebooting\n> ver\n< 1",
                  BOOT + b"set system.cmd.echo 0\r\nSet OK\r\n> Rebooting\r\n"
                  + b"[Disassociated]\r\n" + BOOT
                  + b"ver\r\n1\r\n> ")
        with self.assertRaises(Mismatch):
            self.play("> reboot\n< Rebooting\n> ver\n< 1",
                      BOOT + b"reboot\r\nRebooting\r\n> ver\r\n1\r\n> ")


class TwoPipes(Channel):
    """Reads from one end and writes to another, for want of a pty; fails at once."""

    def __init__(self, readable, writable):
        super().__init__(readable, timeout=0.2)
        self.writable = writable

    def send(self, data):
        os.write(self.writable, data)

    def close(self):
        super().close()
        if self.writable is not None:
            os.close(self.writable)
            self.writable = None


class FakeResponse:
    status = 200
    headers = {}

    def __init__(self, body, status=200):
        self.body = body
        self.status = status

    def read(self):
        return self.body


class OverRest(Case):
    def reply(self, body, status=200):
        return Reply(Answer(FakeResponse(body, status)))

    def test_form(self):
        good = b'{"id":1,"code":0,"flags":0,"response":"x\\r\\n"}'
        self.assertEqual(self.reply(good).body, b"x\r\n")
        for bad in (b'{"code":0,"id":1,"flags":0,"response":""}',
                    b'{"id":1,"code":0,"flags":0}',
                    b'{"id":1,"code":0,"flags":0,"response":"","x":1}'):
            with self.subTest(bad), self.assertRaises(AssertionError):
                self.reply(bad)
        with self.assertRaises(AssertionError):
            self.reply(good, 500)


class OfTheDaemon(Case):
    def test_libconfig(self):
        self.assertEqual(libconfig([{"a": 'x"\\', "b": True, "c": 5}]),
                         '( { a = "x\\"\\\\"; b = true; c = 5; } )')

    def test_sanitizer_report_fails_the_test(self):
        daemon = Daemon()
        with open(daemon.stderr_path, "a", encoding="utf-8") as stderr:
            stderr.write("x.c:1:1: runtime error: index 5 out of bounds\n")
        with self.assertRaisesRegex(AssertionError, "runtime error"):
            daemon.close()

    def test_death_fails_the_test(self):
        daemon = Daemon()
        daemon.process.kill()
        daemon.process.wait()
        with self.assertRaisesRegex(AssertionError, "status -9"):
            daemon.close()


class OfTheRunner(Case):
    def run_tests(self, build, *arguments):
        return subprocess.run([sys.executable, ROOT / "test" / "run", build, *arguments],
                              capture_output=True, text=True, timeout=60, check=False)

    def test_nothing_to_run_is_a_failure(self):
        done = self.run_tests(os.environ["ZENTRID_BUILD"], "--only", "no-such-test")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 0 failed")

    def test_missing_daemon_is_a_failure(self):
        done = self.run_tests("/nowhere", "--only", "BootOutput.test_human")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 1 failed")
