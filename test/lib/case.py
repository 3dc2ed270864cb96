"""The base of the integration tests: daemons and clients that end with the test."""

import unittest

from lib.daemon import Daemon, module, wait_until
from lib.rest import NoListener, Rest
from lib.serial import Serial


class Case(unittest.TestCase):
    maxDiff = 4000

    def daemon(self, *arguments, **settings):
        daemon = Daemon(*arguments, **settings)
        self.addCleanup(daemon.close)
        return daemon

    def with_factory(self, **factory):
        """A daemon whose board has other defaults; "__" stands for a dot."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        return self.daemon([module(factory=factory)])

    def open_serial(self, daemon, name=None):
        """The serial port, nothing read from it."""
        serial = Serial(daemon.serial_path(name))
        self.addCleanup(serial.close)
        return serial

    def serial(self, daemon, name=None, **console):
        """The serial port behind the boot output; console as for boot_output()."""
        serial = self.open_serial(daemon, name)
        serial.boot_output(**console)
        return serial

    def rest(self, daemon, name=None, **settings):
        """A connection to the web server, which may be about to restart."""
        def connected():
            try:
                rest = Rest(daemon, name, **settings)
                rest.connection.connect()
                return rest
            except (OSError, NoListener):
                return None
        rest = wait_until(connected, what="the web server")
        self.addCleanup(rest.close)
        return rest
