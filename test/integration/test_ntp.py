"""The NTP client, against chronyd and against a server in the test that misbehaves."""

import os
import pwd
import socket
import struct
import subprocess
import tempfile
import time

from integration.test_streams_tcp import HOST, free_port
from lib.background import DatagramServer
from lib.case import Case
from lib.daemon import module, program, wait_until

FROM_1900 = 2208988800


def stamp(seconds):
    return struct.pack(">II", (int(seconds) + FROM_1900) & 0xFFFFFFFF,
                       int(seconds % 1 * 2**32))


def answer(question, seconds, first=0x24, stratum=2, reference=b"\0\0\0\0", origin=None):
    """An answer that says this time."""
    return (struct.pack(">BBBbII4s8x", first, stratum, 6, -20, 0, 0, reference)
            + (question[40:48] if origin is None else origin)
            + stamp(seconds) + stamp(seconds))


class NtpTest(Case):
    def module(self, port, host=HOST, **settings):
        daemon = self.daemon([module(factory={"ntp.enabled": "1",
                                              "ntp.server": f"{host}:{port}"})],
                             **settings)
        return daemon, self.rest(daemon)

    def text(self, rest, line):
        return rest.send(line).text.strip()

    def number(self, rest, variable):
        return float(self.text(rest, f"get {variable}"))

    def wait_set(self, rest):
        wait_until(lambda: self.number(rest, "time.last_set") >= 0, what="the clock")

    def test_chronyd(self):
        port = free_port()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        user = pwd.getpwuid(os.getuid()).pw_name
        chronyd = subprocess.Popen(
            [program("chronyd", "chrony"), "-x", "-d", "-U", "-u", user, "local stratum 8", f"port {port}",
             f"bindaddress {HOST}", "allow 127.0.0.0/8", "cmdport 0",
             f"pidfile {directory.name}/pid"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(chronyd.stdout.close)
        self.addCleanup(chronyd.wait)
        self.addCleanup(chronyd.terminate)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((HOST, port))
            sock.settimeout(0.1)

            def serves():
                if chronyd.poll() is not None:
                    raise AssertionError(chronyd.stdout.read().decode())
                try:
                    sock.send(b"\x23" + bytes(47))
                    return sock.recv(100)
                except OSError:
                    return None
            wait_until(serves, 20, "chronyd")
        daemon, rest = self.module(port)
        self.wait_set(rest)
        before = time.time()
        clock = self.number(rest, "time.rtc ms") / 1000
        self.assertTrue(before - 0.05 <= clock <= time.time() + 0.05, (before, clock))

    def test_name_and_reboot(self):
        server = DatagramServer(self, lambda number, question: [
            answer(question, 1700000000 + 1000 * number)])
        daemon, rest = self.module(server.port, "localhost")
        self.wait_set(rest)
        self.assertEqual(self.number(rest, "time.rtc") // 10, 170000100)
        # The first byte says version 4 and client; nothing else is told of the module.
        self.assertEqual(server.questions[0][:40], b"\x23" + bytes(39))
        self.assertEqual(self.text(rest, "get time.rtc utc")[:16], "2023-11-14T22:30")
        before = daemon.descriptors()
        rest.send("network_restart")
        wait_until(lambda: len(server.questions) == 2, what="another question")
        rest = self.rest(daemon)
        wait_until(lambda: self.number(rest, "time.rtc") > 1700002000, what="its answer")
        self.assertNotEqual(server.questions[0][40:], server.questions[1][40:])
        rest.close()
        wait_until(lambda: daemon.descriptors() <= before, what="the descriptors")

    def test_answers_of_others_are_passed_over(self):
        def reply(_number, question):
            return [b"", b"\0" * 47, question,
                    answer(question, 1000000000, origin=bytes(8)),
                    answer(question, 1000000000, first=0x25),
                    answer(question, 1000000000, stratum=0, reference=b"DENY",
                           origin=b"12345678"),
                    answer(question, 1800000000)]
        server = DatagramServer(self, reply)
        daemon, rest = self.module(server.port)
        self.wait_set(rest)
        self.assertEqual(self.number(rest, "time.rtc") // 10, 180000000)
        self.assertNotIn("asked again", daemon.stderr())

    def test_a_server_without_the_time_is_asked_again(self):
        def reply(number, question):
            if number == 1:
                return [answer(question, 1000000000, first=0xE4)]
            return [answer(question, 1800000000)]
        server = DatagramServer(self, reply)
        daemon, rest = self.module(server.port)
        daemon.wait_stderr("ntp: 127.0.0.1: it does not know the time; it is asked again")
        self.assertEqual(self.number(rest, "time.last_set"), -1)
        self.wait_set(rest)  # 4 s later
        self.assertEqual(len(server.questions), 2)

    def test_refused(self):
        server = DatagramServer(self, lambda _number, question: [
            answer(question, 1000000000, stratum=0, reference=b"RSTR")])
        daemon, rest = self.module(server.port)
        daemon.wait_stderr("ntp: 127.0.0.1 does not answer to us")
        self.assertEqual(self.number(rest, "time.last_set"), -1)
        # Another server is asked as soon as it is named.
        good = DatagramServer(self, lambda _number, question: [answer(question, 1800000000)])
        rest.send(f"set ntp.server {HOST}:{good.port}")
        self.wait_set(rest)
        rest.send("set ntp.enabled 0")
        rest.send("set ntp.enabled 1")
        wait_until(lambda: len(good.questions) == 2, what="another question")

    def test_too_often(self):
        server = DatagramServer(self, lambda _number, question: [
            answer(question, 1000000000, stratum=0, reference=b"RATE")])
        daemon, rest = self.module(server.port)
        daemon.wait_stderr("ntp: 127.0.0.1 wants to be asked less often")
        self.assertEqual(self.number(rest, "time.last_set"), -1)

    def test_flood(self):
        server = DatagramServer(self, lambda _number, question: [bytes(48)] * 40)
        daemon, _ = self.module(server.port)
        daemon.wait_stderr("ntp: 127.0.0.1: answers that fit no question")

    def test_nobody_there(self):
        daemon, rest = self.module(free_port())
        daemon.wait_stderr("ntp: 127.0.0.1: Connection refused; it is asked again")
        self.assertEqual(self.number(rest, "time.last_set"), -1)

    def test_unknown_name(self):
        daemon, _ = self.module(123, "no.such.host.invalid", network={
            "address": HOST, "name_server": f"{HOST}:{free_port()}",
            "ports": [{"module": 80, "host": 0}]})
        daemon.wait_stderr("ntp: no.such.host.invalid: no address is known", 20)
