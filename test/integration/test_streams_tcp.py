"""TCP streams and the commands on them, against socat, netcat and plain sockets. The
tests of the other streams take their fronts and peers from here."""

import os
import re
import select
import socket
import struct
import subprocess
import time

from lib.background import Background
from lib.case import Case
from lib.daemon import module, wait_until
from lib.rest import FLAG_DATA, FLAG_RESPONSE
from lib.serial import Mismatch

HOST = "127.0.0.1"
HEADER = "! # Type  Info"


class Result:
    """The end of a command: its code, its text, and the log lines before it."""

    def __init__(self, code, body, events):
        self.code, self.body, self.events = code, body, events

    def __repr__(self):
        return f"code {self.code}, {self.body[:200]!r}, log {self.events}"


class Pty:
    """The serial port with headers, without echo and prompt."""

    name = "pty"
    payload_max = 512 * 1024
    factory = {"system.cmd.header_enabled": "1", "system.cmd.echo": "0",
               "system.cmd.prompt_enabled": "0"}

    def __init__(self, case, daemon, module_name=None):
        self.channel = case.open_serial(daemon, module_name)
        self.channel.boot_output(header=True, prompt=False)
        self.kept = []

    def start(self, line, payload=b""):
        self.channel.send(line.encode() + b"\r\n" + payload)

    def finish(self, timeout=10):
        """The result of what was started; None when none came in time."""
        while self.channel.buffer or self.channel.fill(timeout):
            kind, code, body = self.channel.frame()
            if kind == "R":
                events, self.kept = self.kept, []
                return Result(code, body, events)
            self.kept.append(body.decode().removesuffix("\r\n"))
        return None

    def command(self, line, payload=b""):
        self.start(line, payload)
        result = self.finish()
        if result is None:
            raise Mismatch(f"no answer to {line}")
        return result

    def events(self, count):
        """The next log lines that no command brought."""
        while len(self.kept) < count:
            kind, code, body = self.channel.frame()
            if kind != "L":
                raise Mismatch(f"expected a log line, got {kind}{code} {body!r}")
            self.kept.append(body.decode().removesuffix("\r\n"))
        events, self.kept = self.kept[:count], self.kept[count:]
        return events


class Web:
    """POST /command, with the answer and the data in base64."""

    name = "rest"
    payload_max = 32 * 1024
    factory = {}

    def __init__(self, case, daemon, module_name=None):
        self.case, self.daemon, self.module_name = case, daemon, module_name
        self.rest = case.rest(daemon, module_name)
        self.waiting = None
        self.kept = []
        wait_until(lambda: any("listening" in line for line in self.rest.logs()),
                   what="the end of the boot")

    def start(self, line, payload=b""):
        """The answer is read by finish(); more than one at a time does not happen."""
        self.waiting = line, payload

    def finish(self, timeout=10):
        line, payload = self.waiting
        self.rest.connection.close()
        self.rest.connection.timeout = timeout
        flags = FLAG_RESPONSE | FLAG_DATA
        reply = self.rest.send(line, payload if payload else None, flags)
        events = self.kept + self.rest.logs()
        self.kept = []
        return Result(reply.code, reply.body, events)

    def command(self, line, payload=b""):
        self.start(line, payload)
        return self.finish()

    def events(self, count):
        def enough():
            self.kept += self.rest.logs()
            return len(self.kept) >= count
        wait_until(enough, what=f"{count} log lines; there are {self.kept}")
        events, self.kept = self.kept[:count], self.kept[count:]
        return events


def network(name_server=None, **mapped):
    """The network section; pNNNN=PORT maps a module port, 3000 to any free one."""
    ports = {80: 0, 443: 0, 2000: 0, 3000: 0}
    ports |= {int(name[1:]): port for name, port in mapped.items()}
    section = {"address": HOST,
               "ports": [{"module": m, "host": h} for m, h in ports.items()]}
    if name_server is not None:
        section["name_server"] = name_server
    return section


class StreamCase(Case):
    """A module, one front to command it, and peers. Subclasses choose the front."""

    front_type = Pty

    def module(self, profile="wl-1.0", net=None, environment=None, arguments=(),
               **factory):
        """A daemon with one module and the front to it; "__" stands for a dot."""
        factory = {name.replace("__", "."): value for name, value in factory.items()}
        self.zentrid = self.daemon(
            [module(profile=profile, factory=self.front_type.factory | factory)],
            net or network(), environment=environment, arguments=arguments)
        self.front = self.front_type(self, self.zentrid)
        return self.front

    # Commands

    def ok(self, line, payload=b""):
        """A command that succeeds: its text without the last CRLF."""
        result = self.front.command(line, payload)
        self.assertEqual(result.code, 0, f"{line}: {result}")
        return result.body.decode("latin-1").removesuffix("\r\n")

    def fill_checked(self):
        """Writes over REST, where a refusal costs nothing, until
        bus.command.write_check_enabled refuses for good; what was written. The
        kernel's buffer may still grow after the first refusal."""
        rest = self.rest(self.zentrid)
        data = os.urandom(Web.payload_max)
        count, refused_at = 0, None
        while refused_at is None or time.monotonic() < refused_at + 0.4:
            reply = rest.send(f"stream_write 0 {len(data)}", data, FLAG_DATA)
            if reply.code == 0:
                count, refused_at = count + 1, None
                self.assertLess(count, 400, "the peer takes everything")
                continue
            self.assertEqual((reply.code, reply.body), (9, b"Bounds error\r\n"))
            refused_at = refused_at or time.monotonic()
        return data * count

    def fails(self, line, payload=b"", code=1, text="Command failed"):
        """A command that fails: the log lines before it."""
        result = self.front.command(line, payload)
        self.assertEqual((result.code, result.body), (code, text.encode() + b"\r\n"),
                         f"{line}: {result}")
        return result.events

    def then(self, line, count):
        """A command that succeeds and the log lines of it and behind it."""
        result = self.front.command(line)
        self.assertEqual(result.code, 0, f"{line}: {result}")
        events = result.events
        if len(events) < count:
            events = events + self.front.events(count - len(events))
        return result.body.decode("latin-1").removesuffix("\r\n"), events

    def rows(self, line="stream_list"):
        """The rows of stream_list, split at single blanks as clients do."""
        lines = self.ok(line).split("\r\n")
        self.assertEqual(lines[0], HEADER)
        return [line.split(" ") for line in lines[1:]]

    def connect(self, port, handle=0, host=HOST):
        """tcp_client and the log lines of it."""
        result = self.front.command(f"tcp_client {host} {port}")
        self.assertEqual((result.code, result.body), (0, b"%d\r\n" % handle), result)
        self.assertEqual(result.events, [
            f"[Opening: {host}:{port}]", f"Resolving host: {host}",
            f"Connecting: {host}:{port}", f"[Opened: {handle}]"])

    def write(self, handle, data):
        self.assertEqual(self.ok(f"stream_write {handle} {len(data)}", data), "Success")

    def wait_poll(self, handle, state):
        wait_until(lambda: self.ok(f"stream_poll {handle}") == str(state),
                   what=f"stream {handle} to be in state {state}")

    def read(self, handle, size):
        """One stream_read: the bytes without the CRLF, which only data has."""
        result = self.front.command(f"stream_read {handle} {size}")
        self.assertEqual(result.code, 0, result)
        if not result.body:
            return b""
        self.assertEqual(result.body[-2:], b"\r\n")
        return result.body[:-2]

    def read_all(self, handle, count):
        """Exactly count bytes, in as many reads as it takes."""
        data = b""

        def enough():
            nonlocal data
            data += self.read(handle, 16384)
            return len(data) >= count
        wait_until(enough, what=f"{count} bytes")
        self.assertEqual(len(data), count)
        return data

    # Peers

    def program(self, *command, says=None, **settings):
        """A peer program. says: waits for this on stderr; gives (process, match)."""
        process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   bufsize=0, **settings)
        self.addCleanup(self.end_program, process)
        if says is None:
            return process
        text = b""
        deadline = time.monotonic() + 10
        while not (match := re.search(says, text)):
            left = max(deadline - time.monotonic(), 0)
            ready, _, _ = select.select([process.stderr], [], [], left)
            piece = os.read(process.stderr.fileno(), 4096) if ready else b""
            if not piece:
                raise AssertionError(f"{command} said only {text!r}")
            text += piece
        return process, match

    @staticmethod
    def end_program(process):
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()

    def socat(self, address, options=""):
        """socat on a TCP port of its choice and another address; (process, port)."""
        process, match = self.program(
            "socat", "-d", "-d", f"TCP-LISTEN:0,bind={HOST}{options}", address,
            says=rb"listening on AF=2 127\.0\.0\.1:(\d+)\n")
        return process, int(match[1])

    def netcat(self, *options):
        """nc that listens; (process, port)."""
        process, match = self.program("nc", "-l", "-n", "-v", *options, HOST, "0",
                                      says=rb"(?:Listening|Bound) on \S+ (\d+)\n")
        return process, int(match[1])

    def listener(self, backlog=16, receive_buffer=None):
        """A listening socket and its port."""
        sock = socket.socket()
        self.addCleanup(sock.close)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(10)
        sock.bind((HOST, 0))
        sock.listen(backlog)
        return sock, sock.getsockname()[1]

    def deaf_listener(self):
        """A port whose queue is full: a connection to it stays under way."""
        sock, port = self.listener(backlog=0)
        for _ in range(10):
            waiting = socket.socket()
            waiting.settimeout(0.2)
            try:
                waiting.connect((HOST, port))
            except TimeoutError:
                waiting.close()
                return sock, port
            self.addCleanup(waiting.close)
        raise AssertionError("the queue does not fill")

    def accept(self, sock):
        peer, _ = sock.accept()
        self.addCleanup(peer.close)
        peer.settimeout(10)
        return peer

    def entry_of(self, service="tcp_server", name=None):
        """What status.json says of a server of the module, once it does."""
        def entry():
            return self.zentrid.listener(service, name)
        return wait_until(entry, what=f"{service} in status.json")

    def wait_no_entry(self, service="tcp_server"):
        wait_until(lambda: self.zentrid.listener(service) is None,
                   what=f"no {service} in status.json")

    def port_of(self, service="tcp_server", name=None):
        """The port on this host of a server of the module."""
        return self.entry_of(service, name)["port"]

    def client(self, port=None):
        """A client of the module's TCP server."""
        peer = socket.create_connection((HOST, port or self.port_of()), 10)
        self.addCleanup(peer.close)
        return peer


def reset(peer):
    """Ends a connection with a RST."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def free_port():
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


class ClientTests:
    def test_conversation(self):
        _, port = self.socat("PIPE")
        self.module()
        self.connect(port)
        row, = self.rows()
        self.assertEqual(row[:5], ["#", "0", "TCPC", "", f"{HOST}:{port}"])
        local = int(re.fullmatch(r"\((\d+)\)", row[5])[1])
        sockets = subprocess.run(["ss", "-tnH"], capture_output=True, text=True,
                                 check=True).stdout
        self.assertRegex(sockets, rf"{HOST}:{local} +{HOST}:{port}\b")
        self.assertEqual(self.rows("stream_list 0"), [row])
        self.assertEqual(self.rows("stream_list 1"), [])
        self.assertEqual(self.ok("stream_poll 0"), "0")
        self.assertEqual(self.read(0, 100), b"")
        data = bytes(range(256))
        self.write(0, data)
        self.wait_poll(0, 1)
        wait_until(lambda: self.ok("stream_poll all -c") == "0,1,256", what="the echo")
        self.assertEqual(self.ok("poll all"), "0,1")
        self.assertEqual(self.ok("stream_poll all -r"), "0,1")
        self.assertEqual(self.read(0, 100), data[:100])
        self.assertEqual(self.ok("stream_poll all -c"), "0,1,156")
        self.assertEqual(self.read(0, 1000), data[100:])
        self.assertEqual(self.ok("stream_poll all -r"), "None")
        self.assertEqual(self.ok("stream_poll all -c"), "0,0,0")
        result = self.front.command("stream_close 0")
        self.assertEqual((result.body, result.events), (b"Success\r\n", ["[Closed: 0]"]))
        self.assertEqual(self.ok("poll all"), "None")
        self.assertEqual(self.rows(), [])

    def test_states_with_auto_close_off(self):
        nc, port = self.netcat("-N")
        self.module(stream__auto_close="0")
        self.connect(port)
        nc.stdin.write(b"hello, module")
        nc.stdin.close()
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertEqual(self.ok("stream_poll 0"), "1")
        self.assertEqual(self.read(0, 5), b"hello")
        self.assertEqual(self.ok("stream_poll 0"), "1")
        self.assertEqual(self.read(0, 100), b", module")
        self.assertEqual(self.ok("stream_poll 0"), "2")
        self.assertEqual(self.ok("poll all -c"), "0,2,0")
        self.assertEqual(self.read(0, 100), b"")
        self.fails("stream_write 0 3", b"abc")
        self.assertEqual(self.ok("stream_poll 0"), "2")
        result = self.front.command("stream_close 0")
        self.assertEqual((result.body, result.events), (b"Success\r\n", []))
        self.fails("stream_poll 0")

    def test_states_with_auto_close_on(self):
        nc, port = self.netcat("-N")
        self.module()
        self.connect(port)
        nc.stdin.write(b"hello")
        nc.stdin.close()
        self.wait_poll(0, 1)
        self.assertEqual(self.read(0, 3), b"hel")
        self.assertEqual(self.ok("poll all"), "0,1")
        self.assertEqual(self.then("read 0 100", 1), ("lo", ["[Closed: 0]"]))
        self.assertEqual(self.ok("poll all"), "None")
        self.fails("stream_read 0 1")

    def test_nothing_more_is_waited_for_with_auto_close_on(self):
        """What the peer sent before it ended is all there will be."""
        sock, port = self.listener()
        self.module(bus__command__read_timeout="9000")
        self.connect(port)
        peer = self.accept(sock)
        peer.sendall(b"last")
        peer.close()
        self.wait_poll(0, 1)
        start = time.monotonic()
        self.assertEqual(self.then("read 0 100", 1), ("last", ["[Closed: 0]"]))
        self.assertLess(time.monotonic() - start, 5)

    def test_end_without_data_with_auto_close_on(self):
        sock, port = self.listener()
        self.module()
        self.connect(port)
        self.accept(sock).close()
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertEqual(self.ok("poll all"), "None")

    def test_lowest_free_handle(self):
        sock, port = self.listener()
        self.module("gecko-os-2")
        for handle in range(4):
            self.connect(port, handle)
        self.ok("close 2")
        self.ok("close 1")
        self.connect(port, 1)
        self.connect(port, 2)
        self.connect(port, 4)
        self.assertEqual([row[1] for row in self.rows()], list("01234"))
        result = self.front.command("close all")
        self.assertEqual(result.events, [f"[Closed: {i}]" for i in range(5)])
        sock.close()

    def test_remote_host_variables(self):
        sock, port = self.listener()
        self.module(tcp__client__remote_host=HOST, tcp__client__remote_port=port)
        self.assertEqual(self.ok("tcpc"), "0")
        self.accept(sock)

    def test_refused(self):
        port = free_port()
        self.module()
        self.assertEqual(self.fails(f"tcp_client {HOST} {port}"), [
            f"[Opening: {HOST}:{port}]", f"Resolving host: {HOST}",
            f"Connecting: {HOST}:{port}", "Open failed: connection refused"])
        self.assertEqual(self.ok("poll all"), "None")

    def test_unreachable(self):
        """TCP to a broadcast address has no route."""
        self.module()
        self.assertEqual(self.fails("tcp_client 127.255.255.255 9")[-2:], [
            "Connecting: 127.255.255.255:9", "Open failed: unreachable"])

    def test_no_answer(self):
        _, port = self.deaf_listener()
        self.module(tcp__client__connect_timeout="300")
        start = time.monotonic()
        self.assertEqual(self.fails(f"tcp_client {HOST} {port}")[-2:], [
            f"Connecting: {HOST}:{port}", "Open failed: timed out"])
        self.assertLess(time.monotonic() - start, 5)

    def test_retries(self):
        port = free_port()
        self.module(tcp__client__retries="2", tcp__client__retry_period="50")
        attempt = f"Connecting: {HOST}:{port}"
        self.assertEqual(self.fails(f"tcp_client {HOST} {port}"), [
            f"[Opening: {HOST}:{port}]", f"Resolving host: {HOST}",
            attempt, "Connect failed: connection refused",
            attempt, "Connect failed: connection refused",
            attempt, "Open failed: connection refused"])

    def test_retries_until_it_is_there(self):
        """The listener opens after the first attempt has been refused."""
        holder = socket.socket()
        self.addCleanup(holder.close)
        holder.bind((HOST, 0))
        port = holder.getsockname()[1]
        self.module(tcp__client__retries="200", tcp__client__retry_period="50")
        other = self.rest(self.zentrid)
        thread = Background(lambda: self.front.command(f"tcp_client {HOST} {port}"))
        lines = []

        def refused():
            nonlocal lines
            lines += other.logs()
            return any("Connect failed" in line for line in lines)
        wait_until(refused, what="the first attempt")
        holder.listen(1)
        result = thread.result()
        self.assertEqual((result.code, result.body), (0, b"0\r\n"))

    def test_reset_by_peer(self):
        sock, port = self.listener()
        self.module(stream__auto_close="0")
        self.connect(port)
        reset(self.accept(sock))
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertEqual(self.ok("stream_poll 0"), "2")
        self.assertEqual(self.read(0, 10), b"")
        self.fails("stream_write 0 1", b"x")
        self.ok("stream_close 0")

    def test_reset_by_peer_with_auto_close_on(self):
        sock, port = self.listener()
        self.module()
        self.connect(port)
        reset(self.accept(sock))
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.fails("stream_write 0 1", b"x")

    def test_half_close(self):
        """A peer that has sent all it had counts as gone: state 2 and no more writes."""
        sock, port = self.listener()
        self.module(stream__auto_close="0")
        self.connect(port)
        peer = self.accept(sock)
        peer.sendall(b"last words")
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertEqual(self.read_all(0, 10), b"last words")
        self.assertEqual(self.ok("stream_poll 0"), "2")
        self.fails("stream_write 0 1", b"x")
        self.ok("stream_close 0")
        self.assertEqual(peer.recv(10), b"")

    def test_local_port(self):
        sock, port = self.listener()
        self.module("gecko-os-2")
        for handle, line in enumerate(("tcp_client -l {} {} {}", "tcpc {1} {2} {0}")):
            local = free_port()
            self.assertEqual(self.ok(line.format(local, HOST, port)), str(handle))
            self.assertEqual(self.accept(sock).getpeername()[1], local)
            self.assertEqual(self.rows()[handle][5], f"({local})")

    def test_local_port_in_use(self):
        _, port = self.listener()
        _, busy = self.listener()
        self.module()
        self.assertEqual(self.fails(f"tcp_client -l {busy} {HOST} {port}")[-1],
                         "Open failed: local port in use")

    def test_many_bytes_out(self):
        """Back-pressure included: the program reads as fast as it can."""
        socat, port = self.socat("STDOUT", ",shut-down")
        self.module()
        self.connect(port)
        data = os.urandom(self.front.payload_max)
        reader = Background(socat.stdout.read)
        for _ in range(4):
            self.write(0, data)
        self.ok("close 0")
        self.assertTrue(reader.result() == data * 4, "other bytes arrived")

    def test_many_bytes_in(self):
        """What nobody reads yet waits in the peer; nothing is lost or torn."""
        sock, port = self.listener()
        self.module()
        self.connect(port)
        data = os.urandom(1024 * 1024)
        peer = self.accept(sock)
        sender = Background(lambda: peer.sendall(data))
        self.assertTrue(self.read_all(0, len(data)) == data, "other bytes arrived")
        sender.result()

    def test_read_is_cut_silently(self):
        sock, port = self.listener()
        self.module()
        self.connect(port)
        self.accept(sock).sendall(b"x" * 20000)
        wait_until(lambda: self.ok("poll all -c") == "0,1,20000", what="the data")
        self.assertEqual(len(self.read(0, 2000000)), 16384)
        self.assertEqual(len(self.read(0, 2000000)), 3616)
        self.assertEqual(self.read(0, 0), b"")

    def test_tls_hello_and_telnet_bytes_pass(self):
        """No byte means anything to a plain stream."""
        _, port = self.socat("PIPE")
        self.module()
        self.connect(port)
        data = b"$$$\xff\xff\xf4\x00\x03\x16\x03\x01\r\n> \n\r"
        self.write(0, data)
        self.assertEqual(self.read_all(0, len(data)), data)


class ClientOverPty(ClientTests, StreamCase):
    front_type = Pty


class ClientOverRest(ClientTests, StreamCase):
    front_type = Web


class ServerTests:
    def test_start_and_stop(self):
        self.module()
        self.assertEqual(self.ok("tcp_server status"), "0")
        self.assertEqual(self.ok("tcp_server start"), "Success")
        self.assertEqual(self.ok("tcps status"), "1")
        entry = self.entry_of()
        self.assertEqual((entry["scheme"], entry["address"], entry["module_port"]),
                         ("tcp", HOST, 3000))
        self.assertEqual(self.rows(), [])
        self.fails("tcp_server start")
        self.fails("tcp_server start 3001")
        self.fails("tcp_server stop 3001")
        self.assertEqual(self.ok("tcp_server stop 3000"), "Success")
        self.assertEqual(self.ok("tcps status"), "0")
        self.wait_no_entry()
        self.assertRaises(ConnectionRefusedError, socket.create_connection,
                          (HOST, entry["port"]))
        self.fails("tcp_server stop")

    def test_own_port(self):
        """A port that is not mapped is used as it is."""
        port = free_port()
        self.module()
        self.assertEqual(self.ok(f"tcps  -i wlan  start {port}"), "Success")
        entry = self.entry_of()
        self.assertEqual((entry["port"], entry["module_port"]), (port, port))
        self.client(port)
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        self.assertEqual(self.ok(f"tcps  stop {port}"), "Success")

    def test_client(self):
        self.module()
        self.ok("tcp_server start")
        peer = self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        row, = self.rows()
        self.assertEqual(row, ["#", "0", "TCPS", "", f"{HOST}:3000",
                               f"{HOST}:{peer.getsockname()[1]}"])
        peer.sendall(b"ping")
        self.assertEqual(self.read_all(0, 4), b"ping")
        self.write(0, b"pong\r\n")
        self.assertEqual(peer.recv(100), b"pong\r\n")
        peer.close()
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertEqual(self.ok("poll all"), "None")
        self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])

    def test_netcat_and_socat_as_clients(self):
        self.module()
        self.ok("tcp_server start")
        port = str(self.port_of())
        for command in (("nc", "-N", HOST, port), ("socat", "-", f"TCP:{HOST}:{port}")):
            program = self.program(*command)
            self.assertEqual(self.front.events(1), ["[Opened: 0]"])
            program.stdin.write(b"question")
            self.assertEqual(self.read_all(0, 8), b"question")
            self.write(0, b"answer")
            self.assertEqual(program.stdout.read(6), b"answer")
            program.stdin.close()
            self.assertEqual(self.front.events(1), ["[Closed: 0]"])
            self.assertEqual(program.wait(10), 0)

    def test_stop_closes_clients(self):
        self.module("gecko-os-2")
        self.ok("tcp_server start")
        peers = []
        for handle in range(2):
            peers.append(self.client())
            self.assertEqual(self.front.events(1), [f"[Opened: {handle}]"])
        result = self.front.command("tcp_server stop")
        self.assertEqual(result.events, ["[Closed: 0]", "[Closed: 1]"])
        for peer in peers:
            self.assertEqual(peer.recv(10), b"")
        self.assertEqual(self.ok("poll all"), "None")

    def test_port_in_use(self):
        sock, port = self.listener()
        self.module(net=network(p3000=port))
        self.assertEqual(self.fails("tcp_server start"),
                         ["Open failed: port 3000: in use"])
        self.assertEqual(self.ok("tcp_server status"), "0")
        self.wait_no_entry()
        sock.close()
        self.assertEqual(self.ok("tcp_server start"), "Success")

    def test_second_client_waits_in_silence(self):
        self.module()
        self.ok("tcp_server start")
        first = self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        second = self.client()
        second.sendall(b"second")
        first.sendall(b"first")
        self.assertEqual(self.read_all(0, 5), b"first")
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(self.ok("poll all"), "0,0")
        self.assertEqual(select.select([second], [], [], 0.2)[0], [])
        first.close()
        self.assertEqual(self.front.events(2), ["[Closed: 0]", "[Opened: 0]"])
        self.assertEqual(self.read_all(0, 6), b"second")
        self.write(0, b"yes")
        self.assertEqual(second.recv(10), b"yes")

    def test_second_client_is_served_after_close(self):
        self.module(stream__auto_close="0")
        self.ok("tcp_server start")
        first = self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 0]"])
        self.client()
        first.close()
        self.assertEqual(self.front.events(1), ["[Closed: 0]"])
        self.assertEqual(self.ok("poll all"), "0,2")
        self.assertEqual(self.then("close 0", 1), ("Success", ["[Opened: 0]"]))

    def test_max_clients(self):
        self.module("gecko-os-2", tcp__server__max_clients="3", stream__auto_close="1")
        self.ok("tcp_server start")
        peers = []
        for handle in range(3):
            peers.append(self.client())
            self.assertEqual(self.front.events(1), [f"[Opened: {handle}]"])
        peers.append(self.client())
        self.assertEqual(self.ok("poll all"), "0,0|1,0|2,0")
        peers[1].close()
        self.assertEqual(self.front.events(2), ["[Closed: 1]", "[Opened: 1]"])
        self.assertEqual(self.rows()[1][5], f"{HOST}:{peers[3].getsockname()[1]}")

    def test_idle_timeout(self):
        self.module(tcp__server__idle_timeout="1")
        self.ok("tcp_server start")
        peer = self.client()
        start = time.monotonic()
        self.assertEqual(self.front.events(2), ["[Opened: 0]", "[Closed: 0]"])
        self.assertGreater(time.monotonic() - start, 0.9)
        self.assertEqual(peer.recv(10), b"")

    def test_keepalive(self):
        """The kernel's timers show on both sides' own sockets of the module."""
        sock, port = self.listener()
        self.module(tcp__keepalive__enabled="1", tcp__keepalive__initial_timeout="40")
        self.ok("tcp_server start")
        self.connect(port)
        peer = self.client()
        self.assertEqual(self.front.events(1), ["[Opened: 1]"])
        local = self.rows()[0][5].strip("()")
        for near, far in ((local, port), (self.port_of(), peer.getsockname()[1])):
            line, = (line for line in self.sockets()
                     if re.search(rf"{HOST}:{near} +{HOST}:{far}\b", line))
            seconds = re.search(r"timer:\(keepalive,(\d+)sec,0\)", line)
            self.assertTrue(seconds, line)
            self.assertIn(int(seconds[1]), range(30, 41))
        sock.close()

    @staticmethod
    def sockets():
        return subprocess.run(["ss", "-tnoH"], capture_output=True, text=True,
                              check=True).stdout.splitlines()


class ServerOverPty(ServerTests, StreamCase):
    front_type = Pty


class ServerOverRest(ServerTests, StreamCase):
    front_type = Web
