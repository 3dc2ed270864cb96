"""The virtual machine itself, and zentrid in it."""

import os
import pathlib

from lib.case import Case


class TestMachine(Case):
    def test_systemd_is_the_first_process(self):
        self.assertEqual(pathlib.Path("/proc/1/comm").read_text(), "systemd\n")
        self.assertEqual(os.sched_getaffinity(0), {0, 1})

    def test_version_on_the_pty(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        self.assertEqual(serial.command("ver").split(b",")[0], b"ZENTRI-AMW007-1.2.0.10")
