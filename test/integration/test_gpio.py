"""Pins: driven over the control socket, read by commands, and what hangs on them."""

import os
import select
import socket

from integration.test_streams_tcp import HOST, Background
from lib.case import Case
from lib.control import Control
from lib.daemon import module, wait_until
from lib.serial import Channel, Closed, Serial
from lib.tls import TlsCase
from lib.websocket import WebSocket

PORTS = {"address": "127.0.0.1",
         "ports": [{"module": port, "host": 0} for port in (80, 2000, 3000)]}


class Pins(Case):
    def start(self, modules=None, profile="wl-1.0", **factory):
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        return self.daemon(modules or [module(profile=profile, factory=factory)],
                           network=PORTS)

    def control(self, daemon):
        control = Control(daemon)
        self.addCleanup(control.close)
        return control

    def client(self, daemon, service="tcp_server"):
        entry = wait_until(lambda: daemon.listener(service), what=service)
        peer = socket.create_connection((entry["address"], entry["port"]), 5)
        self.addCleanup(peer.close)
        return peer


class Levels(Pins):
    def test_a_button_is_seen_by_pty_and_rest(self):
        daemon = self.start()
        control, serial, rest = (self.control(daemon), self.serial(daemon),
                                 self.rest(daemon))
        self.assertEqual(serial.command("gpio_dir 5 in"), b"Success\r\n")
        for level in (1, 0, 1, "release"):
            control.drive(5, level)
            seen = b"1\r\n" if level == 1 else b"0\r\n"
            self.assertEqual(serial.command("gpio_get 5"), seen)
            self.assertEqual(rest.command("gge 5").body, seen)

    def test_who_is_stronger(self):
        """Direction, what the module puts out, what is driven, what the wire has."""
        daemon = self.start()
        control, rest = self.control(daemon), self.rest(daemon)
        for direction, own, driven, level in (
                ("in", None, "release", 0), ("in", None, 1, 1),
                ("input_pullup", None, "release", 1), ("input_pullup", None, 0, 0),
                ("input_pulldown", None, "release", 0), ("input_pulldown", None, 1, 1),
                ("output", 1, 0, 1), ("output", 0, 1, 0),
                ("output_open_drain", 1, "release", 1), ("output_open_drain", 1, 0, 0),
                ("output_open_drain", 0, 1, 0)):
            with self.subTest(direction=direction, own=own, driven=driven):
                self.assertEqual(rest.command(f"gdi 9 {direction}").code, 0)
                if own is not None:
                    self.assertEqual(rest.command(f"gse 9 {own}").code, 0)
                self.assertEqual(control.drive(9, driven)["level"], level)
                self.assertEqual(rest.command("gge 9").body, b"%d\r\n" % level)

    def test_what_is_driven_outlives_a_boot(self):
        daemon = self.start()
        control, serial = self.control(daemon), self.serial(daemon)
        self.assertEqual(serial.command("set gpio.init 8 in"), b"Set OK\r\n")
        serial.command("save")
        control.drive(8, 1)
        serial.send(b"reboot\r\n")
        serial.expect(b"reboot\r\nRebooting\r\n")
        serial.boot_output(was_joined=True)
        self.assertEqual(serial.command("gge 8"), b"1\r\n")

    def test_adc_dac_pwm(self):
        daemon = self.start()
        control, rest = self.control(daemon), self.rest(daemon)
        for millivolts, counts in ((0, "000"), (1650, "7FF"), (3300, "FFF"),
                                   (65535, "FFF")):
            self.assertEqual(control.command(f"adc zentri 3 {millivolts}"),
                             {"channel": 3, "millivolts": millivolts})
            self.assertEqual(rest.command("adc 3").body.decode(), f"0x{counts}\r\n")
        rest.command("dac 12 200")
        rest.command("pwm 13 1000 25")
        self.assertEqual(control.pin(12)["dac"], 200)
        self.assertEqual(control.pin(13)["pwm"], {"hz": 1000, "percent": 25})
        rest.command("pwm 13 stop")
        self.assertNotIn("pwm", control.pin(13))

    def test_reference_voltage(self):
        daemon = self.start(profile="wz-3")
        control, rest = self.control(daemon), self.rest(daemon)
        control.command("adc zentri 3 1000")
        rest.command("set system.adc.vref 2000")
        self.assertEqual(rest.command("adc 3").body, b"0x7FF\r\n")

    def test_modules_have_their_own(self):
        daemon = self.start([module("one"), module("two", mac="4C:55:CC:10:09:43")])
        control = self.control(daemon)
        control.drive(5, 1, "one")
        self.assertEqual(control.pin(5, "one")["level"], 1)
        self.assertEqual(control.pin(5, "two")["level"], 0)


class Functions(Pins):
    def test_client_and_data_of_the_tcp_server(self):
        daemon = self.start(tcp__server__auto_start="1",
                            tcp__server__connected_gpio="10",
                            tcp__server__data_gpio="11", tcp__server__max_clients="2",
                            stream__auto_close="0")
        control, rest = self.control(daemon), self.rest(daemon)
        control.watch()
        first = self.client(daemon)
        control.change(10, 1)
        first.sendall(b"unread")
        control.change(11, 1)
        self.assertEqual(rest.command("read 0 3").body, b"unr\r\n")
        self.assertEqual(rest.command("poll 0").body, b"1\r\n")
        self.assertEqual(self.control(daemon).pin(11)["level"], 1)
        self.assertEqual(rest.command("read 0 100").body, b"ead\r\n")
        control.change(11, 0)
        second = self.client(daemon)
        second.sendall(b"x")
        control.change(11, 1)
        first.close()
        second.close()
        # Low with the last one, high in between, while its data stays.
        change = control.change(10)
        self.assertEqual(change["level"], 0)
        self.assertEqual(rest.command("read 1 100").body, b"x\r\n")
        control.change(11, 0)

    def test_pins_go_low_with_the_network(self):
        daemon = self.start(tcp__server__auto_start="1",
                            tcp__server__connected_gpio="10",
                            tcp__server__data_gpio="11")
        control, rest = self.control(daemon), self.rest(daemon)
        control.watch()
        self.client(daemon).sendall(b"x")
        control.change(10, 1)
        control.change(11, 1)
        rest.command("network_restart")
        changes = set()
        while not changes >= {10, 11}:
            change = control.line()
            if change["level"] == 0:
                changes.add(change["pin"])

    def test_data_of_the_udp_server(self):
        daemon = self.start(udp__server__auto_start="1", udp__server__data_gpio="12")
        control, rest = self.control(daemon), self.rest(daemon)
        control.watch()
        entry = wait_until(lambda: daemon.listener("udp_server"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"beep", (entry["address"], entry["port"]))
            control.change(12, 1)
            self.assertEqual(rest.command("read 0 100").body, b"beep\r\n")
            control.change(12, 0)

    def test_websocket(self):
        daemon = self.start(http__server__websocket_gpio="13")
        control = self.control(daemon)
        control.watch()
        peer = WebSocket(daemon.wait_listener())
        control.change(13, 1)
        peer.close()
        control.change(13, 0)

    def test_end_of_a_command(self):
        daemon = self.start(system__cmd__gpio="16")
        control, serial = self.control(daemon), self.serial(daemon)
        self.assertEqual(control.pin(16)["level"], 1)
        control.watch()
        serial.send(b"ver\r\n")
        control.change(16, 0)
        control.change(16, 1)
        # The pin rises behind the reply.
        self.assertTrue(serial.pending().endswith(b"> "))

    def test_events_on_one_pin(self):
        daemon = self.start(tcp__server__auto_start="1", system__oob__gpio="20",
                            system__oob__event_mask="0x0C", stream__auto_close="1")
        control, rest = self.control(daemon), self.rest(daemon)
        control.watch()
        peer = self.client(daemon)
        control.change(20, 1)
        # The network is up, which this pin does not show.
        self.assertEqual(rest.command("get sy o s").body, b"0x06\r\n")
        peer.sendall(b"x")
        rest.command("set system.oob.event_mask 0x08")
        self.assertEqual(rest.command("read 0 1").body, b"x\r\n")
        control.change(20, 0)
        # From its beginning until the status is read.
        rest.command("set system.oob.rising_edge 0x08")
        peer.sendall(b"y")
        control.change(20, 1)
        rest.command("read 0 1")
        self.assertEqual(self.control(daemon).pin(20)["level"], 1)
        self.assertEqual(rest.command("get sy o s").body, b"0x0E\r\n")
        control.change(20, 0)
        rest.command("set system.oob.level 0")
        control.change(20, 1)

    def test_what_cannot_be_had_at_boot_is_logged(self):
        """The first one keeps the pin; the saved values are kept."""
        daemon = self.start(tcp__server__connected_gpio="10",
                            tcp__server__data_gpio="10")
        daemon.wait_stderr("tcp.server.data_gpio gets no pin: 10 is in use")
        self.assertEqual(self.control(daemon).pin(10)["owner"],
                         "tcp.server.connected_gpio")


class Sleep(Pins):
    def test_pins_of_a_module_that_sleeps(self):
        """Each pin as gpio.sleep says; one of them wakes."""
        daemon = self.start([module(profile="wz-3", factory={
            "gpio.init 8": "output 0", "gpio.sleep 8": "output_high",
            "gpio.init 9": "output 1", "gpio.sleep 9": "input_pulldown",
            "gpio.init 11": "output 1",
            "system.wakeup.events": "gpio9,gpio10"})])
        control, serial = self.control(daemon), self.serial(daemon)
        control.drive(11, 1)
        for waker in (10, 9):
            levels = [control.pin(pin)["level"] for pin in (8, 9, 11)]
            self.assertEqual(levels, [0, 1, 1])
            serial.send(b"sleep\r\n")
            daemon.wait_status(lambda status: status["state"] == "asleep")
            pins = control.command("gpio zentri")["pins"]
            self.assertEqual([pins[pin]["level"] for pin in (8, 9)], [1, 0])
            self.assertEqual([pins[pin]["direction"] for pin in (8, 9, 11)],
                             ["output", "input_pulldown", "none"])
            control.drive(12, 1)
            control.drive(waker, 0)
            self.assertEqual(daemon.status()["state"], "asleep")
            serial.expect(b"sleep\r\n")
            control.drive(waker, 1)
            serial.boot_output()
            control.drive(waker, "release")

    def test_pin_wakes_before_the_time(self):
        """The time that the sleep would have lasted sends nobody to sleep again; the
        other module's sleep outlasts it."""
        factory = {"gpio.sleep 9": "input_pulldown", "system.wakeup.events": "gpio9",
                   "system.wakeup.timeout": "1"}
        daemon = self.start([module(name, "wz-3", factory=factory)
                             for name in ("woken", "other")])
        control = self.control(daemon)
        serials = {name: self.serial(daemon, name) for name in ("woken", "other")}

        def sleeps(name):
            serials[name].send(b"sleep\r\n")
            daemon.wait_status(lambda status: status["state"] == "asleep", name)
        sleeps("woken")
        control.drive(9, 1, "woken")
        daemon.wait_status(lambda status: status["state"] == "running", "woken")
        sleeps("other")
        daemon.wait_status(lambda status: status["state"] == "running", "other")
        self.assertEqual(daemon.status("woken")["state"], "running")


class Blinking(Pins):
    def test_patterns(self):
        """Edges as the module makes them, by its own clock. On a busy machine some are
        late, but not each, and none is early twice."""
        daemon = self.start()
        control, rest = self.control(daemon), self.rest(daemon)
        control.watch()
        for pattern, half_ms in (("fast_blink", 100), ("medium_blink", 250),
                                 ("slow_blink", 500)):
            rest.command("set system.indicator.state wlan "
                         f"static_off|static_off|static_off|{pattern}")
            control.change(0, 0)
            edges = [control.change(0) for _ in range(6)]
            self.assertEqual([edge["level"] for edge in edges], [1, 0, 1, 0, 1, 0])
            two_ms = [(after["us"] - before["us"]) / 1000
                      for before, after in zip(edges, edges[2:])]
            self.assertAlmostEqual(min(two_ms), 2 * half_ms, delta=half_ms * 0.5)
        rest.command("set system.indicator.state wlan "
                     "static_off|static_off|static_off|static_on")
        self.assertEqual(control.change(0, 1)["owner"], "system.indicator.wlan")
        self.assertEqual(rest.command("set system.indicator.gpio wlan 14").code, 0)
        control.change(0, 0)
        control.change(14, 1)


STREAM = {"bus.mode": "stream", "tcp.server.auto_start": "1", "system.print_level": "0",
          "tcp.server.idle_timeout": "0", "bus.stream.cmd_gpio": "0"}
STARTED = b"Command Mode Start\r\n> "


class CommandPin(Pins):
    def open(self, network=None, **factory):
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        daemon = self.daemon([module(factory=STREAM | factory)],
                             network=network or PORTS)
        serial = Serial(daemon.serial_path())
        self.addCleanup(serial.close)
        return daemon, serial, self.control(daemon)

    def peer(self, daemon):
        peer = Channel(self.client(daemon).detach())
        self.addCleanup(peer.close)
        return peer

    def test_both_ways_and_no_byte_is_lost(self):
        daemon, serial, control = self.open(bus__stream__flush_time="20")
        peer = self.peer(daemon)
        for round_number in range(3):
            data = os.urandom(3000)
            serial.send(data)
            control.drive(0, 1)
            serial.expect(STARTED)
            peer.expect(data)
            peer.send(b"meanwhile %d" % round_number)
            self.assertEqual(serial.command("get wlan.mac"), b"4C:55:CC:10:09:42\r\n")
            # What was written before the pin falls is a command still.
            serial.send(b"version\r\n")
            control.drive(0, 0)
            serial.read_until(b"Board:N/A\r\n> ")
            serial.expect(b"meanwhile %d" % round_number)
            serial.send(b"data")
            peer.expect(b"data")
        self.assertEqual((peer.pending(), serial.pending()), (b"", b""))

    def test_a_peer_that_does_not_read(self):
        """Commands are there at once, and the stream goes on where it was."""
        daemon, serial, control = self.open(bus__stream__flush_time="0",
                                            bus__stream__cmd_seq="")
        peer = self.peer(daemon)
        sent = b""
        while select.select([], [serial.descriptor], [], 0.3)[1]:
            piece = os.urandom(4096)
            sent += piece[:os.write(serial.descriptor, piece)]
        control.drive(0, 1)
        serial.expect(STARTED)
        self.assertEqual(serial.command("get wlan.mac"), b"4C:55:CC:10:09:42\r\n")
        control.drive(0, 0)
        self.assertEqual(peer.read(len(sent)), sent)
        peer.send(b"stream")
        serial.expect(b"stream")
        serial.send(b"more")
        peer.expect(b"more")

    def test_what_only_began_like_the_sequence(self):
        daemon, serial, control = self.open(bus__stream__flush_time="0")
        peer = self.peer(daemon)
        # The silence that the sequence needs.
        self.assertEqual(select.select([serial.descriptor], [], [], 3.1)[0], [])
        serial.send(b"$$")
        control.drive(0, 1)
        serial.expect(STARTED)
        peer.expect(b"$$")

    def test_high_at_boot(self):
        daemon, serial, control = self.open()
        serial.send(b"")
        control.drive(0, 1)
        serial.expect(STARTED)
        serial.send(b"exit\r\n")
        serial.expect(b"exit\r\nCommand failed\r\n> ")
        serial.send(b"reboot\r\n")
        serial.expect(b"reboot\r\nRebooting\r\n> ")
        self.assertEqual(serial.command("get bus.mode"), b"stream\r\n")
        control.drive(0, "release")
        peer = self.peer(daemon)
        peer.send(b"stream")
        serial.expect(b"stream")

    def test_a_bounce_is_no_change(self):
        daemon, serial, control = self.open(bus__stream__flush_time="0")
        peer = self.peer(daemon)
        for _ in range(20):
            control.drive(0, 1)
            control.drive(0, 0)
        serial.send(b"version\r\n")
        peer.expect(b"version\r\n")
        self.assertEqual(serial.pending(), b"")

    def test_the_variable_names_another_pin(self):
        daemon, serial, control = self.open()
        rest = self.rest(daemon)
        control.drive(5, 1)
        self.assertEqual(rest.command("set bus.stream.cmd_gpio 5").code, 0)
        serial.expect(STARTED)
        self.assertEqual(rest.command("set bus.stream.cmd_gpio -1").code, 0)
        peer = self.peer(daemon)
        peer.send(b"stream")
        serial.expect(b"stream")

    def test_a_running_command_ends_first(self):
        """What is typed of the next one stays where it was echoed, and is forgotten."""
        names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(names.close)
        names.bind(("127.0.0.1", 0))
        names.settimeout(10)
        network = PORTS | {"name_server": "127.0.0.1:%d" % names.getsockname()[1]}
        daemon, serial, control = self.open(network=network)
        control.drive(0, 1)
        serial.expect(STARTED)
        peer = self.peer(daemon)
        peer.send(b"data")
        serial.send(b"network_lookup module.test\r\nhalf")
        serial.expect(b"network_lookup module.test\r\n")
        query, address = names.recvfrom(512)
        control.drive(0, 0)
        readable, _, _ = select.select([serial.descriptor], [], [], 0.3)
        self.assertEqual(readable, [])
        # Name error.
        names.sendto(query[:2] + b"\x81\x83" + query[4:], address)
        serial.expect(b"Command failed\r\n> halfdata")


class Sockets(Pins):
    def test_a_name_with_blanks(self):
        control = self.control(self.start([module("living room")]))
        self.assertEqual(control.command('gpio "living room" 5 1')["level"], 1)
        self.assertIn("no module", control.command('gpio "living" 5 1')["error"])

    def test_errors_and_lists(self):
        control = self.control(self.start())
        self.assertEqual(control.command("modules"), {"modules": [
            {"name": "zentri", "profile": "wl-1.0", "state": "running"}]})
        usages = [entry["usage"] for entry in control.command("help")["commands"]]
        self.assertIn("adc <module> <channel> <millivolts>", usages)
        pins = control.command("gpio zentri")["pins"]
        self.assertEqual(len(pins), 22)
        self.assertEqual(pins[1], {
            "pin": 1, "direction": "output", "level": 0,
            "owner": "system.indicator.softap", "driven": None})
        for line, error in (
                ("", "unknown command"), ("gpio", "usage: gpio"),
                ("modules x", "usage: modules"), ("nonsense", "unknown command"),
                ("gpio nobody", "no module"), ("gpio zentri 22", "the pin is a number"),
                ("gpio zentri 5 2", "driven 0 or 1"), ("adc zentri 3 -1", "millivolts"),
                ("adc zentri 22 5", "the channel is"), ("x " * 17, "more than 16 words"),
                ("gpio zentri\0", "NUL"), ("gpio \xff", "no module")):
            with self.subTest(line=line):
                self.assertIn(error, control.command(line)["error"])
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o660)

    def start(self, *arguments, **factory):
        daemon = super().start(*arguments, **factory)
        self.path = daemon.runtime / "control"
        return daemon

    def test_long_line(self):
        control = self.control(self.start())
        control.send(b"x" * 1024 + b"\n")
        self.assertIn("unknown", control.line()["error"])
        control.send(b"x" * 1030)
        self.assertEqual(control.line()["error"], "the line is too long")
        with self.assertRaises((Closed, ConnectionResetError)):
            control.line()

    def test_too_many_clients(self):
        daemon = self.start()
        before = daemon.descriptors()
        clients = [self.control(daemon) for _ in range(32)]
        for client in clients:
            self.assertIn("modules", client.command("modules"))
        self.assertEqual(self.control(daemon).line(), {"error": "too many clients"})
        clients[0].close()
        self.assertIn("modules", clients[1].command("modules"))
        self.assertIn("modules", self.control(daemon).command("modules"))
        for client in clients:
            client.close()
        self.assertLessEqual(before, daemon.descriptors())

    def test_half_close_gets_its_answers(self):
        control = self.control(self.start())
        control.send(b"modules\n" * 2000)
        control.socket.shutdown(socket.SHUT_WR)
        for _ in range(2000):
            self.assertIn("modules", control.line())
        self.assertEqual(control.socket.recv(1), b"")

    def test_watcher_that_does_not_read(self):
        daemon = self.start()
        # The lamp of the network would blink in between.
        self.rest(daemon).command("set system.indicator.gpio network -1")
        lazy, busy = self.control(daemon), self.control(daemon)
        lazy.watch()
        count = 8000
        for start in range(0, count, 500):
            busy.send(b"gpio zentri 9 1\ngpio zentri 9 0\n" * 250)
            for _ in range(500):
                busy.line()
        seen = lost = 0
        while seen + lost < count:
            line = lazy.line()
            lost += line.get("lost", 0)
            seen += "lost" not in line
        self.assertGreater(lost, 0)
        self.assertEqual(seen + lost, count)

    def test_ends_with_the_daemon(self):
        daemon = self.start()
        control = self.control(daemon)
        control.watch()
        daemon.stop()
        self.assertFalse(self.path.exists())
        daemon.start()
        self.assertIn("modules", self.control(daemon).command("modules"))


class Ioconn(Pins):
    def listen(self):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(10)
        self.addCleanup(listener.close)
        return listener

    def begin(self, port, **factory):
        daemon = self.start(ioconn__enabled="1", ioconn__remote_host="127.0.0.1",
                            ioconn__remote_port=str(port), ioconn__status_gpio="15",
                            **factory)
        control = self.control(daemon)
        control.watch()
        return daemon, control

    def test_a_pin_opens_and_closes(self):
        listener = self.listen()
        _, control = self.begin(listener.getsockname()[1], ioconn__control_gpio="14")
        control.send(b"gpio zentri 14 1\n")
        for _ in range(2):
            peer, _ = listener.accept()
            control.change(15, 1)
            control.send(b"gpio zentri 14 0\n")
            control.change(15, 0)
            self.assertEqual(peer.recv(1), b"")
            peer.close()
            control.send(b"gpio zentri 14 1\n")
        peer, _ = listener.accept()
        control.change(15, 1)
        peer.close()
        control.change(15, 0)

    def test_without_a_pin_it_is_there_from_the_start(self):
        listener = self.listen()
        daemon, _ = self.begin(listener.getsockname()[1])
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        rest = self.rest(daemon)
        wait_until(lambda: b"TCPC" in rest.command("list").body)
        self.assertEqual(self.control(daemon).pin(15)["level"], 1)
        rest.command("network_restart")
        again, _ = listener.accept()
        again.close()

    def test_udp(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            daemon, control = self.begin(peer.getsockname()[1], ioconn__protocol="udp",
                                         ioconn__control_gpio="14")
            control.send(b"gpio zentri 14 1\n")
            control.change(15, 1)
            self.assertIn(b"UDPC", self.rest(daemon).command("list").body)


class OverTls(TlsCase):
    """What hangs on TCP hangs on TLS as well."""

    def begin(self, **factory):
        self.module(http__server__tls_cert="server.crt",
                    http__server__tls_key="server.key", **factory)
        control = Control(self.zentrid)
        self.addCleanup(control.close)
        control.watch()
        return control

    def test_client_and_data_of_the_server(self):
        control = self.begin(tcp__server__connected_gpio="10",
                             tcp__server__data_gpio="11")
        self.ok("tls_server start")
        peer = self.tls_peer(self.port_of("tls_server"))
        control.change(10, 1)
        peer.sendall(b"unread")
        control.change(11, 1)
        self.assertEqual(self.read_all(0, 6), b"unread")
        control.change(11, 0)
        peer.close()
        control.change(10, 0)

    def test_connection_of_a_pin(self):
        listener, port = self.listener()
        peer = Background(lambda: self.tls_accept(listener))
        control = self.begin(ioconn__enabled="1", ioconn__protocol="tls",
                             ioconn__remote_host=HOST, ioconn__remote_port=str(port),
                             ioconn__control_gpio="14", ioconn__status_gpio="15")
        control.send(b"gpio zentri 14 1\n")
        control.change(15, 1)
        control.send(b"gpio zentri 14 0\n")
        control.change(15, 0)
        self.assertEqual(peer.result().recv(1), b"")
