"""REST over HTTP: requests, answers, order, authorization, what changes when."""

import base64
import http.client
import socket
import struct

from lib.case import Case
from lib.daemon import MAC, module, wait_until
from lib.rest import (FLAG_COMMAND, FLAG_DATA, FLAG_QUIET, FLAG_RESPONSE, Rest)
from lib.serial import join_lines, restart_text

MAC_REPLY = MAC.encode() + b"\r\n"
CLOSED = (OSError, http.client.HTTPException)


class Get(Case):
    def test_commands(self):
        rest = self.rest(self.daemon())
        for path, code, body in (
                ("/command/get%20wlan.mac", 0, MAC_REPLY),
                ("/command/get%20wl%20m", 0, MAC_REPLY),
                ("/command/set%20network.tls.client_key%20%22my%20net%22", 0, b"Set OK\r\n"),
                ("/command/get%20network.tls.client_key", 0, b"my net\r\n"),
                ("/command/set%20network.tls.client_key%20a%2Fb:c/d.e", 0, b"Set OK\r\n"),
                ("/command/get%20network.tls.client_key", 0, b"a/b:c/d.e\r\n"),
                ("/command/set%20network.tls.client_key%20a/b?c=d&e", 0, b"Set OK\r\n"),
                ("/command/get%20network.tls.client_key", 0, b"a/b?c=d&e\r\n"),
                ("/command/set%20network.tls.client_key%20a+b", 0, b"Set OK\r\n"),
                ("/command/get%20network.tls.client_key", 0, b"a+b\r\n"),
                ("/command/set%20network.tls.client_key%20%22%22", 0, b"Set OK\r\n"),
                ("/command/get%20network.tls.client_key", 0, b""),
                ("/command/bump", 3, b"Unknown command\r\n"),
                ("/command/get", 4, b"Too few arguments\r\n"),
                ("/command/ver%20x", 5, b"Too many arguments\r\n"),
                ("/command/get%20none", 6, b"Unknown variable or option\r\n"),
                ("/command/set%20system.cmd.echo%20x", 7, b"Invalid argument\r\n"),
                ("/command/set%20network.tls.client_key%20%22a", 2, b"Parse error\r\n"),
                ("/command/get%00wlan.mac", 2, b"Parse error\r\n"),
                ("/command/set%20network.tls.client_key%20a%0D%0Ab", 2, b"Parse error\r\n")):
            with self.subTest(path):
                answer = rest.get(path)
                self.assertEqual(answer.status, 200, answer)
                json = answer.json()
                self.assertEqual(list(json), ["id", "code", "flags", "response"])
                self.assertEqual((json["code"], json["response"].encode()),
                                 (code, body))
                self.assertEqual(json["flags"], 0)

    def test_headers_of_the_answer(self):
        answer = self.rest(self.daemon()).get("/command/ver")
        self.assertEqual(answer.headers.get_content_type(), "application/json")
        self.assertEqual(answer.headers["Content-Length"], str(len(answer.body)))
        self.assertNotIn("Access-Control-Allow-Origin", answer.headers)

    def test_exact_bytes(self):
        daemon = self.daemon()
        answer = self.rest(daemon).get("/command/get%20wlan.mac")
        self.assertEqual(
            answer.body,
            b'{"id":1,"code":0,"flags":0,"response":"%s\\r\\n"}' % MAC.encode())

    def test_ids_count_from_1_at_each_boot(self):
        daemon = self.daemon()
        rest = self.rest(daemon)
        self.assertEqual([rest.command("ver").id for _ in range(5)], [1, 2, 3, 4, 5])
        daemon.restart()
        self.assertEqual(self.rest(daemon).command("ver").id, 1)

    def test_no_console_settings_show(self):
        """Header, echo and prompt are the serial port's own."""
        rest = self.rest(self.daemon())
        rest.command("set system.cmd.mode machine")
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        rest.command("set system.cmd.mode human")
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)

    def test_bytes_that_are_not_ascii(self):
        rest = self.rest(self.daemon())
        rest.get("/command/set%20network.tls.client_key%20Caf%C3%A9")
        self.assertEqual(rest.command("get network.tls.client_key").text, "Caf\u00e9\r\n")
        rest.get("/command/set%20network.tls.client_key%20a%FFb")
        answer = rest.send("get network.tls.client_key", flags=FLAG_RESPONSE)
        self.assertEqual(answer.body, b"a\xffb\r\n")
        self.assertEqual(rest.command("get network.tls.client_key").text, "a\u00ffb\r\n")

    def test_shared_with_the_serial_port(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        self.rest(daemon).command("set network.tls.client_key shared")
        self.assertEqual(serial.command("get network.tls.client_key"), b"shared\r\n")

    def test_other_paths(self):
        rest = self.rest(self.daemon())
        for path in ("/nothing", "/commando/ver", "/../etc/passwd"):
            with self.subTest(path):
                self.assertEqual(rest.get(path).status, 404)
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)

    def test_other_methods(self):
        rest = self.rest(self.daemon())
        for method in ("PUT", "DELETE", "PATCH"):
            with self.subTest(method):
                answer = rest.request(method, "/command/ver")
                self.assertIn(answer.status, (404, 405, 501))

    def test_command_that_wants_data(self):
        """GET has no place for it."""
        rest = self.rest(self.daemon())
        reply = rest.command("write 0 5")
        self.assertEqual((reply.code, reply.body), (1, b"Command failed\r\n"))


class Post(Case):
    def test_each_flag(self):
        rest = self.rest(self.daemon())
        for flags in (0, FLAG_COMMAND, FLAG_RESPONSE, FLAG_DATA,
                      FLAG_COMMAND | FLAG_RESPONSE | FLAG_DATA, FLAG_QUIET, 15):
            with self.subTest(flags):
                reply = rest.send("get wlan.mac", b"", flags)
                self.assertEqual((reply.code, reply.body), (0, MAC_REPLY))
                self.assertEqual(bool(reply.flags & FLAG_RESPONSE),
                                 bool(flags & FLAG_RESPONSE))

    def test_base64_of_the_response(self):
        reply = self.rest(self.daemon()).send("get wlan.mac", flags=FLAG_RESPONSE)
        self.assertEqual(reply.text, base64.b64encode(MAC_REPLY).decode())

    def test_keys_in_any_order_and_absent_ones(self):
        rest = self.rest(self.daemon())
        for body in ('{"flags":0,"command":"get wlan.mac"}',
                     '{"command":"get wlan.mac","data":"","flags":0}',
                     '{"command":"get wlan.mac"}',
                     ' {"data" : "", "command" : "get wlan.mac\\r\\n", "flags" : 0 } \n',
                     '{"command":"get wlan.mac","other":[1,{"a":null}]}'):
            with self.subTest(body):
                reply = rest.post("/command", body)
                self.assertEqual(reply.status, 200, reply)
                self.assertEqual(reply.json()["response"].encode(), MAC_REPLY)

    def test_any_content_type(self):
        rest = self.rest(self.daemon())
        for content_type in ("application/json", "text/plain;charset=UTF-8",
                             "application/x-www-form-urlencoded", "image/png", "x", None):
            with self.subTest(content_type):
                answer = rest.post("/command", {"command": "get wlan.mac"}, content_type)
                self.assertEqual(answer.json()["response"].encode(), MAC_REPLY)

    def test_data(self):
        """Read with the command, which fails for want of a stream."""
        rest = self.rest(self.daemon())
        for data in (b"hello", b"hello and more", b"he"):
            for flags in (0, FLAG_DATA):
                with self.subTest(data=data, flags=flags):
                    reply = rest.send("write 0 5", data, flags)
                    self.assertEqual((reply.code, reply.body),
                                     (1, b"Command failed\r\n"))

    def test_chunked_body(self):
        rest = self.rest(self.daemon())
        body = b'{"command":"get wlan.mac"}'
        rest.connection.request("POST", "/command", iter([body[:9], body[9:]]),
                                encode_chunked=True,
                                headers={"Transfer-Encoding": "chunked"})
        answer = rest.connection.getresponse()
        self.assertEqual(answer.status, 200)
        self.assertIn(MAC.encode(), answer.read())

    def test_slash_behind_command(self):
        rest = self.rest(self.daemon())
        self.assertIn(rest.post("/command/", {"command": "ver"}).status, (200, 404))


class Order(Case):
    def test_parallel_requests(self):
        """As a web page does: thirteen at once. All are answered, one by one."""
        daemon = self.daemon()
        clients = [self.rest(daemon) for _ in range(13)]
        for client in clients:
            client.command("ver")
        for client in clients:
            client.connection.request("GET", "/command/get%20all")
        answers = [client.connection.getresponse() for client in clients]
        ids = []
        for answer in answers:
            self.assertEqual(answer.status, 200)
            ids.append(int(answer.read().partition(b",")[0].partition(b":")[2]))
        self.assertEqual(sorted(ids), list(range(14, 27)))

    def test_new_connections_at_once(self):
        daemon = self.daemon()
        clients = [self.rest(daemon) for _ in range(13)]
        for client in clients:
            client.connection.request("GET", "/command/get%20wlan.mac")
        bodies = {client.connection.getresponse().read()[-23:] for client in clients}
        self.assertEqual(len(bodies), 1)

    def test_pipelined(self):
        daemon = self.daemon()
        entry = daemon.listener()
        with socket.create_connection((entry["address"], entry["port"]), 10) as peer:
            peer.sendall(b"GET /command/get%20wlan.mac HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
            received = b""
            while received.count(b'"response"') < 5:
                data = peer.recv(65536)
                self.assertNotEqual(data, b"", received)
                received += data
        self.assertLess(received.index(b'"id":1,'), received.index(b'"id":5,'))

    def test_more_connections_than_the_limit(self):
        """The last 32 are served; those before gave way, and may come again."""
        daemon = self.daemon()
        clients = [Rest(daemon, timeout=5) for _ in range(60)]
        for client in clients:
            client.connection.connect()
        for client in clients[-32:]:
            self.assertEqual(client.command("get wlan.mac").body, MAC_REPLY)
        for client in clients[:28]:
            with self.assertRaises(CLOSED):
                client.command("get wlan.mac")
        for client in clients:
            client.close()
            self.assertEqual(client.command("get wlan.mac").body, MAC_REPLY)
            client.close()


class Connections(Case):
    def test_keep_alive(self):
        rest = self.rest(self.daemon())
        rest.command("ver")
        first = rest.connection.sock
        self.assertIsNotNone(first)
        rest.command("ver")
        self.assertIs(rest.connection.sock, first)

    def test_http_1_0_and_connection_close(self):
        entry = self.daemon().listener()
        for request in (b"GET /command/ver HTTP/1.0\r\n\r\n",
                        b"GET /command/ver HTTP/1.1\r\nHost: x\r\n"
                        b"Connection: close\r\n\r\n"):
            with self.subTest(request):
                address = entry["address"], entry["port"]
                with socket.create_connection(address, 10) as peer:
                    peer.sendall(request)
                    received = b""
                    while data := peer.recv(65536):
                        received += data
                self.assertRegex(received, rb"^HTTP/1\.[01] 200 ")
                self.assertTrue(received.endswith(b'Board:N/A\\r\\n"}'), received)

    def test_quirk_http_close(self):
        daemon = self.daemon([module(quirks={"http_close": True})])
        rest = self.rest(daemon)
        answer = rest.get("/command/ver")
        self.assertEqual(answer.headers["Connection"], "close")
        self.assertIsNone(rest.connection.sock)

    def test_clients_that_disconnect(self):
        """Before, within and right behind a request; nothing is left behind."""
        daemon = self.daemon()
        rest = self.rest(daemon)
        rest.command("ver")
        descriptors = daemon.descriptors()
        entry = daemon.listener()
        request = (b"POST /command HTTP/1.1\r\nHost: x\r\nContent-Length: 26\r\n\r\n"
                   b'{"command":"get wlan.mac"}')
        for cut in range(0, len(request) + 1, 3):
            with socket.create_connection((entry["address"], entry["port"]), 10) as peer:
                peer.sendall(request[:cut])
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        wait_until(lambda: daemon.descriptors() == descriptors,
                   what="the connections to be closed")

    def test_client_that_leaves_while_others_wait(self):
        daemon = self.daemon()
        entry = daemon.listener()
        rest = self.rest(daemon)
        for _ in range(20):
            peer = socket.create_connection((entry["address"], entry["port"]), 10)
            peer.sendall(b"GET /command/get%20all HTTP/1.1\r\nHost: x\r\n\r\n")
            peer.close()
            self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)


class Leaving(Case):
    """A client that leaves before its answer takes its command with it."""

    factory = {}
    WAITING = "/command/wps"  # for a button that nobody presses

    def setUp(self):
        self.zentrid = self.with_factory(**self.factory)
        self.other = self.rest(self.zentrid)
        self.other.command("ver")
        self.descriptors = self.zentrid.descriptors()

    def client(self, path, behind=b""):
        """One whose request has been taken when this returns."""
        rest = self.rest(self.zentrid)
        rest.get("/log")
        rest.connection.sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + behind)
        self.other.get("/log")  # which waits for no command
        return rest

    def wait_descriptors(self, count):
        wait_until(lambda: self.zentrid.descriptors() <= self.descriptors + count,
                   what=f"{count} descriptors more than at first")

    def check(self):
        """Nothing runs any more, and nothing is left."""
        self.assertEqual(self.other.command("get wlan.mac").body, MAC_REPLY)
        self.wait_descriptors(0)

    def test_closed(self):
        self.client(self.WAITING).close()
        self.check()

    def test_reset(self):
        rest = self.client(self.WAITING)
        rest.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        struct.pack("ii", 1, 0))
        rest.close()
        self.check()

    def test_says_that_no_more_comes(self):
        rest = self.client(self.WAITING)
        socket.socket.shutdown(rest.connection.sock, socket.SHUT_WR)
        self.assertEqual(rest.connection.sock.recv(1), b"")
        rest.close()
        self.check()

    def test_with_more_requests_behind(self):
        self.client(self.WAITING, b"GET /command/ver HTTP/1.1\r\n\r\n" * 20).close()
        self.check()

    def test_before_its_turn(self):
        """It does not run at all."""
        first = self.client(self.WAITING)
        self.client("/command/set%20http.server.cors_origin%20left").close()
        self.wait_descriptors(2)  # the first one's connection, and the look at it
        first.close()
        self.assertEqual(self.other.command("get http.server.cors_origin").body, b"")
        self.check()

    def test_who_stays_is_served(self):
        first = self.client(self.WAITING)
        second = self.client("/command/get%20wlan.mac")
        second.connection.sock.sendall(b"GET /command/get%20wlan.mac HTTP/1.1\r\n\r\n")
        self.other.get("/log")
        first.close()
        answers = b""
        while answers.count(MAC.encode()) < 2:
            answers += second.connection.sock.recv(4096)
        second.close()
        self.check()


class LeavingTls(Leaving):
    factory = {"http__server__tls_enabled": 1}


class Log(Case):
    def test_drains(self):
        rest = self.rest(self.daemon())
        self.assertEqual(rest.logs(), ["[Ready]"] + join_lines())
        self.assertEqual(rest.logs(), [])

    def test_exact_form(self):
        rest = self.rest(self.daemon())
        rest.logs()
        answer = rest.get("/log")
        self.assertEqual(answer.body, b'{"logs":[]}')
        self.assertEqual(answer.headers.get_content_type(), "application/json")

    def test_keeps_the_last_lines(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        for _ in range(40):
            serial.command("network_restart")
            serial.expect(restart_text())
        logs = self.rest(daemon).logs()
        lines = ["[Disassociated]"] + join_lines(probed=False)
        self.assertEqual(logs, (lines * 32)[-32:])

    def test_quiet_command(self):
        """Flag 8 is taken, and nothing of the command shows in the log."""
        daemon = self.daemon()
        rest = self.rest(daemon)
        rest.logs()
        reply = rest.send("set wlan.passkey hush-hush", flags=FLAG_QUIET)
        self.assertEqual(reply.code, 0)
        self.assertEqual(rest.logs(), [])


class Authorization(Case):
    def test_basic(self):
        daemon = self.with_factory(http__server__username="user",
                                   http__server__password="p:w d")
        for user, password in ((None, ""), ("user", "wrong"), ("user", ""), ("", ""),
                               ("User", "p:w d"), ("user", "p:w d "), ("x" * 300, "x")):
            for path in ("/command/ver", "/log", "/nothing"):
                with self.subTest(user=user, password=password, path=path):
                    rest = self.rest(daemon, user=user, password=password)
                    answer = rest.get(path)
                    self.assertEqual(answer.status, 401)
                    self.assertRegex(answer.headers["WWW-Authenticate"],
                                     r'^Basic realm=".*"$')
                    self.assertNotIn(b"response", answer.body)
        rest = self.rest(daemon, user="user", password="p:w d")
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        self.assertEqual(rest.post("/command", {"command": "ver"}).status, 200)

    def test_post_is_refused_before_it_runs(self):
        daemon = self.with_factory(http__server__username="user",
                                   http__server__password="secret")
        answer = self.rest(daemon).post("/command", {"command": "set network.tls.client_key no"})
        self.assertEqual(answer.status, 401)
        self.assertEqual(self.serial(daemon).command("get network.tls.client_key"), b"")

    def test_broken_headers(self):
        daemon = self.with_factory(http__server__username="user",
                                   http__server__password="secret")
        rest = self.rest(daemon)
        for header in ("", "Basic", "Basic ", "Basic !!!", "Bearer dXNlcjpzZWNyZXQ=",
                       "Basic dXNlcg==", "Basic " + "A" * 4000,
                       "Basic " + base64.b64encode(b"user:secret\0").decode()):
            with self.subTest(header):
                self.assertEqual(
                    rest.get("/command/ver", {"Authorization": header}).status, 401)

    def test_password_without_a_name(self):
        """Never less protection than was asked for."""
        daemon = self.with_factory(http__server__password="secret")
        self.assertEqual(self.rest(daemon).get("/command/ver").status, 401)
        rest = self.rest(daemon, user="", password="secret")
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)

    def test_title(self):
        daemon = self.with_factory(http__server__username="user",
                                   http__server__password="secret",
                                   http__server__auth_title="My device")
        answer = self.rest(daemon).get("/command/ver")
        self.assertEqual(answer.headers["WWW-Authenticate"], 'Basic realm="My device"')


class Changes(Case):
    """http.server.* acts on network_restart, and on save and reboot."""

    def test_api_disabled(self):
        rest = self.rest(self.with_factory(http__server__api_enabled=0))
        for path in ("/command/ver", "/log"):
            with self.subTest(path):
                answer = rest.get(path)
                self.assertEqual(answer.status, 500)
                self.assertEqual(answer.body.strip(), b"Feature not initialized")
        self.assertEqual(rest.post("/command", {"command": "ver"}).status, 500)

    def test_api_switched_off_at_network_restart(self):
        daemon = self.daemon()
        serial, rest = self.serial(daemon), self.rest(daemon)
        serial.command("set http.server.api_enabled 0")
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)
        self.assertEqual(serial.command("network_restart"), b"Success\r\n")
        serial.expect(restart_text(http="HTTP server listening on port: 80"))
        self.assertEqual(self.rest(daemon).get("/command/ver").status, 500)

    def test_port(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command("set http.server.port 443")
        self.assertEqual(daemon.listener()["module_port"], 80)
        serial.command("nre")
        serial.expect(restart_text(
            http="HTTP and REST API server listening on port: 443"))
        self.assertEqual(daemon.wait_listener()["module_port"], 443)
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_switched_off_and_on(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command("set http.server.enabled 0")
        serial.command("network_restart")
        serial.expect(restart_text(http=None))
        daemon.wait_status(lambda status: not status["listeners"])
        serial.command("set http.server.enabled 1")
        serial.command("network_restart")
        serial.expect(restart_text())
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_password_set_and_saved(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command("set http.server.username user")
        serial.command("set http.server.password secret")
        serial.command("save")
        daemon.restart()
        self.assertEqual(self.rest(daemon).get("/command/ver").status, 401)
        rest = self.rest(daemon, user="user", password="secret")
        self.assertEqual(rest.command("get wlan.mac").body, MAC_REPLY)


class Reboot(Case):
    def reconnect(self, daemon, last_id):
        def rebooted():
            try:
                rest = self.rest(daemon, timeout=2)
                return rest if rest.command("ver").id <= last_id else None
            except CLOSED + (AssertionError, ValueError):
                return None
        return wait_until(rebooted, 20, "the web server after the reboot")

    def test_answers_first(self):
        daemon = self.daemon()
        rest = self.rest(daemon)
        rest.command("set network.tls.client_key lost")
        reply = rest.command("reboot")
        self.assertEqual((reply.code, reply.body), (0, b"Rebooting\r\n"))
        rest = self.reconnect(daemon, reply.id)
        self.assertEqual(rest.command("get network.tls.client_key").body, b"")

    def test_serial_port_sees_the_boot(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        self.rest(daemon).command("reboot")
        serial.boot_output(was_joined=True)
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_factory_reset(self):
        daemon = self.daemon()
        rest = self.rest(daemon)
        rest.command("set network.tls.client_key kept")
        rest.command("save")
        reply = rest.command(f"factory_reset {MAC}")
        self.assertEqual(reply.code, 0)
        rest = self.reconnect(daemon, reply.id)
        self.assertEqual(rest.command("get network.tls.client_key").body, b"")

    def test_over_and_over(self):
        daemon = self.daemon()
        descriptors = None
        for _ in range(5):
            with Rest(daemon) as rest:
                last_id = rest.command("reboot").id
            self.reconnect(daemon, last_id).close()
            now = daemon.descriptors()
            descriptors = descriptors or now
            self.assertLessEqual(now, descriptors + 1)

    def test_network_restart_answers_first(self):
        daemon = self.daemon()
        reply = self.rest(daemon).command("network_restart")
        self.assertEqual((reply.code, reply.body), (0, b"Success\r\n"))
        wait_until(lambda: self.answers(daemon), what="the web server")

    def answers(self, daemon):
        try:
            with Rest(daemon, timeout=2) as rest:
                return rest.command("get wlan.mac").body == MAC_REPLY
        except CLOSED + (AssertionError, ValueError):
            return False


class PortInUse(Case):
    def test_rest_of_the_module_is_alive(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            network = {"address": "127.0.0.1", "ports": [{"module": 80, "host": port}]}
            daemon = self.daemon(network=network)
            self.assertEqual(daemon.status()["listeners"], [])
            self.assertIn(f"127.0.0.1:{port}", daemon.stderr())
            serial = self.serial(daemon, http=False)
            self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)
        # Free again: network_restart opens it.
        serial.command("network_restart")
        serial.expect(restart_text())
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)

    def test_address_that_is_not_here(self):
        network = {"address": "192.0.2.1", "ports": [{"module": 80, "host": 0}]}
        daemon = self.daemon(network=network)
        self.assertIn("192.0.2.1", daemon.stderr())
        serial = self.serial(daemon, http=False)
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_two_modules_on_one_port(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        network = {"address": "127.0.0.1", "ports": [{"module": 80, "host": port}]}
        daemon = self.daemon([module(name="a"), module(name="b")], network)
        opened = [name for name in ("a", "b") if daemon.status(name)["listeners"]]
        self.assertEqual(opened, ["a"])
        self.assertIn(str(port), daemon.stderr())
