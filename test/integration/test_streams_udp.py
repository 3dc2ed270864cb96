"""UDP streams: udp_client and udp_server against netcat, socat and plain sockets."""

import os
import re
import select
import socket

from integration.test_streams_tcp import (HOST, Pty, StreamCase, Web, free_port,
                                          network)
from lib.daemon import wait_until

DATAGRAM_MAX = 65507  # RFC 768 over IPv4
RECEIVE_MAX = 65536


class UdpCase(StreamCase):
    def peer(self):
        """A UDP socket and its port."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sock.close)
        sock.settimeout(10)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)
        sock.bind((HOST, 0))
        return sock, sock.getsockname()[1]

    def open(self, port, host=HOST, handle=0):
        """udp_client and its log lines; the module's own port."""
        result = self.front.command(f"udp_client {host} {port}")
        self.assertEqual((result.code, result.body), (0, b"%d\r\n" % handle), result)
        self.assertEqual(result.events, [
            f"[Opening: {host}:{port}]", f"Resolving host: {host}",
            f"[Opened: {handle}]"])
        row, = (row for row in self.rows() if row[1] == str(handle))
        self.assertEqual(row[:5], ["#", str(handle), "UDPC", "", f"{host}:{port}"])
        return int(re.fullmatch(r"\((\d+)\)", row[5])[1])

    def start_server(self):
        """udp_server start, which opens a stream at once; the port on this host."""
        result = self.front.command("udp_server start")
        self.assertEqual((result.code, result.body, result.events),
                         (0, b"Success\r\n", ["[Opened: 0]"]))
        return self.port_of("udp_server")

    def wait_bytes(self, handle, count):
        """Waits until so many bytes can be read."""
        def there():
            pairs = self.ok("stream_poll all -c").split("|")
            return f"{handle},1,{count}" in pairs
        wait_until(there, what=f"{count} bytes on stream {handle}")

    def send(self, line, peer, *address):
        """udp_server write; the data stands in line."""
        data = line.encode()
        command = f"udp_server write {len(data)} " + " ".join(map(str, address))
        self.assertEqual(self.ok(command, data), "Success")
        self.assertEqual(peer.recv(100), data)


class ClientTests:
    def test_conversation_with_netcat(self):
        nc, port = self.netcat("-u")
        self.module()
        self.open(port)
        self.assertEqual(self.ok("stream_poll 0"), "0")
        self.write(0, b"question\n")
        self.assertEqual(nc.stdout.read(9), b"question\n")
        nc.stdin.write(b"answer\n")
        self.wait_poll(0, 1)
        self.assertEqual(self.read(0, 100), b"answer\n")
        self.assertEqual(self.ok("stream_poll 0"), "0")
        result = self.front.command("stream_close 0")
        self.assertEqual((result.body, result.events), (b"Success\r\n", ["[Closed: 0]"]))

    def test_opening_sends_nothing(self):
        peer, port = self.peer()
        self.module()
        local = self.open(port)
        self.write(0, b"first")
        data, address = peer.recvfrom(100)
        self.assertEqual((data, address), (b"first", (HOST, local)))

    def test_each_write_is_one_datagram(self):
        peer, port = self.peer()
        self.module()
        self.open(port)
        pieces = [b"a", b"", bytes(range(256)), os.urandom(9000), b"z"]
        for piece in pieces:
            self.write(0, piece)
        self.assertEqual([peer.recv(65536) for _ in pieces], pieces)

    def test_read_joins_datagrams(self):
        peer, port = self.peer()
        self.module()
        local = self.open(port)
        for piece in (b"one", b"", b"two", b"three"):
            peer.sendto(piece, (HOST, local))
        self.wait_bytes(0, 11)
        self.assertEqual(self.read(0, 4), b"onet")
        self.assertEqual(self.ok("stream_poll 0"), "1")
        self.assertEqual(self.read(0, 100), b"wothree")
        self.assertEqual(self.ok("stream_poll 0"), "0")

    def test_stranger_is_not_heard(self):
        peer, port = self.peer()
        stranger, _ = self.peer()
        self.module()
        local = self.open(port)
        stranger.sendto(b"me too", (HOST, local))
        peer.sendto(b"mine", (HOST, local))
        self.wait_bytes(0, 4)
        self.assertEqual(self.read(0, 100), b"mine")

    def test_nobody_there(self):
        """What ICMP reports of a datagram does not end the stream."""
        port = free_port()
        self.module()
        self.open(port)
        for _ in range(5):
            self.write(0, b"hello?")
        self.assertEqual(self.ok("stream_poll 0"), "0")
        late = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(late.close)
        late.settimeout(10)
        late.bind((HOST, port))
        self.write(0, b"there you are")
        self.assertEqual(late.recv(100), b"there you are")

    def test_what_nobody_reads_is_dropped(self):
        peer, port = self.peer()
        self.module(arguments=["-v"])
        local = self.open(port)
        first, second = os.urandom(30000), os.urandom(30000)
        peer.sendto(first, (HOST, local))
        self.wait_bytes(0, 30000)
        peer.sendto(second, (HOST, local))
        self.wait_bytes(0, 60000)
        peer.sendto(b"x" * 30000, (HOST, local))
        self.zentrid.wait_stderr("datagrams dropped")
        peer.sendto(b"y" * (RECEIVE_MAX - 60000), (HOST, local))
        self.wait_bytes(0, RECEIVE_MAX)
        data = self.read_all(0, RECEIVE_MAX)
        self.assertTrue(data[:60000] == first + second, "other bytes were kept")
        self.assertEqual(data[60000:], b"y" * (RECEIVE_MAX - 60000))
        peer.sendto(b"there is room again", (HOST, local))
        self.wait_bytes(0, 19)

    def test_local_port(self):
        peer, port = self.peer()
        self.module("gecko-os-2")
        for handle, line in enumerate(("udp_client -l {} {} {}", "udpc {1} {2} {0}")):
            local = free_port()
            self.assertEqual(self.ok(line.format(local, HOST, port)), str(handle))
            self.assertEqual(self.rows()[handle][5], f"({local})")
            self.write(handle, b"x")
            self.assertEqual(peer.recvfrom(10)[1][1], local)

    def test_local_port_in_use(self):
        _, busy = self.peer()
        self.module()
        events = self.fails(f"udp_client -l {busy} {HOST} 9")
        self.assertRegex(events[-1], "^Open failed: .*in use$")
        self.assertEqual(self.ok("poll all"), "None")

    def test_remote_host_variables(self):
        peer, port = self.peer()
        self.module(udp__client__remote_host=HOST, udp__client__remote_port=port)
        self.assertEqual(self.ok("udpc"), "0")
        self.write(0, b"x")
        self.assertEqual(peer.recv(10), b"x")


class ServerTests:
    def test_start_and_stop(self):
        self.module()
        self.assertEqual(self.ok("udp_server status"), "0")
        self.start_server()
        entry = self.entry_of("udp_server")
        self.assertEqual((entry["scheme"], entry["address"], entry["module_port"]),
                         ("udp", HOST, 3000))
        self.assertEqual(self.ok("udps status"), "1")
        row, = self.rows()
        self.assertEqual(row, ["#", "0", "UDPS", "", f"{HOST}:3000", "", "",
                               "0.0.0.0:0"])
        self.fails("udp_server start")
        self.fails("udp_server stop 3001")
        result = self.front.command("udp_server stop 3000")
        self.assertEqual((result.body, result.events), (b"Success\r\n", ["[Closed: 0]"]))
        self.wait_no_entry("udp_server")
        self.assertEqual(self.ok("udps status"), "0")
        self.fails("udp_server stop")
        self.start_server()

    def test_close_stops_it(self):
        self.module()
        self.start_server()
        self.ok("stream_close 0")
        self.assertEqual(self.ok("udp_server status"), "0")
        self.wait_no_entry("udp_server")
        self.start_server()

    def test_port_in_use(self):
        _, busy = self.peer()
        self.module(net=network(p3000=busy))
        self.assertEqual(self.fails("udp_server start"),
                         ["Open failed: port 3000: in use"])
        self.assertEqual(self.ok("udp_server status"), "0")

    def test_answers_the_last_sender(self):
        self.module()
        port = self.start_server()
        self.fails("stream_write 0 1", b"x")
        peers = [self.peer() for _ in range(2)]
        for name, (peer, peer_port) in zip((b"A", b"B"), peers):
            peer.sendto(name, (HOST, port))
            self.wait_poll(0, 1)
            self.assertEqual(self.read(0, 10), name)
            self.assertEqual(self.rows()[0][7], f"{HOST}:{peer_port}")
            self.write(0, b"to " + name)
            self.assertEqual(peer.recvfrom(100), (b"to " + name, (HOST, port)))

    def test_socat_as_client(self):
        self.module()
        port = self.start_server()
        socat = self.program("socat", "-", f"UDP:{HOST}:{port}")
        socat.stdin.write(b"question")
        self.wait_poll(0, 1)
        self.assertEqual(self.read(0, 100), b"question")
        self.write(0, b"answer")
        self.assertEqual(socat.stdout.read(6), b"answer")

    def test_write_to_anyone(self):
        self.module()
        port = self.start_server()
        peer, peer_port = self.peer()
        self.send("hello", peer, HOST, peer_port)
        self.send("", peer, HOST, peer_port)
        data, address = b"ping", (HOST, port)
        peer.sendto(data, address)
        self.wait_bytes(0, 4)
        other, other_port = self.peer()
        self.send("elsewhere", other, HOST, other_port)
        self.write(0, b"pong")
        self.assertEqual(peer.recvfrom(10), (b"pong", address))
        self.fails(f"udp_server write 1 peer.test {peer_port}", b"x", 7,
                   "Invalid argument")

    def test_lock_client(self):
        self.module(udp__server__lock_client="1")
        port = self.start_server()
        first, first_port = self.peer()
        second, _ = self.peer()
        first.sendto(b"one", (HOST, port))
        self.wait_bytes(0, 3)
        second.sendto(b"intruder", (HOST, port))
        first.sendto(b"two", (HOST, port))
        self.wait_bytes(0, 6)
        self.assertEqual(self.read(0, 100), b"onetwo")
        self.assertEqual(self.rows()[0][7], f"{HOST}:{first_port}")
        self.write(0, b"only you")
        self.assertEqual(first.recv(100), b"only you")
        self.assertEqual(select.select([second], [], [], 0)[0], [])

    def test_remote_host(self):
        """It can speak before anyone has spoken to it."""
        peer, peer_port = self.peer()
        self.module(udp__server__remote_host=HOST, udp__server__remote_port=peer_port)
        port = self.start_server()
        self.assertEqual(self.rows()[0][7], f"{HOST}:{peer_port}")
        self.write(0, b"first word")
        self.assertEqual(peer.recvfrom(100), (b"first word", (HOST, port)))

    def test_remote_host_locked(self):
        peer, peer_port = self.peer()
        stranger, _ = self.peer()
        self.module(udp__server__remote_host=HOST, udp__server__remote_port=peer_port,
                    udp__server__lock_client="1")
        port = self.start_server()
        stranger.sendto(b"stranger", (HOST, port))
        peer.sendto(b"peer", (HOST, port))
        self.wait_bytes(0, 4)
        self.assertEqual(self.read(0, 100), b"peer")

    def test_remote_host_locked_with_any_port(self):
        """udp.server.remote_port 0: the port that the host speaks from."""
        self.module(udp__server__remote_host=HOST, udp__server__lock_client="1")
        port = self.start_server()
        peer, _ = self.peer()
        peer.sendto(b"hello", (HOST, port))
        self.wait_bytes(0, 5)
        self.write(0, b"welcome")
        self.assertEqual(peer.recv(100), b"welcome")


class UdpClientOverPty(ClientTests, UdpCase):
    front_type = Pty


class UdpClientOverRest(ClientTests, UdpCase):
    front_type = Web


class UdpServerOverPty(ServerTests, UdpCase):
    front_type = Pty


class UdpServerOverRest(ServerTests, UdpCase):
    front_type = Web


class UdpSizes(UdpCase):
    """Over the pty, since the body of a REST request holds less."""

    def test_largest_datagram(self):
        peer, port = self.peer()
        self.module()
        local = self.open(port)
        data = os.urandom(DATAGRAM_MAX)
        self.write(0, data)
        self.assertTrue(peer.recv(70000) == data, "another datagram arrived")
        peer.sendto(data, (HOST, local))
        self.wait_bytes(0, DATAGRAM_MAX)
        self.assertTrue(self.read_all(0, DATAGRAM_MAX) == data, "other bytes arrived")

    def test_too_large(self):
        peer, port = self.peer()
        self.module()
        self.open(port)
        self.fails(f"stream_write 0 {DATAGRAM_MAX + 1}", b"x" * (DATAGRAM_MAX + 1), 9,
                   "Bounds error")
        self.write(0, b"small")
        self.assertEqual(peer.recv(70000), b"small")

    def test_server_write(self):
        peer, port = self.peer()
        self.module()
        self.start_server()
        line = f"udp_server write {{}} {HOST} {port}"
        data = os.urandom(DATAGRAM_MAX)
        self.assertEqual(self.ok(line.format(len(data)), data), "Success")
        self.assertTrue(peer.recv(70000) == data, "another datagram arrived")
        self.fails(line.format(DATAGRAM_MAX + 1), b"x" * (DATAGRAM_MAX + 1), 9,
                   "Bounds error")
