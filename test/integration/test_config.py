"""Faults of the configuration: each one with file, line and setting."""

import subprocess

from lib.case import Case
from lib.daemon import ROOT, StartError, build_directory, configuration, module

GOOD = """network = { address = "127.0.0.1";
            ports = ( { module = 80; host = 0; } ); };
modules = (
    { name = "zentri";
      profile = "wl-1.0";
      mac = "4C:55:CC:10:09:42";
      serial = { link = "serial"; };
      factory = ( { name = "http.server.enabled"; value = "1"; } ); }
);
"""

# What is put in place of what, the line that is then wrong, the setting it names.
FAULTS = (
    ("syntax", 'name = "zentri"', 'name = ', 4, ""),
    ("unknown setting", "profile =", "profil =", 5, "profil"),
    ("unknown top setting", "network = {", "netwerk = {", 1, "netwerk"),
    ("unknown network setting", "address =", "adress =", 1, "adress"),
    ("no address", '"127.0.0.1"', '"localhost"', 1, "address"),
    ("wrong type", 'name = "zentri"', "name = 5", 4, "name"),
    ("name with a slash", '"zentri"', '"a/b"', 4, "name"),
    ("name with a dot", '"zentri"', '".."', 4, "name"),
    ("empty name", '"zentri"', '""', 4, "name"),
    ("long name", '"zentri"', '"' + "a" * 300 + '"', 4, "name"),
    ("profile", '"wl-1.0"', '"wl-9"', 5, "profile"),
    ("mac", "4C:55:CC:10:09:42", "4C:55:CC:10:09", 6, "mac"),
    ("port too large", "host = 0", "host = 65536", 2, "host"),
    ("negative port", "host = 0", "host = -1", 2, "host"),
    ("module port 0", "module = 80", "module = 0", 2, "module"),
    ("port as text", "host = 0", 'host = "0"', 2, "host"),
    ("link with a slash", '"serial"', '"../serial"', 7, "link"),
    ("link and device", 'link = "serial"', 'link = "a"; device = "/dev/x"', 7, "serial"),
    ("pin of another profile", "factory = (",
     'gpio = ( { pin = 22; chip = "/dev/x"; line = 0; } ); factory = (', 8, "0 to 21"),
    ("unknown variable", "http.server.enabled", "http.server.enable", 8, "factory"),
    ("value of a variable", 'value = "1"', 'value = "maybe"', 8, "factory"),
)


class Faults(Case):
    def check(self, text, *arguments):
        """The exit status and messages of a start with this configuration."""
        daemon = self.daemon(text=text, start=False)
        daemon.arguments += arguments
        return daemon, *daemon.run()

    def test_each(self):
        for what, old, new, line, setting in FAULTS:
            with self.subTest(what):
                self.assertIn(old, GOOD)
                daemon, status, message = self.check(GOOD.replace(old, new, 1))
                self.assertGreater(status, 0)
                self.assertIn(f"{daemon.config}:{line}: ", message)
                self.assertIn(setting, message)

    def test_option_t_says_the_same(self):
        daemon, status, message = self.check(GOOD.replace("wl-1.0", "wl-9"), "-t")
        self.assertGreater(status, 0)
        self.assertIn(f"{daemon.config}:5: ", message)
        self.assertIn("wl-1.5", message)

    def test_option_t_with_a_good_file(self):
        daemon, status, _ = self.check(GOOD, "-t")
        self.assertEqual(status, 0)
        self.assertFalse(daemon.state.exists())

    def test_all_faults_are_told(self):
        text = GOOD.replace("wl-1.0", "wl-9").replace("host = 0", "host = 70000")
        text = text.replace('value = "1"', 'value = "maybe"').replace("10:09:42", "zz")
        daemon, _, message = self.check(text)
        for line in (2, 5, 6):
            self.assertIn(f"{daemon.config}:{line}: ", message)

    def test_missing_parts(self):
        for text in ("", "modules = ( );", "network = { };", "modules = ( { } );",
                     'modules = "zentri";', "modules = ( 1 );"):
            with self.subTest(text):
                daemon, status, message = self.check(text + "\n")
                self.assertGreater(status, 0)
                self.assertIn(str(daemon.config), message)

    def test_two_modules_of_one_name(self):
        daemon, status, message = self.check(configuration([module(), module()]))
        self.assertGreater(status, 0)
        self.assertIn("zentri", message)
        self.assertIn(str(daemon.config), message)

    def test_missing_file(self):
        daemon = self.daemon(start=False)
        daemon.config.unlink()
        status, message = daemon.run()
        self.assertGreater(status, 0)
        self.assertIn(str(daemon.config), message)

    def test_binary_file(self):
        daemon = self.daemon(start=False)
        daemon.config.write_bytes(bytes(range(256)) * 10)
        status, message = daemon.run()
        self.assertGreater(status, 0)
        self.assertIn(str(daemon.config), message)

    def test_minimal(self):
        daemon = self.daemon(text='modules = ( { name = "zentri"; } );\n')
        self.assertEqual(daemon.status()["profile"], "wl-1.0")

    def test_refused_start_is_not_ready(self):
        with self.assertRaises(StartError):
            self.daemon(text="modules = ( );\n")

    def test_shipped_file(self):
        done = subprocess.run(
            [build_directory() / "zentrid", "-t", "-c", ROOT / "etc" / "zentrid.conf"],
            capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
