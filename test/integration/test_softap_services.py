"""The DHCP and DNS servers of the soft AP, against dig, udhcpc, dhclient and plain sockets."""

import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile

from lib.case import Case
from lib.daemon import module, wait_until
from lib.namespaces import cable, uplink

HOST = "127.0.0.1"
NETWORK = {"address": HOST, "ports": [{"module": port, "host": 0}
                                      for port in (80, 443, 2000, 53, 67)]}
COOKIE = bytes([99, 130, 83, 99])
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)


def message(kind, client, ciaddr="0.0.0.0", **options):
    """A DHCP message of a client named by the last octet of its MAC; oNN="address"."""
    fixed = struct.pack(">BBBBIHH4s12x16s192x", 1, 1, 6, 0, 0x5A0000 + client, 0, 0,
                        socket.inet_aton(ciaddr), bytes([2, 0, 0, 0, 0, client]))
    tail = bytes([53, 1, kind])
    for name, value in options.items():
        value = socket.inet_aton(value)
        tail += bytes([int(name[1:]), len(value)]) + value
    return fixed + COOKIE + tail + b"\xff"


def parse(reply):
    """The address given and the options of a reply."""
    assert reply[236:240] == COOKIE
    options, at = {}, 240
    while reply[at] != 255:
        options[reply[at]] = reply[at + 2:at + 2 + reply[at + 1]]
        at += 2 + reply[at + 1]
    return socket.inet_ntoa(reply[16:20]), options


class SoftapCase(Case):
    def softap(self, net=None, prefix=(), **factory):
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        return self.daemon([module(factory={"softap.auto_start": "1"} | factory)],
                           net or NETWORK, prefix=prefix)


class DhcpTest(SoftapCase):
    def client(self, daemon):
        """A socket that asks the DHCP server of the daemon."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.settimeout(10)
        sock.connect((HOST, daemon.listener("dhcp_server")["port"]))
        return sock

    def ask(self, sock, *arguments, **options):
        """The type, address and options of the answer."""
        sock.send(message(*arguments, **options))
        address, found = parse(sock.recv(2000))
        return found[53][0], address, found

    def lease(self, sock, client):
        kind, address, options = self.ask(sock, DISCOVER, client)
        self.assertEqual(kind, OFFER)
        kind, given, options = self.ask(sock, REQUEST, client, o50=address,
                                        o54=socket.inet_ntoa(options[54]))
        self.assertEqual((kind, given), (ACK, address))
        return given, options

    def test_leases(self):
        daemon = self.softap()
        listener = daemon.listener("dhcp_server")
        self.assertEqual((listener["scheme"], listener["module_port"]), ("udp", 67))
        sock = self.client(daemon)
        address, options = self.lease(sock, 1)
        self.assertEqual(address, "10.10.10.2")
        here = socket.inet_aton("10.10.10.1")
        self.assertEqual([options[n] for n in (1, 3, 6, 54)],
                         [socket.inet_aton("255.255.255.0"), here, here, here])
        self.assertEqual(options[51], struct.pack(">I", 3600))
        self.assertEqual(self.lease(sock, 2)[0], "10.10.10.3")
        self.assertEqual(self.ask(sock, REQUEST, 2, o50="10.10.10.2")[0], NAK)
        self.assertEqual(self.ask(sock, REQUEST, 1, "10.10.10.2")[0], ACK)
        sock.send(message(RELEASE, 1, "10.10.10.2", o54="10.10.10.1"))
        self.assertEqual(self.lease(sock, 4)[0], "10.10.10.2")

    def test_nonsense_is_not_answered(self):
        daemon = self.softap()
        sock = self.client(daemon)
        good = message(DISCOVER, 1)
        for bad in (b"", b"\0", good[:239], b"\x02" + good[1:], good[:-4] + b"\x35\xff\1",
                    good[:240] + b"\xff", good + bytes(2000)):
            sock.send(bad)
        # What came before this was passed over, or it would be the first answer.
        self.assertEqual(self.ask(sock, DISCOVER, 9)[:2], (OFFER, "10.10.10.2"))
        sock.settimeout(0)
        self.assertRaises(BlockingIOError, sock.recv, 2000)

    def test_settings(self):
        daemon = self.softap(softap__static__ip="1.2.3.4",
                             softap__static__netmask="255.255.255.248",
                             softap__dns_server__enabled="0")
        sock = self.client(daemon)
        given, options = self.lease(sock, 1)
        self.assertEqual(given, "1.2.3.5")
        self.assertNotIn(6, options)
        self.assertEqual(options[1], socket.inet_aton("255.255.255.248"))
        addresses = {self.lease(sock, client)[0] for client in range(2, 6)}
        self.assertEqual(addresses, {"1.2.3.6", "1.2.3.1", "1.2.3.2", "1.2.3.3"})
        sock.send(message(DISCOVER, 7))
        daemon.wait_stderr("no address is left to give")

    def test_off(self):
        self.assertIsNone(self.softap(softap__dhcp_server__enabled="0")
                          .listener("dhcp_server"))
        plain = self.daemon([module()], NETWORK)
        self.assertIsNone(plain.listener("dhcp_server"))
        self.assertIsNone(plain.listener("dns_server"))

    def test_leases_outlive_the_process(self):
        daemon = self.softap()
        path = daemon.state / daemon.name / "dhcp.json"
        sock = self.client(daemon)
        self.lease(sock, 1)
        self.lease(sock, 2)
        wait_until(path.exists, what="the file of the leases")
        daemon.restart()
        bindings = json.loads(path.read_text())["bindings"]
        self.assertEqual([b["mac"] for b in bindings],
                         ["02:00:00:00:00:01", "02:00:00:00:00:02"])
        self.assertTrue(all(3500 < b["seconds"] <= 3600 for b in bindings))
        sock = self.client(daemon)
        self.assertEqual(self.lease(sock, 3)[0], "10.10.10.4")
        self.assertEqual(self.lease(sock, 2)[0], "10.10.10.3")
        # Damage costs the memory and nothing else; so do entries that mean nothing.
        for text in ("{", '{"bindings": [1, {}, {"mac": "x", "address": "10.10.10.2", '
                     '"seconds": 9}, {"mac": "02:00:00:00:00:09", "address": '
                     '"10.9.9.9", "seconds": 9}, {"mac": "02:00:00:00:00:09", '
                     '"address": "10.10.10.2", "seconds": -1}]}', '{"bindings": 3}'):
            daemon.kill()
            path.write_text(text)
            daemon.start()
            self.assertEqual(self.lease(self.client(daemon), 9)[0], "10.10.10.2")

    def test_reboot(self):
        daemon = self.softap()
        self.lease(self.client(daemon), 1)
        rest = self.rest(daemon)
        rest.send("version")  # so that the daemon has accepted the connection
        before = daemon.descriptors()
        for _ in range(3):
            port = daemon.listener("dhcp_server")["port"]
            rest.send("reboot")
            daemon.wait_status(lambda status, old=port: any(
                entry["service"] == "dhcp_server" and entry["port"] != old
                for entry in status["listeners"]))
            rest = self.rest(daemon)
        self.assertEqual(self.lease(self.client(daemon), 2)[0], "10.10.10.3")
        wait_until(lambda: daemon.descriptors() <= before, what="the descriptors")

    # Clients that take part in the network itself: from 0.0.0.0, to all, in raw frames.

    def wireless(self, **factory):
        """A namespace in which a soft AP is served on a cable, and the other end of it."""
        near, far = cable(self, "ap0")
        near.ip("address", "add", "10.10.10.1/24", "dev", "ap0")
        uplink(self, near)
        net = {"address": "10.10.10.1", "ports": [{"module": 80, "host": 0}]}
        return self.softap(net, near.prefix, **factory), near, far

    def test_udhcpc(self):
        daemon, near, far = self.wireless()
        self.assertEqual(daemon.listener("dhcp_server")["port"], 67)
        with tempfile.TemporaryDirectory() as directory:
            script = pathlib.Path(directory, "script")
            script.write_text("#!/bin/sh\n[ \"$1\" = bound ] || [ \"$1\" = renew ] || exit 0\n"
                              "ip address replace $ip/$mask dev $interface\n"
                              "ip route replace default via $router\n"
                              "echo $1 $ip $mask $router $dns $lease $serverid >> "
                              f"{directory}/log\n")
            script.chmod(0o755)
            log = pathlib.Path(directory, "log")
            udhcpc = far.start("udhcpc", "--foreground", "--interface=ap0", "--release",
                               f"--script={script}", stderr=subprocess.PIPE)
            try:
                wait_until(log.exists, 20, "a lease")
                self.assertEqual(log.read_text().split(),
                                 ["bound", "10.10.10.2", "24", "10.10.10.1",
                                  "10.10.10.1", "3600", "10.10.10.1"])
                # Its renewal comes from its address, to the server's.
                udhcpc.send_signal(10)  # SIGUSR1
                wait_until(lambda: "renew" in log.read_text(), 20, "a renewal")
            finally:
                udhcpc.terminate()
                udhcpc.wait()
                udhcpc.stderr.close()
            # Names come from the DNS server that the lease tells.
            answer = far.run("dig", "+short", "+tries=1", "@10.10.10.1", "zentri.softap")
            self.assertEqual(answer, "10.10.10.1\n")

    def test_dhclient(self):
        daemon, near, far = self.wireless(softap__static__ip="10.10.10.1")
        with tempfile.TemporaryDirectory() as directory:
            leases = pathlib.Path(directory, "leases")
            dhclient = far.start("dhclient", "-d", "-sf", "/bin/true", "-lf", leases,
                                 "-pf", f"{directory}/pid", "-cf", "/dev/null", "ap0",
                                 stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: leases.exists() and "}" in leases.read_text(), 20,
                           "a lease")
                text = leases.read_text()
                for line in ("fixed-address 10.10.10.2;",
                             "option subnet-mask 255.255.255.0;",
                             "option routers 10.10.10.1;",
                             "option domain-name-servers 10.10.10.1;",
                             "option dhcp-lease-time 3600;",
                             "option dhcp-server-identifier 10.10.10.1;"):
                    self.assertIn(line, text)
            finally:
                dhclient.terminate()
                dhclient.wait()

    def test_answers_that_cannot_be_sent(self):
        """They do not fill the log."""
        daemon, _, far = self.wireless()
        daemon.stop()
        daemon.arguments.append("-v")
        daemon.start()
        far.ip("address", "add", "10.10.10.9/24", "dev", "ap0")
        # From port 0, where no answer can go; then from one where it can.
        script = ("import socket, struct, sys\n"
                  "message = bytes.fromhex(sys.argv[1])\n"
                  "raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)\n"
                  "for _ in range(20):\n"
                  "    raw.sendto(struct.pack('>4H', 0, 67, 8 + len(message), 0) + message,\n"
                  "               ('10.10.10.1', 0))\n"
                  "plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                  "plain.sendto(message, ('10.10.10.1', 67))\n"
                  "print(plain.recv(2000)[240:].hex())\n")
        answer = far.run(sys.executable, "-c", script, message(REQUEST, 1, "10.10.10.9").hex())
        self.assertIn(bytes([53, 1, ACK]).hex(), answer)
        daemon.wait_stderr("dhcp: 1 answer not sent: ")
        self.assertEqual(daemon.stderr().count("not sent"), 1)


class DnsTest(SoftapCase):
    def dig(self, daemon, name, *more):
        """The status of the answer and the addresses in it."""
        port = daemon.listener("dns_server")["port"]
        text = subprocess.run(
            ["dig", f"@{HOST}", "-p", str(port), "+tries=1", "+time=10", name, *more],
            capture_output=True, check=True).stdout.decode()
        status = text.split("status: ")[1].split(",")[0]
        rows = [line.split() for line in text.splitlines()
                if line and not line.startswith(";")]
        return status, [row[-1] for row in rows]

    def test_names(self):
        daemon = self.softap(softap__dns_server__url="zentri.softap,setup.example.com")
        listener = daemon.listener("dns_server")
        self.assertEqual((listener["scheme"], listener["module_port"]), ("udp", 53))
        for name in ("zentri.softap", "Setup.EXAMPLE.com", "setup.example.com."):
            self.assertEqual(self.dig(daemon, name), ("NOERROR", ["10.10.10.1"]))
        self.assertEqual(self.dig(daemon, "zentri.softap", "AAAA"), ("NOERROR", []))
        for name in ("example.com", "softap", "zentri.softap.x", "captive.apple.com", "."):
            self.assertEqual(self.dig(daemon, name), ("NXDOMAIN", []))
        self.assertEqual(self.dig(daemon, "zentri.softap", "-c", "CH"), ("NXDOMAIN", []))

    def test_captive_names(self):
        daemon = self.softap(softap__captive_portal_enabled="1",
                             softap__static__ip="1.2.3.4")
        for name in ("captive.apple.com", "www.msftconnecttest.com", "www.msftncsi.com",
                     "connectivitycheck.gstatic.com", "clients3.google.com"):
            self.assertEqual(self.dig(daemon, name), ("NOERROR", ["1.2.3.4"]))
        self.assertEqual(self.dig(daemon, "www.apple.com"), ("NXDOMAIN", []))

    def test_off(self):
        self.assertIsNone(self.softap(softap__dns_server__enabled="0")
                          .listener("dns_server"))

    def test_nonsense(self):
        daemon = self.softap()
        before = daemon.descriptors()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((HOST, daemon.listener("dns_server")["port"]))
            head = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0)
            for bad in (b"", b"\0" * 11, head, head + b"\x3fabc", head + b"\xc0\x0c\0\1\0\1",
                        head + b"\xc0\xff" * 40, struct.pack(">6H", 7, 0x8180, 1, 1, 0, 0),
                        struct.pack(">6H", 7, 0x100, 65535, 0, 0, 0) + b"\1a\0\0\1\0\1"):
                sock.send(bad)
        self.assertEqual(self.dig(daemon, "zentri.softap"), ("NOERROR", ["10.10.10.1"]))
        wait_until(lambda: daemon.descriptors() <= before, what="the descriptors")
