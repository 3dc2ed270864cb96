"""Start, boot output, readiness, status file, lock, signals and end of the daemon."""

import os
import signal
import subprocess

from lib.case import Case
from lib.daemon import MAC, build_directory, module, wait_until
from lib.serial import join_lines, join_text

VERSION = (b"ZENTRI-AMW007-1.2.0.10, 2017-07-28T07:43:27Z, ZentriOS-WL-1.2.0.10, "
           b"Board:N/A\r\n")


class BootOutput(Case):
    def test_human(self):
        serial = self.open_serial(self.daemon())
        serial.expect(VERSION + b"[Ready]\r\n> " + join_text())
        self.assertEqual(serial.command("ver"), VERSION)
        self.assertEqual(serial.pending(), b"")

    def test_without_web_server(self):
        serial = self.open_serial(self.with_factory(http__server__enabled=0))
        serial.expect(VERSION + b"[Ready]\r\n> " + join_text(http=None))
        self.assertEqual(serial.command("ver"), VERSION)

    def test_of_each_profile(self):
        banners = {"wl-1.5": b"ZENTRI-AMW007-1.5.0.13, ",
                   "gecko-os-2": b"SILABS-AMW007-2.1.5, ",
                   "wz-3": b"EMWERK-JB_1_1-1.4.0.28, "}
        modules = [module(name=name, profile=name, mac=f"4C:55:CC:10:09:{n:02X}")
                   for n, name in enumerate(banners)]
        daemon = self.daemon(modules)
        for name, banner in banners.items():
            serial = self.open_serial(daemon, name)
            version = serial.boot_output()
            self.assertTrue(version.startswith(banner), version)
            self.assertEqual(serial.command("version"), version)

    def test_own_version_text(self):
        text = "ACME-DEVICE-1.0, 2020-01-01T00:00:00Z, ZentriOS-WL-1.0"
        serial = self.open_serial(self.daemon([module(version=text)]))
        serial.expect(text.encode() + b"\r\n[Ready]\r\n> ")

    def test_with_headers(self):
        """The banner is a response; what follows are log lines."""
        serial = self.open_serial(self.with_factory(
            system__cmd__header_enabled=1, system__cmd__prompt_enabled=0))
        serial.expect(b"R0%05d\r\n" % len(VERSION) + VERSION)
        serial.expect(b"L000009\r\n[Ready]\r\n")
        for line in join_lines():
            serial.expect(b"L0%05d\r\n%s\r\n" % (len(line) + 2, line.encode()))

    def test_print_level_1(self):
        """Bracketed events only."""
        serial = self.open_serial(self.with_factory(system__print_level=1))
        serial.expect(b"[Ready]\r\n> " + join_text(level=1))
        self.assertEqual(serial.command("get sy p"), b"1\r\n")

    def test_print_level_0(self):
        """Machine mode with level 0: nothing asynchronous at all."""
        serial = self.open_serial(self.with_factory(
            system__cmd__echo=0, system__cmd__header_enabled=1,
            system__cmd__prompt_enabled=0, system__print_level=0))
        serial.send(b"get wlan.mac\r\n")
        self.assertEqual(serial.frame(), ("R", 0, MAC.encode() + b"\r\n"))

    def test_reboot(self):
        serial = self.serial(self.daemon())
        serial.send(b"reboot\r\n")
        serial.expect(b"reboot\r\nRebooting\r\n[Disassociated]\r\n" + VERSION
                      + b"[Ready]\r\n> " + join_text())
        self.assertEqual(serial.command("get wlan.mac"), MAC.encode() + b"\r\n")

    def test_what_comes_right_behind_reboot_does_no_harm(self):
        serial = self.serial(self.daemon())
        serial.send(b"reboot\r\nget wlan.mac\r\nset network.tls.client_key lost\r\nver\r\n")
        serial.expect(b"reboot\r\nRebooting\r\n")
        serial.read_until(b"[Ready]\r\n> " + join_text())
        self.assertEqual(serial.command("ver"), VERSION)

    def test_factory_reset(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command('set network.tls.client_key "my net"')
        serial.command("save")
        self.assertEqual(serial.command("fac"), b"Too few arguments\r\n")
        self.assertEqual(serial.command("fac 00:11:22:33:44:55"),
                         b"Invalid argument\r\n")
        serial.send(b"fac " + MAC.encode() + b"\r\n")
        serial.read_until(b"[Disassociated]\r\n" + VERSION + b"[Ready]\r\n> "
                          + join_text())
        self.assertEqual(serial.command("get network.tls.client_key"), b"")


class Sleep(Case):
    def test_until_the_wake_timer(self):
        """No reply is sent; waking up is a boot."""
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command("set system.wakeup.timeout 1")
        serial.command("save")
        serial.send(b"sleep\r\n")
        serial.expect(b"sleep\r\n")
        daemon.wait_status(lambda status: status["state"] == "asleep")
        self.assertEqual(daemon.status()["listeners"], [])
        serial.send(b"get wlan.mac\r\n")  # nobody listens
        serial.boot_output()
        self.assertEqual(serial.command("get wlan.mac"), MAC.encode() + b"\r\n")
        daemon.wait_status(lambda status: status["state"] == "running")

    def test_without_a_wake_timer(self):
        """Only a new start of the daemon wakes it."""
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.send(b"sleep\r\n")
        serial.expect(b"sleep\r\n")
        daemon.wait_status(lambda status: status["state"] == "asleep")
        serial.close()
        daemon.restart()
        self.assertEqual(self.serial(daemon).command("ver"), VERSION)

    def test_after_a_while_by_itself(self):
        daemon = self.with_factory(system__gotosleep__timeout=1,
                                   system__wakeup__timeout=1)
        serial = self.serial(daemon)
        daemon.wait_status(lambda status: status["state"] == "asleep")
        serial.boot_output()

    def test_over_rest(self):
        daemon = self.with_factory(system__wakeup__timeout=1)
        serial = self.serial(daemon)
        self.assertEqual(self.rest(daemon).command("sleep").code, 0)
        serial.boot_output()
        self.assertEqual(self.rest(daemon).command("ver").id, 1)


class Status(Case):
    def test_file(self):
        daemon = self.daemon()
        status = daemon.status()
        self.assertEqual(
            list(status),
            ["pid", "name", "profile", "mac", "state", "serial", "tty", "interfaces",
             "listeners"])
        self.assertEqual(status["interfaces"], {"wlan": "up", "softap": "down"})
        self.assertEqual(status["pid"], daemon.pid)
        self.assertEqual(status["name"], "zentri")
        self.assertEqual(status["profile"], "wl-1.0")
        self.assertEqual(status["mac"], MAC)
        self.assertEqual(status["state"], "running")
        self.assertEqual(status["serial"], str(daemon.runtime / "zentri" / "serial"))
        self.assertEqual(os.path.realpath(status["serial"]), status["tty"])
        (listener,) = status["listeners"]
        self.assertEqual(list(listener),
                         ["service", "scheme", "address", "port", "module_port"])
        self.assertEqual(listener["service"], "http")
        self.assertEqual(listener["scheme"], "http")
        self.assertEqual(listener["address"], "127.0.0.1")
        self.assertEqual(listener["module_port"], 80)
        self.assertGreater(listener["port"], 0)

    def test_secrets_stay_out(self):
        daemon = self.with_factory(http__server__username="user",
                                   http__server__password="hush-hush")
        serial = self.serial(daemon)
        serial.command("set http.server.password other-secret")
        serial.command("set wlan.passkey third-secret")
        serial.command("save")
        status = (daemon.runtime / "zentri" / "status.json").read_text()
        for secret in ("hush-hush", "other-secret", "third-secret"):
            self.assertNotIn(secret, status)
            self.assertNotIn(secret, daemon.stderr())

    def test_follows_a_listener(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command("set http.server.enabled 0")
        serial.command("save")
        serial.send(b"reboot\r\n")
        daemon.wait_status(lambda status: status["listeners"] == [])

    def test_serial_port_keeps_its_path(self):
        daemon = self.daemon()
        tty = daemon.status()["tty"]
        serial = self.serial(daemon)
        serial.send(b"reboot\r\n")
        serial.read_until(b"[Ready]\r\n> ")
        self.assertEqual(daemon.status()["tty"], tty)

    def test_is_gone_after_the_end(self):
        daemon = self.daemon()
        daemon.stop()
        left = [path for path in daemon.runtime.rglob("*") if not path.is_dir()]
        self.assertEqual(left, [])

    def test_left_over_files_of_a_killed_daemon(self):
        daemon = self.daemon()
        daemon.restart(kill=True)
        self.assertEqual(daemon.status()["pid"], daemon.pid)
        self.assertEqual(self.serial(daemon).command("ver"), VERSION)


class SeveralModules(Case):
    def modules(self, count):
        return [module(name=f"module{n}", mac=f"4C:55:CC:10:0A:{n:02X}")
                for n in range(count)]

    def test_are_apart(self):
        daemon = self.daemon(self.modules(3))
        serials = [self.serial(daemon, f"module{n}") for n in range(3)]
        for n, serial in enumerate(serials):
            self.assertEqual(serial.command("get wlan.mac"),
                             b"4C:55:CC:10:0A:%02X\r\n" % n)
            serial.command(f"set network.tls.client_key net{n}")
            serial.command("save")
        serials[1].send(b"reboot\r\n")
        serials[1].read_until(join_text())
        for n, serial in enumerate(serials):
            self.assertEqual(serial.command("get network.tls.client_key"), b"net%d\r\n" % n)
            rest = self.rest(daemon, f"module{n}")
            self.assertEqual(rest.command("get network.tls.client_key").body, b"net%d\r\n" % n)

    def test_have_addresses_and_ports_of_their_own(self):
        modules = self.modules(2)
        modules[1]["network"] = {"address": "127.0.0.2",
                                 "ports": [{"module": 80, "host": 0}]}
        daemon = self.daemon(modules)
        self.assertEqual(daemon.listener(name="module0")["address"], "127.0.0.1")
        self.assertEqual(daemon.listener(name="module1")["address"], "127.0.0.2")
        self.assertEqual(self.rest(daemon, "module1").command("get wlan.mac").body,
                         b"4C:55:CC:10:0A:01\r\n")

    def test_mac_is_derived_and_stays(self):
        modules = [module(name="one"), module(name="two")]
        for entry in modules:
            del entry["mac"]
        daemon = self.daemon(modules)
        macs = [daemon.status(name)["mac"] for name in ("one", "two")]
        self.assertNotEqual(macs[0], macs[1])
        daemon.restart()
        self.assertEqual([daemon.status(name)["mac"] for name in ("one", "two")], macs)

    def test_fifty(self):
        daemon = self.daemon(self.modules(50))
        self.assertEqual(self.rest(daemon, "module49").command("get wlan.mac").body,
                         b"4C:55:CC:10:0A:31\r\n")


class Signals(Case):
    def test_sigterm_and_sigint(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                daemon = self.daemon()
                self.serial(daemon).command("ver")
                daemon.stop(number)  # asserts exit status 0 and no leak

    def test_sigterm_with_clients(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.send(b"get all\r\nstream_write 0 100\r\nabc")
        rest = self.rest(daemon)
        rest.command("ver")
        daemon.stop()

    def test_sighup_rereads_factory_defaults(self):
        daemon = self.daemon()
        rest = self.rest(daemon)
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace(
            "factory = ( ",
            'factory = ( { name = "network.tls.client_key"; value = "from the file"; }, '))
        daemon.send_signal(signal.SIGHUP)
        for _ in range(2):  # the signal was seen by the turn of the second answer
            rest.command("ver")
        serial = self.serial(daemon)
        serial.send(b"reboot\r\n")
        serial.read_until(join_text())
        self.assertEqual(serial.command("get network.tls.client_key"), b"from the file\r\n")

    def test_sighup_with_a_bad_file_changes_nothing(self):
        daemon = self.daemon()
        rest = self.rest(daemon)
        daemon.config.write_text('modules = ( { nane = "zentri"; } );\n')
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_stderr("nane")
        self.assertEqual(rest.command("get wlan.mac").body, MAC.encode() + b"\r\n")

    def test_sighup_says_what_needs_a_restart(self):
        daemon = self.daemon()
        rest = self.rest(daemon)
        daemon.config.write_text(
            daemon.config.read_text().replace("wl-1.0", "gecko-os-2"))
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_stderr("restart")
        self.assertEqual(rest.command("ver").body, VERSION)

    def test_closed_standard_streams(self):
        """Nobody reads stderr any more."""
        daemon = self.daemon(preexec=lambda: os.close(2))
        self.assertEqual(self.serial(daemon).command("ver"), VERSION)


class Readiness(Case):
    def test_messages(self):
        daemon = self.daemon()
        self.assertIn("READY=1", daemon.notify.messages)
        daemon.stop()
        self.assertIn("STOPPING=1", daemon.notify.receive())

    def test_every_module_is_ready_by_then(self):
        daemon = self.daemon([module(name="a"), module(name="b")])
        for name in ("a", "b"):
            self.assertEqual(daemon.status(name)["state"], "running")

    def test_nobody_reads(self):
        """The loop goes on when the queue of the socket is full, and says what is lost."""
        daemon = self.daemon()
        rest = self.rest(daemon)
        with open("/proc/sys/net/unix/max_dgram_qlen", encoding="ascii") as file:
            length = int(file.read())
        for _ in range(length // 2 + 2):
            daemon.send_signal(signal.SIGHUP)
            for _ in range(2):  # the signal was seen by the turn of the second answer
                rest.command("ver")
        self.assertIn("cannot tell READY=1", daemon.stderr())

    def test_abstract_socket(self):
        self.daemon(notify=f"@zentrid-test-{os.getpid()}")

    def test_a_socket_that_is_not_there(self):
        daemon = self.daemon(start=False)
        daemon.environment["NOTIFY_SOCKET"] = str(daemon.directory / "none")
        daemon.launch()
        daemon.wait_status(lambda status: status["state"] == "running")
        self.assertEqual(self.serial(daemon).command("ver"), VERSION)


class Lock(Case):
    def test_second_daemon_on_the_same_state(self):
        first = self.daemon()
        second = self.daemon(start=False)
        second.state = first.state
        status, message = second.run()
        self.assertGreater(status, 0)
        self.assertIn(str(first.state), message)
        self.assertEqual(self.serial(first).command("ver"), VERSION)

    def test_is_free_after_a_kill(self):
        daemon = self.daemon()
        daemon.restart(kill=True)


class CommandLine(Case):
    def zentrid(self, *arguments):
        return subprocess.run([build_directory() / "zentrid", *arguments], timeout=20,
                              capture_output=True, text=True, check=False)

    def test_version(self):
        done = self.zentrid("-V")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^zentrid \d+\.\d+")

    def test_unknown_option(self):
        done = self.zentrid("-Q")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("usage", done.stderr.lower())

    def test_surplus_argument(self):
        done = self.zentrid("-V", "what")
        self.assertNotEqual(self.zentrid("what").returncode, 0)
        self.assertEqual(done.stdout.count("\n"), done.stdout.count("zentrid"))

    def test_debug_output(self):
        daemon = self.daemon(arguments=["-v"])
        quiet = self.daemon()
        self.assertGreaterEqual(len(daemon.stderr()), len(quiet.stderr()))

    def test_says_where_it_is(self):
        """The pty's path and the URL, for the one who started it."""
        daemon = self.daemon(arguments=["-v"])
        port = daemon.listener()["port"]
        wait_until(lambda: str(daemon.serial_path()) in daemon.stderr() and
                   f"http://127.0.0.1:{port}" in daemon.stderr(),
                   what="path and URL in the log")
