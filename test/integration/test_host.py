"""Hosts on the pty that come, go, hang and flood."""

import os
import re
import select
import subprocess
import termios

from lib.case import Case
from lib.daemon import MAC, module
from lib.serial import Serial

MAC_REPLY = MAC.encode() + b"\r\n"
EXCHANGE = b"get wlan.mac\r\n" + MAC_REPLY + b"> "


def fill_up(descriptor, data):
    """Writes data over and over until nothing is taken for a while; the bytes taken."""
    taken = 0
    while select.select([], [descriptor], [], 0.5)[1]:
        rest = data[taken % len(data):]
        taken += os.write(descriptor, rest)
    return taken


class Host(Case):
    def test_that_does_not_read(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        line = b"get wlan.mac\r\n"
        taken = fill_up(serial.descriptor, line)
        rest = self.rest(daemon)
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        # Now it reads: nothing was lost or torn.
        whole, part = divmod(taken, len(line))
        for _ in range(whole):
            serial.expect(EXCHANGE)
        if part:
            serial.send(line[part:])
            serial.expect(EXCHANGE)
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_that_does_not_read_long_answers(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        text = serial.command("get all")
        self.assertGreater(len(text), 4000)
        for _ in range(30):
            serial.send(b"get all\r\n")
        rest = self.rest(daemon)
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        for _ in range(30):
            serial.expect(b"get all\r\n")
            answer = serial.read_until(b"\r\n> ")
            self.assertEqual(answer.count(b"\r\n"), text.count(b"\r\n"))

    def test_that_does_not_read_does_not_stop_the_end(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        fill_up(serial.descriptor, b"get all\r\n")
        daemon.stop()

    def test_that_comes_and_goes(self):
        daemon = self.daemon()
        with self.serial(daemon) as serial:
            serial.command("ver")
        descriptors = daemon.descriptors()
        for _ in range(50):
            with Serial(daemon.serial_path()) as serial:
                self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)
        self.assertEqual(daemon.descriptors(), descriptors)

    def test_that_goes_in_the_middle(self):
        daemon = self.daemon()
        self.serial(daemon).close()
        for sent in (b"get wl", b"get all\r\n", b"write 0 5\r\nab", b"\x1b["):
            with Serial(daemon.serial_path()) as serial:
                serial.send(sent)
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_two_at_once(self):
        """Nothing forbids it on a pty; neither may harm the module."""
        daemon = self.daemon()
        serial = self.serial(daemon)
        with Serial(daemon.serial_path()) as other:
            other.send(b"get wlan.mac\r\n")
        serial.send(b"\r\n")
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_output_is_there_for_a_host_that_comes_late(self):
        daemon = self.daemon()
        self.rest(daemon).command("ver")
        serial = self.open_serial(daemon)
        serial.boot_output()

    def test_line_discipline_is_transparent(self):
        """A host that sets nothing, such as a shell, sees the module's bytes only."""
        daemon = self.daemon()
        descriptor = os.open(daemon.serial_path(), os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, descriptor)
        iflag, oflag, _, lflag, *_ = termios.tcgetattr(descriptor)
        self.assertEqual(lflag & (termios.ECHO | termios.ICANON | termios.ISIG), 0)
        self.assertEqual(iflag & (termios.ICRNL | termios.IXON), 0)
        self.assertEqual(oflag & termios.OPOST, 0)

    def test_shell(self):
        daemon = self.daemon()
        done = subprocess.run(
            ["sh", "-c", 'printf "get wlan.mac\\r\\n" >"$1"', "sh",
             daemon.serial_path()], timeout=20, check=True)
        self.assertEqual(done.returncode, 0)
        serial = self.serial(daemon)
        serial.expect(EXCHANGE)

    def test_mode_of_the_port(self):
        """Read and write for owner and group, nothing for others."""
        daemon = self.daemon()
        self.assertEqual(os.stat(daemon.serial_path()).st_mode & 0o777, 0o660)

    def test_flood_of_log_lines(self):
        """Log lines that nobody reads are dropped and counted, and the replies are not."""
        daemon = self.daemon([module(factory={"system.print_level": "1"})],
                             arguments=["-v"])
        serial = self.serial(daemon, level=1)
        rest = self.rest(daemon)
        line = b"get wlan.mac\r\n"
        taken = fill_up(serial.descriptor, line)
        rounds, events = 50, 3  # of a round: Opening, Opened, Closed
        for _ in range(rounds):
            self.assertEqual(rest.command("udp_client 127.0.0.1 9").code, 0)
            self.assertEqual(rest.command("stream_close 0").code, 0)
        # Now it reads.
        whole, part = divmod(taken, len(line))
        replies = b"".join(serial.read_until(b"> ") for _ in range(whole))
        serial.send(line[part:])
        replies += serial.read_until(b"> ")
        replies, told = re.subn(rb"\[(Opening|Opened|Closed): [^]]*\]\r\n", b"", replies)
        self.assertEqual(replies, EXCHANGE * (whole + 1))
        daemon.wait_stderr("log lines dropped while nobody read them")
        dropped = sum(map(int, re.findall(r"(\d+) log lines dropped", daemon.stderr())))
        self.assertGreater(dropped, 0)
        self.assertEqual(told + dropped, rounds * events)


class NoSerialPort(Case):
    def test_module_without_one(self):
        daemon = self.daemon([module(serial={"enabled": False})])
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)
        self.assertFalse((daemon.runtime / "zentri" / "serial").exists())

    def test_own_link_name(self):
        daemon = self.daemon([module(serial={"link": "ttyZ0"})])
        self.assertEqual(daemon.serial_path(),
                         str(daemon.runtime / "zentri" / "ttyZ0"))
        self.assertEqual(self.serial(daemon).command("get wlan.mac"), MAC_REPLY)
