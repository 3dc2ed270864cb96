"""How command lines come in: line ends, echo, editing, history, quoting, lengths."""

import random

from lib.case import Case
from lib.daemon import MAC

MAC_REPLY = MAC.encode() + b"\r\n"
UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE = b"\x1b[H", b"\x1b[F", b"\x1b[3~"
LINE_MAX = 4096


class LineEnds(Case):
    def test_each(self):
        """CR LF, LF, CR: one reply. LF CR: one reply and the prompt once more."""
        serial = self.serial(self.daemon())
        for end, more in ((b"\r\n", b""), (b"\n", b""), (b"\r", b""),
                          (b"\n\r", b"\r\n> ")):
            with self.subTest(end):
                serial.send(b"get wlan.mac" + end)
                serial.expect(b"get wlan.mac\r\n" + MAC_REPLY + b"> " + more)
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_cr_and_lf_in_two_pieces(self):
        serial = self.serial(self.daemon())
        serial.send(b"get wlan.mac\r")
        serial.expect(b"get wlan.mac\r\n" + MAC_REPLY + b"> ")
        serial.send(b"\n")
        serial.send(b"get wlan.mac\r")
        serial.expect(b"get wlan.mac\r\n" + MAC_REPLY + b"> ")
        self.assertEqual(serial.pending(), b"")

    def test_empty_lines(self):
        serial = self.serial(self.daemon())
        serial.send(b"\n")
        serial.expect(b"\r\n> ")
        serial.send(b"\r\n\r\n  \r\n")
        serial.expect(b"\r\n> \r\n>   \r\n> ")

    def test_empty_line_with_headers(self):
        serial = self.serial(self.daemon())
        serial.send(b"set system.cmd.mode machine\r\n")
        serial.read_until(b"Set OK\r\n")
        serial.send(b"\r\n")
        serial.expect(b"R000000\r\n")

    def test_many_lines_at_once(self):
        serial = self.serial(self.daemon())
        serial.send(b"get wlan.mac\r\n" * 100)
        for _ in range(100):
            serial.expect(b"get wlan.mac\r\n" + MAC_REPLY + b"> ")

    def test_byte_by_byte(self):
        serial = self.serial(self.daemon())
        for byte in b"get wlan.mac\r\n":
            serial.send(bytes([byte]))
            if byte != 0x0A:
                serial.expect(b"\r\n" if byte == 0x0D else bytes([byte]))
        serial.expect(MAC_REPLY + b"> ")


class Echo(Case):
    def test_off_and_on(self):
        serial = self.serial(self.daemon())
        self.assertEqual(serial.command("set system.cmd.echo 0"), b"Set OK\r\n")
        serial.send(b"get wlan.mac\r\n")
        serial.expect(MAC_REPLY + b"> ")
        serial.send(b"set sy c e on\r\n")
        serial.expect(b"Set OK\r\n> ")
        self.assertEqual(serial.command("get sy c e"), b"1\r\n")

    def test_lf_is_echoed_as_cr_lf(self):
        serial = self.serial(self.daemon())
        serial.send(b"get wlan.mac\n")
        serial.expect(b"get wlan.mac\r\n")

    def test_prompt_off(self):
        serial = self.serial(self.daemon())
        serial.send(b"set system.cmd.prompt_enabled 0\r\n")
        serial.expect(b"set system.cmd.prompt_enabled 0\r\nSet OK\r\n")
        serial.send(b"get wlan.mac\r\n")
        serial.expect(b"get wlan.mac\r\n" + MAC_REPLY)
        self.assertEqual(serial.pending(), b"")


class Editing(Case):
    """What the keys do to the line; what they echo, where it is certain."""

    def typed(self, keys):
        """The reply to a line typed with these keys."""
        serial = self.serial(self.daemon())
        serial.send(keys + b"\r")
        return serial.read_until(b"\r\n> ")

    def check(self, keys):
        self.assertTrue(self.typed(keys).endswith(b"\r\n" + MAC_REPLY + b"> "))

    def test_backspace(self):
        serial = self.serial(self.daemon())
        for key in (b"\x08", b"\x7f"):
            serial.send(b"verx" + key)
            serial.expect(b"verx\x08 \x08")
            serial.send(b"\r")
            serial.expect(b"\r\n")
            serial.read_until(b"> ")

    def test_backspace_at_the_start(self):
        self.check(b"\x08\x7f\x08get wlan.mac")

    def test_left_and_insert(self):
        self.check(b"get wlan.ac" + LEFT * 2 + b"m")

    def test_home_end(self):
        self.check(b"t wlan.m" + HOME + b"ge" + END + b"ac")

    def test_delete(self):
        self.check(b"get xwlan.mac" + HOME + RIGHT * 4 + DELETE)

    def test_backspace_inside(self):
        self.check(b"get wlanx.mac" + LEFT * 4 + b"\x08")

    def test_left_and_right_stay_in_the_line(self):
        self.check(LEFT * 9 + b"get wlan.mac" + RIGHT * 9)

    def test_keypad_forms(self):
        self.check(b"t wlan.m" + b"\x1b[1~" + b"ge" + b"\x1b[4~" + b"a" + b"\x1bOH"
                   + b"\x1bOF" + b"c")

    def test_control_u_drops_the_line(self):
        self.check(b"set network.tls.client_key no\x15get wlan.mac")

    def test_control_c_gives_up_the_line(self):
        serial = self.serial(self.daemon())
        serial.send(b"set network.tls.client_key no\x03")
        serial.read_until(b"> ")
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)
        self.assertEqual(serial.command("get network.tls.client_key"), b"")

    def test_unknown_sequences_are_ignored(self):
        self.check(b"get \x1b[15~wlan\x1b[1;5C.m\x1b[Zac")


class History(Case):
    def recall(self, serial, keys):
        serial.send(keys + b"\r")
        return serial.read_until(b"\r\n> ").rstrip(b"> \r\n").rpartition(b"\r\n")[2]

    def test_up_and_down(self):
        serial = self.serial(self.daemon())
        for number in range(1, 4):
            serial.command(f"set network.tls.client_key net{number}")
        serial.command("get network.tls.client_key")
        self.assertEqual(self.recall(serial, UP), b"net3")
        self.assertEqual(self.recall(serial, UP * 3), b"Set OK")
        self.assertEqual(serial.command("get network.tls.client_key"), b"net2\r\n")
        serial.send(UP * 3 + DOWN * 2 + b"\r")
        serial.read_until(b"net2\r\n> ")

    def test_holds_five_lines(self):
        serial = self.serial(self.daemon())
        for number in range(1, 8):
            serial.command(f"set network.tls.client_key net{number}")
        serial.send(UP * 20 + b"\r")
        serial.read_until(b"Set OK\r\n> ")
        self.assertEqual(serial.command("get network.tls.client_key"), b"net3\r\n")

    def test_recalled_line_can_be_edited(self):
        serial = self.serial(self.daemon())
        serial.command("set network.tls.client_key net1")
        serial.send(UP + b"\x082\r")
        serial.read_until(b"Set OK\r\n> ")
        self.assertEqual(serial.command("get network.tls.client_key"), b"net2\r\n")

    def test_empty(self):
        serial = self.serial(self.daemon())
        serial.send(UP + DOWN)
        self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)


class Quoting(Case):
    def test_values(self):
        serial = self.serial(self.daemon())
        for given, kept in ((b'"my net"', b"my net"), (b'""', b""),
                            (b'"Special"Character"Name"', b'Special"Character"Name'),
                            (b"plain", b"plain"), (b'  "two  blanks"', b"two  blanks"),
                            ("\"Caf\u00e9\"".encode(), "Caf\u00e9".encode()),
                            (b'"\xff\xfe"', b"\xff\xfe"), (b"it's", b"it's")):
            with self.subTest(given):
                self.assertEqual(serial.command(b"set network.tls.client_key " + given),
                                 b"Set OK\r\n")
                self.assertEqual(serial.command(b"get network.tls.client_key"),
                                 kept + b"\r\n" if kept else b"")

    def test_open_quote(self):
        serial = self.serial(self.daemon())
        self.assertEqual(serial.command('set network.tls.client_key "my net'), b"Parse error\r\n")

    def test_blanks_around(self):
        serial = self.serial(self.daemon())
        self.assertEqual(serial.command("   get    wlan.mac   "), MAC_REPLY)

    def test_unquoted_blank_is_one_argument_too_many(self):
        serial = self.serial(self.daemon())
        self.assertEqual(serial.command("set network.tls.client_key my net"),
                         b"Too many arguments\r\n")


class Lengths(Case):
    def test_longest_line(self):
        serial = self.serial(self.daemon())
        line = b"get wlan.mac".ljust(LINE_MAX)
        self.assertEqual(serial.command(line), MAC_REPLY)

    def test_overlong_line(self):
        serial = self.serial(self.daemon())
        for pieces in (1, 3, 25):
            with self.subTest(pieces):
                serial.send(b"y")
                serial.expect(b"y")
                for _ in range(pieces):
                    serial.send(b"x" * LINE_MAX)
                    serial.expect(b"x" * LINE_MAX)
                serial.send(b"\r\n")
                serial.expect(b"\r\nSerial command line buffer overflow\r\n> ")
                self.assertEqual(serial.command("get wlan.mac"), MAC_REPLY)

    def test_overlong_line_with_headers(self):
        serial = self.serial(self.daemon())
        serial.send(b"set system.cmd.mode machine\r\n")
        serial.read_until(b"Set OK\r\n")
        serial.send(b"x" * (LINE_MAX + 1) + b"\r\nget wlan.mac\r\n")
        serial.expect(b"R800037\r\nSerial command line buffer overflow\r\n")
        serial.expect(b"R000019\r\n" + MAC_REPLY)

    def test_no_end_at_all(self):
        """Megabytes without a line end do no harm."""
        daemon = self.daemon()
        serial = self.serial(daemon)
        serial.command("set system.cmd.echo 0")
        for _ in range(512):
            serial.send(b"x" * 4096)
        serial.send(b"\r\n")
        serial.expect(b"Serial command line buffer overflow\r\n> ", timeout=30)
        serial.send(b"get wlan.mac\r\n")
        serial.expect(MAC_REPLY + b"> ")


class EveryByte(Case):
    def resynchronise(self, serial):
        """As a host does: end the line, then look for the answer to a known command."""
        serial.send(b"\x03\r\nget wlan.mac\r\n")
        serial.read_until(b"\r\n" + MAC_REPLY + b"> ")

    def test_alone(self):
        serial = self.serial(self.daemon())
        for value in range(256):
            serial.send(bytes([value]))
            self.resynchronise(serial)

    def test_within_a_command(self):
        serial = self.serial(self.daemon())
        for value in range(256):
            byte = bytes([value])
            serial.send(b"set network.tls.client_key a" + byte + b"b\r\n")
            self.resynchronise(serial)
            serial.send(b"ve" + byte + b"r\r\n")
            self.resynchronise(serial)

    def test_noise(self):
        """Random bytes, with the line settings put right again afterwards."""
        daemon = self.daemon()
        serial = self.serial(daemon)
        source = random.Random(20170728)
        for _ in range(40):
            serial.send(source.randbytes(1000))
            serial.pending()
        self.assertEqual(self.rest(daemon).command("get wlan.mac").body, MAC_REPLY)
        self.resynchronise(serial)

    def test_nul(self):
        """A NUL from a flushing UART does not spoil the command behind it."""
        serial = self.serial(self.daemon())
        serial.send(b"\x00get wlan.mac\r\n")
        serial.read_until(MAC_REPLY + b"> ")
