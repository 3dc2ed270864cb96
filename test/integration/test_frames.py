"""Headers, log frames, print levels, payloads and buffered answers on the serial port."""

from lib.case import Case
from lib.daemon import MAC
from lib.serial import join_lines, join_text, restart_text

MAC_REPLY = MAC.encode() + b"\r\n"


class Frames(Case):
    def machine(self, daemon=None):
        serial = self.serial(daemon or self.daemon())
        serial.send(b"set system.cmd.mode machine\r\n")
        serial.expect(b"set system.cmd.mode machine\r\nR000008\r\nSet OK\r\n")
        return serial

    def ask(self, serial, line):
        serial.send(line.encode() + b"\r\n")
        return serial.frame()

    def test_machine_mode(self):
        serial = self.machine()
        serial.send(b"set network.tls.client_key x\r\n")
        serial.expect(b"R000008\r\nSet OK\r\n")
        serial.send(b"get network.tls.client_key\r\nset network.tls.client_key \"\"\r\nget network.tls.client_key\r\n")
        serial.expect(b"R000003\r\nx\r\nR000008\r\nSet OK\r\nR000000\r\n")
        serial.send(b"set system.cmd.mode human\r\n")
        serial.expect(b"Set OK\r\n> ")
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_result_codes(self):
        serial = self.machine()
        for line, answer in (
                ("close 31", ("R", 1, b"Command failed\r\n")),
                ('set network.tls.client_key "a', ("R", 2, b"Parse error\r\n")),
                ("bump", ("R", 3, b"Unknown command\r\n")),
                ("set", ("R", 4, b"Too few arguments\r\n")),
                ("ver 1", ("R", 5, b"Too many arguments\r\n")),
                ("get nothing", ("R", 6, b"Unknown variable or option\r\n")),
                ("set system.cmd.echo 2", ("R", 7, b"Invalid argument\r\n"))):
            with self.subTest(line):
                self.assertEqual(self.ask(serial, line), answer)

    def test_prompt_follows_the_body_and_is_not_counted(self):
        serial = self.serial(self.daemon())
        serial.command("set system.cmd.echo 0")
        serial.send(b"set system.cmd.header_enabled 1\r\n")
        serial.expect(b"R000008\r\nSet OK\r\n> ")
        serial.send(b"get wlan.mac\r\n")
        serial.expect(b"R000019\r\n" + MAC_REPLY + b"> ")
        serial.send(b"set network.tls.client_key \"\"\r\nget network.tls.client_key\r\n")
        serial.expect(b"R000008\r\nSet OK\r\n> R000000\r\n> ")

    def test_echo_with_headers(self):
        """What a driver of the field reads: the echo of its line, then the header."""
        serial = self.serial(self.daemon())
        serial.send(b"set system.cmd.header_enabled 1\r\n")
        serial.expect(b"set system.cmd.header_enabled 1\r\nR000008\r\nSet OK\r\n> ")
        serial.send(b"ver\r\n")
        serial.expect(b"ver\r\nR0000")

    def test_log_frames_come_between(self):
        """With the print level raised, log lines are L frames without a prompt."""
        serial = self.machine()
        self.assertEqual(self.ask(serial, "set system.print_level all"),
                         ("R", 0, b"Set OK\r\n"))
        self.assertEqual(self.ask(serial, "network_restart"),
                         ("R", 0, b"Success\r\n"))
        for line in ["[Disassociated]"] + join_lines(probed=False):
            self.assertEqual(serial.frame(), ("L", 0, line.encode() + b"\r\n"))
        self.assertEqual(self.ask(serial, "get wlan.mac"), ("R", 0, MAC_REPLY))

    def test_settings_survive_save_and_reboot(self):
        serial = self.machine()
        self.assertEqual(self.ask(serial, "save"), ("R", 0, b"Success\r\n"))
        self.assertEqual(self.ask(serial, "reboot"), ("R", 0, b"Rebooting\r\n"))
        self.assertEqual(self.reboot_done(serial), ("R", 0, MAC_REPLY))

    def reboot_done(self, serial):
        """Nothing announces the boot here: asks until the module listens."""
        for _ in range(100):
            serial.send(b"get wlan.mac\r\n")
            if serial.fill(0.1):
                return serial.frame()
        return None

    def test_safe_mode_letter(self):
        """After eight faults replies begin with S and the prompt says so."""
        daemon = self.daemon(start=False)
        for _ in range(8):
            daemon.nvm_path().parent.mkdir(parents=True, exist_ok=True)
            daemon.nvm_path().write_text("damaged")
            daemon.start()
            daemon.stop()
        daemon.start()
        serial = self.open_serial(daemon)
        serial.read_until(b"SAFEMODE> ")
        serial.send(b"get system.safemode.status\r\n")
        serial.expect(b"get system.safemode.status\r\n1\r\nSAFEMODE> ")
        serial.send(b"set system.cmd.header_enabled 1\r\n")
        serial.read_until(b"S000008\r\nSet OK\r\nSAFEMODE> ")
        serial.send(b"set system.cmd.header_enabled 0\r\nfaults_reset\r\n")
        serial.read_until(b"Success\r\nSAFEMODE> ")
        serial.send(b"reboot\r\n")
        serial.read_until(b"[Ready]\r\n> ")
        serial.expect(join_text())
        self.assertEqual(serial.command("get system.safemode.status"), b"0\r\n")


class PrintLevels(Case):
    def reboot_with(self, level):
        serial = self.serial(self.daemon())
        serial.command(f"set system.print_level {level}")
        serial.command("save")
        serial.send(b"reboot\r\n")
        serial.expect(b"reboot\r\nRebooting\r\n")
        return serial

    def test_0(self):
        self.reboot_with(0).expect(b"> ")

    def test_1(self):
        self.reboot_with(1).expect(b"[Disassociated]\r\n[Ready]\r\n> " + join_text(1))

    def test_2_and_all(self):
        for level in (2, "all"):
            with self.subTest(level):
                serial = self.reboot_with(level)
                serial.read_until(b"Board:N/A\r\n[Ready]\r\n> ")
                serial.expect(join_text())

    def test_acts_at_once(self):
        serial = self.serial(self.daemon())
        serial.command("set system.print_level 1")
        self.assertEqual(serial.command("network_restart"), b"Success\r\n")
        serial.expect(restart_text(1))
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_own_event_template(self):
        serial = self.serial(self.daemon())
        serial.command('set system.msg ready "<up @t>"')
        serial.command("save")
        serial.send(b"reboot\r\n")
        serial.read_until(b"Board:N/A\r\n<up >\r\n> ")


class Payload(Case):
    """A command that announces bytes; no stream takes any yet, so it fails, but only
    after it has read them."""

    def test_is_read_and_discarded(self):
        serial = self.serial(self.daemon())
        data = bytes(range(256)) + b"set network.tls.client_key no\r\n"
        serial.send(b"write 0 %d\r\n" % len(data) + data + b"get network.tls.client_key\r\n")
        serial.expect(b"write 0 %d\r\nCommand failed\r\n> " % len(data))
        serial.expect(b"get network.tls.client_key\r\n> ")

    def test_after_each_line_end(self):
        serial = self.serial(self.daemon())
        for end in (b"\r\n", b"\n", b"\r"):
            with self.subTest(end):
                serial.send(b"write 0 4" + end + b"abcd")
                serial.expect(b"write 0 4\r\nCommand failed\r\n> ")

    def test_in_pieces(self):
        serial = self.serial(self.daemon())
        serial.send(b"write 0 6\r\n")
        serial.expect(b"write 0 6\r\n")
        for byte in b"\r\n\r\nab":
            self.assertEqual(serial.pending(), b"")
            serial.send(bytes([byte]))
        serial.expect(b"Command failed\r\n> ")

    def test_trailing_line_end_is_an_empty_line(self):
        serial = self.serial(self.daemon())
        serial.send(b"write 0 4\r\nabcd\r\n")
        serial.expect(b"write 0 4\r\nCommand failed\r\n> \r\n> ")

    def test_runs_out_of_time(self):
        serial = self.serial(self.daemon())
        serial.command("set bus.command.write_timeout 50")
        serial.send(b"write 0 100\r\nabc")
        serial.expect(b"write 0 100\r\nCommand failed\r\n> ")
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_too_much_is_refused(self):
        serial = self.serial(self.daemon())
        self.assertIn(serial.command("write 0 99999999999"),
                      (b"Invalid argument\r\n", b"Bounds error\r\n"))
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_half_a_payload_does_not_block_others(self):
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.send(b"write 0 100\r\nabc")
        serial.expect(b"write 0 100\r\n")
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)


class Buffered(Case):
    def test_listing_becomes_a_stream(self):
        serial = self.serial(self.daemon())
        text = serial.command("get wlan")
        serial.command("set system.cmd.buffered 1")
        self.assertEqual(serial.command("get wlan"), b"0,%d\r\n" % len(text))
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)
        self.assertEqual(serial.command("poll 0"), b"1\r\n")
        half = len(text) // 2
        self.assertEqual(serial.command(f"read 0 {half}"), text[:half] + b"\r\n")
        self.assertEqual(serial.command(f"read 0 {len(text)}"), text[half:] + b"\r\n")
        serial.command("close 0")
        self.assertEqual(serial.command("poll 0"), b"Command failed\r\n")

    def test_with_headers(self):
        serial = self.serial(self.daemon())
        serial.command("set system.cmd.buffered 1")
        serial.send(b"set system.cmd.mode machine\r\n")
        serial.read_until(b"Set OK\r\n")
        serial.send(b"help commands\r\n")
        kind, code, body = serial.frame()
        self.assertEqual((kind, code), ("R", 0))
        self.assertRegex(body, rb"^0,\d+\r\n$")

    def test_handles_run_out(self):
        serial = self.serial(self.daemon())
        serial.command("set system.cmd.buffered 1")
        for handle in range(32):
            self.assertRegex(serial.command("get bus"), rb"^%d,\d+\r\n$" % handle)
        self.assertEqual(serial.command("get bus"), b"Command failed\r\n")
        self.assertEqual(serial.command("close all"), b"Success\r\n")
        self.assertRegex(serial.command("get bus"), rb"^0,\d+\r\n$")
