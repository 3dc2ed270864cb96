"""wlan.dhcp.cache_enabled on another module's soft AP; over real interfaces, see
test_real_interfaces.py."""

import json

from lib.daemon import module
from lib.network import NetworkCase


def mac(number):
    return f"4C:55:CC:00:00:{number:02X}"


class Lease(NetworkCase):
    def start_pair(self, **factory):
        """A soft AP, a module that keeps its lease, and one that does not."""
        client = {"wlan.ssid": "zentri", "http.server.enabled": "0",
                  "system.print_level": "0"}
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        daemon = self.daemon([
            module("ap", mac=mac(0), joined=False, factory={
                "softap.auto_start": "1", "network.default_interface": "softap",
                "system.print_level": "0"}),
            module("one", "wz-3", mac=mac(2), joined=False, factory=client | {
                "wlan.dhcp.cache_enabled": "1"} | factory),
            module("two", "wz-3", mac=mac(4), joined=False, factory=client)],
            arguments=["-v"])
        self.path = daemon.state / "one" / "lease.json"
        return daemon, *(self.serial(daemon, name, joined=False, level=0)
                         for name in ("ap", "one", "two"))

    def up(self, serial):
        self.assertEqual(serial.command("network_up"), b"Success\r\n")
        return self.get(serial, "wlan.network.ip")

    def test_again(self):
        daemon, ap, one, two = self.start_pair()
        self.assertEqual(self.up(one), "10.10.10.2")
        kept = json.loads(self.path.read_text())
        self.assertEqual((kept["address"], kept["server"]), ("10.10.10.2", "10.10.10.1"))
        # It is not given back, so nobody else gets it, and confirmed at the next join.
        one.command("network_down")
        self.assertEqual(self.up(two), "10.10.10.3")
        self.assertEqual(self.up(one), "10.10.10.2")
        again = "one: dhcp: asks for 10.10.10.2 again"
        self.assertEqual(daemon.stderr().count(again), 1)
        one.command("reboot")
        self.assertEqual(self.up(one), "10.10.10.2")
        self.assertEqual(daemon.stderr().count(again), 2)
        # Another network behind the same access point says no, and another is asked for.
        ap.command("set softap.static.ip 10.20.30.1")
        ap.command("network_restart")
        self.joined(daemon, "ap", "up", "softap")
        self.joined(daemon, "one", "down")
        self.assertEqual(self.up(one), "10.20.30.2")
        self.assertEqual(daemon.stderr().count(again), 3)
        # Given back, as it is not to be kept any longer.
        one.command("set wlan.dhcp.cache_enabled 0")
        self.assertFalse(self.path.exists())
        one.command("network_down")
        self.assertEqual(self.up(two), "10.20.30.2")

    def test_no_answer(self):
        """A server that has lost its memory does not answer. The join fails when its time
        is up, and the next one searches."""
        daemon, ap, one, _ = self.start_pair(wlan__dhcp__timeout="300")
        self.assertEqual(self.up(one), "10.10.10.2")
        one.command("network_down")
        ap.command("network_down")
        self.joined(daemon, "ap", "down", "softap")
        (daemon.state / "ap" / "dhcp.json").unlink()
        ap.command("network_up")
        self.joined(daemon, "ap", "up", "softap")
        self.assertEqual(one.command("network_up"), b"Command failed\r\n")
        self.assertFalse(self.path.exists())
        self.assertEqual(self.up(one), "10.10.10.2")
        self.assertTrue(self.path.exists())

    def test_a_file_that_cannot_be_written(self):
        daemon, _, one, _ = self.start_pair()
        self.path.mkdir()
        self.assertEqual(self.up(one), "10.10.10.2")
        daemon.wait_stderr(f"cannot write {self.path}")
        one.command("network_down")
        self.assertEqual(self.up(one), "10.10.10.2")
        daemon.wait_stderr(f"{self.path} cannot be read and is not used")
