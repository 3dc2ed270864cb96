"""Pins on lines of a real GPIO chip: the kernel's own one for tests, gpio-sim."""

import ctypes
import fcntl
import os
import pathlib
import signal

from integration.test_gpio import STREAM
from lib.case import Case
from lib.control import Control
from lib.daemon import module, wait_until
from lib.unit import ServiceCase, run

CONFIGFS = pathlib.Path("/sys/kernel/config")
LINES = 8

# linux/gpio.h: takes lines as outputs, for a neighbour that has them already.
GPIO_GET_LINEHANDLE_IOCTL = 0xC16CB403
GPIOHANDLE_REQUEST_OUTPUT = 2


class HandleRequest(ctypes.Structure):
    _fields_ = [("lineoffsets", ctypes.c_uint32 * 64), ("flags", ctypes.c_uint32),
                ("default_values", ctypes.c_uint8 * 64), ("consumer", ctypes.c_char * 32),
                ("lines", ctypes.c_uint32), ("fd", ctypes.c_int)]


class Chip:
    """A chip of gpio-sim; what is wired to its lines is a file of sysfs for each."""

    def __init__(self, name):
        if not pathlib.Path("/sys/module/gpio_sim").exists():
            run("modprobe", "configfs")
            run("insmod", os.environ["ZENTRID_IMAGE"] + "/gpio-sim.ko")
        if not os.path.ismount(CONFIGFS):
            run("mount", "-t", "configfs", "none", CONFIGFS)
        self.device = CONFIGFS / "gpio-sim" / name
        self.device.mkdir()
        bank = self.device / "bank"
        bank.mkdir()
        (bank / "num_lines").write_text(str(LINES))
        (self.device / "live").write_text("1")
        self.name = (bank / "chip_name").read_text().strip()
        self.path = f"/dev/{self.name}"
        self.lines = pathlib.Path("/sys/devices/platform",
                                  (self.device / "dev_name").read_text().strip(), self.name)

    def unplug(self):
        (self.device / "live").write_text("0")

    def close(self):
        if (self.device / "live").read_text().strip() == "1":
            self.unplug()
        (self.device / "bank").rmdir()
        self.device.rmdir()

    def value(self, line):
        """What is on the wire."""
        return int((self.lines / f"sim_gpio{line}" / "value").read_text())

    def pulled(self, line):
        return (self.lines / f"sim_gpio{line}" / "pull").read_text().strip()

    def pull(self, line, level):
        """What is wired to an input makes it high or low."""
        (self.lines / f"sim_gpio{line}" / "pull").write_text(
            "pull-up" if level else "pull-down")

    def user(self, line):
        """Who has a line, its consumer or None, and whether it is an output."""
        # struct gpioline_info of linux/gpio.h: number, flags, name, consumer.
        info = bytearray(line.to_bytes(4, "little") + bytes(68))
        with open(self.path, "rb") as chip:
            fcntl.ioctl(chip, 0xC048B402, info)
        flags = int.from_bytes(info[4:8], "little")
        consumer = info[40:].rstrip(b"\0").decode() if flags & 1 else None
        return consumer, bool(flags & 2)

    def take(self, line):
        """A neighbour that has the line until the descriptor is closed."""
        request = HandleRequest(flags=GPIOHANDLE_REQUEST_OUTPUT, consumer=b"neighbour",
                                lines=1)
        request.lineoffsets[0] = line
        with open(self.path, "rb") as chip:
            fcntl.ioctl(chip, GPIO_GET_LINEHANDLE_IOCTL, request)
        return request.fd


class LineCase(Case):
    def setUp(self):
        self.chip = Chip(f"chip-{self.id().rpartition('.')[2]}")
        self.addCleanup(self.chip.close)

    def pin(self, pin, line, **settings):
        return {"pin": pin, "chip": self.chip.path, "line": line} | settings

    def start(self, *pins, factory=None, **settings):
        """A module that has these pins on the chip."""
        daemon = self.daemon([module(gpio=pins, factory=factory, **settings)])
        self.rest_of = self.rest(daemon)
        self.control = Control(daemon)
        self.addCleanup(self.control.close)
        return daemon

    def command(self, line):
        reply = self.rest_of.command(line)
        self.assertEqual(reply.code, 0, f"{line}: {reply}")
        return reply.body.decode().rstrip("\r\n")

    def wait_value(self, line, value):
        wait_until(lambda: self.chip.value(line) == value,
                   what=f"line {line} to be {value}")

    def wait_level(self, pin, level):
        wait_until(lambda: self.command(f"gpio_get {pin}") == str(level),
                   what=f"pin {pin} to be {level}")


class Output(LineCase):
    def test_levels(self):
        daemon = self.start(self.pin(5, 3), self.pin(6, 4, active_low=True))
        self.assertEqual(self.chip.user(3), (None, False))
        for pin, line, turned in ((5, 3, 0), (6, 4, 1)):
            for word, level in (("output_high", 1), ("output_low", 0)):
                self.command(f"gpio_dir {pin} {word}")
                self.assertEqual(self.chip.value(line), level ^ turned)
            for level in (1, 0, 1):
                self.command(f"gpio_set {pin} {level}")
                self.assertEqual(self.chip.value(line), level ^ turned)
                self.assertEqual(self.command(f"gpio_get {pin}"), str(level))
            self.assertEqual(self.chip.user(line), ("zentrid:zentri", True))
        descriptors = daemon.descriptors()
        # Given back, nothing is driven: what is wired to the line counts.
        self.command("gpio_dir 5 none")
        self.assertEqual(self.chip.user(3), (None, False))
        self.assertEqual(self.chip.value(3), 0)
        self.assertLess(daemon.descriptors(), descriptors)
        daemon.stop()
        self.assertEqual(self.chip.user(4), (None, False))

    def test_open_drain(self):
        """High is left to the wire. This chip has no open drain, so the kernel makes it of
        an input, and what is wired to that is not looked at: it stays low."""
        self.start(self.pin(5, 3))
        for word in ("output_open_drain", "output_open_drain_pullup"):
            self.command(f"gpio_dir 5 {word}")
            for level in (0, 1):
                self.command(f"gpio_set 5 {level}")
                self.assertEqual(self.chip.value(3), 0)
                self.assertEqual(self.command("gpio_get 5"), "0")
            self.assertEqual(self.chip.pulled(3),
                             "pull-up" if "pullup" in word else "pull-down")

    def test_indicator(self):
        self.start(self.pin(0, 6))
        self.assertEqual(self.chip.user(6), ("zentrid:zentri", True))
        self.wait_value(6, 1)
        self.command("set system.indicator.state wlan "
                     "static_off|static_off|static_off|slow_blink")
        for value in (0, 1, 0, 1):
            self.wait_value(6, value)
        self.command("network_down")
        self.wait_value(6, 0)

    def test_outside_is_the_line(self):
        """The control socket shows a pin on a line and does not drive it."""
        self.start(self.pin(5, 3))
        self.control.drive(5, 1)
        self.command("gpio_dir 5 input_pulldown")
        self.assertEqual(self.control.pin(5)["level"], 0)
        self.assertIn("on a line of this host",
                      self.control.command("gpio zentri 5 1")["error"])
        self.chip.pull(3, 1)
        wait_until(lambda: self.control.pin(5)["level"] == 1, what="the level")


class Input(LineCase):
    def test_levels_and_pulls(self):
        self.start(self.pin(5, 3), self.pin(6, 4, active_low=True))
        for pin, line, turned in ((5, 3, 0), (6, 4, 1)):
            for word, idle in (("input_pullup", 1), ("input_pulldown", 0)):
                self.command(f"gpio_dir {pin} {word}")
                self.assertEqual(self.chip.pulled(line),
                                 "pull-up" if idle ^ turned else "pull-down")
                self.assertEqual(self.command(f"gpio_get {pin}"), str(idle))
                for level in (0, 1, 0):
                    self.chip.pull(line, level ^ turned)
                    self.wait_level(pin, level)
            # Nothing pulls there: what is wired to it decides from the start.
            self.chip.pull(line, 1 ^ turned)
            self.command(f"gpio_dir {pin} input_highz")
            self.assertEqual(self.command(f"gpio_get {pin}"), "1")

    def test_each_edge_is_told(self):
        """To a watcher, once."""
        self.start(self.pin(5, 3))
        self.command("gpio_dir 5 input_pulldown")
        self.control.watch()
        for level in [1, 0] * 10:
            self.chip.pull(3, level)
            self.assertEqual(self.control.change(5)["level"], level)

    def test_more_edges_than_are_kept(self):
        """The last level counts, also behind edges that the kernel dropped."""
        daemon = self.start(self.pin(5, 3))
        self.command("gpio_dir 5 input_pulldown")
        for last in (1, 0):
            daemon.send_signal(signal.SIGSTOP)
            for _ in range(50):
                self.chip.pull(3, 1)
                self.chip.pull(3, 0)
            self.chip.pull(3, last)
            daemon.send_signal(signal.SIGCONT)
            self.wait_level(5, last)

    def test_setup_button(self):
        """Held while the module boots, it starts the web setup. The pin has no pull-down:
        this chip cannot tell one from a button."""
        self.chip.pull(3, 1)
        daemon = self.start(self.pin(5, 3, pulls=False),
                            factory={"setup.gpio.control_gpio": "5"})
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        serial.read_until(b"[Disassociated]\r\n", timeout=30)
        wait_until(lambda: daemon.status()["interfaces"]["softap"] == "up", 30,
                   "the soft AP of the setup")

    def test_command_pin(self):
        """bus.stream.cmd_gpio leaves STREAM mode."""
        daemon = self.start(self.pin(0, 7), factory=STREAM)
        serial = self.open_serial(daemon)
        self.chip.pull(7, 1)
        serial.expect(b"Command Mode Start\r\n> ")
        self.assertEqual(serial.command("get bus.mode"), b"stream\r\n")


class Trouble(LineCase):
    """A line that cannot be had is said, and the pin goes on in software."""

    def check_in_software(self, daemon, words):
        daemon.wait_stderr(words)
        self.command("gpio_dir 5 input_pulldown")
        self.control.drive(5, 1)
        self.assertEqual(self.command("gpio_get 5"), "1")

    def test_no_such_thing(self):
        for chip, line, words in (
                ("/dev/gpiochip99", 0, "No such file"), ("/dev/null", 0, "/dev/null line 0: "),
                (self.chip.path, LINES, "the chip has no such line")):
            with self.subTest(chip=chip):
                daemon = self.daemon([module(
                    gpio=[{"pin": 5, "chip": chip, "line": line}],
                    factory={"gpio.init 5": "input_pullup"})])
                self.rest_of, self.control = self.rest(daemon), Control(daemon)
                self.addCleanup(self.control.close)
                self.check_in_software(daemon, words)

    def test_busy(self):
        taken = self.chip.take(3)
        daemon = self.start(self.pin(5, 3), factory={"gpio.init 5": "output"})
        self.check_in_software(
            daemon, f"zentri: pin 5: {self.chip.path} line 3: something else has it")
        self.assertEqual(self.chip.user(3), ("neighbour", True))
        os.close(taken)
        # Taken anew, it is tried again.
        self.command("gpio_dir 5 output_high")
        self.assertEqual(self.chip.value(3), 1)

    def test_unplugged(self):
        """While edges are waited for, and while it is written to."""
        daemon = self.start(self.pin(5, 3), self.pin(6, 4))
        self.command("gpio_dir 5 input_pullup")
        self.command("gpio_dir 6 output_high")
        descriptors = daemon.descriptors()
        self.chip.unplug()
        daemon.wait_stderr(f"pin 5: {self.chip.path} line 3: No such device")
        self.command("gpio_set 6 0")
        self.assertEqual(self.command("gpio_get 6"), "0")
        daemon.wait_stderr(f"pin 6: {self.chip.path} line 4: No such device")
        self.command("gpio_dir 5 input_pulldown")
        self.assertEqual(self.command("gpio_get 5"), "0")
        daemon.wait_stderr(f"pin 5: {self.chip.path} line 3: ")
        self.assertLess(daemon.descriptors(), descriptors)
        self.control.drive(5, 1)
        self.assertEqual(self.command("gpio_get 5"), "1")


class Unit(ServiceCase):
    """Under the shipped unit: the group of the chip decides."""

    def test_group(self):
        chip = Chip("unit")
        self.addCleanup(chip.close)
        self.configure([module(gpio=[{"pin": 5, "chip": chip.path, "line": 3}],
                               factory={"gpio.init 5": "output 1"})])
        os.chmod(chip.path, 0o600)
        service = self.start()
        self.assertIn("Permission denied", service.journal_text())
        self.assertEqual(chip.value(3), 0)
        run("chgrp", "dialout", chip.path)
        os.chmod(chip.path, 0o660)
        service.control("restart")
        self.assertEqual(chip.value(3), 1)
        service.control("stop")
        self.assertEqual(chip.user(3), (None, False))
