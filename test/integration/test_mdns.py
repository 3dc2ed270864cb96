"""Multicast DNS, against dig, a responder and client of npm, and sockets of our own."""

import json
import select
import socket
import subprocess
import sys

from lib import mdns
from lib.case import Case
from lib.daemon import module, wait_until
from lib.namespaces import cable, uplink
from lib.node import node_module

HOST = "127.0.0.1"
HTTP = "_http._tcp.local"
KINDS = "_services._dns-sd._udp.local"


class MdnsCase(Case):
    port = None  # on this host, of the group

    def start(self, *more, profile="wz-3", **factory):
        """A module that has found its name, and those of more settings."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        modules = [module(profile=profile, factory={"mdns.enabled": "1"} | factory)]
        modules += [module(profile=profile, name=f"module{i}", mac=f"4C:55:CC:10:09:{i:02X}",
                           factory={"mdns.enabled": "1"} | other)
                    for i, other in enumerate(more)]
        self.port = self.port or self.free_port()
        ports = [{"module": port, "host": 0} for port in (80, 443, 2000, 3000)]
        self.front = self.daemon(modules, {
            "address": HOST, "name_server": "127.0.0.1:9",
            "ports": ports + [{"module": 5353, "host": self.port}]})
        return self.front

    def free_port(self):
        """A port that nobody takes part at."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("", 0))
            return sock.getsockname()[1]

    def peer(self):
        peer = mdns.Peer(self.port)
        self.addCleanup(peer.close)
        return peer

    def ask(self, name, kind="A"):
        """One question by dig; its status and the lines of the answer."""
        done = subprocess.run(
            ["dig", f"@{HOST}", "-p", str(self.port), "+notcp", "+short", "+tries=1",
             "+time=1", name, kind], capture_output=True, check=False)
        return done.returncode, done.stdout.decode().splitlines()

    def dig(self, name, kind="A"):
        """The lines of the answer, once there is one: the name is probed first."""
        def asked():
            status, lines = self.ask(name, kind)
            return lines if status == 0 else None
        return wait_until(asked, 20, f"an answer for {name} {kind}")

    def http_port(self, name=None):
        return self.front.listener("http", name)["port"]

    def discover(self, line="mdns_discover", name=None):
        """The rows that the command lists."""
        reply = self.rest(self.front, name).send(line)
        self.assertEqual(reply.code, 0)
        lines = reply.text.split("\r\n")
        rows = [line.split(None, 5) for line in lines if line.startswith("#")]
        self.assertEqual(lines[0], f"! {len(rows)} services found")
        return [row[2:] for row in rows]


class ResponderTest(MdnsCase):
    def test_lines_of_a_join(self):
        # Reference: network notes, 8.1.
        daemon = self.start(mdns__name="mymodule")
        serial = self.open_serial(daemon)
        serial.read_until(b"IPv4 address: 127.0.0.1\r\n")
        serial.expect(b"Starting mDNS\r\nmDNS domain: mymodule.local\r\n"
                      b"HTTP and REST API server listening on port: 80\r\n[Associated]\r\n")
        listener = daemon.listener("mdns")
        self.assertEqual((listener["scheme"], listener["module_port"], listener["port"]),
                         ("udp", 5353, self.port))

    def test_dig(self):
        self.start()
        self.assertEqual(self.dig("zentri.local"), [HOST])
        self.assertEqual(self.dig("ZENTRI.local", "ANY"), [HOST])
        self.assertEqual(self.dig(KINDS, "PTR"), [HTTP + "."])
        self.assertEqual(self.dig(HTTP, "PTR"), [f"zentri.{HTTP}."])
        self.assertEqual(self.dig(f"zentri.{HTTP}", "SRV"),
                         [f"0 0 {self.http_port()} zentri.local."])
        self.assertEqual(self.dig(f"zentri.{HTTP}", "TXT"),
                         ['"path=/" "mac=4C:55:CC:10:09:42" "version=EMWERK-JB_1_1-1.4.0.28, '
                          '2021-04-27T20:39:50Z, ZentriOS-WZ-3.6.4.0"'])
        # There is none, and it says so; of other names it says nothing.
        self.assertEqual(self.ask("zentri.local", "AAAA"), (0, []))
        self.assertEqual(self.ask("other.local")[0], 9)
        # What is asked of the group is answered to who asked.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(10)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOST))
            sock.sendto(mdns.question("zentri.local", mdns.A, 0x1234), (mdns.GROUP, self.port))
            data, source = sock.recvfrom(9000)
        answer = mdns.Message(data)
        self.assertEqual((source, answer.number), ((HOST, self.port), 0x1234))
        self.assertEqual(answer.questions, [("zentri.local", mdns.A, 1)])
        self.assertEqual(answer.find("zentri.local", mdns.A).ttl, 10)

    def test_group(self):
        daemon = self.start()
        peer = self.peer()
        self.dig("zentri.local")
        peer.send(mdns.question("zentri.local", mdns.A))
        answer, _ = peer.answer("zentri.local", mdns.A)
        self.assertEqual((answer.data, answer.ttl, answer.cls), (HOST, 120, 0x8001))
        self.assertEqual((peer.source, peer.ttl), ((HOST, self.port), 255))
        # It leaves with a word of it, whatever ends it.
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        for line, up in (("set mdns.enabled 0", "set mdns.enabled 1"),
                         ("network_down", "network_up"), ("network_restart", None),
                         ("reboot", None)):
            peer.wait(lambda m: False, 0)
            serial.send(line.encode() + b"\r\n")
            answer, message = peer.answer("zentri.local", mdns.A)
            self.assertEqual((line, answer.ttl), (line, 0))
            self.assertEqual(message.find(f"zentri.{HTTP}", mdns.SRV).ttl, 0)
            if up:
                wait_until(lambda: daemon.listener("mdns") is None, what="its end")
                serial.send(up.encode() + b"\r\n")
            answer, _ = peer.answer("zentri.local", mdns.A)
            self.assertEqual((line, answer.ttl), (line, 120))
        daemon.stop()
        answer, _ = peer.answer("zentri.local", mdns.A)
        self.assertEqual(answer.ttl, 0)

    def test_announced_services(self):
        daemon = self.start(mdns__service="telnet,HTTP", remote_terminal__enabled="1",
                            http__server__tls_enabled="1")
        self.assertEqual(sorted(self.dig(KINDS, "PTR")),
                         ["_https._tcp.local.", "_telnet._tcp.local."])
        self.assertEqual(self.dig("zentri._https._tcp.local", "SRV"),
                         [f"0 0 {self.http_port()} zentri.local."])
        port = daemon.listener("remote_terminal")["port"]
        self.assertEqual(self.dig("zentri._telnet._tcp.local", "SRV"),
                         [f"0 0 {port} zentri.local."])
        rest = self.rest(daemon)
        self.assertEqual(rest.send('set mdns.service ""').code, 0)
        self.dig("zentri.local")
        self.assertEqual(self.ask(KINDS, "PTR")[0], 9)
        self.assertEqual(self.discover(), [])

    def test_two_modules_want_one_name(self):
        daemon = self.start({}, {})
        ports = {str(self.http_port(name)) for name in (None, "module0", "module1")}
        self.assertEqual(len(ports), 3)
        names = ("zentri", "zentri-2", "zentri-3")

        def told():
            rows = self.discover("mdns http")
            return rows if [row[3] for row in rows] == list(names) else None
        rows = wait_until(told, 20, "three names")
        self.assertEqual({row[1] for row in rows}, ports)
        self.assertTrue(all(row[0] == HOST for row in rows))
        logs = [json.loads(self.rest(daemon, name).get("/log").body)["logs"]
                for name in (None, "module0", "module1")]
        domains = {line for log in logs for line in log if line.startswith("mDNS domain")}
        self.assertTrue({f"mDNS domain: {name}.local" for name in names} <= domains)

    def test_a_name_is_taken(self):
        self.port = self.free_port()
        peer = self.peer()
        daemon = self.start()
        taken = mdns.record("zentri.local", mdns.A, socket.inet_aton("127.0.0.9"),
                            flag=mdns.FLAG)
        probe = peer.wait(lambda m: m.authority)
        self.assertIn(("zentri.local", mdns.ANY, 1), probe.questions)
        peer.send(mdns.response(taken))
        peer.answer("zentri-2.local", mdns.A)
        # One that stands is looked at anew, and given up if somebody is there.
        taken = taken.replace(b"\x06zentri", b"\x08zentri-2")
        peer.send(mdns.response(taken))
        probe = peer.wait(lambda m: m.authority)
        self.assertIn(("zentri-2.local", mdns.ANY, 1), probe.questions)
        peer.send(mdns.response(taken))
        peer.answer("zentri-3.local", mdns.A)
        serial = self.open_serial(daemon)
        serial.read_until(b"mDNS domain: zentri.local\r\n")
        serial.read_until(b"mDNS domain: zentri-2.local\r\n")
        serial.read_until(b"mDNS domain: zentri-3.local\r\n")

    def test_nonsense(self):
        daemon = self.start()
        peer = self.peer()
        self.dig("zentri.local")
        good = mdns.question("zentri.local", mdns.A)
        for bad in (b"", b"\0", good[:11], good[:-1], good[:4] + b"\xff\xff" + good[6:],
                    good[:12] + b"\xc0\x0c" + good[-4:], bytes(9000), b"\xff" * 9000,
                    b"\xff" * 20000, mdns.response(mdns.record("a.local", mdns.SRV, b"")),
                    mdns.response(mdns.record(HTTP, mdns.PTR, b"\xc0\x0c"))):
            peer.send(bad)
            peer.socket.sendto(bad, (HOST, self.port))
        self.assertEqual(self.dig("zentri.local"), [HOST])
        self.assertIn(f"zentri.{HTTP}.", self.dig(HTTP, "PTR"))
        self.assertEqual(daemon.listener("mdns")["port"], self.port)

    def test_port_that_is_not_shared(self):
        self.port = self.free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((HOST, self.port))
            daemon = self.start()
            daemon.wait_stderr(f"udp: cannot listen on {HOST}:{self.port}: "
                               "Address already in use")
            rest = self.rest(daemon)
            self.assertIn("mDNS failed: Address already in use",
                          json.loads(rest.get("/log").body)["logs"])
            self.assertEqual(rest.send("mdns_discover").code, 1)
        self.assertEqual(rest.send("set mdns.enabled 1").code, 0)
        self.dig("zentri.local")

    def test_descriptors(self):
        daemon = self.start()
        self.dig("zentri.local")
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        before = daemon.descriptors()
        for _ in range(3):
            serial.command("set mdns.enabled 0")
            serial.command("set mdns.enabled 1")
            serial.send(b"reboot\r\n")
            serial.read_until(b"[Associated]\r\n")
        wait_until(lambda: daemon.descriptors() <= before, what="the descriptors")

    def test_off(self):
        for profile in ("wl-1.0", "wl-1.5", "gecko-os-2"):
            daemon = self.daemon([module(profile=profile)])
            self.assertIsNone(daemon.listener("mdns"))
            for line in ("mdns_discover", "mdns", "get mdns.enabled"):
                self.assertIn(self.rest(daemon).send(line).code, (3, 6))
            daemon.stop()
        daemon = self.daemon([module(profile="wz-3")])
        self.assertIsNone(daemon.listener("mdns"))


class DiscoverTest(MdnsCase):
    def test_client_leaves(self):
        daemon = self.start()
        self.rest(daemon).send("version")
        before = daemon.descriptors()
        rest = self.rest(daemon)
        rest.connection.request("GET", "/command/mdns_discover")
        wait_until(lambda: daemon.descriptors() >= before + 3, what="the group")
        rest.close()
        wait_until(lambda: daemon.descriptors() <= before, what="the descriptors")

    def test_names_of_others(self):
        daemon = self.start(mdns__service="telnet")
        peer = self.peer()
        rest = self.rest(daemon)
        # One for bytes is no terminal.
        self.assertEqual(rest.send("tcp_server start 3000").code, 0)
        rest.connection.request("GET", "/command/mdns_discover")
        peer.wait(lambda m: (KINDS, mdns.PTR, 1) in m.questions)
        peer.send(mdns.response(mdns.record(KINDS, mdns.PTR, mdns.pack_name(HTTP))))
        peer.wait(lambda m: (HTTP, mdns.PTR, 1) in m.questions)
        names = (b"A lamp, \xc3\xa9.", b"\x1b[2Jred\x7f", b"\xff\xfe", b'q"\\')
        for name in names:
            name = bytes([len(name)]) + name + mdns.pack_name(HTTP)
            head = name + b"\0\x21\0\1\0\0\0\x78"
            srv = b"\0\0\0\0\0\x50" + mdns.pack_name("host.local")
            peer.send(mdns.response(
                mdns.record(HTTP, mdns.PTR, name),
                head + len(srv).to_bytes(2, "big") + srv,
                mdns.record("host.local", mdns.A, socket.inet_aton("10.1.2.3"))))
        text = json.loads(rest.connection.getresponse().read())["response"]
        self.assertEqual(text.split("\r\n")[2:-1],
                         [f"# {i:2} 10.1.2.3        80    _http._tcp      {name}"
                          for i, name in enumerate(
                              ("?[2Jred?", "A lamp, é.", 'q"\\', "??"))])

    def test_answers_from_another_port(self):
        daemon = self.start(mdns__service="")
        peer = self.peer()
        rest = self.rest(daemon)
        rest.connection.request("GET", "/command/mdns_discover")
        peer.wait(lambda m: (KINDS, mdns.PTR, 1) in m.questions)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOST))
            for to in ((mdns.GROUP, self.port), (HOST, self.port)):
                sock.sendto(mdns.response(mdns.record(KINDS, mdns.PTR, mdns.pack_name(HTTP))),
                            to)
        self.assertIsNone(peer.wait(lambda m: (HTTP, mdns.PTR, 1) in m.questions, 1))
        self.assertIn("! 0 services", json.loads(rest.connection.getresponse().read())["response"])


class NodeTest(MdnsCase):
    """The package multicast-dns of npm."""

    script = r"""
        const mdns = require(process.argv[1])({ port: +process.argv[2], bind: '0.0.0.0',
                                                interface: '127.0.0.1' });
        const host = process.argv[3];
        mdns.on('response', (response) => {
            for (const answer of [...response.answers, ...response.additionals])
                if (answer.type !== 'NSEC')
                    console.log(JSON.stringify([answer.name, answer.type, answer.ttl,
                                                answer.flush, answer.data]));
        });
        mdns.on('query', (query) => {
            for (const question of query.questions) {
                if (question.name === host + '.local')
                    mdns.respond([{ name: question.name, type: 'A', ttl: 120, flush: true,
                                    data: '127.0.0.9' }]);
                if (question.name === '_http._tcp.local')
                    mdns.respond([
                        { name: question.name, type: 'PTR', ttl: 4500,
                          data: 'The lamp.' + question.name },
                        { name: 'The lamp.' + question.name, type: 'SRV', ttl: 120,
                          data: { port: 81, target: host + '.local' } }]);
            }
        });
        mdns.on('ready', () => {
            console.log('ready');
            process.stdin.on('data', (data) => mdns.query(data.toString().trim(), 'PTR'));
            process.stdin.on('end', () => process.exit());
        });
        """

    def node(self, host):
        process = subprocess.Popen(
            ["node", "-e", self.script, str(node_module("multicast-dns")), str(self.port), host],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        for end in (process.wait, process.stdout.close, process.stdin.close):
            self.addCleanup(end)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        return process

    def answers(self, process, wanted):
        """The records that it hears, by name and type, once all of these are there."""
        found = {}
        while not wanted <= found.keys():
            self.assertTrue(select.select([process.stdout], [], [], 10)[0], found)
            name, kind, *rest = json.loads(process.stdout.readline())
            found[name, kind] = rest
        return found

    def test_query(self):
        self.start()
        self.dig("zentri.local")
        process = self.node("lamp")
        process.stdin.write(HTTP.encode() + b"\n")
        process.stdin.flush()
        found = self.answers(process, {("zentri.local", "A"), (HTTP, "PTR"),
                                       ("zentri." + HTTP, "SRV"), ("zentri." + HTTP, "TXT")})
        self.assertEqual(found["zentri.local", "A"], [120, True, HOST])
        ttl, flush, data = found["zentri." + HTTP, "SRV"]
        self.assertEqual((ttl, flush, data["port"], data["target"]),
                         (120, True, self.http_port(), "zentri.local"))

    def test_discover(self):
        self.start()
        self.dig("zentri.local")
        self.node("lamp")
        self.assertEqual(self.discover("mdns http"),
                         [["127.0.0.9", "81", "_http._tcp", "The lamp"],
                          [HOST, str(self.http_port()), "_http._tcp", "zentri"]])

    def test_name_is_taken(self):
        self.port = self.free_port()
        self.node("zentri")
        self.start()
        self.assertEqual(self.dig("zentri-2.local"), [HOST])


# Asks the group, over the interface of an address.
ASK = """
import sys
sys.path.insert(0, sys.argv[1])
from lib import mdns
peer = mdns.Peer(5353, sys.argv[2])
peer.send(mdns.question(sys.argv[3], int(sys.argv[4])))
"""

# What a host on the cable hears: the answers of each message as a line of JSON.
LISTENER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from lib import mdns
peer = mdns.Peer(5353, sys.argv[2])
print("ready", flush=True)
while True:
    message = peer.wait(lambda m: m.answers)
    print(json.dumps([[a.name, a.kind, peer.source[0], peer.ttl, a.ttl,
                       a.data if isinstance(a.data, (str, tuple)) else None]
                      for a in (message.answers if message else ())]), flush=True)
"""


class InterfaceTest(Case):
    HERE, THERE = "192.168.60.10", "192.168.60.1"

    def test_real_interface(self):
        near, far = cable(self)
        far.ip("address", "add", f"{self.THERE}/24", "dev", "cable0")
        far.ip("address", "add", "10.99.0.1/32", "dev", "lo")
        listener = self.listen(far, self.THERE)
        factory = {"wlan.auto_join.enabled": "1", "wlan.dhcp.enabled": "0",
                   "wlan.static.ip": self.HERE, "wlan.static.netmask": "255.255.255.0",
                   "wlan.static.gateway": self.THERE, "mdns.enabled": "1"}
        daemon = self.daemon([module(joined=False, profile="wz-3", factory=factory)],
                             {"backend": "interface", "wlan": "cable0"}, prefix=near.prefix)
        heard = self.hear(listener, 120)
        self.assertEqual(heard["zentri.local", mdns.A], [self.HERE, 255, 120, self.HERE])
        self.assertEqual(heard["zentri." + HTTP, mdns.SRV],
                         [self.HERE, 255, 120, [0, 0, 80, "zentri.local"]])
        self.assertEqual(daemon.listener("mdns")["port"], 5353)
        ask = ("dig", f"@{self.HERE}", "-p", "5353", "+short", "+tries=1", "+time=1",
               "zentri.local")
        self.assertEqual(far.run(*ask), self.HERE + "\n")
        # From behind the gateway it is not asked; that one is reached all the same.
        with self.assertRaisesRegex(AssertionError, "no servers could be reached"):
            far.run(*ask, "-b", "10.99.0.1")
        far.run("curl", "-s", "--interface", "10.99.0.1", f"http://{self.HERE}/")
        serial = self.open_serial(daemon)
        serial.read_until(b"[Associated]\r\n")
        serial.send(b"network_down\r\n")
        heard = self.hear(listener, 0)
        self.assertEqual(heard["zentri.local", mdns.A], [self.HERE, 255, 0, self.HERE])

        wait_until(lambda: daemon.listener("mdns") is None, what="its end")

    def test_other_interfaces_are_not_heard(self):
        near, far = cable(self)
        far.ip("address", "add", f"{self.THERE}/24", "dev", "cable0")
        near.ip("address", "add", f"{self.HERE}/24", "dev", "cable0")
        beside = uplink(self, near)
        self.listen(near, "192.168.77.2")  # so that this host is in the group there
        beside_it = self.listen(near, self.HERE)  # another program of this host
        listener = self.listen(far, self.THERE)
        self.daemon([module(profile="wz-3", factory={"mdns.enabled": "1"})],
                    {"address": self.HERE, "ports": [{"module": 80, "host": 0}],
                     "name_server": "127.0.0.1:9"}, prefix=near.prefix)
        for heard in (listener, beside_it):
            for _ in range(2):
                self.hear(heard, 120)
        # The first one would be answered at once, if it were heard.
        for namespace, address, name, kind in (
                (beside, "192.168.77.1", "zentri.local", mdns.AAAA),
                (far, self.THERE, KINDS, mdns.PTR)):
            namespace.run(sys.executable, "-c", ASK, sys.path[0], address, name, kind)
        self.assertEqual(list(self.message(listener)), [(KINDS, mdns.PTR)])

    def listen(self, namespace, address):
        listener = namespace.start(sys.executable, "-c", LISTENER, sys.path[0], address,
                                   stdout=subprocess.PIPE, bufsize=0)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.terminate)
        self.addCleanup(listener.stdout.close)
        self.assertEqual(listener.stdout.readline(), b"ready\n")
        return listener

    def message(self, listener):
        """The answers of the next message."""
        self.assertTrue(select.select([listener.stdout], [], [], 10)[0])
        return {(name, kind): rest
                for name, kind, *rest in json.loads(listener.stdout.readline())}

    def hear(self, listener, seconds):
        """The next one which says that the service lives so long."""
        while True:
            found = self.message(listener)
            if found.get(("zentri." + HTTP, mdns.SRV), [None] * 3)[2] == seconds:
                return found
