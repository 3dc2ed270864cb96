"""The remote terminal: the command line over TCP."""

import os
import pty
import select
import socket
import subprocess

from lib.case import Case
from lib.daemon import MAC, wait_until
from lib.serial import Channel, Closed
from lib.transcript import terminal

MAC_REPLY = f"get wlan.mac\r\n{MAC}\r\n> ".encode()


class Terminal(Case):
    def start(self, **factory):
        return self.with_factory(remote_terminal__enabled="1", **factory)

    def connect(self, daemon):
        channel = terminal(daemon)
        self.addCleanup(channel.close)
        return channel

    def greeted(self, daemon):
        channel = self.connect(daemon)
        channel.expect(b"[Ready]\r\n> ")
        return channel

    def ended(self, channel):
        with self.assertRaises(Closed):
            while channel.fill(10):
                pass

    def test_prompt_unasked_and_echo(self):
        channel = self.greeted(self.start())
        channel.send(b"\n")
        channel.expect(b"\r\n> ")
        channel.send(b"list\n")
        channel.expect(b"list\r\n! # Type  Info\r\n> ")
        channel.send(b"get wlan.mac\r\n")
        channel.expect(MAC_REPLY)

    def test_telnet_commands_are_swallowed(self):
        channel = self.greeted(self.start())
        for sent in (b"\xff\xfd\x01\xff\xfb\x03get wlan.mac\r\n",
                     b"get \xff\xfa\x18\x00xterm\xff\xffx\xff\xf0wlan.mac\r\0",
                     b"get\xff\xf1 wlan.mac\r\n"):
            channel.send(sent)
            channel.expect(MAC_REPLY)

    def test_telnet_client(self):
        """The program itself, on a terminal of its own: lines, and Telnet commands
        that its user sends from the escape prompt."""
        daemon = self.start(system__cmd__echo="0")
        entry = daemon.listener("remote_terminal")
        master, slave = pty.openpty()
        client = Channel(master)
        self.addCleanup(client.close)
        process = subprocess.Popen(
            ["telnet", entry["address"], str(entry["port"])], stdin=slave, stdout=slave,
            stderr=slave, start_new_session=True)
        os.close(slave)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        client.read_until(b"[Ready]\r\n> ")
        client.send(b"get wlan.mac\r")
        client.read_until(MAC.encode() + b"\r\n> ")
        for command in (b"send ayt", b"send do 1"):
            client.send(b"\x1d")
            client.read_until(b"telnet> ")
            client.send(command + b"\r")
            client.read_until(command + b"\r\n")
            client.send(b"get wlan.mac\r")
            client.read_until(MAC.encode() + b"\r\n> ")
        client.send(b"exit\r")
        client.read_until(b"Connection closed by foreign host.")
        self.assertEqual(process.wait(10), 0)

    def test_telnet_commands_split_over_packets(self):
        channel = self.greeted(self.start())
        sock = socket.socket(fileno=channel.descriptor)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        echoed = b""
        for byte in b"ge\xff\xfd\x01t\xff\xfa\x18\x01\xff\xf0 wlan.mac":
            sock.send(bytes([byte]))
            if chr(byte) in "get wlan.mac" and byte < 0x7F:
                echoed += channel.read(1)
        channel.send(b"\r\n")
        self.assertEqual(echoed, b"get wlan.mac")
        channel.expect(f"\r\n{MAC}\r\n> ".encode())
        sock.detach()

    def test_doubled_iac_is_one_byte(self):
        channel = self.greeted(self.start())
        channel.send(b"set network.tls.client_key \xff\xff\r\n")
        channel.expect(b"set network.tls.client_key \xff\r\nSet OK\r\n> ")
        channel.send(b"get network.tls.client_key\r\n")
        channel.expect(b"get network.tls.client_key\r\n\xff\r\n> ")

    def test_password(self):
        daemon = self.start(remote_terminal__password="secret")
        wrong = self.connect(daemon)
        wrong.expect(b"Password: ")
        wrong.send(b"secre\r\n")
        wrong.expect(b"\r\n")
        self.ended(wrong)
        channel = self.connect(daemon)
        channel.expect(b"Password: ")
        channel.send(b"secret\r\nget wlan.mac\r\n")
        channel.expect(b"\r\n[Ready]\r\n> " + MAC_REPLY)
        self.assertNotIn("secre", daemon.stderr())

    def test_without_the_password_the_serial_port_keeps_the_parser(self):
        daemon = self.start(remote_terminal__password="secret")
        serial = self.serial(daemon)
        self.connect(daemon).expect(b"Password: ")
        self.assertEqual(serial.command("get wlan.mac"), f"{MAC}\r\n".encode())

    def test_idle_client_is_dropped(self):
        daemon = self.start(remote_terminal__timeout="1")
        self.ended(self.greeted(daemon))

    def test_one_client_at_a_time(self):
        daemon = self.start()
        first = self.greeted(daemon)
        self.ended(self.connect(daemon))
        first.send(b"exit\r\n")
        first.expect(b"exit\r\n")
        self.ended(first)
        self.greeted(daemon)

    def test_takes_the_parser_from_the_serial_port(self):
        daemon = self.start()
        serial = self.serial(daemon)
        channel = self.greeted(daemon)
        serial.send(b"get wlan.mac\r\n")
        channel.send(b"get wlan.mac\r\n")
        channel.expect(MAC_REPLY)
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body,
                         f"{MAC}\r\n".encode())
        readable, _, _ = select.select([serial.descriptor], [], [], 0.2)
        self.assertEqual(readable, [])
        channel.close()
        serial.expect(MAC_REPLY)

    def test_machine_mode_and_log_lines(self):
        daemon = self.start()
        channel = self.greeted(daemon)
        channel.send(b"set system.cmd.mode machine\r\nset system.print_level all\r\n")
        channel.expect(b"set system.cmd.mode machine\r\nR000008\r\nSet OK\r\n"
                       b"R000008\r\nSet OK\r\n")
        channel.send(b"udpc localhost 9\n")
        channel.expect(b"L000024\r\n[Opening: localhost:9]\r\n"
                       b"L000027\r\nResolving host: localhost\r\n"
                       b"L000013\r\n[Opened: 0]\r\nR000003\r\n0\r\n")

    def test_ends_with_reboot_and_network_restart(self):
        daemon = self.start()
        for command in (b"reboot\r\n", b"nre\r\n"):
            channel = self.greeted(daemon)
            channel.send(command)
            channel.expect(command)
            self.ended(channel)
        self.greeted(daemon)

    def test_payload(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        channel = self.greeted(self.start())
        channel.send(b"tcpc 127.0.0.1 %d\n" % listener.getsockname()[1])
        channel.read_until(b"[Opened: 0]\r\n0\r\n> ")
        peer, _ = listener.accept()
        self.addCleanup(peer.close)
        channel.send(b"write 0 4\n\xff\xff\r\n\x00")
        channel.expect(b"write 0 4\r\nSuccess\r\n> ")
        self.assertEqual(peer.recv(10), b"\xff\r\n\x00")

    def test_clients_that_vanish(self):
        daemon = self.start()

        def greeted():
            channel = self.connect(daemon)
            try:
                channel.expect(b"[Ready]\r\n> ")
            except Closed:  # the one before is not known to be gone
                return None
            return channel

        before = None
        for _ in range(50):
            channel = wait_until(greeted, what="the terminal to be free")
            before = before or daemon.descriptors()
            channel.send(b"get wlan.mac\r\nget al")
            channel.close()
        wait_until(lambda: daemon.descriptors() < before, what="its descriptors")

    def test_vanishes_while_its_command_speaks(self):
        """The log lines of the command meet the broken connection."""
        daemon = self.start()
        with socket.socket() as peer:
            peer.bind(("127.0.0.1", 0))
            peer.listen()
            for _ in range(20):
                channel = self.greeted(daemon)
                channel.send(b"tcp_client 127.0.0.1 %d\r\n" % peer.getsockname()[1])
                channel.close()
                peer.accept()[0].close()
        daemon.stop()
