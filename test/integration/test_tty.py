"""A module on a real tty: here the slave side of a pty that the test has made."""

import fcntl
import os
import struct
import termios
import tty

from lib.case import Case
from lib.daemon import MAC, configuration, module, wait_until
from lib.serial import Channel, Closed

MAC_REPLY = MAC.encode() + b"\r\n"

# struct termios2 and its ioctl (asm-generic): the one that knows any speed.
TERMIOS2 = struct.Struct("=4IB19s2I")
TCGETS2 = 0x802C542A


class Tty(Case):
    def setUp(self):
        self.line = None

    def make_line(self):
        """A new pty, the test being the host at its master side. Returns the path."""
        master, slave = os.openpty()
        tty.setraw(slave)
        path = os.ttyname(slave)
        os.close(slave)
        self.line = Channel(master)
        self.addCleanup(self.line.close)
        return path

    def start(self, path, **settings):
        return self.daemon([module(serial={"device": str(path)}, **settings)])

    def settings(self, path):
        """Control flags and speed of the line."""
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        try:
            raw = fcntl.ioctl(descriptor, TCGETS2, bytes(TERMIOS2.size))
        finally:
            os.close(descriptor)
        _, _, control, *_, speed_in, speed_out = TERMIOS2.unpack(raw)
        self.assertEqual(speed_in, speed_out)
        return control, speed_out

    def speed(self, path):
        return self.settings(path)[1]

    def flags(self, path):
        return self.settings(path)[0] & (termios.CRTSCTS | termios.CSTOPB)

    def answers(self):
        """Asks over and over until the module answers."""
        def asked():
            self.line.send(b"\x03\r\nget wlan.mac\r\n")
            try:
                while self.line.fill(0.1):
                    if MAC_REPLY + b"> " in self.line.buffer:
                        self.line.pending()
                        return True
            except Closed:
                pass  # nobody has the slave side open
            return False
        wait_until(asked, 20, "an answer on the tty")

    def test_boot_and_command(self):
        path = self.make_line()
        daemon = self.start(path)
        self.line.boot_output()
        self.line.send(b"get wlan.mac\r\n")
        self.line.expect(b"get wlan.mac\r\n" + MAC_REPLY + b"> ")
        self.assertEqual(daemon.status()["tty"], path)

    def test_speed(self):
        path = self.make_line()
        self.start(path)
        self.line.boot_output()
        self.assertEqual(self.speed(path), 115200)
        self.line.send(b"set uart.baud 0 9600\r\n")
        self.line.read_until(b"Set OK\r\n> ")
        self.assertEqual(self.speed(path), 115200)
        self.line.send(b"uart_update\r\n")
        self.line.read_until(b"Success\r\n> ")
        wait_until(lambda: self.speed(path) == 9600, what="9600 baud")
        self.line.send(b"get uart.baud 0\r\n")
        self.line.expect(b"get uart.baud 0\r\n9600\r\n> ")

    def test_flow_and_stop_bits(self):
        path = self.make_line()
        self.start(path)
        self.line.boot_output()
        self.assertEqual(self.flags(path), 0)
        self.line.send(b"set uart.stop 0 2\r\nset uart.flow 0 on\r\nuart_update\r\n")
        self.line.read_until(b"Success\r\n> ")
        wait_until(lambda: self.flags(path) == termios.CRTSCTS | termios.CSTOPB,
                   what="flow control and two stop bits")

    def test_settings_of_the_factory_and_after_save(self):
        path = self.make_line()
        daemon = self.start(path, factory={"uart.baud 0": "19200"})
        self.line.boot_output()
        self.assertEqual(self.speed(path), 19200)
        self.line.send(b"set uart.baud 0 57600\r\nsave\r\n")
        self.line.read_until(b"Success\r\n> ")
        self.line.send(b"reboot\r\n")
        self.line.read_until(b"[Ready]\r\n> ")
        wait_until(lambda: self.speed(path) == 57600, what="57600 baud")
        daemon.wait_status(lambda status: status["state"] == "running")

    def test_raw_speed(self):
        path = self.make_line()
        self.start(path)
        self.line.boot_output()
        self.line.send(b"set uart.baud 0 250000 raw\r\nuart_update\r\n")
        self.line.read_until(b"Success\r\n> ")
        wait_until(lambda: self.speed(path) == 250000, what="250000 baud")

    def test_vanishes_and_comes_back(self):
        daemon = self.daemon(start=False)
        link = daemon.directory / "tty"
        link.symlink_to(self.make_line())
        daemon.config.write_text(configuration([module(serial={"device": str(link)})]))
        daemon.start()
        self.line.boot_output()
        rest = self.rest(daemon)
        for _ in range(3):
            link.unlink()
            self.line.close()
            self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
            link.symlink_to(self.make_line())
            self.answers()
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)

    def test_is_not_there_at_the_start(self):
        daemon = self.daemon(start=False)
        link = daemon.directory / "tty"
        daemon.config.write_text(configuration([module(serial={"device": str(link)})]))
        daemon.start()
        daemon.wait_stderr(str(link))
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)
        link.symlink_to(self.make_line())
        self.answers()

    def test_device_that_is_no_tty(self):
        daemon = self.start("/dev/null")
        self.assertIn("/dev/null", daemon.stderr())
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_vanishing_costs_nothing(self):
        """While the tty is away the process sleeps, and no descriptor is left behind."""
        daemon = self.daemon(start=False)
        link = daemon.directory / "tty"
        link.symlink_to(self.make_line())
        daemon.config.write_text(configuration([module(serial={"device": str(link)})]))
        daemon.start()
        self.line.boot_output()
        self.answers()
        descriptors, before = daemon.descriptors(), self.ticks(daemon)
        for _ in range(3):
            link.unlink()
            self.line.close()
            wait_until(lambda: daemon.descriptors() < descriptors,
                       what="the tty to be closed")
            link.symlink_to(self.make_line())
            self.answers()
        self.assertEqual(daemon.descriptors(), descriptors)
        self.assertLess(self.ticks(daemon) - before, os.sysconf("SC_CLK_TCK") / 2)

    @staticmethod
    def ticks(daemon):
        """CPU time of the process, in clock ticks."""
        with open(f"/proc/{daemon.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
