"""What goes over one interface while the other one goes down."""

import socket

from lib.daemon import module
from lib.network import NetworkCase

HOST = "127.0.0.1"


class SoftApEnds(NetworkCase):
    def setUp(self):
        super().setUp()
        self.zentrid = self.start(module(factory={
            "softap.auto_start": "1", "softap.ssid": "charger",
            "softap.passkey": "password", "http.server.enabled": "0",
            "system.print_level": "0", "system.cmd.echo": "0",
            "system.cmd.prompt_enabled": "0"}))
        for interface in ("wlan", "softap"):
            self.joined(self.zentrid, interface=interface)
        self.pty = self.open_serial(self.zentrid, None)

    def listener(self):
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.settimeout(10)
        sock.bind((HOST, 0))
        sock.listen()
        return sock, sock.getsockname()[1]

    def accept(self, sock):
        peer, _ = sock.accept()
        self.addCleanup(peer.close)
        peer.settimeout(10)
        return peer

    def read_to(self, peer, end):
        data = b""
        while not data.endswith(end):
            piece = peer.recv(4096)
            self.assertNotEqual(piece, b"", data)
            data += piece

    def run_line(self, line, answer):
        self.pty.send(line.encode() + b"\r\n")
        self.pty.expect(answer + b"\r\n")

    def end_softap(self):
        self.run_line("network_down -i softap", b"Success")
        self.joined(self.zentrid, state="down", interface="softap")

    def test_redirect_to_a_name(self):
        """The host of a redirect is looked up after the end of the soft AP."""
        first, port = self.listener()
        second, second_port = self.listener()
        self.run_line(f"http_get -o http://localhost:{port}/", b"0")
        peer = self.accept(first)
        self.end_softap()
        self.pty.send(b"http_read_status 0\r\n")
        self.read_to(peer, b"\r\n\r\n")
        peer.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
                     b"Location: http://localhost:%d/x\r\n\r\n" % second_port)
        peer = self.accept(second)
        self.read_to(peer, b"\r\n\r\n")
        peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.pty.expect(b"204\r\n")

    def test_request_without_a_stream(self):
        """A post whose stream is closed already still gets its answer."""
        sock, port = self.listener()
        self.run_line(f"http_post -l 5 http://{HOST}:{port}/", b"0")
        peer = self.accept(sock)
        self.pty.send(b"stream_write 0 5\r\nhello")
        self.pty.expect(b"Success\r\n")
        self.run_line("stream_close 0", b"Success")
        self.end_softap()
        self.read_to(peer, b"hello")
        peer.settimeout(0.2)
        self.assertRaises(TimeoutError, peer.recv, 1)
        peer.settimeout(10)
        peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.assertEqual(peer.recv(1), b"")
