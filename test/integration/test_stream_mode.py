"""Serial STREAM mode: a socket bridged to the serial port."""

import http.client
import os
import select
import socket

from lib.case import Case
from lib.control import Control
from lib.daemon import module, wait_until
from lib.serial import Channel, Serial, join_text
from lib.stream_mode import STREAM, StreamModeCase

GUARD_S = 3.0  # of silence before the break sequence


class StreamMode(StreamModeCase):
    def quiet(self, *channels):
        """Passes the guard time, in which none of the channels may say anything."""
        descriptors = [channel.descriptor for channel in channels]
        readable, _, _ = select.select(descriptors, [], [], GUARD_S + 0.1)
        self.assertEqual(readable, [])

    def test_bytes_of_every_value_both_ways(self):
        daemon, serial = self.start(bus__stream__cmd_seq="")
        peer = self.connect(daemon)
        every = bytes(range(256)) * 4
        serial.send(every)
        peer.expect(every)
        peer.send(every)
        serial.expect(every)

    def test_what_nobody_is_connected_for_is_dropped(self):
        daemon = self.daemon([module(profile="wz-3", factory=STREAM | {
            "system.activity.gpio 3": "uart0_rx"})])
        serial = self.open_serial(daemon)
        control = Control(daemon)
        self.addCleanup(control.close)
        control.watch()
        serial.send(b"lost")
        control.change(3, 1) # the module has read it
        peer = self.connect(daemon)
        serial.send(b"kept")
        peer.expect(b"kept")

    def test_break_and_exit(self):
        daemon, serial = self.start()
        peer = self.connect(daemon)
        serial.send(b"data")
        peer.expect(b"data")
        self.quiet(serial, peer)
        serial.send(b"$$$")
        serial.expect(b"Command Mode Start\r\n> ")
        peer.send(b"meanwhile")
        serial.send(b"get wlan.mac\r\n")
        serial.expect(b"get wlan.mac\r\n4C:55:CC:10:09:42\r\n> ")
        serial.send(b"exit\r\n")
        serial.expect(b"exit\r\nmeanwhile")
        serial.send(b"data")
        peer.expect(b"data")
        self.assertEqual(peer.pending(), b"")

    def test_sequence_without_silence_is_data(self):
        daemon, serial = self.start()
        peer = self.connect(daemon)
        serial.send(b"a$$$b")
        peer.expect(b"a$$$b")
        serial.send(b"$$$")
        peer.expect(b"$$$")

    def test_what_only_begins_like_the_sequence_is_data(self):
        daemon, serial = self.start()
        peer = self.connect(daemon)
        self.quiet(serial, peer)
        serial.send(b"$$")
        peer.expect(b"$$")  # given up after a pause
        self.quiet(serial, peer)
        serial.send(b"$$x")
        peer.expect(b"$$x")

    def test_sequence_of_its_own_and_from_the_network(self):
        daemon, serial = self.start(bus__stream__cmd_seq="+++")
        peer = self.connect(daemon)
        self.quiet(serial, peer)
        peer.send(b"+++")
        serial.expect(b"+++")
        self.quiet(serial, peer)
        serial.send(b"+++ver\r\n")
        serial.expect(b"Command Mode Start\r\n> ver\r\nZENTRI-AMW007")

    def test_flush_count_and_time(self):
        daemon, serial = self.start(bus__stream__flush_count="16",
                                    bus__stream__flush_time="65535")
        peer = self.connect(daemon)
        serial.send(b"0123456789")
        serial.send(b"ABCDEF")
        peer.expect(b"0123456789ABCDEF")
        serial.send(b"short")
        readable, _, _ = select.select([peer.descriptor], [], [], 0.3)
        self.assertEqual(readable, [])
        daemon, serial = self.start(bus__stream__flush_count="10000",
                                    bus__stream__flush_time="50")
        peer = self.connect(daemon)
        serial.send(b"short")
        peer.expect(b"short")

    def test_second_client_waits_silently(self):
        daemon, serial = self.start()
        first = self.connect(daemon)
        serial.send(b"1")
        first.expect(b"1")
        second = self.connect(daemon)
        second.send(b"second")
        serial.send(b"2")
        first.expect(b"2")
        self.assertEqual(serial.pending(), b"")
        first.close()
        serial.expect(b"second")
        serial.send(b"3")
        second.expect(b"3")

    def test_last_bytes_of_a_client_arrive(self):
        daemon, serial = self.start()
        peer = self.connect(daemon)
        data = os.urandom(200000)
        peer.send(data)
        peer.close()
        serial.expect(data)

    def test_rest_works_meanwhile(self):
        daemon, serial = self.start()
        peer = self.connect(daemon)
        serial.send(b"x")
        peer.expect(b"x")
        rest = self.rest(daemon)
        self.assertRegex(rest.command("stream_list").body.decode(), "# 0 TCPS  ")
        self.assertEqual(rest.command("close 0").body, b"Success\r\n")

    def test_log_lines_only_at_a_print_level(self):
        daemon, serial = self.start(system__print_level="all")
        serial.read_until(b"[Ready]\r\n")
        peer = self.connect(daemon)
        serial.expect(join_text() + b"[Opened: 0]\r\n")
        peer.send(b"data")
        serial.expect(b"data")

    def test_mode_is_taken_at_boot(self):
        daemon = self.with_factory()
        serial = self.serial(daemon)
        self.assertEqual(serial.command("set bus.mode stream"), b"Set OK\r\n")
        self.assertEqual(serial.command("set system.print_level 0"), b"Set OK\r\n")
        self.assertEqual(serial.command("save"), b"Success\r\n")
        last = self.rest(daemon).command("version").id
        serial.send(b"reboot\r\n")
        serial.expect(b"reboot\r\nRebooting\r\n")

        def booted():
            """Each boot numbers its replies from 1; until then the old server is there."""
            try:
                rest = self.rest(daemon)
                return rest if rest.command("version").id <= last else None
            except (OSError, http.client.HTTPException):
                return None
        rest = wait_until(booted, what="the reboot")
        self.assertEqual(rest.command("get bus.mode").body, b"stream\r\n")
        serial.send(b"ver\r\n")
        self.assertEqual(rest.command("set bus.mode command").body, b"Set OK\r\n")
        self.assertEqual(rest.command("save").body, b"Success\r\n")
        self.assertEqual(rest.command("reboot").body, b"Rebooting\r\n")
        serial.expect(b"> ")

    def test_udp_client(self):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        _, serial = self.start(tcp__server__auto_start="0", udp__client__auto_start="1",
                               udp__client__remote_host="127.0.0.1",
                               udp__client__remote_port=str(listener.getsockname()[1]))
        serial.send(b"up")
        data, address = listener.recvfrom(100)
        self.assertEqual(data, b"up")
        listener.sendto(b"down", address)
        serial.expect(b"down")

    def test_much_both_ways_with_pauses(self):
        """More than all buffers hold, with readers that stop at random."""
        self.exchange(8 << 20)


class AutoConnect(Case):
    def listen(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)
        return listener

    def start(self, listener, **factory):
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        return self.daemon([module(factory={
            "tcp.client.auto_start": "1", "tcp.client.remote_host": "127.0.0.1",
            "tcp.client.remote_port": str(listener.getsockname()[1]),
            "tcp.client.retry_period": "10"} | factory)])

    def accept(self, listener):
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        return peer

    def no_more(self, listener):
        readable, _, _ = select.select([listener], [], [], 0.3)
        self.assertEqual(readable, [])

    def test_connects_at_boot_and_not_again(self):
        listener = self.listen()
        daemon = self.start(listener)
        peer = self.accept(listener)
        self.assertRegex(self.rest(daemon).command("list").body.decode(), "# 0 TCPC  ")
        peer.close()
        self.no_more(listener)

    def test_retries_count(self):
        listener = self.listen()
        self.start(listener, tcp__client__auto_retries="2")
        for _ in range(3):
            self.accept(listener).close()
        self.no_more(listener)

    def test_retries_for_ever(self):
        listener = self.listen()
        self.start(listener, tcp__client__auto_retries="255")
        for _ in range(20):
            self.accept(listener).close()

    def test_network_restart_begins_anew(self):
        listener = self.listen()
        daemon = self.start(listener)
        first = self.accept(listener)
        self.assertEqual(self.rest(daemon).command("network_restart").body,
                         b"Success\r\n")
        self.assertEqual(first.recv(1), b"")
        self.accept(listener)

    def test_closed_by_hand_it_stays_closed(self):
        listener = self.listen()
        daemon = self.start(listener, tcp__client__auto_retries="255")
        peer = self.accept(listener)
        rest = self.rest(daemon)
        wait_until(lambda: rest.command("close 0").code == 0)
        self.assertEqual(peer.recv(1), b"")
        self.no_more(listener)

    def test_server_that_is_not_there_yet(self):
        listener = self.listen()
        port = listener.getsockname()[1]
        listener.close()
        self.daemon([module(factory={
            "tcp.client.auto_start": "1", "tcp.client.remote_host": "127.0.0.1",
            "tcp.client.remote_port": str(port), "tcp.client.auto_retries": "255",
            "tcp.client.retry_period": "10"})])
        late = socket.socket()
        self.addCleanup(late.close)
        late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        late.bind(("127.0.0.1", port))
        late.listen()
        late.settimeout(10)
        self.accept(late)
