"""Peers for TLS: the openssl programs, and Python's own TLS where a test has to do what
they do not."""

import os
import pathlib
import re
import select
import socket
import ssl
import tempfile
import time

from integration.test_streams_tcp import HOST, StreamCase, network
from lib.certificates import authority
from lib.daemon import module, wait_until


class Program:
    """An openssl program and all that it has said, on both outputs."""

    def __init__(self, process):
        self.process = process
        self.said = b""

    def wait_for(self, pattern, timeout=10):
        """The match once it has said that."""
        deadline = time.monotonic() + timeout
        while not (match := re.search(pattern, self.said)):
            left = max(deadline - time.monotonic(), 0)
            pipes = [self.process.stdout, self.process.stderr]
            ready, _, _ = select.select(pipes, [], [], left)
            pieces = [os.read(pipe.fileno(), 65536) for pipe in ready]
            if not any(pieces):
                raise AssertionError(f"waited for {pattern} in {self.said.decode()}")
            self.said += b"".join(pieces)
        return match

    def send(self, data):
        self.process.stdin.write(data)

    def end(self):
        """Ends its input, as a user does with control-D."""
        self.process.stdin.close()


class TlsCase(StreamCase):
    """A module that has the tests' certificates in its files: NAME.crt and NAME.key."""

    files = ("ca.crt", "other_ca.crt", "server.crt", "server.key", "client.crt",
             "client.key")

    def directory(self, files):
        directory = tempfile.TemporaryDirectory(prefix="zentrid-files-")
        self.addCleanup(directory.cleanup)
        for name, contents in files.items():
            (pathlib.Path(directory.name) / name).write_bytes(contents)
        return directory.name

    def module(self, profile="wl-1.0", net=None, files=None, **factory):
        """files: more of them, name to contents."""
        made = authority()
        files = {name: made.bytes(name) for name in self.files} | (files or {})
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        self.zentrid = self.daemon(
            [module(profile=profile, files={"factory": self.directory(files)},
                    factory=self.front_type.factory |
                    {"network.tls.ca_cert": "ca.crt"} | factory)], net or network())
        self.front = self.front_type(self, self.zentrid)
        return self.front

    def restart(self):
        """network_restart; what the web server says at the end of it."""
        self.ok("network_restart")
        while "HTTP" not in (line := self.front.events(1)[0]):
            pass
        return line

    def tls_connect(self, port, handle=0, host=HOST, ca_file=""):
        """tls_client and the log lines of it."""
        result = self.front.command(f"tls_client {host} {port} {ca_file}".rstrip())
        self.assertEqual((result.code, result.body), (0, b"%d\r\n" % handle), result)
        self.assertEqual(result.events, [
            f"[Opening: {host}:{port}]", f"Resolving host: {host}",
            f"Connecting: {host}:{port}", f"[Opened: {handle}]"])

    def tls_fails(self, port, why, host=HOST, ca_file=""):
        """A tls_client that fails; why is the end of its last log line."""
        events = self.fails(f"tls_client {host} {port} {ca_file}".rstrip())
        self.assertEqual(events[-1], f"Open failed: TLS: {why}", events)

    # Peers

    def openssl(self, *arguments):
        return Program(self.program("openssl", *arguments))

    def s_server(self, *options, name="server"):
        """An openssl s_server that answers each line reversed; (program, port)."""
        made = authority()
        server = self.openssl("s_server", "-accept", f"{HOST}:0", "-rev",
                              "-cert", made.path(f"{name}.crt"),
                              "-key", made.path(f"{name}.key"), *options)
        port = int(server.wait_for(rb"ACCEPT \S+?:(\d+)\n")[1])
        return server, port

    def s_client(self, port, *options):
        made = authority()
        return self.openssl("s_client", "-connect", f"{HOST}:{port}", "-CAfile",
                            made.path("ca.crt"), *options)

    def server_context(self, name="server"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made = authority()
        context.load_cert_chain(made.path(f"{name}.crt"), made.path(f"{name}.key"))
        return context

    def client_context(self, name=None):
        """name: the certificate it shows."""
        context = ssl.create_default_context(cafile=authority().path("ca.crt"))
        if name is not None:
            context.load_cert_chain(authority().path(f"{name}.crt"),
                                    authority().path(f"{name}.key"))
        return context

    def tls_accept(self, listener, context=None):
        """A connection that fails loudly when it ends without close_notify."""
        sock, _ = listener.accept()
        sock.settimeout(10)
        peer = (context or self.server_context()).wrap_socket(
            sock, server_side=True, suppress_ragged_eofs=False)
        self.addCleanup(peer.close)
        return peer

    def tls_peer(self, port, context=None):
        """The same as a client of the module."""
        sock = socket.create_connection((HOST, port), 10)
        peer = (context or self.client_context()).wrap_socket(
            sock, server_hostname="localhost", suppress_ragged_eofs=False)
        self.addCleanup(peer.close)
        return peer

    def wait_descriptors(self, count):
        wait_until(lambda: self.zentrid.descriptors() <= count,
                   what=f"{count} descriptors; there are {self.zentrid.descriptors()}")
