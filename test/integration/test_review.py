"""What happens at the seams: peers that flood, hang or queue up while the module reboots,
sleeps, rereads its configuration or ends."""

import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import time

from lib.case import Case
from lib.daemon import MAC, StartError, module, wait_until
from lib.rest import Answer, Reply, quote, trusting_context
from lib.serial import Mismatch, Serial

MAC_REPLY = MAC.encode() + b"\r\n"
LISTENING = b"[Associated]\r\n"
REQUEST = b"GET /command/get%20all HTTP/1.1\r\nHost: x\r\n\r\n"
FLOOD = 64 * 1024 * 1024  # more than the kernel buffers of a connection


class Names:
    """A name server that answers when it is told to."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(10)
        self.port = self.socket.getsockname()[1]
        self.asked = []

    def network(self):
        return {"address": "127.0.0.1", "name_server": f"127.0.0.1:{self.port}",
                "ports": [{"module": port, "host": 0} for port in (80, 443, 3000)]}

    def wait(self):
        """A question has come."""
        self.asked.append(self.socket.recvfrom(512))

    def answer(self, address="10.1.2.3"):
        """RFC 1035, 4.1: one A record to each question."""
        for question, peer in self.asked:
            end = question.index(b"\0", 12) + 5
            self.socket.sendto(
                question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:end]
                + b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(address), peer)
        self.asked = []

    def close(self):
        self.socket.close()


def connect(entry, receive_buffer=None):
    """A connection to a listener of status.json."""
    peer = socket.socket()
    peer.settimeout(10)
    if receive_buffer is not None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    peer.connect((entry["address"], entry["port"]))
    return peer


def send_until_stuck(peer, data, most=FLOOD):
    """Sends data over and over until nothing is taken for a while, or it was too much."""
    peer.setblocking(False)
    sent = 0
    while sent < most and select.select([], [peer], [], 0.5)[1]:
        try:
            sent += peer.send(data)
        except BlockingIOError:
            pass
    return sent


def wait_idle(daemon):
    """Until the daemon has done all that it can do."""
    def ticks():
        with open(f"/proc/{daemon.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def is_idle():
        before = ticks()
        select.select([], [], [], 0.2)
        return ticks() == before
    wait_until(is_idle, 30, "the daemon to fall idle")


def ask(rest, line):
    """Sends a command; Reply(Answer(...)) takes the answer later."""
    rest.connection.request("GET", "/command/" + quote(line))


def reply(rest):
    return Reply(Answer(rest.connection.getresponse()))


class Review(Case):
    def names(self):
        names = Names()
        self.addCleanup(names.close)
        return names

    def looking_up(self, **settings):
        """A module whose serial port waits for a name: (names, daemon, serial)."""
        names = self.names()
        daemon = self.daemon([module(**settings)], names.network())
        serial = self.serial(daemon)
        serial.send(b"network_lookup slow.test\r\n")
        serial.expect(b"network_lookup slow.test\r\n")
        names.wait()
        return names, daemon, serial

    def peer(self, entry, **settings):
        peer = connect(entry, **settings)
        self.addCleanup(peer.close)
        return peer

    def stuck_client(self, daemon):
        """A web client that asks on and on and reads nothing: an answer stays under way."""
        peer = self.peer(daemon.listener(), receive_buffer=2048)
        send_until_stuck(peer, REQUEST * 500, 4 * 1024 * 1024)
        wait_idle(daemon)


class Floods(Review):
    def test_web_client_that_does_not_read(self):
        """What it sends waits in its own host, not in the memory of the daemon."""
        daemon = self.daemon()
        peer = self.peer(daemon.listener(), receive_buffer=2048)
        self.assertLess(send_until_stuck(peer, REQUEST * 500), FLOOD)
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_tls_client_that_does_not_read(self):
        daemon = self.with_factory(http__server__tls_enabled=1)
        raw = self.peer(daemon.listener(), receive_buffer=2048)
        with trusting_context().wrap_socket(raw) as peer:
            peer.setblocking(False)
            sent = 0
            while sent < FLOOD and select.select([], [peer], [], 0.5)[1]:
                try:
                    sent += peer.send(REQUEST * 300)
                except OSError:  # TLS wants to write later
                    pass
            self.assertLess(sent, FLOOD)
            self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_web_client_behind_its_own_command(self):
        names = self.names()
        daemon = self.daemon(network=names.network())
        peer = self.peer(daemon.listener())
        peer.sendall(b"GET /command/nlo%20slow.test HTTP/1.1\r\nHost: x\r\n\r\n")
        names.wait()
        self.assertLess(send_until_stuck(peer, REQUEST * 500), FLOOD)
        names.answer()

    def test_while_asleep(self):
        """A sleeping module hears nothing, and its host is not held up."""
        daemon = self.with_factory(system__wakeup__timeout=2)
        serial = self.serial(daemon)
        serial.send(b"sleep\r\n")
        serial.expect(b"sleep\r\n")
        daemon.wait_status(lambda status: status["state"] == "asleep")
        for _ in range(50):
            serial.send(b"set network.tls.client_key bad\r\n" * 1000)
        serial.boot_output()
        self.assertEqual(serial.command("get network.tls.client_key"), b"")

    def test_before_sleep(self):
        """What the module did not get to before it fell asleep is lost too."""
        names, daemon, serial = self.looking_up(
            factory={"system.wakeup.timeout": 1})
        ask(self.rest(daemon), "sleep")
        while select.select([], [serial.descriptor], [], 0.5)[1]:
            os.write(serial.descriptor, b"\rset network.tls.client_key bad\r" * 20)
        names.answer()
        daemon.wait_status(lambda status: status["state"] == "asleep")
        serial.read_until(LISTENING)
        self.assertEqual(serial.command("get network.tls.client_key"), b"")

    def test_more_connections_than_descriptors(self):
        """They wait, and neither the log nor the processor is flooded."""
        daemon = self.daemon(preexec=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (24, 24)))
        peers = [self.peer(daemon.listener()) for _ in range(20)]
        for peer in peers:
            peer.sendall(REQUEST)
        wait_until(lambda: "Too many open files" in daemon.stderr(),
                   what="a word in the log")
        lines = daemon.stderr().count("\n")
        self.assertTrue(peers[0].recv(100))
        select.select(peers[-1:], [], [], 0.5)
        self.assertLess(daemon.stderr().count("\n") - lines, 10)
        for peer in peers:
            peer.close()
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)


class Connections(Review):
    def test_thirty_third_waits(self):
        """32 are served; the next one is when one of them is done."""
        names, daemon, _ = self.looking_up()
        peers = []
        for _ in range(33):
            peers.append(self.peer(daemon.listener()))
            peers[-1].sendall(REQUEST)
        self.assertFalse(select.select(peers, [], [], 0.3)[0])
        names.answer()
        for peer in peers:
            self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_half_open_tls(self):
        """Handshakes that stop halfway leave the rest alone, reboot and end too."""
        daemon = self.with_factory(http__server__tls_enabled=1)
        serial = self.serial(daemon)
        hello = b"\x16\x03\x01\x02\x00\x01"
        peers = [self.peer(daemon.listener()) for _ in range(31)]
        for i, peer in enumerate(peers):
            peer.sendall(hello[:i % 7])
        rest = self.rest(daemon)
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        self.assertEqual(rest.command("reboot").body, b"Rebooting\r\n")
        for peer in peers:
            try:
                self.assertEqual(peer.recv(1), b"")
            except ConnectionResetError:
                pass
        serial.boot_output(was_joined=True)
        for _ in range(5):
            self.peer(daemon.wait_listener()).sendall(hello)
        daemon.stop()

    def test_expect_100_continue(self):
        entry = self.daemon().listener()
        url = f"http://{entry['address']}:{entry['port']}/command"
        for size, status in ((5000, "200"), (70000, "413")):
            body = json.dumps({"flags": 0, "command": "ver", "data": "x" * size})
            done = subprocess.run(
                ["curl", "-s", "-m", "10", "-o", os.devnull, "-w", "%{http_code}",
                 "-H", "Expect: 100-continue", "-d", "@-", url],
                input=body, text=True, capture_output=True, timeout=20, check=False)
            self.assertEqual(done.stdout, status)


class Turns(Review):
    def test_commands_wait_behind_another_sessions(self):
        names, daemon, serial = self.looking_up()
        lines = ("get wlan.mac", "get network.tls.client_key", "get wlan.mac")
        clients = []
        for line in lines:
            clients.append(self.rest(daemon))
            ask(clients[-1], line)
        sockets = [client.connection.sock for client in clients]
        self.assertEqual(select.select(sockets, [], [], 0.2)[0], [])
        names.answer()
        serial.expect(b"10.1.2.3\r\n> ")
        answers = [reply(client) for client in clients]
        self.assertEqual([answer.body for answer in answers],
                         [MAC_REPLY, b"", MAC_REPLY])
        self.assertEqual([answer.id for answer in answers], [1, 2, 3])

    def test_reboot_over_rest_drops_what_waits_behind_it(self):
        names, daemon, serial = self.looking_up()
        clients = []
        for i, line in enumerate(("get wlan.mac", "reboot", "set network.tls.client_key bad", "ver")):
            clients.append(self.rest(daemon))
            ask(clients[-1], line)
            # A command that is not known is answered at once: the one before it is in.
            self.assertEqual(self.rest(daemon).command("nonsense").id, i + 1)
        names.answer()
        self.assertEqual(reply(clients[0]).body, MAC_REPLY)
        self.assertEqual(reply(clients[1]).body, b"Rebooting\r\n")
        for client in clients[2:]:
            with self.assertRaises(ConnectionError):
                reply(client)
        serial.expect(b"10.1.2.3\r\n> ")
        serial.boot_output(was_joined=True)
        self.assertEqual(serial.command("get network.tls.client_key"), b"")

    def test_reboot_is_not_put_off(self):
        """It waits half a second for answers under way, however many more are asked."""
        daemon = self.daemon()
        serial = self.serial(daemon)
        self.stuck_client(daemon)
        rest = self.rest(daemon)
        serial.send(b"reboot\r\n")
        serial.read_until(b"Rebooting\r\n")
        deadline = time.monotonic() + 5
        with self.assertRaises(OSError):
            while time.monotonic() < deadline:
                rest.logs()
        serial.boot_output(was_joined=True)

    def test_sleep_while_a_command_waits(self):
        names, daemon, serial = self.looking_up(
            factory={"system.gotosleep.timeout": 1, "system.wakeup.timeout": 1})
        ask(self.rest(daemon), "tcp_client slow.test 80")
        daemon.wait_status(lambda status: status["state"] == "asleep")
        names.answer()
        serial.boot_output()
        self.assertEqual(serial.command("stream_list"), b"! # Type  Info\r\n")

    def test_end_while_a_name_is_looked_up(self):
        """Nothing is left behind."""
        _, daemon, serial = self.looking_up()
        serial.send(b"get wlan.mac\r\n")
        ask(self.rest(daemon), "tcp_client slow.test 80")
        daemon.stop()

    def test_close_waits_behind_a_blocked_write(self):
        """The peer reads on, or goes: the write ends first, then the stream is closed."""
        daemon = self.daemon(network=self.names().network())
        rest = self.rest(daemon)
        serial = self.serial(daemon)
        self.assertEqual(rest.command("tcp_server start 3000").code, 0)
        serial.command("set system.cmd.echo 0")
        status = daemon.wait_status(lambda status: len(status["listeners"]) == 2)
        entry = next(entry for entry in status["listeners"]
                     if entry["service"] == "tcp_server")
        for ends in (True, False):
            peer = self.peer(entry, receive_buffer=2048)
            handle = re.search(rb"\[Opened: (\d+)\]\r\n",
                               serial.read_until(b"]\r\n"))[1]
            try:
                while True:
                    serial.send(b"write " + handle + b" 1000000\r\n" + b"x" * 1000000)
                    serial.read_until(b"Success\r\n> ", 0.5)
            except Mismatch:
                pass
            close = self.rest(daemon)
            ask(close, "stream_close all")
            if ends:
                peer.shutdown(socket.SHUT_RDWR)
            else:
                while not select.select([close.connection.sock], [], [], 0)[0]:
                    peer.recv(1 << 20)
            self.assertEqual(reply(close).code, 0)
            serial.read_until(b"Command failed\r\n> " if ends else b"Success\r\n> ")
            serial.read_until(b"[Closed: " + handle + b"]\r\n")


class Ends(Review):
    def test_end_as_the_status_changes(self):
        """Both come in one turn of the loop: the module falls asleep, and SIGTERM. Which
        is first is a matter of luck, so several daemons try."""
        daemons = [self.with_factory(system__gotosleep__timeout=1) for _ in range(8)]
        for daemon in daemons:
            daemon.send_signal(signal.SIGSTOP)
        select.select([], [], [], 1.2)
        for daemon in daemons:
            daemon.send_signal(signal.SIGTERM)
            daemon.send_signal(signal.SIGCONT)
            status = daemon.wait()
            daemon.check_stderr()
            self.assertEqual(status, 0)

    def test_end_with_a_remote_terminal(self):
        """Logged in, or asked for the password."""
        for password, greeting in (("", b"> "), ("secret", b"Password: ")):
            with self.subTest(password=password):
                daemon = self.daemon(
                    [module(factory={"remote_terminal.enabled": 1,
                                     "remote_terminal.password": password})])
                peer = self.peer(daemon.listener("remote_terminal"))
                received = b""
                while not received.endswith(greeting):
                    data = peer.recv(100)
                    self.assertTrue(data, received)
                    received += data
                daemon.stop()

    def test_sleep_in_stream_mode(self):
        """The break sequence wakes nobody and gets no answer."""
        daemon = self.with_factory(bus__mode="stream", system__wakeup__timeout=6)
        serial = self.open_serial(daemon)
        serial.read_until(LISTENING)
        self.rest(daemon).command("sleep")
        daemon.wait_status(lambda status: status["state"] == "asleep")
        self.assertFalse(serial.fill(3.1))  # the silence before the sequence
        serial.send(b"$$$")
        self.assertFalse(serial.fill(0.5), serial.buffer)


class Reload(Review):
    def reload(self, daemon, count):
        daemon.send_signal(signal.SIGHUP)
        wait_until(lambda: daemon.stderr().count("reread") == count, what="the reload")

    def test_twice(self):
        """Nothing points into the settings of before."""
        daemon = self.daemon([module(version="one", network={"address": "127.0.0.1"})])
        serial = self.serial(daemon)
        text = daemon.config.read_text()
        for count, version in ((1, "two"), (2, "three")):
            daemon.config.write_text(
                text.replace('"one"', f'"{version}"')
                .replace('network = { address = "127.0.0.1"; }; }',
                         f'network = {{ address = "127.0.0.{count + 1}"; }}; }}')
                .replace("factory = ( ", 'factory = ( { name = "network.tls.client_key"; '
                                         f'value = "{version}"; }}, '))
            self.reload(daemon, count)
        self.assertEqual(serial.command("ver"), b"three\r\n")
        self.assertEqual(serial.command("get network.tls.client_key"), b"")
        self.assertEqual(daemon.listener()["address"], "127.0.0.1")
        serial.send(b"reboot\r\n")
        serial.read_until(LISTENING)
        daemon.wait_status(lambda status: [entry["address"] for entry
                                           in status["listeners"]] == ["127.0.0.3"])
        self.assertEqual(serial.command("get network.tls.client_key"), b"three\r\n")
        self.assertEqual(self.rest(daemon).command("ver").body, b"three\r\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.send_signal(signal.SIGHUP)
        daemon.stop()

    def test_device_stays(self):
        """The path of a tty that is away outlives the settings that named it."""
        daemon = self.daemon([module(serial={"device": "/dev/no-such-tty"})])
        text = daemon.config.read_text()
        for count in (1, 2):
            daemon.config.write_text(text.replace("no-such", f"other-{count}"))
            self.reload(daemon, count)
        self.assertIn("serial needs a restart", daemon.stderr())
        self.assertEqual(daemon.status()["serial"], "/dev/no-such-tty")
        rest = self.rest(daemon)
        rest.command("reboot")
        rest.connection.sock.recv(1)  # its end: the old web server is gone
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_name_server(self):
        """Another one is asked from the next reboot on."""
        old, new = self.names(), self.names()
        daemon = self.daemon(network=old.network())
        serial = self.serial(daemon)
        serial.send(b"nlo one.test\r\n")
        old.wait()
        old.answer()
        serial.read_until(b"10.1.2.3\r\n> ")
        daemon.config.write_text(
            daemon.config.read_text().replace(f":{old.port}", f":{new.port}"))
        self.reload(daemon, 1)
        serial.send(b"reboot\r\n")
        serial.read_until(LISTENING)
        serial.send(b"nlo two.test\r\n")
        asked = select.select([old.socket, new.socket], [], [], 10)[0]
        self.assertEqual(asked, [new.socket])
        new.wait()
        new.answer("10.4.5.6")
        serial.read_until(b"10.4.5.6\r\n> ")

    def test_default_that_is_written_out(self):
        """It is no change."""
        daemon = self.daemon(text='modules = ( { name = "zentri"; } );\n')
        daemon.config.write_text(
            'modules = ( { name = "zentri"; profile = "wl-1.0"; '
            'serial = { link = "serial"; }; } );\n')
        self.reload(daemon, 1)
        self.assertNotIn("needs a restart", daemon.stderr())


class State(Review):
    def test_saved_data_bits_that_do_not_fit(self):
        """The port stays as it was, and the module boots."""
        for bits in ("99", "2", "-1", ""):
            with self.subTest(bits=bits):
                daemon = self.daemon(start=False)
                daemon.nvm_path().parent.mkdir(parents=True)
                daemon.nvm_path().write_text(json.dumps(
                    {"format": 1, "values": {"uart.data 0": bits}}))
                daemon.start()
                serial = self.serial(daemon)
                self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_status_while_leaving(self):
        """As zentrid(8) has it, while an answer is on its way out."""
        daemon = self.with_factory(system__wakeup__timeout=1)
        serial = self.serial(daemon)
        self.stuck_client(daemon)
        serial.send(b"sleep\r\n")
        states = []

        def is_awake():
            state = daemon.status()["state"]
            if state != (states or ["running"])[-1]:
                states.append(state)
            return state == "running" and states
        wait_until(is_awake, what="the end of sleep")
        self.assertEqual(states, ["leaving", "asleep", "running"])

    def test_status_while_asleep(self):
        """The serial port is still there, the web server is not."""
        daemon = self.daemon()
        before = daemon.status()
        self.serial(daemon).send(b"sleep\r\n")
        asleep = daemon.wait_status(lambda status: status["state"] == "asleep")
        self.assertEqual(asleep, before | {
            "state": "asleep", "listeners": [],
            "interfaces": {"wlan": "down", "softap": "down"}})
        with self.assertRaises(ConnectionRefusedError):
            connect(before["listeners"][0])

    def test_runtime_directory_belongs_to_one_daemon(self):
        """A second one would take over, and at its end remove, what belongs to the first."""
        first = self.daemon()
        second = self.daemon(start=False)
        second.runtime = first.runtime
        with self.assertRaises(StartError) as refused:
            second.start()
        self.assertIn("-r", str(refused.exception))
        self.assertEqual(first.status()["pid"], first.pid)
        with Serial(first.serial_path()) as serial:
            serial.boot_output()
