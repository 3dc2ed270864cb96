"""The command ping, in networks of its own, with and without the right to send echoes."""

import sys
import time

from lib.case import Case
from lib.daemon import module, wait_until
from lib.namespaces import cable

# A host that the kernel does not answer for: to an echo request it sends much that looks
# like the echo, and the echo itself only if it is told to.
CONFUSER = """
import socket, sys
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
print("ready", flush=True)

def send(kind, rest, peer):
    body = bytes([kind, 0, 0, 0]) + rest
    total = sum(int.from_bytes(body[i:i + 2].ljust(2, b"\\0"), "big")
                for i in range(0, len(body), 2))
    total = (total & 0xFFFF) + (total >> 16)
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    raw.sendto(body[:2] + total.to_bytes(2, "big") + body[4:], peer)

while True:
    packet, peer = raw.recvfrom(2000)
    header = (packet[0] & 15) * 4
    if packet[header] != 8:
        continue
    rest = packet[header + 4:]
    for other in (b"", rest[:4], rest[:-1], rest[:4] + bytes(32), rest[:4] + bytes(1400)):
        send(0, other, peer)
    send(8, rest, peer)
    if sys.argv[1] == "echo":
        send(0, rest, peer)
    print("asked", flush=True)
"""


class PingTest(Case):
    def wires(self, unprivileged=True):
        """A new network lets no group send echoes without privileges."""
        near, far = cable(self)
        near.ip("address", "add", "10.10.10.1/24", "dev", "cable0")
        far.ip("address", "add", "10.10.10.2/24", "dev", "cable0")
        if unprivileged:
            near.run("sh", "-c", "echo 0 0 > /proc/sys/net/ipv4/ping_group_range")
        return near, far

    def module(self, near, without=()):
        daemon = self.daemon(
            [module()], {"address": "10.10.10.1", "ports": [{"module": 80, "host": 0}],
                         "name_server": "127.0.0.1:9"},
            prefix=[*near.prefix, *without])
        return daemon, self.serial(daemon)

    def check_reply(self, serial, host):
        self.assertRegex(serial.command(f"ping {host}"),
                         rb"\APing reply in [0-9]{1,3}ms\r\n\Z")

    def test_with_the_right_to_echoes(self):
        near, far = self.wires()
        daemon, serial = self.module(near)
        before = daemon.descriptors()
        for host in ("10.10.10.2", "10.10.10.1", "127.0.0.1", "localhost"):
            self.check_reply(serial, host)
        wait_until(lambda: daemon.descriptors() <= before + 1, what="the descriptors")
        # The other way round.
        far.run("busybox", "ping", "-c", "1", "10.10.10.1")

    def test_with_raw_sockets(self):
        near, _ = self.wires(unprivileged=False)
        _, serial = self.module(near)
        for host in ("10.10.10.2", "127.0.0.1", "-g"):
            self.check_reply(serial, host)

    def test_gateway(self):
        near, far = self.wires()
        near.ip("route", "add", "default", "via", "10.10.10.2")
        _, serial = self.module(near)
        self.check_reply(serial, "-g")
        far.ip("link", "set", "cable0", "down")
        self.assertIn(b"Ping failed\r\n", serial.command("ping -g"))

    def test_without_any_right(self):
        near, _ = self.wires(unprivileged=False)
        daemon, serial = self.module(
            near, ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"])
        self.assertEqual(serial.command("ping 10.10.10.2"),
                         b"Ping: Permission denied\r\nPing failed\r\n")
        daemon.wait_stderr("ping: this process may not send echoes; put its group into "
                           "net.ipv4.ping_group_range, or give it CAP_NET_RAW")

    def confuser(self, far, what):
        far.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all")
        process = far.start(sys.executable, "-c", CONFUSER, what, stdout=-1)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def test_what_is_not_the_echo(self):
        for unprivileged in (True, False):
            near, far = self.wires(unprivileged)
            self.confuser(far, "silence")
            _, serial = self.module(near)
            began = time.monotonic()
            self.assertEqual(serial.command("ping 10.10.10.2"), b"Ping failed\r\n")
            self.assertGreater(time.monotonic() - began, 2.9)

    def test_the_echo_among_others(self):
        for unprivileged in (True, False):
            near, far = self.wires(unprivileged)
            self.confuser(far, "echo")
            _, serial = self.module(near)
            self.check_reply(serial, "10.10.10.2")

    def test_nobody_waits_for_it(self):
        near, far = self.wires()
        confuser = self.confuser(far, "silence")
        daemon, _ = self.module(near)
        serial = self.open_serial(daemon)
        serial.send(b"ping 10.10.10.2\r\n")
        self.assertEqual(confuser.stdout.readline(), b"asked\n")
        daemon.stop()

    def test_soft_ap(self):
        # The module whose soft AP is joined, itself, and an address that nobody has.
        near, _ = self.wires()
        daemon = self.daemon(
            [module("ap", mac="02:00:00:00:00:02", joined=False,
                    factory={"softap.auto_start": "1", "softap.ssid": "charger"}),
             module("one", mac="02:00:00:00:00:04", joined=False,
                    factory={"http.server.enabled": "0"})],
            {"address": "127.0.0.1", "ports": [{"module": port, "host": 0}
                                               for port in (53, 67, 80)]},
            prefix=near.prefix)
        serial = self.serial(daemon, "one", joined=False)
        for line in ("set wlan.ssid charger", "set wlan.auto_join.enabled 1",
                     "set system.print_level 0", "network_up"):
            serial.command(line)
        wait_until(lambda: serial.command("get wlan.network.status") == b"2\r\n")
        for host in ("10.10.10.1", "-g", "10.10.10.2"):
            self.check_reply(serial, host)
        self.assertEqual(serial.command("ping 10.10.10.77"), b"Ping failed\r\n")

    def test_no_way(self):
        near, _ = self.wires()
        _, serial = self.module(near)
        self.assertEqual(serial.command("ping 192.0.2.1"),
                         b"Ping: Network is unreachable\r\nPing failed\r\n")
