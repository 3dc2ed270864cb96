"""Joining networks, losing them, soft APs, and what runs over each."""

import socket
import time

from integration.test_ntp import answer as time_answer
from lib.daemon import PASSKEY, SSID, module, wait_until
from lib.network import PORTS, NetworkCase
from lib.rest import NoListener, Rest
from lib.serial import Closed, join_text
from lib.transcript import terminal

ALONE = {"http.server.enabled": "0"}


def mac(number):
    return f"4C:55:CC:00:00:{number:02X}"


class Joins(NetworkCase):
    def alone(self, **factory):
        """A module that joins nothing by itself, and its serial port."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        daemon = self.start(module(joined=False, factory=ALONE | {
            "wlan.ssid": SSID, "wlan.passkey": PASSKEY} | factory))
        return daemon, self.serial(daemon, joined=False,
                                   level=int(factory.get("system.print_level", 5)))

    def fails(self, serial, ssid, lines):
        """network_up fails with these lines."""
        serial.send(b"network_up\r\n")
        serial.expect(b"network_up\r\nIn progress\r\n> [Associating to %s]\r\n%s"
                      b"Join failed\r\n" % (ssid.encode(), lines))

    def test_by_hand(self):
        daemon, serial = self.alone()
        self.assertEqual(self.get(serial, "wlan.network.status"), "0")
        self.assertEqual(self.get(serial, "wlan.network.ip"), "0.0.0.0")
        self.assertEqual(serial.command("wlan_get_rssi"), b"Command failed\r\n")
        serial.send(b"network_up\r\n")
        serial.expect(b"network_up\r\nIn progress\r\n> " + join_text(http=None))
        self.assertEqual(serial.command("network_up"), b"Success\r\n")
        self.assertEqual(self.get(serial, "wlan.network.status"), "2")
        self.assertEqual(self.get(serial, "wlan.network.ip"), "127.0.0.1")
        self.assertEqual(serial.command("wlan_get_rssi"), b"-48\r\n")
        self.air(f"{SSID} rssi -71")
        self.assertEqual(serial.command("rssi"), b"-71\r\n")
        serial.send(b"network_down\r\n")
        serial.expect(b"network_down\r\nSuccess\r\n> [Disassociated]\r\n")
        self.assertEqual(self.get(serial, "wlan.network.status"), "0")
        self.assertEqual(serial.command("ndo -i wlan"), b"Success\r\n")
        self.assertEqual(daemon.status()["interfaces"],
                         {"wlan": "down", "softap": "down"})

    def test_wrong_passphrase(self):
        _, serial = self.alone(wlan__passkey="passwort")
        self.fails(serial, SSID, b"Security type from probe: WPA2-AES\r\n"
                   b"Wrong passkey\r\n")
        self.assertEqual(self.get(serial, "wlan.join.result"), "2")
        serial.command(f"set wlan.passkey {PASSKEY}")
        serial.send(b"nup\r\n")
        serial.expect(b"nup\r\nIn progress\r\n> " + join_text(http=None))
        self.assertEqual(self.get(serial, "wlan.join.result"), "0")

    def test_unknown_network(self):
        _, serial = self.alone(wlan__ssid="nowhere")
        self.fails(serial, "nowhere", b"Network not found\r\n")
        self.assertEqual(self.get(serial, "wlan.join.result"), "1")
        serial.command('set wlan.ssid ""')
        self.assertEqual(serial.command("network_up"), b"SSID not set\r\n")

    def test_weak_signal(self):
        _, serial = self.alone(wlan__join__timeout=20, wlan__join__retries=2)
        self.air(f"{SSID} rssi -93")
        self.fails(serial, SSID, b"Security type from probe: WPA2-AES\r\n"
                   b"Access point does not answer\r\n")
        self.air(f"{SSID} rssi -99")
        self.fails(serial, SSID, b"Network not found\r\n")

    def test_each_security(self):
        _, serial = self.alone()
        for number, (security, passkey) in enumerate((
                ("Open", ""), ("WEP", "abcde"), ("WEP", "0123456789abc"),
                ("WPA-AES", "password"), ("WPA-TKIP", "password"),
                ("WPA2-Mixed", "password"), ("WPA2-TKIP", "password"))):
            ssid = f"net{number}"
            self.air(f"add {ssid} 11 -60 {security} {passkey}")
            serial.command(f"set wlan.ssid {ssid}")
            serial.command(f'set wlan.passkey "{passkey}"')
            serial.send(b"nup\r\n")
            serial.expect(b"nup\r\nIn progress\r\n> " + join_text(http=None).replace(
                SSID.encode(), ssid.encode()).replace(b"WPA2-AES", security.encode()))
            serial.send(b"ndo\r\n")
            serial.expect(b"ndo\r\nSuccess\r\n> [Disassociated]\r\n")

    def test_static_address(self):
        _, serial = self.alone(wlan__dhcp__enabled=0, wlan__static__ip="192.0.2.7",
                               wlan__static__netmask="255.255.255.0",
                               wlan__static__gateway="192.0.2.1",
                               wlan__static__dns="192.0.2.2")
        serial.send(b"nup\r\n")
        serial.expect(b"nup\r\nIn progress\r\n> [Associating to zentri-lab]\r\n"
                      b"Security type from probe: WPA2-AES\r\n"
                      b"IPv4 address: 192.0.2.7\r\n[Associated]\r\n")
        self.assertEqual([self.get(serial, "wlan.network." + name)
                          for name in ("ip", "netmask", "gateway", "dns")],
                         ["192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.2"])

    def test_no_static_address(self):
        """What the factory settings hold is none."""
        _, serial = self.alone(wlan__dhcp__enabled=0)
        self.fails(serial, SSID, b"Security type from probe: WPA2-AES\r\n"
                   b"No valid address in wlan.static.ip\r\n")
        self.assertEqual(self.get(serial, "wlan.join.result"), "6")
        self.assertEqual(self.get(serial, "wlan.network.status"), "0")
        serial.command("set wlan.static.ip 192.0.2.7")
        serial.send(b"nup\r\n")
        serial.read_until(b"IPv4 address: 192.0.2.7\r\n[Associated]\r\n")

    def test_on_demand(self):
        """A command that needs the network brings it up, and fails where that does."""
        daemon, serial = self.alone(system__print_level=0)
        self.assertEqual(serial.command("tcp_server status"), b"0\r\n")
        self.assertEqual(daemon.status()["interfaces"]["wlan"], "down")
        self.assertEqual(serial.command("network_lookup 192.0.2.1"), b"192.0.2.1\r\n")
        self.assertEqual(self.get(serial, "wlan.network.status"), "2")
        serial.command("network_down")
        serial.command("set wlan.passkey wrongone")
        self.assertEqual(serial.command("tcps start"), b"Command failed\r\n")

    def test_waits_in_one_profile(self):
        daemon = self.start(module(profile="wz-3", joined=False, factory=ALONE | {
            "wlan.ssid": SSID, "wlan.passkey": PASSKEY, "system.print_level": "0"}))
        serial = self.serial(daemon, joined=False, level=0)
        self.assertEqual(serial.command("network_up"), b"Success\r\n")
        self.assertEqual(self.get(serial, "wlan.network.status"), "2")
        serial.command("network_down")
        serial.command("set wlan.ssid nowhere")
        self.assertEqual(serial.command("network_up"), b"Command failed\r\n")

    def test_join_takes_its_time(self):
        daemon = self.start(module(joined=False, factory=ALONE | {
            "wlan.ssid": SSID, "wlan.passkey": PASSKEY}), air={"join_ms": 300})
        serial = self.serial(daemon, joined=False)
        serial.send(b"nup\r\n")
        serial.expect(b"nup\r\nIn progress\r\n> [Associating to zentri-lab]\r\n"
                      b"Security type from probe: WPA2-AES\r\n")
        self.assertEqual(daemon.status()["interfaces"]["wlan"], "joining")
        serial.expect(join_text(http=None).split(b"WPA2-AES\r\n")[1])

    def test_sleep_on_the_way(self):
        """The command that waits for the network fails, those behind it are not run."""
        daemon = self.start(module(joined=False, factory={
            "wlan.ssid": SSID, "wlan.passkey": PASSKEY, "system.gotosleep.timeout": "1",
            "system.wakeup.timeout": "1", "softap.auto_start": "1",
            "http.server.interface": "softap"}), air={"join_ms": 60000})
        serial = self.open_serial(daemon)
        serial.read_until(b"Soft AP started: zentri\r\n")
        serial.send(b"tcp_client 127.0.0.1 9\r\nget wlan.ssid\r\n")
        serial.expect(b"tcp_client 127.0.0.1 9\r\n[Associating to zentri-lab]\r\n"
                      b"Security type from probe: WPA2-AES\r\n")
        rest = self.rest(daemon)
        rest.connection.request("GET", "/command/udp_client%20127.0.0.1%209")
        daemon.wait_status(lambda status: status["state"] == "asleep")
        self.assertRaises(OSError, rest.connection.getresponse)
        serial.expect(b"Command failed\r\n")
        serial.boot_output(http=False, joined=False)
        serial.read_until(b"Soft AP started: zentri\r\n")
        self.assertEqual(self.get(serial, "wlan.network.status"), "0")

    def test_the_next_command_finds_it_lost(self):
        """A client that waits for its connection fails with the network; the command
        behind it does not go out over what is gone."""
        daemon, serial = self.alone()
        with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
            port = deaf.getsockname()[1]
            waiting = [socket.socket() for _ in range(3)]
            for client in waiting:  # they fill its queue
                self.addCleanup(client.close)
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            serial.send(b"nup\r\n")
            serial.read_until(b"[Associated]\r\n")
            serial.send(b"tcp_client 127.0.0.1 %d\r\nudp_client 127.0.0.1 9\r\n" % port)
            serial.read_until(b"Connecting: 127.0.0.1:%d\r\n" % port)
            self.air(f"{SSID} off")
            serial.expect(b"Command failed\r\n> udp_client 127.0.0.1 9\r\n"
                          b"[Disassociated]\r\n[Associating to zentri-lab]\r\n")
            serial.read_until(b"Join failed\r\nCommand failed\r\n> ")
        self.assertEqual(serial.command("stream_list"), b"! # Type  Info\r\n")
        self.assertEqual(daemon.status()["interfaces"]["wlan"], "down")


class Loss(NetworkCase):
    def test_another_access_point(self):
        """It has the name of the network that was lost, and nothing else of it."""
        daemon = self.start(module(joined=False, factory=ALONE | {
            "wlan.ssid": SSID, "wlan.passkey": PASSKEY}))
        serial = self.serial(daemon, joined=False)
        serial.send(b"nup\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.air(f"remove {SSID}")
        serial.expect(b"[Disassociated]\r\n")
        self.air(f"add {SSID} 11 -50 WPA-TKIP {PASSKEY}")
        serial.send(b"nup\r\n")
        serial.expect(b"nup\r\nIn progress\r\n> " + join_text(http=None).replace(
            b"WPA2-AES", b"WPA-TKIP"))

    def test_lost_and_found(self):
        """Services and streams end with the network, and start when it is back."""
        daemon = self.start(wlan__auto_join__retries=0, wlan__auto_join__retry_delay=0,
                            tcp__server__auto_start=1)
        serial = self.serial(daemon)
        entry = daemon.listener("tcp_server")
        with socket.create_connection((entry["address"], entry["port"]), 5) as peer:
            serial.expect(b"[Opened: 0]\r\n")
            self.air(f"{SSID} off")
            self.assertEqual(peer.recv(10), b"")
        serial.expect(b"[Closed: 0]\r\n[Disassociated]\r\n[Associating to zentri-lab]\r\n")
        self.assertRaises(NoListener, Rest, daemon)
        self.assertEqual(daemon.status()["interfaces"]["wlan"], "joining")
        self.air(f"{SSID} on")
        serial.read_until(b"[Associated]\r\n")
        self.assertEqual(self.rest(daemon).command("rssi").body, b"-48\r\n")
        self.assertIsNotNone(daemon.listener("tcp_server"))

    def test_stays_away_without_auto_join(self):
        daemon = self.start(module(joined=False, factory=ALONE | {
            "wlan.ssid": SSID, "wlan.passkey": PASSKEY}))
        serial = self.serial(daemon, joined=False)
        serial.send(b"nup\r\n")
        serial.read_until(b"[Associated]\r\n")
        self.air(f"remove {SSID}")
        serial.expect(b"[Disassociated]\r\n")
        self.assertEqual(self.get(serial, "wlan.network.status"), "0")
        self.assertEqual(serial.pending(), b"")

    def test_no_delay_is_a_short_one(self):
        """A network that is not there does not keep the loop busy."""
        daemon = self.start(module(joined=False, factory=ALONE | {
            "wlan.ssid": "nowhere", "wlan.auto_join.retries": "0",
            "wlan.auto_join.retry_delay": "0"}))
        serial = self.serial(daemon, joined=False)
        for command in ("set wlan.auto_join.enabled 1", "save"):
            serial.command(command)
        serial.send(b"reboot\r\n")
        serial.read_until(b"[Associating to nowhere]\r\n")
        start = time.monotonic()
        for _ in range(5):
            serial.read_until(b"[Associating to nowhere]\r\n")
        self.assertGreater(time.monotonic() - start, 0.4)

    def test_no_retry_period_is_a_short_one(self):
        """Nor does a server that is not there."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        serial = self.open_serial(self.start(
            http__server__enabled=0, tcp__client__auto_start=1,
            tcp__client__auto_retries=255, tcp__client__retry_period=0,
            tcp__client__remote_host="127.0.0.1", tcp__client__remote_port=port))
        opening = b"[Opening: 127.0.0.1:%d]\r\n" % port
        serial.read_until(opening)
        # As many as are in the pty by now are older than the start of the clock.
        serial.pending()
        serial.read_until(opening)
        start = time.monotonic()
        for _ in range(25):
            serial.read_until(opening)
        self.assertGreater(time.monotonic() - start, 0.2)

    def test_auto_join_gives_up(self):
        daemon = self.start(wlan__ssid="nowhere", wlan__auto_join__retries=2,
                            wlan__auto_join__retry_delay=0)
        serial = self.open_serial(daemon)
        serial.read_until(b"[Ready]\r\n> ")
        serial.expect(2 * b"[Associating to nowhere]\r\nNetwork not found\r\n"
                      b"Join failed\r\n")
        self.assertEqual(serial.command("get wlan.mac"), b"4C:55:CC:10:09:42\r\n")
        self.assertEqual(daemon.status()["interfaces"]["wlan"], "down")

    def test_over_and_over(self):
        daemon = self.start(wlan__auto_join__retries=0, wlan__auto_join__retry_delay=0)
        self.control.command("air")
        descriptors = daemon.descriptors()
        for _ in range(20):
            self.air(f"{SSID} off")
            self.air(f"{SSID} on")
            self.joined(daemon)
        wait_until(lambda: daemon.descriptors() <= descriptors, what="descriptors")


class SoftAp(NetworkCase):
    def trio(self):
        """A TCP server on its soft AP, and two that join it."""
        client = {"wlan.ssid": "charger", "wlan.passkey": "password",
                  "wlan.auto_join.enabled": "1", "wlan.auto_join.retries": "0",
                  "wlan.auto_join.retry_delay": "0"}
        return self.start(
            module("ap", mac=mac(0), joined=False, factory={
                "softap.auto_start": "1", "softap.ssid": "charger",
                "softap.passkey": "password", "tcp.server.auto_start": "1",
                "network.default_interface": "softap",
                "tcp.server.idle_timeout": "0", "tcp.server.max_clients": "2", "system.print_level": "0"}),
            *(module(name, mac=mac(number), joined=False, factory=client | {
                "http.server.enabled": "0", "system.print_level": "0"})
              for number, name in ((2, "one"), (4, "two"))))

    def test_server_and_two_clients(self):
        daemon = self.trio()
        ap, one, two = (self.serial(daemon, name, level=0)
                        for name in ("ap", "one", "two"))
        for serial in (one, two):
            wait_until(lambda s=serial: self.get(s, "wlan.network.status") == "2")
            self.assertIn(self.get(serial, "wlan.network.ip"),
                          ("10.10.10.2", "10.10.10.3"))
            self.assertEqual(self.get(serial, "wlan.network.gateway"), "10.10.10.1")
            self.assertEqual(serial.command("tcpc 10.10.10.1 3000"), b"0\r\n")
        rows = ap.command("get softap.client_list").split(b"\r\n")[1:-1]
        self.assertEqual(sorted(row.split()[3] for row in rows),
                         [mac(2).encode(), mac(4).encode()])
        self.assertEqual(sorted(row.split()[2] for row in rows),
                         [b"10.10.10.2", b"10.10.10.3"])
        # Each is known by its address there, not by one of this host.
        self.assertEqual(sorted(row.split()[4].split(b":")[0] for row in
                                ap.command("stream_list").split(b"\r\n")[1:-1]),
                         [b"10.10.10.2", b"10.10.10.3"])
        one.send(b"write 0 5\r\nhello")
        one.expect(b"write 0 5\r\nSuccess\r\n> ")
        wait_until(lambda: b"|" in ap.command("poll all"), what="both streams")
        wait_until(lambda: b"1" in [pair.split(b",")[1] for pair in
                                    ap.command("poll all").strip().split(b"|")])
        readable = [pair.split(b",")[0] for pair in
                    ap.command("poll all").strip().split(b"|") if pair[-1:] == b"1"]
        self.assertEqual(ap.command(b"read " + readable[0] + b" 10"), b"hello\r\n")
        # Nobody serves there; nobody is there.
        self.assertEqual(two.command("close 0"), b"Success\r\n")
        for target in ("10.10.10.1 3001", "10.10.10.77 3000"):
            self.assertEqual(two.command("tcpc " + target), b"Command failed\r\n")

    def test_end_of_the_soft_ap(self):
        daemon = self.trio()
        ap, one = self.serial(daemon, "ap", level=0), self.serial(daemon, "one", level=0)
        self.joined(daemon, "one")
        self.assertEqual(one.command("tcpc 10.10.10.1 3000"), b"0\r\n")
        self.assertEqual(ap.command("network_down"), b"Success\r\n")
        self.joined(daemon, "ap", "down", "softap")
        self.joined(daemon, "one", "joining")
        self.assertEqual(one.command("poll all"), b"None\r\n")
        self.assertEqual(daemon.status("ap")["listeners"], [])
        self.assertEqual(ap.command("network_up"), b"In progress\r\n")
        self.joined(daemon, "one")
        self.assertEqual(one.command("tcpc 10.10.10.1 3000"), b"0\r\n")

    def test_wrong_passphrase_and_no_dhcp(self):
        daemon = self.start(
            module("ap", mac=mac(0), joined=False, factory={
                "softap.auto_start": "1", "softap.ssid": "charger",
                "softap.passkey": "password", "softap.dhcp_server.enabled": "0",
                "http.server.interface": "softap"}),
            module("one", mac=mac(2), joined=False, factory=ALONE | {
                "wlan.ssid": "charger", "wlan.passkey": "passwort",
                "wlan.dhcp.timeout": "100"}))
        serial = self.serial(daemon, "one", joined=False)
        serial.send(b"nup\r\n")
        serial.expect(b"nup\r\nIn progress\r\n> [Associating to charger]\r\n"
                      b"Security type from probe: WPA2-AES\r\nWrong passkey\r\n"
                      b"Join failed\r\n")
        serial.command("set wlan.passkey password")
        serial.send(b"nup\r\n")
        serial.read_until(b"Obtaining IPv4 address via DHCP\r\n")
        serial.expect(b"No address from DHCP\r\nJoin failed\r\n")
        self.assertEqual(self.get(serial, "wlan.join.result"), "5")
        # The web server is on the soft AP, and its client looks at it by address.
        self.assertEqual(self.rest(daemon, "ap").command("nonesuch").code, 3)
        serial.command("set wlan.dhcp.enabled 0")
        serial.command("set wlan.static.ip 10.10.10.9")
        serial.command("set wlan.static.netmask 255.255.255.0")
        serial.send(b"nup\r\n")
        serial.read_until(b"[Associated]\r\n")
        rows = self.rest(daemon, "ap").command("get softap.client_list").body
        self.assertIn(b"10.10.10.9", rows)
        serial.send(b"tcpc 10.10.10.1 80\r\n")
        serial.read_until(b"[Opened: 0]\r\n")

    def test_time_server_on_the_soft_ap(self):
        """Another module serves the time; asked are it and an address that nobody has."""
        client = {"wlan.ssid": "zentri", "ntp.enabled": "1", "wlan.auto_join.enabled": "1",
                  "system.print_level": "0"}
        daemon = self.daemon([
            module("ap", mac=mac(0), joined=False, factory=ALONE | {
                "softap.auto_start": "1", "network.default_interface": "softap",
                "system.print_level": "0", "system.cmd.echo": "0"}),
            module("one", mac=mac(2), joined=False, factory=ALONE | client | {
                "ntp.server": "10.10.10.1:3001"}),
            module("two", mac=mac(4), joined=False, factory=ALONE | client | {
                "ntp.server": "10.10.10.77"})], network=PORTS, arguments=["-v"])
        daemon.wait_stderr("one: ntp: 10.10.10.1: Connection refused; it is asked again")
        daemon.wait_stderr("two: ntp: 10.10.10.77: No route to host; it is asked again")
        ap, one = (self.serial(daemon, "ap", level=0, echo=False),
                   self.serial(daemon, "one", level=0))
        ap.send(b"udp_server start 3001\r\n")
        ap.expect(b"Success\r\n> ")
        one.command("network_restart")

        def is_asked():
            ap.send(b"stream_poll 0\r\n")
            return ap.read_until(b"> ") == b"1\r\n> "
        wait_until(is_asked, what="the question")
        ap.send(b"stream_read 0 48\r\n")
        said = ap.read(48)
        ap.expect(b"\r\n> ")
        ap.send(b"stream_write 0 48\r\n" + time_answer(said, 1700000000))
        ap.expect(b"Success\r\n> ")
        wait_until(lambda: int(self.get(one, "time.rtc")) >= 1700000000, what="the clock")
        self.assertNotIn("no variable", daemon.stderr())

    def test_client_that_vanishes(self):
        """A module that falls asleep says nothing to the soft AP."""
        daemon = self.start(
            module("ap", mac=mac(0), joined=False, factory={
                "softap.auto_start": "1", "softap.idle_timeout": "1",
                "http.server.interface": "softap", "system.print_level": "0"}),
            module("one", mac=mac(2), joined=False, factory=ALONE | {
                "wlan.ssid": "zentri", "wlan.auto_join.enabled": "1",
                "system.print_level": "0"}))
        rest, serial = self.rest(daemon, "ap"), self.serial(daemon, "one", level=0)
        self.assertIn(b"10.10.10.2", rest.command("get softap.client_list").body)
        serial.send(b"sleep\r\n")
        daemon.wait_status(lambda status: status["state"] == "asleep", "one")
        self.assertIn(b"10.10.10.2", rest.command("get softap.client_list").body)
        wait_until(lambda: b"#  0" not in rest.command("get softap.client_list").body,
                   what="the client to be dropped")


class Air(NetworkCase):
    def test_commands(self):
        self.start()
        networks = self.control.command("air")["networks"]
        self.assertEqual([n["ssid"] for n in networks], [SSID])
        self.assertEqual(networks[0]["security"], "WPA2-AES")
        self.air("add open 1 -60")
        self.air("open off")
        self.assertEqual([(n["ssid"], n["on"], n["rssi"]) for n in
                          self.control.command("air")["networks"]],
                         [(SSID, True, -48), ("open", False, -60)])
        for words in ("nowhere on", "remove nowhere", f"{SSID} rssi 1", "add x 15 -60",
                      f"{SSID} rssi x", f"{SSID} passkey short",
                      "nowhere passkey longenough", "add x 0 -60", "add x 1 -60 WEP y",
                      "add x 1 -60 NONE", f"{SSID} what", "add x", "x"):
            with self.subTest(words):
                self.assertIn("error", self.control.command("air " + words))
        self.assertNotIn(PASSKEY, str(self.control.command("air")))

    def test_networks_of_one_name(self):
        """Each has a BSSID of its own, also when one before it has gone."""
        self.start()
        self.air("add between 1 -50")
        for _ in range(2):
            self.air("add twin 1 -50")
        self.air("remove between")
        for _ in range(300):
            self.air("add twin 1 -50")
        bssids = [network["bssid"] for network in self.control.command("air")["networks"]]
        self.assertEqual(len(bssids), 303)
        self.assertEqual(len(set(bssids)), 303)


class Thousand(NetworkCase):
    def test_modules_join_at_once(self):
        """Not the limit, which is measured elsewhere: none is left behind."""
        names = [f"m{number}" for number in range(60)]
        daemon = self.start(*(module(name, mac=f"4C:55:CC:00:01:{2 * number:02X}",
                                     serial={"enabled": False})
                              for number, name in enumerate(names)))
        for name in names:
            self.assertEqual(daemon.status(name)["interfaces"]["wlan"], "up")
            self.assertIsNotNone(daemon.listener("http", name))


class Picking(NetworkCase):
    """network_up -s, whose questions meet other ends than an answer."""

    QUESTION = b"Type the number of the Network to use: "

    def test_terminal_goes_while_it_is_asked(self):
        daemon = self.with_factory(remote_terminal__enabled="1")
        for _ in range(3):
            with terminal(daemon) as channel:
                channel.read_until(b"> ")
                channel.send(b"nup -s\r\n")
                channel.read_until(self.QUESTION)
            self.assertEqual(self.rest(daemon).command("get wlan.ssid").code, 0)

    def test_terminal_over_the_network_that_is_left(self):
        daemon = self.with_factory(remote_terminal__enabled="1")
        with terminal(daemon) as channel:
            channel.read_until(b"> ")
            channel.send(b"nup -s\r\n0\r\npassword\r\n")
            channel.read_until(b"In progress\r\n> ")
            with self.assertRaises(Closed):
                while channel.fill(10):
                    pass
        self.rest(daemon)

    def test_end_of_the_daemon_while_it_asks(self):
        daemon = self.with_factory()
        serial = self.serial(daemon)
        serial.send(b"nup -s\r\n")
        serial.read_until(self.QUESTION)
        serial.send(b"\x03")
        serial.read_until(b"Command failed\r\n> ")
        serial.send(b"nup -s\r\n")
        serial.read_until(self.QUESTION)
        daemon.stop()
