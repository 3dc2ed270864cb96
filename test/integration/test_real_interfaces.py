"""Real interfaces: a module on virtual cables, with the DHCP servers and clients of others."""

import base64
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from lib.case import Case
from lib.daemon import configuration, module, wait_until
from lib.namespaces import cable

HERE, SERVER = "192.168.60.10", "192.168.60.1"

# A DHCP server whose leases are as short as none of dnsmasq's, and which does what its
# arguments say: for how many renewals it answers, and whether it says no to the next.
SHORT = """
import socket, struct, sys
renewals, then = int(sys.argv[1]), sys.argv[2]
server, given = socket.inet_aton("192.168.60.1"), 10
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"cable0")
sock.bind(("", 67))
print("ready", flush=True)
while True:
    asked, peer = sock.recvfrom(2000)
    kind = asked[asked.index(b"\\x35\\x01", 240) + 2]
    print(kind, peer[0], flush=True)
    answer = 2 if kind == 1 else 5
    if peer[0] != "0.0.0.0" and kind == 3:
        renewals -= 1
        if renewals < 0:
            if then == "silence":
                continue
            answer, given = 6, given + 1
    elif kind not in (1, 3):
        continue
    yours = bytes([192, 168, 60, given]) if answer != 6 else bytes(4)
    reply = (b"\\x02\\x01\\x06\\x00" + asked[4:8] + bytes(8) + yours + bytes(8)
             + asked[28:44] + bytes(192) + bytes([99, 130, 83, 99, 53, 1, answer, 54, 4])
             + server)
    if answer != 6:
        for code, seconds in ((51, 10), (58, 1), (59, 2)):
            reply += bytes([code, 4]) + struct.pack(">I", seconds)
        reply += bytes([1, 4, 255, 255, 255, 0])
    sock.sendto(reply + b"\\xff", ("255.255.255.255", 68) if peer[0] == "0.0.0.0" else peer)
"""

# Frames of IPv4 and ARP that are wrong somewhere, over and over while an address is asked for.
NONSENSE = """
import socket, struct, time
sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)

def send(protocol, frame):
    sock.sendto(frame, ("cable0", protocol, 0, 0, bytes([255] * 6)))

def packet(first=0x45, total=None, fragment=0, length=None, body=b"", port=68):
    udp = struct.pack(">4H", 67, port, 8 + len(body) if length is None else length, 0) + body
    head = struct.pack(">BBHHHBBH4s4s", first, 0, 20 + len(udp) if total is None else total,
                       0, fragment, 64, 17, 0, bytes([192, 168, 60, 1]), bytes([255] * 4))
    return head + udp

end = time.monotonic() + 0.5
while time.monotonic() < end:
    for frame in (b"", b"\\x45", packet()[:20], packet()[:27], packet(), packet(total=0),
                  packet(total=27), packet(total=65535), packet(length=7),
                  packet(total=65535, length=60000), packet(total=900, length=880),
                  packet(length=65535), packet(length=9), packet(first=0x44),
                  packet(first=0x4f), packet(first=0x65), packet(fragment=0x2000),
                  packet(body=bytes(1472)), packet(body=b"\\x02\\x01\\x06" + bytes(300))):
        send(0x800, frame)
    for frame in (b"", bytes(27), bytes(28), struct.pack(">HHBBH", 1, 0x800, 6, 4, 2),
                  struct.pack(">HHBBH", 1, 0x800, 255, 255, 2) + bytes(510)):
        send(0x806, frame)
    time.sleep(0.01)
"""


class InterfaceCase(Case):
    def start(self, near, network, prefix=(), profile="wl-1.0", **factory):
        """A module on interfaces of a namespace; "__" stands for a dot."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        entry = module(profile=profile, joined=False, factory={"wlan.auto_join.retry_delay": "1"} | factory)
        daemon = self.daemon([entry], {"backend": "interface"} | network,
                             prefix=[*near.prefix, *prefix])
        return daemon

    def station(self, near, **factory):
        """One that joins over cable0 at boot."""
        return self.start(near, {"wlan": "cable0"}, wlan__auto_join__enabled="1", **factory)

    def run_beside(self, namespace, *command, **settings):
        """A program that ends with the test."""
        process = namespace.start(*command, **settings)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                self.addCleanup(stream.close)
        return process

    def dnsmasq(self, far, *more, first=HERE, last=HERE):
        """A server of addresses and names at the other end; the file of its log."""
        if f"{SERVER}/24" not in far.addresses("cable0"):
            far.ip("address", "add", f"{SERVER}/24", "dev", "cable0")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        log = pathlib.Path(directory.name, "log")
        self.server = self.run_beside(
            far, "dnsmasq", "--no-daemon", "--conf-file=/dev/null",
            "--bind-interfaces", "--interface=cable0", "--no-resolv", "--no-hosts",
            "--dhcp-authoritative", "--no-ping", f"--dhcp-leasefile={directory.name}/leases",
            f"--log-facility={log}", "--log-dhcp",
            f"--dhcp-range={first},{last},255.255.255.0,1h",
            f"--host-record=peer.test,{SERVER}", *more, stderr=subprocess.DEVNULL)
        wait_until(lambda: log.exists() and "started" in log.read_text(), what="dnsmasq")
        return log

    def short(self, far, *arguments):
        """The server of short leases; what it was asked are lines of its output."""
        far.ip("address", "add", f"{SERVER}/24", "dev", "cable0")
        server = self.run_beside(far, sys.executable, "-c", SHORT, *arguments,
                                 stdout=subprocess.PIPE)
        self.assertEqual(server.stdout.readline(), b"ready\n")
        return server

    def state(self, daemon, state, interface="wlan", timeout=20):
        daemon.wait_status(lambda s: s["interfaces"][interface] == state, timeout=timeout)

    def configured(self, near):
        """All addresses, routes and rules of a namespace that zentrid may have set."""
        return (near.ip("-4", "-o", "address", "show").split("\n"),
                sorted(near.ip("-4", "route", "show", "table", "all").split("\n")),
                near.ip("-4", "rule", "show").split("\n"))

    def get(self, serial, name):
        return serial.command("get " + name).decode().rstrip("\r\n")


class StationTest(InterfaceCase):
    def test_lease(self):
        near, far = cable(self)
        # Behind the gateway; this host's own routes do not lead there.
        far.ip("address", "add", "10.99.0.1/32", "dev", "lo")
        near.ip("address", "add", "172.16.5.5/24", "dev", "cable0")
        before = self.configured(near)
        log = self.dnsmasq(far)
        daemon = self.station(near, wlan__dhcp__hostname="charger")
        self.state(daemon, "up")
        self.assertIn(f"{HERE}/24", near.addresses("cable0"))
        self.assertIn("charger", log.read_text())
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        serial.expect(b"[Associating to cable0]\r\nObtaining IPv4 address via DHCP\r\n"
                      b"IPv4 address: 192.168.60.10\r\n"
                      b"HTTP and REST API server listening on port: 80\r\n"
                      b"[Associated]\r\n")
        for name, value in (("ip", HERE), ("gateway", SERVER), ("dns", SERVER),
                            ("netmask", "255.255.255.0"), ("status", "2")):
            self.assertEqual(self.get(serial, "wlan.network." + name), value)
        # Names come from the server of the lease, pings leave over the gateway.
        self.assertEqual(serial.command("network_lookup peer.test"), b"192.168.60.1\r\n")
        for host in ("peer.test", "10.99.0.1", "-g"):
            self.assertRegex(serial.command(f"ping {host}"), rb"\APing reply in \d+ms")
        far.run("busybox", "ping", "-c", "1", HERE)
        # Others reach it under the module's own ports, also from behind the gateway.
        self.assertEqual(daemon.listener("http")["address"], HERE)
        for more in ((), ("--interface", "10.99.0.1")):
            answer = far.run("curl", "-s", f"http://{HERE}/command/get%20wlan.network.ip",
                             *more)
            self.assertEqual(json.loads(answer)["response"], HERE + "\r\n")
        # All of it is taken away, and the rest left alone.
        daemon.stop()
        self.assertEqual(self.configured(near), before)
        wait_until(lambda: f"DHCPRELEASE(cable0) {HERE}" in log.read_text(), what="release")

    def test_down_and_up(self):
        near, far = cable(self)
        before = self.configured(near)
        self.dnsmasq(far)
        daemon = self.station(near)
        self.state(daemon, "up")
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        descriptors = daemon.descriptors()
        for _ in range(3):
            self.assertEqual(serial.command("network_down"), b"Success\r\n")
            serial.read_until(b"[Disassociated]\r\n")
            self.state(daemon, "down")
            self.assertEqual(self.configured(near), before)
            self.assertEqual(serial.command("network_up"), b"In progress\r\n")
            serial.read_until(b"[Associated]\r\n")
        wait_until(lambda: daemon.descriptors() <= descriptors, what="the descriptors")
        serial.command("reboot", prompt=b"[Associated]\r\n")

    def test_streams(self):
        near, far = cable(self)
        self.dnsmasq(far)
        daemon = self.station(near)
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        listener = self.run_beside(far, "socat", "-d", "-d", "TCP-LISTEN:7000",
                                   "EXEC:cat", stderr=subprocess.PIPE)
        self.assertIn(b"listening", listener.stderr.readline())
        serial.send(b"tcp_client peer.test 7000\r\n")
        serial.read_until(b"[Opened: 0]\r\n")
        serial.read_until(b"0\r\n> ")
        serial.send(b"stream_write 0 5\r\nhello")
        serial.read_until(b"Success\r\n> ")
        wait_until(lambda: serial.command("stream_poll 0") == b"1\r\n", what="the echo")
        self.assertIn(b"hello", serial.command("stream_read 0 5"))
        # The peer of a stream hears of an orderly end.
        self.assertIn(f"{HERE}:", far.run("ss", "-tn", "sport", "=", "7000"))
        serial.command("network_down")
        wait_until(lambda: HERE not in far.run("ss", "-tn", "state", "established"),
                   what="the end of the stream")

    def test_renewal_and_loss(self):
        near, far = cable(self)
        server = self.short(far, "2", "silence")
        daemon = self.station(near)
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        asked = [server.stdout.readline() for _ in range(5)]
        # Two renewals that are answered, from the address to the server.
        self.assertEqual(asked, [b"1 0.0.0.0\n", b"3 0.0.0.0\n"] + 3 * [b"3 192.168.60.10\n"])
        self.assertEqual(near.addresses("cable0"), [f"{HERE}/24"])
        # The kernel did not tell the server that nobody listens on port 68.
        names, counts = [line.split() for line in near.run(
            "grep", "^Icmp:", "/proc/net/snmp").splitlines()]
        self.assertEqual(counts[names.index("OutDestUnreachs")], "0")
        serial.read_until(b"Address lost: the lease has run out\r\n[Disassociated]\r\n", 20)
        # It asks again, of all; nobody knows it by its address any more.
        while server.stdout.readline() != b"1 0.0.0.0\n":
            pass
        serial.read_until(b"[Associated]\r\n", 20)

    def test_refusal(self):
        near, far = cable(self)
        self.short(far, "0", "refuse")
        daemon = self.station(near)
        serial = self.open_serial(daemon)
        serial.read_until(b"IPv4 address: 192.168.60.10\r\n")
        serial.read_until(b"Address lost: the server took the address back\r\n"
                          b"[Disassociated]\r\n")
        serial.read_until(b"IPv4 address: 192.168.60.11\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(near.addresses("cable0"), ["192.168.60.11/24"])

    def test_conflict(self):
        near, far = cable(self)
        far.ip("address", "add", f"{HERE}/32", "dev", "cable0")
        server = self.short(far, "0", "silence")
        daemon = self.start(near, {"wlan": "cable0"})
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        self.assertEqual(serial.command("network_up"), b"In progress\r\n")
        serial.read_until(b"DHCP: the offered address is in use by another host\r\n")
        self.assertEqual([server.stdout.readline() for _ in range(3)],
                         [b"1 0.0.0.0\n", b"3 0.0.0.0\n", b"4 0.0.0.0\n"])
        self.assertEqual(near.addresses("cable0"), [])

    def test_carrier(self):
        near, far = cable(self)
        before = self.configured(near)[2]
        self.dnsmasq(far)
        daemon = self.station(near)
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        far.ip("link", "set", "cable0", "down")
        serial.read_until(b"[Disassociated]\r\n")
        wait_until(lambda: near.addresses("cable0") == [], what="the end of the address")
        self.assertEqual(self.configured(near)[2], before)
        far.ip("link", "set", "cable0", "up")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(near.addresses("cable0"), [f"{HERE}/24"])
        # The same when the interface itself goes, and another one has its name.
        self.server.terminate()
        self.server.wait()
        near.ip("link", "delete", "cable0")
        serial.read_until(b"[Disassociated]\r\n")
        near.ip("link", "add", "cable0", "type", "veth", "peer", "name", "cable0",
                "netns", str(far.pid))
        for end in (near, far):
            end.ip("link", "set", "cable0", "up")
        self.short(far, "99", "silence")
        serial.read_until(b"[Associated]\r\n", 20)

    def test_static_address(self):
        near, far = cable(self)
        near.ip("address", "add", "10.1.1.1/24", "dev", "cable0")
        far.ip("address", "add", f"{SERVER}/24", "dev", "cable0")
        before = self.configured(near)
        static = {"wlan__dhcp__enabled": "0", "wlan__static__gateway": SERVER,
                  "wlan__static__netmask": "255.255.255.0", "wlan__ssid": "workshop"}
        daemon = self.station(near, wlan__static__ip=HERE, **static)
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        serial.expect(b"[Associating to workshop]\r\nIPv4 address: 192.168.60.10\r\n")
        serial.read_until(b"[Associated]\r\n")
        far.run("busybox", "ping", "-c", "1", HERE)
        self.assertEqual(near.addresses("cable0"), ["10.1.1.1/24", f"{HERE}/24"])
        # What a process left that had no time to clean up goes with the next one.
        daemon.kill()
        self.assertIn(f"{HERE}/24", near.addresses("cable0"))
        daemon.config.write_text(daemon.config.read_text().replace(HERE, "192.168.60.77"))
        daemon.start()
        self.assertEqual(near.addresses("cable0"), ["10.1.1.1/24", "192.168.60.77/24"])
        self.assertNotIn(HERE, near.ip("rule"))
        daemon.kill()
        daemon.config.write_text(daemon.config.read_text().replace(
            '"wlan.auto_join.enabled"; value = "1"', '"wlan.auto_join.enabled"; value = "0"'))
        daemon.start()
        self.assertEqual(self.configured(near), before)

    def test_static_address_that_is_none(self):
        near, _ = cable(self)
        before = self.configured(near)
        daemon = self.start(near, {"wlan": "cable0"}, wlan__dhcp__enabled="0")
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        failed = b"No valid address in wlan.static.ip\r\nJoin failed\r\n"
        serial.send(b"network_up\r\n")
        serial.read_until(b"[Associating to cable0]\r\n" + failed)
        # An address with a netmask that no network can have.
        serial.command(f"set wlan.static.ip {HERE}")
        serial.send(b"network_up\r\n")
        serial.read_until(b"No address: the static address or its netmask is not valid\r\n"
                          + failed)
        self.assertEqual(self.configured(near), before)

    def test_an_address_that_was_there(self):
        near, far = cable(self)
        near.ip("address", "add", f"{HERE}/24", "dev", "cable0")
        daemon = self.station(near, wlan__dhcp__enabled="0", wlan__static__ip=HERE,
                              wlan__static__netmask="255.255.255.0")
        self.state(daemon, "up")
        daemon.stop()
        self.assertEqual(near.addresses("cable0"), [f"{HERE}/24"])
        self.assertEqual(far.addresses("cable0"), [])

    def test_faults(self):
        near, _ = cable(self)
        # Without privileges.
        daemon = self.start(near, {"wlan": "cable0"}, [
            "setpriv", "--bounding-set", "-net_raw,-net_admin", "--inh-caps",
            "-net_raw,-net_admin"])
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        self.assertEqual(serial.command("network_up"), b"In progress\r\n")
        serial.read_until(b"No address: not permitted; it takes CAP_NET_ADMIN and "
                          b"CAP_NET_RAW\r\nNo address from DHCP\r\nJoin failed\r\n")
        daemon.wait_stderr("cable0 gets no address: not permitted; it takes CAP_NET_ADMIN")
        # A role without an interface, an interface that is not there, no address.
        self.assertIn(b"No interface for softap\r\n", serial.command("network_up -i softap"))
        other = self.start(near, {"softap": "nowhere0"})
        serial = self.open_serial(other)
        serial.read_until(b"[Ready]\r\n> ")
        self.assertIn(b"there is no such interface\r\n",
                      serial.command("network_up -i softap"))
        self.assertIn(b"No interface for wlan\r\n", serial.command("network_up"))


    def test_two_processes(self):
        """One interface is looked after by one process."""
        near, _ = cable(self)
        first = self.start(near, {"wlan": "cable0"})
        other, text = module(joined=False), "zentri: cannot use the interface cable0: another"
        for roles in ({"wlan": "cable0"}, {"softap": "cable0"},
                      {"wlan": "other0", "softap": "cable0"}):
            second = self.daemon([other], {"backend": "interface"} | roles,
                                 prefix=near.prefix, start=False)
            status, said = second.run()
            self.assertEqual(status, 1)
            self.assertIn(text, said)
        # A name is another interface in another network; and its end frees it.
        elsewhere, _ = cable(self)
        self.start(elsewhere, {"wlan": "cable0"})
        first.kill()
        self.start(near, {"softap": "cable0"})

    def test_nonsense(self):
        near, far = cable(self)
        daemon = self.start(near, {"wlan": "cable0"})
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        descriptors = daemon.descriptors()
        self.assertEqual(serial.command("network_up"), b"In progress\r\n")
        serial.read_until(b"via DHCP\r\n")
        far.run(sys.executable, "-c", NONSENSE)
        serial.command("network_down")
        self.state(daemon, "down")
        self.short(far, "9", "silence")
        self.assertEqual(serial.command("network_up"), b"In progress\r\n")
        serial.read_until(b"[Associated]\r\n")
        far.run(sys.executable, "-c", NONSENSE)
        serial.command("network_down")
        serial.read_until(b"[Disassociated]\r\n")
        wait_until(lambda: daemon.descriptors() <= descriptors, what="the descriptors")


class CacheTest(InterfaceCase):
    """wlan.dhcp.cache_enabled: the lease of the last time."""

    def asked(self, log, *kinds):
        """How often the server heard, or said, each kind of message."""
        text = log.read_text()
        return [text.count(f"DHCP{kind}(") for kind in kinds]

    def test_again(self):
        near, far = cable(self)
        log = self.dnsmasq(far, first="192.168.60.10", last="192.168.60.19")
        daemon = self.station(near, profile="wz-3", wlan__dhcp__cache_enabled="1")
        self.state(daemon, "up")
        [address] = near.addresses("cable0")
        path = daemon.state / "zentri" / "lease.json"
        kept = json.loads(path.read_text())
        self.assertEqual([kept["address"] + "/24", kept["server"], kept["router"],
                          kept["name_servers"], kept["netmask"]],
                         [address, SERVER, SERVER, [SERVER], "255.255.255.0"])
        self.assertLess(abs(kept["ends"] - time.time() - 3600), 30)
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        # The interface goes, or the daemon ends suddenly: no search follows.
        serial.command("network_restart")
        serial.read_until(b"[Associated]\r\n")
        daemon.restart(kill=True)
        self.state(daemon, "up")
        self.assertEqual(self.asked(log, "DISCOVER", "REQUEST", "ACK", "RELEASE", "NAK"),
                         [1, 3, 3, 0, 0])
        self.assertEqual(near.addresses("cable0"), [address])
        # The network gives others by now, and says so.
        self.server.terminate()
        self.server.wait()
        log = self.dnsmasq(far, first="192.168.60.30", last="192.168.60.30")
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        serial.command("network_restart")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(self.asked(log, "REQUEST", "NAK", "DISCOVER", "ACK"), [2, 1, 1, 1])
        self.assertEqual(near.addresses("cable0"), ["192.168.60.30/24"])
        self.assertEqual(json.loads(path.read_text())["address"], "192.168.60.30")
        # Turned off, it is forgotten, and given back at the end; turned on, kept again.
        for value, there in (("0", False), ("1", True), ("0", False)):
            self.assertEqual(serial.command(f"set wlan.dhcp.cache_enabled {value}"),
                             b"Set OK\r\n")
            self.assertEqual(path.exists(), there)
        serial.command("network_down")
        wait_until(lambda: self.asked(log, "RELEASE") == [1], what="the release")
        self.assertFalse(path.exists())

    def test_not_used(self):
        near, far = cable(self)
        log = self.dnsmasq(far)
        daemon = self.station(near, profile="wz-3", wlan__dhcp__cache_enabled="1")
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        path = daemon.state / "zentri" / "lease.json"
        kept = path.read_text()
        # Of another network, run out, damaged.
        for one, other in (('"ssid_base64": "Y', '"ssid_base64": "Z'),
                           ('"bssid": "00', '"bssid": "02'),
                           ('"ends": 1', '"ends": -1'), ("{", "[")):
            serial.command("network_down")
            serial.read_until(b"[Disassociated]\r\n")
            self.assertIn(one, kept)
            path.write_text(kept.replace(one, other, 1))
            before = self.asked(log, "DISCOVER")[0]
            serial.command("network_restart")
            serial.read_until(b"[Associated]\r\n")
            self.assertEqual(self.asked(log, "DISCOVER"), [before + 1])
            self.assertEqual(json.loads(path.read_text())["address"], HERE)
        daemon.wait_stderr("lease.json cannot be read and is not used")

    def test_conflict(self):
        near, far = cable(self)
        # Somebody else has taken the address meanwhile.
        far.ip("address", "add", f"{HERE}/32", "dev", "cable0")
        server = self.short(far, "0", "silence")
        daemon = self.start(near, {"wlan": "cable0"}, profile="wz-3",
                            wlan__dhcp__cache_enabled="1")
        path = daemon.state / "zentri" / "lease.json"
        path.write_text(json.dumps({
            "ssid_base64": base64.b64encode(b"cable0").decode(), "bssid": ":".join(["00"] * 6),
            "address": HERE, "netmask": "255.255.255.0", "router": SERVER, "server": SERVER,
            "name_servers": [], "ends": int(time.time()) + 600}))
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        serial.send(b"network_up\r\n")
        serial.read_until(b"DHCP: the offered address is in use by another host\r\n")
        self.assertEqual([server.stdout.readline() for _ in range(2)],
                         [b"3 0.0.0.0\n", b"4 0.0.0.0\n"])
        self.assertFalse(path.exists())


class SoftapTest(InterfaceCase):
    def softap(self, near, **factory):
        return self.start(near, {"softap": "cable0"}, softap__auto_start="1", **factory)

    def test_clients(self):
        near, far = cable(self)
        before = self.configured(near)
        daemon = self.softap(near, network__default_interface="softap",
                             softap__static__ip="10.20.30.1")
        self.state(daemon, "up", "softap")
        self.assertEqual(near.addresses("cable0"), ["10.20.30.1/24"])
        self.assertEqual([daemon.listener(name)["port"]
                          for name in ("dhcp_server", "dns_server", "http")], [67, 53, 80])
        with tempfile.TemporaryDirectory() as directory:
            script = pathlib.Path(directory, "script")
            script.write_text("#!/bin/sh\n[ \"$1\" = bound ] || exit 0\n"
                              "ip address replace $ip/$mask dev $interface\n"
                              f"echo $ip $mask $router $dns > {directory}/log\n")
            script.chmod(0o755)
            far.run("udhcpc", "--quit", "--interface=cable0", f"--script={script}")
            self.assertEqual(pathlib.Path(directory, "log").read_text(),
                             "10.20.30.2 24 10.20.30.1 10.20.30.1\n")
            leases = pathlib.Path(directory, "leases")
            self.run_dhclient(far, directory, leases)
        self.assertEqual(far.run("dig", "+short", "+tries=1", "@10.20.30.1",
                                 "zentri.softap"), "10.20.30.1\n")
        far.run("busybox", "ping", "-c", "1", "10.20.30.1")
        answer = far.run("curl", "-s", "http://10.20.30.1/command/version")
        self.assertIn("response", json.loads(answer))
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        serial.read_until(b"Soft AP started: zentri\r\n")
        mac = json.loads(far.run("ip", "-j", "link", "show", "cable0"))[0]["address"].upper()
        self.assertEqual(
            serial.command("get softap.client_list"),
            f"!  # IP               MAC\r\n#  0 10.20.30.2       {mac}\r\n".encode())
        self.assertRegex(serial.command("ping 10.20.30.2"), rb"\APing ")
        serial.command("network_down -i softap")
        serial.read_until(b"Soft AP stopped\r\n")
        self.state(daemon, "down", "softap")
        self.assertEqual(self.configured(near), before)
        serial.command("network_up -i softap")
        self.state(daemon, "up", "softap")
        daemon.stop()
        self.assertEqual(self.configured(near), before)

    def test_interface_that_comes_back(self):
        near, far = cable(self)
        daemon = self.softap(near)
        serial = self.open_serial(daemon)
        serial.read_until(b"Soft AP started: zentri\r\n")

        def replug():
            near.ip("link", "add", "cable0", "type", "veth", "peer", "name", "cable0",
                    "netns", str(far.pid))
            for end in (near, far):
                end.ip("link", "set", "cable0", "up")

        def asks():
            return far.run("dig", "+short", "+tries=3", "@10.10.10.1", "zentri.softap")

        near.ip("link", "delete", "cable0")
        serial.read_until(b"Soft AP stopped\r\n")
        daemon.wait_status(lambda status: status["listeners"] == [])
        self.assertIn("the interface of softap is gone", daemon.stderr())
        replug()
        serial.read_until(b"Soft AP started: zentri\r\n")
        far.ip("address", "add", "10.10.10.9/24", "dev", "cable0")
        self.assertEqual(asks(), "10.10.10.1\n")
        # When it cannot start on one, it does on the next.
        mask = self.get(serial, "softap.static.netmask")
        near.ip("link", "delete", "cable0")
        serial.read_until(b"Soft AP stopped\r\n")
        serial.command("set softap.static.netmask 0.0.0.0")
        replug()
        daemon.wait_stderr("cable0 gets no address")
        serial.command("set softap.static.netmask " + mask)
        near.ip("link", "delete", "cable0")
        replug()
        serial.read_until(b"Soft AP started: zentri\r\n")
        # Gone while it was down, it stays down; so it does when it was told to.
        near.ip("link", "delete", "cable0")
        serial.read_until(b"Soft AP stopped\r\n")
        serial.command("network_down -i softap")
        replug()
        self.assertEqual(serial.command("ver")[:6], b"ZENTRI")
        self.assertEqual(near.addresses("cable0"), [])
        # One that comes after the boot.
        near.ip("link", "delete", "cable0")
        daemon.restart()
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        replug()
        serial.read_until(b"Soft AP started: zentri\r\n")
        self.assertEqual(near.addresses("cable0"), ["10.10.10.1/24"])

    def run_dhclient(self, far, directory, leases):
        dhclient = far.start("dhclient", "-d", "-sf", "/bin/true", "-lf", leases, "-pf",
                             f"{directory}/pid", "-cf", "/dev/null", "cable0",
                             stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: leases.exists() and "}" in leases.read_text(), 20, "a lease")
            self.assertIn("fixed-address 10.20.30.2;", leases.read_text())
        finally:
            dhclient.terminate()
            dhclient.wait()


class BothTest(InterfaceCase):
    def test_streams_over_both(self):
        near, far = cable(self)
        _, other = cable(self, "cable1", near)
        before = self.configured(near)
        self.dnsmasq(far)
        daemon = self.start(near, {"wlan": "cable0", "softap": "cable1"},
                            wlan__auto_join__enabled="1", softap__auto_start="1")
        self.state(daemon, "up")
        self.state(daemon, "up", "softap")
        other.ip("address", "add", "10.10.10.9/24", "dev", "cable1")
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        serial.command("tcp_server start -i softap 4000")
        serial.command("udp_server start -i wlan 4001")
        for service, address in (("tcp_server", "10.10.10.1"), ("udp_server", HERE),
                                 ("http", HERE)):
            entry = wait_until(lambda name=service: daemon.listener(name), what=service)
            self.assertEqual(entry["address"], address)
        far.run("curl", "-s", f"http://{HERE}/command/version")
        client = self.run_beside(
            other, "sh", "-c", "echo over here | socat -u STDIN TCP:10.10.10.1:4000")
        serial.read_until(b"[Opened: ")
        handle = serial.read_until(b"]\r\n")[:-3].decode()
        wait_until(lambda: b"over here" in serial.command(f"stream_read {handle} 20"),
                   what="the bytes")
        client.wait()
        daemon.stop()
        self.assertEqual(self.configured(near), before)
